"""A job of the queue: handle, picture, name over prompt, how it stands, time left, one action, more."""

from dataclasses import dataclass

from PySide6.QtCore import QObject, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPixmap
from PySide6.QtWidgets import QStyle, QStyleOptionViewItem

from comfydesk.qt.models.rows import POD, THUMBNAIL, JobRow, PodMark
from comfydesk.qt.models.verbs import MOVABLE, Verb
from comfydesk.qt.models.words import clock
from comfydesk.qt.theme import ColorName, Theme
from comfydesk.qt.theme.language import said, tr
from comfydesk.qt.widgets import badges, paint
from comfydesk.qt.widgets.progress_bar import THICKNESS, paint_bar
from comfydesk.qt.widgets.row_actions import ActionDelegate, Index, Spots, row_of
from comfydesk.qt.widgets.thumbnail import Covers
from comfydesk.store.records import JobState

HEIGHT = 40
PICTURE = (48, 28)
_BAR = 116
_SHORT_BAR = 56
_STATE = 170
_NARROW = 620
"""Below this width the columns give way."""


@dataclass(frozen=True, slots=True)
class Action:
    """The one thing that a job offers in its row."""

    verb: Verb
    icon: str
    words: str


def action_of(state: JobState) -> Action:
    """What the button of a job in `state` does."""
    if state is JobState.HELD:
        return Action(Verb.RELEASE, "play", tr("Release"))
    if state is JobState.DONE:
        return Action(Verb.RETRY, "refresh", tr("Run again"))
    if state in (JobState.FAILED, JobState.CANCELLED):
        return Action(Verb.RETRY, "refresh", tr("Try again"))
    if state is JobState.UNKNOWN:
        return Action(Verb.LOOK, "search", tr("Look again"))
    return Action(Verb.CANCEL, "close", tr("Cancel"))


