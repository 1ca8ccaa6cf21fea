"""Tokens → what the sentence speaks of: which media it wants, which are there already, and what shall happen."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from comfydesk.intent.lexicon import APP, FROM, INTO, LINKS, MINE, SCENERY, Act, Media
from comfydesk.intent.words import Token

ARTICLES = frozenset(
    {"a", "an", "the", "some", "any", "one", "every", "each", "all", "both", "two", "three", "several"}
)
_BEFORE_VERB = frozenset({"", "to", "please", "you", "me", "i", "and", "we", "can", "just", "then", ","})
_TAKES_HAVE = frozenset({Act.EDIT, Act.RETOUCH, Act.UPSCALE, Act.ANIMATE, Act.TURN, Act.SMOOTH})
_MAKERS = frozenset({Act.CREATE, Act.DRAW})


class Role(Enum):
    WANTED = "wanted"
    HAVE = "have"
    SUBJECT = "subject"
    """Only what a picture shows: "a photo of a film set"."""


@dataclass(frozen=True, slots=True)
class Mention:
    """A medium that the sentence names, at token `at`; `first` is the token its noun phrase begins with."""

    media: Media
    role: Role
    at: int
    first: int


@dataclass(frozen=True, slots=True)
class Frame:
    """What was found, in the order of the sentence."""

    tokens: tuple[Token, ...]
    mentions: tuple[Mention, ...]
    acts: tuple[tuple[Act, int], ...]
    """Each act with the token that says it."""

    def wanted(self) -> tuple[Media, ...]:
        return tuple(mention.media for mention in self.mentions if mention.role is Role.WANTED)

    def have(self) -> tuple[Media, ...]:
        return tuple(mention.media for mention in self.mentions if mention.role is Role.HAVE)

    def does(self, *acts: Act) -> bool:
        return any(act in acts for act, _ in self.acts)

    @property
    def lemmas(self) -> frozenset[str]:
        return frozenset(token.lemma for token in self.tokens)

    @property
    def about_app(self) -> bool:
        return bool(self.lemmas & APP)

    @property
    def about_scenery(self) -> bool:
        return bool(self.lemmas & SCENERY)

    @property
    def points(self) -> bool:
        """Does it point at something that is there: this, my …?"""
        return any(token.word in MINE for token in self.tokens)


class _Reader:
    """One pass over the tokens. `slot` is the role that the next medium takes."""

    def __init__(self, found: Sequence[Token]) -> None:
        self.found = tuple(found)
        self.slot = Role.WANTED
        self.mentions: list[Mention] = []
        self.acts: list[tuple[Act, int]] = []
        self.phrase_start = 0
        self.turning = False
        self.making: int | None = None
        """The verb that names what it makes, until its object names it better: "render a clip"."""

    def read(self) -> Frame:
        for at, token in enumerate(self.found):
            if self._function_word(at, token):
                self.phrase_start = at + 1
            elif self._is_verb(at):
                self._verb(at, token)
                self.phrase_start = at + 1
            else:
                self._noun(at, token)
        return Frame(self.found, tuple(self._corrected()), tuple(self.acts))

    def _function_word(self, at: int, token: Token) -> bool:
        word = token.word
        if word in FROM or (word == "of" and self._word(at - 1) == "out"):
            self.slot = Role.HAVE
        elif word in INTO or word in {"->", "→"}:
            self._into(at)
        elif word in LINKS:
            if self._word(at - 1) in {"based", "starting", "begins", "start"}:
                self.slot = Role.HAVE
            elif word in {"and", "or", "but", "then", "so"}:
                pass
            elif self.mentions and word != "as":
                self.slot = Role.SUBJECT
        elif word in {".", "!", "?", ";"}:
            self.slot = Role.WANTED
        elif word != ",":
            return False
        return True

    def _into(self, at: int) -> None:
        """ "to", "into", "as": what stands before was there, what follows is wanted."""
        last = self.mentions[-1] if self.mentions else None
        if last is not None and last.at == at - 1 and not self._maker_before(last):
            self.mentions[-1] = Mention(last.media, Role.HAVE, last.at, last.first)
            self.slot = Role.WANTED
        elif self.turning or self.found[at].word == "into" or any(m.role is Role.HAVE for m in self.mentions):
            self.slot = Role.WANTED

    def _maker_before(self, mention: Mention) -> bool:
        """ "make a video to …": the medium is what the verb makes."""
        return any(act in _MAKERS for act, at in self.acts if at < mention.first) and not self.turning

    def _is_verb(self, at: int) -> bool:
        token = self.found[at]
        if not token.acts or token.acts == {Act.FINER}:
            return False
        before, after = self._word(at - 1), self._word(at + 1)
        if token.media is not None:
            return before in _BEFORE_VERB and (after in ARTICLES or after in MINE)
        # "an animated scene": describes the noun, but still says that something shall move.
        return before not in ARTICLES and before not in MINE

    def _verb(self, at: int, token: Token) -> None:
        self.acts.extend((act, at) for act in sorted(token.acts))
        if token.media is not None:
            # "film a car chase", "sketch a cat": the verb names what it makes.
            self.mentions.append(Mention(token.media, Role.WANTED, at, at))
            self.making = at
            self.slot = Role.WANTED
            return
        if token.acts & {Act.TURN, Act.ANIMATE}:
            self.turning = True
        if token.lemma in {"make it", "make them"} and self._word(at + 1) in ARTICLES:
            self.slot = Role.WANTED
            return
        if token.acts & _TAKES_HAVE and not token.acts & _MAKERS:
            self.slot = Role.HAVE
        elif token.acts & _MAKERS:
            self.slot = Role.WANTED

    def _noun(self, at: int, token: Token) -> None:
        if token.acts:
            self.acts.extend((act, at) for act in sorted(token.acts) if act is not Act.CONTROL)
        if token.word in ARTICLES or token.word in MINE:
            self.phrase_start = at
            return
        if token.media is None:
            return
        role = self.slot
        determiners = {entry.word for entry in self.found[self.phrase_start : at]}
        if determiners & MINE or any(word.endswith("'s") for word in determiners):
            role = Role.HAVE
        if self._word(self.phrase_start - 1) == "in" and "the" in determiners and not self._wants():
            role = Role.HAVE  # "give him a beard in the photo"
        if role is Role.SUBJECT and determiners & {"a", "an", "the"} and self._word(self.phrase_start - 1) in FROM:
            role = Role.HAVE
        mention = Mention(token.media, role, at, self.phrase_start)
        if self.mentions and self.mentions[-1].first == self.phrase_start:
            mention = self._compound(self.mentions.pop(), mention)
        elif role is Role.WANTED and self.mentions and self.mentions[-1].at == self.making:
            self.mentions.pop()
        self.mentions.append(mention)

    def _wants(self) -> bool:
        return any(mention.role is Role.WANTED for mention in self.mentions)

    def _compound(self, earlier: Mention, later: Mention) -> Mention:
        """Two media in one noun phrase: the last is the head ("video soundtrack"), but text only describes."""
        if later.media is Media.TEXT and earlier.media is not Media.TEXT:
            return earlier
        return later

    def _corrected(self) -> list[Mention]:
        """ "Make the portrait move", "let this character dance": the object is there when a second verb follows."""
        result = []
        for mention in self.mentions:
            follows = any(at > mention.at and act in (Act.MOVE, Act.ANIMATE, Act.FINER) for act, at in self.acts)
            definite = self._word(mention.first) == "the"
            role = Role.HAVE if mention.role is Role.WANTED and definite and follows else mention.role
            result.append(Mention(mention.media, role, mention.at, mention.first))
        return result

    def _word(self, at: int) -> str:
        return self.found[at].word if 0 <= at < len(self.found) else ""


def frame(found: Sequence[Token]) -> Frame:
    """Read the tokens once, left to right."""
    return _Reader(found).read()
