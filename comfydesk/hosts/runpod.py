"""RunPod's API v2: pods of an account, start, stop, and where their ports are now.

Shapes: `GET /pods` → `{"pods": […], "pagination": {"nextCursor", "hasNextPage"}}`, `GET /pods/{id}`,
`POST /pods/{id}/action {"action"}`; errors are RFC 9457 problems. A pod has `id, name, status, actions, locked, cost,
gpu {id, count}, ports ["8188/http"], runtime {uptime, ports [{private, public, type, ip}]}, ssh {direct, proxy}`;
`runtime` is null unless its container runs. `env`, which holds the user's own secrets, is never read.
"""

import re
from collections.abc import Mapping
from typing import Any

from comfydesk.errors import PodError
from comfydesk.hosts.account import Account
from comfydesk.hosts.api import Provider, checked_id, number, port_number, text
from comfydesk.hosts.protocol import (
    COMFYUI_PORT,
    HostAction,
    HostPod,
    HostPort,
    HostState,
    PortNotExposedError,
    SshEndpoint,
    running,
)
from comfydesk.hosts.ssh_line import parse_ssh_line

API = "https://api.runpod.io/v2"
RUNPOD = Provider("RunPod", "RunPod → Settings → API Keys", "https://uptime.runpod.io")
MAX_PAGES = 50
_STATES = {
    "PROVISIONING": HostState.STARTING,
    "CREATED": HostState.STARTING,
    "STARTING": HostState.STARTING,
    "RESTARTING": HostState.STARTING,
    "RUNNING": HostState.RUNNING,
    "STOPPING": HostState.STOPPING,
    "STOPPED": HostState.STOPPED,
    "EXITED": HostState.STOPPED,
    "TERMINATING": HostState.GONE,
    "TERMINATED": HostState.GONE,
}
_CONFIGURED_PORT = re.compile(r"(\d{1,5})/(http|tcp)\Z")


def proxy_url(pod_id: str, port: int) -> str:
    """Where RunPod's proxy shows an http port of a pod: public, TLS, 100 s for an answer, 100 MB for an upload."""
    return f"https://{pod_id}-{port}.proxy.runpod.net"


class RunPod(Account):
    """A Host."""

    provider = RUNPOD
    api = API

    async def list(self) -> tuple[HostPod, ...]:
        found: dict[str, HostPod] = {}
        cursor = ""
        for _ in range(MAX_PAGES):
            page = await self._api.get("pods", {"cursor": cursor} if cursor else None)
            entries, following = _page(page)
            found |= {pod.id: pod for pod in map(parse_pod, entries) if pod is not None}
            if not following or following == cursor:
                break
            cursor = following
        return tuple(found.values())

    async def status(self, pod_id: str) -> HostPod:
        return self._pod(await self._api.get(f"pods/{checked_id(pod_id, self.label)}", about=pod_id))

    async def resolve(self, pod_id: str, port: int = COMFYUI_PORT, *, tls: bool = False) -> str:
        pod = running(await self.status(pod_id), self.label)
        exposed = {entry.kind: entry for entry in pod.ports if entry.private == port}
        if "http" in exposed:
            return proxy_url(pod.id, port)
        direct = exposed.get("tcp")
        if direct is not None and direct.public and direct.ip:
            return f"{'https' if tls else 'http'}://{direct.ip}:{direct.public}"
        what = f"Port {port} is not exposed on the pod {pod.title}"
        why = "It shows " + (", ".join(sorted({f"{entry.private}/{entry.kind}" for entry in pod.ports})) or "none")
        raise PortNotExposedError(what, why, "Add it as an HTTP port under Edit pod at RunPod, or connect by SSH")

    async def resolve_ssh(self, pod_id: str) -> SshEndpoint:
        pod = running(await self.status(pod_id), self.label)
        if pod.ssh is not None:
            return pod.ssh
        what = f"The pod {pod.title} has no SSH server that forwards ports"
        why = "ssh.runpod.io gives a shell only"
        raise PortNotExposedError(what, why, "Add 22 as a TCP port under Edit pod at RunPod, with your public key set")

    async def _send(self, pod: HostPod, action: HostAction) -> HostPod:
        answer = await self._api.send(
            "POST", f"pods/{pod.id}/action", {"action": action}, about=pod.id, starts=action is HostAction.START
        )
        # Whatever the answer's shape is, it says yes; what counts is the pod's own state.
        return parse_pod(answer) or await self.status(pod.id)

    def _pod(self, answer: Any) -> HostPod:
        pod = parse_pod(answer)
        if pod is None:
            raise PodError(
                "RunPod answered in a shape that ComfyDesk does not know", advice="Look for a newer ComfyDesk"
            )
        return pod


