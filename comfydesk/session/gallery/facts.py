"""What an API graph says about the output it makes: prompt, seed, models, sampler and the like. No I/O.

Roles come from `workflow.roles`, which needs the pod's catalog for what only a declaration tells (model folders,
uploads); of graphs whose nodes no catalog knows, the names of inputs and files have to do.
"""

import re
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from comfydesk.workflow.catalog import Catalog
from comfydesk.workflow.fields import Role
from comfydesk.workflow.flow import FieldKey, Flow
from comfydesk.workflow.graph import ApiGraph, ApiLink
from comfydesk.workflow.patch import join_field, plain_value
from comfydesk.workflow.roles import assign_roles

RULES = 1
"""Version of what is read here: outputs that another version read are read again."""
CHECKPOINT, LORA, OTHER = "checkpoint", "lora", "other"
_KINDS = (CHECKPOINT, LORA, OTHER)
MAX_TEXT = 200_000
MAX_MODELS = 64
KEPT_SHAPES = 64

_MODEL_FILE = re.compile(r"[^\n]{1,300}\.(?:safetensors|sft|gguf|ckpt|pth?|bin|onnx)", re.IGNORECASE)
_CHECKPOINT_INPUT = re.compile(
    r"(?:^|_)(?:ckpt|checkpoint|unet|diffusion_model|gguf|transformer)(?:_|$)", re.IGNORECASE
)
_SIZES = (Role.WIDTH, Role.HEIGHT, Role.LENGTH, Role.FPS, Role.BATCH, Role.DURATION, Role.DENOISE)


@dataclass(frozen=True, slots=True)
class Facts:
    """What is not known is empty or None. `seed` may need 64 unsigned bits."""

    prompt: str = ""
    negative: str = ""
    seed: int | None = None
    models: tuple[tuple[str, str], ...] = ()
    """Name in the pod's spelling, and kind; each name once, checkpoints first, then LoRAs."""
    sampler: str = ""
    scheduler: str = ""
    steps: float | None = None
    cfg: float | None = None
    roles: Mapping[str, Role] = field(default_factory=dict)
    """Field id → role, of every literal input that has one."""

    @property
    def model(self) -> str:
        """The checkpoint, "" if there is none."""
        return next((name for name, kind in self.models if kind == CHECKPOINT), "")


NO_CATALOG = Catalog({})


def read_facts(graph: ApiGraph, catalog: Catalog | None = None, *, find_roles: "FindRoles | None" = None) -> Facts:
    """Read a graph with its values in it. CPU work of a millisecond or a few, most of it for the roles.

    `find_roles`: instead of `roles_of`, by who reads many graphs of one shape.
    """
    flow = Flow(graph, catalog or NO_CATALOG)
    roles = (find_roles or roles_of)(flow)
    values: dict[Role, list[Any]] = {}
    # Nearest to the start first: the first sampler's settings are the ones a person speaks of.
    for key in sorted(roles, key=lambda key: -flow.depth.get(key[0], 0)):
        value = plain_value(graph.nodes[key[0]].inputs[key[1]])
        values.setdefault(roles[key], []).append(value)
    return Facts(
        prompt=_joined(values.get(Role.PROMPT, ())),
        negative=_joined(values.get(Role.NEGATIVE, ())),
        seed=next((value for value in values.get(Role.SEED, ()) if type(value) is int), None),
        models=tuple(sorted(_models(flow, roles).items(), key=lambda model: _KINDS.index(model[1]))),
        sampler=_text(values, Role.SAMPLER),
        scheduler=_text(values, Role.SCHEDULER),
        steps=_number(values, Role.STEPS),
        cfg=_number(values, Role.CFG),
        roles={join_field(*key): role for key, role in roles.items()},
    )


FindRoles = Callable[[Flow], Mapping[FieldKey, Role]]


class ShapeRoles:
    """`roles_of` for graphs that no catalog knows: those of one shape, with other values, are looked at once."""

    def __init__(self) -> None:
        self._known: OrderedDict[Hashable, dict[FieldKey, Role]] = OrderedDict()

    def __call__(self, flow: Flow) -> Mapping[FieldKey, Role]:
        """As `roles_of`."""
        shape = _shape(flow)
        found = self._known.get(shape)
        if found is None:
            found = self._known[shape] = roles_of(flow)
            if len(self._known) > KEPT_SHAPES:
                self._known.popitem(last=False)
        return found


