"""`comfydesk llm`: the language models of this computer that improve prompts. And `llm-child`, for itself."""

import argparse
import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from comfydesk.cli import llm_pod
from comfydesk.cli.context import Context, Subparsers

if TYPE_CHECKING:
    from comfydesk.llm.fetch import Progress
    from comfydesk.llm.models import CuratedModel
    from comfydesk.llm.shelf import Shelf

FOLDER = "llm"
"""Below the data folder."""
_EXAMPLES = """examples:
  comfydesk llm                        what there is, and what this computer has the memory for
  comfydesk llm download qwen3.5-2b    again after a break: it goes on where it stopped
  comfydesk llm add ~/models/my.gguf   use a file where it lies

HF_ENDPOINT names another hub; HF_TOKEN, or the token that "comfydesk llm token" keeps, is sent to it and nowhere
else."""


def register(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser(
        "llm",
        help="the language models of this computer",
        description="Language models that improve prompts on this computer: list, download, remove.",
        epilog=_EXAMPLES,
    )
    parser.set_defaults(run=run, act=_models)
    actions = parser.add_subparsers(metavar="ACTION")
    for name, act, argument, words in _ACTIONS:
        action = actions.add_parser(name, help=words)
        if argument:
            action.add_argument("what", metavar=argument)
        action.set_defaults(run=run, act=act)
    llm_pod.register(actions)
    child = subparsers.add_parser("llm-child", description="For ComfyDesk itself: serves a model that stdin names.")
    child.set_defaults(run=_child)


def run(args: argparse.Namespace, context: Context) -> int:
    """See cli.md."""
    from comfydesk.llm.shelf import Shelf

    act: Callable[[argparse.Namespace, Context, Shelf], int] = args.act
    return act(args, context, Shelf(context.paths.data / FOLDER))


def _child(args: argparse.Namespace, context: Context) -> int:
    del args, context
    from comfydesk.llm.child import main

    return main()


def _models(args: argparse.Namespace, context: Context, shelf: "Shelf") -> int:
    del args
    from comfydesk.llm.models import CURATED
    from comfydesk.settings import LLM_CONTEXT

    tokens = context.settings.get(LLM_CONTEXT)
    there = {model.id: model for model in shelf.models()}
    listed = [_described(model, shelf, tokens) for model in CURATED]
    added = (model for model in there.values() if model.curated is None)
    listed += [{"id": one.id, "title": one.title, "size": one.size, "path": str(one.path)} for one in added]
    if context.json:
        context.emit_json({"models": listed})
        return 0
    for entry in listed:
        state = (
            "here" if entry.get("path") else f"{100 * entry['partial'] // entry['size']} %" if entry["partial"] else ""
        )
        size = f"{entry['size'] / 1e9:4.1f} GB"
        facts = f"{entry.get('speed', ''):7} {entry.get('fit', ''):10} {entry.get('licence', '')}"
        context.emit(f"{state:5} {entry['id']:24} {size}  {facts}".rstrip())
    if not there:
        context.note("None is here yet. Download one: comfydesk llm download qwen3.5-4b")
    return 0


def _described(model: "CuratedModel", shelf: "Shelf", tokens: int) -> dict[str, Any]:
    from comfydesk.llm.models import fit, memory_of_this_computer

    target, part = shelf.target(model), shelf.part(model)
    needed = model.memory(min(tokens, model.context))
    return {
        "id": model.id,
        "title": model.title,
        "size": model.size,
        "licence": model.licence,
        "context": model.context,
        "memory": needed,
        "fit": fit(needed, memory_of_this_computer()).value,
        "speed": model.speed.value,
        "words": model.words,
        "path": str(target) if target.is_file() else None,
        "partial": part.stat().st_size if part.is_file() else 0,
    }


def _download(args: argparse.Namespace, context: Context, shelf: "Shelf") -> int:
    from comfydesk.llm.fetch import fetch
    from comfydesk.llm.models import curated

    model = curated(args.what)
    hub = asyncio.run(llm_pod.hub())
    context.note(f"{model.title}, {model.size / 1e9:.1f} GB, {model.licence}, from {hub.name}")
    path = asyncio.run(fetch(model, shelf.target(model), hub, on_progress=_teller(context)))
    return _tell(context, model.id, path)


def _remove(args: argparse.Namespace, context: Context, shelf: "Shelf") -> int:
    gone = shelf.remove(args.what)
    if context.json:
        context.emit_json({"id": args.what, "removed": gone is not None})
    elif gone is None:
        context.emit("There was nothing of it")
    elif gone.curated is None:
        context.emit(f"{gone.path} is used no more; the file stays")
    else:
        context.emit(f"{gone.path} was deleted")
    return 0


def _add(args: argparse.Namespace, context: Context, shelf: "Shelf") -> int:
    model = shelf.add(Path(args.what))
    return _tell(context, model.id, model.path)


def _status(args: argparse.Namespace, context: Context, shelf: "Shelf") -> int:
    """0 when a question would be answered, else 1."""
    del args
    from comfydesk.llm.local import LocalEngine, LocalSetup
    from comfydesk.llm.models import memory_of_this_computer
    from comfydesk.llm.process import find_program, has_package
    from comfydesk.settings import LLM_MODEL, LLM_PROGRAM

    async def ask() -> Any:
        path, title = (model.path, model.title) if model else (None, "")
        setup = LocalSetup(path, title, context.settings.get(LLM_PROGRAM))
        return await LocalEngine(lambda: setup).ready()

    model = shelf.find(context.settings.get(LLM_MODEL))
    readiness = asyncio.run(ask())
    program = ""
    if readiness.ok:
        program = find_program(context.settings.get(LLM_PROGRAM)) or "llama-cpp-python"
    memory = memory_of_this_computer()
    if context.json:
        document = {"ready": readiness.ok, "words": readiness.words, "model": model and model.id, "program": program}
        facts = {"package": has_package(), "memory": memory.total, "memory_available": memory.available}
        context.emit_json(document | facts)
    else:
        context.emit(f"{readiness.words}{f' ({program})' if program else ''}")
    return 0 if readiness.ok else 1


def _tell(context: Context, model_id: str, path: Path) -> int:
    if context.json:
        context.emit_json({"id": model_id, "path": str(path)})
    else:
        context.emit(f"{model_id}  {path}")
    return 0


def _teller(context: Context) -> "Callable[[Progress], None]":
    """A line that is written over on a terminal, else one for each tenth."""
    last = [-1]
    terminal = context.stderr.isatty()

    def tell(progress: "Progress") -> None:
        tenth = progress.done * (1000 if terminal else 10) // progress.total
        if tenth == last[0]:
            return
        last[0] = tenth
        speed = f", {progress.speed / 1e6:.1f} MB/s" if progress.speed else ""
        left = f", {progress.left / 60:.0f} min left" if progress.left and progress.left >= 60 else ""
        line = f"{progress.done / 1e9:.2f} of {progress.total / 1e9:.2f} GB{speed}{left}"
        if terminal:
            context.stderr.write(f"\r\x1b[K{line}" + ("\n" if progress.done == progress.total else ""))
            context.stderr.flush()
        else:
            context.note(line)

    return tell


_ACTIONS = (
    ("models", _models, "", "all there are, and whether this computer has the memory"),
    ("download", _download, "ID", "fetch one; what is there already is not fetched again"),
    ("remove", _remove, "ID", "delete a downloaded one, or forget an added file"),
    ("add", _add, "FILE", "use a GGUF file that is on this computer"),
    ("status", _status, "", "whether prompts can be improved on this computer, and what is missing"),
)
