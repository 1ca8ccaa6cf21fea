"""What lies open, and the commands on it: from the docks' wishes to the session's calls."""

from collections.abc import Coroutine, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from comfydesk.errors import KnownError
from comfydesk.qt.bridge.tasks import Tasks
from comfydesk.qt.window.drafts import Drafts
from comfydesk.store.records import Job, LocalFile, Output
from comfydesk.workflow.fields import Form, Kind, Role

if TYPE_CHECKING:
    import asyncio

    from comfydesk.session.session import Session
    from comfydesk.session.values import OpenWorkflow, WorkflowEntry
    from comfydesk.workflow.needs import Needs

_FILES = (Kind.IMAGE, Kind.VIDEO, Kind.AUDIO, Kind.MODEL3D)
CHECKED_AT_MOST = 200
"""Cards that are checked against a pod as soon as it is there; the others when they are opened."""


class Bench(QObject):
    """One workflow at a time lies on it. Every command starts a task; what comes of it is a signal."""

    opening = Signal(str)
    """Name of what is being opened."""
    opened = Signal(object, object)
    """OpenWorkflow, values (field id → value)."""
    open_failed = Signal(object)
    """KnownError; what was open before still is."""
    queued = Signal(object)
    """tuple[Job, …]"""
    refused = Signal(object)
    """KnownError: nothing was queued."""
    checked = Signal(object)
    """Workflow id → Needs."""

    def __init__(self, session: "Session", tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.drafts = Drafts()
        self.current: OpenWorkflow | None = None
        self.watched: set[str] = set()
        """Jobs that were queued here, in this run."""
        self._session = session
        self._tasks = tasks
        self._opening: asyncio.Task[OpenWorkflow] | None = None
        self._fill: Mapping[Role, Any] = {}
        self._values: Mapping[str, Any] = {}

    @property
    def idle(self) -> bool:
        """Nothing is open or being opened."""
        return self.current is None and self._opening is None

    # --- Opening --------------------------------------------------------------------------------------------------

    def open(self, source: "WorkflowEntry | Path", *, fill: Mapping[Role, Any] | None = None) -> None:
        """Open a workflow of the browser, or a file; `fill` goes into the fields of those roles.

        Whatever was being opened is let go.
        """
        self._start(source.name, self._session.open_workflow(source), fill or {}, {})

    def reopen(self) -> None:
        """Make the form anew: the pod's list of nodes has arrived or changed. Values stay."""
        if self.current is not None and self._opening is None:
            self._start("", self._session.reopen(self.current), {}, {})

    def reuse(self, output: Output, entry: "WorkflowEntry | None") -> None:
        """Open what made `output`, with the values it was made with.

        `entry` is the workflow of that name if there is one; else the file itself carries it.
        """
        self._tasks.start(self._reuse(output, entry), failed=self.open_failed.emit)

    def keep(self, values: Mapping[str, Any]) -> None:
        """The form says what is in it now."""
        if self.current is not None:
            self.drafts.keep(self.current.id, self.current.form, values)

    def reset(self) -> None:
        """Back to the workflow's own values."""
        if self.current is not None:
            self.drafts.forget(self.current.id)
            self._show(self.current)

    def check(self, entries: "Iterable[WorkflowEntry]") -> None:
        """Tell what each workflow lacks on the current pod."""
        if self._session.catalog is not None:
            self._tasks.start(self._check(tuple(entries)[:CHECKED_AT_MOST]), done=self.checked.emit)

    def _start(
        self,
        name: str,
        work: "Coroutine[Any, Any, OpenWorkflow]",
        fill: Mapping[Role, Any],
        values: Mapping[str, Any],
    ) -> None:
        if self._opening is not None:
            self._opening.cancel()
        self._fill, self._values = fill, values
        if name:
            self.opening.emit(name)
        self._opening = self._tasks.start(work, done=self._on_opened, failed=self._on_open_failed)

    def _on_opened(self, opened: "OpenWorkflow") -> None:
        self._opening = None
        given = dict(self._values)
        for role, value in self._fill.items():
            for field in opened.form.with_role(role)[:1]:
                given[field.id] = value
        if opened.form.fields:
            # Without a pod the form is not known yet: what is to go into it waits.
            self._fill, self._values = {}, {}
            self.drafts.keep(opened.id, opened.form, given)
        self._show(opened)

    def _on_open_failed(self, error: KnownError) -> None:
        self._opening = None
        self.open_failed.emit(error)

    def _show(self, opened: "OpenWorkflow") -> None:
        self.current = opened
        self.opened.emit(opened, self.drafts.values(opened.id, opened.form))

    async def _reuse(self, output: Output, entry: "WorkflowEntry | None") -> None:
        jobs = await self._session.jobs_by_id((output.job,)) if output.job else ()
        if entry is None or not jobs:
            self._start(Path(output.path).name, self._session.open_workflow(Path(output.path)), {}, {})
            return
        values = {
            field: value.path if isinstance(value, LocalFile) else value for field, value in jobs[0].values.items()
        }
        self._start(entry.name, self._session.open_workflow(entry), {}, values)

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

    def generate(self, values: Mapping[str, Any], count: int = 1, *, keep_seed: bool = False) -> None:
        """Queue `count` jobs of the open workflow with these values.

        Each gets a seed of its own; with `keep_seed` the first has the form's, and each following one more.
        """
        if self.current is None:
            return
        self.keep(values)
        workflow = self.current
        self._tasks.start(
            self._enqueue(workflow, with_files(workflow.form, values), count, keep_seed), failed=self.refused.emit
        )

    async def _enqueue(self, workflow: "OpenWorkflow", values: Mapping[str, Any], count: int, keep_seed: bool) -> None:
        # The session is there by now, and with it everything heavy.
        from comfydesk.workflow.patch import SeedPolicy

        policy = SeedPolicy.INCREMENT if keep_seed else SeedPolicy.RANDOM
        jobs = await self._session.enqueue(workflow, values, count=count, seed_policy=policy)
        self._watch(jobs)

    def cancel(self, job: str) -> None:
        self._tasks.start(self._session.cancel(job))

    def retry(self, job: str) -> None:
        """Run an ended job again, as a new one."""
        self._tasks.start(self._session.retry(job), done=lambda again: self._watch((again,) if again else ()))

    def look_again(self, job: str) -> None:
        """Ask the pod once more for a job in state unknown."""
        self._tasks.start(self._session.look_again(job))

    def hold(self, jobs: tuple[str, ...]) -> None:
        """Send none of them until they are released."""
        self._tasks.start(self._session.hold(jobs))

    def release(self, jobs: tuple[str, ...]) -> None:
        self._tasks.start(self._session.release(jobs))

    def remove(self, jobs: tuple[str, ...]) -> None:
        """Take ended jobs off the list; their outputs stay."""
        self._tasks.start(self._remove(jobs))

    async def _remove(self, jobs: tuple[str, ...]) -> None:
        for job in jobs:
            await self._session.remove(job)

    def _watch(self, jobs: tuple[Job, ...]) -> None:
        self.watched.update(job.id for job in jobs)
        self.queued.emit(jobs)


def with_files(form: Form, values: Mapping[str, Any]) -> dict[str, Any]:
    """`values`, with files of this computer as paths: those the user put in, never one that the workflow names."""
    ready = dict(values)
    for field in form.fields:
        value = values.get(field.id)
        if field.kind in _FILES and isinstance(value, str) and value != field.default and Path(value).is_absolute():
            ready[field.id] = Path(value)
    return ready
