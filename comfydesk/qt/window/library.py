"""The Library workspace: joins the gallery's views to the session's gallery."""

import time
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget

from comfydesk.errors import KnownError
from comfydesk.events import Change, CollectionsChanged, OutputsChanged, PodsChanged
from comfydesk.qt.bridge.tasks import Tasks
from comfydesk.qt.docks.dock import Dock
from comfydesk.qt.models.gallery import GalleryModel
from comfydesk.qt.theme.language import tr, tr_n
from comfydesk.qt.widgets.gallery_details import DetailsPanel
from comfydesk.qt.widgets.gallery_facets import FacetsPanel
from comfydesk.qt.widgets.gallery_files import MOST
from comfydesk.qt.widgets.gallery_page import LibraryPage
from comfydesk.qt.window.desk import Desk, show_folder
from comfydesk.qt.window.library_menus import LibraryMenus
from comfydesk.store.listing import Listing, Step
from comfydesk.store.records import Output
from comfydesk.store.search import EVERYTHING, Grouping, Order, OutputFilter

if TYPE_CHECKING:
    import asyncio

    from comfydesk.session.gallery.details import Detail
    from comfydesk.session.session import Session
    from comfydesk.store.albums import Album, SavedSearch
    from comfydesk.store.facets import Facets

FACETS_MS = 400
"""Counts follow when the typing rests: they take a tenth of a second at 100,000."""
DETAIL_MS = 60
WARM_MS = 1500
"""After the start what a first listing needs is read, so that it is there at once."""


