"""A workflow file at a glance, from the graph itself: what goes in, what comes out, what it needs.

Works with or without a pod's catalog: a UI file says the types of its sockets. No list of templates, no list of node
classes: loaders and savers are known by what they load and save, and by their names only where types are silent.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping

from comfydesk.errors import GraphError
from comfydesk.workflow import media_types
from comfydesk.workflow.active import ActiveNode, active_nodes, count_active
from comfydesk.workflow.blueprint import made_to_run
from comfydesk.workflow.card import MODEL_SUFFIXES, RequiredModel, WorkflowCard
from comfydesk.workflow.catalog import Catalog, NodeSpec
from comfydesk.workflow.graph import ApiGraph, Graph, UiGraph
from comfydesk.workflow.media_types import AUDIO, IMAGE, MODEL3D, TEXT, VIDEO

__all__ = ["RequiredModel", "WorkflowCard", "card_of_broken", "declared_models", "scan"]


def scan(graph: UiGraph | ApiGraph, catalog: Catalog | None = None, *, file_name: str = "") -> WorkflowCard:
    """The card of a workflow; its name is the file's. Raises GraphError for one that cannot be: nested in itself.

    A blueprint's says what goes in and out once it is opened.
    """
    facts = _Facts(catalog)
    for node in active_nodes(_opened(graph)):
        facts.add(node)
    inputs, outputs = facts.input_types(), facts.output_types()
    name = _title(graph) or _stem(file_name)
    main = outputs[0] if outputs else None
    kind = _task(main, inputs, facts, name)
    description, category = _authors_words(graph)
    node_types = tuple(sorted(facts.node_types))
    return WorkflowCard(
        id=_identity(graph),
        name=name,
        description=description or _summary(inputs, main, facts),
        category=category or (_CATEGORIES[main] if main else ""),
        format="ui" if isinstance(graph, UiGraph) else "api",
        type=kind,
        node_count=count_active(graph),
        input_types=inputs,
        output_types=outputs,
        required_models=tuple(facts.models.values()),
        node_types=node_types,
        model_files=tuple(sorted(facts.model_files)),
        custom_nodes=tuple(entry for entry in node_types if catalog and entry not in catalog.nodes),
    )


def _opened(graph: UiGraph | ApiGraph) -> UiGraph | ApiGraph:
    try:
        return made_to_run(graph) if isinstance(graph, UiGraph) else graph
    except GraphError:
        return graph


def card_of_broken(file_name: str, error: GraphError) -> WorkflowCard:
    """A card that says why a file cannot be used."""
    digest = hashlib.sha256(file_name.encode("utf-8", "surrogatepass")).hexdigest()
    return WorkflowCard(id=f"broken-{digest[:24]}", name=_stem(file_name), error=str(error))


_CATEGORIES = {IMAGE: "Image", VIDEO: "Video", AUDIO: "Audio", MODEL3D: "3D", TEXT: "Text"}
_MAIN_FIRST = (MODEL3D, VIDEO, AUDIO, IMAGE, TEXT)
"""Which of several outputs is what the workflow is for: a mesh is turned into a video to look at it, not reverse."""

# --- What single nodes are -------------------------------------------------------------------------------------------

_LOADS = re.compile(r"load|input", re.IGNORECASE)
_LOADS_MODEL = re.compile(r"vae|model|encoder|lora|clip|checkpoint|unet|latent", re.IGNORECASE)
_RECORDS = re.compile(r"(webcam|record)", re.IGNORECASE)
_NAMED_MEDIA = (
    (VIDEO, re.compile(r"video", re.IGNORECASE)),
    (AUDIO, re.compile(r"audio|sound|voice", re.IGNORECASE)),
    (MODEL3D, re.compile(r"3d|mesh|glb|splat|pointcloud", re.IGNORECASE)),
    (IMAGE, re.compile(r"image|mask|picture|photo|webcam", re.IGNORECASE)),
)
_SAVES = re.compile(
    r"save|export|videocombine|combinevideo|writevideo|send(image|video|audio)|websocket", re.IGNORECASE
)
_SHOWS = re.compile(r"preview|compare|show|display|viewer", re.IGNORECASE)
_MOVING = re.compile(r"video|webm|animated|gif|mp4", re.IGNORECASE)
_PROMPTS = re.compile(r"textencode|prompt|text(2|to)", re.IGNORECASE)
_TEXT_INPUT = re.compile(r"(^|[._])(prompt|text|positive|caption|tags|lyrics|script)(_\w+|\d+)?$", re.IGNORECASE)
_UPSCALES = re.compile(r"upscale|enhance|superres|restor", re.IGNORECASE)
_RESTORES = re.compile(r"seedvr|supir|flashvsr|flshvsr", re.IGNORECASE)
_SAMPLES = re.compile(r"^(KSampler|SamplerCustom|BasicScheduler)", re.IGNORECASE)
_GENTLE = 0.65
"""Up to this denoise a sampler refines what it gets."""


class _Facts:
    """Collected node by node."""

    def __init__(self, catalog: Catalog | None) -> None:
        self._catalog = catalog
        self._inputs: set[str] = set()
        self._saved: set[str] = set()
        self._shown: set[str] = set()
        self.node_types: set[str] = set()
        self.models: dict[tuple[str, str], RequiredModel] = {}
        self.model_files: set[str] = set()
        self.main_model = ""
        self.upscales = self.restores = self.samples_anew = False

    def add(self, node: ActiveNode) -> None:
        spec = self._catalog.nodes.get(node.type) if self._catalog else None
        self.node_types.add(node.type)
        self._add_models(node)
        media = [kind for wire in node.wires if not wire.dead and (kind := self._wire_kind(wire.type, wire.name, spec))]
        if _is_sink(node, spec):
            made = [kind for kind in _made(node, spec) if kind != TEXT]
            # What makes something and is an output by itself (some services) gives that, not what came in.
            self._add_output(node, made if made and not _SHOWS.search(node.type) else media)
        elif not any(kind != TEXT for kind in media):
            loaded = _loaded(node, spec)
            if loaded:
                self._inputs.add(loaded)
        if not _SAVES.search(node.type) and _takes_text(node):
            self._inputs.add(TEXT)
        self._add_work(node)

    def _wire_kind(self, wire_type: str, name: str, spec: NodeSpec | None) -> str | None:
        if wire_type == "*" and spec is not None:
            declared = spec.input(name)
            wire_type = declared.type if declared else "*"
        kind = media_types.of_socket(wire_type)
        if kind is None and wire_type == "*":  # API files: the input's name is all there is
            return media_types.of_socket(name.upper().removesuffix("S")) or (
                TEXT if name in ("text", "source") else None
            )
        return kind

    def _add_output(self, node: ActiveNode, media: list[str]) -> None:
        kind = next((kind for kind in (VIDEO, MODEL3D, AUDIO, IMAGE, TEXT) if kind in media), None)
        if any(not wire.dead for wire in node.wires) and re.search("3d", node.type, re.IGNORECASE):
            kind = MODEL3D  # the path of a mesh is a text, its render a picture
        if kind is None:
            return
        if kind == IMAGE and _MOVING.search(node.type):
            kind = VIDEO
        shows = _SHOWS.search(node.type) and not _SAVES.search(node.type)
        if shows and node.type.startswith(("PreviewAny", "Show")):
            kind = TEXT
        (self._shown if shows and kind != MODEL3D else self._saved).add(kind)

    def _add_models(self, node: ActiveNode) -> None:
        named = (value for value in (*node.literals.values(), *node.values) if isinstance(value, str))
        self.model_files.update(value for value in named if value.lower().endswith(MODEL_SUFFIXES))
        for model in declared_models(node):
            self.models.setdefault((model.name, model.directory), model)
            if model.directory in ("checkpoints", "diffusion_models", "unet") and not self.main_model:
                self.main_model = model.name
        if not self.main_model:
            for name in ("ckpt_name", "unet_name"):
                value = node.literals.get(name)
                self.main_model = value if isinstance(value, str) else self.main_model

    def _add_work(self, node: ActiveNode) -> None:
        if _RESTORES.search(node.type):
            self.restores = True
        elif _UPSCALES.search(node.type) and "atent" not in node.type and "oader" not in node.type:
            self.upscales = True
        if _SAMPLES.match(node.type) and "Select" not in node.type:
            numbers = [v for v in node.values if isinstance(v, int | float) and not isinstance(v, bool)]
            denoise = node.literals.get("denoise", numbers[-1] if numbers else 1)
            if not isinstance(denoise, int | float) or denoise > _GENTLE:
                self.samples_anew = True

    def input_types(self) -> tuple[str, ...]:
        return tuple(kind for kind in (IMAGE, VIDEO, AUDIO, MODEL3D, TEXT) if kind in self._inputs)

    def output_types(self) -> tuple[str, ...]:
        """What is saved; what is only shown counts when nothing is saved."""
        return tuple(kind for kind in _MAIN_FIRST if kind in (self._saved or self._shown))


def _is_sink(node: ActiveNode, spec: NodeSpec | None) -> bool:
    if spec is not None:
        return spec.output_node
    return bool(_SAVES.search(node.type) or _SHOWS.search(node.type)) or (
        bool(node.wires) and not node.outputs and any(media_types.of_socket(wire.type) for wire in node.wires)
    )


def _made(node: ActiveNode, spec: NodeSpec | None) -> list[str]:
    """The kinds of media in a node's outputs."""
    given = node.outputs or (tuple(output.type for output in spec.outputs) if spec else ())
    return [kind for kind in map(media_types.of_socket, given) if kind]


