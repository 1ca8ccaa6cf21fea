"""The theme of a running window: colours, fonts, measures and icons, switched while it runs."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QAction, QColor, QFont, QFontMetrics, QIcon, QPalette, QPixmap
from PySide6.QtWidgets import QAbstractButton, QApplication, QMenu, QToolTip, QWidget

from comfydesk import paths
from comfydesk.qt.theme.appearance import Appearance, Scheme
from comfydesk.qt.theme.fonts import FontName, Fonts
from comfydesk.qt.theme.icons import Icons
from comfydesk.qt.theme.palette import palette_of
from comfydesk.qt.theme.tokens import COLOR_NAMES, DARK, LIGHT, TONE_COLORS, ColorName, Tokens, Tone

if TYPE_CHECKING:
    from comfydesk.qt.theme.style import Style

DEFAULT = Appearance()
LABELS_ABOVE = 1.5
"""From this text scale on, a form's labels stand above their fields."""


class Theme(QObject):
    """Made once at the top and handed to every widget; `changed` tells them to measure and paint anew.

    Measures are device-independent pixels of the design, enlarged by the user's scale: `px` for space and marks,
    `height` for whatever holds a line of text (it grows with the font).
    """

    changed = Signal()

    def __init__(self, appearance: Appearance = DEFAULT, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.icons = Icons(paths.resources() / "icons")
        self._app: QApplication | None = None
        self._style: Style | None = None
        self._system_dark = True
        self._system_contrast = False
        self._take(appearance)

    # --- Switching ------------------------------------------------------------------------------------------------

    def install(self, app: QApplication) -> None:
        """Dress the application: palette, font and style; follow the desktop's scheme from now on."""
        self.tint(app)
        self.dress()

    def tint(self, app: QApplication) -> None:
        """`install` without the style, for the very first frame: importing the style takes as long as ten widgets."""
        self._app = app
        hints = app.styleHints()
        self._system_dark = hints.colorScheme() != Qt.ColorScheme.Light
        hints.colorSchemeChanged.connect(self._system_changed)
        access = hints.accessibility()
        self._system_contrast = access.contrastPreference() is Qt.ContrastPreference.HighContrast
        access.contrastPreferenceChanged.connect(self._contrast_changed)
        self.apply(self.appearance)

    def dress(self) -> None:
        """The rest of `install`. Twice is fine."""
        from comfydesk.qt.theme.style import Style

        if self._app is not None and self._style is None:
            self._style = Style(self)
            self._app.setStyle(self._style)

    def apply(self, appearance: Appearance) -> None:
        """Switch to `appearance`, live."""
        self._take(appearance)
        self.icons.forget()
        if self._app is not None:
            self._app.setPalette(self.palette())
            self._app.setFont(self.font("body"))
            QToolTip.setPalette(self.palette("popup"))
            QToolTip.setFont(self.font("small"))
            if self._style is not None:
                self._style.measure()
        self.changed.emit()

    def _take(self, appearance: Appearance) -> None:
        self.appearance = appearance
        dark = self._system_dark if appearance.scheme is Scheme.SYSTEM else appearance.scheme is Scheme.DARK
        tokens = DARK if dark else LIGHT
        strong = appearance.increased_contrast or self._system_contrast
        self.tokens: Tokens = tokens.increased_contrast() if strong else tokens
        self._scale, font_scale = appearance.clamped
        self.text_scale = self._scale * font_scale
        self.fonts = Fonts(self.text_scale)
        self._colors: dict[ColorName, QColor] = {name: QColor(self.tokens.value(name)) for name in COLOR_NAMES}

    def _system_changed(self, scheme: Qt.ColorScheme) -> None:
        self._system_dark = scheme != Qt.ColorScheme.Light
        if self.appearance.scheme is Scheme.SYSTEM:
            self.apply(self.appearance)

    def _contrast_changed(self, preference: Qt.ContrastPreference) -> None:
        self._system_contrast = preference is Qt.ContrastPreference.HighContrast
        self.apply(self.appearance)

    # --- Asking ---------------------------------------------------------------------------------------------------

    @property
    def dark(self) -> bool:
        return self.tokens.dark

    @property
    def labels_above(self) -> bool:
        """Whether the text is so large that labels stand above their fields."""
        return self.text_scale >= LABELS_ABOVE

    def duration(self, milliseconds: int) -> int:
        """`milliseconds` of motion, or 0 where the user wants none."""
        return 0 if self.appearance.reduced_motion else milliseconds

    def px(self, measure: float) -> int:
        """A measure of the design at the user's scale; at least 1 for what is there at all."""
        return max(1, round(measure * self._scale)) if measure > 0 else round(measure * self._scale)

    def height(self, token: int, font: FontName = "body") -> int:
        """The height of something with one line of text: the design's, or the font's plus 8, whichever is more."""
        return max(self.px(token), self.fonts.metrics(font).height() + self.px(8))

    def row(self, token: int) -> int:
        """Like `height`, four less in a compact window."""
        return self.height(token - 4 if self.appearance.compact else token)

    def color(self, name: ColorName) -> QColor:
        """The shared QColor of a token; do not change it."""
        return self._colors[name]

    def tone(self, tone: Tone) -> tuple[QColor, QColor]:
        """(words and icon, surface) of a message or badge."""
        ink, surface = TONE_COLORS[tone]
        return self._colors[ink], self._colors[surface]

    def font(self, name: FontName) -> QFont:
        return self.fonts.font(name)

    def metrics(self, name: FontName) -> QFontMetrics:
        return self.fonts.metrics(name)

    def palette(self, surface: ColorName = "window") -> QPalette:
        return palette_of(self.tokens, surface)

    def pixmap(self, name: str, color: ColorName = "text2", size: int = 16, ratio: float | None = None) -> QPixmap:
        """Icon `name` as large as the user's scale makes `size`."""
        return self.icons.pixmap(name, self.tokens.value(color), self.px(size), ratio)

    def icon(self, name: str, color: ColorName = "text2", size: int = 16) -> QIcon:
        return self.icons.icon(name, self.tokens.value(color), self.tokens.disabled, self.px(size))

    # --- Keeping others right -------------------------------------------------------------------------------------

    def bind_icon(self, target: QAction | QAbstractButton | QMenu, name: str) -> None:
        """Give `target` an icon, and give it again after every switch for as long as it lives."""
        _IconBinding(self, target, name)

    def surface(self, widget: QWidget, name: ColorName) -> None:
        """Let `widget` and what is in it stand on `name`: docks on "panel", sheets on "popup"; follows switches."""
        _Surface(self, widget, name)


class _Surface(QObject):
    """Keeps one widget's palette; lives as long as the widget."""

    def __init__(self, theme: Theme, widget: QWidget, name: ColorName) -> None:
        super().__init__(widget)
        self._theme, self._widget, self._name = theme, widget, name
        theme.changed.connect(self._set)
        self._set()

    def _set(self) -> None:
        self._widget.setPalette(self._theme.palette(self._name))
        self._widget.setAutoFillBackground(True)


class _IconBinding(QObject):
    """Keeps one icon; lives as long as what it is on."""

    def __init__(self, theme: Theme, target: QAction | QAbstractButton | QMenu, name: str) -> None:
        super().__init__(target)
        self._theme, self._target, self._name = theme, target, name
        theme.changed.connect(self._set)
        self._set()

    def _set(self) -> None:
        self._target.setIcon(self._theme.icon(self._name))
