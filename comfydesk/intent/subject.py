"""What of a sentence belongs in the prompt: "a picture of a red bicycle" → "a red bicycle"."""

from comfydesk.intent.frame import Frame, Role
from comfydesk.intent.lexicon import Act
from comfydesk.intent.words import plain

_ABOUT = frozenset({"of", "about", "showing", "depicting", "featuring", "where", "containing"})
_KEEP = frozenset({"with", "in", "for", "at", "on", "that", "like"})
_FOR_WHOM = frozenset({"me", "us"})
_SOURCE = frozenset({"from", "using", "into", "based"})


def subject_of(sentence: str, seen: Frame) -> str:
    """The words that say what shall be seen or heard; "" where the sentence names a task and nothing else.

    An edit keeps its whole sentence: that is the instruction.
    """
    text = plain(sentence).strip()
    if seen.does(Act.EDIT, Act.RETOUCH) and any(mention.role is Role.HAVE for mention in seen.mentions):
        return text
    head = next((mention for mention in seen.mentions if mention.role is not Role.SUBJECT), None)
    if head is None:
        return _after_verb(sentence, seen) or _after_about(sentence, seen)
    tokens = seen.tokens
    for at in range(head.at + 1, len(tokens)):
        word = tokens[at].word
        if word in _ABOUT:
            return _until_source(sentence, seen, at + 1)
        if word in _KEEP:
            return _until_source(sentence, seen, head.first)
        if word in _SOURCE:
            break
    # "sketch me a dragon": what looks like the name of a picture is what is to be done.
    if head.at == 0 and len(tokens) > 2 and tokens[1].word in _FOR_WHOM:
        return _until_source(sentence, seen, 2)
    drawn = any(act is Act.DRAW and at == head.at for act, at in seen.acts)
    return _after_verb(sentence, seen) if drawn and all(m.role is not Role.HAVE for m in seen.mentions) else ""


def _after_about(sentence: str, seen: Frame) -> str:
    """ "t2v of a storm" → "a storm"."""
    at = next((at for at, token in enumerate(seen.tokens) if token.word in _ABOUT), None)
    return "" if at is None else _until_source(sentence, seen, at + 1)


def _after_verb(sentence: str, seen: Frame) -> str:
    """ "paint a lighthouse" → "a lighthouse"."""
    verbs = [at for act, at in seen.acts if act in (Act.DRAW, Act.CREATE, Act.ANIMATE)]
    if not verbs:
        return ""
    first = verbs[0] + 1
    if first < len(seen.tokens) and seen.tokens[first].word in _FOR_WHOM:
        first += 1
    return _until_source(sentence, seen, first)


def _until_source(sentence: str, seen: Frame, first: int) -> str:
    tokens = seen.tokens
    if first >= len(tokens):
        return ""
    last = len(tokens)
    for at in range(first, len(tokens)):
        source = any(m.role is Role.HAVE and m.first in (at, at + 1) for m in seen.mentions)
        if tokens[at].word in _SOURCE and (
            tokens[at].word == "into" or source or (tokens[at].word == "from" and at + 2 >= last)
        ):
            last = at
            break
    if last <= first:
        return ""
    return plain(sentence)[tokens[first].start : tokens[last - 1].end].strip(" ,.;:")
