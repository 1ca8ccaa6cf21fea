"""`comfydesk enhance`: a prompt made better by a language model."""

import argparse
import asyncio
import os
import sys
from contextlib import AsyncExitStack, aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from comfydesk.cli.context import Context, Subparsers
from comfydesk.errors import KnownError, LlmAnswerError, LlmNotReadyError, UsageError

if TYPE_CHECKING:
    from comfydesk.llm.engine import Engine
    from comfydesk.session.enhancement.values import Choice, EnhanceRequest, Refused, Result
    from comfydesk.session.session import Session

KEY = "COMFYDESK_LLM_KEY"
ENGINES = ("local", "pod", "endpoint")
MAX_IMAGE = 32 << 20

EXAMPLES = """examples:
  comfydesk enhance "a fox in the snow" --style cinematic --family flux
  comfydesk enhance "a fox, <lora:ink:0.8>" --for picture.json --engine pod --pod mine --count 3
  COMFYDESK_LLM_KEY=… comfydesk enhance - --engine https://llm.example.org/v1 < prompt.txt

What stands in <…>, (…:1.2), {a|b}, __name__ or quotes comes back as it is. --engine is this computer's model (local),
the pod's text encoder (pod), the endpoint of the pod's profile or of the settings (endpoint), or an address; the key
of an address is read from COMFYDESK_LLM_KEY or the keyring. Without it: the first of these that can be used."""


def register(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser(
        "enhance",
        help="make a prompt better with a language model",
        description="Improve a prompt in a style and in the dialect of a model family, and print it.",
        epilog=EXAMPLES,
    )
    parser.add_argument("prompt", metavar="PROMPT", help='"-" reads it from stdin')
    parser.add_argument("--style", default=None, help="detailed, cinematic, artistic, minimal, or one of yours")
    parser.add_argument("--family", default="", metavar="F", help="sdxl, illustrious, flux, wan, ltx, edit, …")
    parser.add_argument("--for", type=Path, dest="workflow", metavar="FILE", help="a workflow that says which family")
    parser.add_argument("--engine", metavar="local|pod|endpoint|URL", help="default: the first that can be used")
    parser.add_argument("--model", default="", help="the model of an endpoint (default: its first)")
    parser.add_argument("--length", choices=("auto", "short", "medium", "long"), default=None)
    parser.add_argument("--count", type=int, default=1, metavar="N", help="variants, at most 8")
    parser.add_argument("--seed", type=int, metavar="N", help="of the first variant")
    parser.add_argument("--negative", action="store_true", help="it is a negative prompt")
    parser.add_argument("--translate", action="store_true", help="into English")
    parser.add_argument("--image", type=Path, metavar="FILE", help="describe this picture (PROMPT: what matters)")
    parser.add_argument("--lock", action="append", default=[], metavar="PHRASE", help="words that must stay")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, context: Context) -> int:
    """0 when there is at least one better prompt."""
    from comfydesk.cli import follow

    return follow.run(_enhance(args, context))


async def _enhance(args: argparse.Namespace, context: Context) -> int:
    from comfydesk.session.session import Session

    text = await asyncio.to_thread(sys.stdin.read) if args.prompt == "-" else args.prompt
    image = None if args.image is None else await asyncio.to_thread(_picture, args.image)
    async with AsyncExitStack() as pods, AsyncExitStack() as stack:
        session = Session(context.paths, context.settings, guard=False)
        await session.start(resume=False)
        stack.push_async_callback(session.close)
        choice, engine = await _engine(session, args, context, pods)
        request = await _request(session, args, context, text.strip(), image, choice)
        done: dict[int, Result | Refused] = {}
        async with aclosing(session.enhancer.enhance(request, engine)) as events:
            async for event in events:
                _take(event, done, context)
        return _report([done[number] for number in sorted(done)], context)


async def _engine(
    session: "Session", args: argparse.Namespace, context: Context, stack: AsyncExitStack
) -> "tuple[Choice | None, Engine | None]":
    """What is asked. Connects to the pod only where that is needed. Raises UsageError, PodError."""
    from comfydesk.cli.pods import PATIENCE, connect, pod_named
    from comfydesk.session.enhancement.values import Choice
    from comfydesk.settings import DEFAULT_POD

    wanted: str | None = args.engine
    if wanted is not None and wanted not in ENGINES:
        if not any(mark in wanted for mark in ".:/"):
            what = f"There is no engine {wanted[:60]!r}"
            raise UsageError(what, "", "Give local, pod, endpoint, or the address of a server")
        return None, await session.engines.at(wanted, await _key(session, wanted, context), args.model)
    if wanted == Choice.LOCAL:
        return Choice.LOCAL, None
    named = bool(context.pod or context.settings.get(DEFAULT_POD))
    if wanted is None and not named:
        return None, None
    if wanted is None and (await session.engines.local.ready()).ok:
        return Choice.LOCAL, None
    if named or wanted == Choice.POD:
        await connect(session, pod_named(context), context, stack)
        await session.wait_catalog(PATIENCE)
    return None if wanted is None else Choice(wanted), None


