"""What a workflow needs that a pod does not have: node classes and model files.

Only what runs counts: a model in a muted branch, or in one that no output asks for, is not missed. A pod lists its
files in combos; `\\` and `/` are alike when names are compared, and the pod's own spelling is what must be sent.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher

from comfydesk.errors import GraphError
from comfydesk.workflow.active import active_nodes
from comfydesk.workflow.card import MODEL_SUFFIXES, RequiredModel, WorkflowCard
from comfydesk.workflow.catalog import Catalog, InputSpec
from comfydesk.workflow.convert import to_api
from comfydesk.workflow.flow import Flow
from comfydesk.workflow.graph import ApiGraph, ApiNode, UiGraph
from comfydesk.workflow.live import VIRTUAL
from comfydesk.workflow.scan import declared_models
from comfydesk.workflow.specs import COMBO

_ALIKE = 0.5
"""Share of common words from which another name is worth suggesting."""


@dataclass(frozen=True, slots=True)
class MissingModel:
    """A file the pod does not list where the workflow wants it."""

    name: str
    """As the workflow has it."""
    directory: str
    """The pod's model folder, "" when nobody says."""
    url: str = ""
    sha256: str = ""
    suggestion: str = ""
    """The nearest file the pod has in its place, in the pod's spelling."""


@dataclass(frozen=True, slots=True)
class Needs:
    ready: bool
    """Nothing is missing, and the graph can be converted."""
    missing_models: tuple[MissingModel, ...] = ()
    missing_nodes: tuple[str, ...] = ()
    """Class names, sorted."""


def check(graph: UiGraph | ApiGraph, catalog: Catalog, *, api: ApiGraph | None = None) -> Needs:
    """What keeps `graph` from running on the pod of `catalog`. Never raises for what is in the graph.

    `api` is what `graph` was converted to, if that is at hand. Of a graph that cannot be converted the declared
    models are looked up.
    """
    declared = {_plain(model.name): model for model in _declared(graph)}
    try:
        nodes = _missing_nodes(graph, catalog)
        api = api or to_api(graph, catalog)
    except GraphError:
        nodes = tuple(sorted(_types_in_file(graph) - set(catalog.nodes)))
        return Needs(False, tuple(_not_listed(declared.values(), catalog)), nodes)
    missing = tuple(dict.fromkeys(_missing_models(Flow(api, catalog), declared)))
    return Needs(not missing and not nodes, missing, nodes)


class Stock:
    """What a pod has, for a quick look at many cards: microseconds each, where `check` takes milliseconds."""

    def __init__(self, catalog: Catalog) -> None:
        self._nodes = frozenset(catalog.nodes)
        combos = (entry for node in catalog.nodes.values() for entry in node.inputs if entry.type == COMBO)
        self._files = frozenset(
            choice.replace("\\", "/")
            for entry in combos
            for choice in entry.choices
            if isinstance(choice, str) and (entry.folder or choice.lower().endswith(MODEL_SUFFIXES))
        )

    def needs_of(self, card: WorkflowCard) -> Needs:
        """As `check` finds them by and large: a file counts as there in whatever folder it is listed."""
        declared = {_plain(model.name): model for model in card.required_models}
        missing = []
        for name in card.model_files:
            if name.replace("\\", "/") not in self._files:
                known = declared.get(_plain(name))
                missing.append(
                    MissingModel(name, known.directory, known.url, known.sha256) if known else MissingModel(name, "")
                )
        nodes = tuple(name for name in card.node_types if name and name not in self._nodes)
        return Needs(not missing and not nodes and not card.error, tuple(missing), nodes)


def with_server_spelling(graph: ApiGraph, catalog: Catalog) -> ApiGraph:
    """`graph` with each choice spelled as the pod does ("sub\\x" for "sub/x"); to be done before sending."""
    flow = Flow(graph, catalog)
    nodes: dict[str, ApiNode] = dict(graph.nodes)
    for node_id, node in graph.nodes.items():
        respelled = {}
        for name, value in flow.literals(node_id):
            spec = flow.input_spec(node_id, name)
            if spec is not None and spec.type == COMBO and isinstance(value, str):
                theirs = server_spelling(value, spec.choices)
                if theirs is not None and theirs != value:
                    respelled[name] = theirs
        if respelled:
            nodes[node_id] = ApiNode(node.class_type, {**node.inputs, **respelled}, node.title)
    return ApiGraph(nodes)