def _loaded(node: ActiveNode, spec: NodeSpec | None) -> str | None:
    """The kind of media that a node brings in from a file of the user's."""
    if not (_LOADS.search(node.type) or _RECORDS.search(node.type)):
        upload = next((entry.upload for entry in spec.inputs if entry.upload), "") if spec else ""
        return {"image": IMAGE, "video": VIDEO, "audio": AUDIO}.get(upload) if not node.wires else None
    kinds = set(_made(node, spec)) - {TEXT}
    named = next((kind for kind, pattern in _NAMED_MEDIA if pattern.search(node.type)), None)
    if (node.outputs or spec) and not kinds:
        return None  # a model, a latent
    if named:
        return named if kinds or not _LOADS_MODEL.search(node.type) else None
    by_file = (media_types.of_file(value) for value in node.values)
    return next(filter(None, by_file), None) or (min(kinds) if len(kinds) == 1 else None)


def _takes_text(node: ActiveNode) -> bool:
    """A person types words into it that shape the result."""
    texts = [name for name, value in node.literals.items() if _TEXT_INPUT.search(name) and isinstance(value, str)]
    if any("neg" not in name.lower() and not name.startswith("system") for name in texts):
        return True
    if "value" in node.literals:
        return "String" in node.type
    # Older files do not name their widgets: an encoder has a text, and a sentence is one whatever the node.
    words = [len(value.split()) for value in node.values if isinstance(value, str)]
    return not texts and bool(words) and (bool(_PROMPTS.search(node.type)) or max(words) > 2)


