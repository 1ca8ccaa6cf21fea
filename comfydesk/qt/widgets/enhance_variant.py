"""One variant of an enhanced prompt: what it says against the original, sentence by sentence, and what is taken."""

import time
from enum import Enum

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QFocusEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from comfydesk.llm.words.diff import Diff, accept, compare
from comfydesk.qt.models.tips import plain_tip
from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import tr, tr_n
from comfydesk.qt.widgets import paint
from comfydesk.qt.widgets.badge_label import BadgeLabel
from comfydesk.qt.widgets.badges import Badge
from comfydesk.qt.widgets.buttons import Button, Kind, Size
from comfydesk.qt.widgets.enhance_rows import Row, Token, new_rows
from comfydesk.qt.widgets.enhance_sentences import SentenceRow, SentenceRows
from comfydesk.qt.widgets.labels import ElidedLabel, Label
from comfydesk.qt.widgets.plain import Line, pad
from comfydesk.qt.widgets.prompt_syntax import count_words
from comfydesk.session.enhancement.values import Result

TOO_LONG = 0.008
"""Seconds of work that comparing may take while the text still comes."""
STRIKES = 3
"""After so many longer ones comparing waits for the end."""
SETTLE_MS = 150
"""After it is written; then the room that was not needed is given back."""
COUNTED = 5
"""The words are counted with every so many showings."""


class State(Enum):
    WRITING = "writing"
    DONE = "done"
    REFUSED = "refused"
    STOPPED = "stopped"


