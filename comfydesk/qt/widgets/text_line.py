"""One line of text."""

from typing import Any

from PySide6.QtWidgets import QWidget

from comfydesk.qt.theme import FontName, Theme
from comfydesk.qt.widgets.editor import Editor
from comfydesk.qt.widgets.field_frame import FieldFrame, LineEdit


class TextLine(Editor):
    """A field for a word or a path; what is pasted loses its line breaks."""

    def __init__(
        self,
        theme: Theme,
        value: str = "",
        *,
        placeholder: str = "",
        font: FontName = "body",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(theme, parent)
        self.frame = FieldFrame(theme)
        self.edit = LineEdit(theme, value, placeholder=placeholder, font=font)
        self.edit.setMaxLength(1 << 20)
        self.frame.hold(self.edit)
        self.row.addWidget(self.frame)
        self.setFocusProxy(self.edit)
        self.edit.textEdited.connect(self._typed)

    def value(self) -> str:
        return self.edit.text()

    def set_value(self, value: Any) -> None:
        words = "" if value is None else str(value)
        if words != self.edit.text():
            self.edit.setText(words)
            self.edit.setCursorPosition(0)

    def set_name(self, name: str) -> None:
        self.edit.setAccessibleName(name)

    def set_invalid(self, invalid: bool) -> None:
        self.frame.set_invalid(invalid)

    def _typed(self, words: str) -> None:
        self.value_changed.emit(words)
