"""The library's grid: justified rows or squares under sticky headings, of which only what is visible is touched."""

from collections.abc import Iterable, Sequence

from PySide6.QtCore import QPoint, QRect, Qt, Signal
from PySide6.QtGui import QPainter, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QAbstractItemView

from comfydesk.qt.models.gallery import GalleryModel
from comfydesk.qt.models.thumbnails import Thumbnails
from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets.gallery_base import Anchor, Index, TileView
from comfydesk.qt.widgets.gallery_geometry import Box, Geometry, Measures
from comfydesk.qt.widgets.gallery_tiles import paint_heading
from comfydesk.store.listing import Group, Listing
from comfydesk.store.search import Grouping

SMALLEST, LARGEST, USUAL = 72, 480, 176
"""Height of a row, in the design's pixels."""
GAP, EDGE, HEADING, FOOT = 4, 12, 36, 72


class GalleryView(TileView):
    """Scrolls up and down."""

    size_changed = Signal(int)
    """Ctrl and the wheel: the new height of rows."""

    def __init__(self, theme: Theme, model: GalleryModel, thumbnails: Thumbnails) -> None:
        self.places = Geometry()
        self._squares = False
        self._size = USUAL
        super().__init__(theme, model, thumbnails, self.places)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.setAccessibleName(tr("Library"))
        self._on_listed()

    # --- What it shows ----------------------------------------------------------------------------------------------

    @property
    def row_height(self) -> int:
        """Height of a row, in the design's pixels."""
        return self._size

    def set_size(self, size: int) -> None:
        """Larger or smaller tiles; what is at the top stays in sight."""
        size = min(LARGEST, max(SMALLEST, size))
        if size != self._size:
            self._size = size
            self.lay_out()
            self.size_changed.emit(size)

    def zoom(self, by: float) -> None:
        self.set_size(round(self._size * by))

    def set_squares(self, squares: bool) -> None:
        """Squares, or rows as high as each other."""
        if squares != self._squares:
            self._squares = squares
            self.lay_out()

    @property
    def squares(self) -> bool:
        return self._squares

    @property
    def scrolled(self) -> int:
        return self.verticalScrollBar().value()

    @property
    def origin(self) -> QPoint:
        return QPoint(-self._edge(), self.scrolled)

    # --- QListView's own, answered from the geometry ----------------------------------------------------------------

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

    def updateGeometries(self) -> None:
        bar, room = self.verticalScrollBar(), self.viewport().height()
        bar.setRange(0, max(0, self.places.height + self.theme.px(FOOT) - room))
        bar.setPageStep(room)
        bar.setSingleStep(max(20, self.theme.px(self._size) // 3))

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
        self.hands.scrolled()
        self._drop.start()

    # --- Headings ---------------------------------------------------------------------------------------------------

    def headings(self) -> Iterable[tuple[int, QRect]]:
        """The first one stays at the top until the next one pushes it out."""
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

    def paint_heading(self, painter: QPainter, number: int, where: QRect) -> None:
        group = self.gallery.listing.groups[number]
        painter.fillRect(0, where.top(), self.viewport().width(), where.height(), self.theme.color(self.ground))
        edge, grouping = self._edge(), self.gallery.listing.grouping.value
        paint_heading(painter, self.theme, where.adjusted(edge, 0, -edge, 0), group, grouping, full=self.is_full(group))

    # --- Layout -----------------------------------------------------------------------------------------------------

    def lay_out(self) -> None:
        wanted = self._measures()
        if wanted == self.places.measures:
            self.updateGeometries()
            return
        anchor = self._anchor or self.anchor()
        self.places.lay(wanted)
        self.settle(anchor)
        self.hands.forget()
        self.viewport().update()

    def show_listing(self, listing: Listing, groups: Sequence[Group], new: int) -> None:
        self.places.measures = self._measures()
        self.places.show(listing.aspects, groups, new=new)

    def anchor(self) -> Anchor | None:
        top, ids = self.scrolled, self.gallery.listing.ids
        if top <= 0 or not self.places.count:
            return None
        row = self.places.near(0, top + self._heading())
        _, y, _, high = self.places.box(row)
        return Anchor(ids[row], y - top, high, row) if row < len(ids) else None

    def settle(self, anchor: Anchor | None) -> None:
        self.updateGeometries()
        row = self.row_of(anchor) if anchor is not None else None
        if anchor is not None and row is not None:
            _, y, _, high = self.places.box(row)
            offset = anchor.offset if anchor.offset >= 0 else anchor.offset * high // anchor.extent
            self.verticalScrollBar().setValue(y - offset)

    def page_from(self, row: int, by: int) -> int:
        lines = max(1, self.viewport().height() // max(1, self.places.box(row)[3]) - 1)
        return self.places.beside(row, by * lines)

    def visible(self, area: QRect | None = None) -> Iterable[tuple[int, Box]]:
        shown = self.viewport().rect() if area is None else area
        top = self.scrolled + shown.top()
        return self.places.between(top, top + shown.height())

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
