"""The library as rows: a listing of ids, and the few rows of it that are looked at."""

from array import array
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt, QTimer, Signal

from comfydesk.qt.models.rows import ROW
from comfydesk.qt.models.tips import plain_tip
from comfydesk.qt.theme.language import tr
from comfydesk.store.listing import NOTHING, Listing, Step
from comfydesk.store.records import Output

Index = QModelIndex | QPersistentModelIndex
KEPT = 2048
"""Rows in memory."""
PAGE = 64
"""Rows that are read together, at least."""


class GalleryModel(QAbstractListModel):
    """Shows a Listing. Rows that are asked for and not here are asked of `wanted`, and come with `put`.

    Nothing is kept per row but what the listing's arrays hold.
    """

    wanted = Signal(object)
    """tuple of ids whose rows are to be read."""
    listed = Signal()
    """Another listing is shown, or rows came or went."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.listing: Listing = NOTHING
        self._rows: OrderedDict[int, Output] = OrderedDict()
        self._asked: dict[int, int] = {}
        """Id → its row, of what was asked of `wanted` and has not come."""
        self._missing: dict[int, None] = {}
        """Rows (positions) that were looked at since the last request."""
        self._soon = QTimer(self, singleShot=True, interval=0)
        self._soon.timeout.connect(self._ask)

    # --- What is shown ----------------------------------------------------------------------------------------------

    def show(self, listing: Listing) -> None:
        """Show `listing` instead: another filter, order or grouping."""
        self.beginResetModel()
        self._take(listing)
        self.endResetModel()
        self.listed.emit()

    def follow(self, step: Step) -> None:
        """The listing changed by a few rows; scroll position, selection and the current row stay with their outputs."""
        if not step.removed and not step.inserted:
            self._take(step.listing)
        for first, last in reversed(list(_runs(step.removed))):
            self.beginRemoveRows(QModelIndex(), first, last)
            self._take(_without(self.listing, first, last))
            self.endRemoveRows()
        runs = list(_runs(step.inserted))
        for number, (first, last) in enumerate(runs, 1):
            self.beginInsertRows(QModelIndex(), first, last)
            whole = number == len(runs)
            self._take(step.listing if whole else _with(self.listing, step.listing, first, last))
            self.endInsertRows()
        if step.removed and not runs:
            self._take(step.listing)
        self.listed.emit()

    def put(self, outputs: Iterable[Output]) -> None:
        """Rows that were read."""
        rows = []
        for output in outputs:
            row = self._asked.pop(output.id, -1)
            if not 0 <= row < len(self.listing) or self.listing.ids[row] != output.id:
                found = self.listing.row_of(output.id)
                row = -1 if found is None else found
            self._rows[output.id] = output
            self._rows.move_to_end(output.id)
            if row >= 0:
                rows.append(row)
        while len(self._rows) > KEPT:
            self._rows.popitem(last=False)
        if rows:
            self.dataChanged.emit(self.index(min(rows)), self.index(max(rows)), [])

    def refresh(self, ids: Iterable[int]) -> None:
        """Outputs changed: those that are kept are read again, and shown as they were until then."""
        known = tuple(id_ for id_ in ids if id_ in self._rows)
        if known:
            self.wanted.emit(known)

    # --- What is there ----------------------------------------------------------------------------------------------

    def output(self, row: int) -> Output | None:
        """The output in a row; None while it is being read."""
        id_ = self.listing.ids[row]
        found = self._rows.get(id_)
        if found is None:
            if id_ not in self._asked:
                self._missing[row] = None
                self._soon.start()
            return None
        self._rows.move_to_end(id_)
        return found

    def known(self, row: int) -> Output | None:
        """The same, asking nobody."""
        return self._rows.get(self.listing.ids[row])

    @property
    def latest(self) -> Output | None:
        """The first row, if it has been read."""
        return self.known(0) if len(self.listing) else None

    def loaded(self, most: int = KEPT) -> list[Output]:
        """The first rows in their order, those of them that were read."""
        found = (self._rows.get(id_) for id_ in self.listing.ids[:most])
        return [output for output in found if output is not None]

    def get(self, id_: int) -> Output | None:
        """An output by its id, if it has been read."""
        return self._rows.get(id_)

    def ids(self, rows: Iterable[tuple[int, int]]) -> Sequence[int]:
        """The ids of ranges of rows (first, last)."""
        found = array("q")
        for first, last in rows:
            found.extend(self.listing.ids[first : last + 1])
        return found

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        return 0 if parent.isValid() else len(self.listing)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self.listing):
            return None
        output = self.output(index.row())
        if role == ROW:
            return output
        if output is None:
            loading = role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole)
            return tr("Loading") if loading else None
        if role == Qt.ItemDataRole.DisplayRole:
            return Path(output.path).name
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return spoken(output)
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tip(output.prompt or Path(output.path).name)
        return None

    # --- Inside -----------------------------------------------------------------------------------------------------

    def _take(self, listing: Listing) -> None:
        self.listing = listing
        self._missing.clear()

    def _ask(self) -> None:
        """What was looked at, and its neighbours up to a page."""
        if not self._missing:
            return
        ids, first, last = self.listing.ids, min(self._missing), max(self._missing)
        if last - first < PAGE:
            start = first // PAGE * PAGE
            wide: Iterable[int] = range(start, min(len(ids), max(start + PAGE, last + 1)))
        else:
            wide = tuple(self._missing)
        self._missing.clear()
        rows = {ids[row]: row for row in wide if ids[row] not in self._rows and ids[row] not in self._asked}
        if len(self._asked) > KEPT:  # whoever was asked never answered
            self._asked.clear()
        self._asked.update(rows)
        if rows:
            self.wanted.emit(tuple(rows))


def spoken(output: Output) -> str:
    """What a screen reader says of a tile."""
    when = datetime.fromtimestamp(output.created).astimezone().strftime("%d %B %Y, %H:%M")
    stars = tr("{n} stars", n=output.rating) if output.rating else ""
    favourite = tr("favourite") if output.favourite else ""
    parts = (Path(output.path).name, output.prompt[:200], stars, favourite, when)
    return ", ".join(part for part in parts if part)


def _runs(rows: Sequence[int]) -> Iterable[tuple[int, int]]:
    """Ascending rows as ranges (first, last)."""
    first = last = -1
    for row in rows:
        if first >= 0 and row == last + 1:
            last = row
            continue
        if first >= 0:
            yield first, last
        first = last = row
    if first >= 0:
        yield first, last


def _without(listing: Listing, first: int, last: int) -> Listing:
    """Between two steps only rows count: groups come with the last."""
    ids, aspects, times = listing.ids[:], listing.aspects[:], listing.times[:]
    del ids[first : last + 1], aspects[first : last + 1], times[first : last + 1]
    return Listing(ids, aspects, times, (), listing.filter, listing.order, listing.grouping)


def _with(listing: Listing, final: Listing, first: int, last: int) -> Listing:
    """`listing` with rows `first` to `last` of `final`; what is to come later stands further down in both."""
    ids, aspects, times = listing.ids[:], listing.aspects[:], listing.times[:]
    ids[first:first] = final.ids[first : last + 1]
    aspects[first:first] = final.aspects[first : last + 1]
    times[first:first] = final.times[first : last + 1]
    return Listing(ids, aspects, times, (), listing.filter, listing.order, listing.grouping)
