# ruff: noqa: RUF001 - typographic marks are what models write
"""What a model answered, made a prompt; or why it is none, in words for the user.

Models chat, quote, list, think aloud, repeat the question, run in circles and break off. What can be taken away is
taken away; what is left must be a prompt of about the right length and about the same thing. A refusal leaves the
original as it is.
"""

import itertools
import re
from dataclasses import dataclass

from comfydesk.llm.words.compose import Task
from comfydesk.llm.words.loops import cut_loops
from comfydesk.llm.words.unwrapping import unwrap

MAX_RAW = 12_000
"""Characters of an answer that are looked at."""


@dataclass(frozen=True, slots=True)
class Judged:
    """`text` None: no prompt, `why` says so in a line. `notes`: what was put right."""

    text: str | None
    why: str = ""
    notes: tuple[str, ...] = ()


_REFUSAL = re.compile(
    r"\A\W*(?:i(?:'m|’m| am) (?:sorry|unable|not able)|sorry,|i (?:can(?:no|['’])t|cannot|won['’]t)|as an ai|"
    r"i(?:'m|’m| am) an ai|unfortunately,? i|i apologi[sz]e)",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"[.!?…][\"'”’)]*(?=\s|\Z)|[。！？]")
_UNFINISHED = re.compile(
    r"(?:[,;:\-–(]|\b(?:and|or|with|of|the|a|an|in|on|to|from|by|for|its|his|her|their|as|at|into|while|is|are))\Z",
    re.IGNORECASE,
)
_COMMON = frozenset(
    {
        *("the", "and", "for", "its", "his", "her", "one", "two", "out", "are", "was", "has", "but", "not", "you"),
        *("with", "from", "that", "this", "into", "over", "under", "near", "some", "very", "more", "most", "image"),
        *("picture", "photo", "video", "make", "prompt", "please", "about", "their", "there", "where", "which"),
        *("while", "have", "when", "scene", "all", "old", "new", "big", "can", "who", "she", "him", "them", "they"),
    }
)
"""Words that say nothing of what a prompt is about."""
_ENOUGH = 3
"""So many words must tell what a prompt is about before an answer is measured by them."""
_GROWTH = 1.6
"""So many times as long a corrected text may be, and some words."""
_LETTERS = re.compile(r"[^\W\d_]")


def judge(task: Task, answer: str, *, cut_off: bool = False) -> Judged:
    """The prompt in `answer`, with its placeholders. `cut_off`: the server says that it ran into its length."""
    notes: list[str] = []
    text = unwrap(answer[:MAX_RAW], task)
    if not text:
        return Judged(None, "The model answered with nothing")
    if _REFUSAL.match(text):
        return Judged(None, f"The model declined: {text[:120]}")
    looped = cut_loops(text, tags=task.tags)
    if looped.broken:
        return Judged(None, "The model went round in circles")
    if looped.text != text:
        notes.append("Repetitions were taken out")
    text, cut = _shortened(task, looped.text, cut_off=cut_off or len(answer) > MAX_RAW)
    if not text:
        return Judged(None, "The answer broke off in its first sentence")
    if cut:
        notes.append(
            "What broke off, or was too long, was cut at the end of a sentence" if not task.tags else "Too long: cut"
        )
    why = _objection(task, text)
    return Judged(None, why) if why else Judged(text, notes=tuple(notes))


def _shortened(task: Task, text: str, *, cut_off: bool) -> tuple[str, bool]:
    """Within its limit and with a whole end, and whether something went."""
    parts = _parts(text, task)
    kept: list[str] = []
    count = 0
    for part in parts:
        count += len(part.split())
        if kept and count > task.limit:
            break
        kept.append(part)
    cut = len(kept) < len(parts)
    if not cut and kept and (cut_off or (not task.tags and _breaks_off(task, kept))):
        ended = bool(_SENTENCE.search(kept[-1].rstrip()[-3:])) and not task.tags
        if not ended:
            if len(kept) == 1 and cut_off:
                return "", True
            kept = kept[:-1] if len(kept) > 1 else [_UNFINISHED.sub("", kept[0].strip())]
            cut = True
    if kept and sum(len(part.split()) for part in kept) > task.limit * 2:
        return "", True  # one endless sentence
    return ("" if not task.tags else ",").join(kept).strip().rstrip(","), cut


def _breaks_off(task: Task, sentences: list[str]) -> bool:
    """The last one has no end: nobody who ends the others with a full stop leaves it out there."""
    last = re.sub(r"(?:<k\d+/>[\s,]*)+\Z", "", sentences[-1].strip()).strip()
    if _UNFINISHED.search(last):
        return True
    return bool(last) and len(sentences) > 1 and not task.plain and not _SENTENCE.search(last[-3:])


def _parts(text: str, task: Task) -> list[str]:
    """Tags, or sentences with their blanks."""
    if task.tags:
        return [part for part in text.split(",") if part.strip()]
    ends = [match.end() for match in _SENTENCE.finditer(text)]
    edges = [0, *ends] if ends and not text[ends[-1] :].strip() else [0, *ends, len(text)]
    return [text[start:end] for start, end in itertools.pairwise(edges) if text[start:end].strip()]


def _objection(task: Task, text: str) -> str:
    """Why it is no good all the same; empty if it is."""
    from_words, to_words = _content(task.masked.words), _content(text)
    plain = re.sub(r"<[^<>]*>", " ", text)
    if len(plain.split()) == 0 and task.masked.words:
        return "The model answered with nothing"
    latin, foreign = _scripts(plain)
    if foreign > latin and (task.translate or not task.plain):
        before_latin, before_foreign = _scripts(task.masked.words)
        if task.translate:
            return "The model did not translate it into English"
        if before_latin >= before_foreign:
            return "The model answered in another language"
    if task.image is not None or _scripts(task.masked.words)[1] > 0 or task.translate:
        return ""
    if len(from_words) >= _ENOUGH and not _shared(from_words, to_words):
        return "The model wrote about something else"
    if task.plain and len(plain.split()) > _GROWTH * len(task.masked.words.split()) + 6:
        return "The model added to it, which it was not to"
    return ""


def _content(text: str) -> set[str]:
    return {word for word in re.findall(r"[^\W\d_]{3,}", text.casefold()) if word not in _COMMON}


def _shared(one: set[str], other: set[str]) -> bool:
    """A word in common, or its stem."""
    stems = {word[:5] for word in other}
    return any(word[:5] in stems for word in one)


def _scripts(text: str) -> tuple[int, int]:
    """How many letters are Latin, and how many are not."""
    letters = _LETTERS.findall(text)
    latin = sum(1 for letter in letters if letter < "\u0250")
    return latin, len(letters) - latin
