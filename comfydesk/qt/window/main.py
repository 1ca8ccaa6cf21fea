"""The main window: made and painted before anything heavy exists, then given a session to work with."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QCloseEvent, QDesktopServices, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QDockWidget, QHBoxLayout, QMainWindow, QToolBar, QWidget

from comfydesk.paths import APP, Paths
from comfydesk.qt.docks.browser import BrowserDock
from comfydesk.qt.docks.gallery import GalleryDock
from comfydesk.qt.docks.generation import GenerationDock
from comfydesk.qt.docks.intent import IntentBar
from comfydesk.qt.docks.preview import PreviewPanel
from comfydesk.qt.docks.queue import QueueDock
from comfydesk.qt.docks.status import StatusBar
from comfydesk.qt.models.jobs import JobModel
from comfydesk.qt.models.outputs import OutputModel
from comfydesk.qt.models.thumbnails import Thumbnails
from comfydesk.qt.models.workflows import WorkflowModel
from comfydesk.qt.theme import Theme
from comfydesk.qt.widgets.buttons import IconButton, Size
from comfydesk.qt.widgets.editors import Surroundings
from comfydesk.qt.widgets.toast import ToastHost
from comfydesk.qt.window.actions import Actions
from comfydesk.qt.window.layout import Layout

LAYOUT_FILE = "window.ini"


class MainWindow(QMainWindow):
    """Docks around a preview, the intent bar above, the status bar below. Works without a session: it waits."""

    files_dropped = Signal(object)
    """Path of a file that may carry a workflow."""
    closed = Signal()

    def __init__(self, theme: Theme, paths: Paths) -> None:
        super().__init__()
        self.theme, self.paths = theme, paths
        self.setObjectName("main")
        self.setWindowTitle(APP)
        self.setAcceptDrops(True)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self.thumbnails = Thumbnails(self)
        self.workflows = WorkflowModel(self.thumbnails, self)
        self.jobs = JobModel(self.thumbnails, self)
        self.outputs = OutputModel(self.thumbnails, self)
        self.intent = IntentBar(theme)
        self.browser = BrowserDock(theme, self.workflows)
        self.generation = GenerationDock(theme, Surroundings(self.thumbnails, pasted=paths.data / "pasted"))
        self.preview = PreviewPanel(theme)
        self.gallery = GalleryDock(theme, self.outputs)
        self.queue = QueueDock(theme, self.jobs)
        self.status = StatusBar(theme)
        self.actions_ = Actions(theme, self)
        self.toasts = ToastHost(theme, self)
        self._place()
        self._bind()
        self.places = Layout(
            theme,
            self,
            paths.data / LAYOUT_FILE,
            browser=self.browser,
            generation=self.generation,
            gallery=self.gallery,
            queue=self.queue,
        )
        self.places.restore()

    # --- What others call -----------------------------------------------------------------------------------------

    def action(self, command: str, slot: Callable[[], object]) -> None:
        """Let the command of that id do `slot`."""
        self.actions_[command].triggered.connect(lambda _=False: slot())

    def release(self) -> None:
        """End the worker threads. The window is of no use afterwards."""
        self.preview.release()
        self.thumbnails.close()

    # --- Making ---------------------------------------------------------------------------------------------------

    def _place(self) -> None:
        bar = QToolBar("Intent bar")
        bar.setObjectName("intent")
        bar.setMovable(False)
        bar.setContentsMargins(0, 0, 0, 0)
        bar.addWidget(self.intent)
        self.addToolBar(bar)
        self._intent_bar = bar
        self.setCentralWidget(self.preview)
        self.setStatusBar(self.status)
        self.menus = self.actions_.fill(self.menuBar())
        self.menuBar().setCornerWidget(self._corner(), Qt.Corner.TopRightCorner)
        self.generation.add_actions(self.actions_["reset_values"], self.actions_["open"])

    def _corner(self) -> QWidget:
        """The panels' switches at the right end of the menu bar."""
        corner = QWidget()
        row = QHBoxLayout(corner)
        row.setContentsMargins(0, 0, self.theme.px(8), 0)
        row.setSpacing(self.theme.px(4))
        for command, icon in (
            ("left_panel", "panel-left"),
            ("bottom_panel", "panel-bottom"),
            ("right_panel", "panel-right"),
        ):
            action = self.actions_[command]
            button = IconButton(self.theme, icon, f"{action.text()} panel", size=Size.COMPACT, checkable=True)
            button.setChecked(True)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.clicked.connect(action.trigger)
            action.toggled.connect(button.setChecked)
            row.addWidget(button)
        return corner

    def _bind(self) -> None:
        panels: dict[str, tuple[QDockWidget | QToolBar, ...]] = {
            "left_panel": (self.browser,),
            "right_panel": (self.generation,),
            "bottom_panel": (self.gallery, self.queue),
            "intent_bar": (self._intent_bar,),
        }
        for command, widgets in panels.items():
            self._bind_panel(command, widgets)
        self.action("full_screen", self._toggle_full_screen)
        self.action("reset_layout", self._reset_layout)
        self.action("quit", self.close)
        self.action("find", self.browser.focus_search)
        self.action("intent", self._focus_intent)
        self.action("prompt", self._focus_prompt)
        self.action("generate", self.generation.press)
        self.action("outputs_folder", lambda: show_folder(self.paths.outputs))
        self.action("log_folder", lambda: show_folder(self.paths.logs))
        for command in ("undo", "redo", "cut", "copy", "paste"):
            self.action(command, partial(edit_focused, command))
        self.intent.folded.connect(lambda: self._intent_bar.setVisible(False))

    def _bind_panel(self, command: str, widgets: tuple[QDockWidget | QToolBar, ...]) -> None:
        action = self.actions_[command]
        action.setChecked(True)

        def show_all(on: bool) -> None:
            for widget in widgets:
                widget.setVisible(on)

        action.triggered.connect(show_all)
        for widget in widgets:
            widget.toggleViewAction().toggled.connect(
                lambda _: action.setChecked(any(not widget.isHidden() for widget in widgets))
            )

    def _reset_layout(self) -> None:
        self.places.reset()
        self._intent_bar.show()

    def _toggle_full_screen(self) -> None:
        self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen)

    def _focus_intent(self) -> None:
        self._intent_bar.show()
        self.intent.field.edit.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.intent.field.edit.selectAll()

    def _focus_prompt(self) -> None:
        self.generation.show()
        self.generation.form.focus_prompt()

    # --- Events ---------------------------------------------------------------------------------------------------

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        local = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        if local:
            event.acceptProposedAction()
            self.files_dropped.emit(local[0])

    def closeEvent(self, event: QCloseEvent) -> None:
        self.places.save()
        self.closed.emit()
        super().closeEvent(event)


def show_folder(folder: Path) -> None:
    """Open a folder in the desktop's file manager."""
    folder.mkdir(parents=True, exist_ok=True)
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))


def edit_focused(command: str) -> None:
    """Undo, redo, cut, copy or paste in whatever has the keyboard, if it can."""
    focused = QApplication.focusWidget()
    method = getattr(focused, command, None)
    if callable(method):
        method()
