"""The official templates' index → entries, before any of their files is read; and what the index knows better."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from comfydesk.errors import one_line
from comfydesk.session.values import WorkflowEntry
from comfydesk.workflow.card import WorkflowCard

TEMPLATES = "templates"
MEDIA = ("image", "video", "audio", "3d", "text")
_NAME = re.compile(r"[\w.\- ()+&,']{1,150}\Z")
_TASKS = (
    (re.compile(r"\bupscal", re.IGNORECASE), "upscale"),
    (re.compile(r"\b(image|frames?) to video|\bi2v\b|flf2v", re.IGNORECASE), "i2v"),
    (re.compile(r"\btext to video|\bt2v\b", re.IGNORECASE), "t2v"),
    (re.compile(r"\bvideo (to video|edit)|\bv2v\b", re.IGNORECASE), "v2v"),
    (re.compile(r"\bimage edit|\bimage to image|\bi2i\b|inpaint|outpaint", re.IGNORECASE), "i2i"),
    (re.compile(r"\btext to image|\bt2i\b", re.IGNORECASE), "t2i"),
    (re.compile(r"\b(text to )?(audio|music|speech)", re.IGNORECASE), "audio"),
    (re.compile(r"\b3d\b", re.IGNORECASE), "3d"),
)


@dataclass(frozen=True, slots=True)
class Template:
    """One entry of the index."""

    name: str
    title: str
    description: str
    category: str
    tags: tuple[str, ...]
    models: tuple[str, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    size: int
    picture: str
    modified: float
    stamp: str
    """Another one in each release in which something of it is new."""

    @property
    def file(self) -> str:
        return f"{self.name}.json"


def read_index(index: Any) -> tuple[Template, ...]:
    """What can be used of it; names that are no names of files are passed over."""
    found: dict[str, Template] = {}
    for group, entry in _entries(index):
        template = _template(group, entry)
        if template is not None:
            found.setdefault(template.name, template)
    return tuple(found.values())


def entry_of(template: Template) -> WorkflowEntry:
    """Its card as far as the index tells: nodes and files are not known yet."""
    digest = hashlib.sha256(template.name.encode("utf-8", "surrogatepass")).hexdigest()[:24]
    card = WorkflowCard(
        id=f"template-{digest}",
        name=template.title,
        description=template.description,
        category=template.category,
        type=_task(template),
        input_types=template.inputs,
        output_types=template.outputs,
    )
    return dressed(WorkflowEntry(f"{TEMPLATES}/{template.file}", template.title, TEMPLATES, card), template)


def dressed(entry: WorkflowEntry, template: Template) -> WorkflowEntry:
    """`entry` with its author's words in place of those that were made from the graph."""
    card = replace(
        entry.card,
        name=template.title,
        description=template.description or entry.card.description,
        category=template.category or entry.card.category,
        type=entry.card.type or _task(template),
    )
    return replace(
        entry,
        name=template.title,
        card=card,
        place=template.file,
        tags=tuple(dict.fromkeys((*template.tags, *template.models))),
        size=template.size,
        picture=template.picture,
        modified=template.modified,
    )


def _entries(index: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for group in index if isinstance(index, list) else ():
        entries = group.get("templates") if isinstance(group, Mapping) else None
        for entry in entries if isinstance(entries, list) else ():
            if isinstance(entry, Mapping):
                yield str(group.get("title") or ""), entry


def _template(group: str, entry: Mapping[str, Any]) -> Template | None:
    name = entry.get("name")
    if not isinstance(name, str) or not _NAME.match(name) or name.startswith("."):
        return None
    stamp = json.dumps({key: value for key, value in entry.items() if key != "usage"}, sort_keys=True)
    size, subtype = entry.get("size"), entry.get("mediaSubtype")
    taken = _media(entry, "inputs")
    if "Text" in str(entry.get("tags")):  # "Text to Image": the index names media only
        taken = tuple(dict.fromkeys((*taken, "text")))
    made = _media(entry, "outputs")
    return Template(
        name,
        one_line(str(entry.get("title") or name))[:120],
        one_line(str(entry.get("description") or "")),
        group,
        _texts(entry.get("tags")),
        _texts(entry.get("models")),
        taken,
        made or ((str(entry["mediaType"]),) if entry.get("mediaType") in MEDIA else ()),
        size if isinstance(size, int) and size > 0 else 0,
        f"{name}-1.{subtype}" if isinstance(subtype, str) and subtype.isalnum() else "",
        _when(entry.get("date")),
        hashlib.sha256(stamp.encode("utf-8", "surrogatepass")).hexdigest()[:16],
    )


def _task(template: Template) -> str | None:
    words = f"{' '.join(template.tags)} {template.title} {template.name.replace('_', ' ')}"
    return next((task for pattern, task in _TASKS if pattern.search(words)), None)


def _media(entry: Mapping[str, Any], side: str) -> tuple[str, ...]:
    ends = entry.get("io")
    listed = ends.get(side) if isinstance(ends, Mapping) else None
    kinds = (end.get("mediaType") for end in listed if isinstance(end, Mapping)) if isinstance(listed, list) else ()
    return tuple(dict.fromkeys(kind for kind in kinds if kind in MEDIA))


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(one_line(text)[:60] for text in value if isinstance(text, str)) if isinstance(value, list) else ()


def _when(date: Any) -> float:
    try:
        return datetime.fromisoformat(date).replace(tzinfo=UTC).timestamp()
    except (TypeError, ValueError):
        return 0
