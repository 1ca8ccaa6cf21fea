"""SSH to a real server process: trust on first use, hard stop on another key, and each refusal in words."""

import asyncio
import contextlib
import itertools
import shutil
import socket
import socketserver
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncssh
import pytest

from comfydesk.credentials import CredentialsError, Secret
from comfydesk.errors import KnownError, PodUnreachableError
from comfydesk.hosts.host_key import HostKey, HostKeyChangedError, HostKeyUnknownError
from comfydesk.hosts.protocol import SshEndpoint
from comfydesk.hosts.ssh import (
    KeyFileError,
    PassphraseError,
    SshLogin,
    SshRefusedError,
    connect,
    needs_user,
    unreachable,
)
from tests.unit.hosts.ssh_pod import PASSPHRASE, PASSWORD, Keys, SshPod


@pytest.fixture(autouse=True)
def _own_home(home: Path) -> None:
    """No key, agent or configuration of the person who runs the tests."""


async def say_hello(pod: SshPod, login: SshLogin, pinned: HostKey | None = None) -> str:
    """What the pod's shell answers over a connection that is closed again."""
    connection = await connect(pod.endpoint, login, pinned or pod.keys.shown(pod.host_key))
    try:
        return str((await connection.run("echo hello")).stdout).strip()
    finally:
        connection.close()
        await connection.wait_closed()


async def test_the_first_contact_shows_the_key_and_sends_nothing(shared_pod: SshPod, keys: Keys) -> None:
    before = shared_pod.logins
    with pytest.raises(HostKeyUnknownError) as unknown:
        await connect(shared_pod.endpoint, SshLogin(str(keys.user)), None)
    assert unknown.value.offered == keys.shown(keys.host)
    assert str(unknown.value.offered).startswith("ssh-ed25519 SHA256:")
    assert str(unknown.value.offered) in str(unknown.value)
    assert shared_pod.logins == before


def test_the_fingerprint_is_the_one_that_ssh_shows(keys: Keys) -> None:
    if shutil.which("ssh-keygen") is None:
        pytest.skip("no ssh-keygen here")
    shown = subprocess.run(
        ["ssh-keygen", "-lf", keys.host.with_suffix(".pub")], capture_output=True, text=True, check=True
    )
    assert keys.shown(keys.host).fingerprint in shown.stdout


async def test_the_pinned_server_lets_the_key_in(shared_pod: SshPod, keys: Keys) -> None:
    assert await say_hello(shared_pod, SshLogin(str(keys.user))) == "hello"


async def test_a_pin_without_its_algorithm_is_enough(shared_pod: SshPod, keys: Keys) -> None:
    pinned = HostKey.parse(keys.shown(keys.host).fingerprint)
    assert pinned.algorithm == ""
    assert await say_hello(shared_pod, SshLogin(str(keys.user)), pinned) == "hello"


@pytest.mark.parametrize("which", ["other_host", "ecdsa_host"])
async def test_another_key_is_a_hard_stop(shared_pod: SshPod, keys: Keys, which: str) -> None:
    before = shared_pod.logins
    pinned = keys.shown(getattr(keys, which))
    with pytest.raises(HostKeyChangedError) as changed:
        await connect(shared_pod.endpoint, SshLogin(str(keys.user), password=Secret(PASSWORD)), pinned)
    assert (changed.value.offered, changed.value.pinned) == (keys.shown(keys.host), pinned)
    assert "nothing was sent to it" in str(changed.value)
    assert shared_pod.logins == before


@contextmanager
def hanging_up(pod: SshPod, times: int) -> Iterator[SshEndpoint]:
    """A front of `pod` that ends the first connections without showing a key: OpenSSH's "no matching host key type"."""
    left = itertools.count(times, -1)

    class Front(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            if next(left) > 0:
                self.request.sendall(b"SSH-2.0-OpenSSH_9.2p1\r\n")
                self.request.recv(100)
                return
            with socket.create_connection(("127.0.0.1", pod.port)) as far:
                back = threading.Thread(target=pour, args=(far, self.request))
                back.start()
                pour(self.request, far)
                back.join()

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Front) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield SshEndpoint("127.0.0.1", server.server_address[1])
        server.shutdown()
        thread.join()


