"""Everything in the window: models, panels, actions. It moves into the painted shell part by part."""

from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QApplication

from comfydesk.qt.dialogs.viewer import Viewer
from comfydesk.qt.docks.browser import BrowserPanel
from comfydesk.qt.docks.gallery import GalleryPanel
from comfydesk.qt.docks.generation import GenerationPanel
from comfydesk.qt.docks.intent import IntentBar
from comfydesk.qt.docks.preview import PreviewPanel
from comfydesk.qt.docks.queue import QueuePanel
from comfydesk.qt.docks.status import Status
from comfydesk.qt.models.gallery import GalleryModel
from comfydesk.qt.models.jobs import JobModel
from comfydesk.qt.models.thumbnails import Thumbnails
from comfydesk.qt.models.workflows import WorkflowModel
from comfydesk.qt.widgets.editors import Surroundings
from comfydesk.qt.widgets.toast import ToastHost
from comfydesk.qt.window.actions import Actions
from comfydesk.qt.window.pages import Pages
from comfydesk.qt.window.preferences import Preferences
from comfydesk.qt.window.settings_desk import SettingsDesk
from comfydesk.qt.window.shell import MainWindow
from comfydesk.qt.window.view import View
from comfydesk.qt.window.workspaces import Workspaces
from comfydesk.session.gallery.thumbnails import FOLDER
from comfydesk.settings import Settings

LOG_NAME = "comfydesk.log"


class Desk(QObject):
    """What the user works at. Needs no session; without one it says that it waits.

    Made with `Desk(window)` and then all of `furnish()`; each step takes a few milliseconds, so that the window answers
    in between.
    """

    def __init__(self, window: MainWindow, settings: Settings | None = None) -> None:
        """`settings`: without any, those that nobody changed."""
        super().__init__(window)
        self.preferences = Preferences(settings or Settings(), window.theme, self)
        self.window, self.theme, self.paths = window, window.theme, window.paths
        self.thumbnails = Thumbnails(self, folder=self.paths.cache / FOLDER)
        self.workflows = WorkflowModel(self.thumbnails, self)
        self.jobs = JobModel(self.thumbnails, self)
        self.outputs = GalleryModel(self)
        self.toasts = ToastHost(window.theme, window)
        self.pages = Pages(window)
        self.pod_facts: Callable[[], tuple[str, ...]] = tuple
        """Kinds and versions of the pods, for a report; the session's side knows them."""

    def furnish(self) -> Iterator[None]:
        """Build everything, a part at a time."""
        window, theme = self.window, self.theme
        self.browser = BrowserPanel(theme, window.browser_dock, self.workflows)
        yield
        around = Surroundings(self.thumbnails, pasted=self.paths.data / "pasted")
        self.generation = GenerationPanel(theme, window.generation_dock, around)
        self.toasts.keep_clear(self.generation.footer)
        yield
        self.preview = PreviewPanel(theme)
        self.workspaces = Workspaces(window)
        self.workspaces.hold("create", self.preview)
        yield
        self.gallery = GalleryPanel(theme, window.gallery_dock, self.outputs, self.thumbnails)
        yield
        self.queue = QueuePanel(theme, window.queue_dock, self.jobs)
        self.status = Status(theme, window.statusBar())
        yield
        self.intent = IntentBar(theme)
        window.top.hold_intent(self.intent)
        yield
        self.actions = Actions(theme, window)
        yield
        self.actions.fill(window.menus)
        self.viewer = Viewer(theme, self.outputs, window, self.thumbnails)
        self.view = View(window, self.actions, self.workspaces)
        self.options = SettingsDesk(window, self.actions, self.pages, self.preferences, self.toasts)
        self.palette = self.options.palette
        self._bind()

    def action(self, command: str, slot: Callable[[], object]) -> None:
        """Let the command of that id do `slot`."""
        self.actions[command].triggered.connect(lambda _=False: slot())

    def release(self) -> None:
        """End the worker threads. The desk is of no use afterwards."""
        self.preview.release()
        self.viewer.release()
        self.thumbnails.close()

    # --- Inside ---------------------------------------------------------------------------------------------------

    def _bind(self) -> None:
        window, top = self.window, self.window.top
        self.intent.folded.connect(lambda: top.show_intent(False))
        self.workspaces.changed.connect(lambda _: self.pages.close())
        self.action("quit", window.close)
        self.action("find", self.browser.focus_search)
        self.action("intent", self._focus_intent)
        self.action("prompt", self.generation.go_to_prompt)
        self.action("generate", self.generate)
        self.action("outputs_folder", lambda: show_folder(self.paths.outputs))
        self.action("log_folder", lambda: show_folder(self.paths.logs))
        self.action("about", self._show_about)
        for command in ("undo", "redo", "cut", "copy", "paste"):
            self.action(command, partial(edit_focused, command))
        self.generation.add_actions(self.actions["reset_values"], self.actions["open"])
        self.preview.large.connect(self.viewer.open)
        self.gallery.show_library_keys(self.actions["library"])
        self.gallery.large.connect(lambda output: self.viewer.open(output.id))

    def generate(self, *, front: bool = False) -> None:
        """Ctrl+Enter. In the intent bar it makes what is said there, never what the form held before: that costs money.

        `front`: before all that waits, as far as it is the form's that is made.
        """
        if self.intent.make():
            return
        if self.intent.field.edit.hasFocus() and self.generation.opening:
            return  # what the bar said is on its way; the form is still that of the one before
        self.generation.press(front=front)

    def _focus_intent(self) -> None:
        self.window.top.show_intent(True)
        self.intent.field.edit.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.intent.field.edit.selectAll()

    def _show_about(self) -> None:
        from comfydesk.qt.dialogs.about import AboutDialog
        from comfydesk.qt.window.diagnostics import versions

        dialog = AboutDialog(self.theme, versions(), self.diagnostics, self.window)
        dialog.log_wanted.connect(self.actions["log_folder"].trigger)
        dialog.open()

    def diagnostics(self) -> str:
        """What may be sent along with a report."""
        from comfydesk.qt.window.diagnostics import diagnostics

        states = Counter(row.job.state.value for row in self.jobs.rows())
        counts = {"Workflows": self.workflows.total, "Outputs listed": self.outputs.rowCount()}
        counts |= {f"Jobs {state}": count for state, count in sorted(states.items())}
        return diagnostics(self.preferences.settings, self.paths.logs / LOG_NAME, counts, self.pod_facts())


def furnish(window: MainWindow, settings: Settings | None = None) -> Desk:
    """A desk, all of it at once."""
    desk = Desk(window, settings)
    for _ in desk.furnish():
        pass
    return desk


def show_folder(folder: Path) -> None:
    """Open a folder in the desktop's file manager."""
    folder.mkdir(parents=True, exist_ok=True)
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))


def edit_focused(command: str) -> None:
    """Undo, redo, cut, copy or paste in whatever has the keyboard, if it can."""
    method = getattr(QApplication.focusWidget(), command, None)
    if callable(method):
        method()
