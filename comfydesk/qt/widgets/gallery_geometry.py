"""Where the tiles of a gallery lie: justified rows, squares or one strip, of 100,000 pictures in milliseconds.

Nothing of Qt, nothing per picture but one number: sums of aspects, counted from the end, so that what is new at the
top is appended. The pictures of a group are cut into blocks of some hundred, from its end, so that what is new moves no
rows but those beside it. A block knows its height by arithmetic; its rows are worked out when they are looked at.

Measures are whole logical pixels; an aspect is width by height.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Protocol

NARROWEST, WIDEST = 0.5, 3.0
"""Aspects of tiles; beyond that a picture is cropped."""
CHUNK = 256
"""Pictures in a block of justified rows."""
TALLEST = 1.6
"""Times the wanted height, which a row grows to at most; it is not filled then."""

Box = tuple[int, int, int, int]
"""left, top, width, height"""


class Group(Protocol):
    """Pictures under one heading."""

    @property
    def title(self) -> str: ...
    @property
    def start(self) -> int: ...
    @property
    def count(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Measures:
    """What a layout is made for."""

    width: int
    """Of the room for tiles."""
    size: int
    """Wanted height of a row, or side of a square."""
    gap: int = 4
    heading: int = 36
    """Height of a heading; 0: none."""
    squares: bool = False


@dataclass(frozen=True, slots=True)
class _Rows:
    """A block, looked at. `edges` are offsets from its start, one more than rows; tops are from the block's own."""

    edges: Sequence[int]
    tops: Sequence[int]
    heights: Sequence[int]


