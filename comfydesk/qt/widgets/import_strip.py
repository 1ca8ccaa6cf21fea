"""An import under way, at the foot of the Library: how far, how fast, how long still, and the way to stop it."""

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import tr, tr_n
from comfydesk.qt.widgets.buttons import Button, Kind, Size
from comfydesk.qt.widgets.labels import Label
from comfydesk.qt.widgets.plain import Line, pad
from comfydesk.qt.widgets.progress_bar import ProgressBar

if TYPE_CHECKING:
    from comfydesk.session.gallery.importing import ImportProgress


class ImportStrip(QWidget):
    """Hidden while nothing is imported."""

    stopped = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        theme.surface(self, "window")
        self.words = Label(theme, font="label")
        self.detail = Label(theme, color="text2", font="small")
        self.bar = ProgressBar(theme, tr("Import"))
        self.stop = Button(theme, tr("Stop"), kind=Kind.GHOST, size=Size.COMPACT)
        self.stop.clicked.connect(self.stopped)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(Line(theme))
        row = QHBoxLayout()
        pad(row, theme, 16, 6, 8, 6, gap=12)
        row.addWidget(self.words)
        row.addWidget(self.bar, 1)
        row.addWidget(self.detail)
        row.addWidget(self.stop)
        column.addLayout(row)
        self.setAccessibleName(tr("Import"))
        self.hide()

    def show_progress(self, progress: "ImportProgress | None") -> None:
        """None: it is over."""
        self.setVisible(progress is not None)
        if progress is None:
            return
        folder = progress.plan.folder.name
        if progress.total is None:
            self.words.setText(tr("Looking through {folder}", folder=folder))
            self.detail.setText("")
            self.bar.set_fraction(0)
            return
        self.words.setText(tr("Importing {folder}", folder=folder))
        self.bar.set_fraction(progress.done / progress.total if progress.total else 1.0)
        parts = [tr("{done} of {total}", done=f"{progress.done:,}", total=f"{progress.total:,}")]
        if progress.rate >= 1:
            parts.append(tr("{n} a second", n=f"{progress.rate:,.0f}"))
        if progress.seconds_left is not None:
            parts.append(_left(progress.seconds_left))
        self.detail.setText(" · ".join(parts))


def _left(seconds: float) -> str:
    if seconds < 60:
        return tr("{n} s left", n=max(1, round(seconds)))
    return tr_n("{n} min left", "{n} min left", round(seconds / 60))
