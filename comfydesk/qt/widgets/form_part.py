"""The rows of a form: what every one can do, and the plain one with a label, an editor and its message."""

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QEnterEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QBoxLayout, QMenu, QSizePolicy, QVBoxLayout, QWidget

from comfydesk.qt.models.tips import plain_tip
from comfydesk.qt.theme import ColorName, Theme
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets import paint
from comfydesk.qt.widgets.buttons import IconButton, Size
from comfydesk.qt.widgets.editor import Editor
from comfydesk.qt.widgets.labels import ElidedLabel
from comfydesk.workflow.fields import Field

LABEL_WIDTH = 72


class Message(QWidget):
    """The caption under a field that says what is wrong."""

    def __init__(self, theme: Theme, words: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        # Not Fixed: a layout would cap it at the height for some other width.
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self._words = ""
        self.set_text(words)
        theme.changed.connect(self.updateGeometry)

    def text(self) -> str:
        return self._words

    def set_text(self, words: str) -> None:
        self._words = words
        self.setAccessibleName(words)
        self.setToolTip(plain_tip(words))
        self.updateGeometry()
        self.update()

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        room = max(40, width - self._theme.px(18))
        flags = int(Qt.TextFlag.TextWordWrap)
        return self._theme.metrics("caption").boundingRect(0, 0, room, 10_000, flags, self._words).height() + 2

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(120), self.heightForWidth(self.width() or self._theme.px(240)))

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme, painter, px = self._theme, QPainter(self), self._theme.px
        line = theme.metrics("caption").height()
        spot = self.rect().adjusted(0, 0, px(13) - self.width(), line - self.height())
        paint.icon_in(painter, theme, spot, "error", "danger", 13)
        painter.setFont(theme.font("caption"))
        painter.setPen(theme.color("danger"))
        painter.drawText(self.rect().adjusted(px(18), 0, 0, 0), int(Qt.TextFlag.TextWordWrap), self._words)


class FormPart(QWidget):
    """Some fields of a form on the screen.

    `edited` tells (field id, value) when the user changed one, `problem` (field id, sentence or "") when what is typed
    is no value.
    """

    edited = Signal(str, object)
    problem = Signal(str, str)
    reset_wanted = Signal(str)
    lock_changed = Signal(str, bool)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self._messages: dict[str, Message] = {}
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)

    def fields(self) -> tuple[Field, ...]:
        raise NotImplementedError

    def editor(self, field_id: str, /) -> QWidget:
        """The widget to focus for that field."""
        raise NotImplementedError

    def show_value(self, field_id: str, value: Any, /) -> None:
        raise NotImplementedError

    def show_changed(self, field_id: str, changed: bool, default: str, /) -> None:
        """Mark the field as different from what the workflow came with."""

    def show_error(self, field_id: str, words: str) -> None:
        """A sentence below the field, "" takes it away."""
        message = self._messages.get(field_id)
        if message is None:
            if not words:
                return
            message = self._messages[field_id] = Message(self.theme, words)
            self.place_message(message)
        message.set_text(words)
        label = next((field.label for field in self.fields() if field.id == field_id), "")
        message.setAccessibleName(f"{label}: {words}" if label and words else words)
        message.setVisible(bool(words))
        self.mark_invalid(field_id, bool(words))

    def place_message(self, message: Message) -> None:
        self.column.addWidget(message)

    def mark_invalid(self, field_id: str, invalid: bool, /) -> None:
        """Outline the field in danger."""

    def commit(self) -> None:
        """Take what is being typed."""

    def set_label_width(self, width: int) -> None:
        """The width of the label column, in the design's pixels."""

    def show_focus(self, inside: bool) -> None:
        """The keyboard came into this row or left it."""

    def seeds(self) -> Mapping[str, bool]:
        """Field id → locked, of the seeds in here."""
        return {}


