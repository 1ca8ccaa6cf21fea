"""A sheet: a page over the centre column, with a head, a body and a foot. It blocks nothing; Esc closes it."""

from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtGui import QKeySequence, QPainter, QPainterPath, QPaintEvent, QPixmap, QResizeEvent, QShortcut
from PySide6.QtWidgets import QAbstractButton, QApplication, QHBoxLayout, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from comfydesk.qt.theme import ColorName, Theme
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets import paint, shadow
from comfydesk.qt.widgets.buttons import IconButton
from comfydesk.qt.widgets.labels import Label
from comfydesk.qt.widgets.plain import Line, pad

RADIUS = 10
MARGIN = 16
HEAD, FOOT = 56, 60


class _Foot(QWidget):
    """Stands on the window's colour, with the sheet's round corners below."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter, theme = QPainter(self), self._theme
        radius = theme.px(RADIUS) - 1
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        shape = QPainterPath()
        shape.addRoundedRect(self.rect().adjusted(0, -2 * radius, 0, 0), radius, radius)
        painter.setClipRect(self.rect())
        painter.fillPath(shape, theme.color("window"))
        painter.fillRect(QRect(0, 0, self.width(), 1), theme.color("border"))


class Page(QWidget):
    """Subclasses fill `head` (after the title), `body` and `foot`. It is shown, placed and closed by its owner."""

    closed = Signal()
    """The user wants it gone: Esc, or the button. What was typed stays in it."""

    def __init__(self, theme: Theme, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self._tile = QPixmap()
        theme.surface(self, "canvas")
        self.setAccessibleName(title)
        self.title = Label(theme, title, font="title")
        self.close_button = IconButton(theme, "close", tr("Close"))
        self._column = QVBoxLayout(self)
        self._column.setSpacing(0)
        self._column.addLayout(self._make_head())
        self._column.addWidget(Line(theme))
        self.body = QVBoxLayout()
        self.body.setSpacing(0)
        self._column.addLayout(self.body, 1)
        self._foot = _Foot(theme)
        self.foot = QHBoxLayout(self._foot)
        pad(self.foot, theme, 20, 12, 16, 12)
        self._column.addWidget(self._foot)
        self.close_button.clicked.connect(self.closed)
        escape = QShortcut(QKeySequence(Qt.Key.Key_Escape), self, context=Qt.ShortcutContext.WidgetWithChildrenShortcut)
        escape.activated.connect(self._on_escape)
        theme.changed.connect(self._measure)
        self._measure()

    def set_title(self, title: str) -> None:
        self.title.setText(title)
        self.setAccessibleName(title)

    def hide_foot(self) -> None:
        """This one has nothing to decide. Its round corners stay free."""
        self._foot.hide()
        self._column.addSpacing(self.theme.px(RADIUS))

    def accept_with(self, button: QAbstractButton) -> None:
        """Alt+Enter, on either Enter key, presses `button`; another text on it changes nothing about that."""
        for keys in ("Alt+Return", "Alt+Enter"):
            accept = QShortcut(QKeySequence(keys), self, context=Qt.ShortcutContext.WidgetWithChildrenShortcut)
            accept.activated.connect(button.click)

    def first_focus(self) -> QWidget:
        """What has the keyboard when the page opens."""
        return self.close_button

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._tile = QPixmap()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter, theme = QPainter(self), self.theme
        if self._tile.isNull():
            self._tile = shadow.draw_tile(theme, self.devicePixelRatioF(), RADIUS)
        area, reach = self._card(), theme.px(shadow.REACH)
        shadow.paint_shadow(painter, self._tile, area.adjusted(-reach, -reach, reach, reach))
        paint.box(painter, area, theme.px(RADIUS), fill=theme.color("popup"), outline=theme.color("control"))

    def _on_escape(self) -> None:
        if QApplication.activePopupWidget() is None:  # a list or menu in front goes first
            self.closed.emit()

    def _card(self) -> QRect:
        edge = self.theme.px(MARGIN)
        return self.rect().adjusted(edge, edge, -edge, -edge)

    def _make_head(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.addWidget(self.title)
        row.addStretch(1)
        self.head = QHBoxLayout()
        row.addLayout(self.head)
        row.addWidget(self.close_button)
        self._head_row = row
        return row

    def _measure(self) -> None:
        px = self.theme.px
        edge = px(MARGIN) + 1
        self._column.setContentsMargins(edge, edge, edge, edge)
        self._head_row.setContentsMargins(px(20), px(12), px(12), px(12))
        self._head_row.setSpacing(px(8))
        self.head.setSpacing(px(8))
        self.foot.setSpacing(px(8))
        self.close_button.setMinimumHeight(px(HEAD - 24))
        self._foot.setMinimumHeight(px(FOOT))
        self._tile = QPixmap()


class Scroller(QScrollArea):
    """Scrolls `content` up and down; as wide as there is room, on whatever it stands on."""

    def __init__(self, theme: Theme, content: QWidget, surface: ColorName = "popup") -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setWidget(content)
        theme.surface(self, surface)
        theme.surface(self.viewport(), surface)
        content.setAutoFillBackground(False)
