"""Where workflows come from, and opening one: parse, convert, form, needs. CPU work: call it in a worker thread."""

import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import BinaryIO

from comfydesk.errors import GraphError, one_line
from comfydesk.session.values import OpenWorkflow, WorkflowEntry
from comfydesk.store.workflows import document_hash
from comfydesk.workflow.add_lora import why_not
from comfydesk.workflow.blueprint import made_to_run
from comfydesk.workflow.catalog import Catalog
from comfydesk.workflow.convert import to_api
from comfydesk.workflow.embedded import extract
from comfydesk.workflow.form import build_form
from comfydesk.workflow.graph import ApiGraph, UiGraph
from comfydesk.workflow.limits import MAX_BYTES
from comfydesk.workflow.needs import Needs, check
from comfydesk.workflow.parse import parse_workflow
from comfydesk.workflow.scan import card_of_broken, scan

BUNDLED = "bundled"
MAX_TITLE = 120


def parse_source(source: Path | bytes, file_name: str) -> UiGraph | ApiGraph:
    """The graph in a workflow file, or in a picture, video or sound that carries one.

    The canvas' own document is preferred to the API graph. Raises GraphError.
    """
    if isinstance(source, bytes):
        return _parse(io.BytesIO(source), file_name)
    try:
        with source.open("rb") as file:
            return _parse(file, file_name)
    except OSError as error:
        what = f"{file_name} cannot be read"
        raise GraphError(what, f"{source}: {error.strerror}") from error


def _parse(file: BinaryIO, file_name: str) -> UiGraph | ApiGraph:
    is_json = file.read(64).lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"[") or file_name.lower().endswith(".json")
    file.seek(0)
    if is_json:
        return parse_workflow(file.read(MAX_BYTES + 1))  # one more than the parser takes: it says so
    found = extract(file, file_name)
    text = found.workflow or found.prompt
    if text is None:
        what = f"{file_name} carries no workflow"
        raise GraphError(what, "", "ComfyUI writes it into the files it saves; editing or sending one often removes it")
    return parse_workflow(text)


def open_source(source: Path | bytes, file_name: str, catalog: Catalog | None, entry_id: str = "") -> OpenWorkflow:
    """Everything about a workflow that the panel needs. Raises GraphError, which names the file, for what is none."""
    try:
        graph = parse_source(source, file_name)
    except GraphError as error:
        raise named(file_name, error) from error
    document = graph.raw if isinstance(graph, UiGraph) else graph.to_json()
    return prepare(graph, title_of(graph, file_name), entry_id or f"file:{document_hash(document)[:32]}", catalog)


def named(file_name: str, error: GraphError) -> GraphError:
    """`error` with the name of the file in its headline."""
    if not file_name or file_name in error.what:
        return error
    why = ". ".join(part.rstrip(".") for part in (error.what, error.why) if part)
    return GraphError(f"{one_line(file_name)} cannot be opened", why, error.advice)


def title_of(graph: UiGraph | ApiGraph, file_name: str) -> str:
    """What people call it: the title that our own workflows carry, else the file's name without its underscores."""
    words = graph.extra.get("comfydesk") if isinstance(graph, UiGraph) else None
    title = words.get("title") if isinstance(words, Mapping) else None
    stem = Path(file_name).stem.replace("_", " ")
    return one_line(title)[:MAX_TITLE] if isinstance(title, str) and title.strip() else one_line(stem)


def prepare(graph: UiGraph | ApiGraph, name: str, identity: str, catalog: Catalog | None) -> OpenWorkflow:
    """A parsed workflow against a pod's catalog; again when the catalog has changed."""
    if catalog is None:
        return OpenWorkflow(identity, name, graph, graph if isinstance(graph, ApiGraph) else None)
    try:
        if isinstance(graph, UiGraph):
            graph = made_to_run(graph, catalog)
    except GraphError as error:
        return OpenWorkflow(identity, name, graph, needs=check(graph, catalog), problem=error)
    needs = check(graph, catalog)
    try:
        api = to_api(graph, catalog)
        form = build_form(graph, catalog, api=api)
        return OpenWorkflow(identity, name, graph, api, form, needs, no_lora=why_not(graph, catalog))
    except GraphError as error:
        return OpenWorkflow(identity, name, graph, needs=needs, problem=error)


def needs_of(source: Path | bytes, file_name: str, catalog: Catalog) -> Needs | None:
    """What the pod lacks for that workflow; None if it is none."""
    try:
        return check(parse_source(source, file_name), catalog)
    except GraphError:
        return None


def scan_folder(folder: Path, source: str, catalog: Catalog | None) -> tuple[WorkflowEntry, ...]:
    """A card for every workflow file below `folder`; a broken file is a card that says why."""
    return tuple(scan_file(path, folder, source, catalog) for path in _files(folder))


def scan_file(path: Path, folder: Path, source: str, catalog: Catalog | None) -> WorkflowEntry:
    """One file's card. Never raises for what is in the file."""
    return _entry(path, path.relative_to(folder).as_posix(), source, catalog, path)


def _entry(data: Path | bytes, name: str, source: str, catalog: Catalog | None, path: Path | None) -> WorkflowEntry:
    file_name = name.rpartition("/")[2]
    try:
        graph = parse_source(data, file_name)
        card = scan(graph, catalog, file_name=file_name)
        title = title_of(graph, file_name)
    except GraphError as error:
        card = card_of_broken(file_name, error)
        title = card.name
    return WorkflowEntry(f"{source}/{name}", title, source, card, path)


def _files(folder: Path) -> Iterable[Path]:
    try:
        return sorted(path for path in folder.rglob("*.json") if path.is_file() and not path.name.startswith("."))
    except OSError:
        return ()
