"""The panel on the left: every workflow as a card, searched and filtered as one types."""

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QItemSelectionModel, QModelIndex, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QListView, QStackedWidget, QVBoxLayout, QWidget

from comfydesk.qt.docks.dock import Dock, Panel
from comfydesk.qt.models.rows import ROW
from comfydesk.qt.models.tips import plain_tip
from comfydesk.qt.models.workflows import WorkflowFilter, WorkflowModel
from comfydesk.qt.theme import Theme
from comfydesk.qt.widgets.banner import Banner
from comfydesk.qt.widgets.buttons import IconButton, Size
from comfydesk.qt.widgets.card_delegate import CardDelegate
from comfydesk.qt.widgets.chips import ChipRow, RemovableChip
from comfydesk.qt.widgets.empty_state import EmptyState
from comfydesk.qt.widgets.plain import pad
from comfydesk.qt.widgets.search_field import SearchField

if TYPE_CHECKING:
    from comfydesk.session.values import WorkflowEntry

OUTPUTS = ("", "image", "video", "audio")
MINIMUM_WIDTH = 232


class CardList(QListView):
    """The cards. `chosen` on a click or Enter; the arrow keys only move."""

    chosen = Signal(QModelIndex)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.setAccessibleName("Workflows")
        self.viewport().setAutoFillBackground(False)
        self.clicked.connect(self.chosen)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.modifiers():
            if self.currentIndex().isValid():
                self.chosen.emit(self.currentIndex())
        else:
            super().keyPressEvent(event)


class BrowserPanel(Panel):
    """`chosen` with the WorkflowEntry that is to be opened."""

    chosen = Signal(object)
    open_file = Signal()
    make = Signal(object)
    """WorkflowEntry that is to be opened and made at once."""

    def __init__(self, theme: Theme, dock: Dock, model: WorkflowModel) -> None:
        super().__init__(theme, dock)
        self._model = model
        self._ready = False
        self._open = ""
        self.search = SearchField(theme, "Name, model or node", keys="Ctrl+F")
        self.outputs = ChipRow(theme, ("All", "Image", "Video", "Audio"), name="What comes out")
        self.task = RemovableChip(theme, "")
        self.task.hide()
        self.banner = Banner(theme)
        self.list = CardList()
        self.list.setModel(model)
        cards = CardDelegate(theme, self.list)
        self.list.setItemDelegate(cards)
        self.empty = EmptyState(theme, "clock", "Looking for workflows")
        self._pages = QStackedWidget()
        self._pages.addWidget(self.empty)
        self._pages.addWidget(self.list)
        add = IconButton(theme, "plus", "Open a workflow file", size=Size.COMPACT)
        add.clicked.connect(self.open_file)
        self.title.add(add)
        theme.changed.connect(self._measure)
        self._measure()
        self._lay_out()
        self.list.chosen.connect(self._on_chosen)
        cards.generate.connect(self._on_make)
        cards.missing.connect(self._on_chosen)
        self.search.searched.connect(lambda words: self._narrow(replace(model.filter, text=words)))
        self.search.entered.connect(self._take_first)
        self.search.left_down.connect(self._into_list)
        self.outputs.picked.connect(lambda at: self._narrow(replace(model.filter, output=OUTPUTS[at])))
        self.task.clicked.connect(self.show_all_tasks)
        self.empty.acted.connect(self.clear)
        model.counted.connect(self._on_counted)
        self._on_counted(model.rowCount(), model.total)

    def mark_ready(self) -> None:
        """The list is complete: an empty one means that there are none."""
        self._ready = True
        self._on_counted(self._model.rowCount(), self._model.total)

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
        self.dock.show()
        self.search.edit.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.search.edit.selectAll()

    def search_for(self, words: str) -> None:
        """Show what `words` find."""
        self.search.set_text(words)
        self._narrow(WorkflowFilter(text=words))

    def show_task(self, words: str, types: frozenset[str]) -> None:
        """Show the workflows of some task types, called `words`."""
        self.task.setText(words)
        self.task.setToolTip(plain_tip(f"Remove {words}"))
        self.task.show()
        self.outputs.set_current(0)
        self.search.set_text("")
        self._narrow(WorkflowFilter(types=types))

    def show_all_tasks(self) -> None:
        self.task.hide()
        self._narrow(replace(self._model.filter, types=frozenset()))

    def clear(self) -> None:
        """Show everything."""
        self.task.hide()
        self.outputs.set_current(0)
        self.search.set_text("")
        self._narrow(WorkflowFilter())

    def first(self) -> "WorkflowEntry | None":
        """The card on top."""
        row = self._model.index(0).data(ROW)
        return None if row is None else row.entry

    def _lay_out(self) -> None:
        theme = self.theme
        head = QWidget()
        column = QVBoxLayout(head)
        pad(column, theme, 12, 0, 12, 8, gap=8)
        chips = QHBoxLayout()
        chips.addWidget(self.outputs)
        tasks = QHBoxLayout()
        tasks.addWidget(self.task)
        tasks.addStretch(1)
        column.addWidget(self.search)
        column.addLayout(chips)
        column.addLayout(tasks)
        column.addWidget(self.banner)
        self.body.addWidget(head)
        self.body.addWidget(self._pages, 1)

    def _measure(self) -> None:
        self.setMinimumWidth(self.theme.px(MINIMUM_WIDTH))

    def _narrow(self, wanted: WorkflowFilter) -> None:
        self._model.set_filter(wanted)
        self.mark_open(self._open)

    def _on_chosen(self, index: QModelIndex) -> None:
        row = index.data(ROW)
        if row is not None:
            self.chosen.emit(row.entry)

    def _on_make(self, index: QModelIndex) -> None:
        row = index.data(ROW)
        if row is not None:
            self.make.emit(row.entry)

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
        self._pages.setCurrentWidget(self.list if shown else self.empty)
        if shown:
            return
        if total:
            words = self._model.filter.text.strip()
            what = f"No workflow matches \N{LEFT DOUBLE QUOTATION MARK}{words}\N{RIGHT DOUBLE QUOTATION MARK}"
            self.empty.tell(
                "search",
                what if words else "No workflow of this kind",
                f"There are {total:,} in all.",
                action="Clear search" if words else "Show all",
            )
        elif self._ready:
            self.empty.tell("file", "No workflows yet", "Drop a workflow file or a picture that carries one here.")
