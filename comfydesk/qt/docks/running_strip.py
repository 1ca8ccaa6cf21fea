"""The jobs that run side by side, one to be looked at: a strip above the bar, only where there are several."""

from dataclasses import dataclass

from PySide6.QtCore import QEvent, QRect, QRectF, QSize, Signal
from PySide6.QtGui import QColor, QFocusEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QButtonGroup, QHBoxLayout, QSizePolicy, QWidget

from comfydesk.qt.models.rows import PodMark
from comfydesk.qt.models.tips import plain_tip
from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets import paint
from comfydesk.qt.widgets.focus_ring import ring_off, ring_on_focus
from comfydesk.qt.widgets.plain import pad
from comfydesk.qt.widgets.progress_bar import paint_bar

MOST = 8
"""Tabs: more would be too narrow to read. The queue shows them all."""
WIDEST = 220
LEAST = 84


@dataclass(frozen=True, slots=True)
class AtWork:
    """A job that some pod works on."""

    job: str
    name: str
    pod: PodMark | None
    fraction: float | None

    @property
    def words(self) -> str:
        """For assistive tools and tool tips."""
        done = "" if self.fraction is None else f"{self.fraction * 100:.0f} %"
        return ", ".join(part for part in (self.name, self.pod.name if self.pod else "", done) if part)


class _Tab(QAbstractButton):
    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self.shown = AtWork("", "", None, None)
        self.setCheckable(True)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def show_job(self, at_work: AtWork) -> None:
        if at_work != self.shown:
            self.shown = at_work
            self.setAccessibleName(tr("Show {job}", job=at_work.words))
            self.setToolTip(plain_tip(at_work.words))
            self.update()

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(WIDEST), self._theme.height(26, "small"))

    def minimumSizeHint(self) -> QSize:
        return QSize(self._theme.px(LEAST), self.sizeHint().height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme, painter, px, shown = self._theme, QPainter(self), self._theme.px, self.shown
        if self.isChecked():
            paint.box(painter, self.rect(), px(6), fill=theme.color("selection"))
        elif self.underMouse():
            paint.box(painter, self.rect(), px(6), fill=theme.color("hover"))
        left, right = px(8), self.width() - px(8)
        bar = px(28)
        if shown.fraction is not None:
            spot = QRectF(right - bar, self.height() / 2 - px(1.5), bar, px(3))
            paint_bar(painter, theme, spot, shown.fraction)
            right -= bar + px(8)
        if shown.pod is not None and shown.pod.colour:
            spot = QRectF(left, self.height() / 2 - px(3.5), px(7), px(7))
            paint.box(painter, spot, px(3.5), fill=QColor(shown.pod.colour))
            left += px(13)
        words = shown.name if shown.pod is None else f"{shown.pod.name}: {shown.name}"
        area = QRect(left, 0, max(0, right - left), self.height())
        ink = theme.color("text" if self.isChecked() else "text2")
        paint.text(painter, area, words, theme.font("small"), ink, metrics=theme.metrics("small"))

    def event(self, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Enter, QEvent.Type.Leave):
            self.update()
        return super().event(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        ring_on_focus(self._theme, self, event, 6)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        ring_off(self)


class RunningStrip(QWidget):
    """`chosen` with the id of the job that the user wants to see; arrow keys walk along."""

    chosen = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._group = QButtonGroup(self)
        self._tabs: list[_Tab] = []
        self._row = QHBoxLayout(self)
        pad(self._row, theme, 0, 0, 0, 0, gap=4)
        self._row.addStretch(1)
        self.setAccessibleName(tr("Jobs that run"))
        self._group.buttonClicked.connect(self._on_clicked)
        self.hide()

    def show_jobs(self, jobs: tuple[AtWork, ...], current: str | None) -> None:
        """Show `jobs`, `current` being the one that is looked at; nothing for a single one."""
        self.setVisible(len(jobs) > 1)
        if len(jobs) < 2:
            return
        shown = jobs[:MOST]
        while len(self._tabs) < len(shown):
            tab = _Tab(self._theme, self)
            self._group.addButton(tab)
            self._row.insertWidget(len(self._tabs), tab, 4)
            self._tabs.append(tab)
        for at, tab in enumerate(self._tabs):
            tab.setVisible(at < len(shown))
            if at < len(shown):
                tab.show_job(shown[at])
                if shown[at].job == current:
                    tab.setChecked(True)

    def tabs(self) -> tuple[QAbstractButton, ...]:
        """Those that are shown."""
        return tuple(tab for tab in self._tabs if not tab.isHidden())

    def _on_clicked(self, button: QAbstractButton) -> None:
        if isinstance(button, _Tab):
            self.chosen.emit(button.shown.job)
