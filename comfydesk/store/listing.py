"""A whole result of a search as arrays, so that 100,000 outputs are a matter of milliseconds.

What never changes of an output (when it was made, its shape, its batch) is kept in memory by OutputIndex, so a search
only has to say which ids it finds. All of this belongs to the thread that reads.
"""

import bisect
import json
import operator
import time
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from operator import neg
from typing import TypeVar

from comfydesk.events import OutputsChanged
from comfydesk.store.database import Database, Value, listed
from comfydesk.store.search import EVERYTHING, Conditions, Grouping, Order, OutputFilter

_V = TypeVar("_V")

_MICRO, _FINE = 1_000_000, 10_000
"""Times are exact to the microsecond (see outputs.add), shapes to 0.01 %: as integers they are read twice as fast."""
MAX_STEP = 500
"""Changed ids up to which a listing is followed; more are read anew."""


@dataclass(frozen=True, slots=True)
class Group:
    """Rows `start` to `start + count` of a listing."""

    key: str
    """The day ("2026-03-14", local), the batch's id, or the workflow's name."""
    title: str
    """The workflow's name; of days empty: how a day is written is the view's to say."""
    start: int
    count: int
    time: float
    """When the first of its rows was made."""


@dataclass(frozen=True, slots=True, eq=False)
class Listing:
    """The rows of a result in order. The arrays are never changed."""

    ids: "array[int]"
    """Of outputs ('q')."""
    aspects: "array[float]"
    """Width / height of each row ('f'), 1.0 where it has none."""
    times: "array[float]"
    """When each row was made ('d'), seconds since the epoch."""
    groups: tuple[Group, ...]
    """Without gaps, in order of rows; empty without grouping."""
    filter: OutputFilter
    order: Order
    grouping: Grouping

    def __len__(self) -> int:
        return len(self.ids)

    def row_of(self, output: int) -> int | None:
        """The row of an output, None if it is not in the listing. Looks at all rows: a millisecond at 100,000."""
        try:
            return self.ids.index(output)
        except ValueError:
            return None


NOTHING = Listing(array("q"), array("f"), array("d"), (), EVERYTHING, Order.NEWEST, Grouping.NONE)


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """How a listing became another."""

    listing: Listing
    removed: tuple[int, ...] = ()
    """Rows of the old listing, ascending."""
    inserted: tuple[int, ...] = ()
    """Rows of the new listing, ascending."""


