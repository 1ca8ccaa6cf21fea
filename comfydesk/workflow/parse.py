"""JSON text → UiGraph or ApiGraph.

Reads the UI format 0.4 and 1 (both kinds of links in either), the API format, and both inside wrappers such as
`{"prompt": …}`. Whatever is wrong with the text ends in one GraphError; memory and time are bounded by `limits`.
Shapes: ComfyUI frontend 1.49.6.
"""

import json
import re
from collections.abc import Callable
from typing import Any, NoReturn, TypeGuard

from comfydesk.errors import GraphError
from comfydesk.workflow import limits
from comfydesk.workflow.graph import (
    ApiGraph,
    ApiLink,
    ApiNode,
    BoundarySlot,
    Graph,
    Group,
    InputSlot,
    Link,
    Node,
    OutputSlot,
    Subgraph,
    UiGraph,
)
from comfydesk.workflow.loose import as_list, as_mapping, as_text

_ADVICE = "Choose a workflow saved or exported by ComfyUI"


def parse_workflow(data: bytes | str) -> UiGraph | ApiGraph:
    """Read a workflow. GraphError when it is none, is damaged, or exceeds a limit."""
    return build_workflow(load_json(data))


def load_json(data: bytes | str) -> Any:
    """The JSON document in `data`, NaN and integers of any size included. GraphError."""
    if len(data) > limits.MAX_BYTES:
        _too_large(f"The text has {len(data) >> 20} MiB, at most {limits.MAX_BYTES >> 20} are read")
    try:
        if isinstance(data, str):
            text, raw = data, data.encode("utf-8", "surrogatepass")
        else:
            text, raw = data.decode(json.detect_encoding(data), "surrogatepass"), data
            if b"\0" in data[:4]:  # UTF-16 or UTF-32
                raw = text.encode("utf-8", "surrogatepass")
        _check_brackets(raw)
        return json.loads(text.removeprefix("\ufeff"))
    except RecursionError:
        _too_large(f"Its JSON is nested deeper than {limits.MAX_DEPTH} levels")
    except UnicodeDecodeError:
        raise GraphError("This is not a workflow file", "It holds no text", _ADVICE) from None
    except json.JSONDecodeError as error:
        why = f"Its JSON is broken at line {error.lineno}, column {error.colno}: {error.msg}"
        raise GraphError("This is not a workflow file", why, _ADVICE) from None
    except ValueError:
        raise GraphError("This is not a workflow file", "It holds a number of thousands of digits", _ADVICE) from None


def build_workflow(document: Any) -> UiGraph | ApiGraph:
    """The same for a document that is loaded already. The result shares its values: do not change it afterwards."""
    for _ in range(4):  # wrappers inside wrappers: a POST body in a history entry
        if not isinstance(document, dict):
            break
        if isinstance(document.get("nodes"), list):
            return _ui_graph(document)
        if _looks_like_api(document):
            return _api_graph(document)
        inner = _unwrapped(document)
        if inner is None:
            break
        document = load_json(inner) if isinstance(inner, str) else inner
    if document == {}:
        raise GraphError("This workflow is empty", "", _ADVICE)
    raise GraphError("This is not a workflow file", "It has neither nodes nor a prompt", _ADVICE)


# --- JSON -------------------------------------------------------------------------------------------------------


_STRING = re.compile(rb'"[^"]*+(?:"|\Z)')
_SKELETON = bytes(set(range(256)) - set(b'[]{}"'))
_SKELETON_WITH_COMMAS = bytes(set(range(256)) - set(b'[]{}",'))


def _check_brackets(raw: bytes) -> None:
    """Bound memory before the parser allocates it, and depth before anybody recurses into the document.

    What stands in strings does not count. Linear: without escaped quotes the quotes left are the strings' ends, and
    two that meet say nothing.
    """
    many = raw.count(b",") > limits.MAX_VALUES
    plain = raw.replace(b"\\\\", b"").replace(b'\\"', b"") if b"\\" in raw else raw
    skeleton = plain.translate(None, _SKELETON_WITH_COMMAS if many else _SKELETON).replace(b'""', b"")
    if b'"' in skeleton:
        skeleton = _STRING.sub(b"", skeleton)
    commas = skeleton.count(b",")
    brackets = skeleton.replace(b",", b"") if commas else skeleton
    if commas > limits.MAX_VALUES or brackets.count(b"{") + brackets.count(b"[") > limits.MAX_CONTAINERS:
        _too_large("It has more JSON values than any workflow")
    if _is_deep(brackets):
        _too_large(f"Its JSON is nested deeper than {limits.MAX_DEPTH} levels")


def _is_deep(brackets: bytes) -> bool:
    """Whether more than MAX_DEPTH rounds of taking out the innermost pairs leave some."""
    for _ in range(limits.MAX_DEPTH):
        shorter = brackets.replace(b"{}", b"").replace(b"[]", b"")
        if len(shorter) == len(brackets):
            # Nothing left, or unbalanced: the parser finds out. Openings alone are as deep as they are many.
            return brackets.count(b"{") + brackets.count(b"[") > limits.MAX_DEPTH
        brackets = shorter
    return True


