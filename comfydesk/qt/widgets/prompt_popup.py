"""Names that could stand at the cursor, in a list below it; the keyboard stays in the text."""

from PySide6.QtCore import (
    QEvent,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QSize,
    QStringListModel,
    Qt,
)
from PySide6.QtGui import QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from comfydesk.qt.theme import ColorName, Theme
from comfydesk.qt.theme.language import tr, tr_n
from comfydesk.qt.widgets import paint
from comfydesk.qt.widgets.form_help import FormHelp
from comfydesk.qt.widgets.labels import Label
from comfydesk.qt.widgets.popup_window import PopupFrame
from comfydesk.qt.widgets.prompt_complete import Name, Wanted, insertion, matches, wanted_at
from comfydesk.qt.widgets.prompt_edit import PromptEdit

_Index = QModelIndex | QPersistentModelIndex
ROWS = 8
WIDTH = 300
_COLORS: dict[Name, ColorName] = {"lora": "lora", "embedding": "lora", "wildcard": "wildcard"}


def _titles() -> dict[Name, str]:
    return {"lora": tr("LoRAs on the pod"), "embedding": tr("Embeddings on the pod"), "wildcard": tr("Wildcards")}


class _NameDelegate(QStyledItemDelegate):
    """The name, its folder quieter."""

    def __init__(self, theme: Theme, parent: QObject) -> None:
        super().__init__(parent)
        self._theme = theme
        self.ink: ColorName = "text"

    def sizeHint(self, _option: QStyleOptionViewItem, _index: _Index) -> QSize:
        return QSize(self._theme.px(80), self._theme.height(24))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        theme, rect = self._theme, QRect(option.rect)
        painter.save()
        if option.state & QStyle.StateFlag.State_Selected:
            paint.box(painter, rect, theme.px(4), fill=theme.color("selection"))
        folder, _, name = str(index.data()).rpartition("/")
        area = rect.adjusted(theme.px(8), 0, -theme.px(8), 0)
        metrics, small = theme.metrics("body"), theme.metrics("caption")
        if folder:
            width = min(small.horizontalAdvance(folder) + 1, area.width() // 3)
            spot = QRect(area.right() + 1 - width, area.top(), width, area.height())
            paint.text(painter, spot, folder, theme.font("caption"), theme.color("text2"), metrics=small)
            area.setRight(spot.left() - theme.px(8))
        elide = Qt.TextElideMode.ElideMiddle
        paint.text(painter, area, name, theme.font("body"), theme.color(self.ink), elide=elide, metrics=metrics)
        painter.restore()


class NamePopup(PopupFrame):
    """Never takes the focus; `Completer` gives it its keys."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(theme, "", parent, kind=Qt.WindowType.ToolTip)
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.title = Label(theme, font="caption", color="text2")
        self.names = QStringListModel(self)
        self._delegate = _NameDelegate(theme, self)
        self.view = QListView(self)
        self.view.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.view.setUniformItemSizes(True)
        self.view.setItemDelegate(self._delegate)
        self.view.setModel(self.names)
        self.view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        column = QVBoxLayout(self)
        column.addWidget(self.title)
        column.addWidget(self.view, 1)
        self._column = column

    def show_names(self, kind: Name, names: tuple[str, ...], caret: QRect, screen: QRect) -> None:
        """`caret` and `screen` in global pixels."""
        theme = self._theme
        self._delegate.ink = _COLORS[kind]
        self.setAccessibleName(_titles()[kind])
        self.view.setAccessibleName(_titles()[kind])
        self.title.setText(_titles()[kind])
        self.names.setStringList(list(names))
        self.dress(self.view)
        edge = theme.px(4) + 1
        self._column.setContentsMargins(edge, edge, edge, edge)
        self._column.setSpacing(theme.px(2))
        self.title.setContentsMargins(theme.px(8), theme.px(2), 0, theme.px(2))
        height = min(len(names), ROWS) * theme.height(24) + self.title.sizeHint().height() + theme.px(2) + 2 * edge
        width = min(theme.px(WIDTH), screen.width())
        x = max(screen.left(), min(caret.left() - theme.px(8), screen.right() + 1 - width))
        below = caret.bottom() + 1 + theme.px(4)
        y = below if below + height <= screen.bottom() else caret.top() - theme.px(4) - height
        self.setGeometry(x, y, width, height)
        self.cut_round()
        self.show()
        self.step(0)

    def current(self) -> str:
        return str(self.view.currentIndex().data() or "")

    def step(self, rows: int) -> None:
        """Move the choice; 0: to the first."""
        last = self.names.rowCount() - 1
        row = 0 if not rows else max(0, min(last, self.view.currentIndex().row() + rows))
        self.view.setCurrentIndex(self.names.index(row))


class Completer(QObject):
    """Watches a PromptEdit: offers names while one is typed, puts the chosen one in."""

    def __init__(self, theme: Theme, edit: PromptEdit, help_: FormHelp) -> None:
        super().__init__(edit)
        self._theme, self._edit, self._help = theme, edit, help_
        self._wanted: Wanted | None = None
        self._popup: NamePopup | None = None
        self._dismissed = -1
        """Where Esc was pressed: nothing is offered there again."""
        edit.installEventFilter(self)
        edit.textChanged.connect(self._look)
        edit.cursorPositionChanged.connect(self._moved)

    @property
    def popup(self) -> NamePopup | None:
        """The list while it is open."""
        return self._popup if self._popup is not None and self._popup.isVisible() else None

    def close(self) -> None:
        if self._popup is not None:
            self._popup.hide()
        self._wanted = None

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if kind in (QEvent.Type.FocusOut, QEvent.Type.Hide, QEvent.Type.Resize, QEvent.Type.MouseButtonPress):
            self.close()
        elif isinstance(event, QKeyEvent) and self.popup is not None and _is_plain(event):
            if kind == QEvent.Type.ShortcutOverride and event.key() == Qt.Key.Key_Escape:
                event.accept()  # the sheet below stays
                return True
            if kind == QEvent.Type.KeyPress:
                return self._key(event.key())
        return super().eventFilter(watched, event)

    def _key(self, key: int) -> bool:
        popup = self._popup
        assert popup is not None
        steps = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1, Qt.Key.Key_PageUp: -ROWS, Qt.Key.Key_PageDown: ROWS}
        if key in steps:
            popup.step(steps[Qt.Key(key)])
            self._announce()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Tab):
            self._take(popup.current())
        elif key == Qt.Key.Key_Escape:
            self._dismissed = self._wanted.start if self._wanted is not None else -1
            self.close()
        else:
            return False
        return True

    def _moved(self) -> None:
        if self.popup is not None:
            self._look()

    def _look(self) -> None:
        edit = self._edit
        if not edit.hasFocus() or edit.isReadOnly() or edit.textCursor().hasSelection():
            self.close()
            return
        wanted = wanted_at(edit.toPlainText(), edit.textCursor().position())
        if wanted is None or wanted.start == self._dismissed:
            self._dismissed = self._dismissed if wanted is not None else -1
            self.close()
            return
        names = matches(self._help.names(wanted.kind), wanted.words)
        if not names or (len(names) == 1 and names[0] == wanted.words):
            self.close()
            return
        self._wanted = wanted
        self._show(wanted, names)

    def _show(self, wanted: Wanted, names: tuple[str, ...]) -> None:
        edit = self._edit
        if self._popup is None:
            self._popup = NamePopup(self._theme, edit)
            self._popup.view.clicked.connect(lambda index: self._take(str(index.data())))
        caret = edit.cursorRect()
        place = QRect(edit.viewport().mapToGlobal(QPoint(caret.left(), caret.top())), caret.size())
        self._popup.show_names(wanted.kind, names, place, edit.screen().availableGeometry())
        self._announce()

    def _announce(self) -> None:
        """For screen readers, whose place is in the text."""
        popup = self._popup
        if popup is not None:
            count = popup.names.rowCount()
            row = popup.view.currentIndex().row() + 1
            words = tr_n("{name}, {at} of {n}", "{name}, {at} of {n}", count, name=popup.current(), at=row)
            self._edit.setAccessibleDescription(words)

    def _take(self, name: str) -> None:
        wanted, edit = self._wanted, self._edit
        self.close()
        edit.setAccessibleDescription("")
        if wanted is not None and name:
            words = insertion(wanted, name, edit.toPlainText())
            edit.replace(wanted.start, wanted.end, words)
            self.close()


def _is_plain(event: QKeyEvent) -> bool:
    return not event.modifiers() & ~(Qt.KeyboardModifier.KeypadModifier | Qt.KeyboardModifier.ShiftModifier)
