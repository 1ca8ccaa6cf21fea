"""What was made lately as one strip of pictures that scrolls sideways; each day has a heading."""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence

from PySide6.QtCore import QPoint, QRect, Qt, Signal
from PySide6.QtGui import QPainter, QResizeEvent, QShowEvent, QWheelEvent
from PySide6.QtWidgets import QAbstractItemView

from comfydesk.qt.models.gallery import GalleryModel
from comfydesk.qt.models.thumbnails import Thumbnails
from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets import paint
from comfydesk.qt.widgets.gallery_base import Anchor, Index, TileView
from comfydesk.qt.widgets.gallery_geometry import Box
from comfydesk.qt.widgets.gallery_tiles import heading_words
from comfydesk.store.listing import Group, Listing

HEADING = 20
GAP, DAY_GAP, EDGE = 4, 12, 12
SMALLEST, LARGEST = 48, 280
"""Height of a tile."""
NARROWEST, WIDEST = 0.6, 2.2
"""Width by height of a tile; beyond that a picture is cropped."""
SHORTEST = 88
"""A day is at least so wide, for the words above it."""


class StripPlaces:
    """Tiles side by side; content begins at x = 0, headings are above y = `top`."""

    def __init__(self) -> None:
        self.count = 0
        self.width = 0
        self.top = 0
        self.high = 1
        self.groups: Sequence[Group] = ()
        self.edges: list[tuple[int, int]] = []
        """Left and right of each group."""
        self._lefts = array("q")
        self._wides = array("q")

    def lay(self, aspects: Sequence[float], groups: Sequence[Group], top: int, high: int, px: float) -> None:
        """`high` tiles from `top` on; `px`: pixels per design pixel."""
        self.count, self.groups, self.top, self.high = len(aspects), groups, top, high
        self.edges, self._lefts, self._wides = [], array("q"), array("q")
        gap, between, shortest = round(GAP * px), round(DAY_GAP * px), round(SHORTEST * px)
        x = 0
        for group in groups:
            start = x
            for at in range(group.start, group.start + group.count):
                wide = round(high * min(WIDEST, max(NARROWEST, aspects[at])))
                self._lefts.append(x)
                self._wides.append(wide)
                x += wide + gap
            x = max(x - gap, start + shortest)
            self.edges.append((start, x))
            x += between
        self.width = max(0, x - between)

    def box(self, at: int) -> Box:
        return self._lefts[at], self.top, self._wides[at], self.high

    def at(self, x: int, y: int) -> int:
        found = bisect_right(self._lefts, x) - 1
        inside = found >= 0 and x < self._lefts[found] + self._wides[found] and self.top <= y < self.top + self.high
        return found if inside else -1

    def near(self, x: int, _y: int) -> int:
        return max(0, bisect_right(self._lefts, x) - 1) if self.count else -1

    def beside(self, at: int, _lines: int) -> int:
        """There is one row only."""
        return at

    def touching(self, box: Box) -> Iterator[tuple[int, int]]:
        left, top, wide, high = box
        rows = list(self.between(left, left + max(1, wide)))
        if rows and top < self.top + self.high and top + high > self.top:
            yield rows[0][0], rows[-1][0] + 1

    def between(self, left: int, right: int) -> Iterator[tuple[int, Box]]:
        """The tiles that reach into that range of x."""
        first = max(0, bisect_right(self._lefts, left) - 1)
        for at in range(first, bisect_left(self._lefts, right)):
            if self._lefts[at] + self._wides[at] > left:
                yield at, self.box(at)