def _too_large(why: str) -> NoReturn:
    raise GraphError("This workflow is too large", why, _ADVICE)


# --- Wrappers and the API format --------------------------------------------------------------------------------


def _unwrapped(document: dict[str, Any]) -> Any:
    """What `document` wraps, or None. The workflow wins over the prompt, as in the frontend: it says more."""
    for key in ("workflow", "prompt"):
        inner = document.get(key)
        if isinstance(inner, dict | str) and inner:
            return inner
        if key == "prompt" and isinstance(inner, list):  # a history entry: [number, id, prompt, extra, outputs]
            return next((entry for entry in inner if isinstance(entry, dict)), None)
    return None


def _looks_like_api(document: dict[str, Any]) -> bool:
    """Every value an object, and one of them at least a node."""
    values = document.values()
    return all(isinstance(value, dict) for value in values) and any(
        isinstance(value.get("class_type"), str) or isinstance(value.get("inputs"), dict) for value in values
    )


def _api_graph(document: dict[str, Any]) -> ApiGraph:
    if len(document) > limits.MAX_NODES:
        _too_large(f"It has {len(document)} nodes, at most {limits.MAX_NODES} are read")
    nodes = {}
    for node_id, entry in document.items():
        inputs, class_type, meta = entry.get("inputs"), entry.get("class_type"), entry.get("_meta")
        if inputs is None:
            inputs = {}
        if not isinstance(inputs, dict) or not isinstance(class_type, str | None):
            _malformed(f"node {node_id}")
        title = meta.get("title") if isinstance(meta, dict) else None
        nodes[node_id] = ApiNode(
            class_type=class_type or "",
            inputs={name: _api_value(value) for name, value in inputs.items()},
            title=title if isinstance(title, str) else "",
        )
    return ApiGraph(nodes)


def _api_value(value: Any) -> Any:
    """A list `[id, slot]` is a link, as for the server; every other value is itself."""
    if isinstance(value, list) and len(value) == 2:
        node, slot = value
        if isinstance(node, str) and isinstance(slot, int | float) and not isinstance(slot, bool) and slot == slot // 1:
            return ApiLink(node, int(slot))
    return value


# --- The UI format ----------------------------------------------------------------------------------------------


def _ui_graph(document: dict[str, Any]) -> UiGraph:
    definitions = _definitions(document)
    _check_counts([document, *definitions])
    subgraphs: dict[str, Subgraph] = {}
    for raw in definitions:
        subgraph = _subgraph(raw)
        subgraphs.setdefault(subgraph.id, subgraph)
    version = document.get("version")
    return UiGraph(
        root=_graph(document),
        subgraphs=subgraphs,
        extra=as_mapping(document.get("extra")),
        version=float(version) if _is_number(version) else 0.4,
        raw=document,
    )


def _definitions(document: dict[str, Any]) -> list[dict[str, Any]]:
    """All definitions of subgraphs, flat, also those that sit inside another one."""
    found: list[dict[str, Any]] = []
    holders = [document]
    for holder in holders:
        definitions = as_mapping(holder.get("definitions")).get("subgraphs") or []
        if not isinstance(definitions, list) or not all(isinstance(raw, dict) for raw in definitions):
            _malformed("the list of subgraphs")
        found.extend(definitions)
        holders.extend(definitions)
        if len(found) > limits.MAX_SUBGRAPHS:
            _too_large(f"It has {len(found)} subgraphs, at most {limits.MAX_SUBGRAPHS} are read")
    return found


def _check_counts(graphs: list[Any]) -> None:
    for what, key, limit in (("nodes", "nodes", limits.MAX_NODES), ("links", "links", limits.MAX_LINKS)):
        count = sum(len(raw[key]) for raw in graphs if isinstance(raw, dict) and isinstance(raw.get(key), list))
        if count > limit:
            _too_large(f"It has {count} {what}, at most {limit} are read")


def _subgraph(raw: dict[str, Any]) -> Subgraph:
    identifier = raw.get("id")
    if not isinstance(identifier, str) or not identifier:
        _malformed("a subgraph without an id")
    return Subgraph(
        id=identifier,
        name=as_text(raw.get("name")),
        graph=_graph(raw),
        inputs=tuple(map(_boundary_slot, _objects(raw.get("inputs"), "an input of a subgraph"))),
        outputs=tuple(map(_boundary_slot, _objects(raw.get("outputs"), "an output of a subgraph"))),
        raw=raw,
    )


def _boundary_slot(raw: dict[str, Any]) -> BoundarySlot:
    return BoundarySlot(
        id=as_text(raw.get("id")),
        name=as_text(raw.get("name")),
        type=_type(raw.get("type")),
        link_ids=_ids(raw.get("linkIds")),
        label=as_text(raw.get("label")),
    )