async def _key(session: "Session", url: str, context: Context) -> Any:
    """The endpoint's key: the environment's; the keyring's only for the endpoint that it was stored for."""
    from comfydesk.credentials import Secret, llm_item
    from comfydesk.llm.address import endpoint_url
    from comfydesk.session.enhancement.engines import SETTINGS_KEY
    from comfydesk.settings import ENHANCE_ENDPOINT

    if os.environ.get(KEY):
        return Secret(os.environ[KEY])
    stored = context.settings.get(ENHANCE_ENDPOINT)
    if stored and urlsplit(endpoint_url(stored))[:2] == urlsplit(endpoint_url(url))[:2]:
        return await session.profiles.vault.get(llm_item(SETTINGS_KEY))
    return None


async def _request(
    session: "Session",
    args: argparse.Namespace,
    context: Context,
    text: str,
    image: bytes | None,
    choice: "Choice | None",
) -> "EnhanceRequest":
    from comfydesk.llm.words.values import Length
    from comfydesk.session.enhancement.values import EnhanceRequest
    from comfydesk.settings import ENHANCE_LENGTH, ENHANCE_STYLE

    family = args.family
    if args.workflow is not None and not family:
        family = session.enhancer.family_of(await session.open_workflow(args.workflow))
        context.note(f"model family: {family}")
    return EnhanceRequest(
        text=text,
        style=args.style or context.settings.get(ENHANCE_STYLE),
        family=family,
        negative=args.negative,
        length=Length(args.length or context.settings.get(ENHANCE_LENGTH)),
        count=args.count,
        translate=args.translate,
        image=image,
        locked=tuple(args.lock),
        seed=args.seed,
        engine=choice,
    )


def _take(event: Any, done: "dict[int, Result | Refused]", context: Context) -> None:
    from comfydesk.session.enhancement.values import Again, Finished, Refused

    match event:
        case Again():
            context.note(f"{event.why}: asked once more")
        case Finished():
            done[event.variant] = event.result
            for line in event.result.repaired:
                context.note(line)
        case Refused():
            done[event.variant] = event


def _report(ends: "list[Result | Refused]", context: Context) -> int:
    """Print the variants. Raises LlmError if there is none: the original stays."""
    from comfydesk.session.enhancement.values import Refused, Result

    results = [end for end in ends if isinstance(end, Result)]
    refused = [end for end in ends if isinstance(end, Refused)]
    if not results:
        raise _error(refused[0])
    for end in refused:
        context.note(f"comfydesk: {end.why}")
    if context.json:
        documents = [_document(result) for result in results]
        context.emit_json(documents[0] | ({"variants": documents} if len(documents) > 1 else {}))
        return 0
    for number, result in enumerate(results):
        if number:
            context.emit("")
        context.emit(result.enhanced)
        speed = f", {result.tokens_per_second:.0f} tokens/s" if result.tokens_per_second else ""
        context.note(f"{result.engine}, {result.model}: {result.seconds:.1f} s{speed}")
    return 0


def _error(refused: "Refused") -> KnownError:
    kind = LlmNotReadyError if refused.action else LlmAnswerError
    return kind(refused.why)


def _document(result: "Result") -> dict[str, Any]:
    return {
        "original": result.original,
        "enhanced": result.enhanced,
        "style": result.style,
        "family": result.family,
        "engine": result.engine,
        "model": result.model,
        "kept": list(result.kept),
        "repaired": list(result.repaired),
        "seed": result.seed,
        "seconds": round(result.seconds, 3),
    }


def _picture(path: Path) -> bytes:
    """A picture for the model. Raises UsageError."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_IMAGE + 1)
    except OSError as error:
        what = f"{path} cannot be read"
        raise UsageError(what, error.strerror or "") from error
    if len(data) > MAX_IMAGE:
        what = f"{path.name} is too large"
        raise UsageError(what, f"over {MAX_IMAGE >> 20} MB")
    return data