class OutputIndex:
    """Time, shape and batch of every output; ids are given once and never again."""

    def __init__(self) -> None:
        self._last = 0
        self._newest: array[int] = array("q")
        """All ids, the newest first; the times and shapes beside them."""
        self._times: array[float] = array("d")
        self._shapes: array[float] = array("f")
        self._spread = 0
        """Up to which id the same stand in `_time_of` and `_shape_of`, by id."""
        self._time_of: array[float] = array("d", [0.0])
        self._shape_of: array[float] = array("f", [1.0])
        self._names: dict[Grouping, tuple[int, list[str]]] = {}
        """Of a grouping: the last id that was read, and the key by id."""

    def refresh(self, db: Database) -> None:
        """Take in what is new, and leave out what is gone."""
        self._read(db)
        row = db.first("SELECT count(*) FROM outputs")
        if row is not None and row[0] != len(self._newest):  # some were removed
            self._last = self._spread = 0
            self._newest, self._times, self._shapes = array("q"), array("d"), array("f")
            self._read(db)

    def _read(self, db: Database) -> None:
        first = db.first("SELECT max(id) FROM outputs")
        last = int(first[0] or 0) if first else 0
        if last <= self._last:
            return
        # In the order of the covering index, newest first; a few new ones by their ids.
        source = "outputs " + ("INDEXED BY outputs_as_listed" if last - self._last > MAX_STEP else "NOT INDEXED")
        row = db.first(
            f"""SELECT json_group_array(id), json_group_array(CAST(aspect * {_FINE} AS INTEGER)),
                json_group_array(CAST(round(created * {_MICRO}) AS INTEGER))
            FROM (SELECT id, aspect, created FROM {source} WHERE id > ? ORDER BY created DESC, id DESC)""",  # noqa: S608
            (self._last,),
        )
        assert row is not None
        ids = array("q", json.loads(row[0]))
        shapes = array("f", [value / _FINE for value in json.loads(row[1])])
        times = array("d", [value / _MICRO for value in json.loads(row[2])])
        if self._spread and self._spread == self._last:  # the few that are new
            self._spread = last
            self._put(ids, times, shapes)
        self._last = last
        if not self._newest or (ids and times[-1] > self._times[0]):
            self._newest, self._times, self._shapes = ids + self._newest, times + self._times, shapes + self._shapes
            return
        for output, when, shape in zip(ids, times, shapes, strict=True):
            row_, _ = place(self._times, self._newest, output, when)
            self._newest.insert(row_, output)
            self._times.insert(row_, when)
            self._shapes.insert(row_, shape)

    def _spread_out(self) -> None:
        """Bring `_time_of` and `_shape_of` up to date."""
        if self._spread != self._last:
            self._spread = self._last
            self._put(self._newest, self._times, self._shapes)

    def _put(self, ids: "array[int]", times: "array[float]", shapes: "array[float]") -> None:
        gap = self._spread + 1 - len(self._time_of)
        self._time_of.extend(array("d", bytes(8 * gap)))
        self._shape_of.extend(array("f", bytes(4 * gap)))
        time_of, shape_of = self._time_of, self._shape_of
        for output, when, shape in zip(ids, times, shapes, strict=True):
            time_of[output] = when
            shape_of[output] = shape

    def newest(
        self, found: "set[int] | None", without: set[int]
    ) -> tuple["array[int]", "array[float]", "array[float]"]:
        """`found` (None: all) but `without`, the newest first, with their times and shapes."""
        if found is None or len(found) >= len(self._newest):
            if not without:
                return self._newest[:], self._times[:], self._shapes[:]
            ids = array("q", [key for key in self._newest if key not in without])
        else:
            found -= without
            if len(found) * 8 < len(self._newest):
                self._spread_out()
                known = sorted((key for key in found if key <= self._last), reverse=True)
                known.sort(key=self._time_of.__getitem__, reverse=True)
                ids = array("q", known)
            else:
                ids = array("q", filter(found.__contains__, self._newest))
        return ids, self.times(ids), self.shapes(ids)

    def shapes(self, ids: Sequence[int]) -> "array[float]":
        self._spread_out()
        return array("f", _picked(self._shape_of, ids))

    def times(self, ids: Sequence[int]) -> "array[float]":
        self._spread_out()
        return array("d", _picked(self._time_of, ids))

    def names(self, db: Database, grouping: Grouping) -> list[str]:
        """The key of that grouping by id."""
        last, names = self._names.get(grouping, (0, [""]))
        if last < self._last:
            column = "batch" if grouping is Grouping.BATCH else "workflow"
            names.extend([""] * (self._last + 1 - len(names)))
            shared: dict[str, str] = {}
            rows = db.tuples(f"SELECT id, {column} FROM outputs WHERE id BETWEEN ? AND ?", (last + 1, self._last))  # noqa: S608
            for output, name in rows:
                names[output] = shared.setdefault(name, name)
            self._names[grouping] = (self._last, names)
        return names


def place(times: "array[float]", ids: "array[int]", output: int, when: float) -> tuple[int, bool]:
    """The row of an output among `ids`, the newest first, or where it would be; and whether it is there.

    `times`: those of `ids`.
    """
    row = bisect.bisect_left(times, -when, key=neg)
    while row < len(ids) and times[row] == when and ids[row] > output:
        row += 1
    return row, row < len(ids) and ids[row] == output