class Geometry:
    """`show` pictures, `lay` them out, ask. Indices are positions among all pictures."""

    def __init__(self) -> None:
        self.count = 0
        self.height = 0
        """Of everything, with headings."""
        self.groups: Sequence[Group] = ()
        self.measures = Measures(1, 1)
        self._sums = array("d", [0.0])
        """[n]: the sum of the aspects of the last n pictures."""
        self._starts: list[int] = []
        self._counts: list[int] = []
        self._rows: list[int] = []
        self._tops: list[int] = []
        """Of a block's first row; its heading, if any, is above it."""
        self._heights: list[int] = []
        self._heads: list[int] = []
        """The number of the group that begins with the block, or -1."""
        self._seen: dict[int, _Rows] = {}

    # --- What is shown ----------------------------------------------------------------------------------------------

    def show(self, aspects: Sequence[float], groups: Sequence[Group], *, new: int = -1) -> None:
        """`aspects` in order. `new`: so many at the start are new, the others are those of before."""
        grown = new >= 0 and len(aspects) == self.count + new
        if grown:
            fresh: Iterable[float] = reversed(aspects[:new])
        else:
            self._sums = array("d", [0.0])
            fresh = reversed(aspects)
        if (
            min(aspects[:new] if grown else aspects, default=1.0) < NARROWEST
            or not max(aspects[:new] if grown else aspects, default=1.0) <= WIDEST
        ):
            fresh = [NARROWEST if not a > NARROWEST else min(a, WIDEST) for a in fresh]
        sums = accumulate(fresh, initial=self._sums.pop())
        self._sums.extend(sums)
        self.count = len(aspects)
        self.groups = groups
        self._lay(keep=grown)

    def lay(self, measures: Measures) -> None:
        """Lay out everything for `measures`."""
        self.measures = measures
        self._lay(keep=False)

    def _lay(self, *, keep: bool) -> None:
        """`keep`: only the front is new, the measures are those of before."""
        measures, before = self.measures, self._counts
        self._seen.clear()
        self._cut()
        fresh = len(self._counts)
        if keep and before and self._counts[1:] == before[1:]:
            fresh = 1  # the first block has grown
        elif keep and before and self._counts[1:] == before:
            fresh = 1  # another one stands before it
        if fresh == 1 and not measures.squares:
            rows, heights = self._rows[-len(self._counts) + 1 :], self._heights[-len(self._counts) + 1 :]
            self._lay_rows(1)
            if len(self._counts) > 1:
                self._rows += rows
                self._heights += heights
        elif measures.squares:
            self._lay_squares()
        else:
            self._lay_rows(fresh)
        heading, gap = measures.heading, measures.gap
        if len(self._starts) == len(self.groups):  # every block has a heading
            tops = list(accumulate([high + gap + heading for high in self._heights], initial=heading))
            self.height = tops.pop() - heading
        else:
            tops, y = [], 0
            for high, head in zip(self._heights, self._heads, strict=True):
                if head >= 0:
                    y += heading
                tops.append(y)
                y += high + gap
            self.height = y
        self._tops = tops

    def _cut(self) -> None:
        """Groups into blocks."""
        starts: list[int] = []
        counts: list[int] = []
        heads: list[int] = []
        most = CHUNK + CHUNK // 2
        whole = self.measures.squares
        self._starts = [group.start for group in self.groups]
        self._counts = [group.count for group in self.groups]
        self._heads = list(range(len(self._starts)))
        if whole or max(self._counts, default=0) <= most:
            return
        for number, (start, count) in enumerate(zip(self._starts, self._counts, strict=True)):
            if count <= most:
                starts.append(start)
                counts.append(count)
                heads.append(number)
                continue
            first = count % CHUNK
            if first < CHUNK // 2:
                first += CHUNK
            parts = [first, *([CHUNK] * ((count - first) // CHUNK))]
            starts.extend(accumulate(parts[:-1], initial=start))
            counts.extend(parts)
            heads.append(number)
            heads.extend([-1] * (len(parts) - 1))
        self._starts, self._counts, self._heads = starts, counts, heads

    def _lay_rows(self, many: int) -> None:
        """The number and height of the rows of the first so many blocks."""
        width, gap, size = self.measures.width, self.measures.gap, self.measures.size
        sums, total = self._sums, self.count
        rows: list[int] = []
        heights: list[int] = []
        for start, count in zip(self._starts[:many], self._counts[:many], strict=True):
            end = total - start
            wide = sums[end] - sums[end - count]
            if wide * size + gap * (count - 1) <= width:  # one row, not filled
                rows.append(1)
                heights.append(size)
                continue
            lines = round(wide * (size + gap * count / wide) / width) if wide else 1
            lines = 1 if lines < 1 else min(lines, count)
            high = (width - gap * (count / lines - 1)) * lines / wide if wide else size
            high = min(high, size * TALLEST)
            rows.append(lines)
            heights.append(max(lines, round(high * lines)) + gap * (lines - 1))
        self._rows, self._heights = rows, heights

    def _lay_squares(self) -> None:
        columns, side = self._square()
        gap = self.measures.gap
        self._rows = [-(-count // columns) for count in self._counts]
        self._heights = [lines * (side + gap) - gap for lines in self._rows]

    def _square(self) -> tuple[int, int]:
        """(columns, side)"""
        width, gap, size = self.measures.width, self.measures.gap, self.measures.size
        columns = max(1, round((width + gap) / (size + gap)))
        return columns, max(1, (width + gap) // columns - gap)

    # --- Asking -----------------------------------------------------------------------------------------------------

    def box(self, at: int) -> Box:
        """Where picture `at` lies."""
        block = bisect_right(self._starts, at) - 1
        rows = self._look(block)
        line = bisect_right(rows.edges, at - self._starts[block]) - 1
        return self._boxes(block, rows, line, at - self._starts[block], 1)[0]

    def at(self, x: int, y: int) -> int:
        """The picture at a point, -1 where there is none."""
        block = self._block_at(y)
        if block < 0:
            return -1
        rows = self._look(block)
        line = bisect_right(rows.tops, y - self._tops[block]) - 1
        if line < 0 or y - self._tops[block] >= rows.tops[line] + rows.heights[line]:
            return -1
        first = rows.edges[line]
        for place, (left, _, wide, _) in enumerate(self._line(block, rows, line)):
            if left <= x < left + wide:
                return self._starts[block] + first + place
        return -1

    def near(self, x: int, y: int) -> int:
        """The picture closest to a point; -1 only if there are none."""
        if not self.count:
            return -1
        block = max(0, self._block_at(y))
        rows = self._look(block)
        inside = y - self._tops[block]
        line = max(0, bisect_right(rows.tops, inside) - 1)
        boxes = self._line(block, rows, line)
        place = min(range(len(boxes)), key=lambda at: abs(boxes[at][0] + boxes[at][2] // 2 - x))
        return self._starts[block] + rows.edges[line] + place

    def between(self, top: int, bottom: int) -> Iterator[tuple[int, Box]]:
        """The pictures of all rows that reach into that range of y, in order."""
        block = max(0, self._block_at(top))
        while block < len(self._starts) and self._tops[block] < bottom:
            rows = self._look(block)
            base = self._tops[block]
            line = max(0, bisect_right(rows.tops, top - base) - 1)
            while line < len(rows.tops) and base + rows.tops[line] < bottom:
                if base + rows.tops[line] + rows.heights[line] > top:
                    first = self._starts[block] + rows.edges[line]
                    yield from enumerate(self._line(block, rows, line), first)
                line += 1
            block += 1

    def headings(self, top: int, bottom: int) -> Iterator[tuple[int, int]]:
        """(number of the group, y) of each heading in that range."""
        high = self.measures.heading
        if not high:
            return
        block = max(0, self._block_at(top))
        while block < len(self._starts) and self._tops[block] - high < bottom:
            if self._heads[block] >= 0 and self._tops[block] > top:
                yield self._heads[block], self._tops[block] - high
            block += 1

    def group_at(self, y: int) -> int:
        """The group whose heading or pictures are at `y`; -1: none."""
        block = bisect_right(self._tops, y + self.measures.heading) - 1
        if block < 0:
            return 0 if self.groups else -1
        if self._heads[block] < 0 and self._tops[block] > y:
            block -= 1
        while self._heads[block] < 0:
            block -= 1
        return self._heads[block]

    def line_of(self, at: int) -> tuple[int, int]:
        """(first, one past the last) picture of the row that `at` is in."""
        block = bisect_right(self._starts, at) - 1
        rows = self._look(block)
        line = bisect_right(rows.edges, at - self._starts[block]) - 1
        return self._starts[block] + rows.edges[line], self._starts[block] + rows.edges[line + 1]

    def beside(self, at: int, lines: int) -> int:
        """The picture that lies `lines` rows below `at` (above, if negative), as nearly as there is one."""
        left, _, wide, _ = self.box(at)
        for _ in range(abs(lines)):
            first, past = self.line_of(at)
            target = past if lines > 0 else first - 1
            if not 0 <= target < self.count:
                return at
            first, past = self.line_of(target)
            middle = left + wide // 2
            boxes = [self.box(each) for each in range(first, past)]
            at = first + min(range(len(boxes)), key=lambda n: abs(boxes[n][0] + boxes[n][2] // 2 - middle))
        return at

    def touching(self, box: Box) -> Iterator[tuple[int, int]]:
        """Ranges (first, one past the last) of pictures that a rubber band over `box` touches."""
        left, top, wide, high = box
        first = last = -1
        for at, (x, y, w, h) in self.between(top, top + max(1, high)):
            if x < left + wide and x + w > left and y < top + high and y + h > top:
                if at != last + 1 and first >= 0:
                    yield first, last + 1
                    first = -1
                first, last = (at if first < 0 else first), at
        if first >= 0:
            yield first, last + 1

    # --- Inside -----------------------------------------------------------------------------------------------------

    def _block_at(self, y: int) -> int:
        """The block whose rows are at `y`, or that ends above it; -1 above the first."""
        return bisect_right(self._tops, y) - 1

    def _look(self, block: int) -> _Rows:
        found = self._seen.get(block)
        if found is None:
            found = self._seen[block] = self._squares(block) if self.measures.squares else self._justify(block)
        return found

    def _squares(self, block: int) -> _Rows:
        columns, side = self._square()
        step, count = side + self.measures.gap, self._counts[block]
        lines = self._rows[block]
        edges = range(0, lines * columns + 1, columns)
        return _Rows([*edges[:-1], count], range(0, lines * step, step), _Same(side, lines))

    def _justify(self, block: int) -> _Rows:
        """Break the block into its number of rows as evenly as may be; their heights add up to the block's."""
        width, gap, size = self.measures.width, self.measures.gap, self.measures.size
        count, lines = self._counts[block], self._rows[block]
        edges = self._breaks(block)
        natural = []
        for line in range(lines):
            wide = self._span(block, edges[line], edges[line + 1])
            full = (width - gap * (edges[line + 1] - edges[line] - 1)) / wide
            natural.append(min(full, size * TALLEST))
        room = self._heights[block] - gap * (lines - 1)
        scale = room / sum(natural)
        tops, heights, y, before = [], [], 0.0, 0
        for line, high in enumerate(natural):
            y += high * scale
            here = round(y)
            tops.append(before + gap * line)
            heights.append(max(1, here - before))
            before = here
        assert edges[-1] == count
        return _Rows(edges, tops, heights)

    def _breaks(self, block: int) -> list[int]:
        start, count, lines = self._starts[block], self._counts[block], self._rows[block]
        sums, last = self._sums, self.count - start
        whole, low = sums[last], last - count
        step = (whole - sums[low]) / lines
        edges = [0]
        for line in range(1, lines):
            wanted = whole - line * step
            place = bisect_left(sums, wanted, low, last + 1)  # the first sum from the end that is not below
            if place < last and sums[place] - wanted > wanted - sums[place - 1]:
                place -= 1
            edges.append(min(max(last - place, edges[-1] + 1), count - (lines - line)))
        edges.append(count)
        return edges

    def _span(self, block: int, first: int, past: int) -> float:
        """The sum of aspects of a part of a block."""
        end = self.count - self._starts[block]
        return self._sums[end - first] - self._sums[end - past]

    def _line(self, block: int, rows: _Rows, line: int) -> list[Box]:
        first = rows.edges[line]
        return self._boxes(block, rows, line, first, rows.edges[line + 1] - first)

    def _boxes(self, block: int, rows: _Rows, line: int, first: int, many: int) -> list[Box]:
        """Boxes of `many` pictures from `first` on (offsets in the block), all in one row."""
        top, high, gap = self._tops[block] + rows.tops[line], rows.heights[line], self.measures.gap
        begin, past = rows.edges[line], rows.edges[line + 1]
        if self.measures.squares:
            return [((at - begin) * (high + gap), top, high, high) for at in range(first, first + many)]
        wide = self._span(block, begin, past)
        scale = (self.measures.width - gap * (past - begin - 1)) / wide
        if scale > self.measures.size * TALLEST or (self._rows[block] == 1 and scale > self.measures.size):
            scale = high  # too few to fill the row
        boxes = []
        for at in range(first, first + many):
            left = round(self._span(block, begin, at) * scale)
            right = round(self._span(block, begin, at + 1) * scale)
            boxes.append((left + gap * (at - begin), top, max(1, right - left), high))
        return boxes


class _Same(Sequence[int]):
    """The same number, so many times: 30,000 rows of squares have one height."""

    __slots__ = ("_times", "_value")

    def __init__(self, value: int, times: int) -> None:
        self._value, self._times = value, times

    def __len__(self) -> int:
        return self._times

    def __getitem__(self, at: int) -> int:  # type: ignore[override]  # nobody slices it
        return self._value
