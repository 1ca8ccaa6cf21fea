"""What lies open, and the commands on it: from the docks' wishes to the session's calls."""

from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from comfydesk.errors import KnownError
from comfydesk.qt.bridge.tasks import Tasks
from comfydesk.qt.models.making import Making
from comfydesk.qt.theme.language import tr
from comfydesk.qt.window.drafts import Drafts
from comfydesk.store.records import Job
from comfydesk.workflow.fields import Kind, Role

if TYPE_CHECKING:
    import asyncio

    from comfydesk.session.session import Session
    from comfydesk.session.values import OpenWorkflow, WorkflowEntry
    from comfydesk.workflow.needs import Needs

CHECKED_AT_MOST = 200
"""Cards that are checked against a pod as soon as it is there; the others when they are opened."""


@dataclass(frozen=True, slots=True)
class Opening:
    """What is being opened, and what is to be done with it once its form is known."""

    source: str
    """Id of a workflow of the browser, or path of a file."""
    fill: Mapping[Role, Any] = field(default_factory=dict)
    """Into the fields of those roles."""
    values: Mapping[str, Any] = field(default_factory=dict)
    """Field id → value."""
    then_generate: bool = False
    keep_seeds: bool = False
    """Lock the seeds that come with it."""


Found = tuple["OpenWorkflow", Mapping[str, Any]]
"""What was opened, and the values that came with it."""


