"""Where the docks stand at first, and where the user left them."""

from pathlib import Path

from PySide6.QtCore import QSettings, Qt
from PySide6.QtWidgets import QDockWidget, QMainWindow

from comfydesk.qt.theme import Theme

LEFT, RIGHT = 272, 352
GALLERY, QUEUE = 164, 200
SIZE = (1440, 900)
PICTURE = 320
"""The middle's height with its bar, down to which outputs and queue give way in a low window."""
LEAST_GALLERY, LEAST_QUEUE = 112, 112
LAYOUT = 1
"""Of the saved state; a change of the docks' names needs a new one."""


class Layout:
    """Keeps the window's geometry in an INI file. Only geometry: INI files lose types."""

    def __init__(
        self,
        theme: Theme,
        window: QMainWindow,
        file: Path,
        *,
        browser: QDockWidget,
        generation: QDockWidget,
        gallery: QDockWidget,
        queue: QDockWidget,
    ) -> None:
        self._theme, self._window = theme, window
        self._browser, self._generation, self._gallery, self._queue = browser, generation, gallery, queue
        self._settings = QSettings(str(file), QSettings.Format.IniFormat)
        self._unit = theme.px(100)
        theme.changed.connect(self._rescale)
        window.setDockOptions(
            QMainWindow.DockOption.AllowNestedDocks
            | QMainWindow.DockOption.AllowTabbedDocks
            | (QMainWindow.DockOption.AnimatedDocks if theme.duration(160) else QMainWindow.DockOption(0))
        )
        for corner, area in (
            (Qt.Corner.TopLeftCorner, Qt.DockWidgetArea.LeftDockWidgetArea),
            (Qt.Corner.BottomLeftCorner, Qt.DockWidgetArea.LeftDockWidgetArea),
            (Qt.Corner.TopRightCorner, Qt.DockWidgetArea.RightDockWidgetArea),
            (Qt.Corner.BottomRightCorner, Qt.DockWidgetArea.RightDockWidgetArea),
        ):
            window.setCorner(corner, area)

    def restore(self) -> None:
        """As it was left; as designed at the first start, or when what was saved does not fit any more."""
        self._arrange()
        geometry, state = self._settings.value("geometry"), self._settings.value("state")
        if geometry is None or not self._window.restoreGeometry(geometry):
            screen = self._window.screen().availableSize()
            self._window.resize(min(SIZE[0], screen.width()), min(SIZE[1], screen.height()))
        if state is None or not self._window.restoreState(state, LAYOUT):
            self._resize()

    def fit(self) -> None:
        """In a low window outputs and queue give way before the picture does."""
        px, window = self._theme.px, self._window
        middle = window.centralWidget()
        missing = px(PICTURE) - middle.height() if middle is not None else 0
        shown = [dock for dock in (self._queue, self._gallery) if dock.isVisible() and not dock.isFloating()]
        if missing <= 0 or not shown:
            return
        heights = []
        for dock in shown:
            least = px(LEAST_QUEUE if dock is self._queue else LEAST_GALLERY)
            given = min(missing, max(0, dock.height() - least))
            missing -= given
            heights.append(dock.height() - given)
        window.resizeDocks(shown, heights, Qt.Orientation.Vertical)

    def save(self) -> None:
        self._settings.setValue("geometry", self._window.saveGeometry())
        self._settings.setValue("state", self._window.saveState(LAYOUT))
        self._settings.sync()

    def reset(self) -> None:
        """As designed, whatever was dragged where."""
        self._arrange()
        self._resize()

    @property
    def last_workflow(self) -> str:
        """Id of the workflow that was open at the end."""
        return str(self._settings.value("workflow", ""))

    def keep_workflow(self, id_: str) -> None:
        self._settings.setValue("workflow", id_)

    @property
    def scheme(self) -> str:
        """Which colours the user chose: system, dark or light."""
        return str(self._settings.value("scheme", "system"))

    def keep_scheme(self, scheme: str) -> None:
        self._settings.setValue("scheme", scheme)
        self._settings.sync()

    def _arrange(self) -> None:
        window = self._window
        for area, dock in (
            (Qt.DockWidgetArea.LeftDockWidgetArea, self._browser),
            (Qt.DockWidgetArea.RightDockWidgetArea, self._generation),
            (Qt.DockWidgetArea.BottomDockWidgetArea, self._gallery),
        ):
            dock.setFloating(False)
            window.addDockWidget(area, dock)
        self._queue.setFloating(False)
        window.splitDockWidget(self._gallery, self._queue, Qt.Orientation.Vertical)
        for dock in (self._browser, self._generation, self._gallery, self._queue):
            dock.show()

    def _rescale(self) -> None:
        """The user's scale is new: the side docks keep their share of the text they show."""
        before, self._unit = self._unit, self._theme.px(100)
        if before != self._unit:
            sides = [self._browser, self._generation]
            widths = [dock.width() * self._unit // before for dock in sides]
            self._window.resizeDocks(sides, widths, Qt.Orientation.Horizontal)

    def _resize(self) -> None:
        px = self._theme.px
        window = self._window
        window.resizeDocks([self._browser, self._generation], [px(LEFT), px(RIGHT)], Qt.Orientation.Horizontal)
        window.resizeDocks([self._gallery, self._queue], [px(GALLERY), px(QUEUE)], Qt.Orientation.Vertical)
