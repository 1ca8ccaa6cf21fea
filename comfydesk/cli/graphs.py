"""`comfydesk inspect | convert | form | check`: workflow files, without running them. Many files in one process."""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from comfydesk.cli.context import Context, Subparsers
from comfydesk.disk import write_whole
from comfydesk.errors import GraphError, KnownError, UsageError

if TYPE_CHECKING:
    from comfydesk.workflow.card import WorkflowCard
    from comfydesk.workflow.catalog import Catalog
    from comfydesk.workflow.fields import Field
    from comfydesk.workflow.graph import ApiGraph, UiGraph
    from comfydesk.workflow.needs import Needs

PATIENCE = 30.0
"""Seconds that a pod has to tell its nodes."""


def register(subparsers: Subparsers) -> None:
    inspect = subparsers.add_parser(
        "inspect",
        help="what workflow files are, need and make",
        description="Tell what workflow files are, need and make. With a pod or --object-info also what it lacks.",
        epilog="examples:\n  comfydesk inspect *.json picture.png\n  comfydesk inspect workflow.json --pod mine --json",
    )
    inspect.add_argument("--stream", action="store_true", help=argparse.SUPPRESS)
    inspect.set_defaults(run=run_inspect)
    convert = subparsers.add_parser(
        "convert",
        help="the API graphs of workflow files",
        description="Write what ComfyUI is sent for a workflow: the graph that its own frontend would make of it.",
        epilog="examples:\n  comfydesk convert workflow.json --pod mine > api.json\n"
        "  comfydesk convert *.json --object-info object_info.json -o converted",
    )
    convert.add_argument("-o", "--output", type=Path, metavar="DIR", help="write DIR/<name>.json each")
    convert.set_defaults(run=run_convert)
    for parser in (inspect, convert):
        files = "*" if parser is inspect else "+"
        parser.add_argument(
            "files", nargs=files, type=Path, metavar="FILE", help="a workflow, or media that carries one"
        )
    form = subparsers.add_parser(
        "form",
        help="the inputs of a workflow that one may set",
        description="List the inputs that generate takes with --set, --file and --grid, with their ranges and choices.",
        epilog="examples:\n  comfydesk form workflow.json --pod mine",
    )
    form.set_defaults(run=run_form)
    check = subparsers.add_parser(
        "check",
        help="what a pod lacks to run a workflow",
        description="Name the nodes and models that a workflow needs and a pod lacks.",
        epilog="examples:\n  comfydesk check workflow.json --pod mine",
    )
    check.set_defaults(run=run_check)
    for parser in (form, check):
        parser.add_argument(
            "file", type=Path, metavar="FILE", help="a workflow, or a picture or video that carries one"
        )
    for parser in (inspect, convert, form, check):
        parser.add_argument("--object-info", type=Path, metavar="F", help="a pod's saved GET /object_info")


# --- The commands ----------------------------------------------------------------------------------------------------


def run_inspect(args: argparse.Namespace, context: Context) -> int:
    """A card each; broken files are cards that say why, and exit code 1."""
    from comfydesk.workflow.scan import card_of_broken, scan

    if args.stream:
        return _stream_cards(context)
    if not args.files:
        raise UsageError("No file is named", "", "Give one or more FILEs")
    catalog = _catalog(args, context) if args.object_info or context.pod else None
    cards = []
    for path in args.files:
        try:
            card = scan(_read_graph(path), catalog, file_name=path.name)
        except GraphError as error:
            card = card_of_broken(path.name, error)
            context.note(f"comfydesk: {path}: {error}")
        cards.append((path, card))
        if not context.json:
            context.emit(_card_line(path, card))
    if context.json:
        context.emit_json([_card_json(path, card) for path, card in cards])
    return 1 if any(card.error for _, card in cards) else 0


def run_convert(args: argparse.Namespace, context: Context) -> int:
    """Into DIR, or to stdout: one file's graph, of several an object by file. A file that fails is told; 1 then."""
    from comfydesk.workflow.convert import to_api

    catalog = _catalog(args, context)
    if args.output:
        _make_folder(args.output)
    graphs: dict[str, Any] = {}
    failed = 0
    for path in args.files:
        try:
            document = to_api(_read_graph(path), catalog).to_json()
        except GraphError as error:
            failed += 1
            context.note(f"comfydesk: {path}: {error}")
            continue
        if args.output:
            _write(args.output / f"{path.stem}.json", document)
        else:
            graphs[str(path)] = document
    if not args.output and (graphs or context.json):
        context.emit_json(next(iter(graphs.values()), {}) if len(args.files) == 1 else graphs)
    return 1 if failed else 0


def run_form(args: argparse.Namespace, context: Context) -> int:
    from comfydesk.workflow.form import build_form

    graph = _read_graph(args.file)
    form = build_form(graph, _catalog(args, context))
    if context.json:
        context.emit_json({"fields": [_field_json(field) for field in form.fields]})
    else:
        for field in form.fields:
            context.emit(_field_line(field))
    return 0


