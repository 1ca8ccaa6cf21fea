"""The command palette on the screen: a line to type into and what fits, best first. Keyboard only, if one likes."""

from dataclasses import dataclass, field

from PySide6.QtCore import (
    QEvent,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QFrame,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from comfydesk.qt.theme import ColorName, Theme
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets import paint
from comfydesk.qt.widgets.field_frame import LineEdit
from comfydesk.qt.widgets.labels import Label
from comfydesk.qt.widgets.plain import Line
from comfydesk.qt.widgets.popup_window import PopupFrame, Rows

WIDTH, ROW, ROWS = 600, 36, 10
_Index = QModelIndex | QPersistentModelIndex
_MOVES = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)


@dataclass(frozen=True, slots=True)
class PaletteLine:
    """One line of the palette: an icon, what it says, where it is from, and its keys."""

    words: str
    detail: str = ""
    icon: str = ""
    keys: str = ""
    reason: str = field(default="", compare=False)
    """Why it cannot be done now; "" when it can."""


class _Lines(Rows[PaletteLine]):
    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        line = self.row(index)
        if line is None:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return line.words
        if role == Qt.ItemDataRole.AccessibleDescriptionRole:
            return ", ".join(part for part in (line.detail, line.keys, line.reason) if part)
        return None


class _Delegate(QStyledItemDelegate):
    def __init__(self, theme: Theme, parent: QObject) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, _option: QStyleOptionViewItem, _index: _Index) -> QSize:
        return QSize(self._theme.px(80), self._theme.height(ROW))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        model, theme, px = index.model(), self._theme, self._theme.px
        if not isinstance(model, _Lines):
            return
        line, rect = model.rows[index.row()], QRect(option.rect)
        if option.state & QStyle.StateFlag.State_Selected:
            paint.box(painter, rect, px(6), fill=theme.color("selection"))
        elif option.state & QStyle.StateFlag.State_MouseOver:
            paint.box(painter, rect, px(6), fill=theme.color("hover"))
        ink: ColorName = "disabled" if line.reason else "text"
        area = rect.adjusted(px(10), 0, -px(10), 0)
        if line.icon:
            spot = QRect(area.left(), area.top(), px(16), area.height())
            paint.icon_in(painter, theme, spot, line.icon, "disabled" if line.reason else "text2")
        area.setLeft(area.left() + px(26))
        if line.keys:
            width, height = paint.key_hint_size(theme, line.keys)
            spot = QRect(area.right() + 1 - width, area.top() + (area.height() - height) // 2, width, height)
            paint.key_hint(painter, theme, spot, line.keys)
            area.setRight(spot.left() - px(12))
        self._paint_words(painter, line, area, ink)

    def _paint_words(self, painter: QPainter, line: PaletteLine, area: QRect, ink: ColorName) -> None:
        theme, px = self._theme, self._theme.px
        small, body = theme.metrics("small"), theme.metrics("body")
        quiet = line.reason or line.detail
        wanted = body.horizontalAdvance(line.words) + 1
        room = max(area.width() - wanted - px(12), min(area.width() // 3, small.horizontalAdvance(quiet) + 1))
        width = min(small.horizontalAdvance(quiet) + 1, room) if quiet else 0
        spot = QRect(area.right() + 1 - width, area.top(), width, area.height())
        color = theme.color("disabled" if line.reason else "text2")
        paint.text(painter, spot, quiet, theme.font("small"), color, metrics=small)
        area.setRight(spot.left() - px(12) if quiet else area.right())
        elide = Qt.TextElideMode.ElideMiddle
        paint.text(painter, area, line.words, theme.font("body"), theme.color(ink), elide=elide, metrics=body)


class PalettePopup(PopupFrame):
    """`typed` with the words; `taken` with the row. Give it what fits with `show_lines`."""

    typed = Signal(str)
    taken = Signal(int)

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(theme, tr("Commands"), parent, radius=10)
        self._most = 0
        self.edit = LineEdit(theme, placeholder=tr("Search commands, workflows, pods and settings"))
        self.edit.setAccessibleName(tr("Search commands, workflows, pods and settings"))
        self.view = QListView(self)
        self.view.setAccessibleName(tr("What fits"))
        self.view.setFrameShape(QFrame.Shape.NoFrame)
        self.view.setUniformItemSizes(True)
        self.view.setMouseTracking(True)
        self.view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._lines = _Lines(self)
        self.view.setModel(self._lines)
        self.view.setItemDelegate(_Delegate(theme, self))
        self.view.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.empty = Label(theme, tr("Nothing matches"), font="small", color="text2")
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._line = Line(theme)
        self._column = QVBoxLayout(self)
        for widget in (self.edit, self._line, self.view, self.empty):
            self._column.addWidget(widget)
        self.edit.textChanged.connect(self.typed)
        self.edit.installEventFilter(self)
        self.view.clicked.connect(self._take)

    def open_over(self, window: QWidget) -> None:
        """Show it over the upper middle of `window`, empty."""
        theme, px = self._theme, self._theme.px
        self.dress(self, self.view)
        self._column.setContentsMargins(px(6), px(6), px(6), px(6))
        self._column.setSpacing(px(4))
        self.edit.setMinimumHeight(theme.height(ROW))
        self.edit.setTextMargins(px(6), 0, px(6), 0)
        self.edit.blockSignals(True)
        self.edit.clear()
        self.edit.blockSignals(False)
        width = min(px(WIDTH), window.width() - px(32))
        corner = window.mapToGlobal(QPoint((window.width() - width) // 2, min(px(72), window.height() // 8)))
        self._most = window.height() - px(96)
        self.setGeometry(QRect(corner, QSize(width, theme.height(ROW) * 2)))
        self.show()
        self.edit.setFocus(Qt.FocusReason.PopupFocusReason)
        self.typed.emit("")

    def show_lines(self, lines: tuple[PaletteLine, ...]) -> None:
        """What fits, best first; the first is the one that Enter takes."""
        self._lines.fill(lines)
        self.view.setVisible(bool(lines))
        self.empty.setVisible(not lines)
        theme = self._theme
        rows = min(ROWS, max(1, len(lines)))
        self.resize(self.width(), min(theme.height(ROW) * (rows + 1) + theme.px(26), self._most))
        self.cut_round()
        if lines:
            self.view.setCurrentIndex(self._lines.index(0))
            self.view.scrollToTop()

    def lines(self) -> tuple[PaletteLine, ...]:
        return self._lines.rows

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.edit and isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            if event.key() in _MOVES:
                self.view.keyPressEvent(event)
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._take(self.view.currentIndex())
                return True
        return super().eventFilter(watched, event)

    def _take(self, index: QModelIndex) -> None:
        if index.isValid() and self.isVisible() and not self._lines.rows[index.row()].reason:
            self.hide()
            self.taken.emit(index.row())