def listing(
    db: Database, index: OutputIndex, wanted: OutputFilter, order: Order, grouping: Grouping = Grouping.NONE
) -> Listing:
    """All that `wanted` finds. `index` is brought up to date."""
    index.refresh(db)
    hidden = set(_integers(db, "SELECT id FROM outputs WHERE deletion IS NOT NULL"))
    conditions = Conditions(wanted)
    by_time = order in (Order.NEWEST, Order.OLDEST)
    if by_time:
        ids, times, shapes = index.newest(_found(db, conditions), hidden)
        if order is Order.OLDEST:
            for column in (ids, times, shapes):
                column.reverse()
    else:
        found = _integers(db, _ordered(conditions, order, wanted), _values(conditions))
        ids = array("q", [key for key in found if key not in hidden] if hidden else found)
        if order is Order.RATING:  # few have one: the rest is there already
            ids += index.newest(_found(db, conditions), hidden.union(ids))[0]
        times, shapes = index.times(ids), index.shapes(ids)
    groups: tuple[Group, ...] = ()
    if grouping is Grouping.DAY and by_time:
        groups = by_days(times, descending=order is Order.NEWEST)
    elif grouping is not Grouping.NONE:
        ids, groups = _grouped(db, index, ids, times, grouping)
        times, shapes = index.times(ids), index.shapes(ids)
    return Listing(ids, shapes, times, groups, wanted, order, grouping)


def follow(db: Database, index: OutputIndex, old: Listing, change: OutputsChanged) -> Step | None:
    """`old` after a change, in about a millisecond. None where it has to be made anew."""
    touched = {*change.added, *change.updated, *change.removed}
    by_day = old.grouping in (Grouping.NONE, Grouping.DAY)
    if old.order is not Order.NEWEST or not by_day or len(touched) > MAX_STEP:
        return None
    index.refresh(db)
    matching = _matching(db, old.filter, touched)
    # Rows that were removed for good are no longer in the index: they are looked for one by one.
    leaving = sorted(row for row in map(old.row_of, touched - matching) if row is not None)
    ids, aspects, times = old.ids[:], old.aspects[:], old.times[:]
    for row in reversed(leaving):
        del ids[row], aspects[row], times[row]
    entering = []
    for output in matching:
        when = index.times((output,))[0]
        row, there = place(times, ids, output, when)
        if not there:
            entering.append((output, when))
            ids.insert(row, output)
            aspects.insert(row, index.shapes((output,))[0])
            times.insert(row, when)
    if not leaving and not entering:
        return Step(old)
    groups = by_days(times, descending=True) if old.grouping is Grouping.DAY else ()
    new = replace(old, ids=ids, aspects=aspects, times=times, groups=groups)
    inserted = sorted(place(times, ids, output, when)[0] for output, when in entering)
    return Step(new, tuple(leaving), tuple(inserted))


# --- Which --------------------------------------------------------------------------------------------------------


def _found(db: Database, conditions: Conditions) -> "set[int] | None":
    """The ids that the conditions hold for, hidden ones too; None for all."""
    if not conditions.sql and not conditions.match:
        return None
    if not conditions.sql:
        sql = "SELECT rowid AS id FROM output_words WHERE output_words MATCH ?"
    else:
        sql = f"SELECT id FROM outputs WHERE {_where(conditions)}"  # noqa: S608 - built of our own words
    return set(_integers(db, sql, _values(conditions)))


def _matching(db: Database, wanted: OutputFilter, ids: Iterable[int]) -> set[int]:
    conditions = Conditions(wanted)
    sql = f"""SELECT id FROM outputs WHERE id IN (SELECT value FROM json_each(?)) AND deletion IS NULL
        AND {_where(conditions)}"""  # noqa: S608
    return set(_integers(db, sql, (listed(ids), *_values(conditions))))


def _integers(db: Database, sql: str, values: Sequence[Value] = ()) -> list[int]:
    """The `id` of every row of a SELECT, in its order: as JSON a fifth of the time of rows."""
    row = db.first(f"SELECT json_group_array(id) FROM ({sql})", values)  # noqa: S608
    found: list[int] = json.loads(row[0]) if row else []
    return found


def full_condition(conditions: Conditions) -> tuple[str, tuple[Value, ...]]:
    """A condition on `outputs`, deleted ones left out, and its parameters."""
    return f"deletion IS NULL AND {_where(conditions)}", _values(conditions)


