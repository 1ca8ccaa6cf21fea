"""A pod with a real SSH server process, for tests: it can be killed, frozen, moved and given another key."""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Self

import asyncssh

from comfydesk.hosts.host_key import HostKey
from comfydesk.hosts.protocol import SshEndpoint

PROGRAM = Path(__file__).with_name("ssh_server.py")
PASSPHRASE = "correct horse"
PASSWORD = "hunter2"


class Keys:
    """Key files in one folder, made once: they are what is slow."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.host = self._make("host", "ssh-ed25519")
        self.other_host = self._make("other_host", "ssh-ed25519")
        self.ecdsa_host = self._make("ecdsa_host", "ecdsa-sha2-nistp256")
        self.user = self._make("user", "ssh-ed25519")
        self.stranger = self._make("stranger", "ssh-ed25519")
        self.protected = self._make("protected", "ssh-ed25519", PASSPHRASE)
        self.protected_pem = self._make("protected_pem", "ecdsa-sha2-nistp256", PASSPHRASE, "pkcs8-pem")
        self.authorized = folder / "authorized_keys"
        allowed = (self.user, self.protected, self.protected_pem)
        self.authorized.write_text("".join(path.with_suffix(".pub").read_text() for path in allowed))

    def _make(self, name: str, algorithm: str, passphrase: str | None = None, form: str = "openssh") -> Path:
        key = asyncssh.generate_private_key(algorithm, comment=name)
        path = self.folder / name
        # Few rounds: opening a real one takes a second, which is the point of it.
        path.write_bytes(key.export_private_key(form, passphrase, rounds=4, ignore_few_rounds=True))
        path.chmod(0o600)
        key.write_public_key(path.with_suffix(".pub"))
        return path

    @staticmethod
    def shown(path: Path) -> HostKey:
        """What a server with that key shows."""
        key = asyncssh.read_public_key(path.with_suffix(".pub"))
        return HostKey(key.get_algorithm(), key.get_fingerprint())


class SshPod:
    """The server process. `endpoint` is where it answers now."""

    def __init__(self, keys: Keys, *, host_key: Path | None = None, password: str | None = None, forward: bool = True):
        self.keys = keys
        self.host_key = host_key or keys.host
        self.port = 0
        self.logins = 0
        self._password = password
        self._forward = forward
        self._process: subprocess.Popen[str] | None = None
        self._lines: queue.Queue[str] = queue.Queue()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def endpoint(self) -> SshEndpoint:
        return SshEndpoint("127.0.0.1", self.port, "root")

    def start(self, *, move: bool = False) -> None:
        """On the same port as before, or on another one."""
        options = {
            "port": 0 if move else self.port,
            "host_key": str(self.host_key),
            "authorized": str(self.keys.authorized),
            "password": self._password,
            "forward": self._forward,
        }
        command = [sys.executable, str(PROGRAM), json.dumps(options)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        word, port = self._process.stdout.readline().split()
        assert word == "ready"
        self.port = int(port)
        threading.Thread(target=self._count, args=(self._process,), daemon=True).start()

    def _count(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None
        with process.stdout:
            for _ in process.stdout:
                self.logins += 1

    def kill(self) -> None:
        """As the provider does it: no goodbye."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """The line is dead, and nobody says so."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGCONT)
