"""Three workspaces over one window: Create, Library, Compare. Each has a middle and a layout of its own."""

from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QDockWidget, QWidget

from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets.empty_state import EmptyState
from comfydesk.qt.widgets.segmented import Segment, Segmented
from comfydesk.qt.window.layout import CREATE, WORKSPACES
from comfydesk.qt.window.shell import MainWindow

ICONS = {"create": "create", "library": "grid", "compare": "compare"}


class Workspaces(QObject):
    """Register what stands in the middle with `hold`; switch with `show`."""

    changed = Signal(str)
    """Another workspace is shown: its name."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window, self._theme = window, window.theme
        self._centres: dict[str, QWidget] = {}
        self._makers: dict[str, Callable[[], QWidget]] = {}
        self._focus: dict[str, QWidget] = {}
        self._vacant: QWidget | None = None
        words = {"create": tr("Create"), "library": tr("Library"), "compare": tr("Compare")}
        segments = [Segment(words[name], ICONS[name], tooltip=words[name]) for name in WORKSPACES]
        self.switch = Segmented(self._theme, segments, WORKSPACES.index(self.current), name=tr("Workspace"), height=28)
        self.switch.picked.connect(lambda at: self.show(WORKSPACES[at]))

    @property
    def current(self) -> str:
        """Name of the one that is shown: "create", "library" or "compare"."""
        return self._window.places.workspace

    def hold(self, name: str, widget: QWidget | Callable[[], QWidget]) -> None:
        """Let `widget` be the middle of workspace `name`; a function is called when it is first shown."""
        if isinstance(widget, QWidget):
            self._take(name, widget)
        else:
            self._makers[name] = widget
        if name == self.current:
            self._place()

    def add_dock(
        self, name: str, dock: QDockWidget, area: Qt.DockWidgetArea = Qt.DockWidgetArea.RightDockWidgetArea
    ) -> None:
        """A dock that only workspace `name` has. Its object name must never change: the saved layout knows it by it."""
        self._window.places.add(name, dock, area)

    def centre(self, name: str) -> QWidget | None:
        """What stands in the middle of `name`; None while nothing was made yet."""
        return self._centres.get(name)

    def show(self, name: str) -> None:
        """Switch to workspace `name`. The keyboard goes to where it was there. KeyError: there is no such workspace."""
        at = {each: number for number, each in enumerate(WORKSPACES)}[name]
        self.switch.set_current(at)
        if name == self.current:
            return
        window = self._window
        focused = window.focusWidget()
        if focused is not None:
            self._focus[self.current] = focused
        # Or each dock that goes would hand the keyboard on to whatever comes next.
        window.stage.setFocus(Qt.FocusReason.OtherFocusReason)
        window.setUpdatesEnabled(False)  # one picture of the change, not one for each dock
        try:
            window.places.change(name)
            window.top.show_intent(window.places.intent_shown)
            self._place()
        finally:
            window.setUpdatesEnabled(True)
        self._return_focus(name)
        self.changed.emit(name)

    # --- Inside ---------------------------------------------------------------------------------------------------

    def _take(self, name: str, widget: QWidget) -> None:
        before = self._centres.get(name)
        self._centres[name] = widget
        widget.setVisible(False)
        self._window.hold(widget)
        if before is not None:
            before.deleteLater()

    def _place(self) -> None:
        name = self.current
        if name not in self._centres and name in self._makers:
            self._take(name, self._makers.pop(name)())
        wanted = self._centres.get(name)
        for centre in self._centres.values():
            centre.setVisible(centre is wanted)
        self._say_vacant(wanted is None)

    def _say_vacant(self, vacant: bool) -> None:
        if vacant and self._vacant is None:
            empty = EmptyState(
                self._theme, "image", tr("Nothing here yet"), tr("Make a picture first."), action=tr("Create")
            )
            empty.acted.connect(lambda: self.show(CREATE))
            self._vacant = empty
            self._window.hold(empty)
        if self._vacant is not None:
            self._vacant.setVisible(vacant)

    def _return_focus(self, name: str) -> None:
        before = self._focus.get(name)
        target = before if before is not None and before.isVisible() else self._centres.get(name)
        if target is not None and target.isVisible():
            target.setFocus(Qt.FocusReason.OtherFocusReason)
