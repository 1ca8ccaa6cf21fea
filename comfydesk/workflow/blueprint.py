"""Blueprints, made to run: a subgraph that lies alone on its canvas gets nodes that load what goes in and save what
comes out.

A blueprint is a part to build with: nothing feeds its pictures, and nothing saves what it makes, so a pod has nothing
to do with it. Inputs of pictures, masks, sounds and videos get a node that loads one; those it can do without stay open
but for the first of each kind. Its other editors stay as they are.
"""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from comfydesk.errors import GraphError
from comfydesk.workflow.catalog import Catalog
from comfydesk.workflow.convert import to_api
from comfydesk.workflow.graph import ApiGraph, BoundarySlot, Node, Subgraph, UiGraph, id_number
from comfydesk.workflow.live import VIRTUAL, Kind
from comfydesk.workflow.parse import build_workflow
from comfydesk.workflow.specs import Section

_NOTES = frozenset(name for name, kind in VIRTUAL.items() if kind is Kind.NOTE)
_GAP = 80


@dataclass(frozen=True, slots=True)
class _Loader:
    node: str
    values: tuple[Any, ...]
    slot: int = 0


@dataclass(frozen=True, slots=True)
class _Saver:
    node: str
    """Its first input takes what comes out."""
    input: str
    through: str = ""
    """A node in between that makes a picture of it."""


_LOADERS: Mapping[str, _Loader] = {
    "IMAGE": _Loader("LoadImage", ("", "image")),
    "VIDEO": _Loader("LoadVideo", ("", "image")),
    "AUDIO": _Loader("LoadAudio", ("", None, None)),
    "MASK": _Loader("LoadImageMask", ("", "alpha", "image")),
}
"""By type, in the order in which a socket of several types is fed."""
_SAVERS: Mapping[str, _Saver] = {
    "VIDEO": _Saver("SaveVideo", "video"),
    "IMAGE": _Saver("SaveImage", "images"),
    "AUDIO": _Saver("SaveAudio", "audio"),
    "MESH": _Saver("SaveGLB", "mesh"),
    "MASK": _Saver("SaveImage", "images", "MaskToImage"),
    "STRING": _Saver("PreviewAny", "source"),
}
_MASK_OF_IMAGE = 1
"""LoadImage's second output: what is painted over the picture."""


def is_blueprint(graph: UiGraph) -> bool:
    """Whether `graph` is one subgraph and nothing else, whose outputs lead nowhere and which saves nothing itself."""
    host = _host(graph)
    if host is None:
        return False
    definition = graph.subgraphs[host.type]
    inside = (node.type for used in _used(graph, definition) for node in used.graph.nodes)
    return bool(definition.outputs) and not any(name.startswith("Save") for name in inside)


def made_to_run(graph: UiGraph, catalog: Catalog | None = None) -> UiGraph:
    """`graph` with what a blueprint lacks around it; any other workflow is returned as it is.

    Without a `catalog` every input that can be loaded is; with one those that can be left out are. GraphError, with
    the reason, for a blueprint that wants or makes only what nothing can load or save.
    """
    if not is_blueprint(graph):
        return graph
    host = _host(graph)
    assert host is not None
    definition = graph.subgraphs[host.type]
    loaded = {slot.name: kind for slot in definition.inputs if (kind := _loadable(slot))}
    if catalog is None:
        return _built(graph, host, definition, loaded)
    built = _built(graph, host, definition, loaded)
    lacking = _unfed(to_api(built, catalog), catalog)
    if lacking:
        kinds = ", ".join(sorted({kind for _, kind in lacking}))
        why = f"{lacking[0][0]} wants {kinds}, which only another node can give"
        raise GraphError("This blueprint cannot run by itself", why, "Build it into a workflow in ComfyUI")
    firsts = {kind: name for name, kind in reversed(loaded.items())}
    for name in [name for name, kind in loaded.items() if firsts[kind] != name]:
        fewer = {other: kind for other, kind in loaded.items() if other != name}
        tried = _built(graph, host, definition, fewer)
        if not _unfed(to_api(tried, catalog), catalog):
            loaded, built = fewer, tried
    return built


# --- What is there ------------------------------------------------------------------------------------------------


def _host(graph: UiGraph) -> Node | None:
    """The one instance that lies on the canvas, notes aside, if none of its outputs leads anywhere."""
    nodes = [node for node in graph.root.nodes if node.type not in _NOTES]
    if len(nodes) != 1 or nodes[0].type not in graph.subgraphs or any(slot.links for slot in nodes[0].outputs):
        return None
    return nodes[0]


def _used(graph: UiGraph, definition: Subgraph) -> Iterator[Subgraph]:
    pending, seen = [definition], {definition.id}
    while pending:
        one = pending.pop()
        yield one
        for node in one.graph.nodes:
            inner = graph.subgraphs.get(node.type)
            if inner is not None and inner.id not in seen:
                seen.add(inner.id)
                pending.append(inner)


def _loadable(slot: BoundarySlot) -> str:
    types = slot.type.split(",")
    return next((kind for kind in _LOADERS if kind in types), "")


def _unfed(api: ApiGraph, catalog: Catalog) -> list[tuple[str, str]]:
    """Title and type of each required socket that nothing feeds. Lists that grow say themselves how few they take."""
    found = []
    for node in api.nodes.values():
        spec = catalog.nodes.get(node.class_type)
        for entry in spec.inputs if spec is not None else ():
            open_ = entry.section is Section.REQUIRED and not entry.is_widget and entry.autogrow is None
            if open_ and entry.name not in node.inputs:
                found.append((node.title or node.class_type, entry.type))
    return found


