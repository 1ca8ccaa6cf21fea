"""Each prompt of a batch enhanced: the sheet's part, and the session's calls behind it."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from comfydesk.errors import KnownError
from comfydesk.llm.words.values import Length
from comfydesk.qt.bridge.tasks import Tasks
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets.batch_enhance import EachPart
from comfydesk.qt.window.desk import Desk
from comfydesk.session.enhancement.values import EnhanceRequest
from comfydesk.settings import ENHANCE, ENHANCE_LENGTH, ENHANCE_STYLE

if TYPE_CHECKING:
    from comfydesk.session.session import Session


class EachDesk(QObject):
    """Joins a batch sheet's part to the session. `family` says for which models the prompts are."""

    def __init__(
        self,
        desk: Desk,
        session: "Session",
        tasks: Tasks,
        part: EachPart,
        family: Callable[[], str],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._desk, self._session, self._tasks, self._part, self._family = desk, session, tasks, part, family
        self._task: asyncio.Task[None] | None = None
        part.wanted.connect(self.begin)
        part.stopped.connect(self.stop)
        part.models_wanted.connect(desk.actions["language_models"].trigger)

    def open(self) -> None:
        """The sheet is shown: the styles as they are now."""
        chosen = self._desk.preferences.get(ENHANCE_STYLE)
        self._tasks.start(self._session.enhancer.styles(), done=lambda styles: self._part.show_styles(styles, chosen))

    def begin(self) -> None:
        """Those that are not enhanced yet, one after the other; all of them once all are."""
        self.stop()
        if not self._desk.preferences.get(ENHANCE):
            self._part.tell(tr("Enhancing is off. Turn it on under Language models."), models=True)
            return
        request = EnhanceRequest(
            text="",
            style=self._part.style_id(),
            family=self._family(),
            length=Length(self._desk.preferences.get(ENHANCE_LENGTH)),
        )
        self._part.set_busy(busy=True)
        self._task = self._tasks.start(self._run(self._part.waiting(), request), failed=self._on_failed)

    def stop(self) -> None:
        """What is enhanced so far stays."""
        if self._task is not None and not self._task.done():
            self._task.cancel()
            self._part.set_busy(busy=False)
            self._part.changed.emit()
        self._task = None

    async def _run(self, prompts: tuple[str, ...], request: EnhanceRequest) -> None:
        async with aclosing(self._session.enhancer.enhance_each(prompts, request)) as each:
            async for one in each:
                self._part.show_one(one.original, one.enhanced, one.refused)
        self._part.set_busy(busy=False)
        self._part.changed.emit()

    def _on_failed(self, error: KnownError) -> None:
        self._part.set_busy(busy=False)
        self._part.tell(str(error), models=True)
