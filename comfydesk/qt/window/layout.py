"""Where the docks stand at first in each workspace, and where the user left them."""

from pathlib import Path

from PySide6.QtCore import QByteArray, QObject, QSettings, Qt
from PySide6.QtWidgets import QDockWidget, QMainWindow

from comfydesk.qt.theme import Theme

CREATE, LIBRARY, COMPARE = "create", "library", "compare"
WORKSPACES = (CREATE, LIBRARY, COMPARE)
LEFT, RIGHT = 272, 352
GALLERY, QUEUE = 164, 200
SIZE = (1440, 900)
PICTURE = 320
"""The middle's height with its bar, down to which outputs and queue give way in a low window."""
LEAST_GALLERY, LEAST_QUEUE = 112, 112
LAYOUT = 1
"""Of the saved state; a change of the docks' names needs a new one."""
_Area = Qt.DockWidgetArea


class Layout(QObject):
    """Keeps the window's geometry in an INI file, one state of the docks per workspace.

    Only geometry: INI files lose types.
    """

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
        super().__init__(window)
        self._theme, self._window = theme, window
        self._browser, self._generation, self._gallery, self._queue = browser, generation, gallery, queue
        self._guests: dict[QDockWidget, tuple[str, Qt.DockWidgetArea]] = {}
        self.workspace = CREATE
        self._settings = QSettings(str(file), QSettings.Format.IniFormat)
        self._unit = self._wide(100)
        theme.changed.connect(self._rescale)
        window.setDockOptions(
            QMainWindow.DockOption.AllowNestedDocks
            | QMainWindow.DockOption.AllowTabbedDocks
            | (QMainWindow.DockOption.AnimatedDocks if theme.duration(160) else QMainWindow.DockOption(0))
        )
        for corner, area in (
            (Qt.Corner.TopLeftCorner, _Area.LeftDockWidgetArea),
            (Qt.Corner.BottomLeftCorner, _Area.LeftDockWidgetArea),
            (Qt.Corner.TopRightCorner, _Area.RightDockWidgetArea),
            (Qt.Corner.BottomRightCorner, _Area.RightDockWidgetArea),
        ):
            window.setCorner(corner, area)

    # --- From start to end ----------------------------------------------------------------------------------------

    def restore(self) -> None:
        """As it was left; as designed at the first start, or when what was saved does not fit any more."""
        kept = str(self._settings.value("workspace", CREATE))
        self.workspace = kept if kept in WORKSPACES else CREATE
        self._arrange()
        geometry = self._settings.value("geometry")
        if geometry is None or not self._window.restoreGeometry(geometry):
            screen = self._window.screen().availableSize()
            self._window.resize(min(SIZE[0], screen.width()), min(SIZE[1], screen.height()))
        self._put(self._kept())

    def save(self) -> None:
        """All of it, on the disk."""
        self._settings.setValue("geometry", self._window.saveGeometry())
        self._settings.setValue("workspace", self.workspace)
        self._keep()
        self._settings.sync()

    def state(self) -> QByteArray:
        """Where everything stands now, to be compared."""
        return self._window.saveGeometry() + self._window.saveState(LAYOUT)

    def reset(self) -> None:
        """This workspace as designed, whatever was dragged where."""
        self._arrange()
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

    # --- Workspaces -----------------------------------------------------------------------------------------------

    def change(self, workspace: str) -> None:
        """Put this workspace's docks away as they are, and bring out those of `workspace`."""
        if workspace == self.workspace:
            return
        self._keep()
        self.workspace = workspace
        self._put(self._kept())

    def add(self, workspace: str, dock: QDockWidget, area: Qt.DockWidgetArea) -> None:
        """A dock that only `workspace` has; at `area` until the user moves it."""
        self._guests[dock] = (workspace, area)
        self._window.addDockWidget(area, dock)
        if workspace != self.workspace:
            dock.hide()
        else:
            self._put(self._kept())

    def on(self, side: Qt.DockWidgetArea) -> list[QDockWidget]:
        """The docks that this workspace has on `side` by its design."""
        guests = [dock for dock, (name, area) in self._guests.items() if name == self.workspace and area == side]
        own = {
            _Area.LeftDockWidgetArea: [self._browser],
            _Area.RightDockWidgetArea: [self._generation],
            _Area.BottomDockWidgetArea: [self._gallery, self._queue],
        }[side]
        if self.workspace == CREATE:
            return own + guests
        return guests or ([self._queue] if side == _Area.BottomDockWidgetArea else own)

    def docks(self) -> tuple[QDockWidget, ...]:
        """All that the present workspace can show."""
        guests = [dock for dock, (name, _) in self._guests.items() if name == self.workspace]
        return (self._browser, self._generation, self._gallery, self._queue, *guests)

    # --- Layouts by name ------------------------------------------------------------------------------------------

    def focus(self) -> None:
        """The form and the picture, nothing else."""
        self._arrange()
        for dock in (self._browser, self._gallery, self._queue):
            dock.hide()
        self._resize()

    def wide(self) -> None:
        """For wide screens: outputs and queue beside the form, so that the picture has all the height."""
        self._arrange()
        window = self._window
        for dock in (self._gallery, self._queue):
            window.addDockWidget(_Area.RightDockWidgetArea, dock)
        window.splitDockWidget(self._generation, self._gallery, Qt.Orientation.Horizontal)
        window.splitDockWidget(self._gallery, self._queue, Qt.Orientation.Vertical)
        px = self._theme.px
        window.resizeDocks(
            [self._browser, self._generation, self._gallery],
            [px(LEFT), px(RIGHT), px(RIGHT)],
            Qt.Orientation.Horizontal,
        )

    def names(self) -> tuple[str, ...]:
        """Of the layouts that the user saved for this workspace."""
        return tuple(sorted(self._presets(), key=str.casefold))

    def save_as(self, name: str) -> None:
        """Keep what is seen now as `name`; one of that name is replaced."""
        presets = self._presets()
        presets[name] = self._window.saveState(LAYOUT)
        self._keep_presets(presets)

    def apply(self, name: str) -> None:
        """Bring back what was saved as `name`. KeyError: there is none."""
        self._put(self._presets()[name])

    def forget(self, name: str) -> None:
        presets = self._presets()
        presets.pop(name, None)
        self._keep_presets(presets)

    def _presets(self) -> dict[str, QByteArray]:
        group = f"presets/{self.workspace}"
        size = self._settings.beginReadArray(group)
        found: dict[str, QByteArray] = {}
        for at in range(size):
            self._settings.setArrayIndex(at)
            state = self._settings.value("state")
            if isinstance(state, QByteArray):
                found[str(self._settings.value("name"))] = state
        self._settings.endArray()
        return found

    def _keep_presets(self, presets: dict[str, QByteArray]) -> None:
        group = f"presets/{self.workspace}"
        self._settings.remove(group)
        self._settings.beginWriteArray(group, len(presets))
        for at, (name, state) in enumerate(presets.items()):
            self._settings.setArrayIndex(at)
            self._settings.setValue("name", name)
            self._settings.setValue("state", state)
        self._settings.endArray()
        self._settings.sync()

    # --- What else the file holds ---------------------------------------------------------------------------------

    @property
    def last_workflow(self) -> str:
        """Id of the workflow that was open at the end."""
        return str(self._settings.value("workflow", ""))

    def keep_workflow(self, id_: str) -> None:
        self._settings.setValue("workflow", id_)

    @property
    def intent_shown(self) -> bool:
        """Whether this workspace has the intent bar unfolded; only Create does by itself."""
        return str(self._settings.value(f"intent/{self.workspace}", self.workspace == CREATE)).lower() == "true"

    def keep_intent(self, shown: bool) -> None:
        self._settings.setValue(f"intent/{self.workspace}", shown)

    def take_scheme(self) -> str:
        """Which colours an older version kept here; they are among the settings now. "" from then on."""
        found = str(self._settings.value("scheme", ""))
        self._settings.remove("scheme")
        return found

    # --- Inside ---------------------------------------------------------------------------------------------------

    def _keep(self) -> None:
        self._settings.setValue(f"docks/{self.workspace}", self._window.saveState(LAYOUT))
        self._settings.setValue(f"unit/{self.workspace}", self._unit)
        # What an older version kept, before there were workspaces.
        self._settings.remove("state")

    def _kept(self) -> object:
        older = self._settings.value("state") if self.workspace == CREATE else None
        return self._settings.value(f"docks/{self.workspace}", older)

    def _put(self, state: object) -> None:
        if not isinstance(state, QByteArray) or not self._window.restoreState(state, LAYOUT):
            self.reset()
        else:
            self._grow(int(str(self._settings.value(f"unit/{self.workspace}", self._unit))))
        for dock, (workspace, _) in self._guests.items():
            if workspace != self.workspace:
                dock.hide()

    def _arrange(self) -> None:
        window = self._window
        for area, dock in (
            (_Area.LeftDockWidgetArea, self._browser),
            (_Area.RightDockWidgetArea, self._generation),
            (_Area.BottomDockWidgetArea, self._gallery),
        ):
            dock.setFloating(False)
            window.addDockWidget(area, dock)
        self._queue.setFloating(False)
        window.splitDockWidget(self._gallery, self._queue, Qt.Orientation.Vertical)
        for dock in (self._browser, self._generation, self._gallery, self._queue):
            dock.setVisible(self.workspace == CREATE)
        for dock, (workspace, area) in self._guests.items():
            dock.setFloating(False)
            window.addDockWidget(area, dock)
            dock.setVisible(workspace == self.workspace)

    def _rescale(self) -> None:
        """The user's scale is new: the side docks keep their share of the text they show."""
        before, self._unit = self._unit, self._wide(100)
        self._grow(before)

    def _grow(self, before: int) -> None:
        """From the unit of `before` to the present one."""
        sides = [dock for dock in (self._browser, self._generation) if not dock.isHidden()]
        if before > 0 and before != self._unit and sides:
            widths = [dock.width() * self._unit // before for dock in sides]
            self._window.resizeDocks(sides, widths, Qt.Orientation.Horizontal)

    def _wide(self, measure: int) -> int:
        """A side's width: larger words get half of what they would need more, the middle keeps the rest."""
        larger = self._theme.text_scale / max(1.0, self._theme.px(100) / 100)
        return self._theme.px(measure * (1 + (larger - 1) / 2))

    def _resize(self) -> None:
        px = self._theme.px
        window = self._window
        sides = [self._wide(LEFT), self._wide(RIGHT)]
        window.resizeDocks([self._browser, self._generation], sides, Qt.Orientation.Horizontal)
        window.resizeDocks([self._gallery, self._queue], [px(GALLERY), px(QUEUE)], Qt.Orientation.Vertical)
        for dock, (workspace, area) in self._guests.items():
            if workspace == self.workspace and area != _Area.BottomDockWidgetArea:
                width = self._wide(LEFT if area == _Area.LeftDockWidgetArea else RIGHT)
                window.resizeDocks([dock], [width], Qt.Orientation.Horizontal)