class Bench(QObject):
    """One workflow at a time lies on it. Every command starts a task; what comes of it is a signal."""

    opening = Signal(str)
    """Name of what is being opened."""
    opened = Signal(object, object)
    """OpenWorkflow, values (field id → value)."""
    made_ready = Signal(str)
    """Id of a workflow that was opened in order to be generated at once: what `opened` has just shown."""
    open_failed = Signal(object)
    """KnownError; what was open before still is."""
    queued = Signal(object)
    """tuple of the new jobs' ids"""
    refused = Signal(object)
    """KnownError: nothing was queued."""
    checked = Signal(object)
    """Workflow id → Needs."""

    def __init__(self, session: "Session", tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.drafts = Drafts()
        self.current: OpenWorkflow | None = None
        self._session = session
        self._tasks = tasks
        self._task: asyncio.Task[Found] | None = None
        self._latest: Opening | None = None
        """What `_task` is about: an answer to anything else comes too late."""
        self._waits: Opening | None = None
        """What `current` was opened for, until its form is known: without a pod it is not."""
        self._again = False
        self.originals: Callable[[str], Mapping[str, Mapping[str, str]]] = lambda _: {}
        """Id of a workflow → field id → enhanced text → what it was before; goes along with its jobs."""

    @property
    def idle(self) -> bool:
        """Nothing is open or being opened."""
        return self.current is None and not self._busy

    @property
    def _busy(self) -> bool:
        return self._task is not None and not self._task.done()

    # --- Opening --------------------------------------------------------------------------------------------------

    def open(
        self, source: "WorkflowEntry | Path", *, fill: Mapping[Role, Any] | None = None, then_generate: bool = False
    ) -> None:
        """Open a workflow of the browser, or a file; `fill` goes into the fields of those roles.

        Whatever was being opened is let go, and with it what was to be done then: `then_generate` (see `made_ready`)
        holds for this opening alone.
        """
        opening = Opening(
            str(source) if isinstance(source, Path) else source.id, fill or {}, then_generate=then_generate
        )
        self._start(source.name, opening, self._opened(lambda: self._session.open_workflow(source)))

    def reopen(self) -> None:
        """Make the form anew: the pod's list of nodes has arrived or changed. Values stay."""
        if self._busy:
            self._again = True
        elif self.current is not None:
            current = self.current
            opening = self._waits or Opening(current.id)
            self._start("", opening, self._opened(lambda: self._session.reopen(current)))

    def add_lora(self, name: str) -> None:
        """One more LoRA in the open workflow; values stay."""
        current = self.current
        if current is not None:
            self._start("", Opening(current.id), self._opened(lambda: self._session.add_lora(current, name)))

    def edit(self, job: Job, entry: "WorkflowEntry | None") -> None:
        """Open what `job` was made from, with its values; in no shelf any more, it is read from the library."""
        source = job.id if entry is None else entry.id
        self._start(job.workflow, Opening(source, keep_seeds=True), self._edit(job, entry))

    def restore(self, name: str, source: str, work: "Coroutine[Any, Any, Found]") -> None:
        """Open what `work` finds, with the values that come with it; its seeds are locked, to make the same again.

        `source` names it, whatever it is.
        """
        self._start(name, Opening(source, keep_seeds=True), work)

    def keep(self, values: Mapping[str, Any]) -> None:
        """The form says what is in it now."""
        if self.current is not None:
            self.drafts.keep(self.current.id, self.current.form, values)

    def reset(self) -> None:
        """Back to the workflow's own values."""
        if self.current is not None:
            self.drafts.forget(self.current.id)
            self._show(self.current)

    def show_again(self) -> None:
        """What is open, with what was typed: how it is laid out has changed."""
        if self.current is not None:
            self._show(self.current)

    def check(self, entries: "Iterable[WorkflowEntry]") -> None:
        """Tell what each workflow lacks on the current pod."""
        if self._session.catalog is not None:
            self._tasks.start(self._check(tuple(entries)[:CHECKED_AT_MOST]), done=self.checked.emit)

    def _start(self, name: str, opening: Opening, work: Coroutine[Any, Any, Found]) -> None:
        if self._task is not None:
            self._task.cancel()
        if name and self._waits is not None:
            # Another one was asked for: should that fail, this one is still filled in, but not made unasked.
            self._waits = replace(self._waits, then_generate=False)
        self._latest, self._again = opening, False
        if name:
            self.opening.emit(name)
        self._task = self._tasks.start(
            work,
            done=lambda found: self._on_opened(opening, *found),
            failed=lambda error: self._on_open_failed(opening, error),
        )

    def _on_opened(self, opening: Opening, opened: "OpenWorkflow", values: Mapping[str, Any]) -> None:
        if opening is not self._latest:
            return  # it was through already when another one was asked for
        again, self._latest, self._again = self._again, None, False
        given = {**opening.values, **values}
        for role, value in opening.fill.items():
            for entry in opened.form.with_role(role)[:1]:
                given[entry.id] = value
        known = bool(opened.form.fields)
        self._waits = None if known else replace(opening, values=given)
        if known:
            self.drafts.keep(opened.id, opened.form, given)
            if opening.keep_seeds:
                seeds = [entry.id for entry in opened.form.fields if entry.kind is Kind.SEED and entry.id in given]
                self.drafts.keep_ways(opened.id, seeds, 1)
        self._show(opened)
        if known and opening.then_generate:
            self.made_ready.emit(opened.id)
        if again:
            self.reopen()

    def _on_open_failed(self, opening: Opening, error: KnownError) -> None:
        if opening is not self._latest:
            return
        again, self._latest, self._again = self._again, None, False
        if self._waits is not None:
            self._waits = replace(self._waits, then_generate=False)
        self.open_failed.emit(error)
        if again:
            self.reopen()

    def _show(self, opened: "OpenWorkflow") -> None:
        self.current = opened
        self.opened.emit(opened, self.drafts.values(opened.id, opened.form))

    async def _opened(self, work: "Callable[[], Coroutine[Any, Any, OpenWorkflow]]") -> Found:
        return await work(), {}

    async def _edit(self, job: Job, entry: "WorkflowEntry | None") -> Found:
        recipe = await self._session.queue.recipe(job.id)
        if recipe is None:
            raise KnownError(tr("This job is not in the library any more"), tr("It was removed from the list"))
        opened = self._session.open_workflow(recipe.source if entry is None else entry, name=recipe.name)
        return await opened, recipe.values

    async def _check(self, entries: "tuple[WorkflowEntry, ...]") -> "dict[str, Needs]":
        found: dict[str, Needs] = {}
        for entry in entries:
            try:
                needs = await self._session.needs_of(entry)
            except KnownError:
                continue
            if needs is not None:
                found[entry.id] = needs
        return found

    # --- Jobs -----------------------------------------------------------------------------------------------------

    def generate(self, making: Making) -> None:
        """Queue jobs of the open workflow.

        Each gets a seed of its own; with `keep_seed` the first has the form's, and each following one more.
        """
        if self.current is None:
            return
        self.keep(making.values)
        self._tasks.start(self._enqueue(self.current, making), failed=self.refused.emit)

    async def _enqueue(self, workflow: "OpenWorkflow", making: Making) -> None:
        # The session is there by now, and with it everything heavy.
        from comfydesk.workflow.patch import SeedPolicy

        policy = SeedPolicy.INCREMENT if making.keep_seed else SeedPolicy.RANDOM
        jobs = await self._session.queue.enqueue(
            workflow,
            making.values,
            count=making.count,
            seed_policy=policy,
            front=making.front,
            held=making.held,
            originals=self.originals(workflow.id),
            draw=True,
        )
        self.queued.emit(tuple(job.id for job in jobs))
