"""The top of the window: the menus with the panels' switches at their end, and the intent bar below."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QMenuBar, QSizePolicy, QVBoxLayout, QWidget

from comfydesk.qt.theme import Theme
from comfydesk.qt.widgets.plain import Line

MENU_HEIGHT, INTENT_HEIGHT = 32, 52


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
        self._row.addWidget(self.bar)
        self._row.addStretch(1)
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

    def add_switch(self, button: QWidget) -> None:
        """One more at the right end of the menus."""
        self._row.addWidget(button)

    def _measure(self) -> None:
        px = self._theme.px
        self._row.setContentsMargins(px(8), 0, px(12), 0)
        self._row.setSpacing(px(4))
        self.bar.setMinimumHeight(self._theme.height(MENU_HEIGHT))
        self._intent.setFixedHeight(self._theme.height(INTENT_HEIGHT))
