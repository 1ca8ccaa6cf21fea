"""What differs between two to four outputs, value by value; a click on a value takes it into the mix."""

import difflib
import html
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from comfydesk.qt.models.tips import plain_tip
from comfydesk.qt.models.words import took
from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets.buttons import Button, Kind, Size
from comfydesk.qt.widgets.compare_view import LETTERS
from comfydesk.qt.widgets.filmstrip import letter_chip
from comfydesk.qt.widgets.labels import ElidedLabel, Label
from comfydesk.qt.widgets.page import Scroller
from comfydesk.qt.widgets.plain import Line, pad
from comfydesk.store.records import Output

if TYPE_CHECKING:
    from comfydesk.session.gallery.details import Difference

_LONG = 28
"""Characters from which a value is a text: its passages are compared."""
_LONGEST = 4000
_PAIRS = 150_000
"""Words that are the same in both. A text that repeats one a thousand times would hold the window for minutes."""
_LABEL = 84
_CELL_EDGES = 18
_EXACT = 2.0**53


class _Letter(QWidget):
    def __init__(self, theme: Theme, letter: str) -> None:
        super().__init__()
        self._theme, self._letter = theme, letter
        self.setFixedHeight(theme.px(24))
        self.setAccessibleName(letter)

    def paintEvent(self, _event: QPaintEvent) -> None:
        letter_chip(QPainter(self), self._theme, self.rect().topLeft(), self._letter)