class LibraryDesk(QObject):
    """Made when the Library is first shown, or needed; lives as long as the session. Other parts join its signals."""

    opened = Signal(object)
    """An Output to be looked at; `model` is what it stands among."""
    compared = Signal(object)
    """Ids of two to four outputs."""
    reused = Signal(object, str)
    """Output; "all", "prompt" or "seed"."""
    sent = Signal(object)
    """Output: to another workflow's input."""
    varied = Signal(object)
    """Output: the same with new seeds."""
    exported = Signal(object)
    """Ids."""
    imported = Signal()

    def __init__(self, desk: Desk, session: "Session", tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._desk, self._session, self._tasks = desk, session, tasks
        theme = desk.theme
        self.model = GalleryModel(self)
        self.page = LibraryPage(theme, self.model, desk.thumbnails)
        self.facets = FacetsPanel(theme)
        self.details = DetailsPanel(theme, desk.thumbnails)
        self._query: tuple[OutputFilter, Order, Grouping] = (EVERYTHING, Order.NEWEST, Grouping.DAY)
        self._listing: tuple[OutputFilter, Order, Grouping] | None = None
        """What is being read."""
        self._failed = False
        """The last reading did, and nothing else is shown."""
        self._changes: list[OutputsChanged] = []
        self._following = False
        self._total = 0
        self._deletions: list[tuple[int, float]] = []
        """Token, and until when (monotonic) it can be undone."""
        self._counting: asyncio.Task[Facets] | None = None
        self.menus = LibraryMenus(self, desk, session, tasks)
        self._facets_soon = QTimer(self, singleShot=True, interval=FACETS_MS)
        self._facets_soon.timeout.connect(self._read_facets)
        self._detail_soon = QTimer(self, singleShot=True, interval=DETAIL_MS)
        self._detail_soon.timeout.connect(self._read_detail)
        self._place()
        self._join()
        self._unsubscribe = session.changes.subscribe(self._on_change)
        self.destroyed.connect(self._unsubscribe)
        self._shown = False
        desk.workspaces.changed.connect(self._on_workspace)
        self._warm = QTimer(self, singleShot=True, interval=WARM_MS)
        self._warm.timeout.connect(lambda: tasks.start(session.gallery.warm()))
        self._warm.start()
        self._on_workspace(desk.workspaces.current)

    def _on_workspace(self, name: str) -> None:
        """The first time: read what there is. Later once more, where that failed."""
        if name != "library":
            return
        if self._failed:
            self._list()
        if not self._shown:
            self._shown = True
            self._ask(*self._query)
            self._read_collections()

    def add_to_head(self, widget: QWidget) -> None:
        """Something to press, beside the Library's title."""
        self._left.title.add(widget)

    def close(self) -> None:
        """Hear nothing any more."""
        self._unsubscribe()

    def show(self, wanted: OutputFilter) -> None:
        """Search for something else: an album, a batch, what a word finds."""
        self.page.toolbar.ask(wanted)

    # --- Places -----------------------------------------------------------------------------------------------------

    def _place(self) -> None:
        desk, theme = self._desk, self._desk.theme
        left = Dock(theme, "library_facets", tr("Library"))
        right = Dock(theme, "library_details", tr("Details"), padding=16)
        for dock, panel in ((left, self.facets), (right, self.details)):
            box = QWidget()
            column = QVBoxLayout(box)
            column.setContentsMargins(0, 0, 0, 0)
            column.addWidget(panel)
            dock.hold(box)
        self._left = left
        for widget in (self.details.before, self.details.place, self.details.after):
            right.title.add(widget)
        desk.workspaces.add_dock("library", left, Qt.DockWidgetArea.LeftDockWidgetArea)
        desk.workspaces.add_dock("library", right, Qt.DockWidgetArea.RightDockWidgetArea)
        desk.workspaces.hold("library", self.page)

    # --- What is shown ----------------------------------------------------------------------------------------------

    def _ask(self, wanted: OutputFilter, order: Order, grouping: Grouping) -> None:
        self._query = (wanted, order, grouping)
        self._put_off_facets()
        self.facets.show_filter(wanted)
        if self._shown:
            self._list()

    def _list(self) -> None:
        """One listing at a time, and then the latest that was asked for: typing does not pile up."""
        if self._listing is not None:
            return
        query = self._listing = self._query
        work = self._tasks.start(self._session.gallery.listing(*query), done=self._take, failed=self._list_failed)
        work.add_done_callback(lambda task: self._list_broke(query) if _is_broken(task) else None)

    def _list_broke(self, query: tuple[OutputFilter, Order, Grouping]) -> None:
        """A fault of ours, told elsewhere: it can be tried again all the same."""
        if self._listing is query:
            self._list_failed(KnownError(tr("The library cannot be read")))

    def _list_failed(self, error: KnownError) -> None:
        """Said in the grid's place, with a way on. What was asked for meanwhile is tried at once."""
        query, self._listing = self._listing, None
        if query != self._query:
            self._list()
            return
        self._failed = True
        self.page.show_problem(error.what, f"{error.why} {error.advice}".strip())

    def _take(self, listing: Listing) -> None:
        query, self._listing = self._listing, None
        self._failed = False
        if query != self._query:
            self._list()
            return
        if listing.filter.everything:
            self._total = len(listing)
            self._left.title.set_note(f"{self._total:,}")
        self.details.query = listing.filter.words
        self.model.show(listing)
        self._on_pick()
        self._facets_soon.start()  # when the grid is painted: they would be in the way of the next listing

    def _on_change(self, change: Change) -> None:
        if not self._shown:
            return
        match change:
            case OutputsChanged():
                self._changes.append(change)
                self._follow()
            case CollectionsChanged():
                self._read_collections()
                self._facets_soon.start()
            case PodsChanged():
                names = {pod.id: pod.name for pod in self._session.pods()}
                self.facets.name_pods(names)
                self.page.toolbar.name("pods", names)

    def _follow(self) -> None:
        """One step at a time, each from the listing that the one before led to."""
        if self._following or not self._changes:
            return
        self._following = True
        changes, self._changes = self._changes, []
        merged = OutputsChanged(
            tuple(id_ for each in changes for id_ in each.added),
            tuple(id_ for each in changes for id_ in each.updated),
            tuple(id_ for each in changes for id_ in each.removed),
        )
        before = self.model.listing
        self._tasks.start(
            self._session.gallery.follow(before, merged),
            done=lambda step: self._stepped(before, merged, step),
            failed=self._step_failed,
        )

    def _stepped(self, before: Listing, change: OutputsChanged, step: Step | None) -> None:
        self._following = False
        if step is None or self.model.listing is not before:
            self._ask(*self._query)
        else:
            self.model.follow(step)
            self.model.refresh((*change.updated, *change.added))
        self._total += len(change.added) - len(change.removed)
        self._left.title.set_note(f"{self._total:,}")
        self._facets_soon.start()
        self._detail_soon.start()
        self._follow()

    def _step_failed(self, error: KnownError) -> None:
        self._following = False
        self._tell(error)

    def _read_rows(self, ids: tuple[int, ...]) -> None:
        self._tasks.start(self._session.gallery.rows(ids), done=self._on_rows)

    def _on_rows(self, rows: tuple[Output, ...]) -> None:
        self.model.put(rows)
        current = self.current()
        if current is not None and any(row.id == current.id for row in rows):
            self.details.show_output(current)

    def _put_off_facets(self) -> None:
        """What is being counted is of no use any more."""
        self._facets_soon.stop()
        if self._counting is not None:
            self._counting.cancel()

    def _read_facets(self) -> None:
        wanted = self._query[0]
        if self._counting is not None:
            self._counting.cancel()
        self._counting = self._tasks.start(
            self._session.gallery.facets(wanted),
            done=lambda found: self.facets.show_facets(found, self._total or found.total),
        )

    def _read_collections(self) -> None:
        async def read() -> "tuple[tuple[Album, ...], tuple[SavedSearch, ...]]":
            collections = self._session.gallery.collections
            return await collections.albums(), await collections.searches()

        self._tasks.start(read(), done=self._show_collections)

    def _show_collections(self, found: "tuple[tuple[Album, ...], tuple[SavedSearch, ...]]") -> None:
        self.facets.show_collections(*found)
        self.page.toolbar.name("album", {album.id: album.name for album in found[0]})

    # --- What is picked ---------------------------------------------------------------------------------------------

    def current(self) -> Output | None:
        view = self.page.view
        row = view.current if view.current >= 0 and view.is_picked(view.current) else -1
        if row < 0:
            ranges = view.ranges()
            row = ranges[0][0] if ranges else -1
        return self.model.output(row) if 0 <= row < self.model.rowCount() else None

    def _on_pick(self) -> None:
        self.details.show_output(self.current())
        view, count = self.page.view, self.page.view.selected_count()
        at = sum(max(0, min(last, view.current) - first + 1) for first, last in view.ranges() if first <= view.current)
        self.details.show_place(at, count)
        self._detail_soon.start()

    def _read_detail(self) -> None:
        output = self.current()
        if output is None:
            return
        self._tasks.start(self._session.gallery.detail(output.id), done=self._show_detail)

    def _show_detail(self, detail: "Detail | None") -> None:
        if detail is not None:
            pods = {pod.id: pod.name for pod in self._session.pods()}
            self.details.show_detail(detail, pods.get(detail.output.pod, ""))

    def _step(self, by: int) -> None:
        """To the neighbour among what is selected; the selection stays."""
        view = self.page.view
        rows = [row for first, last in view.ranges() for row in range(first, min(last, first + 5000) + 1)]
        if rows:
            at = rows.index(view.current) if view.current in rows else 0
            target = rows[(at + by) % len(rows)]
            view.pick(target, target, view.selectionModel().SelectionFlag.Select, current=target)

    # --- What is done -----------------------------------------------------------------------------------------------

    def _join(self) -> None:
        page, view, details, facets = self.page, self.page.view, self.details, self.facets
        collections = self._session.gallery.collections
        self.model.wanted.connect(self._read_rows)
        page.asked.connect(self._ask)
        facets.changed.connect(page.toolbar.ask)
        menus = self.menus
        facets.album_wanted.connect(lambda: menus.name_album(()))
        facets.album_menu.connect(menus.offer_album)
        facets.album_dropped.connect(self._put_into_album)
        facets.search_menu.connect(menus.offer_search)
        facets.search_wanted.connect(self.save_search)
        view.picked.connect(self._on_pick)
        view.opened.connect(self.opened)
        view.quick.connect(self.opened)
        view.favoured.connect(lambda ids, on: self.do(collections.favourite(ids, on)))
        view.rated.connect(lambda ids, stars: self.do(collections.rate(ids, stars)))
        view.removed.connect(self.delete)
        self._desk.action("undo", self._on_undo)
        view.reused.connect(lambda output: self.reused.emit(output, "all"))
        view.menu_wanted.connect(menus.offer)
        view.limited.connect(self._say_limit)
        bar = page.bar
        bar.compare.clicked.connect(lambda: self.compared.emit(view.selected_ids()[:4]))
        bar.favourite.clicked.connect(lambda: self.do(collections.favourite(view.selected_ids(), True)))
        bar.album.clicked.connect(menus.offer_albums)
        bar.export.clicked.connect(lambda: self.exported.emit(view.selected_ids()))
        bar.delete.clicked.connect(lambda: self.delete(view.selected_ids()))
        details.opened.connect(self.opened)
        details.reused.connect(self.reused)
        details.sent.connect(self.sent)
        details.varied.connect(self.varied)
        details.compared.connect(lambda: self.compared.emit(view.selected_ids()[:4]))
        details.revealed.connect(lambda output: show_folder(Path(output.path).parent))
        details.stepped.connect(self._step)
        details.rated.connect(lambda stars: self._about(lambda ids: collections.rate(ids, stars)))
        details.tagged.connect(lambda tag: self._about(lambda ids: collections.tag(ids, tag)))
        details.untagged.connect(lambda tag: self._about(lambda ids: collections.untag(ids, tag)))
        details.noted.connect(lambda text: self._about(lambda ids: collections.note(ids, text)))

    def _about(self, make: Callable[[Sequence[int]], Coroutine[Any, Any, object]]) -> None:
        """Do something to the output that the details are about."""
        if self.details.output is not None:
            self.do(make((self.details.output.id,)))

    def do(self, work: Coroutine[Any, Any, object]) -> None:
        self._tasks.start(work, failed=self._tell)

    def _tell(self, error: KnownError) -> None:
        self._desk.toasts.tell_error(error)

    def delete(self, ids: Sequence[int]) -> None:
        """Hide outputs and offer to bring them back; their files go to the system's trash when that time is over."""
        if ids:
            self._tasks.start(self._session.gallery.delete(ids), done=lambda token: self._deleted(token, len(ids)))

    def _deleted(self, token: int | None, count: int) -> None:
        if token is None:
            return
        self._deletions.append((token, time.monotonic() + self._session.gallery.undo_seconds))
        words = tr_n("{n} output deleted", "{n} outputs deleted", count)
        toast = self._desk.toasts.tell(words, tr("Its file goes to the trash."), tone="neutral", actions=(tr("Undo"),))
        toast.acted.connect(lambda _: self.undo_delete(token))

    def undo_delete(self, token: int | None = None) -> None:
        """Bring back what that deletion (None: the last one) hid, as long as its files have not gone to the trash."""
        now = time.monotonic()
        self._deletions = [each for each in self._deletions if each[1] > now]
        if token is None and self._deletions:
            token = self._deletions[-1][0]
        if token is not None:
            self._deletions = [each for each in self._deletions if each[0] != token]
            self.do(self._session.gallery.undo(token))

    def _on_undo(self) -> None:
        """Edit, Undo: an editor that has the keyboard takes it back in itself."""
        if not callable(getattr(QApplication.focusWidget(), "undo", None)):
            self.undo_delete()

    def _put_into_album(self, album: "Album", ids: Sequence[int]) -> None:
        """Outputs were dropped on an album."""
        words = tr_n("{n} output added to {album}", "{n} outputs added to {album}", len(ids), album=album.name)

        async def put() -> None:
            await self._session.gallery.collections.add_to_album(album.id, ids)
            self._desk.toasts.tell(words)

        self.do(put())

    def _say_limit(self, count: int) -> None:
        """More was dragged or copied than other programs can take at once."""
        words = tr("Only the first {n} files go along", n=f"{MOST:,}")
        many = tr("{n} are selected. Export writes all of them.", n=f"{count:,}")
        self._desk.toasts.tell(words, many, tone="warning")

    def save_search(self) -> None:
        """Keep what is searched for now under a name."""
        wanted = self._query[0]
        self.menus.name(tr("Save search"), lambda name: self._session.gallery.collections.save_search(name, wanted))


def _is_broken(task: "asyncio.Task[Listing]") -> bool:
    return not task.cancelled() and task.exception() is not None
