"""`comfydesk intent`: what a sentence asks for, and which bundled workflows do it."""

import argparse
import sys
from collections.abc import Iterable, Iterator
from typing import Any

from comfydesk.cli.context import Context, Subparsers
from comfydesk.intent.match import Intent, understand
from comfydesk.intent.rank import Candidate, suggest
from comfydesk.paths import resources


def register(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser(
        "intent",
        help="what a sentence asks for: image, video, sound, 3D, upscaling",
        description="Tell what a sentence asks for, its subject, and which of the bundled workflows do it.",
        epilog='examples:\n  comfydesk intent "turn this image into a video"',
    )
    parser.add_argument("sentences", nargs="+", metavar="SENTENCE", help='"-" reads one sentence a line from stdin')
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, context: Context) -> int:
    candidates = _bundled()
    answers = [_answer(understand(sentence), candidates) for sentence in _sentences(args.sentences)]
    if context.json:
        context.emit_json(answers)
        return 0
    for answer in answers:
        found = f"{answer['type']} ({answer['confidence']:.0%})" if answer["matched"] else "no task"
        subject = f", prompt: {answer['subject']}" if answer["subject"] else ""
        context.emit(f"{answer['text']}: {found}{subject}")
    return 0


def _sentences(arguments: Iterable[str]) -> Iterator[str]:
    for argument in arguments:
        if argument == "-":
            yield from (line.rstrip("\r\n") for line in sys.stdin)
        else:
            yield argument


def _bundled() -> tuple[Candidate, ...]:
    from comfydesk.session.shelves.reading import BUNDLED, scan_folder

    cards = [entry.card for entry in scan_folder(resources() / "workflows", BUNDLED, None)]
    return tuple(Candidate(card.id, card.name, card.type or "", card.input_types) for card in cards)


def _answer(intent: Intent, candidates: Iterable[Candidate]) -> dict[str, Any]:
    names = {candidate.id: candidate.name for candidate in candidates}
    return {
        "text": intent.text,
        "matched": intent.matched,
        "type": intent.task.value if intent.task else None,
        "confidence": round(intent.confidence, 2),
        "input_types": list(intent.input_types),
        "output_types": list(intent.output_types),
        "subject": intent.subject,
        "suggestions": [names[suggestion.id] for suggestion in suggest(intent, candidates)],
    }
