"""What this is, and the keys it answers to."""

from collections.abc import Iterable

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QGridLayout, QWidget

from comfydesk import __version__
from comfydesk.qt.dialogs.sheet import Sheet
from comfydesk.qt.theme import Theme
from comfydesk.qt.widgets.key_hint import KeyHint
from comfydesk.qt.widgets.labels import Label


class AboutDialog(Sheet):
    """Name, version, and what the demo pod is."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(theme, "ComfyDesk", parent)
        for words in (
            f"Version {__version__}",
            "A desktop client for ComfyUI on rented GPU pods.",
            "The built-in demo pod draws pictures with a program; it is no AI.",
        ):
            self.body.addWidget(Label(theme, words, color="text2", wrap=True))
        self.add_button("Close", primary=True).clicked.connect(self.accept)


class KeysDialog(Sheet):
    """Every action that has keys."""

    def __init__(self, theme: Theme, actions: Iterable[QAction], parent: QWidget) -> None:
        super().__init__(theme, "Keyboard shortcuts", parent)
        grid = QGridLayout()
        grid.setHorizontalSpacing(theme.px(24))
        grid.setVerticalSpacing(theme.px(8))
        grid.setColumnStretch(0, 1)
        for row, action in enumerate(action for action in actions if not action.shortcut().isEmpty()):
            keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
            grid.addWidget(Label(theme, action.text()), row, 0)
            grid.addWidget(KeyHint(theme, keys), row, 1, Qt.AlignmentFlag.AlignRight)
        self.body.addLayout(grid)
        self.add_button("Close", primary=True).clicked.connect(self.accept)
