"""`comfydesk workflows`: the cards of what can be opened: saved on the pod, official templates, local folders."""

import argparse
import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from comfydesk.cli.context import Context, Subparsers

if TYPE_CHECKING:
    from comfydesk.session.values import WorkflowEntry
    from comfydesk.workflow.needs import Needs

PATIENCE = 30.0


def register(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser(
        "workflows",
        help="the workflows one can choose from, as cards",
        description="List the workflows that come along, those of your folders and, with --pod, the pod's own.",
        epilog="examples:\n  comfydesk workflows --type t2v\n  comfydesk workflows --pod mine --search portrait --json",
    )
    parser.add_argument("--type", metavar="T", default="", help="t2i, i2i, t2v, i2v, v2v, upscale, audio, 3d, text")
    parser.add_argument("--input", metavar="I", default="", help="what goes in: text, image, video, audio, 3d")
    parser.add_argument("--output", metavar="O", default="", help="what comes out")
    parser.add_argument("--search", metavar="S", default="", help="words of the name, description, models or nodes")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, context: Context) -> int:
    entries, needs = asyncio.run(_read(context))
    found = [entry for entry in entries if _passes(entry, args)]
    if context.json:
        context.emit_json({"workflows": [_json(entry, needs.get(entry.id)) for entry in found]})
        return 0
    for entry in found:
        context.emit(_line(entry, needs.get(entry.id)))
    return 0


async def _read(context: Context) -> "tuple[tuple[WorkflowEntry, ...], Mapping[str, Needs]]":
    """All of them; with a pod, what that one has too, and what it lacks for each."""
    from comfydesk.cli.pods import session_on_pod
    from comfydesk.session.session import Session

    if not context.pod:
        async with Session(context.paths, context.settings, guard=False) as session:
            return await session.shelves.complete(), {}
    async with session_on_pod(context) as session:
        await session.wait_catalog(PATIENCE, fresh=True)
        entries = await session.shelves.complete()
        return entries, await session.shelves.readiness(entries, session.catalog)


def _passes(entry: "WorkflowEntry", args: argparse.Namespace) -> bool:
    card = entry.card
    if (args.type and card.type != args.type) or (args.input and args.input not in card.input_types):
        return False
    if args.output and args.output not in card.output_types:
        return False
    models = (model.name for model in card.required_models)
    parts = (entry.name, card.description, *models, *card.model_files, *card.node_types, *entry.tags)
    text = "\n".join(parts).casefold()
    return all(word in text for word in args.search.casefold().split())


def _json(entry: "WorkflowEntry", needs: "Needs | None") -> dict[str, Any]:
    card = entry.card
    return {
        "id": entry.id,
        "name": entry.name,
        "source": entry.source,
        "file": str(entry.path) if entry.path is not None else None,
        "description": card.description,
        "category": card.category,
        "type": card.type,
        "input_types": list(card.input_types),
        "output_types": list(card.output_types),
        "required_models": [
            {"name": model.name, "directory": model.directory, "url": model.url, "sha256": model.sha256}
            for model in card.required_models
        ],
        "size": entry.size or None,
        "tags": list(entry.tags),
        "ready": None if needs is None else needs.ready,
        "missing_models": None if needs is None else [model.name for model in needs.missing_models],
        "missing_nodes": None if needs is None else list(needs.missing_nodes),
        "error": card.error or None,
    }


def _line(entry: "WorkflowEntry", needs: "Needs | None") -> str:
    state = ""
    if entry.card.error:
        state = f": {entry.card.error}"
    elif needs is not None:
        lacking = len(needs.missing_models) + len(needs.missing_nodes)
        state = ": ready" if needs.ready else f": {lacking} missing" if lacking else ": cannot run as it is"
    return f"{entry.name} ({entry.card.type or 'other'}, {entry.source}){state}"
