"""Nothing here yet: one icon, what, what next, one button."""

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from comfydesk.qt.theme import Theme
from comfydesk.qt.widgets import paint
from comfydesk.qt.widgets.buttons import Button
from comfydesk.qt.widgets.labels import Label


class _Icon(QWidget):
    def __init__(self, theme: Theme, name: str) -> None:
        super().__init__()
        self._theme, self.name = theme, name
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(20), self._theme.px(20))

    def paintEvent(self, _event: QPaintEvent) -> None:
        paint.icon_in(QPainter(self), self._theme, self.rect(), self.name, "text2", 20)


class EmptyState(QWidget):
    """`acted` when the button was pressed. Where it is low the icon goes first, then what comes next."""

    acted = Signal()

    def __init__(
        self, theme: Theme, icon: str, what: str, next_step: str = "", *, action: str = "",
        parent: QWidget | None = None,
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self._theme = theme
        self._icon = _Icon(theme, icon)
        self._what = Label(theme, font="label", wrap=True)
        self._next = Label(theme, font="small", color="text2", wrap=True)
        self.button = Button(theme)
        self._column = QVBoxLayout(self)
        self._column.addStretch(1)
        center = Qt.AlignmentFlag.AlignHCenter
        self._column.addWidget(self._icon, 0, center)
        for label in (self._what, self._next):
            label.setAlignment(center)
            self._column.addWidget(label)
        self._column.addWidget(self.button, 0, center)
        self._column.addStretch(1)
        self.button.clicked.connect(self.acted)
        theme.changed.connect(self._measure)
        self._measure()
        self.tell(icon, what, next_step, action=action)

    def tell(self, icon: str, what: str, next_step: str = "", *, action: str = "") -> None:
        """Say something else."""
        self._icon.name = icon
        self._what.setText(what)
        self._next.setText(next_step)
        self.button.setText(action)
        self.button.setVisible(bool(action))
        self.setAccessibleName(f"{what}. {next_step}".strip())
        self._fit()
        self.update()

    def minimumSizeHint(self) -> QSize:
        px, least = self._theme.px, self._what.minimumSizeHint()
        high = least.height() + 2 * px(4)
        if not self.button.isHidden():
            high += self.button.sizeHint().height() + px(8)
        return QSize(max(least.width(), self.button.minimumSizeHint().width()) + 2 * px(16), high)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        px, wide = self._theme.px, max(1, self.width() - 2 * self._theme.px(16))
        room = self.height() - self._what.heightForWidth(wide) - 2 * px(16)
        if not self.button.isHidden():
            room -= self.button.sizeHint().height() + px(8)
        then = self._next.heightForWidth(wide) + px(8) if self._next.text() else 0
        # Before it is laid out it has no height to go by.
        laid_out = self.testAttribute(Qt.WidgetAttribute.WA_WState_Created) or self.isVisible()
        self._next.setVisible(bool(then) and (not laid_out or room + px(24) >= then))
        self._icon.setVisible(not laid_out or room - then >= px(28))
        edge = px(16) if not laid_out or room >= 0 else px(4)
        self._column.setContentsMargins(px(16), edge, px(16), edge)

    def _measure(self) -> None:
        px = self._theme.px
        self._column.setSpacing(px(8))
        self._fit()
