"""An intent and the workflows at hand → which to offer first, and why."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from heapq import nsmallest

from comfydesk.intent.lexicon import words_of
from comfydesk.intent.match import Intent, Task
from comfydesk.intent.words import tokens

_WORD = re.compile(r"[^\W_]{2,}")
_SMALL = words_of(
    """
    an, the, this, that, these, those, my, your, our, its, it, is, are, be, of, in, on, at, to, into, from, with, for,
    by, and, or, as, me, we, us, you, some, any, all, one, two, please, can, could, want, need, like, so, up, out, over
    """
)
"""Words that name nothing."""


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


_OUTRIGHT = ""
"""Stands among the words of a candidate whose name says the task: a plain one, before those for special purposes."""
_NOTHING = frozenset({_OUTRIGHT})
_TASK_WORDS = {task.value: frozenset(name.casefold().split()) - _SMALL for task, name in TASK_NAMES.items()}


class Ranker:
    """Thousands of candidates, ready to be ranked within a millisecond: their words are taken apart once."""

    def __init__(self, candidates: Iterable[Candidate] = ()) -> None:
        self._known: dict[str, tuple[Candidate, frozenset[str]]] = {}
        self._by_type: dict[str, dict[str, None]] = {}
        for candidate in candidates:
            self.put(candidate)

    def put(self, candidate: Candidate) -> None:
        """Take it in, in place of what was known of the same id."""
        known = self._known.get(candidate.id)
        if known is not None and known[0] == candidate:
            return
        same = known is not None and (known[0].name, known[0].words) == (candidate.name, candidate.words)
        words = known[1] if known is not None and same else _words(f"{candidate.name} {candidate.words}")
        if not same and _TASK_WORDS.get(candidate.type, _NOTHING) <= _words(candidate.name):
            words |= {_OUTRIGHT}
        if known is not None and known[0].type != candidate.type:
            del self._by_type[known[0].type][candidate.id]
        self._known[candidate.id] = (candidate, words)
        self._by_type.setdefault(candidate.type, {})[candidate.id] = None

    def drop(self, id_: str) -> None:
        """It is gone. Unknown ones are fine."""
        known = self._known.pop(id_, None)
        if known is not None:
            del self._by_type[known[0].type][id_]

    def suggest(self, intent: Intent, limit: int = 8) -> tuple[Suggestion, ...]:
        """The best workflows for an intent: those of its task, ready first, then what it names, then what was used.

        Without a task the words alone decide, as in a search; nothing in common, nothing offered.
        """
        # Words that say what to do ("animate") are in the task already; names of models and styles are what is left.
        told = [token for token in tokens(intent.text) if not token.media and not token.acts and len(token.lemma) > 1]
        asked = ({token.lemma for token in told} | {token.word for token in told}) - _SMALL
        ids: Iterable[str] = self._known if intent.task is None else self._by_type.get(intent.task.value, {})
        scored = []
        for id_ in ids:
            candidate, words = self._known[id_]
            named = len(asked & words)
            if named or intent.task is not None:
                score = _score(candidate, named) + (0.6 if _OUTRIGHT in words else 0)
                scored.append((-score, -candidate.last_used, candidate.name, id_))
        best = nsmallest(limit, scored)
        return tuple(
            Suggestion(id_, -score, _why(intent, self._known[id_][0]), intent.subject) for score, _, _, id_ in best
        )


def suggest(intent: Intent, candidates: Iterable[Candidate], limit: int = 8) -> tuple[Suggestion, ...]:
    """See Ranker.suggest."""
    return Ranker(candidates).suggest(intent, limit)


def _words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text.casefold()))


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
