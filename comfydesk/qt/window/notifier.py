"""Messages of the desktop: over its notification service where there is one, else from the tray. Never waited for."""

from typing import Protocol

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QSystemTrayIcon, QWidget

from comfydesk.qt.models.tips import plain_tip
from comfydesk.qt.theme.language import tr

SERVICE = "org.freedesktop.Notifications"
PATH = "/org/freedesktop/Notifications"
STAY_MS = 10_000


class Notifier(Protocol):
    """What News tells people with who look elsewhere."""

    def show(self, title: str, text: str, *, urgent: bool = False) -> None: ...


class DesktopNotifier(QObject):
    """`clicked` when somebody came because of a message (where the desktop tells)."""

    clicked = Signal()

    def __init__(self, window: QWidget, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._window = window
        self._tray: QSystemTrayIcon | None = None

    def show(self, title: str, text: str, *, urgent: bool = False) -> None:
        """Plain words: markup in them is nobody's wish."""
        if not self._over_bus(title, text, urgent=urgent):
            self._over_tray(title, text, urgent=urgent)

    def _over_bus(self, title: str, text: str, *, urgent: bool) -> bool:
        try:
            from PySide6.QtDBus import QDBusConnection, QDBusMessage
        except ImportError:
            return False  # Windows, macOS: the tray's messages are the system's own there
        bus = QDBusConnection.sessionBus()
        if not bus.isConnected():
            return False
        call = QDBusMessage.createMethodCall(SERVICE, PATH, SERVICE, "Notify")
        plain = text.replace("&", "&amp;").replace("<", "&lt;")
        hints = {"urgency": 2 if urgent else 1, "desktop-entry": "comfydesk"}
        call.setArguments(["ComfyDesk", 0, "comfydesk", title, plain, [], hints, STAY_MS])
        return bool(bus.send(call))

    def _over_tray(self, title: str, text: str, *, urgent: bool) -> None:
        if not (QSystemTrayIcon.isSystemTrayAvailable() and QSystemTrayIcon.supportsMessages()):
            return
        if self._tray is None:
            self._tray = QSystemTrayIcon(self._window.windowIcon(), self)
            self._tray.setToolTip(plain_tip(tr("ComfyDesk")))
            self._tray.messageClicked.connect(self.clicked)
        self._tray.show()
        kind = QSystemTrayIcon.MessageIcon.Warning if urgent else QSystemTrayIcon.MessageIcon.Information
        self._tray.showMessage(title, text, kind, STAY_MS)
