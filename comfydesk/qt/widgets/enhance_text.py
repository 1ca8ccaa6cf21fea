"""Words of a comparison on the screen: wrapped, added ones on green, removed ones struck, kept ones boxed."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from comfydesk.qt.theme import ColorName, Theme
from comfydesk.qt.widgets import paint
from comfydesk.qt.widgets.enhance_rows import Look, Token, spoken

LINE = 24
LOCK = 12
INKS: dict[Look, ColorName] = {"plain": "text", "added": "success", "removed": "danger", "off": "text2"}
FILLS: dict[Look, ColorName] = {"added": "success_tint", "removed": "danger_tint"}


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a token, or a piece of it, or a stretch of several that look alike, stands."""

    area: QRectF
    text: str
    token: Token


class WordsView(QWidget):
    """`toggled` with the number of a change whose word was clicked."""

    toggled = Signal(int)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._tokens: tuple[Token, ...] = ()
        self._placed: tuple[Placed, ...] = ()
        self._stretches: tuple[Placed, ...] = ()
        self._layouts: dict[int, tuple[tuple[Placed, ...], int]] = {}
        self._width = -1
        self._high = 0
        self._caret = False
        self._clickable = False
        self._widths: dict[str, float] = {}
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setMouseTracking(True)
        theme.changed.connect(self._restyle)

    def tokens(self) -> tuple[Token, ...]:
        return self._tokens

    def show_tokens(self, tokens: tuple[Token, ...], *, caret: bool = False, clickable: bool = False) -> None:
        """Show these. `caret`: more is being written behind them; `clickable`: changes can be taken or left."""
        self._clickable = clickable
        if caret != self._caret:
            self._caret = caret
            self.update()
        if tokens == self._tokens:
            return
        self._tokens = tokens
        self.setAccessibleName(spoken(tokens))
        before, self._width = self._high, -1
        self._layouts.clear()
        self._lay_out(self.width())
        if self._high != before:
            self.updateGeometry()
        self.update()

    # --- Measures -------------------------------------------------------------------------------------------------

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return self._lay_out(width)

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(240), self._lay_out(self.width()))

    def minimumSizeHint(self) -> QSize:
        return QSize(self._theme.px(120), self._theme.height(LINE))

    def _restyle(self) -> None:
        self._widths.clear()
        self._layouts.clear()
        self._width = -1
        self.updateGeometry()
        self.update()

    def _lay_out(self, width: int) -> int:
        if width != self._width:
            known = self._layouts.get(width)
            if known is None:
                # Layouts ask for several widths, over and over.
                known = self._layouts[width] = self._place(max(width, self._theme.px(60)))
            if known[0] is not self._placed:
                self._stretches = tuple(_joined(known[0]))
            self._placed, self._high = known
            self._width = width
        return self._high

    def _advance(self, text: str) -> float:
        known = self._widths.get(text)
        if known is None:
            known = self._widths[text] = QFontMetricsF(self._theme.font("body")).horizontalAdvance(text)
        return known

    def _place(self, width: int) -> tuple[tuple[Placed, ...], int]:
        """Every token in its line; the height of all lines."""
        line, blank = self._theme.height(LINE), self._advance(" ")
        placed: list[Placed] = []
        x, y = 0.0, 0
        for run in self._runs():
            wide = sum(self._wide(token) for token in run)
            if x > 0 and x + wide > width:
                x, y = 0.0, y + line
            for token in run:
                for text in self._pieces(token, width):
                    size = self._wide(token, text)
                    if x > 0 and x + size > width:
                        x, y = 0.0, y + line
                    placed.append(Placed(QRectF(x, y, min(size, width), line), text, token))
                    x += size
                if "\n" in token.text:
                    x, y = 0.0, y + line
                elif token.text[-1:].isspace():
                    x += blank
        return tuple(placed), y + (line if placed or not y else 0)

    def _runs(self) -> Iterator[list[Token]]:
        """Tokens that no blank parts: they stay on one line where they can."""
        run: list[Token] = []
        for token in self._tokens:
            run.append(token)
            if token.text[-1:].isspace():
                yield run
                run = []
        if run:
            yield run

    def _wide(self, token: Token, text: str | None = None) -> float:
        words = self._advance(token.text.strip() if text is None else text)
        return words + (self._theme.px(LOCK + 4 + 2 * 5) if token.kept else 0)

    def _pieces(self, token: Token, width: int) -> Iterator[str]:
        """The token's text; cut where it is wider than a line (a text without blanks), a kept one shortened."""
        text = token.text.strip()
        if not text:
            return
        if self._wide(token) <= width:
            yield text
            return
        if token.kept:
            room = width - self._theme.px(LOCK + 4 + 2 * 5)
            yield self._theme.metrics("body").elidedText(text, Qt.TextElideMode.ElideMiddle, room)
            return
        fits = max(1, int(len(text) * width / self._advance(text) * 0.95))
        for start in range(0, len(text), fits):
            yield text[start : start + fits]

    # --- Painting -------------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        self._lay_out(self.width())
        painter, theme = QPainter(self), self._theme
        painter.setFont(theme.font("body"))
        shown = event.rect()
        for at, stretch in enumerate(self._stretches):
            if stretch.area.bottom() < shown.top() or stretch.area.top() > shown.bottom():
                continue
            following = self._stretches[at + 1] if at + 1 < len(self._stretches) else None
            self._paint_fill(painter, stretch, following)
            self._paint_words(painter, stretch)
        if self._caret and self._placed:
            painter.fillRect(self._caret_spot(), theme.color("accent"))

    def _caret_spot(self) -> QRectF:
        theme, area = self._theme, self._placed[-1].area
        return QRectF(area.right() + theme.px(3), area.top() + theme.px(4), theme.px(2), area.height() - theme.px(8))

    def _paint_fill(self, painter: QPainter, stretch: Placed, following: Placed | None) -> None:
        fill = FILLS.get(stretch.token.look)
        if fill is None:
            return
        edge = self._theme.px(3)
        area = stretch.area.adjusted(0, edge, 0, -edge)
        same = following is not None and following.token.look == stretch.token.look
        if following is not None and same and following.area.top() == stretch.area.top():
            area.setRight(following.area.left())
        painter.fillRect(area.adjusted(-1, 0, 1, 0), self._theme.color(fill))

    def _paint_words(self, painter: QPainter, stretch: Placed) -> None:
        theme, token, area = self._theme, stretch.token, stretch.area
        color: ColorName = token.tint if token.tint is not None and token.look != "off" else INKS[token.look]
        flags = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
        if token.kept:
            color = token.tint or ("text2" if token.look == "off" else "text")
            edge = theme.px(2)
            box = area.adjusted(0, edge, 0, -edge)
            paint.box(painter, box, theme.px(4), fill=theme.color("raised"), outline=theme.color("control"))
            spot = QRectF(area.left() + theme.px(5), area.top(), theme.px(LOCK), area.height())
            paint.icon_in(painter, theme, spot, "lock", "text2", LOCK)
            area = area.adjusted(theme.px(5 + LOCK + 4), 0, 0, 0)
        painter.setPen(QPen(theme.color(color)))
        wide = int(flags) | int(Qt.TextFlag.TextSingleLine) | int(Qt.TextFlag.TextDontClip)
        painter.drawText(area, wide, stretch.text)
        if token.look == "removed":
            middle = area.center().y()
            painter.drawLine(QPointF(area.left(), middle), QPointF(area.right(), middle))

    # --- Events ---------------------------------------------------------------------------------------------------

    def change_at(self, spot: QPointF) -> int:
        """Number of the change whose word is at `spot`; -1: none."""
        self._lay_out(self.width())
        return next((placed.token.part for placed in self._placed if placed.area.contains(spot)), -1)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        part = self.change_at(event.position())
        if self._clickable and part >= 0 and event.button() is Qt.MouseButton.LeftButton:
            self.toggled.emit(part)
        else:
            event.ignore()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        over = self._clickable and self.change_at(event.position()) >= 0
        self.setCursor(Qt.CursorShape.PointingHandCursor if over else Qt.CursorShape.ArrowCursor)
        super().mouseMoveEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        self.unsetCursor()
        super().leaveEvent(event)


def _joined(placed: Iterable[Placed]) -> Iterator[Placed]:
    """Neighbours on a line that look alike as one piece: each piece of text that is painted costs as much as a line."""
    whole: Placed | None = None
    for one in placed:
        if whole is None:
            whole = one
        elif _alike(whole, one):
            blank = " " if one.area.left() > whole.area.right() + 0.5 else ""
            whole = Placed(whole.area.united(one.area), f"{whole.text}{blank}{one.text}", whole.token)
        else:
            yield whole
            whole = one
    if whole is not None:
        yield whole


def _alike(one: Placed, other: Placed) -> bool:
    if one.token.kept or other.token.kept or one.area.top() != other.area.top():
        return False
    return (one.token.look, one.token.tint) == (other.token.look, other.token.tint)