def pour(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)


async def test_a_server_that_lost_the_pinned_kind_of_key_is_a_hard_stop(shared_pod: SshPod, keys: Keys) -> None:
    with hanging_up(shared_pod, times=1) as endpoint:
        with pytest.raises(HostKeyChangedError) as changed:
            await connect(endpoint, SshLogin(str(keys.user)), keys.shown(keys.ecdsa_host))
        assert changed.value.offered == keys.shown(keys.host)


async def test_a_server_that_only_hung_up_once_is_still_the_pinned_one(shared_pod: SshPod, keys: Keys) -> None:
    with hanging_up(shared_pod, times=1) as endpoint:
        connection = await connect(endpoint, SshLogin(str(keys.user)), keys.shown(keys.host))
        connection.close()
        await connection.wait_closed()


async def test_a_server_that_always_hangs_up_is_unreachable(shared_pod: SshPod, keys: Keys) -> None:
    with hanging_up(shared_pod, times=9) as endpoint:
        for pinned in (None, keys.shown(keys.host)):
            with pytest.raises(PodUnreachableError):
                await connect(endpoint, SshLogin(str(keys.user)), pinned)


async def test_a_known_host_of_the_user_is_not_trusted_by_itself(shared_pod: SshPod, keys: Keys, home: Path) -> None:
    (home / ".ssh").mkdir()
    public = keys.host.with_suffix(".pub").read_text()
    (home / ".ssh" / "known_hosts").write_text(f"[127.0.0.1]:{shared_pod.port} {public}")
    with pytest.raises(HostKeyUnknownError):
        await connect(shared_pod.endpoint, SshLogin(str(keys.user)), None)


async def test_the_users_ssh_configuration_runs_nothing(shared_pod: SshPod, keys: Keys, home: Path) -> None:
    (home / ".ssh").mkdir()
    (home / ".ssh" / "config").write_text(f"Host *\n ProxyCommand touch {home}/ran\n Port 1\n User nobody\n")
    assert await say_hello(shared_pod, SshLogin(str(keys.user))) == "hello"
    assert not (home / "ran").exists()


async def test_a_key_that_the_pod_does_not_know(shared_pod: SshPod, keys: Keys) -> None:
    with pytest.raises(SshRefusedError, match=r"127.0.0.1 does not let root in.*stranger.*Add your public key"):
        await say_hello(shared_pod, SshLogin(str(keys.stranger)))


async def test_without_any_key(shared_pod: SshPod) -> None:
    with pytest.raises(SshRefusedError, match="the keys of your SSH agent"):
        await say_hello(shared_pod, SshLogin())


async def test_the_usual_key_of_the_user_serves_without_being_named(shared_pod: SshPod, keys: Keys, home: Path) -> None:
    (home / ".ssh").mkdir()
    shutil.copy(keys.user, home / ".ssh" / "id_ed25519")
    assert await say_hello(shared_pod, SshLogin()) == "hello"
    assert await say_hello(shared_pod, SshLogin("~/.ssh/id_ed25519")) == "hello"


@pytest.mark.parametrize("which", ["protected", "protected_pem"])
async def test_a_protected_key_needs_its_passphrase(shared_pod: SshPod, keys: Keys, which: str) -> None:
    key_file = str(getattr(keys, which))
    with pytest.raises(PassphraseError, match="needs its passphrase") as missing:
        await say_hello(shared_pod, SshLogin(key_file))
    assert not missing.value.wrong
    with pytest.raises(PassphraseError, match="does not open") as wrong:
        await say_hello(shared_pod, SshLogin(key_file, Secret("battery staple")))
    assert wrong.value.wrong
    assert "battery staple" not in str(wrong.value)
    assert await say_hello(shared_pod, SshLogin(key_file, Secret(PASSPHRASE))) == "hello"


