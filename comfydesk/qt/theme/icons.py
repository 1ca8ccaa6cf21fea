"""Icons: bundled SVGs, drawn in any colour of the theme, sharp at any pixel ratio, each drawn once."""

from pathlib import Path

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QGuiApplication, QIcon, QPainter, QPixmap

RATIOS = (1.0, 2.0)


class Icons:
    """The SVGs of a folder. They paint with `currentColor`; that is replaced before drawing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._sources: dict[str, bytes] = {}
        self._pixmaps: dict[tuple[str, str, int, float], QPixmap] = {}

    def names(self) -> tuple[str, ...]:
        """Every icon there is."""
        return tuple(sorted(path.stem for path in self._folder.glob("*.svg")))

    def pixmap(self, name: str, color: str, size: int, ratio: float | None = None) -> QPixmap:
        """Icon `name` in "#rrggbb", `size` device-independent pixels wide and high. KeyError: no such icon."""
        if ratio is None:
            ratio = max(screen.devicePixelRatio() for screen in QGuiApplication.screens())
        key = (name, color, size, ratio)
        found = self._pixmaps.get(key)
        if found is None:
            found = self._pixmaps[key] = self._draw(name, color, size, ratio)
        return found

    def icon(self, name: str, color: str, disabled: str, size: int) -> QIcon:
        """The same as a QIcon, for menus and actions, with its disabled state."""
        icon = QIcon()
        for ratio in RATIOS:
            icon.addPixmap(self.pixmap(name, color, size, ratio), QIcon.Mode.Normal)
            icon.addPixmap(self.pixmap(name, disabled, size, ratio), QIcon.Mode.Disabled)
        return icon

    def forget(self) -> None:
        """Drop what was drawn: the colours are new."""
        self._pixmaps.clear()

    def _draw(self, name: str, color: str, size: int, ratio: float) -> QPixmap:
        # With the first icon, not with the first frame.
        from PySide6.QtSvg import QSvgRenderer

        source = self._source(name).replace(b"currentColor", color[-7:].encode())
        side = max(1, round(size * ratio))
        pixmap = QPixmap(side, side)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        QSvgRenderer(QByteArray(source)).render(painter, QRectF(0, 0, side, side))
        painter.end()
        pixmap.setDevicePixelRatio(ratio)
        return pixmap

    def _source(self, name: str) -> bytes:
        source = self._sources.get(name)
        if source is None:
            path = self._folder / f"{name}.svg"
            if not path.is_file():
                raise KeyError(name)
            source = self._sources[name] = path.read_bytes()
        return source
