"""The line at the bottom: which pod, what it has, what waits."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QRect, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QStatusBar, QWidget

from comfydesk.qt.models.words import clock
from comfydesk.qt.theme import Theme, Tone
from comfydesk.qt.widgets.buttons import Button, Kind, Size
from comfydesk.qt.widgets.labels import ElidedLabel, Label
from comfydesk.qt.widgets.plain import Icon
from comfydesk.qt.widgets.progress_bar import ProgressBar
from comfydesk.qt.widgets.status_dot import StatusDot

if TYPE_CHECKING:
    from comfydesk.client.link import LinkStatus
    from comfydesk.client.remote import SystemStats
    from comfydesk.session.values import PodState

HEIGHT = 28
GB = 1_000_000_000

_TONES: dict[str, Tone] = {
    "offline": "neutral",
    "connecting": "warning",
    "online": "success",
    "degraded": "warning",
    "reconnecting": "warning",
    "auth_failed": "danger",
}


class Part(QWidget):
    """A stretch of the status bar; every one but the first has a line at its left end."""

    first = False

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.row = QHBoxLayout(self)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Preferred)
        theme.changed.connect(self._space)
        self._space()

    def paintEvent(self, _event: QPaintEvent) -> None:
        if not self.first:
            QPainter(self).fillRect(QRect(0, 0, 1, self.height()), self._theme.color("border"))

    def _space(self) -> None:
        self.row.setContentsMargins(self._theme.px(12), 0, self._theme.px(12), 0)
        self.row.setSpacing(self._theme.px(8))


class PodPart(Part):
    """Dot, name, state; a link to do something about it. `clicked` opens what there is to know."""

    clicked = Signal()
    first = True

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self.dot = StatusDot(theme)
        self.name = Label(theme, font="label")
        self.state = ElidedLabel(theme, color="text2")
        self.state.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.action = Button(theme, "Connect", kind=Kind.LINK, size=Size.COMPACT)
        for part in (self.dot, self.name, self.state, self.action):
            self.row.addWidget(part)
        self.action.clicked.connect(self.clicked)
        self.show_pod(None)

    def show_pod(self, pod: "PodState | None") -> None:
        if pod is None:
            self.dot.set_tone("neutral")
            self.name.setText("No pod")
            self.state.set_text("Jobs wait until one is connected")
            self.action.show()
            return
        tone, words = link_words(pod.status)
        self.dot.set_tone(tone)
        self.name.setText(pod.name)
        self.state.set_text(words)
        self.setToolTip(pod.status.detail or pod.url)
        self.action.setVisible(pod.status.state == "auth_failed")

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self.rect().contains(event.position().toPoint()):
            self.clicked.emit()


class GpuPart(Part):
    """What the pod computes on, and how full it is."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self.name = ElidedLabel(theme, font="label")
        self.name.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        icon = Icon(theme, "gpu")
        self.vram = Label(theme, "VRAM", color="text2")
        self.bar = ProgressBar(theme, "VRAM in use", fill="text2")
        self.bar.setFixedWidth(theme.px(72))
        self.amount = Label(theme)
        for part in (icon, self.name, self.vram, self.bar, self.amount):
            self.row.addWidget(part)
        self.show_stats(None)

    def show_stats(self, stats: "SystemStats | None") -> None:
        device = stats.devices[0] if stats is not None and stats.devices else None
        self.setVisible(device is not None)
        if device is None:
            return
        self.name.set_text(device_words(device.name))
        known = device.vram_total > 0 and device.type != "cpu"
        for part in (self.vram, self.bar, self.amount):
            part.setVisible(known)
        if known:
            used = device.vram_total - device.vram_free
            self.bar.set_fraction(used / device.vram_total)
            self.amount.setText(f"{used / GB:.1f} of {device.vram_total / GB:.0f} GB")


class QueuePart(Part):
    """How many jobs wait, and for how long."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self.words = Label(theme, "Queue empty", color="text2")
        self.row.addWidget(self.words)

    def show_queue(self, waiting: int, seconds: float | None) -> None:
        words = f"{waiting} queued" if waiting else "Queue empty"
        self.words.setText(words if seconds is None or not waiting else f"{words}, {clock(seconds)}")
        self.words.set_color("text" if waiting else "text2")


class Status(QObject):
    """The three parts in a status bar, left to right."""

    def __init__(self, theme: Theme, bar: QStatusBar) -> None:
        super().__init__(bar)
        self._theme, self._bar = theme, bar
        self.pod, self.gpu, self.queue = PodPart(theme), GpuPart(theme), QueuePart(theme)
        bar.setSizeGripEnabled(False)
        for part in (self.pod, self.gpu, self.queue):
            bar.addWidget(part)
        theme.changed.connect(self._measure)
        self._measure()

    def _measure(self) -> None:
        self._bar.setFixedHeight(self._theme.height(HEIGHT))


def link_words(status: "LinkStatus") -> tuple[Tone, str]:
    """How a pod's link stands, as a tone and in words."""
    state = str(status.state)
    words = {
        "offline": "Offline",
        "connecting": "Connecting",
        "online": "Online",
        "degraded": "Online, no live updates",
        "reconnecting": "Reconnecting",
        "auth_failed": "Sign-in refused",
    }.get(state, state)
    if state == "online" and status.latency_ms is not None:
        words = f"Online, {status.latency_ms:.0f} ms"
    if state == "reconnecting" and status.retry_in:
        words = f"Reconnecting, next try in {status.retry_in:.0f} s"
    return _TONES.get(state, "neutral"), words


def device_words(name: str) -> str:
    """ "cuda:0 NVIDIA GeForce RTX 4090 : cudaMallocAsync" → "RTX 4090"."""
    words = name.split(" : ", 1)[0].split()
    kept = [
        word for word in words if not word.startswith(("cuda:", "xpu:", "mps:")) and word not in ("NVIDIA", "GeForce")
    ]
    return " ".join(kept) or name
