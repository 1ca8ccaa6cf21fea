"""The library's middle: what is searched for, how it is laid out, the grid, and what to do with what is selected."""

from collections.abc import Mapping
from dataclasses import fields, replace
from math import log
from typing import Any

from PySide6.QtCore import QEvent, QObject, QPoint, QSignalBlocker, Qt, Signal
from PySide6.QtGui import QKeySequence, QPainter, QPaintEvent, QPixmap, QResizeEvent, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from comfydesk.qt.models.gallery import GalleryModel
from comfydesk.qt.models.thumbnails import Thumbnails
from comfydesk.qt.models.tips import plain_tip
from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import tr, tr_n
from comfydesk.qt.widgets import paint, shadow
from comfydesk.qt.widgets.buttons import Button, IconButton, Kind
from comfydesk.qt.widgets.chips import RemovableChip
from comfydesk.qt.widgets.empty_state import EmptyState
from comfydesk.qt.widgets.gallery_facets import MEDIA
from comfydesk.qt.widgets.gallery_view import LARGEST, SMALLEST, GalleryView
from comfydesk.qt.widgets.labels import Label
from comfydesk.qt.widgets.menu import Menu
from comfydesk.qt.widgets.plain import Line, pad
from comfydesk.qt.widgets.search_field import SearchField
from comfydesk.qt.widgets.slider import Slider
from comfydesk.store.search import EVERYTHING, Aspect, Grouping, Order, OutputFilter

_STEPS = 40
_SHOWN_CHIPS = 4
_NARROW = 680
_NARROWER = 440


