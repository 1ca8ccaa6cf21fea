"""Save and Save as: the open workflow with what stands in its form, on the pod or here, over nobody's work unseen."""

from collections.abc import Coroutine, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject

from comfydesk.errors import KnownError
from comfydesk.qt.bridge.tasks import Tasks
from comfydesk.qt.theme.language import tr, tr_n
from comfydesk.qt.window.bench import Bench
from comfydesk.qt.window.desk import Desk

if TYPE_CHECKING:
    from comfydesk.session.session import Session
    from comfydesk.session.shelves.saving import Filled
    from comfydesk.session.values import OpenWorkflow, WorkflowEntry

Saved = tuple[str, "Filled"]
"""Its id, and what was written."""


class SaveDesk(QObject):
    """What is saved is what is open from then on."""

    def __init__(self, desk: Desk, session: "Session", tasks: Tasks, bench: Bench, parent: QObject) -> None:
        super().__init__(parent)
        self._desk, self._session, self._tasks, self._bench = desk, session, tasks, bench
        self._last: WorkflowEntry | None = None
        """What was saved last: the list may not have it yet."""

    def save(self) -> None:
        """Into the file it was opened from if that is the user's; else asks for a name."""
        current = self._current()
        if current is None:
            return
        entry = self._desk.workflows.entry(current.id)
        if entry is None and self._last is not None and self._last.id == current.id:
            entry = self._last
        if entry is None or not self._session.keeper.can_change(entry):
            self.save_as()
        else:
            self._over(current, entry, look=True)

    def save_as(self) -> None:
        """Under a name that is asked for: on the pod, or on this computer if there is none."""
        current = self._current()
        if current is None:
            return
        pod = self._session.current_pod
        there = pod is not None and pod.status.usable
        title = tr("Save on {pod}", pod=pod.name) if pod is not None and there else tr("Save on this computer")
        self._ask(title, current, pod.id if pod is not None and there else None)

    # --- Inside ---------------------------------------------------------------------------------------------------

    def _current(self) -> "OpenWorkflow | None":
        if self._bench.current is None:
            self._desk.toasts.tell(tr("Nothing is open"), tr("Open a workflow first."), tone="info")
        return self._bench.current

    def _ask(self, title: str, current: "OpenWorkflow", pod: str | None) -> None:
        from comfydesk.qt.dialogs.name import NameSheet

        sheet = NameSheet(self._desk.theme, title, tr("Name"), self._desk.window, current.name.replace("/", " "))
        sheet.named.connect(lambda name: self._named(current, pod, name, replace=False))
        sheet.finished.connect(sheet.deleteLater)
        sheet.open()

    def _named(self, current: "OpenWorkflow", pod: str | None, name: str, *, replace: bool) -> None:
        values = self._values(current)

        async def work() -> Saved:
            filled = await self._session.keeper.filled(current, values, self._session.catalog)
            return await self._session.keeper.save(pod, name, filled.document, overwrite=replace), filled

        again = partial(self._named, current, pod, name, replace=True)
        self._start(current, values, work(), (tr("Replace it"), again))

    def _over(self, current: "OpenWorkflow", entry: "WorkflowEntry", *, look: bool) -> None:
        values = self._values(current)

        async def work() -> Saved:
            from comfydesk.session.shelves.saving import document_of

            filled = await self._session.keeper.filled(current, values, self._session.catalog)
            opened = document_of(current.before or current.graph) if look else None
            return await self._session.keeper.save_over(entry, filled.document, opened), filled

        again = partial(self._over, current, entry, look=False)
        self._start(current, values, work(), (tr("Save anyway"), again))

    def _values(self, current: "OpenWorkflow") -> dict[str, Any]:
        panel, bench = self._desk.generation, self._bench
        if panel.workflow is not None and panel.workflow.id == current.id and bench.current is current:
            bench.keep(panel.form.values())  # what is being typed counts
        return bench.drafts.values(current.id, current.form)

    def _start(
        self,
        current: "OpenWorkflow",
        values: Mapping[str, Any],
        work: Coroutine[Any, Any, Saved],
        again: tuple[str, partial[None]],
    ) -> None:
        self._tasks.start(
            work,
            done=lambda saved: self._on_saved(current, values, *saved),
            failed=lambda error: self._refused(error, again),
        )

    def _on_saved(self, current: "OpenWorkflow", values: Mapping[str, Any], id_: str, filled: "Filled") -> None:
        count = len(filled.left)
        words = id_.rpartition("/")[2].removesuffix(".json")
        if count:
            words += "\n" + tr_n(
                "{n} value is not in it: it stays here.", "{n} values are not in it: they stay here.", count
            )
        self._desk.toasts.tell(tr("Saved"), words)
        bench = self._bench
        now = self._values(current)
        carried = {field: now[field] for field in now if field in filled.left or now[field] != values.get(field)}
        bench.drafts.forget(current.id)
        if bench.current is not None and bench.current.id == current.id:
            bench.restore("", id_, self._opened(id_, carried))
        else:
            bench.drafts.keep(current.id, current.form, carried)

    async def _opened(self, id_: str, carried: Mapping[str, Any]) -> "tuple[OpenWorkflow, Mapping[str, Any]]":
        entries = await self._session.shelves.entries()
        entry = next((one for one in entries if one.id == id_), None)
        if entry is None:
            raise KnownError(tr("What was saved is not in the list yet"), "", tr("Open it from the list"))
        self._last = entry
        return await self._session.open_workflow(entry), carried

    def _refused(self, error: KnownError, again: tuple[str, partial[None]]) -> None:
        from comfydesk.session.shelves.keeping import ConflictError

        if not isinstance(error, ConflictError):
            self._desk.toasts.tell_error(error)
            return
        words, then = again
        toast = self._desk.toasts.tell_error(error, tone="warning", actions=(words, tr("Another name")))
        toast.acted.connect(lambda at: self.save_as() if at else then())