def _shape(flow: Flow) -> Hashable:
    """All of a graph that roles depend on without a catalog: of its texts which are sentences, and which are longer."""
    texts: list[tuple[int, str, str]] = []
    nodes = []
    for node_id, node in flow.nodes.items():
        inputs: list[Hashable] = []
        for name, value in node.inputs.items():
            if isinstance(value, ApiLink):
                inputs.append((name, value.node, value.slot))
            elif isinstance(value, str):
                inputs.append((name, min(len(value.split(None, 4)), 4)))
                texts.append((len(value), node_id, name))
            else:
                inputs.append((name, value if isinstance(value, bool) else type(value)))
        nodes.append((node_id, node.class_type, node.title, *inputs))
    return tuple(nodes), tuple((node_id, name) for _, node_id, name in sorted(texts))


def roles_of(flow: Flow) -> dict[FieldKey, Role]:
    """As `roles` says; where classes are unknown, texts that only a `negative` input leads to are negative."""
    roles = assign_roles(flow)
    if any(flow.spec(node_id) is None for node_id in flow.depth):
        for key in _behind(flow, "negative") - _behind(flow, "positive"):
            if roles.get(key) is Role.PROMPT:
                roles[key] = Role.NEGATIVE
    return roles


def _behind(flow: Flow, side: str) -> set[FieldKey]:
    """The literal inputs that inputs of that name lead to; nodes that take both sides pass each on by itself."""
    starts = (flow.nodes[node_id].inputs.get(side) for node_id in flow.depth)
    stack = [link.node for link in starts if isinstance(link, ApiLink)]
    seen: set[str] = set()
    found: set[FieldKey] = set()
    while stack:
        node_id = stack.pop()
        if node_id in seen or node_id not in flow.nodes:
            continue
        seen.add(node_id)
        inputs = flow.nodes[node_id].inputs
        found.update((node_id, name) for name, _ in flow.literals(node_id))
        both = isinstance(inputs.get("positive"), ApiLink) and isinstance(inputs.get("negative"), ApiLink)
        stack += [link.node for name, link in flow.nodes[node_id].links() if not both or name == side]
    return found


def _joined(texts: Any) -> str:
    kept = dict.fromkeys(text.strip() for text in texts if isinstance(text, str) and text.strip())
    return "\n".join(kept)[:MAX_TEXT]


def _text(values: Mapping[Role, list[Any]], role: Role) -> str:
    return next((value[:200] for value in values.get(role, ()) if isinstance(value, str)), "")


def _number(values: Mapping[Role, list[Any]], role: Role) -> float | None:
    return next((float(value) for value in values.get(role, ()) if _is_number(value)), None)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e15


def _models(flow: Flow, roles: Mapping[FieldKey, Role]) -> dict[str, str]:
    """Name → kind, of nodes that are run. What the graph's start loads comes first."""
    found: dict[str, str] = {}
    for node_id in sorted(flow.depth, key=lambda node_id: -flow.depth[node_id]):
        for name, value in flow.nodes[node_id].inputs.items():
            if isinstance(value, ApiLink):
                continue
            role = roles.get((node_id, name))
            for file, in_lora in _files(name, plain_value(value)):
                kind = LORA if in_lora or role is Role.LORA else _kind(name, role)
                if found.get(file, OTHER) == OTHER:
                    found[file] = kind
                if len(found) >= MAX_MODELS:
                    return found
    return found


def _kind(name: str, role: Role | None) -> str:
    if role is Role.CHECKPOINT or _CHECKPOINT_INPUT.search(name):
        return CHECKPOINT
    return LORA if "lora" in name.lower() else OTHER


def _files(name: str, value: Any) -> Iterator[tuple[str, bool]]:
    """Names of model files in a value, and whether it is one of a stack of LoRAs ({"on": true, "lora": …})."""
    if isinstance(value, str):
        if _MODEL_FILE.fullmatch(value):
            yield value, "lora" in name.lower()
        return
    stacked = value.get("lora") if isinstance(value, Mapping) and value.get("on", True) else None
    if isinstance(stacked, str) and _MODEL_FILE.fullmatch(stacked):
        yield stacked, True
