"""`comfydesk pods`: profiles in, out and changed; secrets by the environment and stdin, never by an argument."""

import asyncio
import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from comfydesk import cli
from comfydesk.credentials import Secret, SessionCredentials, auth_item, header_item
from comfydesk.session.pods import vault
from comfydesk.session.pods.profile_file import FILE_NAME, ProfileStore
from comfydesk.session.pods.profiles import AuthKind, PlaceKind, PodProfile

HOST_KEY = "ssh-ed25519 SHA256:" + "A" * 43


class Shell:
    """Commands on one data folder and one keyring."""

    def __init__(self, folder: Path, keyring: SessionCredentials, capture: pytest.CaptureFixture[str]) -> None:
        self.folder, self.keyring, self._capture = folder, keyring, capture

    def __call__(self, *words: str, code: int = 0) -> str:
        """Run; stdout. What was said on stderr stays in `said`."""
        found = cli.main(["--data-dir", str(self.folder), *words])
        out, self.said = self._capture.readouterr()
        assert found == code, self.said
        return out

    def json(self, *words: str) -> Any:
        return json.loads(self(*words, "--json"))

    @property
    def profiles(self) -> tuple[PodProfile, ...]:
        return ProfileStore(self.folder / FILE_NAME).load().profiles


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shell:
    kept = SessionCredentials(note="")

    async def open_keyring() -> SessionCredentials:
        return kept

    monkeypatch.setattr(vault.Vault.__init__, "__defaults__", (open_keyring,))
    for name in ("COMFYDESK_SECRET", "RUNPOD_API_KEY", "VAST_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    return Shell(tmp_path / "data", kept, capsys)


def test_an_empty_list(shell: Shell) -> None:
    assert shell("pods") == ""
    assert shell.json("pods", "list") == {"pods": []}


def test_add_list_edit_remove(shell: Shell) -> None:
    shell("pods", "add", "192.168.1.20:8188", "--name", "studio", "--default")
    (entry,) = shell.json("pods", "list")["pods"]
    assert (entry["name"], entry["kind"], entry["url"], entry["default"]) == (
        "studio",
        "lan",
        "http://192.168.1.20:8188",
        True,
    )
    shell("pods", "edit", "STUDIO", "--name", "atelier", "--output-folder", "/pictures")
    assert shell.profiles[0].output_folder == "/pictures"
    assert shell("pods", "list") == "atelier  lan  http://192.168.1.20:8188  default\n"
    shell("pods", "remove", "atelier")
    assert not shell.profiles


def test_an_ssh_line_becomes_a_profile_with_a_pinned_key(shell: Shell) -> None:
    shell("pods", "add", "ssh root@203.0.113.5 -p 40022 -i ~/.ssh/id", "--name", "box", "--host-key", HOST_KEY)
    (profile,) = shell.profiles
    assert profile.place.kind is PlaceKind.SSH
    assert profile.ssh is not None
    assert (profile.ssh.host, profile.ssh.port, profile.ssh.host_key) == ("203.0.113.5", 40022, HOST_KEY)
    shell("pods", "edit", "box", "--local-port", "9000")
    assert shell.profiles[0].ssh is not None
    assert shell.profiles[0].ssh.host_key == HOST_KEY


def test_a_rented_pod_with_its_idle_minutes(shell: Shell) -> None:
    shell("pods", "add", "https://abc123xyz-8188.proxy.runpod.net", "--name", "gpu", "--idle-minutes", "30")
    assert shell.profiles[0].idle_minutes == 30
    assert "Everyone who knows the pod's address can use it" in shell.said
    shell("pods", "edit", "gpu", "--idle-minutes", "0")
    assert shell.profiles[0].idle_minutes is None


def test_a_password_in_an_argument_is_refused_and_from_stdin_it_goes_to_the_keyring(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell("pods", "add", "https://me:pa55word@pod.example.com", code=2)
    assert "pa55word" not in shell.said
    assert not shell.profiles
    monkeypatch.setattr(sys, "stdin", io.StringIO("https://me:pa55word@pod.example.com\n"))
    shell("pods", "add", "-", "--name", "pod")
    (profile,) = shell.profiles
    assert (profile.auth.kind, profile.auth.user) == (AuthKind.BASIC, "me")
    assert shell.keyring._secrets == {auth_item(profile.id): Secret("pa55word")}


def test_secrets_by_stdin_and_by_variable(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "t0ken")
    shell("pods", "add", "https://a.example.com", "--name", "a", "--auth", "bearer", "--env", "secret=TOKEN")
    monkeypatch.setattr(sys, "stdin", io.StringIO("Cf-Access-Client-Id: one\nCF-Access-Client-Secret: two\n"))
    headers = ("--header", "CF-Access-Client-Id", "--header", "CF-Access-Client-Secret")
    shell("pods", "add", "https://b.example.com", "--name", "b", "--auth", "headers", *headers, "--stdin", "secret")
    first, second = shell.profiles
    assert shell.keyring._secrets == {
        auth_item(first.id): Secret("t0ken"),
        header_item(second.id, "CF-Access-Client-Id"): Secret("one"),
        header_item(second.id, "CF-Access-Client-Secret"): Secret("two"),
    }


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("add", "what is this"), "No address of a pod"),
        (("add", "host:8188", "--env", "secret=NOT_THERE"), "NOT_THERE is not set"),
        (("add", "host:8188", "--env", "nonsense=X"), "no secret called nonsense"),
        (("add", "host:8188", "--idle-minutes", "5"), "idle_minutes"),
        (("add", "host:8188", "--name", "demo"), "cannot be the name"),
        (("edit", "nobody", "--name", "x"), "no pod named nobody"),
        (("remove", "nobody"), "no pod named nobody"),
        (("add", "-", "--stdin", "secret"), "Only one thing can come from stdin"),
    ],
)
def test_what_is_refused_is_one_line_and_stores_nothing(shell: Shell, words: tuple[str, ...], why: str) -> None:
    shell("pods", *words, code=2)
    assert why in shell.said
    assert shell.said.count("\n") == 1
    assert not shell.profiles


