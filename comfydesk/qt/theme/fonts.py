"""The type scale: seven fonts, made once per theme and shared, with their metrics."""

from typing import Literal

from PySide6.QtGui import QFont, QFontDatabase, QFontMetrics

FontName = Literal["title", "heading", "label", "body", "small", "small_strong", "caption", "caption_strong", "mono"]

_SCALE: dict[FontName, tuple[int, int]] = {
    "title": (15, 600),
    "heading": (13, 600),
    "label": (13, 500),
    "body": (13, 400),
    "small": (12, 400),
    "small_strong": (12, 500),
    "caption": (11, 400),
    "caption_strong": (11, 500),
    "mono": (12, 400),
}
"""Name → (pixels at 100 %, weight)."""


class Fonts:
    """Fonts of one text scale. Delegates use these objects and make none of their own while painting."""

    def __init__(self, scale: float, *, families: frozenset[str] | None = None) -> None:
        """`scale` multiplies every size; `families` are the installed ones (asked of Qt when None)."""
        installed = frozenset(QFontDatabase.families()) if families is None else families
        self.family = "Inter" if "Inter" in installed else _system(QFontDatabase.SystemFont.GeneralFont)
        self.mono_family = (
            "JetBrains Mono" if "JetBrains Mono" in installed else _system(QFontDatabase.SystemFont.FixedFont)
        )
        self._fonts = {name: self._make(name, scale) for name in _SCALE}
        self._metrics: dict[FontName, QFontMetrics] = {}

    def font(self, name: FontName) -> QFont:
        """The shared font; copy it before changing it."""
        return self._fonts[name]

    def metrics(self, name: FontName) -> QFontMetrics:
        found = self._metrics.get(name)
        if found is None:  # with its font file behind it, up to 5 ms: when somebody asks
            found = self._metrics[name] = QFontMetrics(self._fonts[name])
        return found

    def _make(self, name: FontName, scale: float) -> QFont:
        pixels, weight = _SCALE[name]
        font = QFont(self.mono_family if name == "mono" else self.family)
        font.setPixelSize(max(8, round(pixels * scale)))
        font.setWeight(QFont.Weight(weight))
        font.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
        # Figures of equal width, so that counters do not dance; no ligatures, so that "->" stays what was typed.
        font.setFeature(QFont.Tag("tnum"), 1)
        font.setFeature(QFont.Tag("liga"), 0)
        font.setFeature(QFont.Tag("calt"), 0)
        return font


def _system(kind: QFontDatabase.SystemFont) -> str:
    return QFontDatabase.systemFont(kind).family()
