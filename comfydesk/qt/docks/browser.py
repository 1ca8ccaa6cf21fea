"""The panel on the left: every workflow as a card, searched and filtered as one types; and the pod's models."""

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QItemSelectionModel, QModelIndex, QPoint, Qt, QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from comfydesk.qt.docks import browser_filters as filters
from comfydesk.qt.docks.dock import Dock, Panel
from comfydesk.qt.models.rows import ROW, WorkflowRow
from comfydesk.qt.models.tips import plain_tip
from comfydesk.qt.models.workflow_filter import Sort, WorkflowFilter, source_of
from comfydesk.qt.models.workflows import WorkflowModel
from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets.banner import Banner
from comfydesk.qt.widgets.buttons import Button, IconButton, Kind, Size
from comfydesk.qt.widgets.card_delegate import CardDelegate
from comfydesk.qt.widgets.card_list import CardList
from comfydesk.qt.widgets.chips import Chip, ChipRow, RemovableChip
from comfydesk.qt.widgets.drop_hint import FileDrops
from comfydesk.qt.widgets.empty_state import EmptyState
from comfydesk.qt.widgets.folder_tree import FolderTree, Spot, counted_spots
from comfydesk.qt.widgets.labels import ElidedLabel
from comfydesk.qt.widgets.menu import Menu
from comfydesk.qt.widgets.plain import pad
from comfydesk.qt.widgets.search_field import SearchField
from comfydesk.qt.widgets.segmented import Segment, Segmented
from comfydesk.qt.widgets.skeleton import Skeleton

if TYPE_CHECKING:
    from comfydesk.session.values import WorkflowEntry

OUTPUTS = ("", "image", "video", "audio")
MINIMUM_WIDTH = 232


