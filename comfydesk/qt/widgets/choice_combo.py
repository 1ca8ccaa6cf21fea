"""One of several: a field that opens a list; long lists can be searched."""

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QComboBox, QSizePolicy, QStyle, QStyleOptionComboBox, QWidget

from comfydesk.qt.models.tips import plain_tip
from comfydesk.qt.theme import ColorName, Theme
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets import paint
from comfydesk.qt.widgets.editor import Editor
from comfydesk.qt.widgets.popup_list import Entry, PopupList


class Combo(QComboBox):
    """A QComboBox (for its keys and its accessibility) drawn from the theme, with our list."""

    def __init__(self, theme: Theme, height: int = 28, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self._height = height
        self._invalid = False
        self._popup: PopupList | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        # Otherwise Qt measures every entry of a list of thousands.
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(6)
        theme.changed.connect(self.updateGeometry)

    def entries(self) -> tuple[Entry, ...]:
        """What the list shows."""
        return tuple(Entry(self.itemText(at)) for at in range(self.count()))

    def set_invalid(self, invalid: bool) -> None:
        self._invalid = invalid
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(self.theme.px(120), self.least_height())

    def minimumSizeHint(self) -> QSize:
        return QSize(self.theme.px(64), self.least_height())

    def least_height(self) -> int:
        """The height of the design, or of the text."""
        return self.theme.height(self._height)

    def showPopup(self) -> None:  # noqa: N802  # Qt's name
        if self._popup is None:
            self._popup = PopupList(self.theme, self.accessibleName() or tr("Choices"), self)
            self._popup.picked.connect(self._picked)
            self._popup.closed.connect(self.update)
        self._popup.open_at(self, self.entries(), self.currentIndex())
        self.update()

    def hidePopup(self) -> None:  # noqa: N802  # Qt's name
        if self._popup is not None:
            self._popup.hide()

    def popup(self) -> PopupList | None:
        """The list, once it was opened."""
        return self._popup

    def _picked(self, at: int) -> None:
        self.setCurrentIndex(at)
        self.activated.emit(at)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter, theme = QPainter(self), self.theme
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        hovered = bool(option.state & QStyle.StateFlag.State_MouseOver)
        opened = self._popup is not None and self._popup.isVisible()
        outline, width = self._outline(focused=self.hasFocus() or opened)
        fill: ColorName = "window" if not self.isEnabled() else "hover" if hovered else "field"
        paint.box(painter, self.rect(), theme.px(6), fill=theme.color(fill), outline=theme.color(outline), width=width)
        edge = theme.px(10)
        spot = self.rect().adjusted(self.width() - theme.px(16) - edge, 0, -edge, 0)
        paint.icon_in(painter, theme, spot, "chevron-down", "text2" if self.isEnabled() else "disabled")
        self.paint_value(painter, self.rect().adjusted(edge, 0, -edge - theme.px(24), 0))

    def paint_value(self, painter: QPainter, area: Any) -> None:
        """The current entry, in `area`."""
        theme = self.theme
        ink: ColorName = "text" if self.isEnabled() and self.currentIndex() >= 0 else "disabled"
        words = self.currentText() if self.currentIndex() >= 0 else self.placeholderText()
        elide = Qt.TextElideMode.ElideMiddle
        metrics = theme.metrics("body")
        paint.text(painter, area, words, theme.font("body"), theme.color(ink), elide=elide, metrics=metrics)

    def _outline(self, *, focused: bool) -> tuple[ColorName, int]:
        if not self.isEnabled():
            return "border", 1
        if self._invalid:
            return "danger", self.theme.px(2) if focused else 1
        return ("accent", self.theme.px(2)) if focused else ("control", 1)


class ChoiceEditor(Editor):
    """A combo whose entries keep their own types (a choice may be a number or a truth value)."""

    def __init__(
        self, theme: Theme, choices: Sequence[Any], value: Any = None, *, parent: QWidget | None = None
    ) -> None:
        super().__init__(theme, parent)
        self._choices: list[Any] = []
        self.combo = self._make_combo()
        self.row.addWidget(self.combo)
        self.setFocusProxy(self.combo)
        self.set_choices(choices, value)
        self.combo.activated.connect(self._activated)

    def _make_combo(self) -> Combo:
        return Combo(self.theme)

    def choices(self) -> tuple[Any, ...]:
        return tuple(self._choices)

    def set_choices(self, choices: Sequence[Any], value: Any) -> None:
        """Offer `choices` (the pod's own spelling) and show `value`; emits nothing."""
        self._choices = list(choices)
        blocked = self.combo.blockSignals(True)
        self.combo.clear()
        self.combo.addItems([str(choice) for choice in self._choices])
        self.combo.blockSignals(blocked)
        self.set_value(value)

    def value(self) -> Any:
        at = self.combo.currentIndex()
        return self._choices[at] if 0 <= at < len(self._choices) else None

    def set_value(self, value: Any) -> None:
        """Show `value`; one that is not on offer is added, so that nothing is lost, and stays until replaced."""
        at = self._find(value)
        if at < 0 and value is not None:
            self._choices.append(value)
            self.combo.addItem(str(value))
            at = len(self._choices) - 1
        blocked = self.combo.blockSignals(True)
        self.combo.setCurrentIndex(at)
        self.combo.blockSignals(blocked)
        self.combo.setToolTip(plain_tip("" if value is None else value))

    def set_name(self, name: str) -> None:
        self.combo.setAccessibleName(name)

    def set_invalid(self, invalid: bool) -> None:
        self.combo.set_invalid(invalid)

    def _find(self, value: Any) -> int:
        for at, choice in enumerate(self._choices):
            # True == 1 in Python, but not to a pod.
            if choice == value and isinstance(choice, bool) == isinstance(value, bool):
                return at
        return -1

    def _activated(self, _at: int) -> None:
        self.combo.setToolTip(plain_tip(self.combo.currentText()))
        self.value_changed.emit(self.value())