class CompareTable(QWidget):
    """`used` with which output (its place) and the field values that were picked of others."""

    used = Signal(int, object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self.rows: Sequence[Difference] = ()
        self._picks: dict[int, int] = {}
        """Row → the output whose value is taken."""
        self._cells: dict[tuple[int, int], Button] = {}
        self._box = QWidget()
        self._column = QVBoxLayout(self._box)
        pad(self._column, theme, 16, 8, 16, 16, gap=6)
        self._foot = QGridLayout()
        pad(self._foot, theme, 16, 12, 16, 12, gap=8)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addWidget(Scroller(theme, self._box, "panel"), 1)
        outer.addWidget(Line(theme))
        outer.addLayout(self._foot)
        self.use: list[Button] = []
        theme.changed.connect(self._again)
        self._outputs: Sequence[Output] = ()
        self._shaped: tuple[bool, ...] = ()
        self._soon = QTimer(self, singleShot=True, interval=0)
        self._soon.timeout.connect(self._again)

    def show_rows(self, outputs: Sequence[Output], rows: "Sequence[Difference]") -> None:
        """What differs between `outputs`."""
        self._outputs, self.rows = tuple(outputs), tuple(rows)
        self._picks = {}
        self._again()

    def text(self) -> str:
        """All of it, for the clipboard."""
        lines = ["\t".join(("", *LETTERS[: len(self._outputs)]))]
        lines += ["\t".join((row.label, *(words_of(value) for value in row.values))) for row in self.rows]
        return "\n".join(lines)

    def picked(self, base: int) -> Mapping[str, Any]:
        """Field id → value, of what was picked from others than `base`."""
        found = {}
        for row, at in self._picks.items():
            fields = self.rows[row].fields
            if at != base and fields and fields[base]:
                found[fields[base]] = self.rows[row].values[at]
        return found

    # --- Making -----------------------------------------------------------------------------------------------------

    def _again(self) -> None:
        _clear(self._column)
        _clear(self._foot)
        self._cells, self.use = {}, []
        theme, count = self.theme, len(self._outputs)
        if not count:
            return
        self._shaped = self._shape()
        self._add_row(
            Label(theme, tr("Value"), font="small_strong"), [_Letter(theme, LETTERS[at]) for at in range(count)]
        )
        for number, row in enumerate(self.rows):
            self._column.addWidget(Line(theme))
            if any(isinstance(value, str) and len(value) > _LONG for value in row.values):
                self._add_text(row)
            else:
                label = ElidedLabel(theme, row.label, font="small", color="text2")
                label.setToolTip(plain_tip(f"{row.label}, {row.node}" if row.node else row.label))
                words = [words_of(value) for value in row.values]
                self._add_values(label, words, [self._cell(number, at) for at in range(count)])
        if not self.rows:
            self._column.addWidget(Label(theme, tr("No value differs."), color="text2"))
        self._column.addWidget(Line(theme))
        if any(output.seconds for output in self._outputs):
            times = [took(output.seconds) if output.seconds else "" for output in self._outputs]
            self._plain(tr("Made in"), times)
        self._plain(tr("Rating"), ["\N{BLACK STAR}" * output.rating or "\N{EM DASH}" for output in self._outputs])
        hint = tr("Click values to mix them.")
        self._column.addWidget(Label(theme, hint, font="small", color="text2", wrap=True))
        self._column.addStretch(1)
        for at in range(count):
            button = Button(theme, tr("Use {letter}", letter=LETTERS[at]), icon="refresh")
            button.setAccessibleName(tr("Use the settings of {letter}", letter=LETTERS[at]))
            button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            button.clicked.connect(lambda _=False, at=at: self.used.emit(at, self.picked(at)))
            self._foot.addWidget(button, at // 2, at % 2)
            self.use.append(button)

    def _add_row(self, label: QWidget, cells: Sequence[QWidget]) -> None:
        box = QWidget()
        row = QHBoxLayout(box)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(self.theme.px(4))
        label.setFixedWidth(self.theme.px(_LABEL))
        row.addWidget(label)
        for cell in cells:
            row.addWidget(cell, 1)
        self._column.addWidget(box)

    def _add_values(self, label: QWidget, words: Sequence[str], cells: Sequence[QWidget]) -> None:
        """Side by side, or one below the other where that would cut one of them off."""
        if self._fits(words):
            self._add_row(label, cells)
            return
        self._column.addWidget(label)
        for at, cell in enumerate(cells):
            self._add_lettered(at, cell)

    def _add_lettered(self, at: int, cell: QWidget) -> None:
        box = QWidget()
        row = QHBoxLayout(box)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(self.theme.px(4))
        letter = _Letter(self.theme, LETTERS[at])
        letter.setFixedWidth(self.theme.px(28))
        row.addWidget(letter, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(cell, 1)
        self._column.addWidget(box)

    def _fits(self, words: Sequence[str]) -> bool:
        px, metrics = self.theme.px, self.theme.metrics("small_strong")
        room = self.width() - 2 * px(16) - px(_LABEL) - px(4) * len(words)
        return max(map(metrics.horizontalAdvance, words)) + px(_CELL_EDGES) <= room / len(words)

    def _shape(self) -> tuple[bool, ...]:
        """Which rows are side by side."""
        return tuple(self._fits([words_of(value) for value in row.values]) for row in self.rows)

    def _plain(self, name: str, values: Sequence[str]) -> None:
        cells = [ElidedLabel(self.theme, value, font="small") for value in values]
        self._add_values(ElidedLabel(self.theme, name, font="small", color="text2"), values, cells)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._outputs and self._shape() != self._shaped:
            self._soon.start()

    def _cell(self, row: int, at: int) -> QWidget:
        value, fields = self.rows[row].values[at], self.rows[row].fields
        words = words_of(value)
        if not fields or value is None:
            return ElidedLabel(self.theme, words, font="small")
        button = Button(self.theme, words, kind=Kind.GHOST, size=Size.COMPACT, checkable=True, tooltip=words)
        name = tr("{label} of {letter}: {value}", label=self.rows[row].label, letter=LETTERS[at], value=words)
        button.setAccessibleName(name)
        button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        button.clicked.connect(lambda on, row=row, at=at: self._pick(row, at, on=on))
        self._cells[row, at] = button
        return button

    def _pick(self, row: int, at: int, *, on: bool) -> None:
        if on:
            self._picks[row] = at
        else:
            self._picks.pop(row, None)
        for other in range(len(self._outputs)):
            cell = self._cells.get((row, other))
            if cell is not None:
                cell.setChecked(on and other == at)

    def _add_text(self, row: "Difference") -> None:
        """A text: what the first one has and the others have not, and the other way round."""
        theme = self.theme
        self._column.addWidget(Label(theme, row.label, font="small", color="text2"))
        first = words_of(row.values[0])[:_LONGEST]
        for at, value in enumerate(row.values[1:], 1):
            label = Label(theme, wrap=True)
            label.setTextFormat(Qt.TextFormat.RichText)
            label.setText(marked(theme, first, words_of(value)[:_LONGEST]))
            label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
            label.setMinimumSize(1, 1)  # as high as it is at its width, not at one of its own choice
            label.setAccessibleName(f"{LETTERS[at]}: {value}")
            if len(row.values) > 2:
                self._add_lettered(at, label)
            else:
                self._column.addWidget(label)


def words_of(value: Any) -> str:
    """A value as it is shown."""
    if value is None:
        return "\N{EM DASH}"
    if isinstance(value, bool):
        return tr("on") if value else tr("off")
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:
        return str(int(value))
    return str(value)  # of a float all that makes it differ


def marked(theme: Theme, old: str, new: str) -> str:
    """Rich text: what only `old` has on the danger tint, what only `new` has on the success tint."""
    one, two = (re.findall(r"(?:[^\s,.;:()]+|[,.;:()])\s*|\s+", text) for text in (old, new))
    parts = []
    counts = Counter(two)
    codes: Iterable[tuple[str, int, int, int, int]] = [("replace", 0, len(one), 0, len(two))]
    if sum(count * counts[word] for word, count in Counter(one).items()) <= _PAIRS:
        codes = difflib.SequenceMatcher(None, one, two, autojunk=False).get_opcodes()
    for tag, a, b, c, d in codes:
        if tag == "equal":
            parts.append(html.escape("".join(one[a:b])))
            continue
        for tone, words in (("danger", one[a:b]), ("success", two[c:d])):
            if words:
                ink, ground = theme.tone("danger" if tone == "danger" else "success")
                style = f"color:{ink.name()};background:{ground.name()}"
                parts.append(f'<span style="{style}">{html.escape("".join(words))}</span> ')
    return "".join(parts)


def _clear(layout: QVBoxLayout | QGridLayout) -> None:
    while (item := layout.takeAt(0)) is not None:
        widget = item.widget()
        if widget is not None:
            widget.hide()
            widget.deleteLater()