def _saved(definition: Subgraph) -> list[tuple[int, _Saver]]:
    """What is saved of the outputs, by number. A video's single frames are not, nor a mask beside its picture."""
    kinds = [slot.type for slot in definition.outputs]
    best = next((kind for kind in _SAVERS if kind in kinds), "")
    taken = {best} | ({"AUDIO", "MESH"} if best == "IMAGE" else {"AUDIO"} if best == "VIDEO" else set())
    return [(at, _SAVERS[kind]) for at, kind in enumerate(kinds) if kind in taken and kind in _SAVERS]


# --- What is added ------------------------------------------------------------------------------------------------


class _Canvas:
    """The document while nodes and links are added to it."""

    def __init__(self, graph: UiGraph, host: Node) -> None:
        self.document: dict[str, Any] = {**graph.raw}
        self.document["nodes"] = [copy.deepcopy(dict(node.raw)) for node in graph.root.nodes]
        links = graph.raw.get("links")
        self.document["links"] = list(links) if isinstance(links, list) else []
        self.host = next(node for node in self.document["nodes"] if node.get("type") == host.type)
        used = [node.id for inner in graph.subgraphs.values() for node in inner.graph.nodes]
        ids = [id_number(id_) for id_ in (*used, *(node.id for node in graph.root.nodes))]
        self._node = max([graph.root.last_node_id, *ids])
        numbers = [id_number(id_) for id_ in graph.root.links]
        last = graph.raw.get("last_link_id")
        self._link = max([last if isinstance(last, int) else 0, *numbers])
        self._rows = {"in": 0, "out": 0}
        x, y = host.pos
        width, _ = host.size
        self._at = {"in": (x - 320 - _GAP, y), "out": (x + width + _GAP, y)}

    def add(self, side: str, kind: str, values: tuple[Any, ...], inputs: list[Any], outputs: list[Any]) -> Any:
        """A node of class `kind` to the left ("in") or right ("out") of the blueprint."""
        self._node += 1
        (x, y), row = self._at[side], self._rows[side]
        self._rows[side] += 1
        node = {
            "id": self._node,
            "type": kind,
            "pos": [x, y + row * 380],
            "size": [320, 314],
            "flags": {},
            "order": 0,
            "mode": 0,
            "inputs": inputs,
            "outputs": outputs,
            "properties": {"Node name for S&R": kind},
        }
        if values:
            node["widgets_values"] = list(values)
        self.document["nodes"].append(node)
        return node

    def link(self, start: Any, out: int, end: Any, into: int, kind: str) -> None:
        """From output `out` of one node to input `into` of another."""
        self._link += 1
        start["outputs"][out]["links"] = [*(start["outputs"][out].get("links") or ()), self._link]
        end["inputs"][into]["link"] = self._link
        self.document["links"].append([self._link, start["id"], out, end["id"], into, kind])

    def finished(self) -> UiGraph:
        self.document["last_node_id"], self.document["last_link_id"] = self._node, self._link
        built = build_workflow(self.document)
        assert isinstance(built, UiGraph)
        return built


def _built(graph: UiGraph, host: Node, definition: Subgraph, loaded: Mapping[str, str]) -> UiGraph:
    canvas = _Canvas(graph, host)
    _add_loaders(canvas, definition, loaded)
    saved = _saved(definition)
    if not saved:
        kinds = ", ".join(dict.fromkeys(slot.type for slot in definition.outputs))
        why = f"It makes {kinds}, which cannot be saved as a file"
        raise GraphError("This blueprint cannot run by itself", why, "Build it into a workflow in ComfyUI")
    canvas.host["outputs"] = _slots(canvas.host.get("outputs"), definition.outputs)
    for at, saver in saved:
        kind = definition.outputs[at].type
        start, out = canvas.host, at
        if saver.through:
            sockets = [{"name": "mask", "type": kind}], [{"name": "IMAGE", "type": "IMAGE"}]
            between = canvas.add("out", saver.through, (), *sockets)
            canvas.link(start, out, between, 0, kind)
            start, out, kind = between, 0, "IMAGE"
        canvas.link(start, out, canvas.add("out", saver.node, (), [{"name": saver.input, "type": kind}], []), 0, kind)
    return canvas.finished()


def _add_loaders(canvas: _Canvas, definition: Subgraph, loaded: Mapping[str, str]) -> None:
    inputs = canvas.host["inputs"] = _slots(canvas.host.get("inputs"), definition.inputs)
    pictures: list[Any] = []
    for slot in sorted(definition.inputs, key=lambda slot: loaded.get(slot.name) == "MASK"):  # masks after pictures
        kind = loaded.get(slot.name)
        into = next(at for at, entry in enumerate(inputs) if entry.get("name") == slot.name)
        if kind is None or inputs[into].get("link") is not None:
            continue
        if kind == "MASK" and pictures:
            canvas.link(pictures[0], _MASK_OF_IMAGE, canvas.host, into, kind)
            continue
        loader = _LOADERS[kind]
        made = ["IMAGE", "MASK"] if kind == "IMAGE" else [kind]
        node = canvas.add("in", loader.node, loader.values, [], [{"name": one, "type": one} for one in made])
        title = inputs[into].get("label") or slot.label or slot.name
        node["title"] = str(title).rpartition(".")[2].replace("_", " ")
        canvas.link(node, loader.slot, canvas.host, into, kind)
        if kind == "IMAGE":
            pictures.append(node)


def _slots(raw: Any, wanted: tuple[BoundarySlot, ...]) -> list[dict[str, Any]]:
    """The instance's sockets, with those that its file leaves out."""
    slots = [slot for slot in raw if isinstance(slot, dict)] if isinstance(raw, list) else []
    known = {slot.get("name") for slot in slots}
    return [*slots, *({"name": slot.name, "type": slot.type} for slot in wanted if slot.name not in known)]
