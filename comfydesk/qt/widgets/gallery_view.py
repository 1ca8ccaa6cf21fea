"""The library's grid: justified rows or squares under sticky headings, of which only what is visible is touched."""

from collections.abc import Iterable
from dataclasses import replace
from time import perf_counter
from typing import NamedTuple, cast

from PySide6.QtCore import (
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import QPainter, QPaintEvent, QRegion, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QAbstractItemView, QFrame

from comfydesk.qt.models.gallery import GalleryModel
from comfydesk.qt.models.thumbnails import Thumbnails
from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets.gallery_events import Handled
from comfydesk.qt.widgets.gallery_geometry import Box, Geometry, Measures
from comfydesk.qt.widgets.gallery_hands import Hands
from comfydesk.qt.widgets.gallery_tiles import Look, Tiles, paint_heading
from comfydesk.store.listing import Group, Listing
from comfydesk.store.search import Grouping

Index = QModelIndex | QPersistentModelIndex
Select = QItemSelectionModel.SelectionFlag
SMALLEST, LARGEST, USUAL = 72, 480, 176
"""Height of a row, in the design's pixels."""
GAP, EDGE, HEADING, FOOT = 4, 12, 36, 72
PAINT_MS = 7.0
"""What a frame may spend on scaling pictures; the rest of them follow."""
PAINTED = 4000
"""Tiles whose place is remembered for the picture that comes later."""
RESTORED = 20_000
"""Selected outputs up to which a selection outlives a new listing."""


class _Anchor(NamedTuple):
    """What stays where it is while rows come and go."""

    output: int
    offset: int
    """From the top of the view to its tile."""
    high: int
    """Of its tile: as much of it as was above stays above."""
    row: int
    """Where it was."""


class GalleryView(Handled):
    """A QListView for its accessibility; where things lie, are painted and picked is our own.

    Ranges, not rows: to select 100,000 outputs is one range. The outputs that signals carry are ids, or an Output.
    """

    size_changed = Signal(int)
    """Ctrl and the wheel: the new height of rows."""

    def __init__(self, theme: Theme, model: GalleryModel, thumbnails: Thumbnails) -> None:
        super().__init__()
        self.theme, self.thumbnails = theme, thumbnails
        self.gallery = model
        self.places = Geometry()
        self.tiles = Tiles(theme, thumbnails, self)
        self._squares = False
        self._size = USUAL
        self._anchor: _Anchor | None = None
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
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.setAccessibleName(tr("Library"))
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
        thumbnails.failed.connect(lambda path, _reason: self._on_picture(path))
        theme.changed.connect(self._on_theme)
        self._on_listed()

    # --- What it shows ----------------------------------------------------------------------------------------------

    @property
    def row_height(self) -> int:
        """Height of a row, in the design's pixels."""
        return self._size

    def set_size(self, size: int) -> None:
        """Larger or smaller tiles; what is in the middle stays in sight."""
        size = min(LARGEST, max(SMALLEST, size))
        if size != self._size:
            self._size = size
            self.lay_out()
            self.size_changed.emit(size)

    def set_squares(self, squares: bool) -> None:
        """Squares, or rows as high as each other."""
        if squares != self._squares:
            self._squares = squares
            self.lay_out()

    @property
    def squares(self) -> bool:
        return self._squares

    def lay_out(self) -> None:
        """Lay everything out anew; what is at the top stays there."""
        wanted = self._measures()
        if wanted == self.places.measures:
            self.updateGeometries()
            return
        anchor = self._anchor or self._place()
        self.places.lay(wanted)
        self._settle(anchor)

    def box(self, row: int) -> QRect:
        """Where a row's tile is in the viewport."""
        return self._rect(self.places.box(row))

    def row_at(self, point: QPoint) -> int:
        """The row of the tile at a point of the viewport, -1: none."""
        if self.heading_at(point) >= 0:
            return -1
        return self.places.at(point.x() - self._edge(), point.y() + self.scrolled)

    def heading_at(self, point: QPoint) -> int:
        """The group whose heading is at a point, -1: none."""
        return next((group for group, area in self._headings() if area.contains(point)), -1)

    @property
    def scrolled(self) -> int:
        return self.verticalScrollBar().value()

    @property
    def current(self) -> int:
        """The row with the keyboard, -1: none."""
        return self.currentIndex().row()

    def go_to(self, row: int) -> None:
        """Make `row` the only one selected, and show it."""
        if 0 <= row < self.gallery.rowCount():
            self.pick(row, row, Select.ClearAndSelect, current=row)

    # --- Selection --------------------------------------------------------------------------------------------------

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

    # --- QListView's own, answered from the geometry ----------------------------------------------------------------

    def visualRect(self, index: Index) -> QRect:
        row = index.row()
        return self.box(row) if index.isValid() and row < self.places.count else QRect()

    def indexAt(self, point: QPoint) -> QModelIndex:
        row = self.row_at(point)
        return self.gallery.index(row) if 0 <= row < self.gallery.rowCount() else QModelIndex()

    def scrollTo(
        self, index: Index, hint: QAbstractItemView.ScrollHint = QAbstractItemView.ScrollHint.EnsureVisible
    ) -> None:
        if not index.isValid() or index.row() >= self.places.count:
            return
        _, top, _, high = self.places.box(index.row())
        bar, room = self.verticalScrollBar(), self.viewport().height()
        head = self._heading()
        if hint == QAbstractItemView.ScrollHint.PositionAtCenter:
            bar.setValue(top + high // 2 - room // 2)
        elif top - head < bar.value():
            bar.setValue(top - head)
        elif top + high > bar.value() + room - self.theme.px(GAP):
            bar.setValue(top + high - room + self.theme.px(GAP))

    def setSelection(self, rect: QRect, command: QItemSelectionModel.SelectionFlag) -> None:
        chosen = QItemSelection()
        for first, past in self.places.touching(self._content(rect)):
            chosen.select(self.gallery.index(first), self.gallery.index(past - 1))
        self.selectionModel().select(chosen, command)

    def visualRegionForSelection(self, selection: QItemSelection) -> QRegion:
        return QRegion(self.viewport().rect()) if selection.count() else QRegion()

    def horizontalOffset(self) -> int:
        return 0

    def verticalOffset(self) -> int:
        return self.scrolled

    def isIndexHidden(self, _index: Index) -> bool:
        return False

    def doItemsLayout(self) -> None:  # noqa: N802  # Qt's name
        QAbstractItemView.doItemsLayout(self)

    def updateGeometries(self) -> None:
        bar, room = self.verticalScrollBar(), self.viewport().height()
        bar.setRange(0, max(0, self.places.height + self.theme.px(FOOT) - room))
        bar.setPageStep(room)
        bar.setSingleStep(max(20, self.theme.px(self._size) // 3))

    def rowsInserted(self, parent: Index, first: int, last: int) -> None:
        QAbstractItemView.rowsInserted(self, parent, first, last)

    def rowsAboutToBeRemoved(self, parent: Index, first: int, last: int) -> None:
        QAbstractItemView.rowsAboutToBeRemoved(self, parent, first, last)

    def dataChanged(self, first: Index, last: Index, _roles: Iterable[int] = ()) -> None:
        if first.isValid() and last.isValid():
            for at, box in self._visible():
                if first.row() <= at <= last.row():
                    self.viewport().update(self._rect(box))

    def resizeEvent(self, event: QResizeEvent) -> None:
        QAbstractItemView.resizeEvent(self, event)
        if event.size().width() != event.oldSize().width():
            self.lay_out()
        else:
            self.updateGeometries()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.lay_out()

    def scrollContentsBy(self, _dx: int, dy: int) -> None:
        head = self._heading()
        area = self.viewport().rect().adjusted(0, head, 0, 0)
        self.viewport().scroll(0, dy, area)
        if head:
            self.viewport().update(0, 0, area.width(), head + 1)
        self.hands.scrolled(dy)
        self._drop.start()

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
        headings = list(self._headings())
        for area in areas:  # not their common rectangle: after a scroll that would be all of it
            painter.fillRect(area, self.theme.color("canvas"))
        done: set[int] = set()
        for area in areas:
            for at, box in self._visible(area):
                rect = self._rect(box)
                if at not in done and region.intersects(rect) and at < self.gallery.rowCount():
                    done.add(at)
                    self._paint_tile(painter, at, rect, until)
        for group, where in headings:
            if region.intersects(where):
                self._paint_heading(painter, group, where)
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

    def _paint_heading(self, painter: QPainter, number: int, where: QRect) -> None:
        group: Group = self.gallery.listing.groups[number]
        painter.fillRect(0, where.top(), self.viewport().width(), where.height(), self.theme.color("canvas"))
        chosen = self.selectionModel()
        full = chosen.hasSelection() and any(
            first <= group.start and last >= group.start + group.count - 1 for first, last in self.ranges()
        )
        edge = self._edge()
        inner = where.adjusted(edge, 0, -edge, 0)
        paint_heading(painter, self.theme, inner, group, self.gallery.listing.grouping.value, full=full)

    def _headings(self) -> Iterable[tuple[int, QRect]]:
        """(group, area) of the headings in sight; the first one stays at the top until the next one pushes it out."""
        high = self._heading()
        if not high or not self.gallery.listing.groups or not self.places.count:
            return
        wide, top = self.viewport().width(), self.scrolled
        limit = high
        first = self.places.group_at(top)
        for group, y in self.places.headings(top, top + self.viewport().height()):
            if group != first:
                limit = min(limit, y - top)
                yield group, QRect(0, y - top, wide, high)
        yield first, QRect(0, limit - high, wide, high)

    def _paint_rest(self) -> None:
        """Pictures that were painted in a hurry."""
        rects, self._unfinished = self._unfinished, []
        for rect in rects:
            self.viewport().update(rect)

    def _on_picture(self, path: str) -> None:
        at = self._paths.get(path, -1)
        if 0 <= at < self.places.count:
            rect = self.box(at)
            if rect.intersects(self.viewport().rect()):
                self.viewport().update(rect)

    def _drop_unseen(self) -> None:
        """What was scrolled away need not be loaded any more."""
        shown = set()
        for at, _ in self._visible():
            output = self.gallery.known(at)
            if output is not None:
                shown.add(output.path)
        self.thumbnails.keep(self, shown)

    # --- Layout -----------------------------------------------------------------------------------------------------

    def _on_listed(self) -> None:
        """The model shows something else: lay it out, and keep what was in sight where it was."""
        listing, before = self.gallery.listing, self._listing
        self._listing = listing
        changed, self._changed = self._changed, []
        groups = listing.groups or ((Group("", "", 0, len(listing), 0.0),) if len(listing) else ())
        new = changed[0][1] + 1 if len(changed) == 1 and changed[0][0] == 0 else -1
        self._paths.clear()
        self.places.measures = self._measures()
        self.places.show(listing.aspects, groups, new=new)
        same = (listing.filter, listing.order, listing.grouping) == (before.filter, before.order, before.grouping)
        anchor, self._anchor = self._anchor if same else None, None
        self._settle(anchor)
        if not same:
            self.verticalScrollBar().setValue(0)
        elif self._kept:
            self._restore_selection()
        self._kept = ()

    def _measures(self) -> Measures:
        px = self.theme.px
        self.tiles.measure(px(self._size) * self.devicePixelRatioF())
        width = max(px(SMALLEST), self.viewport().width() - 2 * self._edge())
        return Measures(width, px(self._size), px(GAP), self._heading(), self._squares)

    def _heading(self) -> int:
        grouped = self.gallery.listing.grouping is not Grouping.NONE and bool(self.gallery.listing.groups)
        return self.theme.height(HEADING, "heading") if grouped else 0

    def _edge(self) -> int:
        return self.theme.px(EDGE)

    def _note_place(self) -> None:
        if self._anchor is None:
            self._anchor = self._place()
            self._count_before = self.gallery.rowCount()

    def _note_selection(self) -> None:
        self._kept = self.selected_ids() if self.selected_count() <= RESTORED else ()

    def _restore_selection(self) -> None:
        wanted, chosen = set(self._kept), QItemSelection()
        for row, id_ in enumerate(self.gallery.listing.ids):
            if id_ in wanted:
                chosen.select(self.gallery.index(row), self.gallery.index(row))
        self.selectionModel().select(chosen, Select.ClearAndSelect)

    def _place(self) -> _Anchor | None:
        """The first tile in sight; None at the very top, where what is new shall be seen."""
        top, ids = self.scrolled, self.gallery.listing.ids
        if top <= 0 or not self.places.count:
            return None
        row = self.places.near(0, top + self._heading())
        _, y, _, high = self.places.box(row)
        return _Anchor(ids[row], y - top, high, row) if row < len(ids) else None

    def _settle(self, anchor: _Anchor | None) -> None:
        """After a layout: scroll so that `anchor` is where it was."""
        self.updateGeometries()
        row = self._find(anchor) if anchor is not None else None
        if anchor is not None and row is not None:
            _, y, _, high = self.places.box(row)
            offset = anchor.offset if anchor.offset >= 0 else anchor.offset * high // anchor.high
            self.verticalScrollBar().setValue(y - offset)
        self.hands.forget()
        self.viewport().update()

    def _find(self, anchor: _Anchor) -> int | None:
        """Where it is now: mostly where it was, moved on by what is new before it. Only else look at every row."""
        ids = self.gallery.listing.ids
        for row in (anchor.row, anchor.row + len(ids) - self._count_before):
            if 0 <= row < len(ids) and ids[row] == anchor.output:
                return row
        return self.gallery.listing.row_of(anchor.output)

    def _visible(self, area: QRect | None = None) -> Iterable[tuple[int, Box]]:
        shown = self.viewport().rect() if area is None else area
        top = self.scrolled + shown.top()
        return self.places.between(top, top + shown.height())

    def _rect(self, box: Box) -> QRect:
        left, top, wide, high = box
        return QRect(left + self._edge(), top - self.scrolled, wide, high)

    def _content(self, rect: QRect) -> Box:
        return rect.left() - self._edge(), rect.top() + self.scrolled, rect.width(), rect.height()

    def _on_theme(self) -> None:
        self.lay_out()
