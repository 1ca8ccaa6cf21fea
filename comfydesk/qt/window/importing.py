"""What comes into the library from elsewhere: folders of this computer, and what lies on pods."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPoint, Qt, QTimer
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import QBoxLayout, QFileDialog

from comfydesk.errors import KnownError, one_line
from comfydesk.qt.bridge.tasks import Tasks
from comfydesk.qt.theme import Tone
from comfydesk.qt.theme.language import said, tr, tr_n, why_and_advice
from comfydesk.qt.widgets.buttons import IconButton, Size
from comfydesk.qt.widgets.import_strip import ImportStrip
from comfydesk.qt.widgets.menu import Menu
from comfydesk.qt.window.desk import Desk
from comfydesk.qt.window.library import LibraryDesk
from comfydesk.settings import WATCHED_FOLDERS

if TYPE_CHECKING:
    from comfydesk.qt.dialogs.pod_outputs import PodOutputsPage
    from comfydesk.session.gallery.from_pod import FetchProgress, PodOutput
    from comfydesk.session.gallery.importing import Imported
    from comfydesk.session.session import Session

CHECK_MS = 4000
"""After the start: files that others moved or deleted are noticed."""
AT_MOST_EVERY_MS = 60_000
"""The same when the window comes to the front."""
PREVIEW_EDGE = 256


class ImportDesk(QObject):
    """Lives as long as the session does."""

    def __init__(
        self, desk: Desk, session: "Session", tasks: Tasks, library: LibraryDesk, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._desk, self._session, self._tasks, self._library = desk, session, tasks, library
        self.page: PodOutputsPage | None = None
        self._pod = ""
        self.strip = ImportStrip(desk.theme)
        column = library.page.layout()
        assert isinstance(column, QBoxLayout)
        column.addWidget(self.strip)
        self.button = IconButton(desk.theme, "plus", tr("Add to the library"), size=Size.COMPACT)
        library.add_to_head(self.button)
        self._menu = Menu(desk.theme, parent=self.button)
        for words, icon, slot in (
            (tr("Import a folder\N{HORIZONTAL ELLIPSIS}"), "folder", self.ask_folder),
            (tr("What is on the pod"), "pod", self.open_pod),
        ):
            self._menu.add(words, icon).triggered.connect(lambda _=False, slot=slot: slot())
        self.button.clicked.connect(lambda: self._menu.popup(self.button.mapToGlobal(QPoint(0, self.button.height()))))
        library.imported.connect(self.ask_folder)
        self.strip.stopped.connect(session.gallery.importer.cancel)
        self._unsubscribe = (
            session.gallery.importer.progress.subscribe(self.strip.show_progress),
            session.gallery.importer.finished.subscribe(self._tell),
            session.pod_outputs.progress.subscribe(self._on_fetch),
        )
        self._rest = QTimer(self, singleShot=True, interval=AT_MOST_EVERY_MS)
        first = QTimer(self, singleShot=True, interval=CHECK_MS)
        first.timeout.connect(self._check)
        first.start()
        application = QGuiApplication.instance()
        assert isinstance(application, QGuiApplication)
        application.applicationStateChanged.connect(self._on_state)
        self.destroyed.connect(self.close)

    def close(self) -> None:
        """Hear nothing any more."""
        for each in self._unsubscribe:
            each()

    # --- Folders ----------------------------------------------------------------------------------------------------

    def ask_folder(self) -> None:
        """Choose a folder of this computer."""
        dialog = QFileDialog(self._desk.window, tr("Import a folder"))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.fileSelected.connect(lambda chosen: self.ask_how(Path(chosen)))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def ask_how(self, folder: Path) -> None:
        """What is to be done with it."""
        from comfydesk.qt.dialogs.importing import ImportSheet

        sheet = ImportSheet(self._desk.theme, folder, self._session.paths.outputs, self._desk.window)
        sheet.chosen.connect(lambda copy, watch: self.import_folder(folder, copy=copy, watch=watch))
        sheet.open()

    def import_folder(self, folder: Path, *, copy: bool = False, watch: bool = False) -> None:
        """Take it in; `watch`: from now on."""
        from comfydesk.session.gallery.importing import ImportPlan

        if watch:
            watched = self._session.settings.get(WATCHED_FOLDERS)
            if str(folder) not in watched.split(";"):
                self._session.settings.set(WATCHED_FOLDERS, f"{watched};{folder}".strip(";"))
        work = self._session.gallery.importer.run(ImportPlan(folder, copy))
        self._tasks.start(work, done=self._tell, failed=self._failed)

    def _tell(self, outcome: "Imported") -> None:
        words = tr_n("{n} file imported", "{n} files imported", outcome.added)
        parts = [
            tr_n("{n} was there already", "{n} were there already", count)
            for count in (outcome.duplicates + outcome.unchanged,)
            if count
        ]
        if outcome.skipped_count:
            parts.append(tr_n("{n} could not be read", "{n} could not be read", outcome.skipped_count))
        actions = (tr("Show which"),) if outcome.skipped_count else ()
        tone: Tone = "warning" if outcome.skipped_count else "success"
        toast = self._desk.toasts.tell(words, ", ".join(parts), tone=tone, actions=actions)
        toast.acted.connect(lambda _: self._show_skipped(outcome))

    def _show_skipped(self, outcome: "Imported") -> None:
        from comfydesk.qt.dialogs.importing import SkippedSheet

        lines = [(one_line(str(one.path)), said(one.why)) for one in outcome.skipped]
        SkippedSheet(self._desk.theme, lines, outcome.skipped_count, self._desk.window).open()

    def _failed(self, error: KnownError) -> None:
        self._desk.toasts.tell_error(error)

    def _on_state(self, state: Qt.ApplicationState) -> None:
        if state is Qt.ApplicationState.ApplicationActive and not self._rest.isActive():
            self._session.gallery.watcher.look()
            self._check()

    def _check(self) -> None:
        self._rest.start()
        self._tasks.start(self._session.gallery.check_files())

    # --- Pods -------------------------------------------------------------------------------------------------------

    def open_pod(self) -> None:
        """What the current pod has and the library lacks."""
        from comfydesk.qt.dialogs.pod_outputs import PodOutputsPage

        if self.page is None:
            self.page = PodOutputsPage(self._desk.theme)
            self.page.fetch_wanted.connect(self._fetch)
            self.page.picture_wanted.connect(self._ask_picture)
            self.page.again_wanted.connect(self.open_pod)
        page, pod = self.page, self._session.current_pod
        page.show_waiting()
        self._desk.pages.open(page)
        if pod is None:
            page.show_problem(tr("No pod is connected"), tr("Connect to a pod to see what it has made."))
            return
        self._pod, name = pod.id, pod.name
        self._tasks.start(
            self._session.pod_outputs.missing(pod.id),
            done=lambda found: page.show_outputs(name, found),
            failed=lambda error: page.show_problem(said(error.what), why_and_advice(error)),
        )

    def _ask_picture(self, output: "PodOutput") -> None:
        page = self.page
        if page is not None:
            self._tasks.start(
                self._picture(output), done=lambda made: page.show_picture(output, made), failed=lambda _: None
            )

    async def _picture(self, output: "PodOutput") -> QImage:
        data = await self._session.pod_outputs.preview(output)
        return await asyncio.to_thread(_small, data)

    def _fetch(self, outputs: "tuple[PodOutput, ...]") -> None:
        assert self.page is not None
        self.page.show_fetching(0, len(outputs))
        self._tasks.start(self._session.pod_outputs.fetch(outputs), failed=self._failed)

    def _on_fetch(self, progress: "FetchProgress") -> None:
        page = self.page
        if page is not None and progress.pod == self._pod:
            page.show_fetching(progress.done, progress.total)
        if progress.done >= progress.total:
            words = tr_n("{n} file fetched from the pod", "{n} files fetched from the pod", progress.done)
            tone: Tone = "warning" if progress.failed else "success"
            self._desk.toasts.tell(words, "; ".join(progress.failed[:3]), tone=tone)
            if page is not None and page.isVisible():
                self.open_pod()


def _small(data: bytes) -> QImage:
    """Decoded and made small, in a worker."""
    picture = QImage.fromData(data)
    if picture.isNull():
        return picture
    return picture.scaled(
        PREVIEW_EDGE,
        PREVIEW_EDGE,
        Qt.AspectRatioMode.KeepAspectRatio,
        Qt.TransformationMode.SmoothTransformation,
    )
