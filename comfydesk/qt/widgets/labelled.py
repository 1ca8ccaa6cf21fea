"""A field of a sheet: its label above, a quiet remark or what is wrong with it below."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from comfydesk.qt.theme import Theme
from comfydesk.qt.widgets.editor import Editor
from comfydesk.qt.widgets.field_frame import FieldFrame
from comfydesk.qt.widgets.form_part import Message
from comfydesk.qt.widgets.labels import Label


class Labelled(QWidget):
    """`field`, named by its label for assistive tools too. `beside` stands at its right."""

    def __init__(
        self, theme: Theme, name: str, field: QWidget, *, beside: QWidget | None = None, note: str = ""
    ) -> None:
        super().__init__()
        self.field = field
        self._label = Label(theme, name, color="text2")
        self._label.setBuddy(field)
        self._note = Label(theme, note, font="caption", color="text2", wrap=True)
        self.message = Message(theme, "")
        self.message.hide()
        self.setFocusProxy(field)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        row = QHBoxLayout()
        row.setSpacing(theme.px(8))
        row.addWidget(field, 1)
        if beside is not None:
            row.addWidget(beside)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.px(4))
        column.addWidget(self._label)
        column.addLayout(row)
        column.addWidget(self._note)
        column.addWidget(self.message)
        self._note.setVisible(bool(note))  # not before it has a parent: it would be a window for a moment
        self._name_field(name)

    def set_name(self, name: str) -> None:
        self._label.setText(name)
        self._name_field(name)

    def set_note(self, words: str) -> None:
        """A quiet remark below; "" for none."""
        self._note.setText(words)
        self._note.setVisible(bool(words))

    def set_problem(self, words: str) -> None:
        """What is wrong, below the field; "" takes it away."""
        self.message.set_text(words)
        self.message.setVisible(bool(words))
        if isinstance(self.field, Editor | FieldFrame):
            self.field.set_invalid(bool(words))

    def problem(self) -> str:
        return self.message.text()

    def _name_field(self, name: str) -> None:
        if isinstance(self.field, Editor):
            self.field.set_name(name)
        elif not self.field.accessibleName():
            self.field.setAccessibleName(name)


def side_by_side(theme: Theme, *fields: QWidget, stretches: tuple[int, ...] = ()) -> QWidget:
    """Fields in one row, their tops in line."""
    holder = QWidget()
    row = QHBoxLayout(holder)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(theme.px(8))
    for at, field in enumerate(fields):
        row.addWidget(field, stretches[at] if stretches else 1, Qt.AlignmentFlag.AlignTop)
    holder.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
    return holder
