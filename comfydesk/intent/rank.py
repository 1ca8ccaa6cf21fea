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


_NOTHING = frozenset({""})
# A workflow whose name says the task is a plain one: it comes before those for special purposes.
_TASK_WORDS = {task.value: frozenset(name.casefold().split()) - _SMALL for task, name in TASK_NAMES.items()}


@dataclass(frozen=True, slots=True)
class _Known:
    candidate: Candidate
    words: frozenset[str]
    key: tuple[float, float, str, str]
    """Where it stands among others when a sentence names none of its words: the least is the best."""


class Ranker:
    """Thousands of candidates, ready to be ranked within milliseconds: their words are taken apart once."""

    def __init__(self, candidates: Iterable[Candidate] = ()) -> None:
        self._known: dict[str, _Known] = {}
        self._by_type: dict[str, dict[str, _Known]] = {}
        for candidate in candidates:
            self.put(candidate)

    def put(self, candidate: Candidate) -> None:
        """Take it in, in place of what was known of the same id."""
        before = self._known.get(candidate.id)
        if before is not None and before.candidate == candidate:
            return
        text = (candidate.name, candidate.words, candidate.type)
        old = before.candidate if before is not None else None
        same = old is not None and (old.name, old.words, old.type) == text
        words = before.words if before is not None and same else _words(f"{candidate.name} {candidate.words}")
        outright = _TASK_WORDS.get(candidate.type, _NOTHING) <= _words(candidate.name)
        key = (-_score(candidate) - (0.6 if outright else 0.0), -candidate.last_used, candidate.name, candidate.id)
        self.drop(candidate.id)
        known = self._known[candidate.id] = _Known(candidate, words, key)
        self._by_type.setdefault(candidate.type, {})[candidate.id] = known

    def drop(self, id_: str) -> None:
        """It is gone. Unknown ones are fine."""
        known = self._known.pop(id_, None)
        if known is not None:
            del self._by_type[known.candidate.type][id_]

    def count(self, task: Task) -> int:
        """How many do that."""
        return len(self._by_type.get(task.value, ()))

    def suggest(self, intent: Intent, limit: int = 8) -> tuple[Suggestion, ...]:
        """The best workflows for an intent: those of its task, ready first, then what it names, then what was used.

        Without a task the words alone decide, as in a search; nothing in common, nothing offered.
        """
        # Words that say what to do ("animate") are in the task already; names of models and styles are what is left.
        told = [token for token in tokens(intent.text) if not token.media and not token.acts and len(token.lemma) > 1]
        asked = ({token.lemma for token in told} | {token.word for token in told}) - _SMALL
        of_task = None if intent.task is None else self._by_type.get(intent.task.value, {})
        keys = []
        for known in (self._known if of_task is None else of_task).values():
            named = len(asked & known.words) if not asked.isdisjoint(known.words) else 0
            if named:
                score, used, name, id_ = known.key
                keys.append((score - 0.8 * min(named, 4), used, name, id_))
            elif of_task is not None:
                keys.append(known.key)
        best = nsmallest(limit, keys)
        return tuple(
            Suggestion(id_, -score, _why(intent, self._known[id_].candidate), intent.subject)
            for score, _, _, id_ in best
        )


def suggest(intent: Intent, candidates: Iterable[Candidate], limit: int = 8) -> tuple[Suggestion, ...]:
    """See Ranker.suggest."""
    return Ranker(candidates).suggest(intent, limit)


def _words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text.casefold()))


def _score(candidate: Candidate) -> float:
    ready = {True: 4.0, None: 2.0, False: 0.0}[candidate.ready]
    return ready + (1.0 if candidate.favourite else 0) + (0.5 if candidate.last_used else 0)


def _why(intent: Intent, candidate: Candidate) -> str:
    parts = [TASK_NAMES[intent.task] if intent.task else "Matches your words"]
    if candidate.favourite:
        parts.append("a favourite")
    if candidate.last_used:
        parts.append("used before")
    return ", ".join(parts)
