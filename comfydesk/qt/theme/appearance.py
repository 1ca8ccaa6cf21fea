"""What the user may choose of the look, as one value."""

from dataclasses import dataclass
from enum import StrEnum


class Scheme(StrEnum):
    SYSTEM = "system"
    """As the desktop is; dark where it does not say."""
    DARK = "dark"
    LIGHT = "light"


@dataclass(frozen=True, slots=True)
class Appearance:
    """`scale` enlarges everything, `font_scale` the text on top of it; each 1 to 2 (values outside are clamped)."""

    scheme: Scheme = Scheme.SYSTEM
    scale: float = 1.0
    font_scale: float = 1.0
    increased_contrast: bool = False
    reduced_motion: bool = False
    compact: bool = False

    @property
    def clamped(self) -> tuple[float, float]:
        """(scale, font scale), both within 1 to 2."""
        return min(2.0, max(1.0, self.scale)), min(2.0, max(1.0, self.font_scale))
