"""The sheet of all pods, and the session's calls behind it."""

import asyncio
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog

from comfydesk.errors import StoreError
from comfydesk.qt.bridge.tasks import Tasks
from comfydesk.qt.models.pods import PodRow
from comfydesk.qt.theme.language import tr, tr_n
from comfydesk.qt.window.desk import Desk

if TYPE_CHECKING:
    from comfydesk.credentials import Secret
    from comfydesk.qt.dialogs.pods.profiles import ProfilesSheet
    from comfydesk.session.pods.profile_file import Imported
    from comfydesk.session.pods.profiles import PlaceKind
    from comfydesk.session.pods.terms import HostPod
    from comfydesk.session.session import Session

FILES = "*.toml"


class AllPods(QObject):
    """`acted` with a pod and a verb, `offered` with the Suggestion for a pod of an account."""

    acted = Signal(str, str)
    add_wanted = Signal()
    offered = Signal(object)

    def __init__(self, desk: Desk, session: "Session", tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._desk, self._session, self._tasks = desk, session, tasks
        self._rows: tuple[PodRow, ...] = ()
        self.sheet: ProfilesSheet | None = None

    def open(self) -> None:
        """The sheet, as all pods stand now."""
        from comfydesk.qt.dialogs.pods.profiles import ProfilesSheet

        if self.sheet is None:
            sheet = self.sheet = ProfilesSheet(self._desk.theme)
            sheet.hide()
            sheet.acted.connect(self.acted)
            sheet.add_wanted.connect(self.add_wanted)
            sheet.import_wanted.connect(self.ask_import)
            sheet.export_wanted.connect(lambda: self.export(tuple(row.id for row in self._rows if row.colour)))
            sheet.account_wanted.connect(self._list)
            sheet.account_picked.connect(self._pick)
            self._tasks.start(self._session.profiles.keyring_note(), done=sheet.show_keyring)
        self.sheet.show_rows(self._rows)
        self._desk.pages.open(self.sheet)

    def show_rows(self, rows: tuple[PodRow, ...]) -> None:
        """How all pods stand now."""
        self._rows = rows
        if self.sheet is not None:
            self.sheet.show_rows(rows)

    def ask_import(self) -> None:
        """Choose a file of pods."""
        dialog = QFileDialog(self._desk.window, tr("Import pods"), "", _filter())
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(lambda chosen: self.import_file(Path(chosen)))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def import_file(self, path: Path) -> None:
        """Add the pods in a file, and say what came of it."""
        self._tasks.start(self._import(path), done=self._imported)

    def export(self, pods: tuple[str, ...]) -> None:
        """Choose where those pods go, as a file without secrets."""
        dialog = QFileDialog(self._desk.window, tr("Export pods"), "pods.toml", _filter())
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("toml")
        dialog.fileSelected.connect(lambda chosen: self.export_file(pods, Path(chosen)))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def export_file(self, pods: tuple[str, ...], path: Path) -> None:
        """Write those pods to `path`."""
        self._tasks.start(self._export(pods, path), done=lambda _: self._exported(len(pods), path))

    async def _export(self, pods: tuple[str, ...], path: Path) -> None:
        text = self._session.profiles.export(pods)
        try:
            await asyncio.to_thread(path.write_text, text, "utf-8")
        except OSError as error:
            what = tr("{name} cannot be written", name=path.name)
            raise StoreError(what, error.strerror or "", "Choose another folder") from error

    async def _import(self, path: Path) -> "Imported":
        try:
            text = await asyncio.to_thread(path.read_text, "utf-8")
        except (OSError, UnicodeError) as error:
            why = (error.strerror or "") if isinstance(error, OSError) else tr("It is no text")
            what = tr("{name} cannot be read", name=path.name)
            raise StoreError(what, why) from error
        return await self._session.profiles.import_text(text)

    def _exported(self, count: int, path: Path) -> None:
        self._desk.toasts.tell(
            tr_n("{n} pod exported", "{n} pods exported", count), tr("{name}, without secrets", name=path.name)
        )

    def _imported(self, found: "Imported") -> None:
        detail = tr("Their passwords and keys are asked for when you connect.")
        self._desk.toasts.tell(tr_n("{n} pod imported", "{n} pods imported", len(found.profiles)), detail)

    def _list(self, kind: "PlaceKind", key: "Secret | None") -> None:
        if self.sheet is not None:
            show = partial(self.sheet.show_account, kind)
            self._tasks.start(self._session.profiles.account_pods(kind, key), done=show, failed=show)

    def _pick(self, kind: "PlaceKind", pod: "HostPod") -> None:
        self.offered.emit(self._session.profiles.suggest_from_host(kind, pod))


def _filter() -> str:
    """For the file dialogs."""
    return f"{tr('Pods of ComfyDesk')} ({FILES})"
