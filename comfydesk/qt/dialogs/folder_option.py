"""Several folders as one setting: each on a line of its own, with a way to take it away, and one to add another."""

from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from comfydesk.option import Option
from comfydesk.qt.models.tips import plain_tip
from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets.buttons import Button, IconButton, Size
from comfydesk.qt.widgets.editor import Editor
from comfydesk.qt.widgets.labels import ElidedLabel

BETWEEN = ";"


def folders_of(text: str) -> tuple[str, ...]:
    """The folders that a setting names."""
    return tuple(dict.fromkeys(part.strip() for part in text.split(BETWEEN) if part.strip()))


class FoldersOption(Editor):
    """`browse` when another one is to be chosen: it comes back through `add_folder`."""

    browse = Signal()

    def __init__(self, theme: Theme, option: Option[Any]) -> None:
        super().__init__(theme)
        self._folders: tuple[str, ...] = ()
        self.lines: list[QWidget] = []
        self._column = QVBoxLayout()
        self._column.setContentsMargins(0, 0, 0, 0)
        self.add = Button(theme, tr("Add a folder"), icon="plus")
        self.add.setAccessibleName(tr("Add a folder: {name}", name=tr(option.label)))
        self.add.clicked.connect(self.browse)
        foot = QHBoxLayout()
        foot.addWidget(self.add)
        foot.addStretch(1)
        self._column.addLayout(foot)
        self.row.addLayout(self._column, 1)
        self.setFocusProxy(self.add)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)

    def value(self) -> str:
        return BETWEEN.join(self._folders)

    def set_value(self, value: Any) -> None:
        folders = folders_of(value)
        if folders == self._folders:
            return
        self._folders = folders
        for line in self.lines:
            self._column.removeWidget(line)
            line.hide()
            line.deleteLater()
        self.lines = [self._line(folder) for folder in folders]
        for at, line in enumerate(self.lines):
            self._column.insertWidget(at, line)

    def add_folder(self, folder: str) -> None:
        """One more, unless it is there already."""
        if BETWEEN in folder:
            self.problem_changed.emit(tr("A folder with ; in its name cannot be in this list."))
            return
        self.problem_changed.emit("")
        self._change((*self._folders, folder))

    def _change(self, folders: tuple[str, ...]) -> None:
        text = BETWEEN.join(dict.fromkeys(folders))
        if text != self.value():
            self.set_value(text)
            self.value_changed.emit(text)

    def _remove(self, folder: str) -> None:
        self._change(tuple(one for one in self._folders if one != folder))
        self.add.setFocus()

    def _line(self, folder: str) -> QWidget:
        line = QWidget()
        row = QHBoxLayout(line)
        row.setContentsMargins(0, 0, 0, 0)
        there = Path(folder).expanduser().is_dir()
        name = ElidedLabel(self.theme, folder, color="text" if there else "danger")
        name.setToolTip(plain_tip(folder if there else tr("{folder} is not there", folder=folder)))
        words = tr("Remove {words}", words=folder)
        remove = IconButton(self.theme, "close", words, size=Size.COMPACT)
        remove.clicked.connect(partial(self._remove, folder))
        row.addWidget(name, 1)
        row.addWidget(remove)
        return line
