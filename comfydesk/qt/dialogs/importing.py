"""What to do with a folder that is imported; and what could not be."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from comfydesk.qt.dialogs.sheet import Sheet
from comfydesk.qt.models.tips import plain_tip
from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets.labels import Label
from comfydesk.qt.widgets.page import Scroller
from comfydesk.qt.widgets.switch import Check

SHOWN = 300
"""Lines of what was skipped."""


class ImportSheet(Sheet):
    """`chosen` with whether files are copied, and whether the folder is watched from now on."""

    chosen = Signal(bool, bool)

    def __init__(self, theme: Theme, folder: Path, library: Path, parent: QWidget) -> None:
        super().__init__(theme, tr("Import {folder}", folder=folder.name or str(folder)), parent)
        told = tr("Pictures, videos, sounds and 3D models, with the prompts and workflows in them. Nothing is changed.")
        self.body.addWidget(Label(theme, told, color="text2", wrap=True))
        self.copy_ = Check(theme, tr("Copy the files into the library's folder"))
        self.copy_.setToolTip(plain_tip(str(library)))
        self.watch = Check(theme, tr("Keep watching: take in what comes later"))
        self.body.addWidget(self.copy_)
        self.body.addWidget(self.watch)
        cancel = self.add_button(tr("Cancel"))
        self.go = self.add_button(tr("Import"), primary=True)
        cancel.clicked.connect(self.reject)
        self.go.clicked.connect(self._go)
        self.copy_.toggled.connect(self._look)
        self.go.setFocus()

    def _look(self, copies: bool) -> None:
        if copies:
            self.watch.setChecked(False)
        self.watch.set_blocked(tr("Files of a watched folder stay where they are") if copies else "")

    def _go(self) -> None:
        self.chosen.emit(self.copy_.isChecked(), self.watch.isChecked())
        self.accept()


class SkippedSheet(Sheet):
    """Files that were not taken, each with the reason."""

    def __init__(self, theme: Theme, skipped: Sequence[tuple[str, str]], count: int, parent: QWidget) -> None:
        """`skipped`: name and reason; `count`: how many there are in all."""
        super().__init__(theme, tr("Not imported"), parent, width=560)
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, 0, 0)
        for name, why in skipped[:SHOWN]:
            column.addWidget(Label(theme, name, font="label", wrap=True))
            column.addWidget(Label(theme, why, color="text2", wrap=True))
        if count > SHOWN:
            column.addWidget(Label(theme, tr("and {n} more", n=f"{count - SHOWN:,}"), color="text2"))
        column.addStretch(1)
        scroller = Scroller(theme, content)
        scroller.setMinimumHeight(theme.px(240))
        self.body.addWidget(scroller, 1)
        self.add_button(tr("Close"), primary=True).clicked.connect(self.accept)
