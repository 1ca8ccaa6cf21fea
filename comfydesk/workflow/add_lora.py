"""One more LoRA in a workflow: a node right behind the one that loads the model, as people wire it on the canvas.

The result is another document: it is what is sent, kept with the job, written into its files and saved by "Save", and
opens on ComfyUI's canvas with the node in it. LoRAs add up, so that a new one may stand before those that are there.
"""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from comfydesk.errors import GraphError
from comfydesk.workflow.catalog import Catalog
from comfydesk.workflow.graph import MODE_BYPASSED, MODE_MUTED, ApiGraph, ApiLink, ApiNode, UiGraph, id_number
from comfydesk.workflow.parse import build_workflow

BOTH, MODEL_ONLY = "LoraLoader", "LoraLoaderModelOnly"
"""ComfyUI's own nodes: for a model and its text encoder, and for a model alone."""
_MODEL, _CLIP = "MODEL", "CLIP"
_Raw = dict[str, Any]


def loras_of(catalog: Catalog) -> tuple[str, ...]:
    """The LoRAs of the pod, as its own nodes list them."""
    for name in (BOTH, MODEL_ONLY):
        spec = catalog.nodes.get(name)
        entry = None if spec is None else spec.input("lora_name")
        if entry is not None:
            return tuple(str(choice) for choice in entry.choices)
    return ()


def why_not(graph: UiGraph | ApiGraph, catalog: Catalog) -> str:
    """Why no LoRA can be added, in a sentence without its full stop; "" if one can."""
    if not loras_of(catalog):
        return "The pod has no LoRAs"
    found = len(list(_api_loaders(graph, catalog))) if isinstance(graph, ApiGraph) else _count(graph.raw, catalog)
    if not found:
        return "No node of this workflow loads a model for LoRAs"
    return "" if found == 1 else "This workflow loads several models: add the LoRA in ComfyUI, where it is meant"


def add_lora(graph: UiGraph | ApiGraph, name: str, catalog: Catalog, strength: float = 1.0) -> UiGraph | ApiGraph:
    """`graph` with LoRA `name` between its model and whatever uses that. Raises GraphError, see `why_not`."""
    reason = why_not(graph, catalog)
    if reason:
        what = "No LoRA can be added"
        raise GraphError(what, reason)
    if isinstance(graph, ApiGraph):
        return _in_api(graph, name, catalog, strength)
    made = build_workflow(_in_document(graph.raw, name, catalog, strength))
    assert isinstance(made, UiGraph), "a canvas stays one"
    return made


@dataclass(frozen=True, slots=True)
class _Loader:
    """What a node class gives: the slots of its model and of its text encoder, -1 for none."""

    model: int
    clip: int


def _loader(class_type: str, catalog: Catalog) -> _Loader | None:
    """None of what takes a model itself, and does not load one."""
    spec = catalog.nodes.get(class_type)
    if spec is None or any(entry.type == _MODEL for entry in spec.inputs):
        return None
    types = [output.type for output in spec.outputs]
    return _Loader(types.index(_MODEL), types.index(_CLIP) if _CLIP in types else -1) if _MODEL in types else None


# --- API graphs -----------------------------------------------------------------------------------------------------


def _api_loaders(graph: ApiGraph, catalog: Catalog) -> Iterator[tuple[str, _Loader]]:
    linked = {link for node in graph.nodes.values() for _, link in node.links()}
    for node_id, node in graph.nodes.items():
        loader = _loader(node.class_type, catalog)
        if loader is not None and ApiLink(node_id, loader.model) in linked:
            yield node_id, loader


def _in_api(graph: ApiGraph, name: str, catalog: Catalog, strength: float) -> ApiGraph:
    (node_id, loader), *_ = _api_loaders(graph, catalog)
    new = str(1 + max((id_number(each) for each in graph.nodes), default=0))
    model, clip = ApiLink(node_id, loader.model), ApiLink(node_id, loader.clip)
    both = BOTH in catalog.nodes and any(link == clip for node in graph.nodes.values() for _, link in node.links())
    inputs: _Raw = {"model": model, "lora_name": name, "strength_model": strength}
    turned: dict[Any, ApiLink] = {model: ApiLink(new, 0)}
    if both:
        inputs |= {"clip": clip, "strength_clip": strength}
        turned[clip] = ApiLink(new, 1)

    def rewired(node: ApiNode) -> ApiNode:
        changed = {
            key: turned.get(value, value) if isinstance(value, ApiLink) else value for key, value in node.inputs.items()
        }
        return ApiNode(node.class_type, changed, node.title)

    nodes = {each: rewired(node) for each, node in graph.nodes.items()}
    return ApiGraph({**nodes, new: ApiNode(BOTH if both else MODEL_ONLY, inputs)})


# --- Documents ------------------------------------------------------------------------------------------------------


def _canvases(document: Mapping[str, Any]) -> Iterator[_Raw]:
    """The root's and every definition's JSON object."""
    yield document  # type: ignore[misc]  # a copy of it is a dict
    definitions = document.get("definitions")
    listed = definitions.get("subgraphs") if isinstance(definitions, Mapping) else None
    yield from (each for each in listed or () if isinstance(each, dict))


