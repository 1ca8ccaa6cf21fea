"""The Library's menus: of what is selected, of an album, of a saved search; and the names they ask for."""

from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QPoint
from PySide6.QtGui import QGuiApplication

from comfydesk.qt.bridge.tasks import Tasks
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets.menu import Menu
from comfydesk.qt.window.desk import Desk, show_folder

if TYPE_CHECKING:
    from comfydesk.qt.window.library import LibraryDesk
    from comfydesk.session.session import Session
    from comfydesk.store.albums import Album, SavedSearch

Act = tuple[str, str, str, Callable[[], object]]
"""Words, icon, why it cannot be done (nothing when it can), what it does."""


class LibraryMenus(QObject):
    """Part of a LibraryDesk, whose signals and commands its entries are."""

    def __init__(self, library: "LibraryDesk", desk: Desk, session: "Session", tasks: Tasks) -> None:
        super().__init__(library)
        self._library, self._desk, self._session, self._tasks = library, desk, session, tasks
        self._menu = Menu(desk.theme, parent=library.page)

    def offer(self, at: QPoint) -> None:
        view, menu = self._library.page.view, self._menu
        menu.clear()
        count, output = view.selected_count(), self._library.current()
        if output is None:
            return
        single = "" if count == 1 else tr("Select one picture")
        ids = view.selected_ids
        acts: tuple[Act | None, ...] = (
            (tr("Open"), "fit", "", lambda: self._library.opened.emit(output)),
            (tr("Use these settings"), "refresh", single, lambda: self._library.reused.emit(output, "all")),
            (tr("Use only the prompt"), "text", single, lambda: self._library.reused.emit(output, "prompt")),
            (tr("Use only the seed"), "dice", single, lambda: self._library.reused.emit(output, "seed")),
            (tr("Send to"), "send", single, lambda: self._library.sent.emit(output)),
            (tr("Variations"), "dice", single, lambda: self._library.varied.emit(output)),
            (
                tr("Compare"),
                "compare",
                "" if 2 <= count <= 4 else tr("Select two to four"),
                lambda: self._library.compared.emit(ids()),
            ),
            None,
            (
                tr("Remove from favourites") if output.favourite else tr("Add to favourites"),
                "star",
                "",
                lambda: view.favoured.emit(ids(), not output.favourite),
            ),
            (tr("Add to album"), "folder", "", self.offer_albums),
            (tr("Add a tag"), "tag", "", lambda: self.name_tag(ids())),
            *self._of_this_album(),
            None,
            (tr("Copy"), "copy", "", view.hands.copy),
            (
                tr("Copy the prompt"),
                "text",
                single or ("" if output.prompt else tr("No prompt is known.")),
                lambda: QGuiApplication.clipboard().setText(output.prompt),
            ),
            (tr("Outline of its graph"), "list", single, lambda: self._library.reused.emit(output, "outline")),
            (tr("Show in its folder"), "open", single, lambda: show_folder(Path(output.path).parent)),
            (tr("Export"), "upload", "", lambda: self._library.exported.emit(ids())),
            None,
            (tr("Delete"), "trash", "", lambda: self._library.delete(ids())),
        )
        for act in acts:
            if act is None:
                menu.addSeparator()
                continue
            words, icon, reason, slot = act
            menu.add(words, icon, reason=reason).triggered.connect(lambda _=False, slot=slot: slot())
        menu.popup(at)

    def _of_this_album(self) -> tuple[Act, ...]:
        """What can be done with the selection while one album is shown."""
        album, view = self._library.page.toolbar.filter.album, self._library.page.view
        if album is None:
            return ()
        take = self._session.gallery.collections.take_from_album
        do = self._library.do
        return ((tr("Remove from this album"), "minus", "", lambda: do(take(album, view.selected_ids()))),)

    def offer_albums(self) -> None:
        """Where the selection may be put."""
        collections, ids = self._session.gallery.collections, self._library.page.view.selected_ids()

        def offer(albums: "tuple[Album, ...]") -> None:
            self._menu.clear()
            for album in albums:
                act = self._menu.add(album.name, "folder")
                act.triggered.connect(
                    lambda _=False, id_=album.id: self._library.do(collections.add_to_album(id_, ids))
                )
            if albums:
                self._menu.addSeparator()
            self._menu.add(tr("New album"), "plus").triggered.connect(lambda: self.name_album(ids))
            button = self._library.page.bar.album
            where = button if button.isVisible() else self._library.page
            self._menu.popup(where.mapToGlobal(QPoint(0, -self._menu.sizeHint().height() if where is button else 0)))

        self._tasks.start(collections.albums(), done=offer)

    def offer_album(self, album: "Album", at: QPoint) -> None:
        collections = self._session.gallery.collections
        self._menu.clear()
        rename = self._menu.add(tr("Rename"), "edit")
        rename.triggered.connect(
            lambda: self.name(tr("Rename album"), lambda n: collections.rename_album(album.id, n), album.name)
        )
        remove = self._menu.add(tr("Delete album"), "trash", tip=tr("Its pictures stay in the library."))
        remove.triggered.connect(lambda: self._library.do(collections.remove_album(album.id)))
        self._menu.popup(at)

    def offer_search(self, search: "SavedSearch", at: QPoint) -> None:
        collections = self._session.gallery.collections
        self._menu.clear()
        rename = self._menu.add(tr("Rename"), "edit")
        rename.triggered.connect(
            lambda: self.name(tr("Rename search"), lambda n: collections.rename_search(search.id, n), search.name)
        )
        remove = self._menu.add(tr("Delete search"), "trash")
        remove.triggered.connect(lambda: self._library.do(collections.forget_search(search.id)))
        self._menu.popup(at)

    def name_album(self, ids: Sequence[int]) -> None:
        self.name(tr("New album"), lambda name: self._session.gallery.collections.make_album(name, ids))

    def name_tag(self, ids: Sequence[int]) -> None:
        self.name(tr("Add a tag"), lambda name: self._session.gallery.collections.tag(ids, name))

    def name(self, title: str, make: Callable[[str], Coroutine[Any, Any, object]], name: str = "") -> None:
        from comfydesk.qt.dialogs.name import NameSheet

        sheet = NameSheet(self._desk.theme, title, tr("Name"), self._desk.window, name)
        sheet.named.connect(lambda words: self._library.do(make(words)))
        sheet.open()
