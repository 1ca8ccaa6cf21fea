"""What the library's grid and the strip of recent outputs share: selection, painting, pictures that come late."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from time import perf_counter
from typing import NamedTuple, Protocol, cast

from PySide6.QtCore import (
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    Qt,
    QTimer,
)
from PySide6.QtGui import QPainter, QPaintEvent, QRegion
from PySide6.QtWidgets import QAbstractItemView, QFrame

from comfydesk.qt.models.gallery import GalleryModel
from comfydesk.qt.models.thumbnails import Thumbnails
from comfydesk.qt.theme import ColorName, Theme
from comfydesk.qt.widgets.gallery_events import Handled
from comfydesk.qt.widgets.gallery_geometry import Box
from comfydesk.qt.widgets.gallery_hands import Hands
from comfydesk.qt.widgets.gallery_tiles import Look, Tiles
from comfydesk.store.listing import Group, Listing

Index = QModelIndex | QPersistentModelIndex
Select = QItemSelectionModel.SelectionFlag
PAINT_MS = 7.0
"""What a frame may spend on scaling pictures; the rest of them follow."""
PAINTED = 4000
"""Tiles whose place is remembered for the picture that comes later."""


RESTORED = 20_000
"""Selected outputs up to which a selection outlives a new listing."""


class Anchor(NamedTuple):
    """What stays where it is while rows come and go."""

    output: int
    offset: int
    """From the start of the view (its top, or left) to its tile."""
    extent: int
    """Of its tile: as much of it as was before the start stays there."""
    row: int
    """Where it was."""


class Places(Protocol):
    """Where tiles lie, in the coordinates of the content."""

    count: int

    def box(self, at: int, /) -> Box:
        """Of a tile."""

    def at(self, x: int, y: int, /) -> int:
        """The tile at a point, -1: none."""

    def near(self, x: int, y: int, /) -> int:
        """The tile closest to a point; -1 only if there are none."""

    def beside(self, at: int, lines: int, /) -> int:
        """The tile so many rows below."""

    def touching(self, box: Box, /) -> Iterable[tuple[int, int]]:
        """Ranges (first, one past the last) that a rubber band over `box` touches."""


class TileView(Handled):
    """A QListView for its accessibility; where things lie, are painted and picked is our own.

    Ranges, not rows: to select 100,000 outputs is one range. The outputs that signals carry are ids, or an Output.
    """

    ground: ColorName = "canvas"

    def __init__(self, theme: Theme, model: GalleryModel, thumbnails: Thumbnails, places: Places) -> None:
        super().__init__()
        self.theme, self.thumbnails = theme, thumbnails
        self.gallery = model
        self.tiles = Tiles(theme, thumbnails, self)
        self._laid = places
        self._anchor: Anchor | None = None
        self._count_before = 0
        self._changed: list[tuple[int, int]] = []
        """Rows that were inserted since the last layout; (-1, -1) for anything else."""
        self._listing: Listing = model.listing
        self._kept: tuple[int, ...] = ()
        self._look, self._focused = Look(), -1
        self._paths: dict[str, int] = {}
        """Of the tiles that were painted last: where they are."""
        self._unfinished: list[QRect] = []
        self._finish = QTimer(self, singleShot=True, interval=24)
        self._finish.timeout.connect(self._paint_rest)
        self._drop = QTimer(self, singleShot=True, interval=60)
        self._drop.timeout.connect(self._drop_unseen)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setMouseTracking(True)
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.viewport().setAutoFillBackground(False)
        self.hands = Hands(self)
        self.setModel(model)
        for about in (model.rowsAboutToBeInserted, model.rowsAboutToBeRemoved, model.modelAboutToBeReset):
            about.connect(self._note_place)
        model.modelAboutToBeReset.connect(self._note_selection)
        model.rowsInserted.connect(lambda _, first, last: self._changed.append((first, last)))
        model.rowsRemoved.connect(lambda *_: self._changed.append((-1, -1)))
        model.modelReset.connect(lambda: self._changed.append((-1, -1)))
        model.listed.connect(self._on_listed)
        thumbnails.ready.connect(self._on_picture)
        thumbnails.failed.connect(self._on_picture)
        theme.changed.connect(self.lay_out)

    # --- What a view of that kind says ------------------------------------------------------------------------------

    @property
    def origin(self) -> QPoint:
        """The point of the content that is at the top left of the viewport."""
        raise NotImplementedError

    def lay_out(self) -> None:
        """Lay everything out anew; what is in sight stays there."""
        raise NotImplementedError

    def show_listing(self, listing: Listing, groups: Sequence[Group], new: int) -> None:
        """Lay out another listing. `new`: so many at the start are new, the others are those of before (-1: no)."""
        raise NotImplementedError

    def anchor(self) -> Anchor | None:
        """The first tile in sight; None at the very start, where what is new shall be seen."""
        raise NotImplementedError

    def settle(self, anchor: Anchor | None) -> None:
        """After a layout: scroll so that `anchor` is where it was."""
        raise NotImplementedError

    def to_start(self) -> None:
        """Scroll to the first row."""
        self.verticalScrollBar().setValue(0)
        self.horizontalScrollBar().setValue(0)

    def page_from(self, row: int, by: int) -> int:
        """The row that a page further (1) or back (-1) leads to."""
        raise NotImplementedError

    def headings(self) -> Iterable[tuple[int, QRect]]:
        """(group, area in the viewport) of the headings in sight."""
        raise NotImplementedError

    def visible(self, area: QRect | None = None) -> Iterable[tuple[int, Box]]:
        """The tiles in an area of the viewport (None: all of it), in order."""
        raise NotImplementedError

    def paint_heading(self, painter: QPainter, number: int, where: QRect) -> None:
        raise NotImplementedError

    def zoom(self, by: float) -> None:
        """Larger or smaller tiles, where that can be."""

    # --- Places -----------------------------------------------------------------------------------------------------

    @property
    def count(self) -> int:
        """Tiles that are laid out."""
        return self._laid.count

    @property
    def laid(self) -> Places:
        return self._laid

    def box(self, row: int) -> QRect:
        """Where a row's tile is in the viewport."""
        return self.rect_of(self._laid.box(row))

    def rect_of(self, box: Box) -> QRect:
        """A box of the content in the viewport."""
        left, top, wide, high = box
        origin = self.origin
        return QRect(left - origin.x(), top - origin.y(), wide, high)

    def row_at(self, point: QPoint) -> int:
        """The row of the tile at a point of the viewport, -1: none."""
        if self.heading_at(point) >= 0:
            return -1
        spot = point + self.origin
        return self._laid.at(spot.x(), spot.y())

    def heading_at(self, point: QPoint) -> int:
        """The group whose heading is at a point, -1: none."""
        return next((group for group, area in self.headings() if area.contains(point)), -1)

    @property
    def current(self) -> int:
        """The row with the keyboard, -1: none."""
        return self.currentIndex().row()

    # --- Selection --------------------------------------------------------------------------------------------------

    def go_to(self, row: int) -> None:
        """Make `row` the only one selected, and show it."""
        if 0 <= row < self.gallery.rowCount():
            self.pick(row, row, Select.ClearAndSelect, current=row)

    def pick(self, first: int, last: int, how: QItemSelectionModel.SelectionFlag, *, current: int = -1) -> None:
        """Select, toggle or deselect rows `first` to `last`; `current` gets the keyboard."""
        chosen, model = self.selectionModel(), self.gallery
        if current >= 0:
            chosen.setCurrentIndex(model.index(current), Select.NoUpdate)
        chosen.select(QItemSelection(model.index(min(first, last)), model.index(max(first, last))), how)

    def ranges(self) -> list[tuple[int, int]]:
        """The selection as (first, last) rows, ascending."""
        chosen = self.selectionModel().selection()
        return sorted((chosen.at(at).top(), chosen.at(at).bottom()) for at in range(chosen.size()))

    def selected_count(self) -> int:
        return sum(last - first + 1 for first, last in self.ranges())

    def selected_ids(self) -> tuple[int, ...]:
        """Ids of what is selected, in order."""
        return tuple(self.gallery.ids(self.ranges()))

    def is_picked(self, row: int) -> bool:
        return self.selectionModel().isSelected(self.gallery.index(row))

    # --- QListView's own, answered from the places ------------------------------------------------------------------

    def visualRect(self, index: Index) -> QRect:
        row = index.row()
        return self.box(row) if index.isValid() and row < self.count else QRect()

    def indexAt(self, point: QPoint) -> QModelIndex:
        row = self.row_at(point)
        return self.gallery.index(row) if 0 <= row < self.gallery.rowCount() else QModelIndex()

    def setSelection(self, rect: QRect, command: QItemSelectionModel.SelectionFlag) -> None:
        chosen, spot = QItemSelection(), rect.translated(self.origin)
        for first, past in self._laid.touching((spot.left(), spot.top(), spot.width(), spot.height())):
            chosen.select(self.gallery.index(first), self.gallery.index(past - 1))
        self.selectionModel().select(chosen, command)

    def visualRegionForSelection(self, selection: QItemSelection) -> QRegion:
        return QRegion(self.viewport().rect()) if selection.count() else QRegion()

    def horizontalOffset(self) -> int:
        return self.horizontalScrollBar().value()

    def verticalOffset(self) -> int:
        return self.verticalScrollBar().value()

    def isIndexHidden(self, _index: Index) -> bool:
        return False

    def doItemsLayout(self) -> None:  # noqa: N802  # Qt's name
        QAbstractItemView.doItemsLayout(self)

    def rowsInserted(self, parent: Index, first: int, last: int) -> None:
        QAbstractItemView.rowsInserted(self, parent, first, last)

    def rowsAboutToBeRemoved(self, parent: Index, first: int, last: int) -> None:
        QAbstractItemView.rowsAboutToBeRemoved(self, parent, first, last)

    def dataChanged(self, first: Index, last: Index, _roles: Iterable[int] = ()) -> None:
        if first.isValid() and last.isValid():
            for at, box in self.visible():
                if first.row() <= at <= last.row():
                    self.viewport().update(self.rect_of(box))

    # --- Another listing --------------------------------------------------------------------------------------------

    def _on_listed(self) -> None:
        """The model shows something else: lay it out, and keep what was in sight where it was."""
        listing, before = self.gallery.listing, self._listing
        self._listing = listing
        changed, self._changed = self._changed, []
        groups = listing.groups or ((Group("", "", 0, len(listing), 0.0),) if len(listing) else ())
        new = changed[0][1] + 1 if len(changed) == 1 and changed[0][0] == 0 else -1
        self._paths.clear()
        self.show_listing(listing, groups, new)
        same = (listing.filter, listing.order, listing.grouping) == (before.filter, before.order, before.grouping)
        anchor, self._anchor = self._anchor if same else None, None
        self.settle(anchor)
        if not same:
            self.to_start()
        elif self._kept:
            self._restore_selection()
        self._kept = ()
        self.hands.forget()
        self.viewport().update()

    def _note_place(self) -> None:
        if self._anchor is None:
            self._anchor = self.anchor()
            self._count_before = self.gallery.rowCount()

    def _note_selection(self) -> None:
        self._kept = self.selected_ids() if self.selected_count() <= RESTORED else ()

    def _restore_selection(self) -> None:
        wanted, chosen = set(self._kept), QItemSelection()
        for row, id_ in enumerate(self.gallery.listing.ids):
            if id_ in wanted:
                chosen.select(self.gallery.index(row), self.gallery.index(row))
        self.selectionModel().select(chosen, Select.ClearAndSelect)

    def row_of(self, anchor: Anchor) -> int | None:
        """Where it is now: mostly where it was, moved on by what is new before it. Only else look at every row."""
        ids = self.gallery.listing.ids
        for row in (anchor.row, anchor.row + len(ids) - self._count_before):
            if 0 <= row < len(ids) and ids[row] == anchor.output:
                return row
        return self.gallery.listing.row_of(anchor.output)

    # --- Painting ---------------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        until = perf_counter() + PAINT_MS / 1000
        painter = QPainter(self.viewport())
        if len(self._paths) > PAINTED:
            self._paths.clear()
        self._look = Look(any_selected=self.selectionModel().hasSelection(), pointer=self.hands.pointer)
        self._focused = self.current if self.hasFocus() else -1
        region = event.region()
        areas = cast("Iterable[QRect]", region)
        for area in areas:  # not their common rectangle: after a scroll that would be all of it
            painter.fillRect(area, self.theme.color(self.ground))
        done: set[int] = set()
        for area in areas:
            for at, box in self.visible(area):
                rect = self.rect_of(box)
                if at not in done and region.intersects(rect) and at < self.gallery.rowCount():
                    done.add(at)
                    self._paint_tile(painter, at, rect, until)
        for group, where in self.headings():
            if region.intersects(where):
                self.paint_heading(painter, group, where)
        self.hands.paint_band(painter)
        if self._unfinished and not self._finish.isActive():
            self._finish.start()

    def _paint_tile(self, painter: QPainter, at: int, rect: QRect, until: float) -> None:
        output = self.gallery.output(at)
        if output is not None:
            self._paths[output.path] = at
        look = self._look
        picked = look.any_selected and self.is_picked(at)
        if picked or at in (self._focused, self.hands.hovered):
            look = replace(look, selected=picked, current=at == self._focused, hovered=at == self.hands.hovered)
        if not self.tiles.paint(painter, rect, output, look, hurry=perf_counter() > until):
            self._unfinished.append(rect)

    def is_full(self, group: Group) -> bool:
        """Whether all of a group is selected."""
        last = group.start + group.count - 1
        return self.selectionModel().hasSelection() and any(a <= group.start and b >= last for a, b in self.ranges())

    def _paint_rest(self) -> None:
        """Pictures that were painted in a hurry."""
        rects, self._unfinished = self._unfinished, []
        for rect in rects:
            self.viewport().update(rect)

    def _on_picture(self, path: str, _reason: str = "") -> None:
        at = self._paths.get(path, -1)
        if 0 <= at < self.count:
            rect = self.box(at)
            if rect.intersects(self.viewport().rect()):
                self.viewport().update(rect)

    def _drop_unseen(self) -> None:
        """What was scrolled away need not be loaded any more."""
        shown = set()
        for at, _ in self.visible():
            output = self.gallery.known(at)
            if output is not None:
                shown.add(output.path)
        self.thumbnails.keep(self, shown)
