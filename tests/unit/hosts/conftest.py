"""SSH keys and a pod with a real SSH server, made once per module."""

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.hosts.ssh_pod import Keys, SshPod


@pytest.fixture(scope="session", autouse=True)
def _modules_are_no_garbage() -> None:
    """The collection after each async test looks for leaks of that test: not through 300,000 objects of libraries."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return Keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="session")
def shared_pod(keys: Keys) -> Iterator[SshPod]:
    """For tests that leave the server as it is."""
    with SshPod(keys) as pod:
        yield pod


@pytest.fixture
def pod(keys: Keys) -> Iterator[SshPod]:
    """For tests that kill it."""
    with SshPod(keys) as pod:
        yield pod


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home without keys, agent and configuration."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    return tmp_path
