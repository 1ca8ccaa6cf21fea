"""Vast.ai's API: instances of an account, start, stop, and where their ports are now.

Shapes: `GET /api/v1/instances/` → `{"instances": […], "next_token"}` (next page: `after_token`),
`PUT /api/v0/instances/{id}/ {"state": "running"|"stopped"}` → `{"success": bool, "error", "msg"}`. An instance has
`id, label, actual_status, intended_status, gpu_name, num_gpus, dph_total, public_ipaddr, ssh_host, ssh_port,
ports {"8188/tcp": [{"HostIp", "HostPort"}]}`; `ports` is null until its container runs. `jupyter_token` and
`extra_env`, which hold secrets, are never read.
"""

from collections.abc import Mapping
from typing import Any

from comfydesk.errors import PodError, PodStatusError
from comfydesk.hosts.account import Account
from comfydesk.hosts.api import Provider, checked_id, message_in, no_gpu, number, port_number, text
from comfydesk.hosts.protocol import (
    COMFYUI_PORT,
    ActionRefusedError,
    HostAction,
    HostPod,
    HostPort,
    HostState,
    PortNotExposedError,
    SshEndpoint,
    running,
)

API = "https://console.vast.ai"
VAST = Provider("Vast.ai", "Vast.ai → Account → API Keys", "https://status.vast.ai")
MAX_PAGES = 50
_STATES = {
    "created": HostState.STARTING,
    "loading": HostState.STARTING,
    "rebooting": HostState.STARTING,
    "running": HostState.RUNNING,
    "stopped": HostState.STOPPED,
    "exited": HostState.STOPPED,
}
_WANTED = {HostAction.START: "running", HostAction.STOP: "stopped"}


class VastAi(Account):
    """A Host."""

    provider = VAST
    api = API
    noun = "instance"

    async def list(self) -> tuple[HostPod, ...]:
        found: dict[str, HostPod] = {}
        token = ""
        for _ in range(MAX_PAGES):
            page = await self._api.get("api/v1/instances/", {"after_token": token} if token else None)
            entries = page.get("instances") if isinstance(page, Mapping) else None
            if not isinstance(entries, (list, tuple)):
                what = "Vast.ai answered in a shape that ComfyDesk does not know"
                raise PodError(what, advice="Look for a newer ComfyDesk")
            found |= {pod.id: pod for pod in map(parse_instance, entries) if pod is not None}
            following = text(page.get("next_token"), 4096)
            if not following or following == token:
                break
            token = following
        return tuple(found.values())

    async def status(self, pod_id: str) -> HostPod:
        checked_id(pod_id, self.label)
        for pod in await self.list():
            if pod.id == pod_id:
                return pod
        what = f"Vast.ai knows no instance {pod_id}"
        advice = "It was destroyed, or belongs to another account: choose one from the list"
        raise PodStatusError(404, what, advice=advice)

    async def resolve(self, pod_id: str, port: int = COMFYUI_PORT, *, tls: bool = False) -> str:
        pod = running(await self.status(pod_id), self.label)
        for entry in pod.ports:
            if entry.private == port and entry.public and entry.ip:
                host = f"[{entry.ip}]" if ":" in entry.ip else entry.ip
                return f"{'https' if tls else 'http'}://{host}:{entry.public}"
        what = f"Port {port} is not open on the instance {pod.title}"
        why = "It shows " + (", ".join(str(entry.private) for entry in pod.ports) or "none")
        advice = f"Add -p {port}:{port} to the template's Docker options and recreate it, or connect by SSH"
        raise PortNotExposedError(what, why, advice)

    async def resolve_ssh(self, pod_id: str) -> SshEndpoint:
        pod = running(await self.status(pod_id), self.label)
        if pod.ssh is not None:
            return pod.ssh
        what = f"The instance {pod.title} has no SSH server"
        raise PortNotExposedError(what, advice="Choose a launch mode with SSH in its template")

    async def _send(self, pod: HostPod, action: HostAction) -> HostPod:
        starts = action is HostAction.START
        body = {"state": _WANTED[action]}
        answer = await self._api.send("PUT", f"api/v0/instances/{pod.id}/", body, about=pod.id, starts=starts)
        if isinstance(answer, Mapping) and answer.get("success") is False:
            raise _refusal(answer, pod, action)
        return await self.status(pod.id)


def _refusal(answer: Mapping[str, Any], pod: HostPod, action: HostAction) -> PodError:
    """A 200 that says no. A start without a free GPU is *queued* there: it may begin, and cost, at any time."""
    said = text(message_in(answer), 300)
    if action is HostAction.START and "resources" in f"{text(answer.get('error'))} {said}".lower():
        error = no_gpu("Vast.ai", said)
        if "queue" in said.lower():
            error.advice = "It starts, and costs, as soon as its GPU is free: stop it if you no longer want that"
        return error
    return ActionRefusedError(f"Vast.ai did not {action} the instance {pod.title}", said, "Look at it at Vast.ai")


def parse_instance(document: object) -> HostPod | None:
    """An instance as Vast.ai describes it, or None if that is none. Fields may be missing; none is trusted."""
    if not isinstance(document, Mapping):
        return None
    pod_id = text(document.get("id"))
    if not pod_id:
        return None
    status, intended = text(document.get("actual_status")), text(document.get("intended_status"))
    state = _STATES.get(status, HostState.UNKNOWN) if status else HostState.STARTING
    if state is HostState.RUNNING and intended == "stopped":
        state = HostState.STOPPING
    elif state in (HostState.STOPPED, HostState.STARTING) and intended in ("running", "stopped"):
        state = HostState.STARTING if intended == "running" else HostState.STOPPED
    minutes, gpus = number(document.get("uptime_mins")), number(document.get("num_gpus"))
    ports = _ports(document)
    return HostPod(
        id=pod_id,
        name=text(document.get("label")),
        state=state,
        detail=status or "provisioning",
        gpu=text(document.get("gpu_name")),
        gpu_count=None if gpus is None else int(gpus),
        cost_per_hour=number(document.get("dph_total")),
        uptime=None if minutes is None else minutes * 60,
        ports=ports,
        ssh=_ssh(document, ports),
        # Frozen keeps its memory on the GPU, which is paid for; storage is always paid for.
        charged=status in ("running", "frozen"),
    )


def _ports(document: Mapping[str, Any]) -> tuple[HostPort, ...]:
    """Docker's map. Ports of other protocols, and those that nothing outside maps to, are left out."""
    ip, mapped = text(document.get("public_ipaddr")), document.get("ports")
    if not isinstance(mapped, Mapping):
        return ()
    found = []
    for name, bindings in mapped.items():
        private, _, protocol = text(name).partition("/")
        number_inside = port_number(private)
        bound = bindings[0] if isinstance(bindings, (list, tuple)) and bindings else None
        outside = port_number(bound.get("HostPort")) if isinstance(bound, Mapping) else None
        if number_inside and outside and protocol == "tcp":
            found.append(HostPort(number_inside, outside, protocol, ip))
    return tuple(found)


def _ssh(document: Mapping[str, Any], ports: tuple[HostPort, ...]) -> SshEndpoint | None:
    """Its own port 22 where it is open, Vast.ai's SSH proxy (which forwards, too) otherwise."""
    for entry in ports:
        if entry.private == 22 and entry.ip and entry.public:
            return SshEndpoint(entry.ip, entry.public)
    host, port = text(document.get("ssh_host")), port_number(document.get("ssh_port"))
    return SshEndpoint(host, port) if host and port else None