class BrowserPanel(Panel):
    """`chosen` with the WorkflowEntry that is to be opened."""

    chosen = Signal(object)
    open_file = Signal()
    make = Signal(object)
    """WorkflowEntry that is to be opened and made at once."""
    starred = Signal(object, bool)
    missing = Signal(object)
    """WorkflowEntry of which something is missing: show what."""
    menu_wanted = Signal(object, QPoint)
    """WorkflowRow: offer what can be done with it."""
    keyed = Signal(str, object)
    """"rename" or "delete", WorkflowEntry."""
    models_shown = Signal()
    dropped = Signal(object)
    """Path of a file that was dragged here: it is to be kept among one's own workflows."""

    def __init__(self, theme: Theme, dock: Dock, model: WorkflowModel) -> None:
        super().__init__(theme, dock)
        self._model = model
        self._ready = self._failed = False
        self._open = ""
        self._task = ""
        self.search = SearchField(theme, tr("Name, model or node"), keys="Ctrl+F")
        self.outputs = ChipRow(theme, (tr("All"), tr("Image"), tr("Video"), tr("Audio")), name=tr("What comes out"))
        self.filters = IconButton(theme, "filter", tr("More filters"), size=Size.COMPACT)
        self.recent = Chip(theme, tr("Recent"), icon="history")
        self.favourites = Chip(theme, tr("Favourites"), icon="star")
        self.as_folders = IconButton(theme, "folder", tr("Show folders"), size=Size.COMPACT, checkable=True)
        self.folders = FolderTree(theme)
        self.folders.hide()
        self._counting = QTimer(self, singleShot=True, interval=0)
        self.task = RemovableChip(theme, "")
        self.task.hide()
        self.banner = Banner(theme)
        self.kind = ElidedLabel(theme, tr("All workflows"), font="small_strong", color="text2")
        self.order = Button(theme, tr("Last used"), kind=Kind.GHOST, size=Size.COMPACT, menu=True)
        self.order.setToolTip(plain_tip(tr("Order of the list")))
        self.list = CardList(theme)
        self.list.setModel(model)
        self.cards = CardDelegate(theme, self.list, can_star=True)
        self.list.setItemDelegate(self.cards)
        self.empty = EmptyState(theme, "file", "")
        self._loading = Skeleton(theme, "cards")
        self._pages = QStackedWidget()
        self._pages.addWidget(self.empty)
        self._pages.addWidget(self.list)
        self._pages.addWidget(self._loading)
        # In a low window the list gives way, not the window's edge.
        self._pages.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Ignored)
        self._menu = Menu(theme, parent=self)
        self.drops = FileDrops(theme, "download", tr("Let go to keep it among your workflows"), self)
        self.drops.dropped.connect(self.dropped)
        self._add_title()
        theme.changed.connect(self._measure)
        self._measure()
        self._lay_out()
        self._join()
        self._on_counted(model.rowCount(), model.total)

    # --- For whoever holds it ---------------------------------------------------------------------------------------

    def mark_ready(self) -> None:
        """The list is complete: an empty one means that there are none."""
        self._ready = True
        self._on_counted(self._model.rowCount(), self._model.total)

    def mark_failed(self) -> None:
        """There is no library to look in: nothing will come any more."""
        self._failed = True
        self._on_counted(0, 0)

    def mark_open(self, workflow: str) -> None:
        """Show which workflow the panel has."""
        self._open = workflow
        index = self._model.index_of(workflow)
        selection = self.list.selectionModel()
        if index.isValid():
            selection.setCurrentIndex(index, QItemSelectionModel.SelectionFlag.ClearAndSelect)
            self.list.scrollTo(index)
        else:
            selection.clear()

    def focus_search(self) -> None:
        """Go to the search field."""
        self.dock.bring()
        self.show_models(False)
        self.search.edit.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.search.edit.selectAll()

    def search_for(self, words: str) -> None:
        """Show what `words` find."""
        self.search.set_text(words)
        self._narrow(WorkflowFilter(text=words))

    def show_task(self, words: str, types: frozenset[str]) -> None:
        """Show the workflows of some task types, called `words`."""
        self._task = words
        self.search.set_text("")
        self._narrow(WorkflowFilter(types=types))

    def show_all_tasks(self) -> None:
        """Take away what the menu and the tasks narrowed; words and chips stay."""
        now = self._model.filter
        self._narrow(WorkflowFilter(text=now.text, output=now.output))

    def clear(self) -> None:
        """Show everything."""
        self.search.set_text("")
        self._narrow(WorkflowFilter())

    def first(self) -> "WorkflowEntry | None":
        """The card on top."""
        row = self._model.index(0).data(ROW)
        return None if row is None else row.entry

    def set_grid(self, on: bool) -> None:
        """Tiles in place of rows."""
        self.list.set_grid(on)
        self.as_grid.setChecked(on)
        self.as_list.setChecked(not on)
        self.mark_open(self._open)

    def show_folders(self, on: bool) -> None:
        """The tree of places and folders above the cards."""
        self.as_folders.setChecked(on)
        self.folders.setVisible(on)
        self._count_folders()

    def restore(self, wanted: WorkflowFilter, order: Sort, *, grid: bool, folders: bool = False) -> None:
        """As it was left; a search that was begun meanwhile stays."""
        self.set_grid(grid)
        self.show_folders(folders)
        self.set_order(order)
        if not self._model.filter:
            self._narrow(wanted)

    def hold_models(self, panel: QWidget) -> None:
        """The second tab."""
        self._tabbed.addWidget(panel)
        self._tab_row.show()

    @property
    def models_are_shown(self) -> bool:
        return self._tabbed.currentIndex() == 1

    def show_models(self, on: bool = True) -> None:
        """Turn to the models, or back to the workflows."""
        self.tabs.set_current(int(on))
        self._show_tab(int(on))

    def _show_tab(self, at: int) -> None:
        self._tabbed.setCurrentIndex(at)
        for button in (self.as_list, self.as_grid):
            button.setVisible(at == 0)
        if at == 1:
            self.models_shown.emit()

    # --- Inside -----------------------------------------------------------------------------------------------------

    def _add_title(self) -> None:
        theme = self.theme
        self.add = IconButton(theme, "plus", tr("Open a workflow file"), size=Size.COMPACT)
        self.as_list = IconButton(theme, "list", tr("Show as a list"), size=Size.COMPACT, checkable=True)
        self.as_grid = IconButton(theme, "grid", tr("Show as a grid"), size=Size.COMPACT, checkable=True)
        self.as_list.setChecked(True)
        self.add.clicked.connect(self.open_file)
        self.as_list.clicked.connect(lambda: self.set_grid(False))
        self.as_grid.clicked.connect(lambda: self.set_grid(True))
        for button in (self.add, self.as_list, self.as_grid):
            self.title.add(button)

    def _lay_out(self) -> None:
        theme = self.theme
        head = QWidget()
        column = QVBoxLayout(head)
        pad(column, theme, 12, 0, 12, 4, gap=8)
        chips = QHBoxLayout()
        chips.addWidget(self.outputs, 1)
        marks = QHBoxLayout()
        marks.setSpacing(theme.px(4))
        marks.addWidget(self.recent)
        marks.addWidget(self.favourites)
        marks.addStretch(1)
        marks.addWidget(self.as_folders)
        marks.addWidget(self.filters)
        tasks = QHBoxLayout()
        tasks.addWidget(self.task)
        tasks.addStretch(1)
        order = QHBoxLayout()
        order.addWidget(self.kind, 1)
        order.addWidget(self.order)
        column.addWidget(self.search)
        column.addLayout(chips)
        column.addLayout(marks)
        column.addWidget(self.folders)
        column.addLayout(tasks)
        column.addWidget(self.banner)
        column.addLayout(order)
        cards = QWidget()
        inner = QVBoxLayout(cards)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(0)
        inner.addWidget(head)
        inner.addWidget(self._pages, 1)
        self.tabs = Segmented(theme, (Segment(tr("Workflows")), Segment(tr("Models"))), name=tr("What is listed"))
        self.tabs.picked.connect(self._show_tab)
        self._tab_row = QWidget()
        row = QHBoxLayout(self._tab_row)
        pad(row, theme, 12, 0, 12, 8)
        row.addWidget(self.tabs)
        self._tab_row.hide()
        self._tabbed = QStackedWidget()
        self._tabbed.addWidget(cards)
        self.body.addWidget(self._tab_row)
        self.body.addWidget(self._tabbed, 1)

    def _join(self) -> None:
        model = self._model
        self.list.chosen.connect(self._on_chosen)
        self.list.menu_wanted.connect(self._on_menu)
        self.list.keyed.connect(self._on_keyed)
        self.cards.generate.connect(self._on_make)
        self.cards.missing.connect(self._on_missing)
        self.cards.starred.connect(self._on_starred)
        self.search.searched.connect(lambda words: self._narrow(replace(model.filter, text=words)))
        self.search.entered.connect(self._take_first)
        self.search.left_down.connect(self._into_list)
        self.outputs.picked.connect(lambda at: self._narrow(replace(model.filter, output=OUTPUTS[at])))
        self.recent.clicked.connect(lambda on: self._narrow(replace(model.filter, recent=on)))
        self.favourites.clicked.connect(lambda on: self._narrow(replace(model.filter, favourites=on)))
        self.as_folders.clicked.connect(self.show_folders)
        self.folders.gone.connect(self._go_to)
        self._counting.timeout.connect(self._count_folders)
        model.changed.connect(lambda _ids: self._counting.start())
        model.gone.connect(lambda _ids: self._counting.start())
        self.filters.clicked.connect(self._open_filters)
        self.order.clicked.connect(self._open_orders)
        self.task.clicked.connect(self.show_all_tasks)
        self.empty.acted.connect(self.clear)
        model.counted.connect(self._on_counted)
        model.modelAboutToBeReset.connect(self.list.hold_place)
        model.modelReset.connect(self._keep_place)

    def _measure(self) -> None:
        self.setMinimumWidth(self.theme.px(MINIMUM_WIDTH))

    def _narrow(self, wanted: WorkflowFilter) -> None:
        if not wanted.types:
            self._task = ""
        self._model.set_filter(wanted)
        words = filters.narrowed_to(wanted, self._task)
        self.task.setVisible(bool(words))
        if words:
            self.task.setText(words)
            self.task.setToolTip(plain_tip(tr("Remove {words}", words=words)))
            self.task.setAccessibleName(tr("Remove {words}", words=words))
        self.outputs.set_current(OUTPUTS.index(wanted.output) if wanted.output in OUTPUTS else 0)
        self.recent.setChecked(wanted.recent)
        self.favourites.setChecked(wanted.favourites)
        self._counting.start()
        self.list.scrollToTop()
        self.mark_open(self._open)

    def _go_to(self, spot: Spot) -> None:
        """A place or a folder of the tree."""
        self._narrow(replace(self._model.filter, source=spot.place, folder=spot.folder))

    def _count_folders(self) -> None:
        if self.folders.isHidden():
            return
        rows = ((source_of(row.entry).value, row.entry.place) for row in self._model.all_rows())
        places = {source.value: words for source, words in filters.source_words().items()}
        wanted = self._model.filter
        self.folders.show_spots(counted_spots(rows), places, Spot(wanted.source, wanted.folder))

    def _keep_place(self) -> None:
        self.list.take_place(self._model.index_of(self.list.held))
        index = self._model.index_of(self._open)
        if index.isValid():
            self.list.selectionModel().setCurrentIndex(index, QItemSelectionModel.SelectionFlag.ClearAndSelect)

    def _open_filters(self) -> None:
        self._menu.clear()
        filters.fill(self._menu, self.theme, self._model.filter, self._model.all_rows(), self._narrow)
        self._menu.popup(self.filters.mapToGlobal(self.filters.rect().bottomLeft()))

    def _open_orders(self) -> None:
        self._menu.clear()
        for order, words in filters.sort_words().items():
            action = self._menu.add(words)
            action.setCheckable(True)
            action.setChecked(order is self._model.order)
            action.triggered.connect(lambda _=False, order=order: self.set_order(order))
        self._menu.popup(self.order.mapToGlobal(self.order.rect().bottomLeft()))

    def set_order(self, order: Sort) -> None:
        """Another order of the list, from the top."""
        self._model.set_sort(order)
        self.order.setText(filters.sort_words()[order])
        self.list.scrollToTop()

    def _on_chosen(self, index: QModelIndex) -> None:
        row = index.data(ROW)
        if row is not None:
            self.chosen.emit(row.entry)

    def _on_make(self, index: QModelIndex) -> None:
        row = index.data(ROW)
        if row is not None:
            self.make.emit(row.entry)

    def _on_missing(self, index: QModelIndex) -> None:
        row = index.data(ROW)
        if row is not None:
            self.missing.emit(row.entry)

    def _on_starred(self, index: QModelIndex) -> None:
        row = index.data(ROW)
        if row is not None:
            self.starred.emit(row.entry, not row.starred)

    def _on_menu(self, index: QModelIndex, spot: QPoint) -> None:
        row = index.data(ROW)
        if isinstance(row, WorkflowRow):
            self.menu_wanted.emit(row, spot)

    def _on_keyed(self, command: str, index: QModelIndex) -> None:
        if command == "star":
            self._on_starred(index)
        else:
            self.keyed.emit(command, index.data(ROW).entry)

    def _take_first(self) -> None:
        entry = self.first()
        if entry is not None:
            self.chosen.emit(entry)

    def _into_list(self) -> None:
        if self._model.rowCount():
            self.list.setFocus(Qt.FocusReason.OtherFocusReason)
            if not self.list.currentIndex().isValid():
                self.list.setCurrentIndex(self._model.index(0))

    def _on_counted(self, shown: int, total: int) -> None:
        narrowed = bool(self._model.filter)
        self.title.set_note("" if not total else f"{shown:,} of {total:,}" if narrowed else f"{total:,}")
        known = self._ready or self._failed or total
        self._pages.setCurrentWidget(self.list if shown else self.empty if known else self._loading)
        self.kind.set_text(self._kind_words(narrowed=narrowed))
        if shown:
            return
        if self._failed:
            self.empty.tell(
                "warning",
                tr("The workflows cannot be shown"),
                tr("ComfyDesk could not open its library on this computer."),
            )
        elif total:
            words = self._model.filter.text.strip()
            what = tr(
                "No workflow matches \N{LEFT DOUBLE QUOTATION MARK}{words}\N{RIGHT DOUBLE QUOTATION MARK}", words=words
            )
            self.empty.tell(
                "search",
                what if words else tr("No workflow of this kind"),
                tr("Try a task, such as image to video, or look at all {total}.", total=f"{total:,}"),
                action=tr("Clear search") if words else tr("Show all"),
            )
        elif self._ready:
            self.empty.tell(
                "file", tr("No workflows yet"), tr("Drop a workflow file or a picture that carries one here.")
            )

    def _kind_words(self, *, narrowed: bool) -> str:
        if narrowed:
            return tr("Found")
        first = self._model.index(0).data(ROW)
        if self._model.order is Sort.USED and first is not None and first.used:
            return tr("Recent")
        return tr("All workflows") if first is None else filters.source_words()[source_of(first.entry)]
