"""What can go wrong on a pod or on the way to it, on request: the script of a demo pod.

    pod.script.add(Delay(0.2), path="/history/*")
    pod.script.add(Status(503), path="/api/prompt", times=2)
    pod.script.add(Truncate(1000), path="/view")
    pod.script.auth = Bearer("secret")

Rules are tried in the order of their making; the first that matches decides, and is used up after `times` requests.
Paths are matched with and without /api.
"""

import base64
import errno
import fnmatch
import hmac
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from aiohttp import web

from comfydesk.demo.nodes.base import OutOfMemoryError


@dataclass(frozen=True, slots=True)
class Delay:
    """Answer rightly, but `seconds` later."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Hang:
    """Never answer; the connection stays open until the client leaves or the pod stops."""


@dataclass(frozen=True, slots=True)
class Drop:
    """Break the connection; `after`: the request is carried out first and only its answer is lost."""

    after: bool = False


@dataclass(frozen=True, slots=True)
class Status:
    """Answer this instead."""

    status: int
    body: str = ""
    content_type: str = "text/plain"
    headers: Mapping[str, str] = field(default_factory=dict)


def html_page(title: str = "Sign in", status: int = 200) -> Status:
    """What a proxy or a login wall answers in place of JSON."""
    page = f"<!doctype html><html><head><title>{title}</title></head><body><form>{title}</form></body></html>"
    return Status(status, page, "text/html")


@dataclass(frozen=True, slots=True)
class Redirect:
    location: str
    status: int = 302


@dataclass(frozen=True, slots=True)
class Truncate:
    """Announce the whole length, send `size` bytes of the body, then break the connection."""

    size: int


@dataclass(frozen=True, slots=True)
class Drip:
    """Send the body in pieces of `size` bytes, one every `seconds`."""

    size: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Oversize:
    """A JSON body of about `size` bytes of blanks; gzipped it is a thousandth of that on the wire."""

    size: int
    gzip: bool = False


Fault = Delay | Hang | Drop | Status | Redirect | Truncate | Drip | Oversize


@dataclass(slots=True)
class Rule:
    """A fault and the requests it befalls. `times` None: for ever; `skip`: let that many pass first."""

    fault: Fault
    method: str = "*"
    path: str = "*"
    times: int | None = 1
    skip: int = 0
    hits: int = 0
    """How many requests it befell."""

    def matches(self, method: str, path: str) -> bool:
        bare = path.removeprefix("/api")
        return fnmatch.fnmatchcase(method, self.method) and (
            fnmatch.fnmatchcase(path, self.path) or fnmatch.fnmatchcase(bare, self.path)
        )


@dataclass(frozen=True, slots=True)
class NodeFault:
    """A node (by id or class) that fails with `error`, or blocks what hangs on it with the message `block`."""

    error: Exception = field(default_factory=lambda: ValueError("the demo pod was asked to fail here"))
    block: str | None = None


def out_of_memory() -> NodeFault:
    return NodeFault(OutOfMemoryError("Allocation on device"))


class Disk:
    """How much may still be written before the pod's disk is full; None: no limit. Used from worker and loop."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.left: int | None = None

    def take(self, size: int) -> None:
        """Raises OSError (ENOSPC) when `size` bytes no longer fit."""
        with self._lock:
            if self.left is None:
                return
            if size > self.left:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            self.left -= size


@dataclass(frozen=True, slots=True)
class Basic:
    user: str
    password: str

    def admits(self, request: web.Request) -> bool:
        pair = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        return _same(request.headers.get("Authorization", ""), f"Basic {pair}")


@dataclass(frozen=True, slots=True)
class Bearer:
    token: str

    def admits(self, request: web.Request) -> bool:
        return _same(request.headers.get("Authorization", ""), f"Bearer {self.token}")


@dataclass(frozen=True, slots=True)
class Header:
    """Any header with a secret in it (CF-Access-Client-Secret, Cookie)."""

    name: str
    value: str

    def admits(self, request: web.Request) -> bool:
        return _same(request.headers.get(self.name, ""), self.value)


@dataclass(frozen=True, slots=True)
class QueryToken:
    """`?token=…` on every request, the WebSocket's too."""

    token: str
    name: str = "token"

    def admits(self, request: web.Request) -> bool:
        return _same(request.query.get(self.name, ""), self.token)


Auth = Basic | Bearer | Header | QueryToken


class Script:
    """All of one pod's faults. Change it at any time; it holds for requests that come after."""

    def __init__(self) -> None:
        self.rules: list[Rule] = []
        self.nodes: dict[str, NodeFault] = {}
        """By node id or class name."""
        self.disk = Disk()
        self.auth: Auth | None = None
        self.refusal: Status | Redirect = Status(401, "Unauthorized", headers={"WWW-Authenticate": "Basic"})
        """What those without the right credentials get."""

    def add(self, fault: Fault, *, method: str = "*", path: str = "*", times: int | None = 1, skip: int = 0) -> Rule:
        """Befall the next `times` requests (None: all) that match. /ws is a path like any other."""
        rule = Rule(fault, method, path, times, skip)
        self.rules.append(rule)
        return rule

    def clear(self) -> None:
        """All is well again."""
        self.rules.clear()
        self.nodes.clear()
        self.disk.left = None
        self.auth = None

    def pick(self, method: str, path: str) -> Fault | None:
        """The fault for this request, used up by one."""
        for rule in self.rules:
            if not rule.matches(method, path) or rule.times == 0:
                continue
            if rule.skip:
                rule.skip -= 1
                continue
            if rule.times is not None:
                rule.times -= 1
            rule.hits += 1
            return rule.fault
        return None

    def node_fault(self, node: str, class_type: str) -> NodeFault | None:
        return self.nodes.get(node) or self.nodes.get(class_type)


def _same(given: str, right: str) -> bool:
    return hmac.compare_digest(given.encode(), right.encode())
