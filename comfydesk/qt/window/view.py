"""What the View menu and the window's top right do: workspaces, panels, layouts, full screen."""

from functools import partial

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QMenu

from comfydesk.qt.dialogs.name import NameSheet
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets.buttons import Button, IconButton, Size
from comfydesk.qt.widgets.menu import Menu
from comfydesk.qt.window.actions import Actions
from comfydesk.qt.window.layout import WORKSPACES
from comfydesk.qt.window.shell import MainWindow
from comfydesk.qt.window.workspaces import Workspaces

_Area = Qt.DockWidgetArea
PANELS = {
    "left_panel": ("panel-left", _Area.LeftDockWidgetArea),
    "bottom_panel": ("panel-bottom", _Area.BottomDockWidgetArea),
    "right_panel": ("panel-right", _Area.RightDockWidgetArea),
}


class View(QObject):
    """Made once the actions and the workspaces are there."""

    def __init__(self, window: MainWindow, actions: Actions, workspaces: Workspaces) -> None:
        super().__init__(window)
        self._window, self._places = window, window.places
        self._actions, self._workspaces = actions, workspaces
        self._watched: set[int] = set()
        self._fill_corner()
        self._join_workspaces()
        self._join_panels()
        self._join_layouts()
        actions["full_screen"].triggered.connect(self._toggle_full_screen)
        self._follow()

    # --- Workspaces -----------------------------------------------------------------------------------------------

    def _fill_corner(self) -> None:
        """Workspaces, the panels' switches and the palette, at the right end of the menus."""
        theme, top = self._window.theme, self._window.top
        top.add_switch(self._workspaces.switch)
        for at, (command, (icon, _)) in enumerate(PANELS.items()):
            action = self._actions[command]
            button = IconButton(theme, icon, action.text(), size=Size.COMPACT, checkable=True)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.clicked.connect(action.trigger)
            action.toggled.connect(button.setChecked)
            top.add_switch(button, gives_way=1, apart=at == 0)
        commands = Button(theme, tr("Commands"), keys=self._actions["palette"].shortcut().toString(), size=Size.COMPACT)
        commands.clicked.connect(self._actions["palette"].trigger)
        top.add_switch(commands, gives_way=2, apart=True)

    def _join_workspaces(self) -> None:
        for name in WORKSPACES:
            self._actions[name].triggered.connect(lambda _=False, name=name: self._workspaces.show(name))
        self._workspaces.changed.connect(self._follow)
        top = self._window.top
        self._actions["intent_bar"].triggered.connect(top.show_intent)
        top.intent_shown.connect(self._actions["intent_bar"].setChecked)
        top.intent_shown.connect(self._places.keep_intent)

    def _follow(self) -> None:
        """Another workspace: its name and its panels are the ones that are ticked."""
        for name in WORKSPACES:
            self._actions[name].setChecked(name == self._workspaces.current)
        self._actions["intent_bar"].setChecked(not self._window.top.intent_hidden)
        for dock in self._places.docks():
            if id(dock) not in self._watched:
                self._watched.add(id(dock))
                dock.toggleViewAction().toggled.connect(self._tell_panels)
        self._tell_panels()

    # --- Panels ---------------------------------------------------------------------------------------------------

    def _join_panels(self) -> None:
        for command, (_, side) in PANELS.items():
            self._actions[command].triggered.connect(lambda on, side=side: self._show_side(side, on))
        menu = Menu(self._window.theme, tr("Panels"), self._window)
        menu.aboutToShow.connect(partial(self._list_panels, menu))
        self._window.menus["View"].addMenu(menu)

    def _show_side(self, side: Qt.DockWidgetArea, on: bool) -> None:
        for dock in self._places.on(side):
            dock.setVisible(on)

    def _tell_panels(self) -> None:
        for command, (_, side) in PANELS.items():
            self._actions[command].setChecked(any(not dock.isHidden() for dock in self._places.on(side)))

    def _list_panels(self, menu: QMenu) -> None:
        menu.clear()
        for dock in self._places.docks():
            action = dock.toggleViewAction()
            action.setText(dock.windowTitle())
            menu.addAction(action)

    # --- Layouts --------------------------------------------------------------------------------------------------

    def _join_layouts(self) -> None:
        for command, arrange in (
            ("layout_default", self._reset),
            ("layout_focus", self._places.focus),
            ("layout_wide", self._places.wide),
            ("save_layout", self._ask_name),
        ):
            self._actions[command].triggered.connect(lambda _=False, arrange=arrange: arrange())
        menu = Menu(self._window.theme, tr("Saved layouts"), self._window)
        menu.aboutToShow.connect(partial(self._list_layouts, menu))
        self._window.menus["View"].addMenu(menu)

    def _reset(self) -> None:
        self._places.reset()
        self._window.top.show_intent(self._workspaces.current == "create")

    def _list_layouts(self, menu: Menu) -> None:
        menu.clear()
        names = self._places.names()
        if not names:
            menu.add(tr("None yet"), reason=tr("Arrange the panels, then choose Save layout."))
            return
        for name in names:
            menu.addAction(name, partial(self._places.apply, name))
        menu.addSeparator()
        remove = menu.addMenu(tr("Delete"))
        for name in names:
            remove.addAction(name, partial(self._places.forget, name))

    def _ask_name(self) -> None:
        sheet = NameSheet(self._window.theme, tr("Save layout"), tr("Name"), self._window)
        sheet.named.connect(self._places.save_as)
        sheet.open()

    def _toggle_full_screen(self) -> None:
        self._window.setWindowState(self._window.windowState() ^ Qt.WindowState.WindowFullScreen)
