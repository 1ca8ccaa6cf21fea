"""Which cards of the browser are shown, and in which order."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from comfydesk.qt.models.rows import WorkflowRow

if TYPE_CHECKING:
    from comfydesk.session.values import WorkflowEntry


class Source(StrEnum):
    """Where workflows lie, as people tell them apart; in the order of the list."""

    POD = "pod"
    MINE = "mine"
    BUNDLED = "bundled"
    TEMPLATES = "templates"
    EXAMPLES = "examples"
    BLUEPRINTS = "blueprints"


class Ready(StrEnum):
    ANY = ""
    READY = "ready"
    MISSING = "missing"


class Sort(StrEnum):
    USED = "used"
    NAME = "name"
    NEWEST = "newest"
    SMALLEST = "smallest"


@dataclass(frozen=True, slots=True)
class WorkflowFilter:
    """Which cards are shown. Empty parts let everything pass."""

    text: str = ""
    """Words that must all occur in the name, description, models, node types or tags, in any order."""
    output: str = ""
    """image, video, audio…"""
    types: frozenset[str] = frozenset()
    """Task types, t2i and the like."""
    input: str = ""
    source: str = ""
    """One of Source."""
    ready: Ready = Ready.ANY
    favourites: bool = False
    tag: str = ""
    """The user's."""
    folder: str = ""
    """Within the source, "portraits/old"."""
    recent: bool = False
    """Those that were opened or made something."""

    def __bool__(self) -> bool:
        return replace(self, text=self.text.strip()) != WorkflowFilter()

    def tests(self) -> list[Callable[[WorkflowRow], bool]]:
        """All but `text` as functions: what asks for nothing is left out."""
        tests: list[Callable[[WorkflowRow], bool]] = []
        if self.output:
            tests.append(lambda row: self.output in row.entry.card.output_types)
        if self.input:
            tests.append(lambda row: self.input in row.entry.card.input_types)
        if self.types:
            tests.append(lambda row: row.entry.card.type in self.types)
        if self.source:
            tests.append(lambda row: source_of(row.entry) == self.source)
        if self.ready:
            tests.append(lambda row: row.needs is not None and row.needs.ready is (self.ready is Ready.READY))
        if self.favourites:
            tests.append(lambda row: row.starred)
        if self.recent:
            tests.append(lambda row: bool(row.used) or row.recent)
        if self.tag:
            tests.append(lambda row: self.tag in row.tags)
        if self.folder:
            tests.append(lambda row: row.entry.place.startswith(f"{self.folder}/"))
        return tests


_RANK = {source: rank for rank, source in enumerate(Source)}
_RANK_OF_HEAD = {source.value: rank for source, rank in _RANK.items()} | {"folder": _RANK[Source.MINE]}


def rank_of(entry: "WorkflowEntry") -> int:
    """The place of its source in the list."""
    return _RANK_OF_HEAD.get(entry.source.partition(":")[0], _RANK[Source.MINE])


def source_of(entry: "WorkflowEntry") -> Source:
    """The kind of place that it comes from."""
    head = entry.source.partition(":")[0]
    return Source.MINE if head == "folder" else Source(head) if head in _RANK else Source.MINE


def haystack(entry: "WorkflowEntry", tags: Iterable[str] = ()) -> str:
    """What the words of a search are looked for in; `tags` are the user's."""
    card = entry.card
    models = (model.name for model in card.required_models)
    parts = (entry.name, card.description, *models, *card.model_files, *card.node_types, *entry.tags, *tags)
    return "\n".join((*parts, entry.place)).casefold()
