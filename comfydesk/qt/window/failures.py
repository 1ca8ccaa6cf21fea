"""What is said of a job that failed: on the form if it is about that workflow, else as a toast; and all in a sheet."""

from collections.abc import Callable

from PySide6.QtCore import QObject

from comfydesk.errors import KnownError
from comfydesk.qt.dialogs.job_error import JobErrorPage
from comfydesk.qt.theme.language import said, tr, why_and_advice
from comfydesk.qt.window.bench import Bench
from comfydesk.qt.window.desk import Desk
from comfydesk.store.records import Job


class Failures(QObject):
    """`edit(job)` opens what a job was made from."""

    def __init__(self, desk: Desk, bench: Bench, edit: Callable[[Job], None], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._desk, self._bench, self._edit = desk, bench, edit
        self._page: JobErrorPage | None = None
        self._told: Job | None = None
        """Whom the line in the panel is about."""
        desk.generation.banner.acted.connect(self._on_banner)

    def tell(self, job: Job) -> None:
        """A job has failed just now."""
        error = job.error
        if error is None:
            return
        known = KnownError(error.what, error.why, error.advice)
        if self._is_open(job):
            self._told = job
            self._desk.generation.show_error(known, error.fields, action=tr("Details"))
            return
        actions = (tr("Details"), tr("Open its workflow"))
        rest = why_and_advice(known)
        toast = self._desk.toasts.tell(f"{job.workflow}: {said(error.what)}", rest, tone="danger", actions=actions)
        toast.acted.connect(lambda at: self.explain(job) if at == 0 else self._edit(job))

    def explain(self, job: Job) -> None:
        """All that is known of what went wrong, over the middle; messages on inputs also under their fields."""
        if job.error is None:
            return
        if self._page is None:
            self._page = JobErrorPage(self._desk.theme)
            self._page.edit_wanted.connect(self._on_edit)
        form = self._bench.current.form if self._bench.current is not None and self._is_open(job) else None
        self._page.show_job(job, form, is_open=self._is_open(job))
        self._desk.pages.open(self._page)
        if self._is_open(job):
            self._desk.generation.form.set_errors(job.error.fields)

    def _is_open(self, job: Job) -> bool:
        open_ = self._bench.current
        if open_ is None:
            return False
        return open_.id == job.workflow_id if job.workflow_id else open_.name == job.workflow

    def _on_banner(self) -> None:
        if self._told is not None:
            self.explain(self._told)

    def _on_edit(self, job: Job) -> None:
        self._desk.pages.close(self._page)
        self._edit(job)
