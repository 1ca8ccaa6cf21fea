"""How large the user made each dock, in the design's pixels: the same at every scale, however often it changes."""

import json

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDockWidget, QMainWindow

Extents = dict[str, float]
"""Object name of a dock → width of what stands at a side, height of what stands below; in the design's pixels."""

Try = tuple[object, ...]


class Sizes:
    """Only what a hand on a separator did is taken: what a small window squeezed, or a rounding, is not."""

    def __init__(self, window: QMainWindow) -> None:
        self._window = window
        self.docks: tuple[QDockWidget, ...] = ()
        self._wanted: Extents = {}
        self._held: dict[str, int] = {}
        self._tried: dict[Qt.Orientation, Try] = {}

    def add(self, dock: QDockWidget) -> None:
        """One more dock to look after."""
        if dock not in self.docks:
            self.docks = (*self.docks, dock)

    # --- What is wanted -------------------------------------------------------------------------------------------

    def take(self, wanted: Extents) -> None:
        """Let these be the sizes; `apply` shows them."""
        self._wanted = dict(wanted)

    def text(self) -> str:
        """To be kept, for `read`."""
        return json.dumps(self._wanted)

    @staticmethod
    def read(text: str) -> Extents:
        """What `text` gave; nothing of what is none."""
        try:
            found = json.loads(text or "{}")
        except ValueError:
            return {}
        pairs = found.items() if isinstance(found, dict) else ()
        return {name: float(size) for name, size in pairs if isinstance(size, int | float) and 0 < size < 1e5}

    def heights(self, docks: list[QDockWidget], unit: float) -> list[int]:
        """The height that each of these is to have, `unit` pixels for one of the design's."""
        return [round(self._wanted.get(dock.objectName(), dock.height() / unit) * unit) for dock in docks]

    # --- The user's hand ------------------------------------------------------------------------------------------

    def hold(self) -> None:
        """How large they are before a separator moves."""
        self._held = {dock.objectName(): self._extent(dock) for dock in self._shown()}

    def take_changed(self, unit_wide: float, unit_high: float) -> None:
        """Those that are larger or smaller than when `hold` was called were made so by the user."""
        held, self._held = self._held, {}
        for dock in self._shown():
            name, now = dock.objectName(), self._extent(dock)
            if name in held and held[name] != now:
                self._wanted[name] = now / (unit_high if self._below(dock) else unit_wide)

    # --- On the screen --------------------------------------------------------------------------------------------

    def apply(self, orientation: Qt.Orientation, unit: float) -> None:
        """Make what stands at the sides as wide, or what stands below as high, as is wanted and there is room for.

        `unit`: pixels for one of the design's.
        """
        below = orientation == Qt.Orientation.Vertical
        docks = [dock for dock in self._shown() if self._below(dock) is below and dock.objectName() in self._wanted]
        wanted = [round(self._wanted[dock.objectName()] * unit) for dock in docks]
        if docks:
            self.resize(docks, wanted, orientation)

    def resize(self, docks: list[QDockWidget], wanted: list[int], orientation: Qt.Orientation) -> None:
        """Let `docks` be that wide or high, as far as there is room.

        Where there is none it is not tried again until something else is different: each try has the window laid out
        anew, and that asks for the next one.
        """
        present = self._extents(docks)
        if wanted == present or self._tried.get(orientation) == self._try(docks, wanted, present):
            return
        self._window.resizeDocks(docks, wanted, orientation)
        self._tried[orientation] = self._try(docks, wanted, self._extents(docks))

    def _try(self, docks: list[QDockWidget], wanted: list[int], present: list[int]) -> Try:
        """What a resize hangs on."""
        middle = self._window.centralWidget()
        smallest = [dock.minimumSizeHint().toTuple() for dock in docks]
        least = None if middle is None else middle.minimumSizeHint().toTuple()
        return (tuple(wanted), tuple(present), tuple(smallest), least, self._window.size().toTuple())

    def _extents(self, docks: list[QDockWidget]) -> list[int]:
        return [self._extent(dock) for dock in docks]

    def _shown(self) -> list[QDockWidget]:
        return [dock for dock in self.docks if not dock.isHidden() and not dock.isFloating()]

    def _below(self, dock: QDockWidget) -> bool:
        return self._window.dockWidgetArea(dock) in (
            Qt.DockWidgetArea.BottomDockWidgetArea,
            Qt.DockWidgetArea.TopDockWidgetArea,
        )

    def _extent(self, dock: QDockWidget) -> int:
        return dock.height() if self._below(dock) else dock.width()