def parse_pod(document: object) -> HostPod | None:
    """A pod as RunPod describes it, or None if that is no pod. Fields may be missing; none is trusted."""
    if not isinstance(document, Mapping):
        return None
    pod_id = text(document.get("id"))
    if not pod_id or "status" not in document:
        return None
    status = text(document["status"])
    runtime = _mapping(document.get("runtime"))
    gpu = _mapping(document.get("gpu"))
    state = _STATES.get(status.upper(), HostState.UNKNOWN)
    if state is HostState.RUNNING and "runtime" in document and not runtime:
        state = HostState.STARTING  # rented and paid for, but its container is not up
    ports = _ports(document, runtime)
    gpu_count = number(gpu.get("count"))
    actions = document.get("actions")
    return HostPod(
        id=pod_id,
        name=text(document.get("name")),
        state=state,
        detail=status,
        gpu=text(gpu.get("name") or gpu.get("id")),
        gpu_count=None if gpu_count is None else int(gpu_count),
        cost_per_hour=number(document.get("cost")),
        uptime=number(runtime.get("uptime")),
        ports=ports,
        ssh=_ssh(_mapping(document.get("ssh")).get("direct"), ports),
        locked=document.get("locked") is True,
        actions=frozenset(map(text, actions)) if isinstance(actions, (list, tuple)) else None,
        charged=state in (HostState.STARTING, HostState.RUNNING, HostState.STOPPING),
    )


def _page(page: object) -> tuple[list[object], str]:
    """The entries of a list and the cursor of the next one."""
    if isinstance(page, list):
        return page, ""
    entries = page.get("pods") if isinstance(page, Mapping) else None
    if not isinstance(page, Mapping) or not isinstance(entries, list):
        raise PodError("RunPod answered in a shape that ComfyDesk does not know", advice="Look for a newer ComfyDesk")
    pagination = _mapping(page.get("pagination"))
    return entries, text(pagination.get("nextCursor"), 4096) if pagination.get("hasNextPage") else ""


def _ports(document: Mapping[str, Any], runtime: Mapping[str, Any]) -> tuple[HostPort, ...]:
    found: dict[tuple[int, str], HostPort] = {}
    for entry in _sequence(document.get("ports")):
        match = _CONFIGURED_PORT.match(text(entry))
        if match and port_number(match[1]):
            found[int(match[1]), match[2]] = HostPort(int(match[1]), None, match[2])
    for entry in map(_mapping, _sequence(runtime.get("ports"))):
        private, kind = port_number(entry.get("private")), text(entry.get("type")).lower()
        if private:
            found[private, kind] = HostPort(private, port_number(entry.get("public")), kind, text(entry.get("ip")))
    return tuple(found.values())


def _ssh(direct: object, ports: tuple[HostPort, ...]) -> SshEndpoint | None:
    """`ssh.direct` as an object or as the command line that the console shows, else the mapped port 22."""
    if isinstance(direct, Mapping):
        host = text(direct.get("host") or direct.get("ip"))
        port = port_number(direct.get("port"))
        if host and port:
            return SshEndpoint(host, port, text(direct.get("user") or direct.get("username")) or "root")
    line = parse_ssh_line(direct) if isinstance(direct, str) else None
    if line is not None:
        return SshEndpoint(line.host, line.port, line.user)
    for entry in ports:
        if entry.private == 22 and entry.kind == "tcp" and entry.ip and entry.public:
            return SshEndpoint(entry.ip, entry.public)
    return None


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _sequence(value: object) -> tuple[object, ...]:
    return tuple(value) if isinstance(value, (list, tuple)) else ()
