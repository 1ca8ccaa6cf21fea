"""The composition root: the one place that makes paths, settings, theme, window and session, and takes them apart."""

from comfydesk.qt.app.start import run

__all__ = ["run"]