class Toolbar(QWidget):
    """Search, order, grouping, layout and size. `asked` when the listing is to be another."""

    asked = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.filter = EVERYTHING
        self.order, self.grouping = Order.NEWEST, Grouping.DAY
        theme.surface(self, "window")
        row = QHBoxLayout(self)
        pad(row, theme, 12, 8, 12, 8, gap=8)
        self.search = SearchField(
            theme, tr("Search prompts, models, tags, rating:>=4"), keys="Ctrl+F", height=36, pause=0
        )
        self.found = Label(theme, font="small", color="text2")
        self.search.row.insertWidget(self.search.row.count() - 2, self.found)
        self._chips: list[RemovableChip] = []
        self._names: dict[str, Mapping[Any, str]] = {"media": {kind: tr(words) for kind, words in MEDIA}}
        self.sort = Button(theme, "", icon="sort", menu=True)
        self.group = Button(theme, "", icon="grid", menu=True)
        self.shape = IconButton(theme, "grid", tr("Squares"), checkable=True)
        self.slider = Slider(theme, _STEPS)
        self.slider.setAccessibleName(tr("Size of the pictures"))
        theme.changed.connect(self._measure)
        self._measure()
        for widget, stretch in ((self.search, 1), (self.sort, 0), (self.group, 0), (self.shape, 0), (self.slider, 0)):
            row.addWidget(widget, stretch)
        self._menus = Menu(theme, parent=self), Menu(theme, parent=self)
        self._fill_menus()
        self.sort.clicked.connect(lambda: self._open(self._menus[0], self.sort))
        self.group.clicked.connect(lambda: self._open(self._menus[1], self.group))
        self.search.searched.connect(self._on_words)
        self._tell()

    def show_filter(self, wanted: OutputFilter) -> None:
        """Show what narrows the search; emits nothing."""
        self.filter = wanted
        if self.search.text() != wanted.words:
            self.search.show_words(wanted.words)
        self._show_chips()

    def _show_chips(self) -> None:
        for chip in self._chips:
            chip.hide()
            chip.deleteLater()
        self._chips = []
        parts = chips_of(self.filter, self._names)
        for words, less in parts[:_SHOWN_CHIPS]:
            chip = RemovableChip(self.theme, words)
            chip.clicked.connect(lambda _=False, less=less: self.ask(less))
            self.search.row.insertWidget(1 + len(self._chips), chip)
            self._chips.append(chip)
        self._tell()

    def name(self, kind: str, names: Mapping[Any, str]) -> None:
        """What albums ("album", by id) and pods ("pods", by id) are called."""
        self._names = {**self._names, kind: names}
        self._show_chips()  # and nothing else: somebody may be typing

    def ask(self, wanted: OutputFilter) -> None:
        """Search for something else."""
        self.show_filter(wanted)
        self.asked.emit()

    def restore(self, wanted: OutputFilter, order: Order, grouping: Grouping) -> None:
        """All of it at once, as it was left."""
        self.order, self.grouping = order, grouping
        self.ask(wanted)

    def show_count(self, count: int, *, narrowed: bool) -> None:
        words = tr_n("{n} found", "{n} found", count) if narrowed else ""
        self.found.setText(words.replace(str(count), f"{count:,}"))

    def _on_words(self, words: str) -> None:
        if words != self.filter.words:
            self.filter = replace(self.filter, words=words)
            self.asked.emit()

    def _fill_menus(self) -> None:
        orders: dict[Order | Grouping, str] = {
            Order.NEWEST: tr("Newest"), Order.OLDEST: tr("Oldest"), Order.NAME: tr("Name"), Order.RATING: tr("Rating"),
            Order.LARGEST: tr("Largest"),
        }  # fmt: skip
        groupings: dict[Order | Grouping, str] = {
            Grouping.DAY: tr("By day"), Grouping.BATCH: tr("By batch"), Grouping.WORKFLOW: tr("By workflow"),
            Grouping.NONE: tr("Not grouped"),
        }  # fmt: skip
        self._words = {**orders, **groupings}
        for menu, choices in zip(self._menus, (orders, groupings), strict=True):
            for choice, words in choices.items():
                menu.add(words).triggered.connect(lambda _=False, choice=choice: self._choose(choice))

    def _choose(self, choice: Order | Grouping) -> None:
        if isinstance(choice, Order):
            self._set(order=choice)
        else:
            self._set(grouping=choice)

    def _set(self, *, order: Order | None = None, grouping: Grouping | None = None) -> None:
        self.order, self.grouping = order or self.order, grouping or self.grouping
        if order is not None and order not in (Order.NEWEST, Order.OLDEST) and self.grouping is Grouping.DAY:
            self.grouping = Grouping.NONE
        if grouping is Grouping.DAY and self.order not in (Order.NEWEST, Order.OLDEST):
            self.order = Order.NEWEST
        self._tell()
        self.asked.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._tell()

    def _tell(self) -> None:
        """The buttons' words give way to the search where space is short."""
        taken = sum(chip.sizeHint().width() for chip in self._chips)
        wide = self.width() - taken >= self.theme.px(_NARROW)
        # Ctrl and the wheel do the same.
        self.slider.setVisible(self.width() - taken >= self.theme.px(_NARROWER))
        self.sort.setText(self._words[self.order] if wide else "")
        self.group.setText(self._words[self.grouping] if wide else "")
        self.sort.setToolTip(plain_tip(tr("Order: {order}", order=self._words[self.order])))
        self.group.setToolTip(plain_tip(tr("Grouping: {grouping}", grouping=self._words[self.grouping])))
        self.sort.setAccessibleName(tr("Order: {order}", order=self._words[self.order]))
        self.group.setAccessibleName(tr("Grouping: {grouping}", grouping=self._words[self.grouping]))

    def _measure(self) -> None:
        self.slider.setFixedWidth(self.theme.px(88))

    def _open(self, menu: Menu, button: Button) -> None:
        menu.popup(button.mapToGlobal(QPoint(0, button.height() + 4)))


