"""Secrets: hidden wherever they go by accident, and kept in a real keyring or not at all."""

import asyncio
import copy
import json
import logging
import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, cast

import keyring.backends.fail
import keyring.backends.null
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked, PasswordSetError

from comfydesk import credentials
from comfydesk.credentials import (
    NO_KEYRING,
    Credentials,
    CredentialsError,
    KeyringCredentials,
    Secret,
    SessionCredentials,
    is_safe,
)

TOKEN = "rp_token_8f2c"


class Locker(KeyringBackend):
    """A keyring of the platform's kind, in memory; calls are recorded with their thread."""

    priority: Any = 5

    def __init__(self) -> None:
        cast("Any", super()).__init__()
        self.kept: dict[tuple[str, str], str] = {}
        self.threads: list[threading.Thread] = []

    def get_password(self, service: str, username: str) -> str | None:
        self.threads.append(threading.current_thread())
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


class Refusing(Locker):
    def set_password(self, service: str, username: str, password: str) -> None:
        msg = f"cannot store {password}"
        raise PasswordSetError(msg)

    def get_password(self, service: str, username: str) -> str | None:
        raise KeyringLocked("locked")


class Stuck(Locker):
    def __init__(self) -> None:
        super().__init__()
        self.released = threading.Event()

    def get_password(self, service: str, username: str) -> str | None:
        self.released.wait(20)
        return None


class Weak(Locker):
    priority = 0.5


class Missing(Locker):
    @property
    def priority(self) -> float:  # keyring's own backends compute it, and raise
        raise RuntimeError("no D-Bus")


@dataclass(frozen=True)
class Login:
    user: str
    password: Secret


def test_nothing_shows_a_secret_but_reveal(caplog: pytest.LogCaptureFixture) -> None:
    secret = Secret(TOKEN)
    logging.getLogger("test").warning("token %s %r", secret, secret)
    shown = [repr(secret), str(secret), f"{secret}", f"{secret:>40}", repr([secret]), repr(Login("a", secret))]
    shown += [repr(asdict(Login("a", secret))), repr(copy.deepcopy(secret)), caplog.text]
    assert not [text for text in shown if TOKEN in text]
    assert secret.reveal() == TOKEN


def test_a_secret_cannot_be_written() -> None:
    with pytest.raises(TypeError):
        pickle.dumps(Secret(TOKEN))
    with pytest.raises(TypeError):
        json.dumps({"token": Secret(TOKEN)})


def test_secrets_compare_by_value_and_are_false_when_empty() -> None:
    assert Secret("a") == Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a")}) == 1
    assert not Secret("")


@pytest.mark.parametrize("make", [SessionCredentials, lambda: KeyringCredentials(Locker())])
async def test_get_set_delete(make: Callable[[], Credentials]) -> None:
    kept = make()
    item = credentials.auth_item("0b5e")
    assert await kept.get(item) is None
    await kept.set(item, Secret("one"))
    await kept.set(item, Secret(TOKEN))
    assert await kept.get(item) == Secret(TOKEN)
    assert await kept.get(credentials.api_key_item("runpod")) is None
    await kept.delete(item)
    await kept.delete(item)
    assert await kept.get(item) is None


async def test_the_keyring_holds_documented_names() -> None:
    locker = Locker()
    await KeyringCredentials(locker).set(credentials.header_item("0b5e", "CF-Access-Client-Id"), Secret(TOKEN))
    assert locker.kept == {("ComfyDesk", "pod/0b5e/header/CF-Access-Client-Id"): TOKEN}


async def test_the_keyring_is_asked_in_a_daemon_thread() -> None:
    locker = Locker()
    await KeyringCredentials(locker).get("x")
    assert [thread.daemon for thread in locker.threads] == [True]
    assert locker.threads[0] is not threading.main_thread()


async def test_a_keyring_that_never_answers_blocks_nothing_and_is_named() -> None:
    stuck = Stuck()
    try:
        started = time.perf_counter()
        with pytest.raises(CredentialsError, match="does not answer"):
            await KeyringCredentials(stuck, deadline=0.05).get("x")
        assert time.perf_counter() - started < 2
    finally:
        stuck.released.set()


async def test_many_questions_at_once_reach_the_keyring_one_at_a_time() -> None:
    class Busy(Locker):
        inside = 0
        most = 0

        def get_password(self, service: str, username: str) -> str | None:
            self.inside += 1
            self.most = max(self.most, self.inside)
            time.sleep(0.002)
            self.inside -= 1
            return username

    busy = Busy()
    kept = KeyringCredentials(busy)
    answers = await asyncio.gather(*(kept.get(str(number)) for number in range(8)))
    assert answers == [Secret(str(number)) for number in range(8)]
    assert busy.most == 1


async def test_a_refusal_has_words_and_never_the_secret() -> None:
    kept = KeyringCredentials(Refusing())
    with pytest.raises(CredentialsError) as refused:
        await kept.set("x", Secret(TOKEN))
    assert TOKEN not in str(refused.value)
    assert "refused" in str(refused.value)
    with pytest.raises(CredentialsError, match=r"locked\. Unlock it"):
        await kept.get("x")


def test_only_a_real_keyring_counts() -> None:
    assert is_safe(Locker())
    for backend in (keyring.backends.fail.Keyring, keyring.backends.null.Keyring):
        assert not is_safe(cast("Callable[[], KeyringBackend]", backend)())
    assert not is_safe(Weak())
    assert not is_safe(Missing())


def test_a_file_with_the_text_in_it_is_no_keyring() -> None:
    plaintext = type("PlaintextKeyring", (Locker,), {"__module__": "keyrings.alt.file"})
    assert not is_safe(plaintext())


def choose(backend: str) -> str:
    """What a new process of ours uses when the environment names `backend` as keyring."""
    code = (
        "import asyncio, comfydesk.credentials as c\n"
        "kept = asyncio.run(c.system_credentials())\n"
        "print(type(kept).__name__, '|', kept.note)"
    )
    environment = {"PYTHON_KEYRING_BACKEND": backend, "PATH": "/usr/bin:/bin"}
    command = [sys.executable, "-W", "error", "-c", code]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.strip()


def test_without_a_keyring_secrets_stay_in_memory_and_the_user_is_told() -> None:
    assert choose("keyring.backends.fail.Keyring") == f"SessionCredentials | {NO_KEYRING}"


def test_a_chain_is_never_used_as_a_chain(monkeypatch: pytest.MonkeyPatch) -> None:
    from keyring.backends.chainer import ChainerBackend

    locker = Locker()

    class Chain(ChainerBackend):
        backends = (Weak(), locker)

    monkeypatch.setattr(keyring, "get_keyring", Chain)
    assert credentials._find_backend() is locker


def test_a_backend_that_breaks_down_while_it_is_asked_leaves_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks() -> None:
        raise RuntimeError("no D-Bus")

    monkeypatch.setattr(keyring, "get_keyring", breaks)
    assert credentials._find_backend() is None