def run_check(args: argparse.Namespace, context: Context) -> int:
    """0 also when something is missing: that is the answer. A graph that cannot run for other reasons is an error."""
    from comfydesk.workflow.convert import to_api
    from comfydesk.workflow.needs import check

    graph, catalog = _read_graph(args.file), _catalog(args, context)
    needs = check(graph, catalog)
    if not (needs.ready or needs.missing_models or needs.missing_nodes):
        to_api(graph, catalog)  # says why
    if context.json:
        context.emit_json(_needs_json(needs))
    else:
        for line in _needs_lines(needs):
            context.emit(line)
    return 0


def _stream_cards(context: Context) -> int:
    """For session.shelves.scan_process: a JSON path per line on stdin, its card per line on stdout, until that ends."""
    from comfydesk.workflow.card import card_to_json
    from comfydesk.workflow.scan import card_of_broken, scan

    for line in sys.stdin:
        path = Path(json.loads(line))
        try:
            card = scan(_read_graph(path), file_name=path.name)
        except GraphError as error:
            card = card_of_broken(path.name, error)
        except (MemoryError, RecursionError):
            card = card_of_broken(path.name, GraphError("This workflow is too large", "It does not fit into memory"))
        context.emit(json.dumps(card_to_json(card)))
    return 0


# --- Files and pods --------------------------------------------------------------------------------------------------


def _read_graph(path: Path) -> "UiGraph | ApiGraph":
    """The graph in a workflow or media file. Raises GraphError."""
    from comfydesk.workflow.embedded import workflow_text
    from comfydesk.workflow.parse import parse_workflow

    try:
        with path.open("rb") as file:
            text = workflow_text(file, path.name)
    except OSError as error:
        what = f"{path.name} cannot be read"
        raise GraphError(what, error.strerror or str(error)) from error
    return parse_workflow(text)


def _catalog(args: argparse.Namespace, context: Context) -> "Catalog":
    """From the saved object_info, else from the pod. Raises GraphError, PodError, UsageError."""
    if args.object_info is None:
        return _catalog_of_pod(context)
    from comfydesk.workflow.catalog import Catalog

    try:
        document = json.loads(args.object_info.read_bytes())
    except OSError as error:
        what = f"{args.object_info} cannot be read"
        raise UsageError(what, error.strerror or str(error)) from error
    except (ValueError, RecursionError) as error:
        what = f"{args.object_info} is no JSON"
        raise UsageError(what, "", "Save a pod's answer to GET /object_info there") from error
    return Catalog.from_object_info(document)


def _catalog_of_pod(context: Context) -> "Catalog":
    import asyncio

    from comfydesk.cli.pods import pod_named, session_on_pod

    pod_named(context)

    async def fetch() -> "Catalog":
        async with session_on_pod(context) as session:
            await session.wait_catalog(PATIENCE, fresh=True)
            assert session.catalog is not None, "wait_catalog raises if there is none"
            return session.catalog

    return asyncio.run(fetch())


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        what = f"{folder} cannot be made"
        raise KnownError(what, error.strerror or str(error)) from error


def _write(path: Path, document: Any) -> None:
    write_whole(path, f"{json.dumps(document, ensure_ascii=True, indent=1)}\n".encode("ascii"))


# --- Shapes (cli.md) -------------------------------------------------------------------------------------------------


def _card_json(path: Path, card: "WorkflowCard") -> dict[str, Any]:
    from comfydesk.workflow.card import card_to_json

    return {"file": str(path), **card_to_json(card), "format": card.format or None, "error": card.error or None}


def _card_line(path: Path, card: "WorkflowCard") -> str:
    if card.error:
        return f"{path}: {card.error}"
    summary = card.description or card.type or "makes nothing"
    models = f", {len(card.required_models)} models" if card.required_models else ""
    return f"{path}: {summary} ({card.node_count} nodes{models})"


def _field_json(field: "Field") -> dict[str, Any]:
    return {
        "id": field.id,
        "label": field.label,
        "kind": str(field.kind),
        "role": str(field.role) if field.role else None,
        "default": field.default,
        "min": field.minimum,
        "max": field.maximum,
        "step": field.step,
        "choices": list(field.choices),
        "multiline": field.multiline,
        "group": field.group,
        "pinned": field.pinned,
        "tooltip": field.tooltip,
        "folder": field.folder,
        "twins": list(field.twins),
    }


def _field_line(field: "Field") -> str:
    text = " ".join(str(field.default).split())
    value = text if len(text) <= 60 else f"{text[:59]}…"
    place = "" if field.pinned else f" [{field.group}]"
    return f"{field.id}  {field.label}{place}: {value}"


def _needs_json(needs: "Needs") -> dict[str, Any]:
    models = [
        {
            "name": model.name,
            "directory": model.directory,
            "url": model.url,
            "sha256": model.sha256,
            "suggestion": model.suggestion,
        }
        for model in needs.missing_models
    ]
    return {"ready": needs.ready, "missing_models": models, "missing_nodes": list(needs.missing_nodes)}


def _needs_lines(needs: "Needs") -> Iterator[str]:
    if needs.ready:
        yield "ready"
    for name in needs.missing_nodes:
        yield f"node missing: {name}"
    for model in needs.missing_models:
        where = f"{model.directory}/{model.name}" if model.directory else model.name
        hints = [model.url, f"the pod has {model.suggestion}" if model.suggestion else ""]
        yield f"model missing: {where}" + "".join(f" ({hint})" for hint in hints if hint)
