"""Joins the desk to a session: the bridge's signals to models and docks, the docks' wishes to the bench."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from comfydesk.qt.bridge.feeds import Bridge
from comfydesk.qt.bridge.tasks import Tasks
from comfydesk.qt.models.tips import plain_tip
from comfydesk.qt.theme.language import tr
from comfydesk.qt.window.bench import Bench
from comfydesk.qt.window.browse import Browse
from comfydesk.qt.window.compare import CompareDesk
from comfydesk.qt.window.desk import Desk
from comfydesk.qt.window.draft_keeper import DraftKeeper
from comfydesk.qt.window.enhance import EnhanceDesk
from comfydesk.qt.window.export import ExportDesk
from comfydesk.qt.window.finds import Finds
from comfydesk.qt.window.form import FormDesk
from comfydesk.qt.window.importing import ImportDesk
from comfydesk.qt.window.jobs import JobDesk
from comfydesk.qt.window.library import LibraryDesk
from comfydesk.qt.window.library_memory import remember_library
from comfydesk.qt.window.pods import PodDesk
from comfydesk.qt.window.recent import RecentDesk
from comfydesk.qt.window.refine import Refine

if TYPE_CHECKING:
    from comfydesk.session.session import Session


class Wiring(QObject):
    """Lives as long as the session does. `demo_wanted` when the user asks for the demo pod."""

    demo_wanted = Signal()

    def __init__(self, desk: Desk, session: "Session", bridge: Bridge, tasks: Tasks) -> None:
        super().__init__(desk)
        self._desk, self._window = desk, desk.window
        self._session, self._tasks = session, tasks
        self.bench = Bench(session, tasks, self)
        self.jobs = JobDesk(desk, session, bridge, tasks, self.bench, self)
        self.browse = Browse(desk, session, bridge, tasks, self.bench, self)
        self.recent = RecentDesk(desk, session, bridge, tasks, self)
        self.export = ExportDesk(desk, session, tasks, self)
        self.library = LibraryDesk(desk, session, tasks, self)
        self.refine = Refine(desk, session, tasks, self.bench, self)
        self.compare = CompareDesk(desk, session, tasks, self.library, self.refine, self)
        self.imports = ImportDesk(desk, session, tasks, self.library, self)
        self.pods = PodDesk(desk, session, tasks, self)
        self.pods.demo_wanted.connect(self.demo_wanted)
        self._feed(bridge)
        self._join_docks()
        self._join_actions()
        self.form = FormDesk(desk, session, tasks, self.bench, self)
        self.enhance = EnhanceDesk(desk, session, tasks, self.bench, self)
        self.keeper = DraftKeeper(desk, self.bench, tasks, self)  # last: it completes what the panel shows
        self.finds = Finds(desk, session, self.bench, self.pods, self)
        remember_library(self.finds.memory, self.library)
        self._show_pods()

    # --- Session → window -----------------------------------------------------------------------------------------

    def _feed(self, bridge: Bridge) -> None:
        bridge.pods.connect(self._show_pods)

    def _show_pods(self) -> None:
        self.pods.refresh()
        self.jobs.refresh_pods()
        self.browse.refresh_pods()
        self.form.refresh_pods()

    # --- Window → session -----------------------------------------------------------------------------------------

    def _join_docks(self) -> None:
        desk, bench = self._desk, self.bench
        desk.generation.values_changed.connect(bench.keep)
        desk.gallery.reuse.connect(self.refine.use)
        desk.preview.reuse.connect(self.refine.use)
        desk.gallery.removed.connect(self.library.delete)
        self.library.reused.connect(self.refine.act)
        self.library.sent.connect(self.refine.send)
        self.library.varied.connect(self.refine.offer_variations)
        self.library.exported.connect(self.export.open)
        self.library.opened.connect(lambda output: desk.viewer.open(output, self.library.model))
        bench.opening.connect(desk.generation.show_opening)
        bench.open_failed.connect(desk.generation.show_error)
        bench.refused.connect(desk.generation.show_error)

    def _join_actions(self) -> None:
        desk = self._desk
        desk.action("reset_values", self.bench.reset)
        desk.action("import_folder", self.imports.ask_folder)
        desk.action("pod_outputs", self.imports.open_pod)
        desk.action("save_search", self.library.save_search)
        desk.action("export", lambda: self.export.open(self.library.page.view.selected_ids()))
        self.library.page.view.picked.connect(self._tell_export)
        self._tell_export()

    def _tell_export(self) -> None:
        """The command says why it cannot be chosen."""
        action, any_ = self._desk.actions["export"], self.library.page.view.selected_count() > 0
        action.setEnabled(any_)
        action.setToolTip(plain_tip(action.text() if any_ else tr("Select something in the library first")))
