"""What was made lately, newest first, as one strip of pictures under the preview; the way into the library."""

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QPoint, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QStackedWidget

from comfydesk.qt.docks.dock import Dock, Panel
from comfydesk.qt.models.gallery import GalleryModel
from comfydesk.qt.models.thumbnails import Thumbnails
from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets.buttons import Button, IconButton, Kind, Size
from comfydesk.qt.widgets.empty_state import EmptyState
from comfydesk.qt.widgets.gallery_strip import GalleryStrip
from comfydesk.qt.widgets.menu import Menu
from comfydesk.qt.widgets.segmented import Segment, Segmented
from comfydesk.qt.widgets.skeleton import Skeleton
from comfydesk.store.search import EVERYTHING, OutputFilter

FILTERS: tuple[OutputFilter, ...] = (
    EVERYTHING,
    OutputFilter(media=("image",)),
    OutputFilter(media=("video",)),
    OutputFilter(favourite=True),
)


class GalleryPanel(Panel):
    """`shown` when one output is picked, `large` to look at it, `reuse` for its settings: each with the Output."""

    shown = Signal(object)
    large = Signal(object)
    reuse = Signal(object)
    revealed = Signal(object)
    favoured = Signal(object, bool)
    """ids, on"""
    rated = Signal(object, int)
    """ids, stars"""
    removed = Signal(object)
    """ids to be deleted"""
    narrowed = Signal(object)
    """OutputFilter: only these are to be listed."""

    def __init__(self, theme: Theme, dock: Dock, model: GalleryModel, thumbnails: Thumbnails) -> None:
        super().__init__(theme, dock)
        self._model = model
        self.strip = GalleryStrip(theme, model, thumbnails)
        self.empty = EmptyState(theme, "image", "")
        self._pages = QStackedWidget()
        self._pages.addWidget(self.empty)
        self._pages.addWidget(self.strip)
        self._loading = Skeleton(theme, "tiles")
        self._pages.addWidget(self._loading)
        self._pages.setCurrentWidget(self._loading)
        self._menu = Menu(theme, parent=self)
        self.body.addWidget(self._pages, 1)
        self._words = (tr("All"), tr("Images"), tr("Videos"), tr("Favourites"))
        self.filters = Segmented(theme, [Segment(word) for word in self._words], 0, name=tr("What is shown"), height=24)
        self.filters.picked.connect(lambda at: self.narrowed.emit(FILTERS[at]))
        self.filter_menu = IconButton(theme, "filter", tr("What is shown"), size=Size.COMPACT)
        self.filter_menu.clicked.connect(self._offer_filters)
        self.library = Button(theme, tr("Open library"), kind=Kind.GHOST, size=Size.COMPACT)
        self.title.add(self.filters, instead=self.filter_menu)
        self.title.add(self.library)
        self._join()

    def mark_failed(self) -> None:
        """There is no library to look in: nothing will come any more."""
        self.empty.tell("warning", tr("The outputs cannot be shown"))
        self._pages.setCurrentWidget(self.empty)

    def show_library_keys(self, action: QAction) -> None:
        """The command that opens the library: the button does it, and shows its keys."""
        self.library.set_keys(action.shortcut().toString())
        action.changed.connect(lambda: self.library.set_keys(action.shortcut().toString()))
        self.library.clicked.connect(action.trigger)

    # --- Inside -----------------------------------------------------------------------------------------------------

    def _join(self) -> None:
        strip = self.strip
        strip.picked.connect(self._on_pick)
        for signal, target in (
            (strip.opened, self.large),
            (strip.quick, self.large),
            (strip.reused, self.reuse),
            (strip.favoured, self.favoured),
            (strip.rated, self.rated),
            (strip.removed, self.removed),
        ):
            signal.connect(target)
        strip.menu_wanted.connect(self._offer)
        self._model.listed.connect(self._on_listed)

    def _on_pick(self) -> None:
        output = self._model.output(self.strip.current) if self.strip.current >= 0 else None
        if output is not None:
            self.shown.emit(output)

    def _on_listed(self) -> None:
        if self._model.rowCount():
            self._pages.setCurrentWidget(self.strip)
            return
        if self._model.listing.filter == EVERYTHING:
            what, then = tr("Nothing made yet"), tr("What you make is kept here, on this computer.")
        else:
            what, then = tr("Nothing of that kind"), tr("Choose All to see everything.")
        self.empty.tell("image", what, then)
        self._pages.setCurrentWidget(self.empty)

    def _offer_filters(self) -> None:
        """The filters as a menu, where the title has no room for them."""
        self._menu.clear()
        for at, words in enumerate(self._words):
            action = self._menu.add(words)
            action.setCheckable(True)
            action.setChecked(at == self.filters.current())
            action.triggered.connect(partial(self._narrow_to, at))
        self._menu.popup(self.filter_menu.mapToGlobal(self.filter_menu.rect().bottomLeft()))

    def _narrow_to(self, at: int, _checked: bool = False) -> None:
        self.filters.set_current(at)
        self.narrowed.emit(FILTERS[at])

    def _offer(self, at: QPoint) -> None:
        strip, menu = self.strip, self._menu
        output = self._model.known(strip.current) if strip.current >= 0 else None
        if output is None:
            return
        single = "" if strip.selected_count() == 1 else tr("Select one picture")
        star = tr("Remove from favourites") if output.favourite else tr("Add to favourites")
        acts: tuple[tuple[str, str, str, Callable[[], object]], ...] = (
            (tr("Open"), "fit", "", partial(self.large.emit, output)),
            (tr("Use these settings"), "refresh", single, partial(self.reuse.emit, output)),
            (star, "star", "", lambda: self.favoured.emit(strip.selected_ids(), not output.favourite)),
            (tr("Copy"), "copy", "", strip.hands.copy),
            (tr("Show in its folder"), "folder", single, partial(self.revealed.emit, output)),
            (tr("Delete"), "trash", "", lambda: self.removed.emit(strip.selected_ids())),
        )
        menu.clear()
        for words, icon, reason, slot in acts:
            menu.add(words, icon, reason=reason).triggered.connect(lambda _=False, slot=slot: slot())
        menu.popup(at)
