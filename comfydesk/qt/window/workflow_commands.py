"""What can be done with a workflow beside opening it: the menu of its card, and the session's calls behind it."""

from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QPoint, QUrl
from PySide6.QtGui import QDesktopServices

from comfydesk.errors import KnownError
from comfydesk.qt.bridge.tasks import Tasks
from comfydesk.qt.models.rows import WorkflowRow
from comfydesk.qt.models.workflow_filter import Source, source_of
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets.menu import Menu
from comfydesk.qt.window.bench import Bench
from comfydesk.qt.window.desk import Desk, show_folder
from comfydesk.qt.window.in_browser import Way, label, landing, where

if TYPE_CHECKING:
    from comfydesk.session.session import Session
    from comfydesk.session.shelves.keeping import Deleted
    from comfydesk.session.values import PodState, WorkflowEntry


class WorkflowCommands(QObject):
    """Everything is done at once and can be undone, or asks for a name first."""

    def __init__(self, desk: Desk, session: "Session", tasks: Tasks, bench: Bench, parent: QObject) -> None:
        super().__init__(parent)
        self._desk, self._session, self._tasks, self._bench = desk, session, tasks, bench
        self.menu = Menu(desk.theme, parent=desk.window)

    def open_menu(self, row: WorkflowRow, spot: QPoint) -> None:
        """At `spot` of the screen."""
        menu, entry = self.menu, row.entry
        menu.clear()
        mine = self._session.keeper.can_change(entry)
        broken = entry.card.error
        reason = "" if mine else tr("It is not yours to change: duplicate it, and change the copy.")
        browser = self._desk.browser

        def add(words: str, icon: str, then: Callable[[], object], *, keys: str = "", reason: str = "") -> None:
            menu.add(words, icon, keys=keys, reason=reason).triggered.connect(lambda _=False: then())

        add(tr("Open"), "open", lambda: browser.chosen.emit(entry), reason=broken)
        add(tr("Open and generate"), "play", lambda: browser.make.emit(entry), reason=broken)
        if row.needs is not None and not row.needs.ready and not broken:
            add(tr("Show what is missing"), "warning", lambda: browser.missing.emit(entry))
        menu.addSeparator()
        star = tr("Remove from favourites") if row.starred else tr("Add to favourites")
        add(star, "star", lambda: browser.starred.emit(entry, not row.starred), keys="*")
        add(tr("Tags"), "tag", lambda: self.ask_tags(row))
        menu.addSeparator()
        add(tr("Rename"), "edit", lambda: self.rename(entry), keys="F2", reason=reason)
        add(tr("Duplicate"), "copy", lambda: self.duplicate(entry), reason=broken)
        self._add_save(add, entry, broken)
        add(tr("Delete"), "trash", lambda: self.delete(entry), keys="Del", reason=reason)
        menu.addSeparator()
        shown = entry.path is not None and source_of(entry) in (Source.MINE, Source.BUNDLED)
        elsewhere = tr("Its file is on a pod.")
        add(tr("Show in its folder"), "folder", lambda: self.reveal(entry), reason="" if shown else elsewhere)
        pod = self._pod_for(entry)
        there = "" if pod is not None and pod.url else tr("Connect to a pod first.")
        words = label(landing(entry, "").way, "" if pod is None else pod.name)
        add(words, "globe", lambda: self.browse(entry), reason=broken or there)
        menu.popup(spot)

    def _add_save(self, add: Callable[..., None], entry: "WorkflowEntry", reason: str) -> None:
        pod = self._session.current_pod
        if pod is not None and entry.source != f"pod:{pod.id}":
            then = partial(self.save_copy, entry, pod.id)
            away = "" if pod.status.usable else tr("{pod} is away.", pod=pod.name)
            add(tr("Save on {pod}", pod=pod.name), "upload", then, reason=reason or away)

    # --- Commands -------------------------------------------------------------------------------------------------

    def on_key(self, command: str, entry: "WorkflowEntry") -> None:
        """F2 or Delete on a card."""
        if not self._session.keeper.can_change(entry):
            advice = tr("Duplicate it, and change the copy.")
            self._desk.toasts.tell(tr("{name} is not yours to change", name=entry.name), advice, tone="info")
        elif command == "rename":
            self.rename(entry)
        elif command == "delete":
            self.delete(entry)

    def rename(self, entry: "WorkflowEntry") -> None:
        """Ask for the new name."""
        stem = entry.place.rpartition("/")[2].removesuffix(".json")
        self._ask(tr("Rename workflow"), stem, lambda name: self._start(self._session.keeper.rename(entry, name)))

    def duplicate(self, entry: "WorkflowEntry") -> None:
        """A copy, told with its name."""
        self._start(self._session.keeper.duplicate(entry), done=self._told(tr("Duplicated")))

    def delete(self, entry: "WorkflowEntry") -> None:
        """At once; the message that says so offers to undo it."""
        self._start(self._session.keeper.delete(entry), done=self._deleted)

    def save_copy(self, entry: "WorkflowEntry", pod: str) -> None:
        """A workflow from elsewhere, kept on the pod under its name."""
        self._start(self._copy(entry, pod), done=self._told(tr("Saved on the pod")))

    def keep_file(self, path: Path) -> None:
        """A file that was dragged to the cards: its workflow is opened, and kept on this computer under its name."""
        self._bench.open(path)
        self._start(self._kept(path), done=self._told(tr("Added to your workflows")))

    def ask_tags(self, row: WorkflowRow) -> None:
        """A line of them, with commas."""
        self._ask(tr("Tags, with commas between them"), ", ".join(row.tags), partial(self._set_tags, row.entry.id))

    def reveal(self, entry: "WorkflowEntry") -> None:
        if entry.path is not None:
            show_folder(entry.path.parent)

    def browse(self, entry: "WorkflowEntry") -> None:
        """ComfyUI's own page, with the workflow as far as it can be brought there."""
        pod = self._pod_for(entry)
        if pod is None or not pod.url:
            return
        found = landing(entry, pod.url)
        if found.way is Way.SAVE:
            self._start(self._copy(entry, pod.id), done=lambda id_: self._show_page(found.url, id_.partition("/")[2]))
        else:
            self._show_page(found.url, entry.place if found.way is Way.LISTED else "")

    def _show_page(self, url: str, place: str) -> None:
        """`place`: of a saved workflow, which the page opens when it is chosen there."""
        QDesktopServices.openUrl(QUrl(url))
        if place:
            self._desk.toasts.tell(tr("{name} is saved on the pod", name=place.removesuffix(".json")), where(place))

    # --- Inside ---------------------------------------------------------------------------------------------------

    def _set_tags(self, id_: str, words: str) -> None:
        from comfydesk.store.workflow_marks import Mark

        tags = tuple(dict.fromkeys(tag.strip() for tag in words.split(",") if tag.strip()))
        before = self._session.shelves.marks.get(id_, Mark())
        self._desk.workflows.set_marks({id_: Mark(before.favourite, before.opened, tags)})
        self._start(self._session.shelves.set_tags(id_, tags))

    async def _kept(self, path: Path) -> str:
        from comfydesk.session.shelves.saving import document_of

        opened = await self._session.open_workflow(path)
        return await self._session.keeper.save(None, opened.name.replace("/", " "), document_of(opened.graph))

    async def _copy(self, entry: "WorkflowEntry", pod: str) -> str:
        from comfydesk.session.shelves.saving import document_of

        opened = await self._session.open_workflow(entry)
        return await self._session.keeper.save(pod, entry.name.replace("/", " "), document_of(opened.graph))

    def _deleted(self, deleted: "Deleted") -> None:
        words = tr("{name} was deleted", name=deleted.entry.name)
        toast = self._desk.toasts.tell(words, actions=(tr("Undo"),))
        toast.acted.connect(lambda _: self._start(self._session.keeper.undo(deleted)))

    def _told(self, what: str) -> Callable[[str], object]:
        return lambda id_: self._desk.toasts.tell(what, id_.rpartition("/")[2].removesuffix(".json"))

    def _start(self, work: Coroutine[Any, Any, Any], done: Callable[[Any], object] | None = None) -> None:
        def ended(result: Any) -> None:
            if done is not None:
                done(result)

        self._tasks.start(work, done=ended, failed=self._refused)

    def _refused(self, error: KnownError) -> None:
        self._desk.toasts.tell_error(error)

    def _ask(self, title: str, name: str, then: Callable[[str], object]) -> None:
        from comfydesk.qt.dialogs.name import NameSheet

        sheet = NameSheet(self._desk.theme, title, tr("Name"), self._desk.window, name)
        sheet.named.connect(then)
        sheet.finished.connect(sheet.deleteLater)
        sheet.open()

    def _pod_for(self, entry: "WorkflowEntry") -> "PodState | None":
        """The pod that it lies on, else the one in use."""
        pods = self._session.pods()
        return next((pod for pod in pods if entry.source == f"pod:{pod.id}"), self._session.current_pod)
