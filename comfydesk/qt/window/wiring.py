"""Joins the desk to a session: the bridge's signals to models and docks, the docks' wishes to the bench."""

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from comfydesk.qt.bridge.feeds import Bridge
from comfydesk.qt.bridge.tasks import Tasks
from comfydesk.qt.window.bench import Bench
from comfydesk.qt.window.browse import Browse
from comfydesk.qt.window.desk import Desk, show_folder
from comfydesk.qt.window.draft_keeper import DraftKeeper
from comfydesk.qt.window.finds import Finds
from comfydesk.qt.window.form import FormDesk
from comfydesk.qt.window.jobs import JobDesk
from comfydesk.qt.window.library import LibraryDesk
from comfydesk.qt.window.pods import PodDesk
from comfydesk.store.records import Output

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
        self.library = LibraryDesk(desk, session, tasks, self)
        self.pods = PodDesk(desk, session, tasks, self)
        self.pods.demo_wanted.connect(self.demo_wanted)
        self._newest: tuple[float, int] = (0, 0)
        self._feed(bridge)
        self._join_docks()
        self._join_actions()
        self.form = FormDesk(desk, session, tasks, self.bench, self)
        self.keeper = DraftKeeper(desk, self.bench, tasks, self)  # last: it completes what the panel shows
        self.finds = Finds(desk, session, self.bench, self.pods, self)
        self._show_pods()

    # --- Session → window -----------------------------------------------------------------------------------------

    def _feed(self, bridge: Bridge) -> None:
        desk = self._desk
        bridge.outputs.connect(desk.outputs.put_outputs)
        bridge.outputs.connect(self._on_outputs)
        bridge.outputs_gone.connect(desk.outputs.drop)
        bridge.outputs_gone.connect(self._on_outputs_gone)
        bridge.pods.connect(self._show_pods)
        desk.outputs.more_wanted.connect(lambda: self._tasks.start(bridge.read_more_outputs()))

    def _on_outputs(self, outputs: tuple[Output, ...]) -> None:
        """What is newer than all before comes into the middle; pages of older ones do not."""
        newest = max(outputs, key=lambda output: (output.created, output.id))
        if (newest.created, newest.id) > self._newest:
            self._newest = (newest.created, newest.id)
            self._desk.preview.show_output(newest)

    def _on_outputs_gone(self, ids: tuple[int, ...]) -> None:
        desk, shown = self._desk, self._desk.preview.output
        if shown is not None and shown.id in ids:
            desk.preview.show_output(desk.outputs.latest)

    def _show_pods(self) -> None:
        self.pods.refresh()
        self.jobs.refresh_pods()
        self.browse.refresh_pods()
        self.form.refresh_pods()

    # --- Window → session -----------------------------------------------------------------------------------------

    def _join_docks(self) -> None:
        desk, bench = self._desk, self.bench
        desk.generation.values_changed.connect(bench.keep)
        desk.gallery.shown.connect(desk.preview.show_output)
        desk.gallery.reuse.connect(self._reuse)
        self.library.reused.connect(lambda output, _part: self._reuse_in_create(output))
        self.library.opened.connect(self._open_large)
        desk.gallery.revealed.connect(lambda output: show_folder(Path(output.path).parent))
        bench.opening.connect(desk.generation.show_opening)
        bench.open_failed.connect(desk.generation.show_error)
        bench.refused.connect(desk.generation.show_error)

    def _join_actions(self) -> None:
        desk = self._desk
        desk.action("reset_values", self.bench.reset)

    def _reuse(self, output: Output) -> None:
        self.bench.reuse(output, self._desk.workflows.entry(output.workflow_id) if output.workflow_id else None)

    def _reuse_in_create(self, output: Output) -> None:
        self._desk.workspaces.show("create")
        self._reuse(output)

    def _open_large(self, output: Output) -> None:
        self._desk.outputs.put_outputs((output,))
        self._desk.viewer.open(output.id)
