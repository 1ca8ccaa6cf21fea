"""The connection check: each step with what it found and how long it took; the first that fails says what to do."""

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QGuiApplication, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from comfydesk.errors import KnownError
from comfydesk.qt.dialogs.pods.fixes import COMMON, TITLES, Fix
from comfydesk.qt.theme import ColorName, Theme
from comfydesk.qt.theme.language import said, said_error, tr
from comfydesk.qt.widgets import paint
from comfydesk.qt.widgets.buttons import Button, Kind
from comfydesk.qt.widgets.labels import Label
from comfydesk.qt.widgets.page import Scroller
from comfydesk.qt.widgets.plain import Line, pad
from comfydesk.qt.widgets.spinner import SpinnerDriver, draw_spinner
from comfydesk.session.pods.terms import ProbeStep, Step

WAITING, RUNNING, GOOD, BAD = "waiting", "running", "good", "bad"
_ICONS: dict[str, tuple[str, ColorName]] = {
    WAITING: ("ring-dashed", "text2"),
    GOOD: ("check", "success"),
    BAD: ("error", "danger"),
}


class _Mark(QWidget):
    """20 pixels: a tick, a cross, a turning ring, or a dashed one."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme, self._state = theme, WAITING
        self._spinner: SpinnerDriver | None = None
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def set_state(self, state: str) -> None:
        self._state = state
        if state == RUNNING and self._spinner is None:
            self._spinner = SpinnerDriver(self._theme, self)
        elif state != RUNNING and self._spinner is not None:
            self._spinner.stop()
            self._spinner = None
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(20), self._theme.px(20))

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter, px = QPainter(self), self._theme.px
        if self._spinner is not None:
            area = paint.centred(self.rect(), px(18), px(18))
            draw_spinner(painter, self._theme, area, self._spinner.angle, "accent")
            return
        name, color = _ICONS[self._state]
        paint.icon_in(painter, self._theme, self.rect(), name, color, 20)


class StepRow(QWidget):
    """One step. `fixed` when its button was pressed."""

    fixed = Signal()
    copied = Signal()

    def __init__(self, theme: Theme, step: Step) -> None:
        super().__init__()
        self._theme, self.step, self.state = theme, step, WAITING
        self.mark = _Mark(theme)
        self.title = Label(theme, tr(TITLES[step]), font="label", color="text2")
        self.detail = Label(theme, tr("Not tried yet"), font="small", color="text2", wrap=True)
        self.time = Label(theme, "\N{EN DASH}", color="text2")
        self.fix = Button(theme, "", kind=Kind.PRIMARY)
        self.copy = Button(theme, tr("Copy details"), icon="copy")
        self._buttons = QWidget()
        self._lay_out()
        self.fix.clicked.connect(self.fixed)
        self.copy.clicked.connect(self.copied)

    def show_state(self, state: str, detail: str, time: str = "\N{EN DASH}") -> None:
        """How the step stands, in words too."""
        self.state = state
        self.mark.set_state(state)
        self.detail.setText(detail)
        self.time.setText(time)
        self.title.set_color("text" if state in (GOOD, BAD, RUNNING) else "text2")
        self.detail.set_color("text" if state == BAD else "text2")
        self._buttons.setVisible(state == BAD)
        self.setAccessibleName(f"{self.title.text()}: {detail}")
        self.update()

    def offer(self, fix: Fix | None) -> None:
        """The button of a failed step."""
        self.fix.setVisible(fix is not None)
        if fix is not None:
            self.fix.setText(fix.words)

    def paintEvent(self, _event: QPaintEvent) -> None:
        if self.state == BAD:
            color = self._theme.color
            fill = self._theme.tone("danger")[1]
            paint.box(QPainter(self), self.rect(), self._theme.px(8), fill=fill, outline=color("danger"))

    def _lay_out(self) -> None:
        px = self._theme.px
        head = QHBoxLayout()
        head.addWidget(self.title)
        head.addStretch(1)
        head.addWidget(self.time)
        buttons = QHBoxLayout(self._buttons)
        pad(buttons, self._theme, 0, 8, 0, 4)
        buttons.setSpacing(px(8))
        buttons.addWidget(self.fix)
        buttons.addWidget(self.copy)
        buttons.addStretch(1)
        words = QVBoxLayout()
        words.setSpacing(px(1))
        words.addLayout(head)
        words.addWidget(self.detail)
        words.addWidget(self._buttons)
        row = QHBoxLayout(self)
        pad(row, self._theme, 12, 9, 12, 9)
        row.setSpacing(px(12))
        row.addWidget(self.mark, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(words, 1)
        self._buttons.hide()


class ConnectionCheck(QWidget):
    """The right column of the sheet. `wanted` when it is to begin; `fix_wanted` with the Fix that was offered."""

    wanted = Signal()
    fix_wanted = Signal(object)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._fix: Fix | None = None
        self._spent = 0.0
        self.rows: list[StepRow] = []
        self.summary = Label(theme, font="small", color="text2")
        self.again = Button(theme, tr("Check"), icon="refresh")
        self.again.clicked.connect(self.wanted)
        self._list = QVBoxLayout()
        self._lay_out()
        theme.surface(self, "panel")
        self.reset(COMMON)

    @property
    def passed(self) -> bool:
        """All of it is well."""
        return bool(self.rows) and all(row.state == GOOD for row in self.rows)

    @property
    def failed(self) -> StepRow | None:
        return next((row for row in self.rows if row.state == BAD), None)

    def reset(self, steps: tuple[Step, ...]) -> None:
        """Nothing was tried yet."""
        self._fix, self._spent = None, 0.0
        if tuple(row.step for row in self.rows) != steps:
            self._make_rows(steps)
        for row in self.rows:
            row.show_state(WAITING, tr("Not tried yet"))
        self.summary.setText(tr("{n} steps", n=len(steps)))
        self.again.set_busy("")
        self.again.setText(tr("Check"))

    def begin(self, steps: tuple[Step, ...]) -> None:
        """The first step is under way."""
        self.reset(steps)
        self.again.setText(tr("Stop"))
        self.again.set_icon("stop")
        self.rows[0].show_state(RUNNING, tr("Trying"))
        self.summary.setText(tr("Step 1 of {n}", n=len(steps)))

    def show_step(self, found: ProbeStep, fix: Fix | None = None) -> None:
        """A step has ended; the next is under way, unless it failed."""
        at = next((number for number, row in enumerate(self.rows) if row.step is found.step), None)
        if at is None:
            return
        for row in self.rows[:at]:
            if row.state in (WAITING, RUNNING):
                row.show_state(GOOD, tr("Not needed"), "")
        row = self.rows[at]
        self._spent += found.ms
        row.show_state(GOOD if found.ok else BAD, sentence(found), time_words(found.ms))
        if found.ok and at + 1 < len(self.rows):
            self.rows[at + 1].show_state(RUNNING, tr("Trying"))
            self.summary.setText(tr("Step {at} of {n}", at=at + 2, n=len(self.rows)))
        if not found.ok:
            self._fix = fix
            row.offer(fix)

    def end(self) -> None:
        """No further step comes."""
        bad = self.failed
        for row in self.rows:
            if row.state == RUNNING:
                row.show_state(WAITING, tr("Not tried yet"))
        if bad is not None:
            at, spent = self.rows.index(bad) + 1, time_words(self._spent)
            self.summary.setText(tr("Stopped at step {at} of {n} after {time}", at=at, n=len(self.rows), time=spent))
        elif self.passed:
            self.summary.setText(tr("All {n} steps passed in {time}", n=len(self.rows), time=time_words(self._spent)))
        else:
            self.summary.setText(tr("Stopped"))
        self.again.setText(tr("Check again"))
        self.again.set_icon("refresh")

    def refuse(self, error: KnownError) -> None:
        """It could not even begin."""
        self.end()
        self.summary.setText(said_error(error))

    def _lay_out(self) -> None:
        theme, px = self._theme, self._theme.px
        words = QVBoxLayout()
        words.setSpacing(px(2))
        words.addWidget(Label(theme, tr("Connection check"), font="heading"))
        words.addWidget(self.summary)
        head = QHBoxLayout()
        pad(head, theme, 16, 14, 12, 12)
        head.addLayout(words, 1)
        head.addWidget(self.again, 0, Qt.AlignmentFlag.AlignVCenter)
        holder = QWidget()
        inner = QVBoxLayout(holder)
        pad(inner, theme, 12, 8, 12, 12)
        inner.setSpacing(0)
        self._list.setSpacing(px(2))
        inner.addLayout(self._list)
        inner.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(Line(theme))
        column.addWidget(Scroller(theme, holder, "panel"), 1)

    def _make_rows(self, steps: tuple[Step, ...]) -> None:
        for row in self.rows:
            self._list.removeWidget(row)
            row.hide()  # it is gone at the next turn of the loop only, and the new ones stand there now
            row.deleteLater()
        self.rows = [StepRow(self._theme, step) for step in steps]
        for row in self.rows:
            self._list.addWidget(row)
            row.fixed.connect(self._on_fix)
            row.copied.connect(self._copy)

    def _on_fix(self) -> None:
        if self._fix is not None:
            self.fix_wanted.emit(self._fix)

    def _copy(self) -> None:
        """What was found, for a friend or a report: it holds no secrets."""
        lines = [f"{row.title.text()}: {row.detail.text()} ({row.time.text()})" for row in self.rows]
        QGuiApplication.clipboard().setText("\n".join(lines))


def sentence(found: ProbeStep) -> str:
    """What a step found, as a sentence."""
    error = found.error
    if error is not None:
        parts = (part.rstrip(".") for part in map(said, (error.what, error.why, error.advice)) if part)
        return " ".join(f"{part[:1].upper()}{part[1:]}." for part in parts)
    detail = said(found.detail)
    return detail[:1].upper() + detail[1:]


def time_words(milliseconds: float) -> str:
    """ "12 ms", "1.4 s"."""
    return f"{milliseconds:.0f} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.1f} s"
