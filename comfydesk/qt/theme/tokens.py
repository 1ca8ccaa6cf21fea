"""The colours of the two themes as values, and what contrast they have. Nothing of Qt in here.

Figures: the table of the design (docs/architecture.md names it "the look"); tests/qt/test_theme_tokens.py holds every
allowed pair to it.
"""

from dataclasses import dataclass, replace
from typing import Literal, get_args

Tone = Literal["neutral", "info", "success", "warning", "danger"]
"""What a message or a badge says with its colour, always beside an icon or a word."""

ColorName = Literal[
    "canvas", "window", "panel", "raised", "hover", "pressed", "field", "popup", "border", "control", "selection",
    "mark", "text", "text2", "disabled", "accent", "accent_hover", "accent_pressed", "on_accent", "success",
    "success_tint", "warning", "warning_tint", "danger", "danger_tint", "info_tint", "lora", "weight", "wildcard",
    "overlay", "on_overlay",
]  # fmt: skip
COLOR_NAMES: tuple[ColorName, ...] = get_args(ColorName)


@dataclass(frozen=True, slots=True)
class Tokens:
    """One theme: every colour by its use, as "#rrggbb" ("#aarrggbb" for the overlay)."""

    dark: bool
    canvas: str
    """Behind pictures."""
    window: str
    """Menu, intent and status bars, footers."""
    panel: str
    """Docks."""
    raised: str
    """Buttons, chips, the active row."""
    hover: str
    pressed: str
    field: str
    popup: str
    border: str
    """Dividers."""
    control: str
    """Outline of inputs and buttons."""
    selection: str
    mark: str
    """Behind a search hit."""
    text: str
    text2: str
    disabled: str
    accent: str
    accent_hover: str
    accent_pressed: str
    on_accent: str
    success: str
    success_tint: str
    warning: str
    warning_tint: str
    danger: str
    danger_tint: str
    info_tint: str
    lora: str
    weight: str
    wildcard: str
    overlay: str = "#cc101214"
    """Captions and chips over pictures lie on this."""
    on_overlay: str = "#ffffff"

    def value(self, name: ColorName) -> str:
        """The colour called `name`."""
        return str(getattr(self, name))

    def increased_contrast(self) -> "Tokens":
        """The same theme with outlines of at least 3.1 to 1 against what they stand on."""
        return replace(self, control="#6b7480" if self.dark else "#828a93")


DARK = Tokens(
    dark=True,
    canvas="#101214",
    window="#16181b",
    panel="#1b1e22",
    raised="#22262b",
    hover="#2a2f35",
    pressed="#31373e",
    field="#131619",
    popup="#24282e",
    border="#2b3036",
    control="#424a54",
    selection="#1b344d",
    mark="#4a3a14",
    text="#e7e9ec",
    text2="#a9b1ba",
    disabled="#8f98a2",
    accent="#63adf2",
    accent_hover="#7fbdf6",
    accent_pressed="#4c98e0",
    on_accent="#06192c",
    success="#5cc28a",
    success_tint="#182b22",
    warning="#e3b04b",
    warning_tint="#2e2717",
    danger="#f4837d",
    danger_tint="#341f20",
    info_tint="#172a3c",
    lora="#5cc6c0",
    weight="#dba964",
    wildcard="#b9c06a",
)
LIGHT = Tokens(
    dark=False,
    canvas="#e6e8eb",
    window="#f1f2f4",
    panel="#f8f9fa",
    raised="#ffffff",
    hover="#eaecef",
    pressed="#dfe3e7",
    field="#ffffff",
    popup="#ffffff",
    border="#dcdfe3",
    control="#b6bdc5",
    selection="#d9e8f9",
    mark="#fbe3a3",
    text="#1a1d21",
    text2="#535b65",
    disabled="#5f6771",
    accent="#1d65b8",
    accent_hover="#17569e",
    accent_pressed="#124782",
    on_accent="#ffffff",
    success="#17713f",
    success_tint="#e3f3e9",
    warning="#835600",
    warning_tint="#fbf0d9",
    danger="#b92b2b",
    danger_tint="#fbe6e5",
    info_tint="#e1edfa",
    lora="#0d6b66",
    weight="#8a5310",
    wildcard="#5d6311",
)

TONE_COLORS: dict[Tone, tuple[ColorName, ColorName]] = {
    "neutral": ("text2", "pressed"),
    "info": ("accent", "info_tint"),
    "success": ("success", "success_tint"),
    "warning": ("warning", "warning_tint"),
    "danger": ("danger", "danger_tint"),
}
"""Tone → (words and icon, the surface below them)."""


def luminance(color: str) -> float:
    """Relative luminance of "#rrggbb" (WCAG 2.1)."""

    def linear(part: str) -> float:
        value = int(part, 16) / 255
        return value / 12.92 if value <= 0.04045 else float(((value + 0.055) / 1.055) ** 2.4)

    digits = color[-6:]
    return 0.2126 * linear(digits[0:2]) + 0.7152 * linear(digits[2:4]) + 0.0722 * linear(digits[4:6])


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, 1 to 21 (WCAG 2.1)."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)