class GalleryStrip(TileView):
    """One row; the wheel scrolls it too."""

    ended = Signal()
    """It was scrolled near to its end."""
    ground = "panel"

    def __init__(self, theme: Theme, model: GalleryModel, thumbnails: Thumbnails) -> None:
        self.places = StripPlaces()
        super().__init__(theme, model, thumbnails, self.places)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self.setAccessibleName(tr("Outputs"))
        self.horizontalScrollBar().valueChanged.connect(self._tell_end)
        chosen = self.selectionModel()
        chosen.selectionChanged.connect(lambda *_: self.viewport().update())
        chosen.currentChanged.connect(lambda *_: self.picked.emit())
        self._on_listed()

    @property
    def origin(self) -> QPoint:
        return QPoint(self.horizontalScrollBar().value() - self.theme.px(EDGE), 0)

    def scrollTo(
        self, index: Index, hint: QAbstractItemView.ScrollHint = QAbstractItemView.ScrollHint.EnsureVisible
    ) -> None:
        if not index.isValid() or index.row() >= self.places.count:
            return
        left, _, wide, _ = self.places.box(index.row())
        bar, room, edge = self.horizontalScrollBar(), self.viewport().width(), self.theme.px(EDGE)
        if hint == QAbstractItemView.ScrollHint.PositionAtCenter:
            bar.setValue(left + wide // 2 - room // 2)
        elif left < bar.value():
            bar.setValue(left)
        elif left + wide + 2 * edge > bar.value() + room:
            bar.setValue(left + wide + 2 * edge - room)

    def updateGeometries(self) -> None:
        bar, room = self.horizontalScrollBar(), self.viewport().width()
        bar.setRange(0, max(0, self.places.width + 2 * self.theme.px(EDGE) - room))
        bar.setPageStep(room)
        bar.setSingleStep(self.theme.px(60))

    def resizeEvent(self, event: QResizeEvent) -> None:
        QAbstractItemView.resizeEvent(self, event)
        self.lay_out()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.lay_out()

    def wheelEvent(self, event: QWheelEvent) -> None:
        turn = event.angleDelta()
        if turn.y() and not turn.x() and not event.modifiers():
            bar = self.horizontalScrollBar()
            bar.setValue(bar.value() - turn.y())
            event.accept()
        else:
            super().wheelEvent(event)

    def scrollContentsBy(self, _dx: int, _dy: int) -> None:
        self.viewport().update()
        self.hands.scrolled()
        self._drop.start()

    # --- Headings ---------------------------------------------------------------------------------------------------

    def headings(self) -> Iterable[tuple[int, QRect]]:
        """The first one in sight stays at the left until its day has gone."""
        origin, high, right = self.origin.x(), self._heading(), self.viewport().width()
        edge = self.theme.px(EDGE)
        for number in range(max(0, bisect_right(self.places.edges, (origin,)) - 1), len(self.places.edges)):
            left, end = (x - origin for x in self.places.edges[number])
            if left > right:
                return
            start = min(max(left, edge), end) if self.horizontalScrollBar().value() else left
            if end > start:
                yield number, QRect(start, 0, end - start, high)

    def paint_heading(self, painter: QPainter, number: int, where: QRect) -> None:
        theme, group = self.theme, self.places.groups[number]
        title, _ = heading_words(group, self.gallery.listing.grouping.value)
        metrics, small = theme.metrics("small_strong"), theme.metrics("small")
        area = where.adjusted(0, 0, 0, -theme.px(2))
        taken = paint.text(painter, area, title, theme.font("small_strong"), theme.color("text"), metrics=metrics)
        rest, count = area.adjusted(taken + theme.px(5), 0, 0, 0), f"{group.count:,}"
        if rest.width() >= small.horizontalAdvance(count):
            paint.text(painter, rest, count, theme.font("small"), theme.color("text2"), metrics=small)

    # --- Layout -----------------------------------------------------------------------------------------------------

    def lay_out(self) -> None:
        top, high = self._heading(), self._high()
        if (top, high) == (self.places.top, self.places.high):
            self.updateGeometries()
            return
        anchor = self.anchor()
        listing = self.gallery.listing
        self.show_listing(listing, listing.groups, -1)
        self.settle(anchor)
        self.viewport().update()

    def show_listing(self, listing: Listing, groups: Sequence[Group], _new: int) -> None:
        high = self._high()
        self.tiles.measure(high * self.devicePixelRatioF())
        self.places.lay(listing.aspects, groups, self._heading(), high, self.theme.px(100) / 100)

    def anchor(self) -> Anchor | None:
        left, ids = self.horizontalScrollBar().value(), self.gallery.listing.ids
        if left <= 0 or not self.places.count:
            return None
        row = self.places.near(left, 0)
        x, _, wide, _ = self.places.box(row)
        return Anchor(ids[row], x - left, wide, row) if row < len(ids) else None

    def settle(self, anchor: Anchor | None) -> None:
        self.updateGeometries()
        row = self.row_of(anchor) if anchor is not None else None
        if anchor is not None and row is not None:
            x, _, wide, _ = self.places.box(row)
            offset = anchor.offset if anchor.offset >= 0 else anchor.offset * wide // anchor.extent
            self.horizontalScrollBar().setValue(x - offset)

    def page_from(self, row: int, by: int) -> int:
        left, _, _, _ = self.places.box(row)
        return self.places.near(left + by * self.viewport().width(), 0)

    def visible(self, area: QRect | None = None) -> Iterable[tuple[int, Box]]:
        shown = self.viewport().rect() if area is None else area
        left = self.origin.x() + shown.left()
        return self.places.between(left, left + shown.width())

    def _heading(self) -> int:
        return self.theme.height(HEADING - 2, "small_strong")

    def _high(self) -> int:
        px = self.theme.px
        return max(px(SMALLEST), min(px(LARGEST), self.height() - self._heading() - px(14)))

    def _tell_end(self, value: int) -> None:
        bar = self.horizontalScrollBar()
        if bar.maximum() and value > bar.maximum() - self.viewport().width():
            self.ended.emit()