def test_a_pod_that_nobody_rents_cannot_be_started(shell: Shell) -> None:
    shell("pods", "add", "10.0.0.1:8188", "--name", "home")
    shell("pods", "start", "home", code=2)
    shell("pods", "add", "https://abc123xyz-8188.proxy.runpod.net", "--name", "gpu")
    shell("pods", "stop", "gpu", code=3)
    assert "not stored on this computer" in shell.said


def test_probe_by_name_tells_each_step(shell: Shell) -> None:
    shell("pods", "add", "127.0.0.1:1", "--name", "nothing there")
    report = json.loads(shell("probe", "--pod", "Nothing There", "--json", code=3))
    assert [step["step"] for step in report["steps"]] == ["dns", "tcp"]
    assert not report["ok"]


def test_an_unknown_name_with_a_blank_is_told(shell: Shell) -> None:
    shell("probe", "--pod", "no such pod", code=2)
    assert "no address of a pod" in shell.said


def test_engines_are_added_by_their_kind(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "k3y")
    shell("pods", "add", "--kind", "comfy", "--env", "secret=MY_KEY")
    shell("pods", "add", "abc123xyz456", "--kind", "runpod-serverless", "--env", "api-key=MY_KEY", "--name", "burst")
    shell("pods", "add", "127.0.0.1:8189", "--kind", "comfy", "--name", "proxy", "--nodes-of", "burst")
    cloud, burst, proxy = shell.profiles
    assert (cloud.name, cloud.place.kind, cloud.place.url) == (
        "Comfy Cloud",
        PlaceKind.COMFY,
        "https://cloud.comfy.org",
    )
    assert (burst.place.kind, burst.place.pod) == (PlaceKind.SERVERLESS, "abc123xyz456")
    assert (proxy.place.url, proxy.place.nodes_of) == ("http://127.0.0.1:8189", burst.id)
    assert asyncio.run(shell.keyring.get(auth_item(cloud.id))) == Secret("k3y")
    assert asyncio.run(shell.keyring.get("host/runpod/api-key")) == Secret("k3y")
    assert "k3y" not in (shell.folder / FILE_NAME).read_text()


def test_an_engine_that_cannot_be_one_is_refused(shell: Shell) -> None:
    shell("pods", "add", "no id", "--kind", "runpod-serverless", code=2)
    assert "no id of a RunPod Serverless endpoint" in shell.said
    assert shell.profiles == ()