def server_spelling(value: str, choices: Iterable[object]) -> str | None:
    """The one of `choices` that names the same file as `value`, None if there is none."""
    choices = tuple(choices)
    if value in choices:
        return value
    wanted = value.replace("\\", "/")
    return next((each for each in choices if isinstance(each, str) and each.replace("\\", "/") == wanted), None)


def nearest(value: str, choices: Iterable[object]) -> str:
    """The choice most like `value`: the same file elsewhere, else the one that shares most words; "" if none does."""
    names = [choice for choice in choices if isinstance(choice, str)]
    plain, words = _plain(value), _words(value)
    best, best_score = "", (_ALIKE, 0.0)
    for name in names:
        if _plain(name) == plain:
            return name
        theirs = _words(name)
        shared = len(words & theirs) / (len(words | theirs) or 1)
        if shared >= best_score[0]:
            score = (shared, SequenceMatcher(None, plain, _plain(name)).ratio())
            if score > best_score:
                best, best_score = name, score
    return best


def _missing_models(flow: Flow, declared: Mapping[str, RequiredModel]) -> Iterator[MissingModel]:
    for node_id in flow.depth:
        for name, value in flow.literals(node_id):
            spec = flow.input_spec(node_id, name)
            if spec is None or not isinstance(value, str) or not _names_model(spec, value):
                continue
            if server_spelling(value, spec.choices) is None:
                known = declared.get(_plain(value))
                directory = (known.directory if known else "") or spec.folder
                url, sha256 = (known.url, known.sha256) if known else ("", "")
                yield MissingModel(value, directory, url, sha256, nearest(value, spec.choices))


def _names_model(spec: InputSpec, value: str) -> bool:
    return spec.type == COMBO and not spec.upload and (bool(spec.folder) or value.lower().endswith(MODEL_SUFFIXES))


def _missing_nodes(graph: UiGraph | ApiGraph, catalog: Catalog) -> tuple[str, ...]:
    types = {node.type for node in active_nodes(graph)}
    return tuple(sorted(entry for entry in types if entry and entry not in catalog.nodes))


def _types_in_file(graph: UiGraph | ApiGraph) -> set[str]:
    """Of a graph that cannot be walked: all active types of all canvases."""
    if isinstance(graph, ApiGraph):
        return {node.class_type for node in graph.nodes.values() if node.class_type}
    canvases = [graph.root, *(subgraph.graph for subgraph in graph.subgraphs.values())]
    types = {node.type for canvas in canvases for node in canvas.nodes if node.active}
    return types - set(graph.subgraphs) - VIRTUAL.keys()


def _declared(graph: UiGraph | ApiGraph) -> Iterator[RequiredModel]:
    try:
        for node in active_nodes(graph):
            yield from declared_models(node)
    except GraphError:
        return


def _not_listed(models: Iterable[RequiredModel], catalog: Catalog) -> Iterator[MissingModel]:
    """Declared models that no combo of the catalog lists."""
    listed: dict[str, list[str]] = {}
    for spec in (entry for node in catalog.nodes.values() for entry in node.inputs if entry.folder):
        listed.setdefault(spec.folder, []).extend(choice for choice in spec.choices if isinstance(choice, str))
    for model in models:
        names = listed.get(model.directory, [])
        if not any(_plain(name) == _plain(model.name) for name in names):
            yield MissingModel(model.name, model.directory, model.url, model.sha256, nearest(model.name, names))


def _plain(name: str) -> str:
    """The base name, for comparing."""
    return name.replace("\\", "/").rpartition("/")[2].lower()


def _words(name: str) -> frozenset[str]:
    return frozenset(re.findall(r"[a-z]+|\d+", _plain(name).rpartition(".")[0]))
