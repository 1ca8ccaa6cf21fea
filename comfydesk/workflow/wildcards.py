"""Wildcards in prompts: `{a|b}` and `__file__`, drawn on this computer.

The rules, which are those of the common extensions where they agree:

* `{a|b}`: one of them, nested at will; an option may be empty. `{2::a|b}`: a is twice as likely.
* `__name__`: a line of the wildcard file of that name, case-blind; `__folder/name__` too. Lines may have wildcards
  and weights of their own.
* `\\{`, `\\|`, `\\}` and `\\__` stand for themselves. Braces that enclose no choice stay, so that JSON passes through.

ComfyUI's own `{a|b}` (textvalues.dynamic_prompt, for workflows run as they are) knows neither weights nor files.
"""

import difflib
import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from comfydesk.workflow.field_text import BatchError
from comfydesk.workflow.live import shorten

MAX_LENGTH = 200_000
"""Characters of a text with its wildcards drawn."""
MAX_DRAWS = 10_000
"""Choices made for one text."""
MAX_DEPTH = 40
"""Choices and files inside each other."""

_WEIGHT = re.compile(r"\s*([0-9]{1,9}(?:\.[0-9]{1,9})?)::")
NAMED = re.compile(r"__(?!_)([^\W_](?:[\w\-./]*?[^\W_])?)__")
_SPECIAL = re.compile(r"[\\{_]")
_ESCAPED = "{|}"
_ESCAPE = re.compile(r"\\(?:[{|}]|__)")
_COMMENT = re.compile(r"/\*.*?\*/|//[^\n\r\u2028\u2029]*", re.DOTALL)


def strip_comments(text: str) -> str:
    """`text` without C comments, which ComfyUI takes out of its dynamicPrompts fields, until none is left."""
    while (shorter := _COMMENT.sub("", text)) != text:
        text = shorter
    return text


def entries(text: str) -> tuple[str, ...]:
    """The entries of a list that people write: one a line; blank lines and `#` comments are none, `\\#` begins one."""
    lines = (line.strip() for line in re.split(r"\r\n|\n|\r", text))
    return tuple(line[1:] if line.startswith("\\#") else line for line in lines if line and not line.startswith("#"))


@dataclass(frozen=True, slots=True)
class Wildcards:
    """The wildcards that texts may use. `files`: name → its entries; None: `__name__` is text like any other."""

    files: Mapping[str, tuple[str, ...]] | None = None
    _by_name: dict[str, tuple[str, ...]] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._by_name.update((_key(name), lines) for name, lines in (self.files or {}).items())

    def draws(self, text: object) -> bool:
        """`text` has something to draw, or escapes to undo."""
        if not isinstance(text, str):
            return False
        if "{" in text and "|" in text:
            return True
        return bool(_ESCAPE.search(text)) or (self.files is not None and "__" in text)

    def draw(self, text: str, rng: random.Random) -> str:
        """`text` with all of its wildcards drawn by `rng`: the same for the same state of it.

        Raises BatchError: a file that is not there (with names that come near) or is empty, files that lead back to
        themselves, a text that grows beyond bounds.
        """
        return _Drawing(self._by_name, self.files is not None, rng).text(text, ())


class _Drawing:
    def __init__(self, files: Mapping[str, tuple[str, ...]], named: bool, rng: random.Random) -> None:
        self._files = files
        self._named = named
        self._rng = rng
        self._left = MAX_DRAWS

    def text(self, text: str, trail: tuple[str, ...]) -> str:
        if len(trail) > MAX_DEPTH:
            raise BatchError("Wildcards lie too deep inside each other", f"over {MAX_DEPTH} levels")
        blocks = _blocks(text)
        parts: list[str] = []
        length = position = 0
        while position < len(text):
            part, position = self._part(text, position, blocks, trail)
            parts.append(part)
            length += len(part)
            if length > MAX_LENGTH:
                raise BatchError("A text with wildcards grows too long", f"over {MAX_LENGTH:,} characters")
        return "".join(parts)

    def _part(
        self, text: str, position: int, blocks: Mapping[int, list[int]], trail: tuple[str, ...]
    ) -> tuple[str, int]:
        """What stands at `position` once drawn, and where the next part begins."""
        char = text[position]
        if char not in "\\{_":
            plain = _SPECIAL.search(text, position)
            end = plain.start() if plain else len(text)
            return text[position:end], end
        if char == "\\":
            following = text[position + 1 : position + 2]
            if self._named and text.startswith("__", position + 1):
                return "__", position + 3
            return (following if following and following in _ESCAPED else char + following), position + 2
        if char == "{" and position in blocks:
            marks = blocks[position]
            options = [text[a + 1 : b] for a, b in zip([position, *marks], marks, strict=False)]
            return self.text(self._one_of(options), (*trail, "")), marks[-1] + 1
        if char == "_" and self._named and (match := NAMED.match(text, position)):
            return self._line(match[1], trail), match.end()
        return char, position + 1

    def _one_of(self, options: list[str] | tuple[str, ...]) -> str:
        """An option by its weight, 1 where none is given."""
        self._left -= 1
        if self._left < 0:  # files that name each other many times, and come to nothing
            raise BatchError("A text has too many wildcards", f"Over {MAX_DRAWS:,} are drawn for it")
        found = [_WEIGHT.match(option) for option in options]
        weights = [float(match[1]) if match else 1.0 for match in found]
        if sum(weights) <= 0:
            raise BatchError("All options of a wildcard weigh nothing", shorten("|".join(options)))
        place = self._rng.random() * sum(weights)
        chosen = 0
        for number, weight in enumerate(weights):
            if weight > 0:  # rounding may lead past the end: then it is the last that weighs anything
                chosen = number
                place -= weight
                if place < 0:
                    break
        match = found[chosen]
        return options[chosen][match.end() :] if match else options[chosen]

    def _line(self, name: str, trail: tuple[str, ...]) -> str:
        key = _key(name)
        lines = self._files.get(key)
        if lines is None:
            near = difflib.get_close_matches(key, self._files, n=3)
            known = ", ".join(f"__{entry}__" for entry in near)
            advice = f"Did you mean {known}?" if known else "Put it into the folder of wildcards, or write \\__"
            what = f"There is no wildcard __{shorten(name)}__"
            raise BatchError(what, "", advice)
        if not lines:
            what = f"The wildcard __{shorten(name)}__ has no lines"
            raise BatchError(what)
        if key in trail:
            way = " → ".join(f"__{entry}__" for entry in (*[entry for entry in trail if entry], key))
            what = f"The wildcard __{shorten(name)}__ leads back to itself"
            raise BatchError(what, way)
        return self.text(self._one_of(lines), (*trail, key))


def _key(name: str) -> str:
    return name.replace("\\", "/").strip().casefold()


def _blocks(text: str) -> dict[int, list[int]]:
    """Of each "{" that opens a choice: where its "|" are, and last its "}". Others are braces like any letter."""
    blocks: dict[int, list[int]] = {}
    if "{" not in text:
        return blocks
    pending: list[tuple[int, list[int]]] = []
    position = 0
    while position < len(text):
        char = text[position]
        if char == "\\":
            position += 1
        elif char == "{":
            pending.append((position, []))
        elif char == "|" and pending:
            pending[-1][1].append(position)
        elif char == "}" and pending:
            start, marks = pending.pop()
            if marks:
                blocks[start] = [*marks, position]
        position += 1
    return blocks
