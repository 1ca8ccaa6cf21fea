"""The batch sheet at work: counts while one types, asks what it costs, and queues exactly what it said."""

import asyncio
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject

from comfydesk.errors import KnownError
from comfydesk.qt.bridge.tasks import Tasks
from comfydesk.qt.models.words import about
from comfydesk.qt.theme.language import tr, tr_n
from comfydesk.qt.window.bench import Bench
from comfydesk.qt.window.desk import Desk
from comfydesk.settings import WILDCARD_FOLDERS

if TYPE_CHECKING:
    from comfydesk.qt.dialogs.batch import BatchPage
    from comfydesk.qt.models.batch_plan import Plan, Wishes
    from comfydesk.qt.window.batch_enhance import EachDesk
    from comfydesk.session.session import Session
    from comfydesk.session.values import OpenWorkflow


class Batches(QObject):
    """Lives as long as the session does. What is queued is told by the bench's `queued`, as all that is made here."""

    def __init__(
        self, desk: Desk, session: "Session", tasks: Tasks, bench: Bench, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._desk, self._session, self._tasks, self._bench = desk, session, tasks, bench
        self.page: BatchPage | None = None
        self._each: EachDesk | None = None
        self._workflow: OpenWorkflow | None = None
        self._values: Mapping[str, Any] = {}
        self._plan: Plan | None = None
        self._task: asyncio.Task[Plan] | None = None
        self._entropy = 0
        desk.generation.footer.batch_wanted.connect(self.open)

    def open(self) -> None:
        """The sheet, over the middle, for the workflow that lies open with the values it has."""
        from comfydesk.qt.dialogs.batch import BatchPage
        from comfydesk.qt.window.batch_enhance import EachDesk

        values = self._desk.generation.take_values()
        if values is None or self._bench.current is None:
            return
        if self.page is None:
            self.page = BatchPage(self._desk.theme)
            self.page.changed.connect(self._count)
            self.page.queue_wanted.connect(self._queue)
            folder, _, more = self._desk.preferences.get(WILDCARD_FOLDERS).partition(";")
            if folder.strip() and not more.strip():
                self.page.wildcards.take(Path(folder).expanduser())
            self._each = EachDesk(self._desk, self._session, self._tasks, self.page.each, self._family, self)
            self.page.closed.connect(self._each.stop)
        self._workflow, self._values = self._bench.current, values
        self._entropy = secrets.randbits(64)
        self._desk.pages.open(self.page)
        if self._each is not None:
            self._each.open()
        self.page.show_form(self._workflow.name, self._workflow.form, pods=len(self._session.pods()))

    # --- Inside ---------------------------------------------------------------------------------------------------

    def _count(self) -> None:
        """Off the GUI thread: lists may have a hundred thousand lines."""
        from comfydesk.qt.models.batch_plan import plan

        if self.page is None or self._workflow is None:
            return
        if self._task is not None:
            self._task.cancel()
        self._plan = None
        wishes, form = self.page.wishes(), self._workflow.form
        work = asyncio.to_thread(plan, form, self._values, wishes, self._entropy)
        self._task = self._tasks.start(work, done=lambda made: self._on_plan(made, wishes))

    def _on_plan(self, made: "Plan", wishes: "Wishes") -> None:
        if self.page is None or self._workflow is None:
            return
        self._plan = made
        self.page.show_plan(made)
        if made.total:
            self._tasks.start(self._estimate(made, wishes))

    async def _estimate(self, made: "Plan", wishes: "Wishes") -> None:
        assert self._workflow is not None
        assert self.page is not None
        target = _target(wishes)
        found = await self._session.queue.estimate(self._workflow, made.total, target, self._values)
        if made is not self._plan:
            return
        words = []
        if found.seconds is not None:
            pods = tr_n("on {n} pod", "on {n} pods", found.pods) if found.pods > 1 else ""
            words.append(" ".join(part for part in (about(found.seconds), pods) if part))
        if found.cost is not None:
            words.append(f"${found.cost:.2f}")
        self.page.show_estimate(tuple(words) or (tr("how long it takes is known after the first job"),))

    def _queue(self) -> None:
        if self.page is None or self._plan is None or self._plan.batch is None or self._workflow is None:
            return
        self.page.queue.set_busy(tr("Queueing"))
        self._tasks.start(
            self._enqueue(self._workflow, self._plan, self.page.wishes()), done=self._on_queued, failed=self._on_failed
        )

    async def _enqueue(self, workflow: "OpenWorkflow", plan: "Plan", wishes: "Wishes") -> tuple[str, ...]:
        assert plan.batch is not None
        queued = await self._session.queue.enqueue_batch(
            workflow,
            plan.batch,
            target=_target(wishes),
            sheet=bool(wishes.grid),
            originals=self._bench.originals(workflow.id),
        )
        return queued.jobs

    def _family(self) -> str:
        """The dialect of the models that the batch is for."""
        try:
            return "" if self._workflow is None else self._session.enhancer.family_of(self._workflow, self._values)
        except KnownError:
            return ""

    def _on_queued(self, jobs: tuple[str, ...]) -> None:
        assert self.page is not None
        self.page.queue.set_busy("")
        self._desk.pages.close(self.page)
        self._bench.queued.emit(jobs)

    def _on_failed(self, error: KnownError) -> None:
        from comfydesk.qt.models.batch_plan import Part, Plan, sentences

        assert self.page is not None
        self.page.queue.set_busy("")
        self.page.show_plan(Plan(None, {Part.WHOLE: sentences(error)}))


def _target(wishes: "Wishes") -> str | None:
    from comfydesk.store.records import ANY

    return ANY if wishes.any_pod else None