async def test_a_password(keys: Keys) -> None:
    with SshPod(keys, password=PASSWORD) as pod:
        assert await say_hello(pod, SshLogin(password=Secret(PASSWORD))) == "hello"
        assert await say_hello(pod, SshLogin(str(keys.stranger), password=Secret(PASSWORD))) == "hello"
        with pytest.raises(SshRefusedError, match="and the password") as refused:
            await say_hello(pod, SshLogin(password=Secret("hunter3")))
    assert "hunter3" not in str(refused.value)


@pytest.fixture
def agent(keys: Keys, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A real ssh-agent that holds the user's key."""
    if shutil.which("ssh-agent") is None:
        pytest.skip("no ssh-agent here")
    where = home / "agent"
    with subprocess.Popen(
        ["ssh-agent", "-D", "-a", where], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as running:
        try:
            while not where.exists():
                assert running.poll() is None
                time.sleep(0.01)
            monkeypatch.setenv("SSH_AUTH_SOCK", str(where))
            subprocess.run(["ssh-add", "-q", str(keys.user)], check=True, capture_output=True)
            yield
        finally:
            running.terminate()


@pytest.mark.usefixtures("agent")
async def test_the_agents_keys_serve(shared_pod: SshPod) -> None:
    assert await say_hello(shared_pod, SshLogin()) == "hello"


@pytest.mark.usefixtures("agent")
async def test_a_named_key_is_the_only_one_that_is_offered(shared_pod: SshPod, keys: Keys) -> None:
    with pytest.raises(SshRefusedError):
        await say_hello(shared_pod, SshLogin(str(keys.stranger)))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read. No such file or directory"),
        (b"ssh-ed25519 AAAA me@here\n", r"is the public half of a key. Choose .*/key instead"),
        (b"hello", "is no private key that ComfyDesk can read"),
        (b"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n", "is no private key"),
    ],
)
async def test_a_file_that_is_no_key(shared_pod: SshPod, home: Path, content: bytes | None, words: str) -> None:
    path = home / "key.pub"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(KeyFileError, match=words):
        await say_hello(shared_pod, SshLogin(str(path)))


async def test_what_answers_is_no_ssh_server(keys: Keys) -> None:
    async def http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 100)
        writer.close()

    async with await asyncio.start_server(http, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(PodUnreachableError):
            await connect(SshEndpoint("127.0.0.1", port), SshLogin(str(keys.user)), None)


async def test_nobody_answers(keys: Keys) -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
        with pytest.raises(PodUnreachableError, match=f"Nothing answers at 127.0.0.1:{port}. Check that the pod runs"):
            await connect(SshEndpoint("127.0.0.1", port), SshLogin(str(keys.user)), None)


def test_other_ways_not_to_arrive_have_words() -> None:
    assert "The name pod.example is not known" in str(unreachable("pod.example:22", socket.gaierror(-2, "x")))
    assert "pod:22 does not answer" in str(unreachable("pod:22", TimeoutError()))
    assert "No route to host" in str(unreachable("pod:22", OSError(113, "No route to host")))
    assert "(lost)" in str(unreachable("pod:22", asyncssh.ConnectionLost("(lost)")))


def test_what_only_the_user_can_mend_is_not_tried_again() -> None:
    endpoint, key = SshEndpoint("pod"), HostKey("ssh-ed25519", "SHA256:x")
    for error in (
        HostKeyUnknownError(endpoint, key),
        HostKeyChangedError(endpoint, key, key),
        PassphraseError("key", wrong=True),
        KeyFileError("key"),
        SshRefusedError("no"),
        CredentialsError("locked"),
    ):
        assert needs_user(error)
    assert not needs_user(PodUnreachableError("gone"))
    assert not needs_user(KnownError("other"))
