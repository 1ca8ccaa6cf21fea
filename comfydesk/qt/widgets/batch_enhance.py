"""A batch's prompts, each enhanced by itself: what came of each beside what was typed, and which are taken."""

from collections.abc import Mapping

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from comfydesk.llm.words.diff import compare
from comfydesk.llm.words.styles import STYLES, Style
from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import tr, tr_n
from comfydesk.qt.widgets.buttons import Button, Kind
from comfydesk.qt.widgets.choice_combo import Combo
from comfydesk.qt.widgets.enhance_rows import Row, Token, new_rows
from comfydesk.qt.widgets.enhance_sentences import SentenceRows
from comfydesk.qt.widgets.labels import ElidedLabel, Label
from comfydesk.qt.widgets.plain import pad

SHOWN = 100
"""Prompts that are shown one by one; the rest is taken as it comes."""


class EachPart(QWidget):
    """`wanted` and `stopped`: its owner enhances; `changed` when other texts are taken; `models_wanted`: no engine."""

    wanted = Signal()
    stopped = Signal()
    changed = Signal()
    models_wanted = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._prompts: tuple[str, ...] = ()
        self._written: dict[str, str] = {}
        self._refused: dict[str, str] = {}
        self._left: set[str] = set()
        self._shown: tuple[str, ...] = ()
        self._styles: tuple[Style, ...] = STYLES
        self.style_box = Combo(theme)
        self.style_box.setAccessibleName(tr("Style"))
        self.style_box.addItems([tr(style.name) for style in STYLES])
        self.begin = Button(theme, tr("Enhance"), icon="enhance")
        self.halt = Button(theme, tr("Stop"), kind=Kind.GHOST, icon="stop")
        self.forget = Button(theme, tr("Take the originals"), kind=Kind.GHOST)
        self.models = Button(theme, tr("Language models\N{HORIZONTAL ELLIPSIS}"), kind=Kind.LINK)
        self.told = ElidedLabel(theme, font="small", color="text2")
        self.rows = SentenceRows(theme)
        self.more = Label(theme, font="small", color="text2")
        row = QHBoxLayout()
        pad(row, theme, 0, 0, 0, 0, gap=8)
        self.style_box.setFixedWidth(theme.px(150))
        for part in (self.style_box, self.begin, self.halt):
            row.addWidget(part)
        row.addWidget(self.told, 1)
        row.addWidget(self.models)
        row.addWidget(self.forget)
        column = QVBoxLayout(self)
        pad(column, theme, 0, 0, 0, 0, gap=8)
        column.addLayout(row)
        column.addWidget(self.rows)
        column.addWidget(self.more)
        self.begin.clicked.connect(self.wanted)
        self.halt.clicked.connect(self.stopped)
        self.forget.clicked.connect(self.clear)
        self.models.clicked.connect(self.models_wanted)
        self.rows.row_ticked.connect(self._on_ticked)
        self.rows.settle()
        self.models.hide()
        self.set_busy(busy=False)

    # --- What is shown ----------------------------------------------------------------------------------------------

    def show_styles(self, styles: tuple[Style, ...], chosen: str) -> None:
        """The user's own stand behind the product's."""
        self._styles = styles
        self.style_box.clear()
        self.style_box.addItems([style.name if style.own else tr(style.name) for style in styles])
        ids = [style.id for style in styles]
        self.style_box.setCurrentIndex(ids.index(chosen) if chosen in ids else 0)

    def style_id(self) -> str:
        return self._styles[max(0, self.style_box.currentIndex())].id

    def show_prompts(self, prompts: tuple[str, ...]) -> None:
        """What there is to enhance now. What came of other prompts is kept: they may come back."""
        self._prompts = prompts
        self._show()

    def show_one(self, original: str, enhanced: str, refused: str = "") -> None:
        """What came of one."""
        self._refused.pop(original, None)
        if refused:
            self._refused[original] = refused
        else:
            self._written[original] = enhanced
            self._left.discard(original)
        self._show()

    def set_busy(self, *, busy: bool) -> None:
        """Whether they are being enhanced."""
        self.begin.setVisible(not busy)
        self.halt.setVisible(busy)
        self.style_box.setEnabled(not busy)
        self._show()

    def tell(self, words: str, *, models: bool = False) -> None:
        """What is wrong; `models`: the page of language models may help."""
        self.told.set_text(words)
        self.models.setVisible(models)

    def clear(self) -> None:
        """Take what was typed."""
        self._written.clear()
        self._refused.clear()
        self._left.clear()
        self._show()
        self.changed.emit()

    # --- What is taken ----------------------------------------------------------------------------------------------

    def waiting(self) -> tuple[str, ...]:
        """Prompts that are to be enhanced: those that are not yet, or all once all are."""
        left = tuple(prompt for prompt in self._prompts if prompt not in self._written)
        return left or self._prompts

    def taken(self) -> Mapping[str, str]:
        """Prompt → what is to be sent in its place."""
        return {prompt: text for prompt, text in self._written.items() if prompt not in self._left}

    # --- Inside -----------------------------------------------------------------------------------------------------

    def _on_ticked(self, at: int, on: bool) -> None:
        prompt = self._shown[at]
        if on:
            self._left.discard(prompt)
        else:
            self._left.add(prompt)
        self._show()
        self.changed.emit()

    def _show(self) -> None:
        known = [prompt for prompt in self._prompts if prompt in self._written or prompt in self._refused]
        self._shown = tuple(known[:SHOWN])
        self.rows.show_rows(tuple(map(self._row, self._shown, range(len(known)))), self._picked(), done=True)
        self.rows.setVisible(bool(known))
        more = len(known) - len(self._shown)
        self.more.setText(tr("and {n} more", n=f"{more:,}") if more else "")
        self.more.setVisible(more > 0)
        self.models.hide()
        left = sum(prompt not in self._written for prompt in self._prompts)
        count = left or len(self._prompts)
        again = bool(self._prompts) and not left
        self.begin.setText(
            tr("Enhance again")
            if again
            else tr_n("Enhance {n} prompt", "Enhance {n} prompts", count)
            if count
            else tr("Enhance")
        )
        self.begin.set_blocked("" if self._prompts else tr("There is no prompt to enhance"))
        done = sum(prompt in self._written for prompt in self._prompts)
        told = tr("{done} of {total} enhanced", done=done, total=len(self._prompts)) if known else ""
        self.told.set_text(told)
        self.forget.setVisible(bool(self._written))

    def _picked(self) -> frozenset[int]:
        return frozenset(at for at, one in enumerate(self._shown) if one in self._written and one not in self._left)

    def _row(self, prompt: str, at: int) -> Row:
        """A prompt as one row: the new words, or the old ones and why they stay."""
        text = self._written.get(prompt)
        if text is None:
            return Row((Token(f"{prompt} "), Token(f"\N{EN DASH} {self._refused[prompt]}", "off")), ())
        if prompt in self._left:
            return Row((Token(prompt, "off"),), (at,))
        diff = compare(prompt, text)
        return Row(tuple(token for row in new_rows(diff, diff.changes) for token in row.tokens), (at,))
