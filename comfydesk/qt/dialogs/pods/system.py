"""What a pod has: its devices and memory, live; its versions; the end of its log."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QPlainTextEdit, QSizePolicy, QVBoxLayout, QWidget

from comfydesk.errors import KnownError
from comfydesk.qt.models.pods import device_words, link_words, memory_words
from comfydesk.qt.models.tips import plain_tip
from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import mark, tr
from comfydesk.qt.widgets.banner import Banner
from comfydesk.qt.widgets.buttons import Button
from comfydesk.qt.widgets.labels import ElidedLabel, Label
from comfydesk.qt.widgets.page import Page, Scroller
from comfydesk.qt.widgets.plain import Icon, Line, pad
from comfydesk.qt.widgets.progress_bar import ProgressBar
from comfydesk.qt.widgets.status_dot import StatusDot

if TYPE_CHECKING:
    from comfydesk.session.pods.terms import SystemStats
    from comfydesk.session.values import PodState

FACTS = ("ComfyUI", mark("Python"), "PyTorch", mark("System"))


class Meter(QWidget):
    """A name, a bar, and how much of how much."""

    def __init__(self, theme: Theme, icon: str, name: str) -> None:
        super().__init__()
        self.name = ElidedLabel(theme, name, font="label")
        self.amount = Label(theme, color="text2")
        self.bar = ProgressBar(theme, tr("{name} in use", name=name), fill="text2")
        head = QHBoxLayout()
        head.setSpacing(theme.px(8))
        head.addWidget(Icon(theme, icon))
        head.addWidget(self.name, 1)
        head.addWidget(self.amount)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.px(6))
        column.addLayout(head)
        column.addWidget(self.bar)

    def show_use(self, used: int, total: int) -> None:
        """Bytes; a `total` of 0 is not known."""
        self.bar.setVisible(total > 0)
        self.bar.set_fraction(used / total if total > 0 else 0.0)
        self.amount.setText(memory_words(used, total) if total > 0 else "")


class LogView(QPlainTextEdit):
    """The end of the log; stays at its end unless the user scrolled up."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setReadOnly(True)
        theme.surface(self.viewport(), "field")
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.WidgetWidth)
        self.setAccessibleName(tr("Log of the pod"))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        theme.changed.connect(self._dress)
        self._dress()

    def show_text(self, words: str) -> None:
        if words == self.toPlainText():
            return
        bar = self.verticalScrollBar()
        at_end, before = bar.value() >= bar.maximum() - 2, bar.value()
        self.setPlainText(words)
        bar.setValue(bar.maximum() if at_end else before)

    def minimumSizeHint(self) -> QSize:
        return QSize(self._theme.px(200), self._theme.px(160))

    def _dress(self) -> None:
        self.setFont(self._theme.font("mono"))
        self.document().setDocumentMargin(self._theme.px(8))


class SystemSheet(Page):
    """`free_wanted`: unload the models. Its owner feeds it while it is shown."""

    free_wanted = Signal()
    check_wanted = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, tr("System"), parent)
        self.banner = Banner(theme)
        self.dot, self.state = StatusDot(theme), Label(theme, color="text2")
        self.free = Button(theme, tr("Free memory"), icon="trash")
        words = tr("Unloads all models from the pod's memory; the next job loads what it needs")
        self.free.setToolTip(plain_tip(words))
        self.check = Button(theme, tr("Check the connection"), icon="search")
        self.meters: list[Meter] = []
        self.ram = Meter(theme, "cube", tr("Memory (RAM)"))
        self.facts = {name: ElidedLabel(theme, middle=True) for name in FACTS}
        self.log = LogView(theme)
        self.no_log = Label(theme, tr("This pod does not show its log."), font="small", color="text2")
        self._devices = QVBoxLayout()
        self._lay_out()
        self.free.clicked.connect(self.free_wanted)
        self.check.clicked.connect(self.check_wanted)

    def first_focus(self) -> QWidget:
        return self.free

    def begin(self, pod: "PodState") -> None:
        """Another pod than before, perhaps."""
        self.banner.clear()
        self.free.set_busy("")
        self.log.setPlainText("")
        self.show_pod(pod)

    def show_pod(self, pod: "PodState") -> None:
        """Its name and state, and what is known of it already."""
        self.set_title(pod.name)
        tone, words = link_words(pod.status)
        self.dot.set_tone(tone)
        self.state.setText(words)
        self.free.set_blocked("" if pod.status.usable else tr("There is no connection to the pod"))
        if pod.stats is not None:
            self.show_stats(pod.stats)

    def show_stats(self, stats: "SystemStats") -> None:
        """As the pod said just now."""
        names = [device_words(device.name) for device in stats.devices]
        if [meter.name.text() for meter in self.meters] != names:
            for meter in self.meters:
                self._devices.removeWidget(meter)
                meter.deleteLater()
            self.meters = [Meter(self.theme, "gpu", name) for name in names]
            for meter in self.meters:
                self._devices.addWidget(meter)
        for meter, device in zip(self.meters, stats.devices, strict=True):
            meter.show_use(device.vram_total - device.vram_free, device.vram_total)
        self.ram.show_use(stats.ram_total - stats.ram_free, stats.ram_total)
        known = dict(zip(FACTS, (stats.version, stats.python, stats.pytorch, stats.os), strict=True))
        for name, label in self.facts.items():
            label.set_text(known[name] or tr("not told"))
        self.banner.clear()

    def show_log(self, words: str) -> None:
        """The end of the log; empty where the pod keeps it to itself."""
        self.log.setVisible(bool(words))
        self.no_log.setVisible(not words)
        self.log.show_text(words)

    def show_freed(self) -> None:
        self.free.set_busy("")

    def show_trouble(self, error: KnownError) -> None:
        """The pod could not be asked."""
        self.free.set_busy("")
        self.banner.tell_error(error)

    def _lay_out(self) -> None:
        theme, px = self.theme, self.theme.px
        for part in (self.dot, self.state):
            self.head.addWidget(part)
        left = QWidget()
        column = QVBoxLayout(left)
        pad(column, theme, 20, 16, 16, 16)
        column.setSpacing(px(16))
        self._devices.setSpacing(px(16))
        column.addWidget(self.banner)
        column.addLayout(self._devices)
        column.addWidget(self.ram)
        column.addWidget(Line(theme))
        column.addLayout(self._facts())
        column.addStretch(1)
        right = QWidget()
        log = QVBoxLayout(right)
        pad(log, theme, 16, 14, 16, 16)
        log.setSpacing(px(8))
        log.addWidget(Label(theme, tr("Log"), font="heading"))
        log.addWidget(self.no_log)
        log.addWidget(self.log, 1)
        log.addStretch(0)
        theme.surface(right, "panel")
        row = QHBoxLayout()
        row.setSpacing(0)
        row.addWidget(Scroller(theme, left), 1)
        row.addWidget(Line(theme, upright=True))
        row.addWidget(right, 1)
        self.body.addLayout(row)
        self.log.hide()
        self.foot.addWidget(self.check)
        self.foot.addStretch(1)
        self.foot.addWidget(self.free)

    def _facts(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(self.theme.px(16))
        grid.setVerticalSpacing(self.theme.px(8))
        grid.setColumnStretch(1, 1)
        for at, (name, label) in enumerate(self.facts.items()):
            grid.addWidget(Label(self.theme, tr(name), color="text2"), at, 0)
            grid.addWidget(label, at, 1)
        return grid