class VariantCard(QWidget):
    """`chosen` when the user turned to it, `picked_changed` when they take more or less of it."""

    chosen = Signal()
    picked_changed = Signal()
    copied = Signal(str)
    stopped = Signal()

    def __init__(self, theme: Theme, number: int, original: str, locked: tuple[str, ...]) -> None:
        super().__init__()
        self._theme, self.number = theme, number
        self._original, self._locked = original, locked
        self._around = ("", "")
        self._text = ""
        self._slow = 0
        self._showings = 0
        self._selected = False
        self.state = State.WRITING
        self.result: Result | None = None
        self.diff: Diff | None = None
        self.picked: set[int] = set()
        self.sentences = SentenceRows(theme)
        self.title = Label(theme, tr("Variant {n}", n=number + 1), font="label")
        self.told = ElidedLabel(theme, font="small", color="text2")
        self.badge = BadgeLabel(theme, Badge(tr("Writing"), "neutral", "ring-dashed"))
        self.why = Label(theme, color="text2", wrap=True)
        self.foot = ElidedLabel(theme, tr("Sentences can be picked when it is written"), font="small", color="text2")
        self.copy = Button(theme, tr("Copy"), kind=Kind.GHOST, icon="copy", size=Size.COMPACT)
        self.stop = Button(theme, tr("Stop"), kind=Kind.GHOST, icon="stop", size=Size.COMPACT)
        self.setAccessibleName(self.title.text())
        self._lay_out()
        self.why.hide()
        self.copy.set_blocked(tr("It is still being written"))
        self.sentences.row_ticked.connect(self.tick)
        self.sentences.row_ticked.connect(lambda *_: self.chosen.emit())
        self.sentences.toggled.connect(self.toggle)
        self.sentences.toggled.connect(lambda _: self.chosen.emit())
        self._settling = QTimer(self, singleShot=True, interval=SETTLE_MS)
        self._settling.timeout.connect(self.sentences.settle)
        self.copy.clicked.connect(lambda: self.copied.emit(self.wording()))
        self.stop.clicked.connect(self.stopped)

    # --- What comes -------------------------------------------------------------------------------------------------

    def set_around(self, before: str, after: str) -> None:
        """Only a selection is written anew: what stands before and behind it."""
        self._around = (before, after)

    def add(self, text: str) -> None:
        """More of it came. Shown with the next `refresh`."""
        self._text += text

    def again(self, why: str) -> None:
        """What came is void."""
        self._text = ""
        self.told.set_text(why)
        self.refresh()

    def refresh(self) -> None:
        """Show what has come so far."""
        if self.state is not State.WRITING:
            return
        before, after = self._around
        words = before + self._text
        if self._slow >= STRIKES:
            self._show((Row((Token(words[-4000:]),), ()),))
        else:
            start = time.thread_time()
            diff = compare(self._original, words, self._locked)
            self._show(new_rows(diff, diff.changes))
            self._slow += time.thread_time() - start > TOO_LONG
        if self._text and self._showings % COUNTED == 0:
            count = count_words(before + self._text + after)
            self.told.set_text(tr_n("{n} word", "{n} words", count))
        self._showings += bool(self._text)

    def prepare(self) -> bool:
        """Make a row that is likely to be needed soon, while there is nothing else to do; whether it did."""
        return self.state is State.WRITING and self.sentences.prepare()

    def finish(self, result: Result, diff: Diff) -> None:
        """All of it is there."""
        self.state, self.result, self.diff = State.DONE, result, diff
        self.picked = set(diff.changes)
        words = tr_n("{n} word", "{n} words", count_words(result.enhanced))
        self.told.set_text(tr("{words}, done in {seconds} s", words=words, seconds=f"{result.seconds:.1f}"))
        self.badge.set_badge(_kept_badge(result))
        self.badge.setToolTip(plain_tip("\n".join(result.repaired)))
        self.stop.hide()
        self.copy.set_blocked("")
        self._show_picked()
        self._settling.start()

    def refuse(self, why: str) -> None:
        """Nothing usable came."""
        self._end(State.REFUSED, Badge(tr("Kept as it was"), "warning", "warning"), why)

    def cancel(self) -> None:
        """The user wants no more of it."""
        if self.state is State.WRITING:
            self._end(State.STOPPED, Badge(tr("Stopped"), "neutral", "stop"), tr("Stopped. The prompt is as it was."))

    # --- What is taken ----------------------------------------------------------------------------------------------

    @property
    def rows(self) -> list[SentenceRow]:
        return self.sentences.rows[: self.sentences.count]

    @property
    def whole(self) -> bool:
        """Every change of it is picked."""
        return self.diff is not None and len(self.picked) == len(self.diff.changes)

    def counts(self) -> tuple[int, int]:
        """Sentences with changes that are picked at least in part, and all of those."""
        changes = [numbers for numbers in self.diff.sentences if numbers] if self.diff is not None else []
        return sum(1 for numbers in changes if self.picked.intersection(numbers)), len(changes)

    def wording(self) -> str:
        """The prompt with what is picked; the original before it is written."""
        return accept(self.diff, self.picked) if self.diff is not None else self._original

    def toggle(self, part: int) -> None:
        """Take a change, or leave it."""
        if self.diff is not None:
            self.picked.symmetric_difference_update({part})
            self._show_picked()
            self.picked_changed.emit()

    def tick(self, row: int, on: bool) -> None:
        """Take a whole sentence, or leave it."""
        if self.diff is None:
            return
        changes = new_rows(self.diff, self.picked)[row].changes
        self.picked = self.picked | set(changes) if on else self.picked - set(changes)
        self._show_picked()
        self.picked_changed.emit()

    def set_selected(self, selected: bool) -> None:
        """Whether it is the one that Accept takes."""
        self._selected = selected
        self.update()

    # --- Inside -----------------------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        theme = self._theme
        column = QVBoxLayout(self)
        column.setContentsMargins(1, 1, 1, 1)
        column.setSpacing(0)
        head, middle, foot = QHBoxLayout(), QVBoxLayout(), QHBoxLayout()
        pad(head, theme, 12, 8, 12, 8, gap=8)
        for part, stretch in ((self.title, 0), (self.told, 1), (self.badge, 0)):
            head.addWidget(part, stretch)
        pad(middle, theme, 12, 10, 12, 8, gap=8)
        middle.addWidget(self.why)
        middle.addWidget(self.sentences)
        pad(foot, theme, 12, 4, 8, 6, gap=8)
        foot.addWidget(self.foot, 1)
        foot.addWidget(self.copy)
        foot.addWidget(self.stop)
        column.addLayout(head)
        column.addWidget(Line(theme))
        column.addLayout(middle)
        column.addStretch(1)
        column.addLayout(foot)

    def _show_picked(self) -> None:
        if self.diff is None:
            return
        self._show(new_rows(self.diff, self.picked))
        taken, count = self.counts()
        if not count:
            self.foot.set_text(tr("Nothing to change"))
        elif self.whole:
            self.foot.set_text(tr("All of it is picked"))
        else:
            self.foot.set_text(tr("{taken} of {count} picked, the rest stays as it was", taken=taken, count=count))

    def _show(self, rows: tuple[Row, ...]) -> None:
        self.sentences.show_rows(rows, self.picked, done=self.state is State.DONE)

    def _end(self, state: State, badge: Badge, why: str) -> None:
        self.state = state
        self.badge.set_badge(badge)
        self.sentences.hide()
        self.copy.hide()
        self.why.setText(why)
        self.why.show()
        self.stop.hide()
        self.told.set_text("")
        self.foot.set_text("")

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme, painter = self._theme, QPainter(self)
        outline = theme.color("accent" if self._selected else "border")
        width = theme.px(2) if self._selected else 1
        paint.box(painter, self.rect(), theme.px(8), fill=theme.color("panel"), outline=outline, width=width)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.chosen.emit()
        super().mousePressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        self.chosen.emit()
        super().focusInEvent(event)


def _kept_badge(result: Result) -> Badge | None:
    count = len(result.kept)
    if result.repaired:
        return Badge(tr_n("{n} put right", "{n} put right", len(result.repaired)), "warning", "info")
    return Badge(tr("{n} of {n} kept", n=count), "success", "check") if count else None