class FieldLabel(ElidedLabel):
    """Name of a field; shows a way back when the value is not the workflow's own."""

    reset = Signal()

    def __init__(self, theme: Theme, field: Field, *, strong: bool = False, parent: QWidget | None = None) -> None:
        """`strong` for the heading of a part of its own."""
        self._rest: ColorName = "text" if strong else "text2"
        self._tip = field.tooltip
        super().__init__(theme, field.label, font="label" if strong else "body", color=self._rest, parent=parent)
        self._button: IconButton | None = None
        self._changed = False

    @property
    def changed(self) -> bool:
        return self._changed

    def set_changed(self, changed: bool, default: str) -> None:
        """`default` is what a reset brings back, in words."""
        self._changed = changed
        self.set_color("text" if changed else self._rest)
        if self._button is not None:
            self._button.set_name(_reset_words(default))
            self._button.setVisible(self._button.isVisible() and changed)

    def offer_reset(self, offered: bool, default: str) -> None:
        """Lay the way back over the label's end while the row is pointed at or has the focus."""
        if not self._changed or not offered:
            if self._button is not None:
                self._button.hide()
            return
        if self._button is None:
            self._button = IconButton(self._theme, "undo", _reset_words(default), size=Size.COMPACT, parent=self)
            self._button.setAutoFillBackground(True)
            self._button.clicked.connect(self.reset)
        side = self._button.sizeHint()
        self._button.setGeometry(
            self.width() - side.width(), (self.height() - side.height()) // 2, side.width(), side.height()
        )
        self._button.show()

    def minimumSizeHint(self) -> QSize:
        return QSize(self._theme.px(24), max(self._theme.px(24), super().minimumSizeHint().height()))

    def sizeHint(self) -> QSize:
        return QSize(super().sizeHint().width(), self.minimumSizeHint().height())

    def _restyle(self) -> None:
        super()._restyle()
        if self._tip:
            self.setToolTip(plain_tip(self._tip))


def _reset_words(default: str) -> str:
    return tr("Back to {default}", default=default) if default else tr("Back to empty")


class RowPart(FormPart):
    """Label and editor in a row; the label stands above where the text is large."""

    def __init__(self, theme: Theme, field: Field, editor: Editor, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self.field, self._editor = field, editor
        self._default = ""
        self._label_width = LABEL_WIDTH
        self._hovered = self._inside = False
        self.label = FieldLabel(theme, field)
        self._line = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._line.addWidget(self.label)
        self._line.addWidget(editor, 1)
        self.column.addLayout(self._line)
        editor.value_changed.connect(lambda value: self.edited.emit(field.id, value))
        editor.problem_changed.connect(lambda words: self.problem.emit(field.id, words))
        self.label.reset.connect(lambda: self.reset_wanted.emit(field.id))
        theme.changed.connect(self._measure)
        self._measure()

    def fields(self) -> tuple[Field, ...]:
        return (self.field,)

    def editor(self, _field_id: str, /) -> QWidget:
        return self._editor

    def show_value(self, _field_id: str, value: Any, /) -> None:
        self._editor.set_value(value)

    def show_changed(self, _field_id: str, changed: bool, default: str, /) -> None:
        self._default = default
        self.label.set_changed(changed, default)
        self._offer()

    def mark_invalid(self, _field_id: str, invalid: bool, /) -> None:
        self._editor.set_invalid(invalid)

    def commit(self) -> None:
        self._editor.commit()

    def set_label_width(self, width: int) -> None:
        self._label_width = width
        self._measure()

    def place_message(self, message: Message) -> None:
        row = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        if not self.theme.labels_above:
            row.addSpacing(self.theme.px(self._label_width) + self.theme.px(8))
        row.addWidget(message, 1)
        self.column.addLayout(row)

    def show_focus(self, inside: bool) -> None:
        self._inside = inside
        self._offer()

    def enterEvent(self, event: QEnterEvent) -> None:
        super().enterEvent(event)
        self._hovered = True
        self._offer()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._hovered = False
        self._offer()

    def _offer(self) -> None:
        self.label.offer_reset(self._hovered or self._inside, self._default)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        back = menu.addAction(_reset_words(self._default), lambda: self.reset_wanted.emit(self.field.id))
        back.setEnabled(self.label.changed)
        menu.popup(event.globalPos())

    def _measure(self) -> None:
        above = self.theme.labels_above
        direction = QBoxLayout.Direction
        self._line.setDirection(direction.TopToBottom if above else direction.LeftToRight)
        self._line.setSpacing(self.theme.px(4 if above else 8))
        self.column.setSpacing(self.theme.px(4))
        if above:
            self.label.setMinimumWidth(0)
            self.label.setMaximumWidth(16_777_215)
        else:
            self.label.setFixedWidth(self.theme.px(self._label_width))
