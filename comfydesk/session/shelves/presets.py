"""What the user keeps of a workflow's form beside what is typed: presets, pinned fields, phrases that stay, favourites.

A preset can be shared as a file. What comes from somebody else's file is values and nothing more: a file of this
computer is never named by it, or it could have one uploaded that the user never chose.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from comfydesk.errors import UsageError
from comfydesk.session.shelves.drafts import PATH_MARK, DraftFile
from comfydesk.store.records import LocalFile
from comfydesk.workflow.fields import Field, Form, Kind

FILE_NAME = "presets.json"
SUFFIX = ".comfydesk-preset.json"
VERSION = 1
MAX_BYTES = 4_000_000
"""Of a shared file."""
MAX_NAME = 80
_MARK = "comfydesk_preset"
_NUMBERS = (Kind.INT, Kind.FLOAT, Kind.SEED)
_FILES = (Kind.IMAGE, Kind.VIDEO, Kind.AUDIO, Kind.MODEL3D)


@dataclass(frozen=True, slots=True)
class Preset:
    """Values under a name. `values`: field id → value, of the fields that were not the workflow's own then."""

    name: str
    values: Mapping[str, Any]
    locked: tuple[str, ...] = ()
    """Seeds that every job takes as they are."""
    count: int = 1


@dataclass(frozen=True, slots=True)
class Pins:
    """Fields that the user put on the first screen, or took away from it."""

    pinned: frozenset[str] = frozenset()
    unpinned: frozenset[str] = frozenset()

    def with_(self, field_id: str, pinned: bool) -> "Pins":
        one = frozenset({field_id})
        if pinned:
            return Pins(self.pinned | one, self.unpinned - one)
        return Pins(self.pinned - one, self.unpinned | one)


@dataclass(slots=True)
class _Kept:
    """Of one workflow."""

    presets: dict[str, Preset] = field(default_factory=dict)
    pins: Pins = Pins()
    locks: dict[str, tuple[str, ...]] = field(default_factory=dict)


class PresetBook:
    """All of it, in memory; `dump` and `take` are its way to a PresetFile and back."""

    def __init__(self) -> None:
        self._kept: dict[str, _Kept] = {}
        self.favourites: frozenset[tuple[str, str]] = frozenset()
        """(folder, name) of models."""

    def presets(self, workflow: str) -> tuple[Preset, ...]:
        """By name."""
        kept = self._kept.get(workflow)
        return tuple(sorted(kept.presets.values(), key=lambda each: each.name.casefold())) if kept else ()

    def put(self, workflow: str, preset: Preset) -> None:
        """Keep it, in place of the one of that name."""
        self._of(workflow).presets[preset.name] = preset

    def rename(self, workflow: str, name: str, new: str) -> None:
        """UsageError: another one is called so."""
        presets = self._of(workflow).presets
        new = clean_name(new)
        if new != name and new in presets:
            msg = f"There is a preset {new} already"
            raise UsageError(msg)
        old = presets.pop(name)
        presets[new] = Preset(new, old.values, old.locked, old.count)

    def remove(self, workflow: str, name: str) -> Preset | None:
        """Returns it, so that it can be put back."""
        return self._of(workflow).presets.pop(name, None)

    def pins(self, workflow: str) -> Pins:
        kept = self._kept.get(workflow)
        return kept.pins if kept else Pins()

    def set_pins(self, workflow: str, pins: Pins) -> None:
        self._of(workflow).pins = pins

    def locks(self, workflow: str) -> dict[str, tuple[str, ...]]:
        """Field id → phrases of its text that are to be kept."""
        kept = self._kept.get(workflow)
        return dict(kept.locks) if kept else {}

    def set_locks(self, workflow: str, field_id: str, phrases: tuple[str, ...]) -> None:
        locks = self._of(workflow).locks
        locks[field_id] = phrases
        if not phrases:
            del locks[field_id]

    def _of(self, workflow: str) -> _Kept:
        return self._kept.setdefault(workflow, _Kept())

    # --- On their way to a file and back ----------------------------------------------------------------------------

    def dump(self) -> dict[str, Any]:
        """Everything, as JSON takes it but for paths."""
        workflows = {
            workflow: {
                "presets": [_of_preset(preset) for preset in kept.presets.values()],
                "pinned": sorted(kept.pins.pinned),
                "unpinned": sorted(kept.pins.unpinned),
                "locks": {field_id: list(phrases) for field_id, phrases in kept.locks.items()},
            }
            for workflow, kept in self._kept.items()
            if kept.presets or kept.pins != Pins() or kept.locks
        }
        return {"workflows": workflows, "favourites": sorted(list(each) for each in self.favourites)}

    def take(self, saved: Mapping[str, Any]) -> None:
        """Put back what `dump` gave; what is of another shape is left out."""
        workflows, favourites = saved.get("workflows"), saved.get("favourites")
        for workflow, entry in (workflows if isinstance(workflows, dict) else {}).items():
            if not isinstance(entry, dict):
                continue
            kept = self._of(workflow)
            for each in _list(entry.get("presets")):
                preset = _to_preset(each)
                if preset is not None:
                    kept.presets[preset.name] = preset
            kept.pins = Pins(frozenset(_texts(entry.get("pinned"))), frozenset(_texts(entry.get("unpinned"))))
            locks = entry.get("locks")
            if isinstance(locks, dict):
                kept.locks = {field_id: _texts(phrases) for field_id, phrases in locks.items() if _texts(phrases)}
        pairs = [_texts(each) for each in _list(favourites)]
        self.favourites = frozenset((each[0], each[1]) for each in pairs if len(each) == 2)


