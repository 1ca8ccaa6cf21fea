"""Pods as the user has them: profiles, live links, rent and the idle guard, brought together."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from comfydesk.errors import UsageError
from comfydesk.events import Change, Feed, PodEvent
from comfydesk.paths import Paths
from comfydesk.session.library import Library
from comfydesk.session.pods.awake import Watch
from comfydesk.session.pods.guard import Activity, Guard
from comfydesk.session.pods.links import Link, Links, PodFactory
from comfydesk.session.pods.profile_file import FILE_NAME, ProfileStore
from comfydesk.session.pods.profiles import PodProfile, way_of
from comfydesk.session.pods.reach import HostFactory, Reach
from comfydesk.session.pods.rented import Rented
from comfydesk.session.pods.roster import Roster
from comfydesk.session.pods.vault import Vault
from comfydesk.session.tasks import Tasks
from comfydesk.session.values import PodState, PodTarget
from comfydesk.settings import Settings

if TYPE_CHECKING:
    from comfydesk.hosts.host_key import HostKey


class Pods:
    """`on_online` is called at every (re)connect, `on_event` with whatever a pod says."""

    def __init__(
        self,
        paths: Paths,
        settings: Settings,
        tasks: Tasks,
        changes: Feed[Change],
        library: Library,
        *,
        factory: PodFactory,
        vault: Vault,
        make_host: HostFactory,
        on_online: Callable[[Link], None],
        on_event: Callable[[Link, PodEvent], None],
    ) -> None:
        self._tasks = tasks
        self.links = Links(tasks, changes, paths.cache / "pods", factory, on_online, on_event)
        self.roster = Roster(ProfileStore(paths.data / FILE_NAME), vault, settings, changes, make_host=make_host)
        self.roster.on_edit, self.roster.on_remove = self._edited, self._removed
        self.rented = Rented(self.roster, self.links, tasks, changes, make_host=make_host)
        self.activity = Activity(paths.data / "activity")
        self._guard = Guard(self.links, library, self.rented, tasks, self.activity)
        self._current: str | None = None

    def start(self, *, guard: bool) -> None:
        """Watch over the computer's sleep and, with `guard`, over idle pods."""
        self._tasks.start(Watch(self.wake).run(), "wake")
        if guard:
            self._tasks.start(self._guard.run(), "idle guard")

    async def close(self) -> None:
        """Leave all of them. Again is fine."""
        await self.links.close()
        await self.rented.close()

    async def connect(self, pod: PodTarget | str) -> PodState:
        """See Session.connect."""
        target = await self._target(pod) if isinstance(pod, str) else pod
        link = await self.links.add(target)
        self._current = target.id
        self._guard.poke()
        return self._state(link)

    async def disconnect(self, pod_id: str) -> None:
        """See Session.disconnect."""
        if self._current == pod_id:
            self._current = None
        await self.links.drop(pod_id)

    def select(self, pod_id: str) -> None:
        self._current = self.link(pod_id).target.id

    def states(self) -> tuple[PodState, ...]:
        return tuple(self._state(link) for link in self.links.all())

    @property
    def current(self) -> Link | None:
        return None if self._current is None else self.links.get(self._current)

    @property
    def current_state(self) -> PodState | None:
        link = self.current
        return None if link is None else self._state(link)

    def link(self, pod_id: str | None = None) -> Link:
        """A connected pod; without an id the current one. Raises UsageError."""
        pod_id = pod_id or self._current
        link = None if pod_id is None else self.links.get(pod_id)
        if link is None:
            raise UsageError("No pod is connected", "", 'Choose a pod, or the built-in demo pod with "--pod demo"')
        return link

    def wake(self) -> None:
        """See Session.wake."""
        for link in self.links.all():
            link.wake()
        self._guard.poke()

    async def trust(self, pod_id: str, key: "HostKey") -> None:
        """See Session.trust."""
        profile = await self.roster.pin(pod_id, key)
        link = self.links.get(pod_id)
        if link is not None and isinstance(link.target.route, Reach):
            link.target.route.trust(key)
            self.links.describe(replace(link.target, profile=profile))
            link.wake()

    async def _target(self, text: str) -> PodTarget:
        profile = (await self.roster.load()).find(text)
        return PodTarget.of(text) if profile is None else self.roster.target(profile)

    def _state(self, link: Link) -> PodState:
        return replace(link.state(), rented=self.rented.state(link.target.id))

    async def _edited(self, old: PodProfile, new: PodProfile, secrets_changed: bool) -> None:
        if old.place != new.place:
            self.rented.forget(new.id)
        link = self.links.get(new.id)
        if link is None:
            return
        if secrets_changed or way_of(old) != way_of(new):
            await self.links.add(self.roster.target(new), anew=True)
        else:
            self.links.describe(replace(link.target, name=new.name, profile=new))

    async def _removed(self, profile: PodProfile) -> None:
        await self.disconnect(profile.id)
        self.rented.forget(profile.id)
        await asyncio.to_thread(self.links.cache_of(profile.id).remove)
