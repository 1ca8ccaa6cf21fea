"""What an API graph says about the output it makes: prompt, seed, models, sampler and the like. No I/O.

Roles come from `workflow.roles`, which needs the pod's catalog for what only a declaration tells (model folders,
uploads); of graphs whose nodes no catalog knows, the names of inputs and files have to do.
"""

import re
from collections import OrderedDict
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from comfydesk.workflow.catalog import Catalog
from comfydesk.workflow.fields import Role
from comfydesk.workflow.flow import FieldKey, Flow
from comfydesk.workflow.graph import ApiGraph, ApiLink
from comfydesk.workflow.parse import build_workflow
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
SUFFIX = len(".safetensors")
"""Characters of the longest."""
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


def read_facts(graph: ApiGraph, catalog: Catalog | None = None) -> Facts:
    """Read a graph with its values in it. CPU work of a millisecond or a few, most of it for the roles."""
    inputs = {node_id: node.inputs for node_id, node in graph.nodes.items()}
    return _facts(_places(Flow(graph, catalog or NO_CATALOG)), inputs)


@dataclass(frozen=True, slots=True)
class _Places:
    """Where in a graph the facts stand."""

    values: tuple[tuple[Role, str, str], ...]
    """With node and input. Nearest to the start first: the first sampler's settings are the ones a person speaks of."""
    files: tuple[tuple[str, str, Role | None], ...]
    """Inputs that may name a model, of nodes that are run. What the graph's start loads comes first."""
    roles: Mapping[str, Role]


def _places(flow: Flow) -> _Places:
    roles = roles_of(flow)
    keys = sorted(roles, key=lambda key: -flow.depth.get(key[0], 0))
    files = [
        (node_id, name, roles.get((node_id, name)))
        for node_id in sorted(flow.depth, key=lambda node_id: -flow.depth[node_id])
        for name, value in flow.literals(node_id)
        if isinstance(value, str | Mapping)
    ]
    return _Places(
        tuple((roles[key], *key) for key in keys),
        tuple(files),
        {join_field(*key): role for key, role in roles.items()},
    )


def _facts(places: _Places, inputs: Mapping[str, Mapping[str, Any]]) -> Facts:
    """`inputs`: by node; links are not looked at."""
    values: dict[Role, list[Any]] = {}
    for role, node_id, name in places.values:
        values.setdefault(role, []).append(plain_value(inputs[node_id][name]))
    models = _models(places, inputs)
    return Facts(
        prompt=_joined(values.get(Role.PROMPT, ())),
        negative=_joined(values.get(Role.NEGATIVE, ())),
        seed=next((value for value in values.get(Role.SEED, ()) if type(value) is int), None),
        models=tuple(sorted(models.items(), key=lambda model: _KINDS.index(model[1]))),
        sampler=_text(values, Role.SAMPLER),
        scheduler=_text(values, Role.SCHEDULER),
        steps=_number(values, Role.STEPS),
        cfg=_number(values, Role.CFG),
        roles=places.roles,
    )


class FactsReader:
    """`read_facts` without a catalog, for many documents: of graphs of one shape the places are looked for once."""

    def __init__(self) -> None:
        self._known: OrderedDict[Hashable, _Places] = OrderedDict()

    def read(self, document: Any) -> Facts | None:
        """Of a JSON document that was loaded; None if it is no API graph. Raises GraphError if it is no graph."""
        shape = _shape(document)
        places = None if shape is None else self._known.get(shape)
        if places is not None:
            return _facts(places, {node_id: node["inputs"] for node_id, node in document.items()})
        graph = build_workflow(document)
        if not isinstance(graph, ApiGraph):
            return None
        if shape is None:
            return read_facts(graph)
        self._known[shape] = places = _places(Flow(graph, NO_CATALOG))
        if len(self._known) > KEPT_SHAPES:
            self._known.popitem(last=False)
        return _facts(places, {node_id: node.inputs for node_id, node in graph.nodes.items()})


def _shape(document: Any) -> Hashable | None:
    """All of an API graph that the places depend on: of its texts which are sentences, and which are longer.

    None: it is no API graph, or an odd one.
    """
    if not isinstance(document, dict):
        return None
    texts: list[tuple[int, str, str]] = []
    shape: list[Hashable] = []
    for node_id, node in document.items():
        if not isinstance(node, dict):
            return None
        class_type, inputs, meta = node.get("class_type"), node.get("inputs"), node.get("_meta")
        if not isinstance(class_type, str) or not isinstance(inputs, dict):
            return None
        title = meta.get("title") if isinstance(meta, dict) else None
        shape += (node_id, class_type, title if isinstance(title, str) else "", len(inputs))
        for name, value in inputs.items():
            kind: Any = type(value)
            if kind is str:
                texts.append((len(value), node_id, name))
                kind = min(len(value.split(None, 4)), 4)
            elif kind is bool:
                kind = "on" if value else "off"
            elif kind is list and len(value) == 2:
                if isinstance(value[0], list | dict) or type(value[1]) is not int:
                    return None  # whether that is a link, others tell
                kind = tuple(value)
            shape += (name, kind)
    texts.sort()
    shape += [place[1:] for place in texts]
    return tuple(shape)


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


def _models(places: _Places, inputs: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Name → kind."""
    found: dict[str, str] = {}
    for node_id, name, role in places.files:
        for file, in_lora in _files(name, plain_value(inputs[node_id][name])):
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
        if "." in value[-SUFFIX:] and _MODEL_FILE.fullmatch(value):
            yield value, "lora" in name.lower()
        return
    stacked = value.get("lora") if isinstance(value, Mapping) and value.get("on", True) else None
    if isinstance(stacked, str) and _MODEL_FILE.fullmatch(stacked):
        yield stacked, True