def _loaders(canvas: Mapping[str, Any], catalog: Catalog) -> Iterator[tuple[_Raw, _Loader]]:
    """Nodes of one canvas that load a model which something uses."""
    nodes = canvas.get("nodes")
    for node in nodes if isinstance(nodes, list) else ():
        if isinstance(node, dict) and node.get("mode") not in (MODE_MUTED, MODE_BYPASSED):
            loader = _loader(str(node.get("type")), catalog)
            if loader is not None and _leaving(canvas, node.get("id"), loader.model):
                yield node, loader


def _count(document: Mapping[str, Any], catalog: Catalog) -> int:
    return sum(1 for canvas in _canvases(document) for _ in _loaders(canvas, catalog))


def _leaving(canvas: Mapping[str, Any], node: Any, slot: int) -> list[Any]:
    """The links from an output, as the file writes them."""
    links = canvas.get("links")
    return [link for link in links if _origin(link) == (str(node), slot)] if isinstance(links, list) else []


def _origin(link: Any) -> tuple[str, Any]:
    if isinstance(link, list) and len(link) >= 6:
        return str(link[1]), link[2]
    return (str(link.get("origin_id")), link.get("origin_slot")) if isinstance(link, Mapping) else ("", None)


def _in_document(raw: Mapping[str, Any], name: str, catalog: Catalog, strength: float) -> _Raw:
    document = copy.deepcopy(dict(raw))
    canvas, node, loader = next(
        (canvas, node, loader) for canvas in _canvases(document) for node, loader in _loaders(canvas, catalog)
    )
    both = BOTH in catalog.nodes and loader.clip >= 0 and bool(_leaving(canvas, node["id"], loader.clip))
    new = _free_id(document)
    inputs, outputs = [], []
    for at, (type_, slot) in enumerate(((_MODEL, loader.model), (_CLIP, loader.clip))[: 2 if both else 1]):
        leaving = _leaving(canvas, node["id"], slot)
        for link in leaving:
            _turn(link, new, at)
        link_id = _link(canvas, node["id"], slot, new, at, type_)
        _set_output(node, slot, link_id)
        inputs.append({"name": type_.lower(), "type": type_, "link": link_id})
        outputs.append({"name": type_, "type": type_, "links": [_id_of(link) for link in leaving]})
    canvas["nodes"].append(
        {
            "id": new,
            "type": BOTH if both else MODEL_ONLY,
            "pos": _beside(node),
            "size": [320, 130],
            "flags": {},
            "order": 0,
            "mode": 0,
            "inputs": inputs,
            "outputs": outputs,
            "properties": {"Node name for S&R": BOTH if both else MODEL_ONLY},
            "widgets_values": [name, strength, strength] if both else [name, strength],
        }
    )
    _count_up(document, canvas, new)
    return document


def _free_id(document: _Raw) -> int:
    """One that no canvas has: instances of subgraphs share their numbers in prompts."""
    ids = [
        id_number(str(node.get("id")))
        for canvas in _canvases(document)
        for node in canvas.get("nodes") or ()
        if isinstance(node, Mapping)
    ]
    return 1 + max([*ids, _whole(document.get("last_node_id"))], default=0)


def _whole(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**15 else 0


def _id_of(link: Any) -> Any:
    return link[0] if isinstance(link, list) else link.get("id")


def _turn(link: Any, node: int, slot: int) -> None:
    if isinstance(link, list):
        link[1], link[2] = node, slot
    else:
        link["origin_id"], link["origin_slot"] = node, slot


def _link(canvas: _Raw, origin: Any, slot: int, node: int, at: int, type_: str) -> int:
    """One more link of the canvas, written as its others are; its id."""
    links = canvas["links"]
    new = 1 + max(id_number(str(_id_of(link))) for link in links)
    state = canvas.get("state")
    new = max(new, 1 + _whole(canvas.get("last_link_id")), 1 + _whole((state or {}).get("lastLinkId")))
    if isinstance(links[0], list):
        links.append([new, origin, slot, node, at, type_])
    else:
        ends = {"origin_id": origin, "origin_slot": slot, "target_id": node, "target_slot": at}
        links.append({"id": new, **ends, "type": type_})
    if "last_link_id" in canvas:
        canvas["last_link_id"] = new
    if isinstance(state, dict) and "lastLinkId" in state:
        state["lastLinkId"] = new
    return new


def _set_output(node: _Raw, slot: int, link: int) -> None:
    outputs = node.get("outputs")
    if isinstance(outputs, list) and slot < len(outputs) and isinstance(outputs[slot], dict):
        outputs[slot]["links"] = [link]


def _count_up(document: _Raw, canvas: _Raw, node: int) -> None:
    for each in (document, canvas):
        if "last_node_id" in each:
            each["last_node_id"] = max(_whole(each["last_node_id"]), node)
        state = each.get("state")
        if isinstance(state, dict) and "lastNodeId" in state:
            state["lastNodeId"] = max(_whole(state["lastNodeId"]), node)


def _beside(node: _Raw) -> list[float]:
    """Right below the loader."""
    pos, size = node.get("pos"), node.get("size")
    if isinstance(pos, list) and len(pos) >= 2 and isinstance(size, list) and len(size) >= 2:
        return [pos[0], pos[1] + size[1] + 60]
    return [0, 0]
