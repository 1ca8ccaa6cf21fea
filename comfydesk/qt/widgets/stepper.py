"""How many: minus, the number, plus."""

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from comfydesk.qt.models.tips import plain_tip
from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets.buttons import IconButton, Size
from comfydesk.qt.widgets.field_frame import FieldFrame
from comfydesk.qt.widgets.number_field import NumberEdit
from comfydesk.qt.widgets.numbers import Range, parse_number


class Stepper(FieldFrame):
    """`changed` with the new number; it can be typed too."""

    changed = Signal(int)

    def __init__(
        self,
        theme: Theme,
        name: str,
        value: int = 1,
        *,
        minimum: int = 1,
        maximum: int = 999,
        height: int = 36,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(theme, height=height, padding=4, parent=parent)
        self._range = Range(integer=True, minimum=minimum, maximum=maximum, step=1)
        self._value = value
        self.less = IconButton(theme, "minus", tr("One less"), size=Size.COMPACT)
        self.more = IconButton(theme, "plus", tr("One more"), size=Size.COMPACT)
        self.edit = NumberEdit(theme)
        self.edit.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.edit.setAccessibleName(name)
        self.setToolTip(plain_tip(name))
        self.row.addWidget(self.less)
        self.hold(self.edit)
        self.row.addWidget(self.more)
        self.row.setSpacing(0)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.less.clicked.connect(lambda: self._step(-1))
        self.more.clicked.connect(lambda: self._step(1))
        self.edit.stepped.connect(self._step)
        self.edit.textEdited.connect(self._typed)
        self.edit.left.connect(self._show)
        self.edit.returnPressed.connect(self._show)
        self._show()

    def value(self) -> int:
        return self._value

    def set_value(self, value: int) -> None:
        """Emits nothing."""
        self._value = int(self._range.clamp(value))
        self._show()

    def sizeHint(self) -> QSize:
        width = max(self.theme.px(76), self.theme.metrics("body").horizontalAdvance("000") + self.theme.px(62))
        return QSize(width, self.least_height())

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._show()

    def _step(self, steps: int) -> None:
        self._take(int(self._range.clamp(self._value + steps)))
        self._show()

    def _typed(self, words: str) -> None:
        value = parse_number(words, integer=True)
        if value is not None and not self._range.problem(words):
            self._take(int(value))

    def _take(self, value: int) -> None:
        if value != self._value:
            self._value = value
            self.changed.emit(value)

    def _show(self) -> None:
        self.edit.setText(str(self._value))
        self.less.set_blocked("" if self._value > int(self._range.minimum or 0) else tr("Not fewer than this"))
        self.more.set_blocked("" if self._value < int(self._range.maximum or 0) else tr("Not more than this"))
