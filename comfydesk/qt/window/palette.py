"""Ctrl+K: every command, workflow, pod and setting by a few letters. Where they come from is passed in."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from comfydesk.qt.models.fuzzy import score
from comfydesk.qt.models.keys import key_words
from comfydesk.qt.theme import Theme
from comfydesk.qt.widgets.palette_popup import PaletteLine, PalettePopup
from comfydesk.qt.window.actions import Actions

SHOWN = 50
RECENT = 8
_RECENT_BONUS = 10


@dataclass(frozen=True, slots=True)
class Entry:
    """What can be chosen: the line that shows it, and what is done then.

    `more` is searched too but not shown. `weight` puts one kind before another that fits as well.
    """

    line: PaletteLine
    run: Callable[[], object]
    more: str = ""
    weight: int = 0


Source = Callable[[], Iterable[Entry]]
"""Asked each time the palette opens; what it gives holds until it closes."""


class Palette(QObject):
    """Open it with `open`; `add_source` for what is to be found in it."""

    def __init__(self, theme: Theme, window: QWidget) -> None:
        super().__init__(window)
        self._theme, self._window = theme, window
        self._sources: list[Source] = []
        self._entries: tuple[Entry, ...] = ()
        self._shown: tuple[Entry, ...] = ()
        self._recent: list[str] = []
        self.popup: PalettePopup | None = None

    def add_source(self, source: Source) -> None:
        """Let what `source` gives be found from the next opening on."""
        self._sources.append(source)

    def open(self) -> None:
        """Show it, with what was chosen last on top."""
        if self.popup is None:
            self.popup = PalettePopup(self._theme, self._window)
            self.popup.typed.connect(self._search)
            self.popup.taken.connect(self._take)
        self._entries = tuple(entry for source in self._sources for entry in source())
        self.popup.open_over(self._window)

    def find(self, words: str) -> tuple[Entry, ...]:
        """What fits `words` best, of what the palette holds now."""
        ranked = []
        for at, entry in enumerate(self._entries):
            line = entry.line
            fit = score(words, line.words)
            if fit is None and words.strip():
                fit = _elsewhere(words, entry)
            if fit is None:
                continue
            recent = self._recent.index(line.words) if line.words in self._recent else RECENT
            bonus = _RECENT_BONUS - recent if recent < RECENT else 0
            ranked.append((-(fit + entry.weight + (bonus if words else bonus * 10)), at, entry))
        ranked.sort(key=lambda each: each[:2])
        return tuple(entry for _, _, entry in ranked[:SHOWN])

    def _search(self, words: str) -> None:
        self._shown = self.find(words)
        if self.popup is not None:
            self.popup.show_lines(tuple(entry.line for entry in self._shown))

    def _take(self, row: int) -> None:
        entry = self._shown[row]
        words = entry.line.words
        self._recent = [words, *(other for other in self._recent if other != words)][:RECENT]
        self._entries = self._shown = ()
        entry.run()


def _elsewhere(words: str, entry: Entry) -> int | None:
    """The fit of words that stand in what is not the name: whole, for letters between other letters fit anything."""
    text = f"{entry.line.words} {entry.line.detail} {entry.more}".casefold()
    return 0 if all(word in text for word in words.casefold().split()) else None


def action_entries(actions: Actions) -> Iterable[Entry]:
    """Every command of the window, with its keys; what cannot be done now says so."""
    for command in actions.commands:
        action = actions[command.id]
        if command.id == "palette":
            continue
        keys = key_words(action.shortcut())
        reason = "" if action.isEnabled() else action.toolTip()
        words = action.text().replace("&", "")
        line = PaletteLine(words, actions.menu_words(command.menu), command.icon or "terminal", keys, reason)
        yield Entry(line, action.trigger, f"{command.id.replace('_', ' ')} {command.words}", weight=4)
