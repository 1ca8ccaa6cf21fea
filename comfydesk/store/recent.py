"""The newest outputs as a listing, found without looking at the others: what a strip of recent ones shows."""

from array import array
from collections.abc import Sequence

from comfydesk.store.database import Database
from comfydesk.store.listing import Listing, Step, by_days, full_condition
from comfydesk.store.search import Conditions, Grouping, Order, OutputFilter


def recent(db: Database, wanted: OutputFilter, most: int) -> Listing:
    """The newest `most` outputs that `wanted` finds, grouped by their days; a group counts what is listed of it."""
    where, values = full_condition(Conditions(wanted))
    # In the order of the index until there are enough; what is rare is found by an index of its own.
    rare = wanted.media and "image" not in wanted.media
    index = "outputs_favourite" if wanted.favourite else "outputs_by_media" if rare else "outputs_as_listed"
    rows = db.tuples(
        f"""SELECT id, aspect, created FROM outputs INDEXED BY {index} WHERE {where}
        ORDER BY created DESC, id DESC LIMIT ?""",  # noqa: S608 - built of our own words
        (*values, most),
    )
    ids = array("q", (row[0] for row in rows))
    aspects = array("f", (row[1] for row in rows))
    times = array("d", (row[2] for row in rows))
    return Listing(ids, aspects, times, by_days(times, descending=True), wanted, Order.NEWEST, Grouping.DAY)


def between(old: Listing, new: Listing) -> Step:
    """How `old` became `new`, both of them the newest first."""
    before, after = set(old.ids), set(new.ids)
    return Step(new, _rows(old.ids, after), _rows(new.ids, before))


def _rows(ids: Sequence[int], without: set[int]) -> tuple[int, ...]:
    return tuple(row for row, id_ in enumerate(ids) if id_ not in without)
