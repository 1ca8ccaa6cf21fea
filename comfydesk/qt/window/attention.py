"""What the desktop tells that matters to pods: the user is there, the computer woke up, the network is another."""

from time import monotonic
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

if TYPE_CHECKING:
    from comfydesk.session.session import Session

ACTIVE_EVERY = 5.0
"""Seconds between two words of the user's presence."""
AWAY = 60.0
"""After so long in the background the links prove themselves when the window comes back."""
NETWORK_AFTER_MS = 1500
"""Asking the desktop's network service may take a while; not while the window opens."""
_SIGNS = frozenset(
    {
        QEvent.Type.KeyPress,
        QEvent.Type.MouseButtonPress,
        QEvent.Type.MouseMove,
        QEvent.Type.Wheel,
        QEvent.Type.TouchBegin,
        QEvent.Type.TabletPress,
    }
)


class Attention(QObject):
    """Watches the window's native half: input comes by there once, and nothing else does."""

    def __init__(self, window: QWidget, session: "Session", parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._told = 0.0
        self._left: float | None = None
        handle = window.windowHandle()
        if handle is not None:
            handle.installEventFilter(self)
        application = QGuiApplication.instance()
        if isinstance(application, QGuiApplication):
            application.applicationStateChanged.connect(self._on_state)
        QTimer.singleShot(NETWORK_AFTER_MS, self, self._watch_network)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in _SIGNS:
            now = monotonic()
            if now - self._told >= ACTIVE_EVERY:
                self._told = now
                self._session.active()
        return super().eventFilter(watched, event)

    def _on_state(self, state: Qt.ApplicationState) -> None:
        if state is not Qt.ApplicationState.ApplicationActive:
            self._left = monotonic() if self._left is None else self._left
            return
        if self._left is not None and monotonic() - self._left >= AWAY:
            self._session.wake()
        self._left = None

    def _watch_network(self) -> None:
        from PySide6.QtNetwork import QNetworkInformation

        if not QNetworkInformation.loadBackendByFeatures(QNetworkInformation.Feature.Reachability):
            return  # the session notices by itself, a little later
        network = QNetworkInformation.instance()
        if network is not None:
            network.reachabilityChanged.connect(self._on_network)

    def _on_network(self, reachability: object) -> None:
        from PySide6.QtNetwork import QNetworkInformation

        if reachability is not QNetworkInformation.Reachability.Disconnected:
            self._session.wake()
