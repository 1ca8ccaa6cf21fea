"""Tokens as QPalettes."""

from PySide6.QtGui import QColor, QPalette

from comfydesk.qt.theme.tokens import ColorName, Tokens

_Role = QPalette.ColorRole
_ROLES: dict[QPalette.ColorRole, ColorName] = {
    _Role.Window: "window",
    _Role.Base: "field",
    _Role.AlternateBase: "raised",
    _Role.Button: "raised",
    _Role.WindowText: "text",
    _Role.Text: "text",
    _Role.ButtonText: "text",
    _Role.HighlightedText: "text",
    _Role.ToolTipText: "text",
    _Role.PlaceholderText: "text2",
    _Role.Highlight: "selection",
    _Role.Accent: "accent",
    _Role.Link: "accent",
    _Role.LinkVisited: "accent",
    _Role.ToolTipBase: "popup",
    _Role.Light: "hover",
    _Role.Midlight: "border",
    _Role.Mid: "border",
    _Role.Dark: "control",
    _Role.Shadow: "canvas",
    _Role.BrightText: "danger",
}
_DISABLED: dict[QPalette.ColorRole, ColorName] = {
    _Role.WindowText: "disabled",
    _Role.Text: "disabled",
    _Role.ButtonText: "disabled",
    _Role.HighlightedText: "disabled",
    _Role.PlaceholderText: "disabled",
    _Role.Base: "window",
    _Role.Button: "window",
}


def palette_of(tokens: Tokens, surface: ColorName = "window") -> QPalette:
    """The palette for what stands on `surface`: "window" for the application, "panel" for docks, "popup" for sheets."""
    palette = QPalette()
    for role, name in _ROLES.items():
        palette.setColor(role, QColor(tokens.value(name)))
    palette.setColor(_Role.Window, QColor(tokens.value(surface)))
    for role, name in _DISABLED.items():
        palette.setColor(QPalette.ColorGroup.Disabled, role, QColor(tokens.value(name)))
    return palette
