"""The browser's cards as rows, filtered by task, by what comes out, and by words."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from time import time
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Qt, Signal

from comfydesk.qt.models.rowmodel import RowModel
from comfydesk.qt.models.rows import THUMBNAIL, WorkflowRow
from comfydesk.qt.models.thumbnails import Thumbnails
from comfydesk.qt.models.tips import plain_tip
from comfydesk.qt.models.words import ARROW, counted
from comfydesk.store.records import Output

if TYPE_CHECKING:
    from comfydesk.session.values import WorkflowEntry
    from comfydesk.workflow.needs import Needs


@dataclass(frozen=True, slots=True)
class WorkflowFilter:
    """Which cards are shown. Empty parts let everything pass."""

    text: str = ""
    """Words that must all occur in the name, description, models or node types, in any order."""
    output: str = ""
    """image, video, audio…"""
    types: frozenset[str] = frozenset()
    """Task types, t2i and the like."""

    def __bool__(self) -> bool:
        return bool(self.text.strip() or self.output or self.types)


@dataclass(slots=True)
class Known:
    """What the model knows of one workflow, shown or not."""

    row: WorkflowRow
    haystack: str = field(default="")


class WorkflowModel(RowModel[WorkflowRow]):
    """All workflows the session offers; rows are those that pass the filter, by name."""

    counted = Signal(int, int)
    """shown, of all"""

    def __init__(self, thumbnails: Thumbnails | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._all: dict[str, Known] = {}
        self._filter = WorkflowFilter()
        self._thumbnails = thumbnails
        self._made: dict[str, Output] = {}
        self._begun = time()
        if thumbnails is not None:
            thumbnails.ready.connect(self._on_thumbnail)

    def row_id(self, row: WorkflowRow) -> str:
        return row.entry.id

    def sort_key(self, row: WorkflowRow) -> tuple[str, str]:
        # By name alone: a card is found again where it was, also after the next start.
        return (row.entry.name.casefold(), row.entry.id)

    def shown(self, row: WorkflowRow, role: int) -> Any:
        if role == THUMBNAIL:
            made = self._made.get(row.entry.name)
            return None if made is None or self._thumbnails is None else self._thumbnails.get(made.path, made.media)
        if role == Qt.ItemDataRole.DisplayRole:
            return row.entry.name
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return ", ".join(part for part in (row.entry.name, in_and_out(row), readiness(row)) if part)
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tip(row.entry.card.error or row.entry.card.description or row.entry.name)
        return None

    @property
    def filter(self) -> WorkflowFilter:
        return self._filter

    @property
    def total(self) -> int:
        return len(self._all)

    def set_filter(self, wanted: WorkflowFilter) -> None:
        """Show what passes `wanted`."""
        if wanted == self._filter:
            return
        self._filter = wanted
        words = wanted.text.casefold().split()
        self.replace_all(known.row for known in self._all.values() if self._passes(known, words))
        self.counted.emit(self.rowCount(), self.total)

    def set_entries(self, entries: "Iterable[WorkflowEntry]") -> None:
        """`entries` are all workflows there are. Rows that did not change are left alone."""
        fresh = {entry.id: entry for entry in entries}
        gone = [id_ for id_ in self._all if id_ not in fresh]
        for id_ in gone:
            del self._all[id_]
        self.drop(gone)
        for id_, entry in fresh.items():
            known = self._all.get(id_)
            if known is None or known.row.entry != entry:
                row = replace(known.row, entry=entry) if known else WorkflowRow(entry, used=self._used(entry.name))
                self._take(Known(row, haystack(entry)))
        self.counted.emit(self.rowCount(), self.total)

    def set_needs(self, needs: "Mapping[str, Needs]", pod: str) -> None:
        """What each workflow lacks on `pod`."""
        for id_, need in needs.items():
            known = self._all.get(id_)
            if known is not None:
                self._take(replace(known, row=replace(known.row, needs=need, pod=pod)))

    def set_online(self, online: bool) -> None:
        """Whether the pod that cards speak of can be used now."""
        for known in tuple(self._all.values()):
            if known.row.online != online:
                self._take(replace(known, row=replace(known.row, online=online)))

    def put_outputs(self, outputs: Iterable[Output]) -> None:
        """What was made: a card shows the last picture of its workflow.

        Only what was made before this start counts for the order: no card moves while one looks at it.
        """
        for output in outputs:
            before = self._made.get(output.workflow)
            if output.workflow and (before is None or output.created >= before.created):
                self._made[output.workflow] = output
                for known in tuple(self._all.values()):
                    if known.row.entry.name == output.workflow:
                        if output.created < self._begun:
                            self._take(replace(known, row=replace(known.row, used=output.created)))
                        self.touch(known.row.entry.id, (THUMBNAIL,))

    def forget_outputs(self, gone: Iterable[int], left: Iterable[Output]) -> None:
        """`gone` are no more: their cards show the latest of what is `left`."""
        ids = set(gone)
        names = {name for name, made in self._made.items() if made.id in ids}
        for name in names:
            del self._made[name]
        if names:
            self.put_outputs(output for output in left if output.workflow in names)
        for known in self._all.values():
            if known.row.entry.name in names:
                self.touch(known.row.entry.id, (THUMBNAIL,))

    def _on_thumbnail(self, path: str) -> None:
        for row in self._rows:
            made = self._made.get(row.entry.name)
            if made is not None and made.path == path:
                self.touch(row.entry.id, (THUMBNAIL,))

    def entry(self, id_: str) -> "WorkflowEntry | None":
        """The workflow of that id, shown or not."""
        known = self._all.get(id_)
        return known.row.entry if known else None

    def all_rows(self) -> tuple[WorkflowRow, ...]:
        """All of them, shown or not, in no particular order."""
        return tuple(known.row for known in self._all.values())

    def entries(self) -> "tuple[WorkflowEntry, ...]":
        """All of them, shown or not, in no particular order."""
        return tuple(known.row.entry for known in self._all.values())

    def _used(self, name: str) -> float:
        made = self._made.get(name)
        return 0 if made is None or made.created >= self._begun else made.created

    def _take(self, known: Known) -> None:
        id_ = known.row.entry.id
        self._all[id_] = known
        if self._passes(known, self._filter.text.casefold().split()):
            self.put((known.row,))
        else:
            self.drop((id_,))

    def _passes(self, known: Known, words: list[str]) -> bool:
        card = known.row.entry.card
        if self._filter.output and self._filter.output not in card.output_types:
            return False
        if self._filter.types and card.type not in self._filter.types:
            return False
        return all(word in known.haystack for word in words)


def haystack(entry: "WorkflowEntry") -> str:
    """What the words of a search are looked for in."""
    card = entry.card
    models = (model.name for model in card.required_models)
    return "\n".join((entry.name, card.description, *models, *card.node_types)).casefold()


def in_and_out(row: WorkflowRow) -> str:
    """ "Image + text → video": what goes in and what comes out."""
    card = row.entry.card
    text = f" {ARROW} ".join(part for part in (" + ".join(card.input_types), " + ".join(card.output_types)) if part)
    return text[:1].upper() + text[1:]


def readiness(row: WorkflowRow) -> str:
    """The words of the card's badge; "" while it is not known."""
    if row.entry.card.error:
        return "Cannot be read"
    needs = row.needs
    if needs is None:
        return ""
    if needs.missing_nodes:
        return counted(len(needs.missing_nodes), "node") + " missing"
    if needs.missing_models:
        return counted(len(needs.missing_models), "model") + " missing"
    return "Ready" if row.online else f"Ready on {row.pod}, which is away"
