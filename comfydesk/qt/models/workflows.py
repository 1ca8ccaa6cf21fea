"""The browser's cards as rows: searched, filtered and sorted, thousands of them within a few milliseconds."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Qt, Signal

from comfydesk.qt.models.rowmodel import RowModel
from comfydesk.qt.models.rows import THUMBNAIL, WorkflowRow
from comfydesk.qt.models.thumbnails import Thumbnails
from comfydesk.qt.models.tips import plain_tip
from comfydesk.qt.models.words import ARROW, models_missing, nodes_missing
from comfydesk.qt.models.workflow_filter import Sort, Source, WorkflowFilter, haystack, rank_of, source_of
from comfydesk.qt.theme.language import tr
from comfydesk.store.records import Output
from comfydesk.store.workflow_marks import Made, Mark

if TYPE_CHECKING:
    from comfydesk.session.values import WorkflowEntry
    from comfydesk.workflow.needs import Needs

FEW = 40
"""Up to so many rows change one by one; more are laid out anew."""


class WorkflowModel(RowModel[WorkflowRow]):
    """All workflows the session offers; rows are those that pass the filter, in the order of `sort`."""

    counted = Signal(int, int)
    """shown, of all"""
    picture_wanted = Signal(object)
    """WorkflowEntry whose own picture is to be shown: answer with `set_picture`. Once each."""
    changed = Signal(object)
    """tuple of ids of what is new or another, shown or not."""
    gone = Signal(object)
    """tuple of ids"""

    def __init__(self, thumbnails: Thumbnails | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._all: dict[str, WorkflowRow] = {}
        self._haystacks: dict[str, str] = {}
        self._names: dict[str, str] = {}
        self._places: dict[str, Any] = {}
        """Sort keys, shown or not."""
        self._order: list[str] | None = None
        """All ids in order; None: to be sorted."""
        self._filter = WorkflowFilter()
        self._sort = Sort.USED
        self._thumbnails = thumbnails
        self._made: dict[str, Made] = {}
        self._pictures: dict[str, str] = {}
        self._asked: set[str] = set()
        if thumbnails is not None:
            thumbnails.ready.connect(self._on_thumbnail)

    # --- As a list ------------------------------------------------------------------------------------------------

    def row_id(self, row: WorkflowRow) -> str:
        return row.entry.id

    def sort_key(self, row: WorkflowRow) -> tuple[Any, ...]:
        id_ = row.entry.id
        name = self._names.get(id_) or row.entry.name.casefold()
        if self._sort is Sort.NAME:
            return (name, id_)
        if self._sort is Sort.NEWEST:
            return (-row.entry.modified, name, id_)
        if self._sort is Sort.SMALLEST:
            return (row.entry.size or 1 << 62, name, id_)
        # What was used stands first as of the start: no card moves while one looks at it.
        return (-row.used, rank_of(row.entry), name, id_)

    def shown(self, row: WorkflowRow, role: int) -> Any:
        if role == THUMBNAIL:
            return self._thumbnail(row)
        if role == Qt.ItemDataRole.DisplayRole:
            return row.entry.name
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return ", ".join(part for part in (row.entry.name, in_and_out(row), readiness(row)) if part)
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tip(row.entry.card.error or row.entry.card.description or row.entry.name)
        return None

    def _thumbnail(self, row: WorkflowRow) -> Any:
        if self._thumbnails is None:
            return None
        id_, made = row.entry.id, self._made.get(row.entry.id)
        own = self._pictures.get(id_, "")
        if row.entry.picture and not own and id_ not in self._asked:
            self._asked.add(id_)
            self.picture_wanted.emit(row.entry)
        if made is not None and (not own or source_of(row.entry) is not Source.TEMPLATES):
            return self._thumbnails.get(made.path, made.media)
        return self._thumbnails.get(own, "image") if own else None

    # --- What is shown --------------------------------------------------------------------------------------------

    @property
    def filter(self) -> WorkflowFilter:
        return self._filter

    @property
    def order(self) -> Sort:
        return self._sort

    @property
    def total(self) -> int:
        return len(self._all)

    def set_filter(self, wanted: WorkflowFilter) -> None:
        """Show what passes `wanted`."""
        if wanted != self._filter:
            self._filter = wanted
            self._lay_out()

    def set_sort(self, wanted: Sort) -> None:
        """Another order; choosing the same again takes in what was used meanwhile."""
        self._sort = wanted
        self._places = {id_: self.sort_key(row) for id_, row in self._all.items()}
        self._order = None
        self._lay_out()

    def _lay_out(self) -> None:
        self._show()
        self.counted.emit(self.rowCount(), self.total)

    def _show(self) -> None:
        """What passes the filter, in order. Everything was sorted before: a key of the search only chooses."""
        if self._order is None:
            self._order = sorted(self._places, key=self._places.__getitem__)
        ids = self._order
        for word in self._filter.text.casefold().split():
            ids = [id_ for id_ in ids if word in self._haystacks[id_]]
        tests = self._filter.tests()
        if tests:
            ids = [id_ for id_ in ids if all(test(self._all[id_]) for test in tests)]
        rows = [self._all[id_] for id_ in ids]
        if ids == [row.entry.id for row in self._rows]:
            self._rows = rows
            if rows:
                self.dataChanged.emit(self.index(0), self.index(len(rows) - 1), [])
            return
        self.beginResetModel()
        self._rows = rows
        self._keys = [self._places[id_] for id_ in ids]
        self._key_of = dict(zip(ids, self._keys, strict=True))
        self.endResetModel()

    # --- What changes ---------------------------------------------------------------------------------------------

    def set_entries(self, entries: "Iterable[WorkflowEntry]") -> None:
        """`entries` are all workflows there are. Rows that did not change are left alone."""
        fresh = {entry.id: entry for entry in entries}
        gone = tuple(id_ for id_ in self._all if id_ not in fresh)
        for id_ in gone:
            for known in (self._all, self._haystacks, self._names, self._places):
                del known[id_]
        news: list[WorkflowRow] = []
        for id_, entry in fresh.items():
            row = self._all.get(id_)
            if row is None or (row.entry is not entry and row.entry != entry):
                news.append(replace(row, entry=entry) if row else WorkflowRow(entry))
                self._haystacks[id_] = haystack(entry, row.tags if row else ())
                self._names[id_] = entry.name.casefold()
        self._take(news, gone)
        if gone:
            self.gone.emit(gone)

    def set_needs(self, needs: "Mapping[str, Needs]", pod: str) -> None:
        """What each workflow lacks on `pod`."""
        self._take(
            replace(row, needs=need, pod=pod)
            for id_, need in needs.items()
            if (row := self._all.get(id_)) is not None and (row.needs != need or row.pod != pod)
        )

    def set_online(self, online: bool) -> None:
        """Whether the pod that cards speak of can be used now."""
        self._take(replace(row, online=online) for row in tuple(self._all.values()) if row.online != online)

    def set_marks(self, marks: Mapping[str, Mark]) -> None:
        """What the user says of workflows."""
        changed = []
        for id_, mark in marks.items():
            row = self._all.get(id_)
            if row is not None and (row.starred, row.tags) != (mark.favourite, mark.tags):
                self._haystacks[id_] = haystack(row.entry, mark.tags)
                changed.append(replace(row, starred=mark.favourite, tags=mark.tags))
        self._take(changed)

    def mark_opened(self, id_: str) -> None:
        """It is a recent one from now on. Its card stays where it is: nothing moves under the pointer."""
        row = self._all.get(id_)
        if row is not None and not row.recent:
            self._take([replace(row, recent=True)])

    def set_used(self, used: Mapping[str, float]) -> None:
        """When workflows were used last; cards may move."""
        self._take(
            replace(row, used=when)
            for id_, when in used.items()
            if (row := self._all.get(id_)) is not None and row.used != when
        )

    def set_made(self, made: Mapping[str, Made]) -> None:
        """The last picture of each workflow, of those that made any."""
        before, self._made = self._made, dict(made)
        for id_ in {*before, *made}:
            if before.get(id_) != made.get(id_):
                self.touch(id_, (THUMBNAIL,))

    def put_outputs(self, outputs: Iterable[Output]) -> None:
        """What was made just now: the card of its workflow shows the latest picture."""
        for output in outputs:
            before = self._made.get(output.workflow_id)
            seen = output.media in ("image", "video") and output.workflow_id
            if seen and (before is None or output.created >= before.created):
                self._made[output.workflow_id] = Made(output.id, output.path, output.media, output.created)
                self.touch(output.workflow_id, (THUMBNAIL,))

    def made(self, outputs: Iterable[int]) -> bool:
        """Whether a card shows one of these outputs."""
        return bool({made.output for made in self._made.values()} & set(outputs))

    def set_picture(self, id_: str, path: str) -> None:
        """The file with a workflow's own picture."""
        self._pictures[id_] = path
        self.touch(id_, (THUMBNAIL,))

    def ask_pictures_again(self) -> None:
        """Pictures that could not be had may be there now: the pod is back."""
        self._asked &= self._pictures.keys()

    def _take(self, rows: Iterable[WorkflowRow], gone: tuple[str, ...] = ()) -> None:
        news = {row.entry.id: row for row in rows}
        if not news and not gone:
            return
        self._all.update(news)
        for id_, row in news.items():
            key = self.sort_key(row)
            if self._places.get(id_) != key:
                self._places[id_] = key
                self._order = None
        if gone:
            self._order = None
        if len(news) + len(gone) > FEW:
            self._show()
        else:
            self.drop(gone)
            self.put(row for row in news.values() if self._passes(row))
            self.drop(id_ for id_, row in news.items() if not self._passes(row))
        self.counted.emit(self.rowCount(), self.total)
        self.changed.emit(tuple(news))

    def _on_thumbnail(self, path: str) -> None:
        ids = [id_ for id_, made in self._made.items() if made.path == path]
        ids += [id_ for id_, own in self._pictures.items() if own == path]
        for id_ in ids:
            self.touch(id_, (THUMBNAIL,))

    # --- What is there --------------------------------------------------------------------------------------------

    def entry(self, id_: str) -> "WorkflowEntry | None":
        """The workflow of that id, shown or not."""
        row = self._all.get(id_)
        return row.entry if row else None

    def row_of_id(self, id_: str) -> WorkflowRow | None:
        """The same with all that is known of it."""
        return self._all.get(id_)

    def all_rows(self) -> tuple[WorkflowRow, ...]:
        """All of them, shown or not, in no particular order."""
        return tuple(self._all.values())

    def entries(self) -> "tuple[WorkflowEntry, ...]":
        """All of them, shown or not, in no particular order."""
        return tuple(row.entry for row in self._all.values())

    def named(self, text: str, limit: int) -> tuple[WorkflowRow, ...]:
        """Workflows with all words in their names, those with a name that begins so first."""
        words = text.casefold().split()
        found = [id_ for id_, name in self._names.items() if all(word in name for word in words)] if words else []
        found.sort(key=lambda id_: (not self._names[id_].startswith(words[0]), self.sort_key(self._all[id_])))
        return tuple(self._all[id_] for id_ in found[:limit])

    def thumbnail(self, id_: str) -> Any:
        """Its picture as far as it is loaded; asks for it otherwise."""
        row = self._all.get(id_)
        return None if row is None else self._thumbnail(row)

    def _passes(self, row: WorkflowRow) -> bool:
        text = self._haystacks[row.entry.id]
        return all(word in text for word in self._filter.text.casefold().split()) and all(
            test(row) for test in self._filter.tests()
        )


def in_and_out(row: WorkflowRow) -> str:
    """ "Image + text → video": what goes in and what comes out."""
    card = row.entry.card
    words = {"text": tr("text"), "image": tr("image"), "video": tr("video"), "audio": tr("audio")}
    both = (" + ".join(words.get(type_, type_) for type_ in types) for types in (card.input_types, card.output_types))
    text = f" {ARROW} ".join(part for part in both if part)
    return text[:1].upper() + text[1:]


def readiness(row: WorkflowRow) -> str:
    """The words of the card's badge; "" while it is not known."""
    if row.entry.card.error:
        return tr("Cannot be read")
    needs = row.needs
    if needs is None:
        return ""
    if needs.missing_nodes:
        return nodes_missing(len(needs.missing_nodes))
    if needs.missing_models:
        return models_missing(len(needs.missing_models))
    return tr("Ready") if row.online else tr("Ready on {pod}, which is away", pod=row.pod)
