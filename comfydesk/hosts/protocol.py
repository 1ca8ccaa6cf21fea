"""What a provider of pods can do for us, and the values it speaks in.

Nothing here, and nothing in this room, can delete or terminate a pod: a stopped pod keeps its volume, a terminated one
has lost the user's models.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from comfydesk.errors import PodError, PodStatusError, PodUnreachableError

COMFYUI_PORT = 8188


class HostState(StrEnum):
    """What the provider says of the machine. RUNNING does not mean that ComfyUI answers yet."""

    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    STOPPED = "stopped"
    GONE = "gone"
    """Terminated: nothing brings it back."""
    UNKNOWN = "unknown"
    """The provider has lost sight of it, or says a word we do not know (`HostPod.detail`)."""


class HostAction(StrEnum):
    START = "start"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class HostPort:
    """A port of the pod as the outside sees it. `kind` is "http" (behind the provider's proxy) or "tcp"."""

    private: int
    public: int | None
    kind: str
    ip: str = ""


@dataclass(frozen=True, slots=True)
class SshEndpoint:
    """Where the pod's SSH server answers now; port and address change with a restart."""

    host: str
    port: int = 22
    user: str = "root"


@dataclass(frozen=True, slots=True)
class CommandResult:
    """What a command on the pod did. `exit_status` None: it was killed. Output beyond the limit is dropped."""

    exit_status: int | None
    stdout: str
    stderr: str


@dataclass(frozen=True, slots=True)
class HostPod:
    """A pod of the account, as of now."""

    id: str
    name: str
    state: HostState
    detail: str = ""
    """The provider's own word for the state."""
    gpu: str = ""
    gpu_count: int | None = None
    cost_per_hour: float | None = None
    """US dollars while it runs."""
    uptime: float | None = None
    """Seconds since it was last started; None where the provider does not say or it does not run."""
    ports: tuple[HostPort, ...] = ()
    ssh: SshEndpoint | None = None
    """A real SSH server that forwards ports; None if there is none, or only a provider's shell."""
    locked: bool = False
    """The owner forbade changes to it at the provider."""
    actions: frozenset[str] | None = None
    """What the provider allows now, in its words; None: it does not say."""
    charged: bool = False
    """GPU time is being paid for."""

    @property
    def title(self) -> str:
        return self.name or self.id

    def refusal(self, action: HostAction) -> str:
        """Why `action` must not be sent now; empty if it may."""
        if self.state is HostState.GONE:
            return "It was terminated: its disk is gone"
        if self.locked:
            return "It is locked at the provider"
        if self.actions is not None and action not in self.actions:
            allowed = ", ".join(sorted(self.actions)) or "nothing"
            return f"The provider allows {allowed} while it is {self.detail or self.state}"
        return ""


class Host(Protocol):
    """A provider's account. All calls raise only errors.PodError subclasses, in words."""

    @property
    def label(self) -> str:
        """The provider's name for people."""

    async def list(self) -> tuple[HostPod, ...]:
        """All pods of the account, in the provider's order."""

    async def status(self, pod_id: str) -> HostPod:
        """One pod, as of now. PodStatusError 404: the account has none of that id."""

    async def start(self, pod_id: str) -> HostPod:
        """Ask for it to run; returns at once (`wait_until_running` waits). No-op if it runs or starts.

        ActionRefusedError: locked, or not allowed now. NoGpuError: its GPU is rented to someone else.
        """

    async def stop(self, pod_id: str) -> HostPod:
        """Free its GPU; the volume stays. No-op if it is stopped. ActionRefusedError: locked, or not allowed now."""

    async def resolve(self, pod_id: str, port: int = COMFYUI_PORT, *, tls: bool = False) -> str:
        """The URL under which `port` of the pod answers now: ports change, so ask before each connect.

        `tls`: the pod itself speaks TLS there (a provider's own proxy always does). PodStoppedError,
        PortNotExposedError.
        """

    async def resolve_ssh(self, pod_id: str) -> SshEndpoint:
        """Where its SSH server answers now. PodStoppedError, PortNotExposedError."""

    async def close(self) -> None:
        """End the connections; again is fine."""


class PodStoppedError(PodUnreachableError):
    """The provider says that the pod does not run."""


class PortNotExposedError(PodUnreachableError):
    """The pod runs, but the port has no way out of it."""


class ActionRefusedError(PodError):
    """Start or stop was not sent, or not done: locked, or impossible in this state."""


class NoGpuError(PodError):
    """The pod could not start because no GPU is free for it."""


class BusyHostError(PodStatusError):
    """429. `retry_after` is the provider's wish in seconds, or None."""

    def __init__(self, what: str, why: str, advice: str, retry_after: float | None) -> None:
        super().__init__(429, what, why, advice)
        self.retry_after = retry_after


def running(pod: HostPod, label: str) -> HostPod:
    """`pod`, if it runs. Raises PodStoppedError that says what to do."""
    if pod.state is HostState.RUNNING:
        return pod
    what = f"The pod {pod.title} is {pod.state}"
    advice = {
        HostState.STOPPED: "Start it: that costs " + (f"${pod.cost_per_hour:.2f}/h" if pod.cost_per_hour else "money"),
        HostState.STARTING: "Wait until it runs",
        HostState.STOPPING: "Wait until it has stopped, then start it",
        HostState.GONE: "Choose another pod from the list",
    }.get(pod.state, "Look at it at the provider")
    raise PodStoppedError(what, f"{label} says: {pod.detail}" if pod.detail else "", advice)


async def wait_until_running(
    host: Host,
    pod_id: str,
    *,
    within: float = 900,
    poll: float = 3,
    grace: float = 30,
    on_state: Callable[[HostPod], None] | None = None,
) -> HostPod:
    """The pod once it runs. PodStoppedError: it stopped again, or does not run within `within`. All in seconds.

    Providers need a moment to say that a start has begun: "stopped" is believed after `grace`, or once it has been
    something else. A status that cannot be read (a hiccup of the provider) is asked again, unless it is about the key
    or the pod itself.
    """
    began = asyncio.get_running_loop().time()
    moved = False
    last: PodError | None = None
    pod: HostPod | None = None
    try:
        async with asyncio.timeout(within):
            while True:
                try:
                    pod = await host.status(pod_id)
                except PodStatusError as error:
                    if error.status != 429 and error.status < 500:
                        raise
                    last = error
                except PodUnreachableError as error:
                    last = error
                else:
                    if on_state is not None:
                        on_state(pod)
                    if pod.state is HostState.RUNNING:
                        return pod
                    ended = pod.state in (HostState.STOPPED, HostState.GONE)
                    moved = moved or not ended
                    if ended and (moved or asyncio.get_running_loop().time() - began > grace):
                        what = f"{pod.title} did not start"
                        raise PodStoppedError(what, f"{host.label} says: {pod.detail or pod.state}")
                await asyncio.sleep(poll)
    except TimeoutError:
        why = last.what if last is not None else f"{host.label} says: {pod.detail if pod else 'nothing'}"
        what = f"{pod.title if pod else pod_id} does not run after {within:.0f} s"
        raise PodStoppedError(what, why, "Look at its log at the provider; it may still be loading its image") from None
