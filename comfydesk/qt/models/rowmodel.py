"""A list model over frozen rows that keeps them sorted, and touches only the rows that changed."""

from bisect import bisect_left
from collections.abc import Iterable
from typing import Any, Generic, TypeVar

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from comfydesk.qt.models.rows import ROW

R = TypeVar("R")
Index = QModelIndex | QPersistentModelIndex


class RowModel(QAbstractListModel, Generic[R]):
    """Rows in ascending order of `sort_key`, which must be unique and end in `row_id`.

    Subclasses say how a row is identified, sorted and shown. Everything that changes goes through `put` and `drop`,
    which insert, move, refresh or remove single rows, so that selection, scroll position and hover stay.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: list[R] = []
        self._keys: list[Any] = []
        self._key_of: dict[Any, Any] = {}

    # --- what a subclass says ---

    def row_id(self, row: R) -> Any:
        raise NotImplementedError

    def sort_key(self, row: R) -> Any:
        raise NotImplementedError

    def shown(self, row: R, role: int) -> Any:
        """What `data` answers for `row`; None for roles it does not know."""
        raise NotImplementedError

    # --- what changes ---

    def put(self, rows: Iterable[R]) -> None:
        """Insert or replace each of `rows`."""
        for row in rows:
            self._put(row)

    def drop(self, ids: Iterable[Any]) -> None:
        """Remove the rows of `ids`; unknown ones are no matter."""
        for id_ in ids:
            at = self.row_of(id_)
            if at is not None:
                self.beginRemoveRows(QModelIndex(), at, at)
                del self._rows[at], self._keys[at], self._key_of[id_]
                self.endRemoveRows()

    # --- what is there ---

    def row_of(self, id_: Any) -> int | None:
        """Where the row of `id_` stands."""
        key = self._key_of.get(id_)
        return None if key is None else bisect_left(self._keys, key)

    def index_of(self, id_: Any) -> QModelIndex:
        """The index of `id_`, invalid if there is none."""
        at = self.row_of(id_)
        return QModelIndex() if at is None else self.index(at)

    def get(self, id_: Any) -> R | None:
        at = self.row_of(id_)
        return None if at is None else self._rows[at]

    def rows(self) -> tuple[R, ...]:
        """All rows in order."""
        return tuple(self._rows)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        row = self._rows[index.row()]
        return row if role == ROW else self.shown(row, role)

    def flags(self, index: Index) -> Qt.ItemFlag:
        if not index.isValid():
            return Qt.ItemFlag.NoItemFlags
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemNeverHasChildren

    def touch(self, id_: Any, roles: Iterable[int] = ()) -> None:
        """The row of `id_` looks different, though its value is the same (its thumbnail arrived)."""
        index = self.index_of(id_)
        if index.isValid():
            self.dataChanged.emit(index, index, list(roles))

    def _put(self, row: R) -> None:
        id_, key = self.row_id(row), self.sort_key(row)
        at = self.row_of(id_)
        if at is None:
            to = bisect_left(self._keys, key)
            self.beginInsertRows(QModelIndex(), to, to)
            self._rows.insert(to, row)
            self._keys.insert(to, key)
            self._key_of[id_] = key
            self.endInsertRows()
            return
        if self._rows[at] == row:
            return
        if key != self._keys[at]:
            at = self._move(at, key)
            self._key_of[id_] = key
        self._rows[at] = row
        index = self.index(at)
        self.dataChanged.emit(index, index, [])

    def _move(self, at: int, key: Any) -> int:
        """Take the row at `at` to where `key` belongs; the new position."""
        to = bisect_left(self._keys, key)
        after = to > at
        if to in (at, at + 1):
            self._keys[at] = key
            return at
        self.beginMoveRows(QModelIndex(), at, at, QModelIndex(), to)
        to -= after
        self._rows.insert(to, self._rows.pop(at))
        del self._keys[at]
        self._keys.insert(to, key)
        self.endMoveRows()
        return to
