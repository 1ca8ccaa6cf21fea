"""The gallery as rows: outputs, newest first, with thumbnails that arrive when they are looked at."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal

from comfydesk.qt.models.rowmodel import Index, RowModel
from comfydesk.qt.models.rows import THUMBNAIL, OutputRow, Shown
from comfydesk.qt.models.thumbnails import Thumbnails
from comfydesk.qt.models.tips import plain_tip
from comfydesk.store.records import Output


class OutputModel(RowModel[OutputRow]):
    """Saved files. Asking for THUMBNAIL starts loading it; the row is refreshed when it is there."""

    more_wanted = Signal()
    """The view came to the end of what was read."""

    def __init__(self, thumbnails: Thumbnails, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._thumbnails = thumbnails
        self._ids: dict[str, int] = {}
        self._more = True
        thumbnails.ready.connect(self._on_ready)
        thumbnails.failed.connect(self._on_failed)

    def row_id(self, row: OutputRow) -> int:
        return row.output.id

    def sort_key(self, row: OutputRow) -> tuple[float, int]:
        return (-row.output.created, -row.output.id)

    def shown(self, row: OutputRow, role: int) -> Any:
        output = row.output
        if role == THUMBNAIL:
            return self._thumbnails.get(output.path, output.media, sha256=output.sha256)
        if role == Qt.ItemDataRole.DisplayRole:
            return Path(output.path).name
        if role == Qt.ItemDataRole.AccessibleTextRole:
            when = datetime.fromtimestamp(output.created).astimezone().strftime("%H:%M")
            return ", ".join(part for part in (Path(output.path).name, output.prompt, when) if part)
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tip(row.reason or output.prompt or Path(output.path).name)
        return None

    def put_outputs(self, outputs: Iterable[Output]) -> None:
        """Insert or refresh."""
        count = self.rowCount()
        for output in outputs:
            self._ids[output.path] = output.id
            row = self.get(output.id)
            self._put(replace(row, output=output) if row else OutputRow(output))
        if self.rowCount() > count:  # nothing new is no sign of the end: a row may just have changed
            self._more = True

    @property
    def latest(self) -> Output | None:
        return self._rows[0].output if self._rows else None

    def canFetchMore(self, parent: Index) -> bool:
        return not parent.isValid() and self._more and bool(self._rows)

    def fetchMore(self, parent: Index) -> None:
        if self.canFetchMore(parent):
            self._more = False
            self.more_wanted.emit()

    def _on_ready(self, path: str) -> None:
        self._show(path, Shown.READY, "")

    def _on_failed(self, path: str, reason: str) -> None:
        self._show(path, Shown.BROKEN, reason)

    def _show(self, path: str, shown: Shown, reason: str) -> None:
        row = self.get(self._ids.get(path))
        if row is None:
            return
        self._put(replace(row, shown=shown, reason=reason))
        self.touch(row.output.id, (THUMBNAIL,))
