"""The last resort: a sentence that names no task may be what a picture shall show: "a cat wearing a hat"."""

from comfydesk.intent.frame import ARTICLES, Frame, Role
from comfydesk.intent.lexicon import APP, FROM, INTO, LINKS, MINE, POLITE, SCENERY, Act, Media, words_of
from comfydesk.intent.words import LONGEST_SENTENCE, Token, plain

_MAKING = words_of(
    """
    create, make, generate, produce, design, imagine, build, invent, conjure, cook up, come up with, dream up, give me,
    show me, get me, want, need, visualize, visualise, mock up, whip up
    """
)
_OUR_OWN = words_of("i'd, i'll, i'm, you'd, let's, we'd")
_SPEAKER = words_of("i, you, we, he, she, they, i'm, there, it's, that's, don't, do, not")
_TALK = words_of(
    """
    hello, hey, hi, thank, thanks, bye, sorry, yes, no, nope, yeah, good, tell, explain, know, think, ask, answer, talk,
    remind, book, order, write, call, forget, wait, ignore, test, testing, lorem, ipsum, asdf, qwerty, foo, bar, free
    """
)
"""Begin or fill what is said to somebody, or nothing at all; never what is seen."""
_ALSO_SEEN = words_of("window, dock, key, computer, laptop, phone, coffee, sandwich, friend, library, gallery, menu")
"""In APP, but with "a" in front and no verb they are things to look at."""
_CHANGES = frozenset({Act.TURN, Act.EDIT, Act.RETOUCH, Act.UPSCALE, Act.ANIMATE, Act.SPEAK, Act.SMOOTH, Act.CONTROL})
_ELSEWHERE = frozenset({Media.VIDEO, Media.AUDIO, Media.MODEL3D})
_LINKING = ARTICLES | LINKS | FROM | INTO
_LEAST_WORDS = 3
"""So many words in a row describe, without an article or a preposition among them; fewer look for a name."""


def described(sentence: str, seen: Frame) -> str:
    """What the sentence describes, to be the prompt; "" where it is no description, or of something to hear or to read.

    `seen` must be one that no rule for a task has taken.
    """
    tokens = [token for token in seen.tokens if token.word[0].isalnum()]
    first, made = _past_the_asking(tokens)
    rest = tokens[first:]
    if not rest or not _seen(rest, seen) or _own_business(rest, made=made):
        return ""
    content = [token for token in rest if _is_content(token)]
    plainly = len(rest) > 1 and any(token.word in _LINKING or token.lemma in SCENERY for token in rest)
    if not content or not (made or plainly or len(content) >= _LEAST_WORDS):
        return ""
    if first == 0:
        return sentence.strip()
    return (plain(sentence)[rest[0].start :] + sentence[LONGEST_SENTENCE:]).strip()


def _past_the_asking(tokens: list[Token]) -> tuple[int, bool]:
    """Where "please make me" ends, and whether it has such a verb."""
    made = False
    for at, token in enumerate(tokens):
        if token.lemma in _MAKING:
            made = True
        elif token.word not in POLITE and token.word not in _OUR_OWN:
            return at, made
    return len(tokens), made


def _seen(rest: list[Token], seen: Frame) -> bool:
    """Is it something to look at? Then no medium is asked for, and nothing shall happen to what is there."""
    head = next((token.start for token in rest if token.word in LINKS | FROM), rest[-1].end)
    for mention in seen.mentions:
        # "an article about rain" is read, "a sign with the word rain" is seen.
        if mention.media is Media.TEXT and seen.tokens[mention.at].start < head:
            return False
        if mention.media in _ELSEWHERE and mention.role is not Role.SUBJECT:
            return False
    return not rest[0].acts & _CHANGES


def _own_business(rest: list[Token], *, made: bool) -> bool:
    """ "I am bored", "a new pod", "make dinner": talk, or about what the application or the world has."""
    if rest[0].word in _SPEAKER or rest[0].word in MINE or any(token.word in _TALK for token in rest[:2]):
        return True
    head = rest[1:] if rest[0].word in ARTICLES else rest
    end = next((at for at, token in enumerate(head) if token.word in _LINKING or token.word.endswith("ing")), len(head))
    drawn = _ALSO_SEEN if rest[0].word in {"a", "an"} and not made else frozenset()
    return any(token.lemma in APP - drawn for token in head[:end])


def _is_content(token: Token) -> bool:
    word = token.word
    return len(word) > 1 and word.replace("-", "").replace("'", "").isalpha() and word not in _LINKING | POLITE | MINE
