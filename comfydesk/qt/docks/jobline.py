"""One line on the job that runs: node, steps, speed, time left. What matters least gives way first."""

from dataclasses import dataclass

from PySide6.QtCore import QRect, QSize
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from comfydesk.qt.models.words import DOT, clock, speed
from comfydesk.qt.theme import ColorName, FontName, Theme
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets import paint


@dataclass(frozen=True, slots=True)
class Running:
    """A job that runs, as far as it is known. Zeros and None where it is not."""

    node: str = ""
    """Title of the node at work."""
    number: int = 0
    nodes: int = 0
    """It is node `number` of `nodes`."""
    step: int = 0
    steps: int = 0
    rate: float | None = None
    """Steps a second."""
    left: float | None = None
    """Seconds."""
    fraction: float | None = None
    batch: str = ""
    """ "image 2 of 4"."""

    @property
    def place(self) -> str:
        return tr("node {number} of {nodes}", number=self.number, nodes=self.nodes) if self.nodes else ""

    @property
    def facts(self) -> tuple[tuple[str, str], ...]:
        """(strong, quiet) pairs, the most important last."""
        pairs = []
        if self.steps > 1:
            pairs.append((str(self.step), tr("of {steps} steps", steps=self.steps)))
        if self.rate is not None and self.steps > 1:
            number, unit = speed(self.rate).split()
            pairs.append((number, unit))
        if self.left is not None:
            pairs.append((clock(self.left), tr("left")))
        return tuple(pairs)

    @property
    def words(self) -> str:
        """All of it in one sentence, for assistive tools and titles."""
        return ", ".join(part for part in (self.node, self.place, *(" ".join(pair) for pair in self.facts)) if part)


class JobLine(QWidget):
    """Paints a Running. Facts that do not fit are left out, speed first, then steps, never the time left."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._running = Running()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        theme.changed.connect(self.update)

    def show_running(self, running: Running) -> None:
        if running != self._running:
            self._running = running
            self.setAccessibleName(running.words)
            self.update()

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(320), self._theme.height(28))

    def minimumSizeHint(self) -> QSize:
        return QSize(self._theme.px(80), self._theme.height(28))

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        right = self._paint_facts(painter, self.width())
        theme, running = self._theme, self._running
        used = self._words(painter, 0, right, running.node or tr("Working"), "heading", "text")
        if running.place and used + self._width(running.place, "small") + theme.px(24) < right:
            self._words(painter, used + theme.px(8), right, running.place, "small", "text2")

    def _paint_facts(self, painter: QPainter, right: int) -> int:
        """Paint the facts that fit, from the right; where they begin."""
        gap, dot = self._theme.px(4), self._width(DOT, "body") + self._theme.px(16)
        needed = self._width(self._running.node or tr("Working"), "heading") + self._theme.px(24)
        x = right
        for number, (strong, quiet) in enumerate(reversed(self._facts_that_fit(right - needed))):
            if number:
                x -= dot
                self._words(painter, x + self._theme.px(8), x + dot, DOT, "body", "text2")
            x -= self._width(quiet, "body") + 1
            self._words(painter, x, right, quiet, "body", "text2")
            x -= self._width(strong, "label") + gap
            self._words(painter, x, right, strong, "label", "text")
        return x - self._theme.px(16)

    def _facts_that_fit(self, room: int) -> tuple[tuple[str, str], ...]:
        facts = list(self._running.facts)
        order = [1, 0] if len(facts) == 3 else [0]
        while len(facts) > 1 and self._facts_width(facts) > room:
            del facts[order.pop(0) if order else 0]
        return tuple(facts)

    def _facts_width(self, facts: list[tuple[str, str]]) -> int:
        parts = sum(
            self._width(strong, "label") + self._width(quiet, "body") + self._theme.px(4) for strong, quiet in facts
        )
        return parts + (len(facts) - 1) * (self._width(DOT, "body") + self._theme.px(16))

    def _width(self, words: str, font: FontName) -> int:
        return self._theme.metrics(font).horizontalAdvance(words)

    def _words(self, painter: QPainter, x: int, right: int, words: str, font: FontName, color: ColorName) -> int:
        rect = QRect(x, 0, max(0, right - x), self.height())
        theme = self._theme
        width = paint.text(painter, rect, words, theme.font(font), theme.color(color), metrics=theme.metrics(font))
        return x + width
