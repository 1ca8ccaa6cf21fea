"""A prompt as it is read: tinted like in its editor, with what was searched for marked."""

import re
from collections.abc import Iterable
from html import escape

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QSizePolicy

from comfydesk.qt.theme import Theme
from comfydesk.qt.widgets.labels import Label
from comfydesk.qt.widgets.prompt_syntax import tints
from comfydesk.store.search_text import Words, parse


class PromptText(Label):
    """Its words can be selected. Markup is made of escaped text only."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, wrap=True)
        self._prompt, self._query = "", ""
        self.setTextFormat(Qt.TextFormat.RichText)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        theme.changed.connect(self._draw)

    def show_prompt(self, prompt: str, query: str = "") -> None:
        """`query`: what was searched for, as typed."""
        if (prompt, query) != (self._prompt, self._query):
            self._prompt, self._query = prompt, query
            self.setAccessibleName(prompt)
            self._draw()

    def _draw(self) -> None:
        theme, text = self._theme, self._prompt
        inks: dict[int, str] = {}
        for start, length, kind in tints(text):
            inks |= dict.fromkeys(range(start, start + length), theme.color(kind).name())
        marked = {at for start, length in hits(text, self._query) for at in range(start, start + length)}
        mark = theme.color("mark").name()
        parts, begin = [], 0
        for at in range(1, len(text) + 1):
            style = (inks.get(begin, ""), begin in marked)
            if at < len(text) and (inks.get(at, ""), at in marked) == style:
                continue
            css = f"color:{style[0]};" * bool(style[0]) + f"background-color:{mark};" * style[1]
            words = escape(text[begin:at]).replace("\n", "<br>")
            parts.append(f'<span style="{css}">{words}</span>' if css else words)
            begin = at
        self.setText("".join(parts))


def hits(text: str, query: str) -> list[tuple[int, int]]:
    """(start, length) of the places of the prompt that a search found it by."""
    return [(match.start(), len(match[0])) for pattern in _patterns(query) for match in pattern.finditer(text)]


def _patterns(query: str) -> Iterable[re.Pattern[str]]:
    for term in parse(query):
        if isinstance(term, Words) and not term.negated and term.column in ("", "prompt") and term.text.strip():
            words = r"\W+".join(map(re.escape, re.findall(r"\w+", term.text))) or re.escape(term.text)
            begin = "" if term.literal else r"\b"
            yield re.compile(begin + words, re.IGNORECASE)
