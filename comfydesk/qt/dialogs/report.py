"""Something of ours went wrong: what happened, for a report."""

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from comfydesk import __version__
from comfydesk.qt.dialogs.sheet import Sheet
from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets.labels import Label


class ReportDialog(Sheet):
    """Shows a traceback. Nothing is sent anywhere; it can be copied."""

    def __init__(self, theme: Theme, trace: str, parent: QWidget) -> None:
        super().__init__(theme, tr("Something went wrong in ComfyDesk"), parent, width=640)
        words = tr("Your jobs and pictures are safe, and the window goes on. If it happens again, please report this.")
        self.body.addWidget(Label(theme, words, color="text2", wrap=True))
        self.text = QPlainTextEdit(f"ComfyDesk {__version__}\n\n{trace}")
        self.text.setReadOnly(True)
        self.text.setTabChangesFocus(True)
        self.text.setFont(theme.font("mono"))
        self.text.setMinimumHeight(theme.px(240))
        self.text.setAccessibleName(tr("Details"))
        self.body.addWidget(self.text, 1)
        copy = self.add_button(tr("Copy details"))
        close = self.add_button(tr("Close"), primary=True)
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self.text.toPlainText()))
        close.clicked.connect(self.accept)
