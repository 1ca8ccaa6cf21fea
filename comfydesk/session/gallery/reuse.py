"""Making more of what was made: its values into an open form, variations of it, and where it can be sent to. No I/O."""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from comfydesk.errors import UsageError
from comfydesk.session.gallery.details import Setting
from comfydesk.session.jobs.recipes import Recipe
from comfydesk.workflow.batch_sources import Axis, Point
from comfydesk.workflow.batches import Batch
from comfydesk.workflow.fields import Field, Form, Role
from comfydesk.workflow.patch import SeedPolicy

if TYPE_CHECKING:
    from comfydesk.session.values import WorkflowEntry

MAX_SEED = 2**64 - 1


class Scope(StrEnum):
    """What of an output's settings is to be used."""

    ALL = "all"
    PROMPT = "prompt"
    """The prompt and the negative prompt."""
    SEED = "seed"


_ROLES = {Scope.PROMPT: (Role.PROMPT, Role.NEGATIVE), Scope.SEED: (Role.SEED,)}
_MEDIA_ROLES = {"image": Role.IMAGE, "video": Role.VIDEO, "audio": Role.AUDIO}


def carried(form: Form, settings: Sequence[Setting], scope: Scope = Scope.ALL) -> dict[str, Any]:
    """`settings` as values of a form, which may be another workflow's: field id → value.

    A value goes to the field of the same id and role, else to the field of its role and number. Files, and for another
    workflow what has no role, stay behind.
    """
    wanted = _ROLES.get(scope, tuple(Role))
    result: dict[str, Any] = {}
    same = all(setting.field in form.by_id for setting in settings if setting.role and setting.field)
    if scope is Scope.ALL and same:
        result |= {one.field: one.value for one in settings if one.field in form.by_id and one.role is None}
    for role in wanted:
        given = [setting for setting in settings if setting.role is role]
        fields = form.with_role(role)
        by_id = {one.field: one.value for one in given if one.field in {field.id for field in fields}}
        if role in (Role.IMAGE, Role.VIDEO, Role.AUDIO, Role.MASK):
            continue
        result |= by_id or {field.id: one.value for field, one in zip(fields, given, strict=False)}
    return result


def variations(recipe: Recipe, form: Form, count: int) -> Batch:
    """The same again `count` times with new seeds. `form`: of the recipe's workflow, as it was just opened.

    Raises UsageError if it has no seed: all would be the same.
    """
    _seeds(form)
    return Batch(form, recipe.values, repeats=max(1, count), seeds=SeedPolicy.RANDOM, wildcards=None, entropy=_chance())


def neighbours(recipe: Recipe, form: Form, seed: int, reach: int) -> Batch:
    """A list of `2 * reach + 1` seeds around `seed`, itself in the middle where the numbers allow it.

    Raises UsageError if the form has no seed.
    """
    fields = _seeds(form)
    highest = min((int(field.maximum) for field in fields if field.maximum is not None), default=MAX_SEED)
    lowest = max((int(field.minimum) for field in fields if field.minimum is not None), default=0)
    first = max(lowest, min(seed - reach, highest - 2 * reach))
    seeds = range(first, min(first + 2 * reach, highest) + 1)
    points = tuple(Point({field.id: value for field in fields}, str(value)) for value in seeds)
    return Batch(form, recipe.values, lists=(Axis("seeds", points),), wildcards=None)


def _seeds(form: Form) -> tuple[Field, ...]:
    fields = form.with_role(Role.SEED)
    if not form.fields:
        what = "What this workflow takes is not known yet"
        raise UsageError(what, "A pod's list of nodes tells it", "Connect to a pod first")
    if not fields:
        raise UsageError("This workflow has no seed", "It would make the same again", "Change another value")
    return fields


def _chance() -> int:
    import secrets

    return secrets.randbits(63)


# --- Sending on -------------------------------------------------------------------------------------------------------


def takers(entries: "Iterable[WorkflowEntry]", media: str) -> "tuple[WorkflowEntry, ...]":
    """Workflows that take a file of that kind (image, video, audio), those that need nothing else first."""
    fit = [entry for entry in entries if _plain(media) in entry.card.input_types and not entry.card.error]
    return tuple(sorted(fit, key=lambda entry: len({*entry.card.input_types} - {"text", _plain(media)})))


def input_for(form: Form, media: str) -> Field | None:
    """The field of an open workflow that takes a file of that kind: the first, not a mask; None if it has none."""
    role = _MEDIA_ROLES.get(media)
    return next(iter(form.with_role(role)), None) if role else None


def _plain(media: str) -> str:
    return "3d" if media == "model3d" else media