def declared_models(node: ActiveNode) -> list[RequiredModel]:
    """The models that the author declared on a node; what is malformed is passed over."""
    declared = node.properties.get("models")
    models = [_required_model(entry) for entry in declared] if isinstance(declared, list) else []
    return [model for model in models if model is not None]


def _required_model(entry: object) -> RequiredModel | None:
    if not isinstance(entry, Mapping):
        return None
    name, directory, url = entry.get("name"), entry.get("directory"), entry.get("url")
    if not isinstance(name, str) or not isinstance(directory, str):
        return None
    digest, algorithm = entry.get("hash"), str(entry.get("hash_type") or "SHA256")
    known = isinstance(digest, str) and algorithm.lower().replace("-", "") == "sha256"
    return RequiredModel(name, directory, url if isinstance(url, str) else "", str(digest).lower() if known else "")


# --- What the whole is -----------------------------------------------------------------------------------------------


def _task(main: str | None, inputs: Iterable[str], facts: _Facts, name: str) -> str | None:
    if main is None:
        return None
    given = set(inputs)
    if main in (AUDIO, TEXT, MODEL3D):
        return {AUDIO: "audio", TEXT: "text", MODEL3D: "3d"}[main]
    if main in given:
        works = facts.upscales and not facts.samples_anew
        if facts.restores or works or re.search(r"upscal|enhance", name, re.IGNORECASE):
            return "upscale"
    target = "v" if main == VIDEO else "i"
    if VIDEO in given:
        return f"v2{target}"
    if IMAGE in given:
        return f"i2{target}"
    return f"t2{target}" if TEXT in given or facts.samples_anew else None


