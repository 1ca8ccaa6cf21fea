"""The sentences of a variant under one another, each with its tick.

They are placed by hand, and their height grows some lines at a time: with layouts each new word would have the whole
page measured and painted anew.
"""

from collections.abc import Collection

from PySide6.QtCore import QEvent, QRect, QSize, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets.enhance_rows import Row
from comfydesk.qt.widgets.enhance_text import LINE, WordsView
from comfydesk.qt.widgets.switch import Check

ROOM = 6
"""Lines by which it grows while it is written."""
GAP = 8


class SentenceRow(QWidget):
    """A sentence and its tick."""

    ticked = Signal(bool)
    toggled = Signal(int)

    def __init__(self, theme: Theme, parent: "SentenceRows") -> None:
        super().__init__(parent)
        self._theme, self._rows = theme, parent
        self._shown: tuple[Row, bool, bool, tuple[bool, ...]] | None = None
        self.check = Check(theme)
        self.words = WordsView(theme)
        self.check.setParent(self)
        self.words.setParent(self)
        self.check.clicked.connect(self.ticked)
        self.words.toggled.connect(self.toggled)

    def show_row(self, row: Row, picked: Collection[int], *, done: bool, last: bool) -> None:
        """`last`: it is still being written."""
        shown = (row, done, last, tuple(number in picked for number in row.changes))
        if shown == self._shown:
            return
        self._shown = shown
        self.words.show_tokens(row.tokens, caret=last and not done, clickable=done)
        self.check.setChecked(all(shown[3]))
        reason = tr("It is as it was") if not row.changes else ""
        self.check.set_blocked(reason if done else tr("It is still being written"))
        said = self.words.accessibleName()
        self.check.setAccessibleName(tr("Take this: {words}", words=said[:120]))

    def height_at(self, width: int) -> int:
        return max(self.check.sizeHint().height(), self.words.heightForWidth(width - self._indent()))

    def event(self, event: QEvent) -> bool:
        if event.type() is QEvent.Type.LayoutRequest:  # another font, another length
            self._place()
            self._rows.refit()
        return super().event(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place()

    def _indent(self) -> int:
        return self.check.sizeHint().width() + self._theme.px(GAP)

    def _place(self) -> None:
        self.check.setGeometry(QRect(0, 0, self.check.sizeHint().width(), self.check.sizeHint().height()))
        self.words.setGeometry(self._indent(), 0, max(0, self.width() - self._indent()), self.height())


class SentenceRows(QWidget):
    """`row_ticked` and `row_toggled` with the number of the row."""

    row_ticked = Signal(int, bool)
    toggled = Signal(int)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.rows: list[SentenceRow] = []
        self.count = 0
        """Rows that are shown; there may be one more, made ahead."""
        self._needed = 0
        self._slack = 0
        self._growing = True
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def show_rows(self, rows: tuple[Row, ...], picked: Collection[int], *, done: bool) -> None:
        """Show these, and no others."""
        while len(self.rows) < len(rows):
            self._add()
        self.count = len(rows)
        for at, widget in enumerate(self.rows):
            if at < len(rows):
                widget.show_row(rows[at], picked, done=done, last=at == len(rows) - 1)
            if widget.isHidden() is (at < len(rows)):
                widget.setVisible(at < len(rows))
        self.refit()

    def prepare(self) -> bool:
        """Make a row that is likely to be needed soon; whether there was need of one."""
        if len(self.rows) > self.count:
            return False
        self._add()
        return True

    def settle(self) -> None:
        """It is written: give back the room that was not needed."""
        self._growing = False
        self.refit()

    def refit(self) -> None:
        """Place the rows; ask for more room only when there is none left."""
        y, gap = 0, self._theme.px(GAP)
        for row in self.rows[: self.count]:
            high = row.height_at(self.width())
            row.setGeometry(0, y, self.width(), high)
            y += high + gap
        needed = max(0, y - gap)
        slack = self._slack + self._needed - needed
        self._needed = needed
        if slack < 0 or (slack and not self._growing):
            slack = self._theme.height(LINE) * ROOM if self._growing else 0
            self._slack = slack
            self.updateGeometry()
        self._slack = slack

    def _add(self) -> None:
        at, row = len(self.rows), SentenceRow(self._theme, self)
        row.hide()
        row.ticked.connect(lambda on: self.row_ticked.emit(at, on))
        row.toggled.connect(self.toggled)
        self.rows.append(row)

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        heights = [row.height_at(width) for row in self.rows[: self.count]]
        return sum(heights) + self._theme.px(GAP) * max(0, len(heights) - 1) + self._slack

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(240), self.heightForWidth(self.width()))

    def minimumSizeHint(self) -> QSize:
        return QSize(self._theme.px(120), self._theme.height(LINE))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.refit()
