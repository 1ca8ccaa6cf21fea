"""The look: tokens, palette, fonts, style, icons, and the Theme that holds them while the window runs."""

from comfydesk.qt.theme.appearance import Appearance, Scheme
from comfydesk.qt.theme.fonts import FontName, Fonts
from comfydesk.qt.theme.icons import Icons
from comfydesk.qt.theme.palette import palette_of
from comfydesk.qt.theme.theme import Theme
from comfydesk.qt.theme.tokens import DARK, LIGHT, ColorName, Tokens, Tone, contrast

__all__ = [
    "DARK",
    "LIGHT",
    "Appearance",
    "ColorName",
    "FontName",
    "Fonts",
    "Icons",
    "Scheme",
    "Theme",
    "Tokens",
    "Tone",
    "contrast",
    "palette_of",
]
