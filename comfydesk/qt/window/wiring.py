"""Joins the desk to a session: the bridge's signals to models and docks, the docks' wishes to the bench."""

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog

from comfydesk.intent.match import understand
from comfydesk.intent.rank import Candidate, suggest
from comfydesk.qt.bridge.feeds import Bridge
from comfydesk.qt.bridge.tasks import Tasks
from comfydesk.qt.docks.intent import QuickAction
from comfydesk.qt.models.rows import WorkflowRow
from comfydesk.qt.window.bench import Bench
from comfydesk.qt.window.desk import Desk, show_folder
from comfydesk.qt.window.draft_keeper import DraftKeeper
from comfydesk.qt.window.jobs import JobDesk
from comfydesk.qt.window.pods import PodDesk
from comfydesk.store.records import Output
from comfydesk.workflow.fields import Role

if TYPE_CHECKING:
    from comfydesk.session.session import Session
    from comfydesk.session.values import OpenWorkflow, WorkflowEntry
    from comfydesk.workflow.needs import Needs

FILES = "Workflows and files that carry one (*.json *.png *.webp *.jpg *.mp4 *.webm *.flac *.mp3 *.opus *.svg *.glb)"
FIRST_CHOICE = "t2i"


class Wiring(QObject):
    """Lives as long as the session does. `demo_wanted` when the user asks for the demo pod."""

    demo_wanted = Signal()

    def __init__(self, desk: Desk, session: "Session", bridge: Bridge, tasks: Tasks) -> None:
        super().__init__(desk)
        self._desk, self._window = desk, desk.window
        self._session, self._tasks = session, tasks
        self.bench = Bench(session, tasks, self)
        self.jobs = JobDesk(desk, session, bridge, tasks, self.bench, self)
        self.pods = PodDesk(desk, session, tasks, self)
        self.pods.demo_wanted.connect(self.demo_wanted)
        self._catalog: object = None
        self._newest: tuple[float, int] = (0, 0)
        self._feed(bridge)
        self._join_docks()
        self._join_actions()
        self.keeper = DraftKeeper(desk, self.bench, tasks, self)  # last: it completes what the panel shows
        self._show_pods()

    # --- Session → window -----------------------------------------------------------------------------------------

    def _feed(self, bridge: Bridge) -> None:
        desk = self._desk
        bridge.outputs.connect(desk.outputs.put_outputs)
        bridge.outputs.connect(desk.workflows.put_outputs)
        bridge.outputs.connect(self._on_outputs)
        bridge.outputs_gone.connect(desk.outputs.drop)
        bridge.outputs_gone.connect(self._on_outputs_gone)
        bridge.workflows.connect(self._on_workflows)
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
        desk.workflows.forget_outputs(ids, (row.output for row in desk.outputs.rows()))
        if shown is not None and shown.id in ids:
            desk.preview.show_output(desk.outputs.latest)

    def _on_workflows(self, entries: "tuple[WorkflowEntry, ...]") -> None:
        desk = self._desk
        desk.workflows.set_entries(entries)
        desk.browser.mark_ready()
        if self.bench.idle:
            last = desk.workflows.entry(self._window.places.last_workflow)
            first = last or next((entry for entry in entries if entry.card.type == FIRST_CHOICE), None)
            if first or entries:
                self.bench.open(first or entries[0])

    def _show_pods(self) -> None:
        self.pods.refresh()
        self.jobs.refresh_pods()
        if self._session.catalog is not self._catalog:
            self._catalog = self._session.catalog
            self.bench.reopen()
            self.bench.check(self._desk.workflows.entries())

    # --- Window → session -----------------------------------------------------------------------------------------

    def _join_docks(self) -> None:
        desk, bench = self._desk, self.bench
        desk.browser.chosen.connect(bench.open)
        desk.browser.make.connect(self._make)
        desk.browser.open_file.connect(self._ask_file)
        self._window.file_dropped.connect(bench.open)
        desk.generation.values_changed.connect(bench.keep)
        desk.gallery.shown.connect(desk.preview.show_output)
        desk.gallery.reuse.connect(self._reuse)
        desk.gallery.revealed.connect(lambda output: show_folder(Path(output.path).parent))
        bench.opening.connect(desk.generation.show_opening)
        bench.opened.connect(self._on_opened)
        bench.made_ready.connect(self._on_made_ready)
        bench.open_failed.connect(desk.generation.show_error)
        bench.refused.connect(desk.generation.show_error)
        bench.checked.connect(self._on_checked)
        desk.intent.searched.connect(desk.browser.search_for)
        desk.intent.entered.connect(self._on_intent)
        desk.intent.picked.connect(self._on_quick)

    def _join_actions(self) -> None:
        desk = self._desk
        desk.action("open", self._ask_file)
        desk.action("reset_values", self.bench.reset)

    def _on_opened(self, opened: "OpenWorkflow", values: dict[str, object]) -> None:
        desk = self._desk
        entry = desk.workflows.entry(opened.id)
        outputs = entry.card.output_types if entry is not None else ()
        desk.generation.show_workflow(opened, values, outputs[0] if outputs else "")
        desk.browser.mark_open(opened.id)
        self._window.places.keep_workflow(opened.id)
        self._window.setWindowTitle(f"{opened.name} \N{EN DASH} ComfyDesk")

    def _on_made_ready(self, workflow: str) -> None:
        """Generate costs money: it is pressed only for what "Make" was said of, and that is what the panel shows."""
        shown = self._desk.generation.workflow
        if shown is not None and shown.id == workflow:
            self._desk.generation.press()

    def _on_checked(self, found: "dict[str, Needs]") -> None:
        pod = self._session.current_pod
        self._desk.workflows.set_needs(found, "" if pod is None else pod.name)

    def _make(self, entry: "WorkflowEntry") -> None:
        self.bench.open(entry, then_generate=True)

    def _reuse(self, output: Output) -> None:
        by_name = {entry.name: entry for entry in self._desk.workflows.entries()}
        self.bench.reuse(output, by_name.get(output.workflow))

    def _on_quick(self, action: QuickAction) -> None:
        self._desk.browser.show_task(action.words, action.types)
        first = self._desk.browser.first()
        if first is not None:
            self.bench.open(first)

    def _on_intent(self, sentence: str) -> None:
        """Open the best workflow for what was said, its subject already in the prompt; no match is said in the list."""
        desk = self._desk
        intent = understand(sentence)
        candidates = (candidate(row) for row in desk.workflows.all_rows())
        best = suggest(intent, candidates, 1) if sentence.strip() else ()
        entry = desk.workflows.entry(best[0].id) if best else None
        if entry is None:
            desk.browser.search_for(sentence)
            return
        desk.browser.clear()
        desk.intent.field.set_text("")
        self.bench.open(entry, fill={Role.PROMPT: intent.subject} if intent.subject else None)

    def _ask_file(self) -> None:
        dialog = QFileDialog(self._window, "Open workflow", "", FILES)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(lambda chosen: self.bench.open(Path(chosen)))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()


def candidate(row: WorkflowRow) -> Candidate:
    """A card as the intent matcher takes it."""
    card = row.entry.card
    return Candidate(
        row.entry.id,
        row.entry.name,
        card.type or "",
        card.input_types,
        ready=None if row.needs is None else row.needs.ready,
        favourite=row.starred,
        last_used=row.used,
        words=card.description,
    )