class PresetFile(DraftFile):
    """The book on disk: as safe from crashes as drafts are."""


# --- Shared files -----------------------------------------------------------------------------------------------------


def clean_name(name: str) -> str:
    """A name on one line. UsageError: nothing is left of it."""
    clean = " ".join("".join(sign for sign in name if sign.isprintable()).split())[:MAX_NAME]
    if not clean:
        raise UsageError("A preset needs a name")
    return clean


def export_preset(preset: Preset, workflow: str) -> bytes:
    """A file to share; `workflow` is the name people know it by. Files of this computer stay out of it."""
    values = {key: value for key, value in preset.values.items() if not isinstance(value, Path | LocalFile)}
    document = {_MARK: VERSION, "workflow": workflow, **_of_preset(preset), "values": values}
    return json.dumps(document, ensure_ascii=False, indent=1).encode("utf-8", "surrogatepass")


def import_preset(data: bytes, form: Form) -> tuple[Preset, str]:
    """What `data` has for `form`, and the name of the workflow that it was made for.

    Values that no field of the form takes are left out. UsageError: no preset, or nothing in it is for this workflow.
    """
    if len(data) > MAX_BYTES:
        raise UsageError("That file is too large for a preset")
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict) or document.get(_MARK) != VERSION:
        raise UsageError("That file is no preset of ComfyDesk")
    preset = _to_preset(document)
    workflow = document.get("workflow")
    if preset is None:
        raise UsageError("That preset is damaged")
    values = {key: value for key, value in preset.values.items() if key in form.by_id and fits(form.by_id[key], value)}
    if not values:
        msg = f"Nothing in {preset.name} is for this workflow"
        raise UsageError(msg)
    locked = tuple(each for each in preset.locked if each in form.by_id)
    return Preset(preset.name, values, locked, preset.count), workflow if isinstance(workflow, str) else ""


def fits(entry: Field, value: Any) -> bool:
    """`value` is of a kind that the field takes; whether it is within its limits, the form says."""
    if entry.kind in _NUMBERS:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if entry.kind is Kind.BOOL:
        return isinstance(value, bool)
    if entry.kind in (Kind.TEXT, Kind.MODEL, Kind.COLOR, *_FILES):
        return isinstance(value, str)
    # In our own files a marked object is a path: a stranger's must not become one there.
    return not _holds_object(value) or (entry.kind is Kind.OTHER and PATH_MARK not in json.dumps(value))


def _holds_object(value: Any) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and any(_holds_object(each) for each in value))


def _of_preset(preset: Preset) -> dict[str, Any]:
    values = {key: Path(value.path) if isinstance(value, LocalFile) else value for key, value in preset.values.items()}
    return {"name": preset.name, "values": values, "locked": list(preset.locked), "count": preset.count}


def _to_preset(entry: Any) -> Preset | None:
    if not isinstance(entry, dict):
        return None
    name, values, count = entry.get("name"), entry.get("values"), entry.get("count")
    if not isinstance(name, str) or not isinstance(values, dict):
        return None
    try:
        name = clean_name(name)
    except UsageError:
        return None
    number = count if isinstance(count, int) and not isinstance(count, bool) else 1
    return Preset(name, values, _texts(entry.get("locked")), min(9_999, max(1, number)))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(each for each in _list(value) if isinstance(each, str))
