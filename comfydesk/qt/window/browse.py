"""The workflows' part of the window: cards, what they need, what the intent bar offers, opening them."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog

from comfydesk.qt.bridge.feeds import Bridge
from comfydesk.qt.bridge.tasks import Tasks
from comfydesk.qt.docks.intent import QUICK_ACTIONS, QuickAction
from comfydesk.qt.models.offers import ALL, Suggested, Suggesting, task_titles
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets.card_delegate import ICONS, badge_of
from comfydesk.qt.widgets.offer_list import TASK, Offer
from comfydesk.qt.window.bench import Bench
from comfydesk.qt.window.desk import Desk
from comfydesk.qt.window.missing import Missing
from comfydesk.qt.window.model_desk import ModelDesk
from comfydesk.qt.window.saving import SaveDesk
from comfydesk.qt.window.workflow_commands import WorkflowCommands
from comfydesk.settings import WORKFLOW_FOLDERS
from comfydesk.store.workflow_marks import Mark
from comfydesk.workflow.fields import Role

if TYPE_CHECKING:
    from comfydesk.session.session import Session
    from comfydesk.session.values import OpenWorkflow, WorkflowEntry
    from comfydesk.workflow.needs import Needs

SUFFIXES = "*.json *.png *.webp *.jpg *.mp4 *.webm *.flac *.mp3 *.opus *.svg *.glb"
FIRST_CHOICE = "t2i"
TASK_ICONS = {next(iter(action.types)): action.icon for action in QUICK_ACTIONS}


class Browse(QObject):
    """Lives as long as the session does."""

    def __init__(
        self,
        desk: Desk,
        session: "Session",
        bridge: Bridge,
        tasks: Tasks,
        bench: Bench,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._desk, self._session, self._tasks, self._bench = desk, session, tasks, bench
        self.model = desk.workflows
        self.suggesting = Suggesting(self.model, self._connected)
        self._catalog: object = None
        self._seen: set[str] = set()
        """Workflows whose place in the list is settled."""
        self._exact: dict[str, Needs] = {}
        """Of opened ones, against the present catalog."""
        self._unmarked = ""
        """Opened by the window itself: no choice of the user's."""
        self._marked = ""
        self.models = ModelDesk(desk, session, tasks, bench, self)
        self.commands = WorkflowCommands(desk, session, tasks, bench, self)
        self.saving = SaveDesk(desk, session, tasks, bench, self)
        self.missing = Missing(desk, session, tasks, bench, self)
        self._join(bridge)

    # --- Session → window -----------------------------------------------------------------------------------------

    def refresh_pods(self) -> None:
        """The session says that something about its pods is new."""
        pod, model = self._session.current_pod, self.model
        if pod is not None and pod.status.usable:
            model.ask_pictures_again()
        if self._session.catalog is not self._catalog:
            self._catalog = self._session.catalog
            self._exact = {}
            self._bench.reopen()
            self._check(self.model.entries())
        self.models.refresh()

    def _connected(self) -> bool:
        pod = self._session.current_pod
        return pod is not None and pod.status.usable

    def _on_workflows(self, entries: "tuple[WorkflowEntry, ...]") -> None:
        self.model.set_entries(entries)
        news = tuple(entry for entry in entries if entry.id not in self._seen)
        self._seen |= {entry.id for entry in news}
        if news:
            self._tasks.start(self._session.shelves.last_made(), done=partial(self._place, news))
        rows = (self.model.row_of_id(entry.id) for entry in entries)
        self._check(tuple(row.entry for row in rows if row is not None and row.needs is None))
        self._desk.browser.mark_ready()
        if self._bench.idle:
            last = self.model.entry(self._desk.window.places.last_workflow)
            first = last or next((entry for entry in entries if entry.card.type == FIRST_CHOICE), None)
            if first or entries:
                self._unmarked = (first or entries[0]).id
                self._bench.open(first or entries[0])

    def _place(self, news: "tuple[WorkflowEntry, ...]", made: object) -> None:
        """Favourites, tags, the last picture, and when it was used: known for new cards before they are looked at."""
        from comfydesk.store.workflow_marks import Made

        marks = self._session.shelves.marks
        pictures = {id_: one for id_, one in made.items() if isinstance(one, Made)} if isinstance(made, dict) else {}
        self.model.set_made(pictures)
        ids = {entry.id for entry in news}
        self.model.set_marks({id_: mark for id_, mark in marks.items() if id_ in ids})
        used = {id_: max(marks.get(id_, Mark()).opened, pictures[id_].created if id_ in pictures else 0) for id_ in ids}
        self.model.set_used({id_: when for id_, when in used.items() if when})

    def _check(self, entries: "tuple[WorkflowEntry, ...]") -> None:
        catalog = self._session.catalog
        if catalog is not None and entries:
            self._tasks.start(self._session.shelves.readiness(entries, catalog), done=self._on_checked)

    def _on_checked(self, found: object) -> None:
        pod = self._session.current_pod
        if isinstance(found, dict):
            self.model.set_needs({**found, **self._exact}, "" if pod is None else pod.name)

    def _on_outputs_gone(self, ids: tuple[int, ...]) -> None:
        if self.model.made(ids):
            self._tasks.start(self._session.shelves.last_made(), done=self.model.set_made)

    def _fetch_picture(self, entry: "WorkflowEntry") -> None:
        def show(path: Path | None) -> None:
            if path is not None:
                self.model.set_picture(entry.id, str(path))

        self._tasks.start(self._session.shelves.picture(entry), done=show)

    # --- Opening --------------------------------------------------------------------------------------------------

    def open_best(self, sentence: str) -> None:
        """Open the best workflow for what was said, its subject already in the prompt; no match is said in the list."""
        desk = self._desk
        intent, best = self.suggesting.best(sentence)
        entry = self.model.entry(best) if best else None
        if entry is None:
            desk.browser.search_for(sentence)
            return
        self._open_for(sentence, entry, intent.subject)

    def make_said(self, id_: str, sentence: str) -> None:
        """Open what Enter would, and generate once its form is there; nothing is generated where nothing fits."""
        if id_.startswith(TASK):
            self._on_taken(id_)  # a kind of task is a list to choose from
            return
        intent, best = self.suggesting.best(sentence)
        entry = self.model.entry(id_ or best)
        if entry is None:
            words = tr("Nothing was generated. Say it in other words, or pick a workflow on the left.")
            self._desk.toasts.tell(tr("No workflow fits these words"), words, tone="warning")
            return
        self._open_for(sentence, entry, intent.subject, then_generate=True)

    def _open_for(self, sentence: str, entry: "WorkflowEntry", subject: str, *, then_generate: bool = False) -> None:
        desk = self._desk
        desk.intent.remember(sentence)
        desk.browser.clear()
        desk.intent.field.set_text("")
        self._bench.open(entry, fill={Role.PROMPT: subject} if subject else None, then_generate=then_generate)

    def _on_opened(self, opened: "OpenWorkflow", values: dict[str, object]) -> None:
        desk = self._desk
        entry = self.model.entry(opened.id)
        outputs = entry.card.output_types if entry is not None else ()
        desk.generation.show_workflow(opened, values, outputs[0] if outputs else "")
        desk.browser.mark_open(opened.id)
        desk.window.places.keep_workflow(opened.id)
        desk.window.setWindowTitle(f"{opened.name} \N{EN DASH} ComfyDesk")
        if entry is not None and opened.needs is not None:
            self._exact[opened.id] = opened.needs
            self._on_checked({})
        self.models.on_opened(opened)
        self.missing.on_opened(opened)
        if entry is not None and opened.id not in (self._unmarked, self._marked):
            self._marked = opened.id
            self.model.mark_opened(opened.id)
            self._tasks.start(self._session.shelves.mark_opened(opened.id))

    def _on_made_ready(self, workflow: str) -> None:
        """Generate costs money: it is pressed only for what "Make" was said of, and that is what the panel shows."""
        shown = self._desk.generation.workflow
        if shown is not None and shown.id == workflow:
            self._desk.generation.press()

    def ask_file(self) -> None:
        """Choose a file, and open what is in it."""
        dialog = QFileDialog(
            self._desk.window, tr("Open workflow"), "", f"{tr('Workflows and files that carry one')} ({SUFFIXES})"
        )
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(lambda chosen: self._bench.open(Path(chosen)))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    # --- The intent bar -------------------------------------------------------------------------------------------

    def _on_typed(self, words: str) -> None:
        self._desk.intent.offer([self._offer(suggested) for suggested in self.suggesting.of(words)])

    def _offer(self, suggested: Suggested) -> Offer:
        row = suggested.row
        if row is None:
            type_ = suggested.id.removeprefix(ALL)
            id_ = f"{TASK}{type_}" if suggested.id else ""
            return Offer(id_, suggested.title, suggested.why, icon=TASK_ICONS.get(type_, "search"))
        outputs = row.entry.card.output_types
        return Offer(
            suggested.id,
            suggested.title,
            suggested.why,
            badge_of(row),
            self.model.thumbnail(suggested.id),
            ICONS.get(outputs[0] if outputs else "", "image"),
        )

    def _on_taken(self, id_: str) -> None:
        sentence = self._desk.intent.field.text()
        if id_.startswith(TASK):
            type_ = id_.removeprefix(TASK)
            self._desk.intent.remember(sentence)
            self._desk.intent.field.set_text("")
            self._desk.browser.show_task(task_titles().get(type_, type_), frozenset({type_}))
            return
        entry = self.model.entry(id_)
        if entry is not None:
            self._open_for(sentence, entry, self.suggesting.best(sentence)[0].subject)

    def _on_quick(self, action: QuickAction) -> None:
        self._desk.browser.show_task(tr(action.words), action.types)
        first = self._desk.browser.first()
        if first is not None:
            self._bench.open(first)

    # --- Inside ---------------------------------------------------------------------------------------------------

    def show_missing(self) -> None:
        """What the open workflow lacks on the pod."""
        if self._bench.current is not None:
            self.missing.show(self._bench.current)

    def _show_missing(self, entry: "WorkflowEntry") -> None:
        """Its sheet, once it is open and known exactly."""
        if self._bench.current is None or self._bench.current.id != entry.id:
            self._bench.open(entry)
        self.missing.want(entry.id)

    def _on_setting(self, option: object) -> None:
        if option is WORKFLOW_FOLDERS:
            self._session.shelves.watch_folders()

    def _star(self, entry: "WorkflowEntry", on: bool) -> None:
        before = self._session.shelves.marks.get(entry.id, Mark())
        self.model.set_marks({entry.id: Mark(on, before.opened, before.tags)})
        self._tasks.start(self._session.shelves.set_favourite(entry.id, on))

    def _join(self, bridge: Bridge) -> None:
        desk, bench = self._desk, self._bench
        bridge.workflows.connect(self._on_workflows)
        bridge.outputs.connect(self.model.put_outputs)
        bridge.outputs_gone.connect(self._on_outputs_gone)
        self.model.picture_wanted.connect(self._fetch_picture)
        browser = desk.browser
        browser.chosen.connect(bench.open)
        browser.missing.connect(self._show_missing)
        browser.make.connect(lambda entry: bench.open(entry, then_generate=True))
        browser.open_file.connect(self.ask_file)
        browser.starred.connect(self._star)
        browser.menu_wanted.connect(self.commands.open_menu)
        browser.keyed.connect(self.commands.on_key)
        browser.dropped.connect(self.commands.keep_file)
        desk.window.file_dropped.connect(bench.open)
        desk.preferences.changed.connect(self._on_setting)
        bench.opened.connect(self._on_opened)
        bench.made_ready.connect(self._on_made_ready)
        desk.intent.searched.connect(self._on_typed)
        desk.intent.taken.connect(self._on_taken)
        desk.intent.entered.connect(self.open_best)
        desk.intent.made.connect(self.make_said)
        desk.intent.picked.connect(self._on_quick)
        desk.action("open", self.ask_file)
        desk.action("missing", self.show_missing)
        desk.action("save_workflow", self.saving.save)
        desk.action("save_workflow_as", self.saving.save_as)