def _title(graph: UiGraph | ApiGraph) -> str:
    """What our own workflows call themselves; "" of others, which go by their file's name."""
    ours = graph.extra.get("comfydesk") if isinstance(graph, UiGraph) else None
    title = ours.get("title") if isinstance(ours, Mapping) else None
    return " ".join(title.split())[:120] if isinstance(title, str) else ""


def _authors_words(graph: UiGraph | ApiGraph) -> tuple[str, str]:
    """Description and category, where the file has them: blueprints do."""
    if isinstance(graph, ApiGraph):
        return "", ""
    info = graph.extra.get("info")
    found = info.get("description") if isinstance(info, Mapping) else None
    description = found or graph.extra.get("BlueprintDescription")
    hosts = [graph.subgraphs[node.type] for node in graph.root.nodes if node.type in graph.subgraphs]
    only = hosts[0].raw if len(graph.root.nodes) == 1 and hosts else {}
    texts = (description or only.get("description"), only.get("category"))
    first, second = (text.strip() if isinstance(text, str) else "" for text in texts)
    return first, second


def _summary(inputs: tuple[str, ...], main: str | None, facts: _Facts) -> str:
    """A sentence on what the graph does: "Image and text to video with wan2.2_i2v"."""
    if main is None:
        return ""
    given = " and ".join(filter(None, (", ".join(inputs[:-1]), inputs[-1]))) if inputs else ""
    text = f"{given} to {main}" if given else f"makes {main}"
    model = facts.main_model.replace("\\", "/").rpartition("/")[2].rpartition(".")[0]
    return (text[:1].upper() + text[1:]).replace("3d", "3D") + (f" with {model}" if model else "")


def _identity(graph: UiGraph | ApiGraph) -> str:
    """A hash of what the graph says, not of how the file is written or where nodes lie."""
    if isinstance(graph, ApiGraph):
        content: object = [(key, node.class_type, node.title, node.inputs) for key, node in graph.nodes.items()]
    else:
        canvases = {name: _content(subgraph.graph) for name, subgraph in graph.subgraphs.items()}
        content = [_content(graph.root), canvases]
    try:
        text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    except RecursionError:
        raise GraphError("This workflow is too large", "Its JSON is nested too deeply") from None
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _content(canvas: Graph) -> object:
    nodes = [(node.id, node.type, node.mode, node.title, node.widgets_values) for node in canvas.nodes]
    return [nodes, [(link.origin, link.origin_slot, link.target, link.target_slot) for link in canvas.links.values()]]


def _stem(file_name: str) -> str:
    base = file_name.replace("\\", "/").rpartition("/")[2]
    return base.rpartition(".")[0] or base
