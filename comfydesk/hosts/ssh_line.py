"""PURE. The `ssh …` line that providers show, as values."""

import re
import shlex
from dataclasses import dataclass

SHELL_ONLY_HOST = "ssh.runpod.io"
MAX_LINE = 4096
_WITH_VALUE = frozenset("BbcDEeFIiJLlmOopQRSWw")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.:_-]{0,252}[A-Za-z0-9])?\Z")
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}\Z")
_FORWARD = re.compile(r"(?:(?:\[?[\w.:*-]*\]?):)?(\d{1,5}):(\[?[\w.:-]+\]?):(\d{1,5})\Z")


@dataclass(frozen=True, slots=True)
class SshLine:
    """What an ssh command says. `remote_port` is that of its first `-L`, or None."""

    host: str
    port: int = 22
    user: str = "root"
    key_file: str = ""
    remote_port: int | None = None

    @property
    def shell_only(self) -> bool:
        """RunPod's gateway: no forwarding, no files."""
        return self.host.lower() == SHELL_ONLY_HOST


def parse_ssh_line(line: str) -> SshLine | None:
    """`ssh root@1.2.3.4 -p 22022 -i ~/.ssh/id -L 8188:localhost:8188` in any order, or None if that is no ssh command.

    A command to run, proxies and other options are dropped: only what a tunnel needs is kept.
    """
    if len(line) > MAX_LINE:
        return None
    try:
        words = shlex.split(line.strip().removeprefix("$ "))
    except ValueError:
        return None
    if not words or words[0] != "ssh":
        return None
    options, target = _split(words[1:])
    if target is None:
        return None
    user, _, host = target.rpartition("@")
    user = user or options.get("l", "root")
    port = _port(options.get("p", "22"))
    if target.startswith("ssh://") or port is None or not _HOST.match(host) or not _USER.match(user):
        return None
    forward = _FORWARD.match(options.get("L", ""))
    return SshLine(host, port, user, options.get("i", ""), _port(forward[3]) if forward else None)


def _split(words: list[str]) -> tuple[dict[str, str], str | None]:
    """Options with a value (the first of each) and the target."""
    options: dict[str, str] = {}
    target: str | None = None
    position = 0
    while position < len(words):
        word = words[position]
        position += 1
        if not word.startswith("-") or word == "-":
            if target is not None:
                break  # what follows is a command
            target = word
            continue
        for index, letter in enumerate(word[1:], start=1):
            if letter not in _WITH_VALUE:
                continue
            value = word[index + 1 :]
            if not value and position < len(words):
                value = words[position]
                position += 1
            options.setdefault(letter, value)
            break
    return options, target


def _port(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and 0 < int(text) < 65536 else None
