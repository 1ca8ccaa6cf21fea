"""What this is, in which version, and what to copy for a report."""

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QGridLayout, QWidget

from comfydesk.qt.dialogs.sheet import Sheet
from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets.labels import Label


class AboutDialog(Sheet):
    """Name, versions, what the demo pod is. `log_wanted` when the folder of the logs is to be shown."""

    log_wanted = Signal()

    def __init__(
        self, theme: Theme, versions: tuple[tuple[str, str], ...], diagnostics: Callable[[], str], parent: QWidget
    ) -> None:
        """`diagnostics` gives what is copied, when it is copied."""
        super().__init__(theme, "ComfyDesk", parent)
        for words in (
            tr("A desktop client for ComfyUI on rented GPU pods."),
            tr("The built-in demo pod draws pictures with a program; it is no AI."),
        ):
            self.body.addWidget(Label(theme, words, color="text2", wrap=True))
        self.body.addSpacing(theme.px(8))
        grid = QGridLayout()
        grid.setHorizontalSpacing(theme.px(16))
        grid.setVerticalSpacing(theme.px(4))
        grid.setColumnStretch(1, 1)
        for row, (what, version) in enumerate(versions):
            value = Label(theme, version, wrap=True)
            value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            grid.addWidget(Label(theme, what, color="text2"), row, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(value, row, 1)
        self.body.addLayout(grid)
        self.body.addSpacing(theme.px(8))
        note = tr("Diagnostics hold versions and counts; no addresses, folders, prompts or keys.")
        self.body.addWidget(Label(theme, note, font="small", color="text2", wrap=True))
        self._diagnostics = diagnostics
        self.log = self.add_button(tr("Show log folder"))
        self.copy = self.add_button(tr("Copy diagnostics"))
        self.log.clicked.connect(self.log_wanted)
        self.copy.clicked.connect(self._copy)
        self.add_button(tr("Close"), primary=True).clicked.connect(self.accept)

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self._diagnostics())
        self.copy.setText(tr("Copied"))
