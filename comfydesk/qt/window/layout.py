"""Where the docks stand at first in each workspace, and where the user left them."""

from pathlib import Path

from PySide6.QtCore import QByteArray, QObject, QSettings, Qt, QTimer
from PySide6.QtWidgets import QDockWidget, QMainWindow, QTabBar, QTabWidget

from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import tr
from comfydesk.qt.window.sizes import Extents, Sizes

CREATE, LIBRARY, COMPARE = "create", "library", "compare"
WORKSPACES = (CREATE, LIBRARY, COMPARE)
LEFT, RIGHT = 272, 352
GALLERY, QUEUE = 164, 200
SIZE = (1440, 900)
PICTURE = 320
"""The middle's height with its bar, down to which outputs and queue give way in a low window."""
LEAST_GALLERY, LEAST_QUEUE = 134, 112
"""A title, a heading and the smallest tiles; a title and two jobs."""
LEAST_WIDTH = 232 + 320 + 360
"""Below, at the user's scale, there is no room for two sides and a middle: the sides share one place, as tabs."""
LEAST_HEIGHT = 32 + 52 + 28 + 182 + LEAST_GALLERY + LEAST_QUEUE
"""Below, outputs and queue share one place."""
LEAST = (640, 400)
"""The window's smallest size until its parts have told theirs."""
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
        self._sizes = Sizes(window)
        self._narrow = self._low = False
        self._late = QTimer(self, singleShot=True, interval=0)
        self._late.timeout.connect(self._on_settled)
        theme.changed.connect(self._rescale)
        window.setMinimumSize(*LEAST)
        window.setTabPosition(_Area.AllDockWidgetAreas, QTabWidget.TabPosition.North)
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
        self._put()

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
        self._sizes.take(self._designed())
        self._settle_soon()

    # --- Sizes ----------------------------------------------------------------------------------------------------

    def fit(self) -> None:
        """The window has another size. In a low one outputs and queue give way before the picture does."""
        if self._room() != (self._narrow, self._low):
            self._rescale()
        else:
            self._fit_height()

    def _fit_height(self) -> None:
        px, window = self._theme.px, self._window
        shown = [dock for dock in (self._queue, self._gallery) if self._stands_below(dock)]
        middle = window.centralWidget()
        if middle is None or not shown or self._low:
            return
        wanted = self._sizes.heights(shown, px(100) / 100)
        room = middle.height() + sum(dock.height() for dock in shown)
        missing = px(PICTURE) - (room - sum(wanted))
        for at, dock in enumerate(shown):
            least = px(LEAST_QUEUE if dock is self._queue else LEAST_GALLERY)
            given = max(0, min(missing, wanted[at] - least))
            missing -= given
            wanted[at] -= given
        self._sizes.resize(shown, wanted, Qt.Orientation.Vertical)

    def _stands_below(self, dock: QDockWidget) -> bool:
        below = self._window.dockWidgetArea(dock) == _Area.BottomDockWidgetArea
        return below and not dock.isHidden() and not dock.isFloating()

    def hold_sizes(self) -> None:
        """The mouse went down on the window's own ground: perhaps a separator is about to be dragged."""
        self._sizes.hold()

    def take_sizes(self) -> None:
        """It was let go: what the user made wider or higher stays so, at every scale."""
        self._sizes.take_changed(self._wide(100) / 100, self._theme.px(100) / 100)

    def _room(self) -> tuple[bool, bool]:
        """Whether the screen is too narrow, and too low, for everything side by side at the user's scale."""
        px, window = self._theme.px, self._window
        room = window.screen().availableSize().expandedTo(window.size())
        return room.width() < px(LEAST_WIDTH), room.height() < px(LEAST_HEIGHT)

    def _designed(self) -> Extents:
        """The design's widths of what stands at a side, and heights of what stands below."""
        sizes: Extents = {"browser": LEFT, "generation": RIGHT, "gallery": GALLERY, "queue": QUEUE}
        for dock, (_, area) in self._guests.items():
            sizes[dock.objectName()] = (
                QUEUE if area == _Area.BottomDockWidgetArea else LEFT if area == _Area.LeftDockWidgetArea else RIGHT
            )
        if self._low:
            sizes |= {"gallery": LEAST_GALLERY, "queue": LEAST_QUEUE}
        if self._narrow:
            sizes |= {name: RIGHT for name, size in sizes.items() if size == LEFT}
        return sizes

    def _rescale(self) -> None:
        """The user's scale is new, or the screen: what the user made wide stays as wide in the design's pixels.

        What takes less room is arranged at once, before anything grows; what takes more when all has shrunk, or the
        window would grow with it.
        """
        narrow, low = self._room()
        if narrow > self._narrow or low > self._low:
            self._rearrange(narrow or self._narrow, low or self._low)
        else:
            self._settle()
        self._late.start()

    def _rearrange(self, narrow: bool, low: bool) -> None:
        if (narrow, low) != (self._narrow, self._low):
            self._keep()
            self._narrow, self._low = narrow, low
            self._put()

    def _settle_soon(self) -> None:
        """Now, and again when every widget has told its new smallest size: docks do not go below the old ones."""
        self._settle()
        self._late.start()

    def settle_soon(self) -> None:
        """What is in the window needs more room, or less."""
        self._late.start()

    def _on_settled(self) -> None:
        self._rearrange(*self._room())
        self._settle()
        self._bound()

    def _bound(self) -> None:
        """The window's smallest size: what its parts need, but never more than the screen has.

        Qt would grow the window at once, in the middle of a change of scale and beyond the screen.
        """
        window = self._window
        layout = window.layout()
        if layout is not None:
            room = window.screen().availableSize().expandedTo(window.size())
            window.setMinimumSize(layout.totalMinimumSize().boundedTo(room))
        for bar in window.findChildren(QTabBar, options=Qt.FindChildOption.FindDirectChildrenOnly):
            bar.setAccessibleName(tr("Panels"))

    def _settle(self) -> None:
        self._sizes.apply(Qt.Orientation.Horizontal, self._wide(100) / 100)
        if self._low:
            self._sizes.apply(Qt.Orientation.Vertical, self._theme.px(100) / 100)
        else:
            self._fit_height()

    def _wide(self, measure: int) -> int:
        """A side's width: larger words get half of what they would need more, the middle keeps the rest."""
        larger = self._theme.text_scale / max(1.0, self._theme.px(100) / 100)
        return self._theme.px(measure * (1 + (larger - 1) / 2))

    # --- Workspaces -----------------------------------------------------------------------------------------------

    def change(self, workspace: str) -> None:
        """Put this workspace's docks away as they are, and bring out those of `workspace`."""
        if workspace == self.workspace:
            return
        self._keep()
        self.workspace = workspace
        self._put()

    def add(self, workspace: str, dock: QDockWidget, area: Qt.DockWidgetArea) -> None:
        """A dock that only `workspace` has; at `area` until the user moves it."""
        self._guests[dock] = (workspace, area)
        self._window.addDockWidget(area, dock)
        self._sizes.add(dock)
        if workspace != self.workspace:
            dock.hide()
        else:
            self._put()

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
        self._sizes.take(self._designed())
        self._settle_soon()

    def wide(self) -> None:
        """For wide screens: outputs and queue beside the form, so that the picture has all the height."""
        self._arrange()
        window = self._window
        for dock in (self._gallery, self._queue):
            window.addDockWidget(_Area.RightDockWidgetArea, dock)
        window.splitDockWidget(self._generation, self._gallery, Qt.Orientation.Horizontal)
        window.splitDockWidget(self._gallery, self._queue, Qt.Orientation.Vertical)
        self._sizes.take({**self._designed(), "gallery": RIGHT, "queue": RIGHT})
        self._settle_soon()

    def names(self) -> tuple[str, ...]:
        """Of the layouts that the user saved for this workspace."""
        return tuple(sorted(self._presets(), key=str.casefold))

    def save_as(self, name: str) -> None:
        """Keep what is seen now as `name`; one of that name is replaced."""
        presets = self._presets()
        presets[name] = (self._window.saveState(LAYOUT), self._sizes.text())
        self._keep_presets(presets)

    def apply(self, name: str) -> None:
        """Bring back what was saved as `name`. KeyError: there is none."""
        self._show(*self._presets()[name])

    def forget(self, name: str) -> None:
        presets = self._presets()
        presets.pop(name, None)
        self._keep_presets(presets)

    def _presets(self) -> dict[str, tuple[QByteArray, str]]:
        group = f"presets/{self.workspace}"
        size = self._settings.beginReadArray(group)
        found: dict[str, tuple[QByteArray, str]] = {}
        for at in range(size):
            self._settings.setArrayIndex(at)
            state = self._settings.value("state")
            if isinstance(state, QByteArray):
                found[str(self._settings.value("name"))] = (state, str(self._settings.value("sizes", "")))
        self._settings.endArray()
        return found

    def _keep_presets(self, presets: dict[str, tuple[QByteArray, str]]) -> None:
        group = f"presets/{self.workspace}"
        self._settings.remove(group)
        self._settings.beginWriteArray(group, len(presets))
        for at, (name, (state, sizes)) in enumerate(presets.items()):
            self._settings.setArrayIndex(at)
            self._settings.setValue("name", name)
            self._settings.setValue("state", state)
            self._settings.setValue("sizes", sizes)
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

    @property
    def _place(self) -> str:
        """What the present docks are kept under: a screen without room has an arrangement of its own."""
        return self.workspace + ("-narrow" if self._narrow else "") + ("-low" if self._low else "")

    def _keep(self) -> None:
        self._settings.setValue(f"docks/{self._place}", self._window.saveState(LAYOUT))
        self._settings.setValue(f"sizes/{self._place}", self._sizes.text())

    def _put(self) -> None:
        """The present workspace's docks, as they were left."""
        state = self._settings.value(f"docks/{self._place}")
        if state is None and self._place != self.workspace:
            self._carry_over()
        else:
            self._show(state, str(self._settings.value(f"sizes/{self._place}", "")))

    def _carry_over(self) -> None:
        """There was room until now: all is arranged anew, but what was closed stays closed."""
        roomy = self._settings.value(f"docks/{self.workspace}")
        known = isinstance(roomy, QByteArray) and self._window.restoreState(roomy, LAYOUT)
        closed = [dock for dock in self.docks() if dock.isHidden()] if known else []
        self.reset()
        for dock in closed:
            dock.hide()

    def _show(self, state: object, sizes: str) -> None:
        if not isinstance(state, QByteArray) or not self._window.restoreState(state, LAYOUT):
            self.reset()
        else:
            self._sizes.take({**self._designed(), **self._sizes.read(sizes)})
            self._settle_soon()
        for dock, (workspace, _) in self._guests.items():
            if workspace != self.workspace:
                dock.hide()

    def _arrange(self) -> None:
        window, own = self._window, (self._browser, self._generation, self._gallery, self._queue)
        sides: dict[Qt.DockWidgetArea, list[QDockWidget]] = {}
        for dock, area in (
            (self._browser, _Area.LeftDockWidgetArea),
            (self._generation, _Area.RightDockWidgetArea),
            (self._gallery, _Area.BottomDockWidgetArea),
            (self._queue, _Area.BottomDockWidgetArea),
        ):
            dock.setFloating(False)
            window.addDockWidget(self._side(area), dock)
            dock.setVisible(self.workspace == CREATE)
            if self.workspace == CREATE:
                sides.setdefault(self._side(area), []).append(dock)
        window.splitDockWidget(self._gallery, self._queue, Qt.Orientation.Vertical)
        for dock, (workspace, area) in self._guests.items():
            dock.setFloating(False)
            window.addDockWidget(self._side(area), dock)
            dock.setVisible(workspace == self.workspace)
            if workspace == self.workspace:
                sides.setdefault(self._side(area), []).append(dock)
        self._sizes.docks = (*own, *self._guests)
        self._stack(sides)

    def _side(self, area: Qt.DockWidgetArea) -> Qt.DockWidgetArea:
        """Where a narrow screen has room for one side only, everything stands at the right."""
        return _Area.RightDockWidgetArea if self._narrow and area == _Area.LeftDockWidgetArea else area

    def _stack(self, sides: dict[Qt.DockWidgetArea, list[QDockWidget]]) -> None:
        """Tabs in place of neighbours, where there is no room for these."""
        for area, docks in sides.items():
            if self._low if area == _Area.BottomDockWidgetArea else self._narrow:
                for dock in docks[1:]:
                    self._window.tabifyDockWidget(docks[0], dock)
                docks[-1 if self.workspace == CREATE and area != _Area.BottomDockWidgetArea else 0].raise_()