def _graph(raw: dict[str, Any]) -> Graph:
    nodes = raw.get("nodes")
    if not isinstance(nodes, list):
        _malformed("its list of nodes")
    links = raw.get("links")
    entries = links.values() if isinstance(links, dict) else links if isinstance(links, list) else ()
    last = raw.get("last_node_id", as_mapping(raw.get("state")).get("lastNodeId"))
    return Graph(
        nodes=tuple([parse_node(node, position) for position, node in enumerate(nodes)]),
        links={link.id: link for link in map(_link, entries) if link is not None},
        groups=tuple([_group(group) for group in as_list(raw.get("groups")) if isinstance(group, dict)]),
        last_node_id=int(last) if _is_number(last) else 0,
    )


def parse_node(raw: Any, position: int) -> Node:
    """One entry of a list of nodes. GraphError."""
    if not isinstance(raw, dict):
        _malformed(f"node {position + 1} of the list")
    get: Callable[[str], Any] = raw.get
    node_id, node_type, mode, title = get("id"), get("type"), get("mode"), get("title")
    if not isinstance(node_type, str):
        _malformed(f"the type of node {position + 1}")
    inputs, outputs = get("inputs"), get("outputs")
    return Node(
        id=_id(node_id, f"the id of node {position + 1}"),
        type=node_type,
        mode=mode if isinstance(mode, int) else 0,
        title=title if isinstance(title, str) else "",
        inputs=tuple([_input_slot(slot) for slot in inputs if isinstance(slot, dict)])
        if isinstance(inputs, list)
        else (),
        outputs=tuple([_output_slot(slot) for slot in outputs if isinstance(slot, dict)])
        if isinstance(outputs, list)
        else (),
        widgets_values=get("widgets_values"),
        properties=as_mapping(get("properties")),
        raw=raw,
    )


def _input_slot(raw: dict[str, Any]) -> InputSlot:
    get: Callable[[str], Any] = raw.get
    name, slot_type, link, widget, label = get("name"), get("type"), get("link"), get("widget"), get("label")
    if widget is not None:
        widget = widget.get("name") if isinstance(widget, dict) else None
    return InputSlot(
        name if isinstance(name, str) else "",
        slot_type if isinstance(slot_type, str) else _type(slot_type),
        None if link is None else str(link) if type(link) is int else _id(link, f"the link of input {name}"),
        widget if isinstance(widget, str) else None,
        label if isinstance(label, str) else "",
    )


def _output_slot(raw: dict[str, Any]) -> OutputSlot:
    return OutputSlot(as_text(raw.get("name")), _type(raw.get("type")), _ids(raw.get("links")))


def _link(raw: Any) -> Link | None:
    if isinstance(raw, list) and len(raw) >= 5:
        values = [*raw, None][:6]
    elif isinstance(raw, dict):
        values = [
            raw.get("id"),
            raw.get("origin_id"),
            raw.get("origin_slot"),
            raw.get("target_id"),
            raw.get("target_slot"),
            raw.get("type"),
        ]
    elif raw is None:
        return None  # a hole that old frontends left
    else:
        _malformed("a link")
    link_id, origin, origin_slot, target, target_slot, link_type = values
    return Link(
        str(link_id) if type(link_id) is int else _id(link_id, "the id of a link"),
        str(origin) if type(origin) is int else _id(origin, f"the start of link {link_id}"),
        origin_slot if type(origin_slot) is int else _slot(origin_slot),
        str(target) if type(target) is int else _id(target, f"the end of link {link_id}"),
        target_slot if type(target_slot) is int else _slot(target_slot),
        link_type if isinstance(link_type, str) else _type(link_type),
    )


def _group(raw: dict[str, Any]) -> Group:
    bounding = raw.get("bounding")
    numbers = [float(entry) for entry in as_list(bounding) if _is_number(entry)]
    x, y, width, height = numbers if len(numbers) == 4 else (0.0, 0.0, 0.0, 0.0)
    return Group(as_text(raw.get("title")), (x, y, width, height), as_text(raw.get("color")))


# --- Small parts ------------------------------------------------------------------------------------------------


def _id(value: Any, what: str) -> str:
    """Ids compare as strings; 3.0 is "3", as in JavaScript."""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, float) or not value.is_integer():
        _malformed(what)
    return str(int(value))


def _ids(values: Any) -> tuple[str, ...]:
    return tuple([_id(value, "a link's id") for value in as_list(values) if value is not None])


def _slot(value: Any) -> int:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else -1


def _type(value: Any) -> str:
    """A slot's type: "*" for anything (0, "" or absent in files); a list of choices is a COMBO."""
    if isinstance(value, str):
        return value
    return "COMBO" if isinstance(value, list) else "*"


def _objects(value: Any, what: str) -> list[dict[str, Any]]:
    entries = as_list(value)
    if not all(isinstance(entry, dict) for entry in entries):
        _malformed(what)
    return entries


def _is_number(value: Any) -> TypeGuard[int | float]:
    """A finite number that fits a double."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300


def _malformed(what: str) -> NoReturn:
    why = f"{what[:1].upper()}{what[1:80]} cannot be read"
    raise GraphError("This workflow is damaged", why, _ADVICE)
