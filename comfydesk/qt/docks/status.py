"""The line at the bottom: which pod, what it has, what waits."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QRect, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QStatusBar, QWidget

from comfydesk.qt.models.pods import IdleWords, device_words, memory_words, stand
from comfydesk.qt.models.tips import plain_tip
from comfydesk.qt.models.words import SHORTEST, clock
from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import said, tr
from comfydesk.qt.widgets.buttons import Button, IconButton, Kind, Size
from comfydesk.qt.widgets.labels import ElidedLabel, Label
from comfydesk.qt.widgets.plain import Icon
from comfydesk.qt.widgets.progress_bar import ProgressBar
from comfydesk.qt.widgets.status_dot import StatusDot

if TYPE_CHECKING:
    from comfydesk.session.pods.terms import SystemStats
    from comfydesk.session.values import PodState

HEIGHT = 28


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
    """Dot, name, state; the action that is wanted most. `clicked` opens the list of pods, `acted` has the verb."""

    clicked = Signal()
    acted = Signal(str)
    first = True

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self._verb = "connect"
        self.dot = StatusDot(theme)
        self.name = Label(theme, font="label")
        self.state = ElidedLabel(theme, color="text2")
        self.state.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.action = Button(theme, tr("Connect"), kind=Kind.LINK, size=Size.COMPACT)
        self.open = IconButton(theme, "chevron-up", tr("Pods"), size=Size.COMPACT)
        for part in (self.dot, self.name, self.state, self.action, self.open):
            self.row.addWidget(part)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.action.clicked.connect(lambda: self.acted.emit(self._verb))
        self.open.clicked.connect(self.clicked)
        self.show_pod(None)

    def show_pod(self, pod: "PodState | None") -> None:
        if pod is None:
            self.dot.set_tone("neutral")
            self.name.setText(tr("No pod"))
            self.state.set_text(tr("Jobs wait until one is connected"))
            self._verb = "add"
            self.action.setText(tr("Connect"))
            self.action.show()
            self.setToolTip("")
            return
        tone, words, self._verb, action = stand(pod, pod.rented)
        self.dot.set_tone(tone)
        self.name.setText(pod.name)
        self.state.set_text(words)
        self.setToolTip(plain_tip(said(pod.status.detail) or pod.url))
        self.action.setText(action)
        self.action.setVisible(bool(self._verb))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self.rect().contains(event.position().toPoint()):
            self.clicked.emit()


class GpuPart(Part):
    """What the pod computes on, and how full it is."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self.name = ElidedLabel(theme)
        self.name.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        icon = Icon(theme, "gpu")
        self.vram = Label(theme, "VRAM", color="text2")
        self.bar = ProgressBar(theme, tr("VRAM in use"), fill="text2")
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
            self.amount.setText(memory_words(used, device.vram_total))


class QueuePart(Part):
    """How many jobs wait, and for how long; how far the running one is, while a sheet covers its bar."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self._fraction: float | None = None
        self._covered = False
        self.bar = ProgressBar(theme, tr("Progress of the running job"))
        self.bar.setFixedWidth(theme.px(52))
        self.words = Label(theme, "", color="text2")
        self._known = False
        self.row.addWidget(self.bar)
        self.row.addWidget(self.words)
        self._show_bar()

    def mark_known(self) -> None:
        """All jobs have been read: none means none."""
        self._known = True
        if not self.words.text():
            self.show_queue(0, None)

    def show_queue(self, waiting: int, seconds: float | None, running: int = 0) -> None:
        """`waiting` have not begun; `seconds` until all have ended."""
        parts = [tr("{n} running", n=running)] if running else []
        parts += [tr("{n} queued", n=waiting)] if waiting else []
        words = ", ".join(parts) or (tr("Queue empty") if self._known else "")
        timed = bool(parts) and seconds is not None and seconds >= SHORTEST
        self.words.setText(f"{words}, {clock(seconds)}" if timed and seconds is not None else words)
        self.words.set_color("text" if parts else "text2")

    def show_progress(self, fraction: float | None) -> None:
        """Of the running job; None when none runs."""
        self._fraction = fraction
        self._show_bar()

    def set_covered(self, covered: bool) -> None:
        """Whether a sheet covers the job's own bar."""
        self._covered = covered
        self._show_bar()

    def _show_bar(self) -> None:
        self.bar.setVisible(self._covered and self._fraction is not None)
        self.bar.set_fraction(self._fraction or 0.0)


class CostPart(Part):
    """What the rented pod costs an hour, and has cost since the window was opened."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self.rate, self.total = Label(theme, font="label"), Label(theme, color="text2")
        self.row.addWidget(self.rate)
        self.row.addWidget(self.total)
        self.show_cost("", "")

    def show_cost(self, rate: str, total: str) -> None:
        self.rate.setText(rate)
        self.rate.setVisible(bool(rate))
        self.total.setText(total)
        self.setVisible(bool(rate or total))


class IdlePart(Part):
    """When the pod is stopped by itself. `kept` when the user wants it to run on."""

    kept = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self.icon = Icon(theme, "clock")
        self.words = ElidedLabel(theme, color="text2")
        self.words.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.keep = Button(theme, tr("Keep running"), kind=Kind.LINK, size=Size.COMPACT)
        for part in (self.icon, self.words, self.keep):
            self.row.addWidget(part)
        self.keep.clicked.connect(self.kept)
        self.show_idle(IdleWords())

    def show_idle(self, idle: IdleWords) -> None:
        self.words.set_text(idle.words)
        self.words.set_color("text" if idle.warn else "text2")
        self.icon.set_icon("warning" if idle.warn else "clock", "warning" if idle.warn else "text2")
        self.keep.setVisible(idle.keep)
        self.setVisible(bool(idle.words))


class Status(QObject):
    """The parts of a status bar: pod, GPU and queue from the left, cost and idle stop at the right."""

    def __init__(self, theme: Theme, bar: QStatusBar) -> None:
        super().__init__(bar)
        self._theme, self._bar = theme, bar
        self.pod, self.gpu, self.queue = PodPart(theme), GpuPart(theme), QueuePart(theme)
        self.cost, self.idle = CostPart(theme), IdlePart(theme)
        bar.setSizeGripEnabled(False)
        for part in (self.pod, self.gpu, self.queue):
            bar.addWidget(part)
        for right in (self.cost, self.idle):
            bar.addPermanentWidget(right)
        theme.changed.connect(self._measure)
        self._measure()

    def _measure(self) -> None:
        theme = self._theme
        # A QStatusBar keeps 5 px around what it holds: its buttons need the rest.
        self._bar.setFixedHeight(max(theme.height(HEIGHT), theme.height(24, "small_strong") + 5))
