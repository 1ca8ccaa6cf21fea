"""Where tiles lie: rows are full, in order, without overlap; what is new at the top moves nothing below its block."""

import random
from array import array
from collections.abc import Sequence
from itertools import pairwise
from time import thread_time

import pytest

from comfydesk.qt.widgets.gallery_geometry import CHUNK, Geometry, Measures
from comfydesk.store.listing import Group

WIDE = 1000


def groups_of(sizes: Sequence[int]) -> tuple[Group, ...]:
    starts = [sum(sizes[:at]) for at in range(len(sizes))]
    return tuple(
        Group(f"{at}", "", start, size, 0.0) for at, (start, size) in enumerate(zip(starts, sizes, strict=True))
    )


def shown(sizes: Sequence[int], *, squares: bool = False, heading: int = 36, seed: int = 1) -> Geometry:
    rng = random.Random(seed)
    aspects = array("f", rng.choices((0.2, 0.66, 1.0, 1.5, 1.78, 9.0, float("nan")), k=sum(sizes)))
    made = Geometry()
    made.measures = Measures(WIDE, 180, 4, heading, squares)
    made.show(aspects, groups_of(sizes))
    return made


@pytest.mark.parametrize("squares", [False, True])
@pytest.mark.parametrize("sizes", [(1,), (2, 1, 5), (40, 7, 300), (CHUNK * 5 + 3,), (1,) * 50, (CHUNK, 2 * CHUNK)])
def test_tiles_fill_their_rows_in_order_and_overlap_nowhere(sizes: tuple[int, ...], squares: bool) -> None:
    geometry = shown(sizes, squares=squares)
    boxes = [geometry.box(at) for at in range(sum(sizes))]
    assert list(geometry.between(0, geometry.height)) == list(enumerate(boxes))
    for (left, top, wide, high), (x, y, _, h) in pairwise(boxes):
        assert wide > 0
        assert high > 0
        if y == top:
            assert (x, h) == (left + wide + 4, high), "beside it, four pixels on"
        else:
            assert x == 0
            assert y >= top + high, "below it"
            assert left + wide <= WIDE
    assert max(top + high for _, top, _, high in boxes) <= geometry.height


@pytest.mark.parametrize("squares", [False, True])
def test_each_point_of_a_tile_belongs_to_it(squares: bool) -> None:
    geometry = shown((30, 400, 3), squares=squares)
    for at in range(geometry.count):
        x, y, wide, high = geometry.box(at)
        for point in ((x, y), (x + wide - 1, y + high - 1), (x + wide // 2, y + high // 2)):
            assert geometry.at(*point) == at
    assert geometry.at(5, 10) == -1, "a heading"
    assert geometry.at(5, geometry.height + 500) == -1


def test_rows_are_about_as_high_as_they_were_to_be() -> None:
    geometry = shown((2000,))
    heights = [geometry.box(at)[3] for at in range(geometry.count)]
    assert 0.85 * 180 < sum(heights) / len(heights) < 1.15 * 180
    rows = {box[1]: box for _, box in geometry.between(0, geometry.height)}
    assert sum(left + wide == WIDE for left, _, wide, _ in rows.values()) > 0.95 * len(rows), "the last of each row"


def test_headings_are_above_their_groups_and_found_by_place() -> None:
    geometry = shown((5, 40, 700))
    tops = dict(geometry.headings(-1, geometry.height))
    for number, group in enumerate(geometry.groups):
        assert geometry.box(group.start)[1] == tops[number] + 36
        for at in (group.start, group.start + group.count - 1):
            assert geometry.group_at(geometry.box(at)[1]) == number
        assert geometry.group_at(tops[number]) == number


def test_up_and_down_lead_to_what_lies_there() -> None:
    geometry = shown((60, 60))
    for at in range(geometry.count):
        below = geometry.beside(at, 1)
        first, past = geometry.line_of(at)
        assert below == at if past == geometry.count else geometry.line_of(below)[0] == past
        assert geometry.beside(0, -1) == 0
        assert first <= at < past


def test_a_rubber_band_touches_what_it_covers() -> None:
    geometry = shown((200,))
    band = (300, 250, 280, 420)
    inside = [
        at
        for at, (x, y, w, h) in geometry.between(0, geometry.height)
        if x < 580 and x + w > 300 and y < 670 and y + h > 250
    ]
    assert [at for first, past in geometry.touching(band) for at in range(first, past)] == inside


@pytest.mark.parametrize("sizes", [(700,), (30, 500, 20), (CHUNK + CHUNK // 2,), (1, 1, 1)])
@pytest.mark.parametrize("new", [1, 3])
def test_what_is_new_at_the_top_is_laid_out_as_if_it_had_been_there(sizes: tuple[int, ...], new: int) -> None:
    rng = random.Random(3)
    aspects = array("f", rng.choices((0.66, 1.0, 1.5), k=sum(sizes) + new))
    grown, fresh = Geometry(), Geometry()
    for each in (grown, fresh):
        each.measures = Measures(WIDE, 180)
    grown.show(aspects[new:], groups_of(sizes))
    after = groups_of((sizes[0] + new, *sizes[1:]))
    grown.show(aspects, after, new=new)
    fresh.show(aspects, after)
    assert grown.height == fresh.height
    assert [grown.box(at) for at in range(grown.count)] == [fresh.box(at) for at in range(fresh.count)]


def test_what_is_new_at_the_top_breaks_no_row_below_its_block() -> None:
    rng = random.Random(5)
    aspects = array("f", rng.choices((0.66, 1.0, 1.5), k=5001))
    geometry = Geometry()
    geometry.measures = Measures(WIDE, 180)
    geometry.show(aspects[1:], groups_of((5000,)))
    before = [geometry.line_of(at) for at in range(2 * CHUNK, 5000)]
    geometry.show(aspects, groups_of((5001,)), new=1)
    after = [geometry.line_of(at + 1) for at in range(2 * CHUNK, 5000)]
    assert [(first + 1, past + 1) for first, past in before] == after


@pytest.mark.parametrize("size", [4, 100, 100_000])
def test_a_hundred_thousand_are_laid_out_in_no_time(size: int) -> None:
    geometry = shown((size,) * (100_000 // size))
    best = min(_seconds(geometry) for _ in range(5))
    assert best < 0.03, f"{best * 1000:.1f} ms"


def _seconds(geometry: Geometry) -> float:
    began = thread_time()
    geometry.lay(Measures(900, 170, 4, 36))
    return thread_time() - began
