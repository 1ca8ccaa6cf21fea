"""Which fields stand on the form's first screen, and in which order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from comfydesk.workflow.author import AuthorHints
from comfydesk.workflow.fields import Kind, Role
from comfydesk.workflow.flow import FieldKey, Flow

MAX_PINNED = 12

_FILES = (Role.IMAGE, Role.VIDEO, Role.AUDIO, Role.MASK)
_RANK: Mapping[Role, float] = {
    Role.PROMPT: 10,
    Role.IMAGE: 11,
    Role.VIDEO: 11,
    Role.AUDIO: 11,
    Role.MASK: 12,
    Role.NEGATIVE: 20,
    Role.WIDTH: 21,
    Role.HEIGHT: 21,
    Role.SEED: 22,
    Role.DURATION: 23,
    Role.LENGTH: 24,
    Role.STEPS: 30,
    Role.CFG: 31,
    Role.CHECKPOINT: 32,
    Role.DENOISE: 33,
    Role.LORA: 34,
    Role.LORA_STRENGTH: 34.5,
    Role.SAMPLER: 36,
    Role.SCHEDULER: 37,
    Role.FPS: 38,
    Role.BATCH: 39,
}
"""Importance: the lower, the sooner it gets one of the places."""
_SHARE: Mapping[Role, int] = {
    Role.PROMPT: 4,
    Role.IMAGE: 6,
    Role.VIDEO: 3,
    Role.AUDIO: 3,
    Role.CHECKPOINT: 2,
    Role.LORA: 2,
    Role.LORA_STRENGTH: 2,
}
"""Places that one role may take; 1 where not said."""
_DISPLAY: Sequence[Role | str] = (
    *(Role.PROMPT, "text", Role.NEGATIVE, Role.IMAGE, Role.VIDEO, Role.AUDIO, Role.MASK, "file"),
    *("shape", Role.WIDTH, Role.HEIGHT, Role.LENGTH, Role.DURATION, Role.FPS, Role.BATCH),
    *(Role.STEPS, Role.CFG, Role.SAMPLER, Role.SCHEDULER, Role.DENOISE, Role.SEED),
    *("model", Role.CHECKPOINT, Role.LORA, Role.LORA_STRENGTH, "other"),
)
_SHAPES = frozenset(
    {"aspect_ratio", "ratio", "resolution", "size", "megapixels", "image_size", "video_size", "aspect", "orientation"}
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A field that might be pinned."""

    key: FieldKey
    role: Role | None
    kind: Kind
    value: Any
    own_title: str
    """What the author called its node, "" if nothing of their own."""


def pinned_keys(flow: Flow, hints: AuthorHints, candidates: Sequence[Candidate]) -> list[FieldKey]:
    """At most MAX_PINNED keys in display order: the author's choice as they ordered it, then by meaning."""
    by_key = {candidate.key: candidate for candidate in candidates}
    chosen = [key for key in hints.chosen if key in by_key][:MAX_PINNED]
    picked = _fill(flow, hints, candidates, chosen)
    rest = [candidate for candidate in picked if candidate.key not in chosen]
    rest.sort(key=lambda candidate: _DISPLAY.index(_shelf(candidate)))
    return chosen + [candidate.key for candidate in rest]


def _fill(
    flow: Flow, hints: AuthorHints, candidates: Sequence[Candidate], chosen: Sequence[FieldKey]
) -> list[Candidate]:
    """The most important candidates for the places that are left, each role within its share."""
    promoted = {key: place for place, key in enumerate(hints.promoted)}
    by_key = {candidate.key: candidate for candidate in candidates}
    taken: dict[str, int] = {}
    for key in chosen:
        shelf = _shelf(by_key[key])
        taken[shelf] = taken.get(shelf, 0) + 1
    order = []
    for candidate in candidates:
        importance = _importance(flow, candidate, promoted)
        if importance is not None and candidate.key not in chosen:
            order.append((importance, candidate))
    order.sort(key=lambda entry: entry[0])
    picked: list[Candidate] = []
    for _, candidate in order:
        shelf = _shelf(candidate)
        share = _SHARE.get(candidate.role, 1) if candidate.role else 4
        if len(picked) + len(chosen) < MAX_PINNED and taken.get(shelf, 0) < share:
            taken[shelf] = taken.get(shelf, 0) + 1
            picked.append(candidate)
    return picked


def _importance(flow: Flow, candidate: Candidate, promoted: Mapping[FieldKey, int]) -> tuple[float, ...] | None:
    """What to sort by; None for fields of "All inputs" only."""
    node_id = candidate.key[0]
    if candidate.kind is Kind.OTHER:
        return None
    if node_id not in flow.depth or (candidate.role is Role.DENOISE and candidate.value == 1):
        return None
    rank = _RANK.get(candidate.role) if candidate.role else _plain_rank(candidate, candidate.key in promoted)
    if rank is None:
        return None
    if candidate.key in promoted and candidate.kind is not Kind.MODEL:
        rank -= 5
    if node_id not in flow.live:
        rank += 15
    # Among equals: what the author promoted, what is filled in, what decides first (the deepest node).
    return (
        rank,
        promoted.get(candidate.key, len(promoted)),
        _is_idle(flow, candidate),
        -flow.depth[node_id],
    )


def _plain_rank(candidate: Candidate, promoted: bool) -> float | None:
    """The importance of a field without a role."""
    plain = candidate.key[1].rpartition(".")[2]
    if candidate.kind in (Kind.IMAGE, Kind.VIDEO, Kind.AUDIO, Kind.MODEL3D):
        return 12
    if plain == "lyrics":
        return 13
    if plain in _SHAPES and candidate.kind in (Kind.CHOICE, Kind.FLOAT, Kind.INT, Kind.TEXT):
        return 23
    if plain == "model" and candidate.kind is Kind.CHOICE:
        return 32
    if promoted:
        return 60 if candidate.kind is Kind.MODEL else 32
    if candidate.own_title and plain in ("value", "choice"):
        return 35
    return None


def _is_idle(flow: Flow, candidate: Candidate) -> bool:
    """It hardly matters: an empty text, the seed of a sampler that adds no noise, the width of a resize."""
    node_id, _ = candidate.key
    if candidate.kind is Kind.TEXT:
        return not str(candidate.value).strip()
    if candidate.role is Role.SEED:
        return flow.nodes[node_id].inputs.get("add_noise") == "disable"
    if candidate.role in (Role.WIDTH, Role.HEIGHT, Role.LENGTH, Role.BATCH):
        return "LATENT" not in flow.output_types(node_id) and "IMAGE" in flow.output_types(node_id)
    return False


def _shelf(candidate: Candidate) -> str:
    """The place in _DISPLAY."""
    if candidate.role is not None:
        return candidate.role
    plain = candidate.key[1].rpartition(".")[2]
    if candidate.kind in (Kind.IMAGE, Kind.VIDEO, Kind.AUDIO, Kind.MODEL3D):
        return "file"
    if candidate.kind is Kind.TEXT:
        return "text"
    if plain in _SHAPES:
        return "shape"
    return "model" if plain == "model" or candidate.kind is Kind.MODEL else "other"
