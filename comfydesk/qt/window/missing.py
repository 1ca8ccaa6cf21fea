"""The sheet of what is missing, and the session's calls behind it."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from comfydesk.errors import KnownError
from comfydesk.qt.bridge.tasks import Tasks
from comfydesk.qt.theme.language import tr
from comfydesk.qt.window.bench import Bench
from comfydesk.qt.window.desk import Desk
from comfydesk.workflow.fields import Kind

if TYPE_CHECKING:
    import asyncio

    from comfydesk.qt.dialogs.missing_models import MissingSheet
    from comfydesk.session.session import Session
    from comfydesk.session.values import OpenWorkflow
    from comfydesk.workflow.needs import MissingModel


class Missing(QObject):
    """Made once; `show` for the workflow that lies on the bench."""

    def __init__(self, desk: Desk, session: "Session", tasks: Tasks, bench: Bench, parent: QObject) -> None:
        super().__init__(parent)
        self._desk, self._session, self._tasks, self._bench = desk, session, tasks, bench
        self.sheet: MissingSheet | None = None
        self._workflow = ""
        self._pod = ""
        self._running: dict[str, asyncio.Task[None]] = {}
        self._wanted = ""

    def want(self, workflow: str) -> None:
        """Show it as soon as that workflow is open."""
        self._wanted = workflow
        current = self._bench.current
        if current is not None and current.id == workflow and current.needs is not None:
            self.on_opened(current)

    def on_opened(self, opened: "OpenWorkflow") -> None:
        """A workflow was opened, or looked at again."""
        if opened.needs is None:
            return
        if opened.id == self._wanted:
            self._wanted = ""
            self.show(opened)
            return
        shown = self.sheet is not None and self._desk.pages.current is self.sheet
        if shown and opened.id == self._workflow and not self._running:
            self.show(opened)

    def show(self, opened: "OpenWorkflow") -> None:
        """What the current pod lacks for it."""
        pod = self._session.current_pod
        if pod is None or opened.needs is None:
            return
        sheet = self.sheet or self._make()
        self._workflow, self._pod = opened.id, pod.id
        sheet.banner.clear()
        sheet.show_needs(opened.name, pod.name, opened.needs)
        self._desk.pages.open(sheet)
        if opened.needs.missing_models:
            offers = self._session.models.offers(pod.id, opened.needs.missing_models)
            self._tasks.start(offers, done=sheet.show_offers, failed=sheet.banner.tell_error)

    def _make(self) -> "MissingSheet":
        from comfydesk.qt.dialogs.missing_models import MissingSheet

        sheet = self.sheet = MissingSheet(self._desk.theme)
        sheet.hide()
        sheet.use.connect(self._use)
        sheet.fetch.connect(self._fetch)
        sheet.stop.connect(self._stop)
        sheet.look_again.connect(self._look_again)
        return sheet

    def _use(self, model: "MissingModel", name: str) -> None:
        """Every field that names the missing model names the other one now."""
        form, current = self._desk.generation.form, self._bench.current
        if current is None or current.id != self._workflow or self.sheet is None:
            return
        values = form.values()
        fields = [
            entry
            for entry in form.form().fields
            if entry.kind is Kind.MODEL and values.get(entry.id, entry.default) == model.name
        ]
        for entry in fields:
            form.set_value(entry.id, name)
        row = self.sheet.rows[model.name]
        if fields:
            self._bench.keep(form.values())
            row.show_end(None, words=tr("Replaced"))
        else:
            error = KnownError(tr("No input of the form names it"), tr("It is set inside the workflow."))
            row.show_end(error)

    def _fetch(self, model: "MissingModel") -> None:
        sheet, name = self.sheet, model.name
        if sheet is None or name in self._running:
            return
        row = sheet.rows[name]

        def ended(error: KnownError | None) -> None:
            self._running.pop(name, None)
            if sheet.rows.get(name) is row:
                row.show_end(error)

        def progress(there: int, total: int | None) -> None:
            if name in self._running and sheet.rows.get(name) is row:
                row.show_progress(there, total)

        row.show_start()
        work = self._session.models.fetch(self._pod, model, progress)
        self._running[name] = self._tasks.start(work, done=lambda _: ended(None), failed=ended)

    def _stop(self, model: "MissingModel") -> None:
        task = self._running.pop(model.name, None)
        if task is not None and self.sheet is not None:
            task.cancel()
            self.sheet.rows[model.name].show_end(KnownError(tr("Stopped"), tr("What is there is resumed next time.")))

    def _look_again(self) -> None:
        if self.sheet is not None:
            again = self.sheet.again
            again.set_busy(tr("Looking"))
            self._wanted = self._workflow
            work = self._session.models.read_again(self._pod)
            self._tasks.start(work, done=lambda _: self._looked(None), failed=self._looked)

    def _looked(self, error: KnownError | None) -> None:
        if self.sheet is None:
            return
        self.sheet.again.set_busy("")
        if error is not None:
            self.sheet.banner.tell_error(error)
        self._bench.reopen()
