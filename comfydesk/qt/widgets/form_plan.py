"""Which fields stand together on a form's first screen, and in what order. Values only, no widgets."""

from dataclasses import dataclass, replace

from comfydesk.workflow.fields import Field, Form, Kind, Role


@dataclass(frozen=True, slots=True)
class MediaBlock:
    field: Field


@dataclass(frozen=True, slots=True)
class PromptBlock:
    """A text of several lines, under its own heading."""

    field: Field


@dataclass(frozen=True, slots=True)
class NegativeBlock:
    """Folded to one line of its text."""

    field: Field


@dataclass(frozen=True, slots=True)
class SizeBlock:
    width: Field
    height: Field


@dataclass(frozen=True, slots=True)
class PairBlock:
    """Two short choices in one row: sampler and scheduler."""

    first: Field
    second: Field


@dataclass(frozen=True, slots=True)
class RowBlock:
    field: Field


@dataclass(frozen=True, slots=True)
class LorasBlock:
    """Each LoRA with its strengths (one, or one for the model and one for the text encoder)."""

    loras: tuple[tuple[Field, tuple[Field, ...]], ...]


Block = MediaBlock | PromptBlock | NegativeBlock | SizeBlock | PairBlock | RowBlock | LorasBlock

_MEDIA = (Kind.IMAGE, Kind.VIDEO, Kind.AUDIO, Kind.MODEL3D)
_ORDER = (
    Role.WIDTH,
    Role.HEIGHT,
    Role.LENGTH,
    Role.DURATION,
    Role.FPS,
    Role.STEPS,
    Role.CFG,
    Role.SAMPLER,
    Role.SCHEDULER,
    Role.DENOISE,
)
"""What comes first among the numbers; the rest keeps the form's order, batch and seed come last."""


def arranged(form: Form, pinned: frozenset[str], unpinned: frozenset[str]) -> Form:
    """`form` with these fields put on its first screen, or taken away from it."""
    if not pinned and not unpinned:
        return form
    fields = [
        replace(field, pinned=(field.pinned or field.id in pinned) and field.id not in unpinned)
        for field in form.fields
    ]
    return Form(tuple(sorted(fields, key=lambda field: not field.pinned)))


def plan(form: Form, *, more_loras: bool = False) -> tuple[tuple[Block, ...], ...]:
    """The pinned fields as up to three sections: what goes in, numbers, models. A line divides them.

    `more_loras`: LoRAs can be added, so that there is a place for them even without any.
    """
    pinned = list(form.pinned)
    loras, used = _loras(form, pinned)
    rest = [field for field in pinned if field.id not in used]
    first = [block for field in rest if (block := _leading(field)) is not None]
    first.sort(key=lambda block: (not isinstance(block, MediaBlock), isinstance(block, NegativeBlock)))
    rest = [field for field in rest if _leading(field) is None]
    third: list[Block] = [RowBlock(field) for field in rest if field.kind is Kind.MODEL]
    third += [LorasBlock(loras)] if loras or more_loras else []
    third += [RowBlock(field) for field in rest if field.kind is Kind.BOOL]
    second = _numbers([field for field in rest if field.kind not in (Kind.MODEL, Kind.BOOL)])
    return tuple(tuple(section) for section in (first, second, third) if section)


def shown_ids(sections: tuple[tuple[Block, ...], ...]) -> frozenset[str]:
    """Ids of all fields that the sections show."""
    return frozenset(field.id for section in sections for block in section for field in fields_of(block))


def fields_of(block: Block) -> tuple[Field, ...]:
    match block:
        case SizeBlock(width, height):
            return (width, height)
        case PairBlock(first, second):
            return (first, second)
        case LorasBlock(loras):
            return tuple(field for lora, strengths in loras for field in (lora, *strengths))
        case MediaBlock(field) | PromptBlock(field) | NegativeBlock(field) | RowBlock(field):
            return (field,)


def node_of(field: Field) -> str:
    """The node that the field belongs to: ids are "<node>.<input>", node ids have no point."""
    return field.id.partition(".")[0]


def _leading(field: Field) -> Block | None:
    if field.kind in _MEDIA:
        return MediaBlock(field)
    if field.role is Role.NEGATIVE:
        return NegativeBlock(field)
    if field.role is Role.PROMPT or (field.kind is Kind.TEXT and field.multiline):
        return PromptBlock(field)
    return None


def _numbers(fields: list[Field]) -> list[Block]:
    def rank(field: Field) -> int:
        if field.role in _ORDER:
            return _ORDER.index(field.role)
        return len(_ORDER) + (2 if field.kind is Kind.SEED else 1 if field.role is Role.BATCH else 0)

    ordered = sorted(fields, key=rank)
    blocks: list[Block] = []
    taken: set[str] = set()
    for field in ordered:
        if field.id in taken:
            continue
        partner = _partner(field, ordered, taken)
        taken.add(field.id)
        if partner is None:
            blocks.append(RowBlock(field))
            continue
        taken.add(partner.id)
        blocks.append(SizeBlock(field, partner) if field.role is Role.WIDTH else PairBlock(field, partner))
    return blocks


def _partner(field: Field, fields: list[Field], taken: set[str]) -> Field | None:
    """The height of a width, the scheduler of a sampler: of the same node, or the only one there is."""
    if field.role is Role.WIDTH and field.kind is Kind.INT:
        role, kind = Role.HEIGHT, Kind.INT
    elif field.role is Role.SAMPLER and field.kind is Kind.CHOICE:
        role, kind = Role.SCHEDULER, Kind.CHOICE
    else:
        return None
    others = [other for other in fields if other.role is role and other.kind is kind and other.id not in taken]
    same = [other for other in others if node_of(other) == node_of(field)]
    alone = [other for other in fields if other.role is field.role]
    return same[0] if same else others[0] if len(others) == 1 and len(alone) == 1 else None


def _loras(form: Form, pinned: list[Field]) -> tuple[tuple[tuple[Field, tuple[Field, ...]], ...], set[str]]:
    # By a list of nodes that is not the workflow's, another's value may stand where a strength is looked for.
    strengths = [field for field in form.with_role(Role.LORA_STRENGTH) if isinstance(field.default, int | float)]
    found: list[tuple[Field, tuple[Field, ...]]] = []
    used: set[str] = set()
    for lora in pinned:
        if lora.role is Role.LORA:
            own = tuple(field for field in strengths if node_of(field) == node_of(lora) and field.id not in used)
            # A node with several LoRAs has a strength for each, in the same order.
            several = sum(1 for other in form.with_role(Role.LORA) if node_of(other) == node_of(lora)) > 1
            own = own[:1] if several else own
            found.append((lora, own))
            used.update(field.id for field in (lora, *own))
    return tuple(found), used
