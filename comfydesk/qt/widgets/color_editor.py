"""A colour: its swatch, which opens the palette, and its digits."""

from typing import Any

from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QColorDialog, QWidget

from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets import paint
from comfydesk.qt.widgets.buttons import IconButton, Size
from comfydesk.qt.widgets.editor import Editor
from comfydesk.qt.widgets.text_line import TextLine


class _Swatch(IconButton):
    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, "drop", tr("Choose a colour"), size=Size.CONTROL)
        self.shown = QColor()

    def sizeHint(self) -> QSize:
        side = self.theme.height(28)
        return QSize(side, side)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        outline = self.theme.color("control")
        paint.box(painter, self.rect(), self.theme.px(6), fill=self.shown, outline=outline)


class ColorEditor(Editor):
    """Its value is "#rrggbb", as the graph has it."""

    def __init__(self, theme: Theme, value: str = "#000000", parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self._value, self._problem = value, ""
        self.swatch = _Swatch(theme)
        self.line = TextLine(theme, font="mono")
        self.row.addWidget(self.swatch)
        self.row.addWidget(self.line, 1)
        self.setFocusProxy(self.line)
        self.swatch.clicked.connect(self._open)
        self.line.value_changed.connect(self._typed)
        self.set_value(value)

    def value(self) -> str:
        return self._value

    def set_value(self, value: Any) -> None:
        self._value = "" if value is None else str(value)
        self.line.set_value(self._value)
        self.swatch.shown = QColor.fromString(self._value)
        self.swatch.update()
        self._say("")

    def set_name(self, name: str) -> None:
        self.line.set_name(name)
        self.swatch.set_name(tr("Choose {name}", name=name))

    def set_invalid(self, invalid: bool) -> None:
        self.line.set_invalid(invalid or bool(self._problem))

    def problem(self) -> str:
        return self._problem

    def _typed(self, words: str) -> None:
        color = QColor.fromString(words.strip())
        self._say("" if color.isValid() else tr("A colour looks like #63adf2."))
        if color.isValid():
            self._take(words.strip())

    def _open(self) -> None:
        dialog = QColorDialog(QColor.fromString(self._value), self)
        dialog.setOption(QColorDialog.ColorDialogOption.DontUseNativeDialog)
        dialog.setModal(False)
        dialog.colorSelected.connect(lambda color: self._chosen(color.name()))
        dialog.finished.connect(dialog.deleteLater)
        dialog.show()

    def _chosen(self, value: str) -> None:
        self.line.set_value(value)
        self._take(value)

    def _take(self, value: str) -> None:
        self.swatch.shown = QColor.fromString(value)
        self.swatch.update()
        if value != self._value:
            self._value = value
            self.value_changed.emit(value)

    def _say(self, problem: str) -> None:
        self.line.set_invalid(bool(problem))
        if problem != self._problem:
            self._problem = problem
            self.problem_changed.emit(problem)
