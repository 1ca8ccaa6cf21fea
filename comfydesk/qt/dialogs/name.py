"""One line of text is asked for: the name of something that is saved."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from comfydesk.qt.dialogs.sheet import Sheet
from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets.field_frame import FieldFrame, LineEdit
from comfydesk.qt.widgets.labels import Label

LONGEST = 80


class NameSheet(Sheet):
    """`named` with what was typed, without the spaces around it. Without a name there is nothing to save."""

    named = Signal(str)

    def __init__(self, theme: Theme, title: str, label: str, parent: QWidget, name: str = "") -> None:
        super().__init__(theme, title, parent, width=360)
        self.edit = LineEdit(theme)
        self.edit.setText(name)
        self.edit.setMaxLength(LONGEST)
        self.edit.setAccessibleName(label)
        self.body.addWidget(Label(theme, label, color="text2"))
        frame = FieldFrame(theme)
        frame.hold(self.edit)
        self.body.addWidget(frame)
        cancel = self.add_button(tr("Cancel"))
        self.save = self.add_button(tr("Save"), primary=True)
        cancel.clicked.connect(self.reject)
        self.save.clicked.connect(self._save)
        self.edit.textChanged.connect(self._look)
        self._look()
        self.edit.setFocus()

    def _look(self) -> None:
        self.save.set_blocked("" if self.edit.text().strip() else tr("Type a name first"))

    def _save(self) -> None:
        name = self.edit.text().strip()
        if name:
            self.named.emit(name)
            self.accept()
