"""The top of the window: the menus with the panels' switches at their end, and the intent bar below."""

from PySide6.QtCore import Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QMenuBar, QSizePolicy, QVBoxLayout, QWidget

from comfydesk.qt.theme import Theme
from comfydesk.qt.widgets.plain import Line

MENU_HEIGHT, INTENT_HEIGHT, MAIN_HEIGHT = 32, 52, 36
APART = 16


class Corner(QWidget):
    """The right end of the menus. Asks for no width: what does not fit is hidden, the least needed first."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._parts: list[tuple[QWidget, int]] = []
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.addStretch(1)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        theme.changed.connect(self._fit)

    def add(self, part: QWidget, gives_way: int, *, apart: bool) -> None:
        """`apart`: a wider gap before it."""
        if apart:
            self._row.addSpacing(self._theme.px(APART))
        self._row.addWidget(part)
        self._parts.append((part, gives_way))
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        gap = self._theme.px(4)
        self._row.setSpacing(gap)
        room = self.width() - 2 * self._theme.px(APART)
        shown = list(self._parts)
        for rank in sorted({rank for _, rank in self._parts if rank}, reverse=True):
            if sum(part.sizeHint().width() + gap for part, _ in shown) <= room:
                break
            shown = [(part, other) for part, other in shown if other != rank]
        kept = {id(part) for part, _ in shown}
        for part, _ in self._parts:
            part.setVisible(id(part) in kept)


class Top(QWidget):
    """Give it to QMainWindow.setMenuWidget. Empty at first, with room for what comes."""

    intent_shown = Signal(bool)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.bar = QMenuBar()
        self.bar.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Preferred)
        self._intent = QWidget()
        self._row = QHBoxLayout()
        self.corner = Corner(theme)
        self._row.addWidget(self.bar)
        self._row.addWidget(self.corner, 1)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._column.addLayout(self._row)
        self._column.addWidget(self._intent)
        self._column.addWidget(Line(theme))
        theme.surface(self, "window")
        theme.changed.connect(self._measure)
        self._measure()

    def hold_intent(self, bar: QWidget) -> None:
        """Let `bar` be what is shown below the menus."""
        before, self._intent = self._intent, bar
        self._column.replaceWidget(before, bar)
        self._measure()
        bar.setVisible(not before.isHidden())
        before.deleteLater()

    def show_intent(self, shown: bool) -> None:
        """Unfold or fold the intent bar."""
        if shown == self._intent.isHidden():
            self._intent.setVisible(shown)
            self.intent_shown.emit(shown)

    @property
    def intent_hidden(self) -> bool:
        """Whether the intent bar is folded."""
        return self._intent.isHidden()

    def add_switch(self, button: QWidget, *, gives_way: int = 0, apart: bool = False) -> None:
        """One more at the right end of the menus. Where it is narrow, the highest `gives_way` hides first; 0 never."""
        self.corner.add(button, gives_way, apart=apart)

    def _measure(self) -> None:
        px = self._theme.px
        self._row.setContentsMargins(px(8), 0, px(12), 0)
        self._row.setSpacing(px(4))
        self.bar.setMinimumHeight(self._theme.height(MENU_HEIGHT))
        self.corner.setMinimumHeight(self._theme.height(MENU_HEIGHT))
        high = max(px(INTENT_HEIGHT), self._theme.height(MAIN_HEIGHT) + px(INTENT_HEIGHT - MAIN_HEIGHT))
        self._intent.setFixedHeight(high)