class QueueDelegate(ActionDelegate):
    """`acted` and `more` carry the index that was clicked."""

    acted = Signal(object)
    """What it does is `action_of` the job's state."""
    more = Signal(object)
    again = Signal(object)
    """Run a job in state unknown again; `acted` looks for it."""

    def __init__(self, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(theme, parent)
        self._covers = Covers(theme)

    def sizeHint(self, _option: QStyleOptionViewItem, _index: Index) -> QSize:
        lines = self.theme.metrics("body").height() + self.theme.metrics("caption").height()
        return QSize(self.theme.px(280), max(self.theme.row(HEIGHT), lines + self.theme.px(6)))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        row = row_of(index, JobRow)
        if row is None:
            return
        theme, px, rect = self.theme, self.theme.px, QRect(option.rect)
        hovered = bool(option.state & QStyle.StateFlag.State_MouseOver)
        self._paint_surface(painter, option, rect, row, hovered=hovered)
        if row.job.state in MOVABLE:
            spot = QRect(rect.left() + px(8), rect.top(), px(16), rect.height())
            paint.icon_in(painter, theme, spot, "handle", "text2" if hovered else "disabled")
        width, height = px(PICTURE[0]), px(PICTURE[1])
        spot = QRect(rect.left() + px(26), rect.top() + (rect.height() - height) // 2, width, height)
        picture = index.data(THUMBNAIL)
        self._covers.paint(painter, spot, picture if isinstance(picture, QPixmap) else None)
        state, time = self._columns(rect, row)
        left = spot.right() + 1 + px(12)
        self._paint_words(painter, QRect(left, rect.top(), max(0, state.left() - px(12) - left), rect.height()), row)
        self._paint_state(painter, state, row, index.data(POD))
        if not time.isEmpty():
            words = clock(row.seconds_left) if row.seconds_left is not None else "\N{EN DASH}"
            align = Qt.AlignmentFlag.AlignRight
            metrics, ink = theme.metrics("body"), theme.color("text2")
            paint.text(painter, time, words, theme.font("body"), ink, align=align, metrics=metrics)
        self._paint_actions(painter, rect, index, row, hovered=hovered)

    def spots(self, rect: QRect, index: Index) -> Spots:
        row = row_of(index, JobRow)
        if row is None:
            return {}
        side, middle = self.theme.px(24), rect.center().y()
        right = rect.right() + 1 - self.theme.px(8)
        more = QRect(right - side, middle - side // 2, side, side)
        found = {"more": more}
        if row.job.state is not JobState.CANCELLING:
            found["act"] = QRect(more.left() - side, more.top(), side, side)
        if row.job.state is JobState.UNKNOWN:
            found["again"] = QRect(found["act"].left() - side, more.top(), side, side)
        return found

    def name_of(self, action: str, index: Index) -> str:
        row = row_of(index, JobRow)
        if action == "again":
            return tr("Run again")
        return tr("More") if action == "more" or row is None else action_of(row.job.state).words

    def act(self, action: str, index: Index) -> None:
        {"more": self.more, "again": self.again}.get(action, self.acted).emit(index)

    # --- Parts ----------------------------------------------------------------------------------------------------

    def _columns(self, rect: QRect, row: JobRow) -> tuple[QRect, QRect]:
        """(state, time left). In a narrow list the state takes what it needs and the time gives way."""
        theme, px = self.theme, self.theme.px
        buttons = 3 if row.job.state is JobState.UNKNOWN else 2
        right = rect.right() + 1 - px(8) - buttons * px(24) - px(12)
        if rect.width() < px(_NARROW):
            badge = badges.of_state(row.job.state)
            bar = px(_SHORT_BAR) + px(10) + theme.metrics("body").horizontalAdvance("100 %") + 1
            width = bar if row.fraction is not None else paint.badge_size(theme, badge.text, badge.icon)[0]
            return QRect(right - width, rect.top(), width, rect.height()), QRect()
        time_width = max(px(48), theme.metrics("body").horizontalAdvance("0:00:00"))
        width = max(paint.badge_size(theme, tr("State unknown"), "warning")[0], px(_STATE))
        state = QRect(right - time_width - px(8) - width, rect.top(), width, rect.height())
        return state, QRect(right - time_width, rect.top(), time_width, rect.height())

    def _paint_surface(
        self, painter: QPainter, option: QStyleOptionViewItem, rect: QRect, row: JobRow, *, hovered: bool
    ) -> None:
        theme = self.theme
        fill: ColorName | None = None
        if option.state & QStyle.StateFlag.State_Selected:
            fill = "selection"
        elif hovered:
            fill = "hover"
        elif row.job.state is JobState.RUNNING:
            fill = "raised"
        if fill:
            painter.fillRect(rect, theme.color(fill))
        if option.state & QStyle.StateFlag.State_HasFocus:
            paint.box(painter, rect, theme.px(4), outline=theme.color("accent"), width=theme.px(2))

    def _paint_words(self, painter: QPainter, area: QRect, row: JobRow) -> None:
        theme = self.theme
        upper, lower = theme.metrics("body"), theme.metrics("caption")
        error = row.job.error
        if row.job.state is JobState.UNKNOWN and row.job.prompt:
            error = None  # the badge says how it stands; which job it is, is what one needs to choose
        detail = said(error.what) if error is not None else row.job.prompt
        height = upper.height() + (lower.height() if detail else 0)
        top = area.top() + (area.height() - height) // 2
        line = QRect(area.left(), top, area.width(), upper.height())
        paint.text(painter, line, row.job.workflow, theme.font("body"), theme.color("text"), metrics=upper)
        if detail:
            line = QRect(area.left(), line.bottom() + 1, area.width(), lower.height())
            ink = theme.color("danger" if error is not None else "text2")
            shown = " ".join(detail[:400].split())
            paint.text(painter, line, shown, theme.font("caption"), ink, metrics=lower)

    def _paint_state(self, painter: QPainter, area: QRect, row: JobRow, pod: object) -> None:
        theme, px = self.theme, self.theme.px
        narrow = area.width() < px(_STATE)
        if row.fraction is None:
            badge = badges.of_state(row.job.state)
            spot = paint.badge(painter, theme, area.left(), area.center().y() + 1, badge.text, badge.tone, badge.icon)
            if isinstance(pod, PodMark) and not narrow:
                self._paint_pod(painter, area.adjusted(spot.width() + px(8), 0, 0, 0), pod)
            return
        if isinstance(pod, PodMark) and not narrow:
            # The name above, the bar below: both want the width.
            half = theme.metrics("caption").height()
            self._paint_pod(painter, QRect(area.left(), area.center().y() - half, area.width(), half), pod)
            area = area.adjusted(0, half, 0, 0)
        words = f"{row.fraction * 100:.0f} %"
        metrics = theme.metrics("body")
        words_width = metrics.horizontalAdvance("100 %") + 1
        bar = min(px(_BAR), area.width() - words_width - px(10))
        thick = px(THICKNESS)
        groove = QRectF(area.left(), area.center().y() - thick // 2 + 1, max(px(24), bar), thick)
        paint_bar(painter, theme, groove, row.fraction)
        line = QRect(round(groove.right()) + px(10), area.top(), words_width, area.height())
        align = Qt.AlignmentFlag.AlignRight
        paint.text(painter, line, words, theme.font("body"), theme.color("text"), align=align, metrics=metrics)

    def _paint_pod(self, painter: QPainter, area: QRect, pod: PodMark) -> None:
        """A dot in its colour, and its name."""
        theme, px = self.theme, self.theme.px
        if pod.colour:
            spot = QRectF(area.left(), area.center().y() - px(3) + 1, px(7), px(7))
            paint.box(painter, spot, px(3.5), fill=QColor(pod.colour))
            area = area.adjusted(px(12), 0, 0, 0)
        metrics = theme.metrics("caption")
        paint.text(painter, area, pod.name, theme.font("caption"), theme.color("text2"), metrics=metrics)

    def _paint_actions(self, painter: QPainter, rect: QRect, index: Index, row: JobRow, *, hovered: bool) -> None:
        for action, spot in self.spots(rect, index).items():
            over = hovered and self.is_over(spot)
            if over:
                paint.box(painter, spot, self.theme.px(6), fill=self.theme.color("pressed"))
            icon = {"more": "more", "again": "refresh"}.get(action) or action_of(row.job.state).icon
            paint.icon_in(painter, self.theme, spot, icon, "text" if over else "text2")
