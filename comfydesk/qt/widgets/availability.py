"""A control that cannot be used says why."""

from PySide6.QtWidgets import QWidget

from comfydesk.qt.models.tips import plain_tip

_TOOLTIP = "comfydesk_tooltip"


def block(widget: QWidget, reason: str) -> None:
    """Disable `widget` and tell `reason` in its tool tip; an empty reason enables it and brings its own tip back."""
    if widget.isEnabled() and widget.property(_TOOLTIP) is None:
        widget.setProperty(_TOOLTIP, widget.toolTip())
    widget.setEnabled(not reason)
    if reason:
        widget.setToolTip(plain_tip(reason))
    else:
        widget.setToolTip(widget.property(_TOOLTIP) or "")
        widget.setProperty(_TOOLTIP, None)
    widget.setAccessibleDescription(reason)
