"""A model's reasoning, taken out of a stream of text: `<think>…</think>` and its kin, whole, unclosed, or in pieces.

A closing mark without an opening one is left in: what was before it has been passed on already, and who judges the
whole answer has to see it.
"""

_MARKS = (
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<reasoning>", "</reasoning>"),
    ("<|channel>thought", "<channel|>"),  # Gemma 4
)
_OPENING = tuple(opening for opening, _ in _MARKS)
_LONGEST = max(len(mark) for marks in _MARKS for mark in marks)


class ReasoningFilter:
    """Feed it pieces; it returns what may be shown. White space before the first shown character is dropped."""

    def __init__(self) -> None:
        self._held = ""
        self._closing = ""
        self._begun = False

    @property
    def inside(self) -> bool:
        """Whether the text so far ends within reasoning."""
        return bool(self._closing)

    def feed(self, piece: str) -> str:
        """What can be shown now that `piece` is known. Up to 16 characters are held back: they may begin a mark."""
        self._held += piece
        shown: list[str] = []
        while self._held:
            if self._closing:
                if not self._skip():
                    break
                continue
            start, mark = _first(self._held)
            if mark:
                shown.append(self._held[:start])
                self._held = self._held[start + len(mark) :]
                self._closing = dict(_MARKS)[mark]
                continue
            keep = _half_mark(self._held, _OPENING)
            shown.append(self._held[: len(self._held) - keep])
            self._held = self._held[len(self._held) - keep :]
            break
        return self._trimmed("".join(shown))

    def end(self) -> str:
        """What was held back, when nothing follows any more."""
        rest, self._held = ("" if self._closing else self._held), ""
        return self._trimmed(rest)

    def _skip(self) -> bool:
        """Drop reasoning up to its closing mark; False when that has not come yet."""
        at = self._held.lower().find(self._closing)
        if at < 0:
            self._held = self._held[len(self._held) - _half_mark(self._held, (self._closing,)) :]
            return False
        self._held = self._held[at + len(self._closing) :]
        self._closing = ""
        return True

    def _trimmed(self, text: str) -> str:
        if not self._begun:
            text = text.lstrip()
            self._begun = bool(text)
        return text


def _first(text: str) -> tuple[int, str]:
    """Where the first opening mark begins, and which it is; (-1, "") for none."""
    if "<" not in text:  # nearly always: this is done for each word
        return -1, ""
    low = text.lower()
    found = [(low.find(mark), mark) for mark in _OPENING if mark in low]
    return min(found, default=(-1, ""))


def _half_mark(text: str, marks: tuple[str, ...]) -> int:
    """How many characters at the end of `text` may be the beginning of a mark. Marks begin with "<", and only there."""
    at = text.find("<", max(0, len(text) - _LONGEST))
    while at >= 0:
        rest = text[at:].lower()
        if any(len(rest) < len(mark) and mark.startswith(rest) for mark in marks):
            return len(text) - at
        at = text.find("<", at + 1)
    return 0
