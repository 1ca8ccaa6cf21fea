"""A language model on the current pod: the part of the page of language models, and the session behind it."""

import asyncio
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject

from comfydesk.errors import KnownError
from comfydesk.qt.bridge.tasks import Tasks
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets.banner import Banner
from comfydesk.qt.widgets.llm_pod_part import LlmPodPart, copy_text
from comfydesk.session.enhancement.values import Choice

if TYPE_CHECKING:
    from comfydesk.session.enhancement.pod_serving import PodServing
    from comfydesk.session.pods.profiles import PodProfile
    from comfydesk.session.session import Session


class LlmPod(QObject):
    """Lives as long as the page does."""

    def __init__(self, session: "Session", tasks: Tasks, part: LlmPodPart, banner: Banner, parent: QObject) -> None:
        super().__init__(parent)
        self._session, self._tasks, self._part, self._banner = session, tasks, part, banner
        self._pod = ""
        self._task: asyncio.Task[None] | None = None
        part.look.connect(self.look)
        part.fetch.connect(lambda model: self._begin("fetch", tr("Asking the pod"), self._fetch(model)))
        part.pause.connect(lambda _: self._pause())
        part.start.connect(lambda model: self._begin("start", tr("The model loads"), self._start(model)))
        part.stop.connect(lambda model: self._begin("stop", tr("It is ended"), self._stop(model)))
        part.copy.connect(self._copy)
        part.engine_chosen.connect(self._choose)

    def refresh(self) -> None:
        """The pod that is current now."""
        state = self._session.current_pod
        profile, before = self._profile(), self._pod
        self._pod = "" if state is None else state.id
        name = "" if state is None else state.name
        choice = self._session.enhancer.choice(self._pod or None) if name else Choice.AUTOMATIC
        self._part.show_pod(name, shell=self._serving.offered(profile), choice=choice)
        if self._pod != before:
            self._part.show_states({})
            if profile is not None and (chosen := self._serving.chosen(profile)):
                self._part.choose(chosen)
        if self._serving.offered(profile) and (self._task is None or self._task.done()):
            self.look()

    def look(self) -> None:
        """What is there now."""
        self._begin("look", tr("Asking the pod"), self._look())

    # --- Inside -----------------------------------------------------------------------------------------------------

    @property
    def _serving(self) -> "PodServing":
        return self._session.engines.serving

    def _profile(self) -> "PodProfile | None":
        state = self._session.current_pod
        return None if state is None else state.profile

    def _begin(self, what: str, words: str, work: "Coroutine[Any, Any, None]") -> None:
        if self._task is not None and not self._task.done():
            work.close()
            return
        self._part.set_busy(what, words)
        self._task = self._tasks.start(work, failed=self._failed)
        self._task.add_done_callback(lambda _: self._part.set_busy(""))

    def _pause(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task.add_done_callback(lambda _: self.look())

    async def _look(self) -> None:
        profile = self._profile()
        if profile is not None:
            self._part.show_states(await self._serving.all(profile))

    async def _fetch(self, model: str) -> None:
        profile = self._profile()
        if profile is not None:
            await self._serving.fetch(profile, model, lambda done, total: self._part.show_progress(model, done, total))
            await self._look()

    async def _start(self, model: str) -> None:
        profile = self._profile()
        if profile is not None:
            await self._serving.start(profile, model)
            try:
                await self._serving.wait_ready(profile)
            finally:
                await self._look()

    async def _stop(self, model: str) -> None:
        profile = self._profile()
        if profile is not None:
            await self._serving.stop(profile, model)
            await self._look()

    def _copy(self, model: str) -> None:
        self._tasks.start(self._serving.commands(model), done=copy_text, failed=self._failed)

    def _choose(self, choice: Choice) -> None:
        try:
            self._session.enhancer.choose(self._pod or None, choice)
        except KnownError as error:
            self._failed(error)

    def _failed(self, error: KnownError) -> None:
        self._banner.tell_error(error)
