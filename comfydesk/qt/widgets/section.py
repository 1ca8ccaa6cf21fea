"""A fold: a line to click, and what it shows or hides."""

from PySide6.QtCore import QEasingCurve, QRect, QSize, Qt, QVariantAnimation, Signal
from PySide6.QtGui import QFocusEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QVBoxLayout, QWidget

from comfydesk.qt.theme import Theme
from comfydesk.qt.widgets import paint
from comfydesk.qt.widgets.focus_ring import ring_off, ring_on_focus

FOLD_MS = 160


class SectionHeader(QAbstractButton):
    """Chevron, name, a count or a preview of what is folded away, and a note at the right."""

    def __init__(
        self, theme: Theme, name: str, *, detail: str = "", note: str = "", quiet: bool = False,
        parent: QWidget | None = None,
    ) -> None:  # fmt: skip
        """`quiet` headers are in text2 (Negative, groups)."""
        super().__init__(parent)
        self._theme, self._quiet = theme, quiet
        self._detail, self._note = detail, note
        self.setText(name)
        self.setCheckable(True)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(name)
        theme.changed.connect(self.updateGeometry)

    def set_detail(self, detail: str) -> None:
        self._detail = " ".join(detail[:400].split())
        self.setAccessibleDescription(self._detail)
        self.update()

    def set_note(self, note: str) -> None:
        self._note = note
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(120), self._theme.height(28))

    def minimumSizeHint(self) -> QSize:
        return QSize(self._theme.px(64), self._theme.height(28))

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme, painter, px = self._theme, QPainter(self), self._theme.px
        spot = QRect(-px(1), 0, px(16), self.height())
        hovered = self.underMouse() and self.isEnabled()
        icon = "chevron-down" if self.isChecked() else "chevron-right"
        paint.icon_in(painter, theme, spot, icon, "text" if hovered else "text2")
        x, right = px(20), self.width()
        small = theme.metrics("body")
        if self._note:
            width = small.horizontalAdvance(self._note) + 1
            area = QRect(right - width, 0, width, self.height())
            paint.text(painter, area, self._note, theme.font("body"), theme.color("text2"), metrics=small)
            right -= width + px(8)
        name = "body" if self._quiet else "label"
        color = theme.color("text2" if self._quiet and not hovered else "text")
        metrics = theme.metrics("label" if name == "label" else "body")
        area = QRect(x, 0, max(0, right - x), self.height())
        x += paint.text(painter, area, self.text(), theme.font("label" if name == "label" else "body"), color,
                        metrics=metrics) + px(10 if self._quiet else 6)  # fmt: skip
        if self._detail and not (self._quiet and self.isChecked()):
            area = QRect(x, 0, max(0, right - x), self.height())
            color = theme.color("disabled" if self._quiet else "text2")
            paint.text(painter, area, self._detail, theme.font("body"), color, metrics=small)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        ring_on_focus(self._theme, self, event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        ring_off(self)


class Section(QWidget):
    """Header and content; the content glides open in 160 ms, or at once where motion is reduced."""

    toggled = Signal(bool)
    opening = Signal()
    """Before the content shows, so that it can be built then."""

    def __init__(
        self, theme: Theme, name: str, content: QWidget | None = None, *, detail: str = "", note: str = "",
        quiet: bool = False, parent: QWidget | None = None,
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self._theme = theme
        self.header = SectionHeader(theme, name, detail=detail, note=note, quiet=quiet, parent=self)
        self.content = content if content is not None else QWidget()
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._column.addWidget(self.header)
        self._column.addWidget(self.content)
        self.content.setVisible(False)
        self._glides = True
        self._animation = QVariantAnimation(self)
        self._animation.setEasingCurve(QEasingCurve.Type.OutCubic)
        self._animation.valueChanged.connect(lambda height: self.content.setMaximumHeight(int(height)))
        self._animation.finished.connect(self._settle)
        self.header.toggled.connect(self._toggle)

    @property
    def is_open(self) -> bool:
        return self.header.isChecked()

    def set_open(self, opened: bool, *, animate: bool = True) -> None:
        """Fold or unfold; `animate` False is for restoring a layout."""
        if opened == self.is_open:
            return
        self._glides = animate
        self.header.setChecked(opened)
        self._glides = True

    def _toggle(self, opened: bool) -> None:
        if opened:
            self.opening.emit()
        duration = self._theme.duration(FOLD_MS) if self._glides and self.isVisible() else 0
        start = self.content.height() if self.content.isVisible() else 0
        self._animation.stop()
        if duration == 0:
            self._settle()
        else:
            self.content.setMaximumHeight(start if opened else self.content.height())
            self.content.setVisible(True)
            self._animation.setDuration(duration)
            self._animation.setStartValue(start)
            self._animation.setEndValue(self._wanted() if opened else 0)
            self._animation.start()
        self.toggled.emit(opened)

    def _wanted(self) -> int:
        layout = self.content.layout()
        if layout is not None and layout.hasHeightForWidth():
            return layout.totalHeightForWidth(self.width())
        return self.content.sizeHint().height()

    def _settle(self) -> None:
        self.content.setVisible(self.is_open)
        self.content.setMaximumHeight(16_777_215)  # QWIDGETSIZE_MAX: as tall as it likes