def _where(conditions: Conditions) -> str:
    parts = [conditions.sql] if conditions.sql else []
    if conditions.match:
        parts.append("id IN (SELECT rowid FROM output_words WHERE output_words MATCH ?)")
    return " AND ".join(parts) or "1"


def _values(conditions: Conditions) -> tuple[Value, ...]:
    return (*conditions.values, *([conditions.match] if conditions.match else []))


_ORDERS = {
    Order.NAME: "name COLLATE NOCASE, outputs.id",
    Order.RATING: "rating DESC, created DESC, outputs.id DESC",
    Order.LARGEST: "size DESC, created DESC, outputs.id DESC",
    Order.ALBUM: "position, album_outputs.output",
}


def _ordered(conditions: Conditions, order: Order, wanted: OutputFilter) -> str:
    source = "outputs"
    if order is Order.ALBUM:
        if wanted.album is None:
            order = Order.NAME
        else:
            source = f"outputs JOIN album_outputs ON output = id AND album = {wanted.album:d}"
    rated = "rating > 0 AND " if order is Order.RATING else ""
    return f"SELECT outputs.id AS id FROM {source} WHERE {rated}{_where(conditions)} ORDER BY {_ORDERS[order]}"  # noqa: S608


# --- Groups -------------------------------------------------------------------------------------------------------


def by_days(times: "array[float]", *, descending: bool) -> tuple[Group, ...]:
    """One group for each local day; `times` are sorted."""
    return tuple(_each_day(times, descending))


def _each_day(times: "array[float]", descending: bool) -> Iterator[Group]:
    start = 0
    while start < len(times):
        day = time.localtime(times[start])
        date = (day.tm_year, day.tm_mon, day.tm_mday)
        if descending:
            first = time.mktime((*date, 0, 0, 0, 0, 0, -1))
            end = bisect.bisect_right(times, -first, start, key=neg)
        else:
            after = time.mktime((day.tm_year, day.tm_mon, day.tm_mday + 1, 0, 0, 0, 0, 0, -1))
            end = bisect.bisect_left(times, after, start)
        end = max(end, start + 1)
        yield Group("{:04}-{:02}-{:02}".format(*date), "", start, end - start, times[start])
        start = end


def _grouped(
    db: Database, index: OutputIndex, ids: "array[int]", times: "array[float]", grouping: Grouping
) -> tuple["array[int]", tuple[Group, ...]]:
    """`ids` brought together by their keys, each group where its first row was, within it in the order of `ids`."""
    by_key: dict[str, list[int]] = {}
    if grouping is Grouping.DAY:
        keys: Iterable[str] = map(_day_key, times)
    else:
        keys = _picked(index.names(db, grouping), ids)
    for output, key in zip(ids, keys, strict=True):
        try:
            by_key[key].append(output)
        except KeyError:
            by_key[key] = [output]
    if grouping is Grouping.BATCH:
        by_key = _alone_by_day(by_key, index)
    titles = index.names(db, Grouping.WORKFLOW) if grouping is not Grouping.DAY else None
    groups, start = [], 0
    for key, members in by_key.items():
        title = titles[members[0]] if titles is not None else ""
        groups.append(Group(key, title, start, len(members), index.times(members[:1])[0]))
        start += len(members)
    return array("q", chain.from_iterable(by_key.values())), tuple(groups)


def _alone_by_day(by_key: dict[str, list[int]], index: OutputIndex) -> dict[str, list[int]]:
    """A batch of one is no group: such outputs stand together under their day."""
    result: dict[str, list[int]] = {}
    for key, members in by_key.items():
        if len(members) > 1 and key:
            result[key] = members
            continue
        for output, when in zip(members, index.times(members), strict=True):
            result.setdefault(_day_key(when), []).append(output)
    return result


def _day_key(when: float) -> str:
    return time.strftime("%Y-%m-%d", time.localtime(when))


def _picked(values: "Sequence[_V]", keys: Sequence[int]) -> "Sequence[_V]":
    """`values` at `keys`."""
    if len(keys) < 2:
        return [values[key] for key in keys]
    picked: Sequence[_V] = operator.itemgetter(*keys)(values)
    return picked
