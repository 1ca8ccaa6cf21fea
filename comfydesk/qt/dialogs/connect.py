"""Connect to a pod by its address."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from comfydesk.errors import KnownError
from comfydesk.qt.dialogs.sheet import Sheet
from comfydesk.qt.theme import Theme
from comfydesk.qt.widgets.field_frame import FieldFrame, LineEdit
from comfydesk.qt.widgets.form_part import Message
from comfydesk.qt.widgets.labels import Label


class ConnectDialog(Sheet):
    """`wanted` with the address, or "demo". Stays open until `accept`: `show_error` says what was wrong with it."""

    wanted = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(theme, "Connect to a pod", parent)
        label = Label(theme, "Address", color="text2")
        self.edit = LineEdit(theme, placeholder="https://abc123-8188.proxy.runpod.net or 192.168.1.20:8188")
        self.edit.setAccessibleName("Address")
        label.setBuddy(self.edit)
        self._frame = FieldFrame(theme)
        self._frame.hold(self.edit)
        self._message = Message(theme, "")
        self._message.hide()
        self.body.addWidget(label)
        self.body.addWidget(self._frame)
        self.body.addWidget(self._message)
        self.demo = self.add_button("Open the demo pod")
        self.demo.setToolTip("Draws pictures on this computer; it is no AI")
        cancel = self.add_button("Cancel")
        self.connect_button = self.add_button("Connect", primary=True)
        cancel.clicked.connect(self.reject)
        self.demo.clicked.connect(lambda: self.wanted.emit("demo"))
        self.connect_button.clicked.connect(self._connect)
        self.edit.textChanged.connect(lambda _: self._tell(""))
        self._tell("")

    def show_error(self, error: KnownError) -> None:
        """Say why the address is of no use."""
        self._tell(str(error))

    def _connect(self) -> None:
        if self.edit.text().strip():
            self.wanted.emit(self.edit.text().strip())

    def _tell(self, words: str) -> None:
        self._message.set_text(words)
        self._message.setVisible(bool(words))
        self._frame.set_invalid(bool(words))
        self.connect_button.set_blocked("" if self.edit.text().strip() else "Type an address first")
