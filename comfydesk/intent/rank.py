"""An intent and the workflows at hand → which to offer first, and why."""

from collections.abc import Iterable
from dataclasses import dataclass

from comfydesk.intent.match import Intent, Task
from comfydesk.intent.words import tokens


@dataclass(frozen=True, slots=True)
class Candidate:
    """What ranking needs to know of a workflow. `ready` None: no pod to ask."""

    id: str
    name: str
    type: str
    """Task type of its card: t2i, i2v …"""
    input_types: tuple[str, ...] = ()
    ready: bool | None = None
    favourite: bool = False
    last_used: float = 0
    """Seconds since the epoch; 0 never."""
    words: str = ""
    """More to find it by: description, models."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    id: str
    score: float
    why: str
    prompt: str
    """What opening it puts into the prompt field."""


TASK_NAMES = {
    Task.T2I: "Image from text",
    Task.I2I: "Edit image",
    Task.T2V: "Video from text",
    Task.I2V: "Image to video",
    Task.V2V: "Video to video",
    Task.UPSCALE: "Upscale",
    Task.AUDIO: "Generate audio",
    Task.MODEL3D: "3D model",
}


def suggest(intent: Intent, candidates: Iterable[Candidate], limit: int = 8) -> tuple[Suggestion, ...]:
    """The best workflows for an intent: those of its task, ready first, then what it names, then what was used.

    Without a task the words alone decide, as in a search; nothing in common, nothing offered.
    """
    # Words that say what to do ("animate") are in the task already; names of models and styles are what is left.
    asked = {
        token.lemma for token in tokens(intent.text) if not token.media and not token.acts and len(token.lemma) > 1
    }
    scored = []
    for candidate in candidates:
        fits = intent.task is not None and candidate.type == intent.task.value
        named = asked & {token.lemma for token in tokens(f"{candidate.name} {candidate.words}")}
        if intent.task is not None and not fits:
            continue
        if intent.task is None and not named:
            continue
        score = _score(candidate, len(named))
        scored.append((score, candidate.last_used, candidate.name, candidate))
    scored.sort(key=lambda row: (-row[0], -row[1], row[2]))
    return tuple(Suggestion(c.id, score, _why(intent, c), intent.subject) for score, _, _, c in scored[:limit])


def _score(candidate: Candidate, named: int) -> float:
    ready = {True: 4.0, None: 2.0, False: 0.0}[candidate.ready]
    return ready + 0.8 * min(named, 4) + (1.0 if candidate.favourite else 0) + (0.5 if candidate.last_used else 0)


def _why(intent: Intent, candidate: Candidate) -> str:
    parts = [TASK_NAMES[intent.task] if intent.task else "Matches your words"]
    if candidate.favourite:
        parts.append("a favourite")
    if candidate.last_used:
        parts.append("used before")
    return ", ".join(parts)
