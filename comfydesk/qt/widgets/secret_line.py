"""A field for a password or a token: masked, shown only while the user wants to see it, never copied into a value."""

from PySide6.QtWidgets import QLineEdit, QWidget

from comfydesk.credentials import Secret
from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import mark, tr
from comfydesk.qt.widgets.buttons import IconButton, Size
from comfydesk.qt.widgets.text_line import TextLine

STORED = mark("Stored: type to replace it")


class SecretLine(TextLine):
    """`secret` is what was typed; None: nothing was, and what is stored stays."""

    def __init__(self, theme: Theme, *, placeholder: str = "", parent: QWidget | None = None) -> None:
        super().__init__(theme, placeholder=placeholder, parent=parent)
        self._placeholder = placeholder
        self.edit.setEchoMode(QLineEdit.EchoMode.Password)
        self.show_button = IconButton(theme, "eye", tr("Show"), size=Size.COMPACT, checkable=True)
        self.frame.row.addWidget(self.show_button)
        self.show_button.toggled.connect(self._show)

    def secret(self) -> Secret | None:
        words = self.edit.text()
        return Secret(words) if words else None

    def fill(self, secret: Secret | None) -> None:
        """Put in what was pasted, masked; None empties it. Emits nothing."""
        self.edit.setText(secret.reveal() if secret else "")
        self.show_button.setChecked(False)

    def set_stored(self, stored: bool) -> None:
        """Say that there is one already."""
        self.edit.setPlaceholderText(tr(STORED) if stored else self._placeholder)

    def _show(self, shown: bool) -> None:
        self.edit.setEchoMode(QLineEdit.EchoMode.Normal if shown else QLineEdit.EchoMode.Password)
        self.show_button.set_icon("eye-off" if shown else "eye")
        self.show_button.set_name(tr("Hide") if shown else tr("Show"))