class SelectionBar(QWidget):
    """What to do with the selected outputs; floats over the foot of the grid."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._tile: QPixmap | None = None
        self.count = Label(theme, font="label")
        self.compare = Button(theme, tr("Compare"), kind=Kind.GHOST, icon="compare")
        self.favourite = Button(theme, tr("Favourite"), kind=Kind.GHOST, icon="star")
        self.album = Button(theme, tr("Add to album"), kind=Kind.GHOST, icon="folder")
        self.export = Button(theme, tr("Export"), kind=Kind.GHOST, icon="upload")
        self.delete = IconButton(theme, "trash", tr("Delete"), danger=True)
        self.shut = IconButton(theme, "close", tr("Select nothing"))
        row = QHBoxLayout(self)
        reach = shadow.REACH
        pad(row, theme, reach + 16, reach + 7, reach + 8, reach + 7, gap=2)
        row.addWidget(self.count)
        row.addSpacing(theme.px(16))
        for button in (self.compare, self.favourite, self.album, self.export, self.delete):
            row.addWidget(button)
        line = Line(theme, upright=True)
        line.setFixedHeight(theme.px(20))
        row.addWidget(line)
        row.addWidget(self.shut)
        theme.changed.connect(self._redraw)
        self.setAccessibleName(tr("Selection"))
        self.hide()

    def show_count(self, count: int) -> None:
        self.count.setText(tr("{n} selected", n=f"{count:,}"))
        few = 2 <= count <= 4
        self.compare.set_blocked("" if few else tr("Select two to four"))
        self.setVisible(count >= 2)
        if count >= 2:
            self.adjustSize()
            self.raise_()

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme, painter = self._theme, QPainter(self)
        if self._tile is None:
            self._tile = shadow.draw_tile(theme, self.devicePixelRatioF())
        shadow.paint_shadow(painter, self._tile, self.rect())
        reach = theme.px(shadow.REACH)
        area = self.rect().adjusted(reach, reach, -reach, -reach)
        paint.box(painter, area, theme.px(8), fill=theme.color("popup"), outline=theme.color("control"))

    def _redraw(self) -> None:
        self._tile = None
        self.update()


class LibraryPage(QWidget):
    """Toolbar, grid, what stands there when it is empty, and the bar of the selection."""

    asked = Signal(object, object, object)
    """OutputFilter, Order, Grouping: show this."""

    def __init__(self, theme: Theme, model: GalleryModel, thumbnails: Thumbnails) -> None:
        super().__init__()
        self.theme, self.model = theme, model
        theme.surface(self, "canvas")
        self.toolbar = Toolbar(theme)
        self.view = GalleryView(theme, model, thumbnails)
        self.empty = EmptyState(theme, "image", tr("Opening the library"))
        self.stack = QStackedWidget()
        self.stack.addWidget(self.empty)
        self.stack.addWidget(self.view)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.toolbar)
        column.addWidget(Line(theme))
        column.addWidget(self.stack, 1)
        self.bar = SelectionBar(theme, self)
        self.setFocusProxy(self.view)
        self._failed = False
        """It could not be read the last time."""
        self._join()

    def focus_search(self) -> None:
        """Ctrl+F."""
        self.toolbar.search.edit.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.toolbar.search.edit.selectAll()

    def show_problem(self, what: str, why: str) -> None:
        """The library cannot be read: the button reads it again, for the same search."""
        self.toolbar.found.setText("")
        self.empty.tell("warning", what, why, action=tr("Try again"))
        self.stack.setCurrentWidget(self.empty)
        self._failed = True

    # --- Inside ---------------------------------------------------------------------------------------------------

    def _join(self) -> None:
        toolbar, view = self.toolbar, self.view
        toolbar.asked.connect(self._ask)
        toolbar.search.left_down.connect(self._into_grid)
        toolbar.search.entered.connect(self._into_grid)
        toolbar.shape.clicked.connect(view.set_squares)
        toolbar.slider.setValue(_step_of(view.row_height))
        toolbar.slider.valueChanged.connect(lambda step: view.set_size(_height_of(step)))
        view.size_changed.connect(self._show_size)
        view.searched.connect(lambda words: toolbar.ask(replace(toolbar.filter, words=words)))
        view.selectionModel().selectionChanged.connect(self._on_selection)
        view.selectionModel().currentChanged.connect(lambda *_: view.picked.emit())
        self.model.modelReset.connect(self._on_reset)
        self.model.listed.connect(self._on_listed)
        self.bar.shut.clicked.connect(view.clearSelection)
        self.empty.acted.connect(lambda: toolbar.ask(toolbar.filter if self._failed else EVERYTHING))
        find = QShortcut(QKeySequence.StandardKey.Find, self, context=Qt.ShortcutContext.WidgetWithChildrenShortcut)
        find.activated.connect(self.focus_search)
        view.installEventFilter(self)

    def _ask(self) -> None:
        self.asked.emit(self.toolbar.filter, self.toolbar.order, self.toolbar.grouping)

    def _into_grid(self) -> None:
        self.view.setFocus(Qt.FocusReason.OtherFocusReason)
        if self.view.current < 0 and self.model.rowCount():
            self.view.go_to(0)

    def _show_size(self, size: int) -> None:
        with QSignalBlocker(self.toolbar.slider):
            self.toolbar.slider.setValue(_step_of(size))
        self.toolbar.slider.update()

    def _on_reset(self) -> None:
        """Before the grid lays it out, so that it knows its size and does so once."""
        if self.model.rowCount():
            self.stack.setCurrentWidget(self.view)

    def _on_listed(self) -> None:
        listing = self.model.listing
        self._failed = False
        count, narrowed = len(listing), not listing.filter.everything
        self.toolbar.show_count(count, narrowed=narrowed)
        if count:
            self.stack.setCurrentWidget(self.view)
        else:
            if narrowed:
                nothing = tr("Try fewer words, or take a filter away.")
                self.empty.tell("search", tr("Nothing matches"), nothing, action=tr("Show everything"))
            else:
                self.empty.tell("image", tr("Nothing made yet"), tr("What you make is kept here, on this computer."))
            self.stack.setCurrentWidget(self.empty)
        self._on_selection()

    def _on_selection(self) -> None:
        self.bar.show_count(self.view.selected_count())
        self._place_bar()
        self.view.viewport().update()
        self.view.picked.emit()

    def _place_bar(self) -> None:
        if not self.bar.isHidden():
            bar, reach = self.bar, self.theme.px(shadow.REACH)
            wide = min(bar.sizeHint().width(), self.width())
            bar.resize(wide, bar.sizeHint().height())
            bar.move((self.width() - wide) // 2, self.height() - bar.height() + reach - self.theme.px(16))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place_bar()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutRequest:
            self._place_bar()
        return super().eventFilter(watched, event)


def chips_of(wanted: OutputFilter, called: Mapping[str, Mapping[Any, str]]) -> list[tuple[str, OutputFilter]]:
    """What narrows a search besides words, each with the filter that is left without it.

    `called`: by field, what a value is called where that is not the value itself.
    """
    found: list[tuple[str, OutputFilter]] = []
    for field in fields(wanted):
        value = getattr(wanted, field.name)
        if isinstance(value, tuple):
            for each in value:
                left: dict[str, Any] = {field.name: tuple(one for one in value if one != each)}
                found.append((called.get(field.name, {}).get(each, each), replace(wanted, **left)))
            continue
        words = called.get(field.name, {}).get(value, "") or _chip(field.name, value)
        if words:
            found.append((words, replace(wanted, **{field.name: getattr(EVERYTHING, field.name)})))
    return found


def _chip(name: str, value: object) -> str:
    """ "" for what is not shown as a chip."""
    if not value:
        return ""
    match name:
        case "rating":
            return tr("rating {n} and up", n=value)
        case "favourite":
            return tr("favourites")
        case "since":
            return tr("last 7 days")
        case "aspect":
            names = {Aspect.LANDSCAPE: tr("Landscape"), Aspect.PORTRAIT: tr("Portrait"), Aspect.SQUARE: tr("Square")}
            return names[value] if isinstance(value, Aspect) else ""
        case "missing":
            return tr("missing files")
        case "batch":
            return tr("one batch")
        case "album":
            return tr("album")
    return ""


def _height_of(step: int) -> int:
    """Even steps of ratio, not of pixels."""
    ratio: float = (LARGEST / SMALLEST) ** (step / _STEPS)
    return round(SMALLEST * ratio)


def _step_of(height: int) -> int:
    return round(_STEPS * log(height / SMALLEST) / log(LARGEST / SMALLEST))
