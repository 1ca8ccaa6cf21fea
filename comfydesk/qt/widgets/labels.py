"""Words on the screen: always plain text, in a font and colour of the theme."""

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPalette, QResizeEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from comfydesk.qt.models.tips import plain_tip
from comfydesk.qt.theme import ColorName, FontName, Theme
from comfydesk.qt.widgets import paint

LONGEST_LINE = 2000
"""Characters of one line: more than any screen shows."""


class Label(QLabel):
    """A QLabel that never takes markup from anybody and follows the theme."""

    def __init__(
        self,
        theme: Theme,
        words: str = "",
        *,
        font: FontName = "body",
        color: ColorName = "text",
        wrap: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme, self._font_name, self._color = theme, font, color
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(wrap)
        self.setText(words)
        theme.changed.connect(self._restyle)
        self._restyle()

    def set_color(self, color: ColorName) -> None:
        if color != self._color:
            self._color = color
            self._restyle()

    def _restyle(self) -> None:
        self.setFont(self._theme.font(self._font_name))
        palette = QPalette()  # nothing but this role: the rest is the surface's
        palette.setColor(QPalette.ColorRole.WindowText, self._theme.color(self._color))
        disabled = self._theme.color("disabled")
        palette.setColor(QPalette.ColorGroup.Disabled, QPalette.ColorRole.WindowText, disabled)
        self.setPalette(palette)


class ElidedLabel(QWidget):
    """One line that gives way: shortened at its end, or in the middle for names of models and files."""

    def __init__(
        self,
        theme: Theme,
        words: str = "",
        *,
        font: FontName = "body",
        color: ColorName = "text",
        middle: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme, self._font_name, self._color = theme, font, color
        self._mode = Qt.TextElideMode.ElideMiddle if middle else Qt.TextElideMode.ElideRight
        self._words = ""
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self._restyle)
        self.set_text(words)

    def text(self) -> str:
        """The text, on the screen shortened or not; at most LONGEST_LINE characters of it."""
        return self._words

    def set_text(self, words: str) -> None:
        # Measuring a text of 200,000 characters, which a workflow may have for a name, takes a second.
        self._words = " ".join(words[:LONGEST_LINE].split())
        self.setAccessibleName(self._words)
        self._restyle()

    def set_color(self, color: ColorName) -> None:
        self._color = color
        self.update()

    def is_elided(self) -> bool:
        """Whether the words do not fit at this width."""
        return self._theme.metrics(self._font_name).horizontalAdvance(self._words) > self.width()

    def sizeHint(self) -> QSize:
        metrics = self._theme.metrics(self._font_name)
        return QSize(metrics.horizontalAdvance(self._words) + 1, metrics.height())

    def minimumSizeHint(self) -> QSize:
        metrics = self._theme.metrics(self._font_name)
        return QSize(metrics.horizontalAdvance(paint.ELLIPSIS), metrics.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.setToolTip(plain_tip(self._words) if self.is_elided() else "")

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.EnabledChange:
            self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        color = self._theme.color(self._color if self.isEnabled() else "disabled")
        font, metrics = self._theme.font(self._font_name), self._theme.metrics(self._font_name)
        paint.text(painter, self.rect(), self._words, font, color, elide=self._mode, metrics=metrics)

    def _restyle(self) -> None:
        self.setToolTip(plain_tip(self._words) if self.width() and self.is_elided() else "")
        self.updateGeometry()
        self.update()
