"""The box around whatever takes input, and the line of text that most of them hold."""

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QSizePolicy, QWidget

from comfydesk.qt.theme import ColorName, FontName, Theme
from comfydesk.qt.widgets import paint

_FOCUS_EVENTS = (QEvent.Type.FocusIn, QEvent.Type.FocusOut)


class FieldFrame(QWidget):
    """Paints field, outline, focus and error around its children; they lie in `row`."""

    def __init__(self, theme: Theme, *, height: int = 28, padding: int = 10, parent: QWidget | None = None) -> None:
        """`height` and `padding` are measures of the design."""
        super().__init__(parent)
        self.theme = theme
        self._height, self._padding = height, padding
        self._invalid = False
        self._focused = False
        self.row = QHBoxLayout(self)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self._measure)
        self._measure()

    def hold(self, editor: QWidget, stretch: int = 1) -> None:
        """Add `editor`, and show its focus as the frame's."""
        self.row.addWidget(editor, stretch)
        self.watch(editor)

    def watch(self, editor: QWidget) -> None:
        """Show the focus of `editor`, which is laid out elsewhere."""
        editor.installEventFilter(self)
        self.setFocusProxy(editor)

    def set_invalid(self, invalid: bool) -> None:
        if invalid != self._invalid:
            self._invalid = invalid
            self.update()

    @property
    def invalid(self) -> bool:
        return self._invalid

    @property
    def focused(self) -> bool:
        return self._focused

    def sizeHint(self) -> QSize:
        wanted = super().sizeHint()
        return QSize(wanted.width(), max(wanted.height(), self.least_height()))

    def minimumSizeHint(self) -> QSize:
        # Not as a minimum height: an explicit one would let a layout squeeze the frame below its content.
        least = super().minimumSizeHint()
        return QSize(least.width(), max(least.height(), self.least_height()))

    def least_height(self) -> int:
        """The height of the design, or of a line of text."""
        return self.theme.height(self._height)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in _FOCUS_EVENTS:
            self._focused = event.type() == QEvent.Type.FocusIn
            self.update()
        return super().eventFilter(watched, event)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.EnabledChange:
            self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter, theme = QPainter(self), self.theme
        fill: ColorName = "field" if self.isEnabled() else "window"
        outline, width = self._outline()
        paint.box(painter, self.rect(), theme.px(6), fill=theme.color(fill), outline=theme.color(outline), width=width)

    def _outline(self) -> tuple[ColorName, int]:
        if not self.isEnabled():
            return "border", 1
        if self._invalid:
            return "danger", self.theme.px(2) if self._focused else 1
        return ("accent", self.theme.px(2)) if self._focused else ("control", 1)

    def _measure(self) -> None:
        px = self.theme.px
        self.row.setContentsMargins(px(self._padding), 2, px(self._padding), 2)
        self.row.setSpacing(px(8))
        self.updateGeometry()
        self.update()


class LineEdit(QLineEdit):
    """A frameless QLineEdit in a font of the theme; its FieldFrame draws the rest."""

    def __init__(
        self,
        theme: Theme,
        words: str = "",
        *,
        placeholder: str = "",
        font: FontName = "body",
        right: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(words, parent)
        self._theme, self._font_name = theme, font
        self.setFrame(False)
        self.setPlaceholderText(placeholder)
        self.setTextMargins(-2, 0, -2, 0)  # takes back what QLineEdit insets by itself
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        if right:
            self.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        theme.changed.connect(self._restyle)
        self._restyle()

    def minimumSizeHint(self) -> QSize:
        return QSize(self._theme.px(16), self._theme.metrics(self._font_name).height())

    def sizeHint(self) -> QSize:
        metrics = self._theme.metrics(self._font_name)
        return QSize(metrics.horizontalAdvance("0" * 8), metrics.height() + 2)

    def _restyle(self) -> None:
        self.setFont(self._theme.font(self._font_name))
        # The frame paints what is behind the words, in every state.
        palette = QPalette()
        palette.setColor(QPalette.ColorRole.Base, Qt.GlobalColor.transparent)
        self.setPalette(palette)
        self.updateGeometry()
