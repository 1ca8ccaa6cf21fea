"""The export sheet at work: copies of what was selected in the library, with progress, and an end at any time."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QStandardPaths

from comfydesk.errors import KnownError
from comfydesk.qt.bridge.tasks import Tasks
from comfydesk.qt.theme.language import said
from comfydesk.qt.window.desk import Desk, show_folder

if TYPE_CHECKING:
    import asyncio

    from comfydesk.qt.dialogs.export import ExportPage, ExportWishes
    from comfydesk.session.gallery.export import Exported, ExportProgress
    from comfydesk.session.session import Session


class ExportDesk(QObject):
    """One export at a time; it goes on while the sheet is closed."""

    def __init__(self, desk: Desk, session: "Session", tasks: Tasks, parent: QObject) -> None:
        super().__init__(parent)
        self._desk, self._session, self._tasks = desk, session, tasks
        self.page: ExportPage | None = None
        self._ids: Sequence[int] = ()
        self._task: asyncio.Task[Exported] | asyncio.Task[Path] | None = None

    def open(self, ids: Sequence[int]) -> None:
        """The sheet, for these outputs. What is under way is shown instead of them."""
        from comfydesk.qt.dialogs.export import ExportPage

        if not ids and self._task is None:
            return
        if self.page is None:
            places = QStandardPaths.StandardLocation.PicturesLocation
            home = Path(QStandardPaths.writableLocation(places) or str(Path.home()))
            self.page = ExportPage(self._desk.theme, home)
            self.page.wanted.connect(self._start)
            self.page.stopped.connect(self._stop)
            self.page.revealed.connect(show_folder)
        if self._task is None:
            self._ids = tuple(ids)
            self.page.show_count(len(ids))
        self._desk.pages.open(self.page)

    # --- Inside -----------------------------------------------------------------------------------------------------

    def _start(self, wishes: "ExportWishes") -> None:
        from comfydesk.qt.dialogs.export import Kept
        from comfydesk.session.gallery.export import ExportPlan

        page, gallery, count = self.page, self._session.gallery, len(self._ids)
        assert page is not None
        page.show_begun()
        if wishes.kept is Kept.SHEET:
            self._task = self._tasks.start(
                gallery.contact_sheet(self._ids, wishes.target),
                done=lambda path: self._done(path.parent, 1, ()),
                failed=self._failed,
            )
            return
        plan = ExportPlan(
            wishes.target,
            wishes.metadata,
            wishes.picture_format,
            wishes.quality,
            wishes.template,
            zipped=wishes.kept is Kept.ZIP,
        )
        folder = wishes.target.parent if plan.zipped else wishes.target

        def done(result: "Exported") -> None:
            skipped = tuple(
                f"{Path(output.path).name}: {said(error.why or error.what)}" for output, error in result.skipped
            )
            self._done(folder, count - len(skipped), skipped)

        self._task = self._tasks.start(
            gallery.export(self._ids, plan, self._on_progress), done=done, failed=self._failed
        )

    def _on_progress(self, progress: "ExportProgress") -> None:
        if self.page is not None:
            self.page.show_progress(progress.done, progress.total, progress.name)

    def _done(self, folder: Path, files: int, skipped: tuple[str, ...]) -> None:
        self._task = None
        if self.page is not None:
            self.page.show_done(folder, files, skipped)

    def _failed(self, error: KnownError) -> None:
        self._task = None
        if self.page is not None:
            self.page.show_problem(error)

    def _stop(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
        if self.page is not None:
            self.page.show_stopped()
