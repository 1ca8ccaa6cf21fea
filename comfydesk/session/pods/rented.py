"""Rented pods: what the provider says of them, what they cost, start and stop. For connected ones and others.

Nothing here can terminate a pod.
"""

import time
from collections.abc import Awaitable, Callable
from dataclasses import replace

from comfydesk.credentials import Secret, api_key_item
from comfydesk.errors import PodError, UsageError
from comfydesk.events import Change, Feed, PodsChanged
from comfydesk.hosts.protocol import Host, HostPod, wait_until_running
from comfydesk.session.pods import idle
from comfydesk.session.pods.links import Links
from comfydesk.session.pods.profiles import MissingSecretError, PlaceKind, PodProfile
from comfydesk.session.pods.reach import HostFactory, make_host
from comfydesk.session.pods.roster import Roster
from comfydesk.session.tasks import Tasks
from comfydesk.session.values import RentedState


class Accounts:
    """The providers' clients, one for each account, made at the first need."""

    def __init__(self, roster: Roster, make_host: HostFactory) -> None:
        self._roster = roster
        self._make_host = make_host
        self._hosts: dict[PlaceKind, tuple[Secret, Host]] = {}

    async def host(self, kind: PlaceKind) -> Host | None:
        """None: no API key is stored. A key that was changed makes a new client. Raises CredentialsError."""
        key = await self._roster.vault.get(api_key_item(kind))
        known = self._hosts.get(kind)
        if known is not None and known[0] == key:
            return known[1]
        if known is not None:
            del self._hosts[kind]
            await known[1].close()
        if not key:
            return None
        host = self._make_host(kind, key)
        self._hosts[kind] = key, host
        return host

    async def close(self) -> None:
        hosts = [host for _, host in self._hosts.values()]
        self._hosts.clear()
        for host in hosts:
            await host.close()


class Rented:
    """By profile id. `clock` goes on while the computer sleeps."""

    def __init__(
        self,
        roster: Roster,
        links: Links,
        tasks: Tasks,
        changes: Feed[Change],
        *,
        make_host: HostFactory = make_host,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._roster = roster
        self._links = links
        self._tasks = tasks
        self._changes = changes
        self._clock = clock
        self._accounts = Accounts(roster, make_host)
        self._states: dict[str, RentedState] = {}
        self._seen: dict[str, float] = {}

    def state(self, pod_id: str) -> RentedState | None:
        """As of the last look; None: never looked at."""
        return self._states.get(pod_id)

    def seen(self, pod_id: str) -> float | None:
        """When the provider last answered for it."""
        return self._seen.get(pod_id)

    async def status(self, pod_id: str) -> HostPod:
        """Ask the provider now. Raises MissingSecretError, the provider's errors, ProfileError, UsageError."""
        profile, host = await self._host(pod_id)
        return await self._ask(profile, lambda: host.status(profile.place.pod))

    async def start(self, pod_id: str) -> HostPod:
        """Ask for it to run; returns at once. A connected pod comes online by itself. Raises NoGpuError and others."""
        profile, host = await self._host(pod_id)
        pod = await self._ask(profile, lambda: host.start(profile.place.pod))
        self._tasks.start(self._await_running(profile, host), f"start {profile.name}")
        return pod

    async def stop(self, pod_id: str) -> HostPod:
        """Free its GPU; the disk stays. Jobs on it are lost there: see first that nothing runs."""
        profile, host = await self._host(pod_id)
        return await self._ask(profile, lambda: host.stop(profile.place.pod))

    def keep_running(self, pod_id: str, seconds: float = idle.KEEP) -> None:
        """The idle guard leaves it alone for so long. It cannot call back a stop that was sent."""
        state = self._states.get(pod_id, RentedState())
        self.set_idle(pod_id, idle.keep(state.idle, self._clock(), seconds))

    def cancel_countdown(self, pod_id: str) -> None:
        """Its minutes start anew."""
        state = self._states.get(pod_id, RentedState())
        self.set_idle(pod_id, idle.cancel(state.idle, self._clock()))

    def set_idle(self, pod_id: str, new: idle.IdleState) -> None:
        """The guard's word; told to everyone where it means something else than before."""
        state = self._states.get(pod_id, RentedState())
        self._set(pod_id, replace(state, idle=new))

    def note_problem(self, pod_id: str, problem: str) -> None:
        """Why the provider could not be asked."""
        self._set(pod_id, replace(self._states.get(pod_id, RentedState()), problem=problem))

    def forget(self, pod_id: str) -> None:
        """The profile is gone, or names another pod."""
        self._states.pop(pod_id, None)
        self._seen.pop(pod_id, None)

    async def close(self) -> None:
        """End the connections to the providers."""
        await self._accounts.close()

    async def _host(self, pod_id: str) -> tuple[PodProfile, Host]:
        profile = self._roster.book.find(pod_id) or (await self._roster.load()).get(pod_id)
        if not profile.place.kind.rented:
            what = f"{profile.name} cannot be started or stopped from here"
            raise UsageError(what, "It belongs to no account at RunPod or Vast.ai")
        host = await self._accounts.host(profile.place.kind)
        if host is None:
            raise MissingSecretError(profile, api_key_item(profile.place.kind))
        return profile, host

    async def _ask(self, profile: PodProfile, ask: Callable[[], Awaitable[HostPod]]) -> HostPod:
        """Whatever comes of it is the state from then on."""
        try:
            pod = await ask()
        except PodError as error:
            self.note_problem(profile.id, str(error))
            raise
        self._note(profile, pod)
        return pod

    def _note(self, profile: PodProfile, pod: HostPod) -> None:
        now = self._clock()
        state = self._states.get(profile.id, RentedState())
        cost = state.cost.observe(now, charged=pod.charged, rate=pod.cost_per_hour, uptime=pod.uptime)
        self._seen[profile.id] = now
        self._set(profile.id, replace(state, host=pod, problem="", cost=cost))

    def _set(self, pod_id: str, new: RentedState) -> None:
        old = self._states.get(pod_id)
        self._states[pod_id] = new
        if old is None or _gist(old) != _gist(new):
            self._changes.publish(PodsChanged((pod_id,)))

    async def _await_running(self, profile: PodProfile, host: Host) -> None:
        """Tell how the start goes, and connect as soon as there is something to connect to."""
        await wait_until_running(host, profile.place.pod, on_state=lambda pod: self._note(profile, pod))
        link = self._links.get(profile.id)
        if link is not None:
            link.wake()


def _gist(state: RentedState) -> tuple[object, ...]:
    """What a view shows, without what goes on by itself (uptime, cost, the times of the last look)."""
    host = None if state.host is None else replace(state.host, uptime=None)
    now = state.idle
    ends = now.ends if isinstance(now, idle.Countdown) else now.until if isinstance(now, idle.Kept) else None
    why = now.why if isinstance(now, idle.Busy) else None
    since = now.since if isinstance(now, idle.Quiet) else None
    return host, state.problem, state.cost.rate, state.cost.charged, type(now), ends, why, since
