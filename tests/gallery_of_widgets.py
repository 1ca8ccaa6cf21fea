"""Draws the sheets of controls that are held against the design: `python tests/gallery_of_widgets.py FOLDER [scale]`.

Pictures are made up here (skies), so that thumbnails have something to show.
"""

import os
import sys
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QModelIndex, QPointF, QRect, QSize, Qt
from PySide6.QtGui import QColor, QLinearGradient, QPainter, QPaintEvent, QPixmap, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import (
    QApplication,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLayout,
    QSizePolicy,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from comfydesk.events import JobProgress, RunState
from comfydesk.qt.models.rows import ROW, THUMBNAIL, JobRow, WorkflowRow
from comfydesk.qt.theme import Appearance, Scheme, Theme, Tone
from comfydesk.qt.widgets import paint
from comfydesk.qt.widgets.badge_label import BadgeLabel
from comfydesk.qt.widgets.badges import Badge, of_needs, of_state
from comfydesk.qt.widgets.banner import Banner
from comfydesk.qt.widgets.buttons import Button, IconButton, Kind
from comfydesk.qt.widgets.card_delegate import CardDelegate
from comfydesk.qt.widgets.chips import Chip
from comfydesk.qt.widgets.empty_state import EmptyState
from comfydesk.qt.widgets.field_frame import FieldFrame, LineEdit
from comfydesk.qt.widgets.focus_ring import FocusRing
from comfydesk.qt.widgets.form_part import Message
from comfydesk.qt.widgets.key_hint import KeyHint
from comfydesk.qt.widgets.labels import Label
from comfydesk.qt.widgets.number_row import NumberRow
from comfydesk.qt.widgets.numbers import Range
from comfydesk.qt.widgets.queue_delegate import QueueDelegate
from comfydesk.qt.widgets.seed_row import SeedRow
from comfydesk.qt.widgets.status_dot import StatusDot
from comfydesk.qt.widgets.switch import Check, Switch
from comfydesk.qt.widgets.toast import Toast
from comfydesk.session.values import WorkflowEntry
from comfydesk.store.records import Job, JobState
from comfydesk.workflow.card import WorkflowCard

_State = QStyle.StateFlag


def sky(hue: int, width: int = 384, height: int = 256) -> QPixmap:
    """A made-up landscape."""
    picture = QPixmap(width, height)
    painter = QPainter(picture)
    gradient = QLinearGradient(0, 0, 0, height)
    gradient.setColorAt(0, QColor.fromHsv(hue, 130, 110))
    gradient.setColorAt(0.6, QColor.fromHsv((hue + 160) % 360, 90, 230))
    gradient.setColorAt(0.62, QColor.fromHsv(hue, 90, 90))
    gradient.setColorAt(1, QColor.fromHsv(hue, 120, 60))
    painter.fillRect(picture.rect(), gradient)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(255, 250, 220))
    painter.drawEllipse(QPointF(width * 0.7, height * 0.45), height / 12, height / 12)
    painter.end()
    return picture


class Panel(QWidget):
    """A box with a heading, as on the sheets."""

    def __init__(self, theme: Theme, title: str) -> None:
        super().__init__()
        self._theme = theme
        theme.surface(self, "panel")
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(13, 10, 13, 12)
        self.column.setSpacing(8)
        self.column.addWidget(Label(theme, title, font="caption_strong", color="text2"))
        self.setAutoFillBackground(False)

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme = self._theme
        paint.box(QPainter(self), self.rect(), 8, fill=theme.color("panel"), outline=theme.color("border"))


class Painted(QWidget):
    """Rows painted by a delegate in given states, one below or beside the other."""

    def __init__(
        self, delegate: QStyledItemDelegate, items: list[tuple[object, QPixmap | None, QStyle.StateFlag, QSize]]
    ) -> None:
        super().__init__()
        self._delegate, self._items = delegate, items
        self._model = QStandardItemModel(self)
        for row, picture, _, _ in items:
            item = QStandardItem()
            item.setData(row, ROW)
            item.setData(picture, THUMBNAIL)
            self._model.appendRow(item)
        self.beside = False
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        sizes = [size for *_, size in self._items]
        if self.beside:
            return QSize(sum(size.width() + 8 for size in sizes) - 8, max(size.height() for size in sizes))
        return QSize(max(size.width() for size in sizes), sum(size.height() for size in sizes))

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        x = y = 0
        for at, (_, _, state, size) in enumerate(self._items):
            option = QStyleOptionViewItem()
            width = size.width() if self.beside else self.width()
            option.rect = QRect(x, y, width, size.height())
            option.state = _State.State_Enabled | state
            index: QModelIndex = self._model.index(at, 0)
            self._delegate.paint(painter, option, index)
            x, y = (x + width + 8, y) if self.beside else (x, y + size.height())


def buttons(theme: Theme) -> Panel:
    panel = Panel(theme, "Buttons")
    grid = QGridLayout()
    grid.setHorizontalSpacing(20)
    grid.setVerticalSpacing(6)
    panel.column.addLayout(grid)
    names = ("Rest", "Hover", "Pressed", "Focus", "Disabled", "Busy or on", "Danger")
    for column, name in enumerate(names):
        grid.addWidget(Label(theme, name, font="caption", color="text2"), 0, column)
    for column in range(5):
        made = (
            Button(theme, "Save", kind=Kind.PRIMARY),
            Button(theme, "Export"),
            IconButton(theme, "dice", "New seed"),
        )
        for row, button in enumerate(made):
            button._hovered = column in (1, 2)
            button.setDown(column == 2)
            if column == 4:
                button.set_blocked("Nothing to save")
            grid.addWidget(button, row + 1, column, Qt.AlignmentFlag.AlignLeft)
            if column == 3:
                button.setObjectName("ringed")
    busy = Button(theme, "Save", kind=Kind.PRIMARY)
    busy.set_busy("Saving")
    on = Chip(theme, "Image")
    on.setChecked(True)
    lock = IconButton(theme, "lock", "Seed is kept", checkable=True)
    lock.setChecked(True)
    for row, widget in enumerate((busy, on, lock)):
        grid.addWidget(widget, row + 1, 5, Qt.AlignmentFlag.AlignLeft)
    grid.addWidget(Button(theme, "Delete", danger=True, icon="trash"), 1, 6, Qt.AlignmentFlag.AlignLeft)
    marks = QHBoxLayout()
    marks.setSpacing(8)
    ticked, switched = Check(theme), Switch(theme)
    ticked.setChecked(True)
    switched.setChecked(True)
    for mark in (ticked, Check(theme), switched):
        marks.addWidget(mark)
    marks.addStretch(1)
    grid.addLayout(marks, 2, 6)
    grid.setColumnStretch(7, 1)
    return panel


def fields(theme: Theme) -> Panel:
    panel = Panel(theme, "Fields")
    row = QHBoxLayout()
    panel.column.addLayout(row)
    for words, hint, state in (
        ("", "Name or model", ""), ("coastal", "", "focus"), ("Not available", "", "off"), ("1350", "", "bad"),
    ):  # fmt: skip
        frame = FieldFrame(theme)
        frame.hold(LineEdit(theme, words, placeholder=hint))
        frame._focused = state in ("focus", "bad")
        frame.set_invalid(state == "bad")
        frame.setEnabled(state != "off")
        column = QVBoxLayout()
        column.setSpacing(4)
        column.addWidget(frame)
        column.addWidget(Message(theme, "Not a multiple of 16. Try 1344.") if state == "bad" else QLabel())
        row.addLayout(column, 1)
    line = QHBoxLayout()
    panel.column.addLayout(line)
    line.addWidget(Label(theme, "Steps", color="text2"))
    line.addWidget(NumberRow(theme, Range(integer=True, minimum=1, maximum=10000), 30, span=(1, 50)), 3)
    line.addWidget(Label(theme, "  Seed", color="text2"))
    seed = SeedRow(theme, 4716202885310947)
    seed.set_locked(True)
    line.addWidget(seed, 2)
    return panel


class _Needs:
    def __init__(self, models: int, nodes: int) -> None:
        self.missing_models, self.missing_nodes = ("m",) * models, ("n",) * nodes


def cards(theme: Theme) -> Panel:
    panel = Panel(theme, "Workflow cards")
    delegate = CardDelegate(theme, can_star=True)
    items: list[tuple[object, QPixmap | None, QStyle.StateFlag, QSize]] = []
    for at, (name, inputs, output, models, nodes, starred, state) in enumerate((
        ("Flux.2 dev: text to image", ("text",), "image", 0, 0, True, _State.State_Selected),
        ("LTX-2: text to video", ("text",), "video", 2, 0, False, _State.State_MouseOver),
        ("SeedVR2 upscale", ("image",), "image", 0, 1, False, _State.State_None),
        ("Wan 2.2: first and last frame to video", ("image", "text"), "video", 0, 0, True, _State.State_None),
    )):  # fmt: skip
        card = WorkflowCard(id=name, name=name, input_types=inputs, output_types=(output,))
        row = WorkflowRow(WorkflowEntry(name, name, "bundled", card), starred, _Needs(models, nodes))  # type: ignore[arg-type]
        items.append((row, sky(at * 70), state, delegate.sizeHint(QStyleOptionViewItem(), QModelIndex())))
    panel.column.addWidget(Painted(delegate, items))
    return panel


def queue(theme: Theme) -> Panel:
    panel = Panel(theme, "Queue rows")
    delegate = QueueDelegate(theme)
    items: list[tuple[object, QPixmap | None, QStyle.StateFlag, QSize]] = []
    states = (
        JobState.RUNNING, JobState.QUEUED, JobState.HELD, JobState.SAVING, JobState.DONE, JobState.FAILED,
        JobState.UNKNOWN,
    )  # fmt: skip
    for at, state in enumerate(states):
        job = Job(str(at), state, "Coast, 2 of 4", "atlas", "", {}, "Lighthouse on a basalt cliff", 1, at, 0)
        progress = JobProgress(str(at), RunState.RUNNING, fraction=0.41) if state is JobState.RUNNING else None
        seen = _State.State_MouseOver if at == 1 else _State.State_None
        size = delegate.sizeHint(QStyleOptionViewItem(), QModelIndex())
        items.append((JobRow(job, progress, 34 if at < 2 else None), sky(at * 50), seen, size))
    panel.column.addWidget(Painted(delegate, items))
    return panel


def badges_and_chips(theme: Theme) -> Panel:
    panel = Panel(theme, "Badges and chips")
    for row in (
        (of_needs(0, 0), of_needs(2, 0), of_needs(0, 1)),
        (of_state(JobState.SAVING), of_state(JobState.QUEUED), Badge("4", "info")),
    ):
        line = QHBoxLayout()
        line.setSpacing(5)
        for badge in row:
            line.addWidget(BadgeLabel(theme, badge))
        line.addStretch(1)
        panel.column.addLayout(line)
    line = QHBoxLayout()
    line.setSpacing(6)
    for at, word in enumerate(("Image", "Video", "Audio")):
        chip = Chip(theme, word)
        chip.setChecked(at == 0)
        chip._hovered = at == 2
        line.addWidget(chip)
    line.addStretch(1)
    line.addWidget(KeyHint(theme, "Ctrl+Enter"))
    panel.column.addLayout(line)
    return panel


def pods(theme: Theme) -> Panel:
    panel = Panel(theme, "Pod chip")
    panel.column.setSpacing(4)
    rows: tuple[tuple[Tone, str, str, str], ...] = (
        ("success", "atlas", "Online, 38 ms", ""),
        ("warning", "atlas", "Reconnecting, try 3 in 4 s", "Now"),
        ("danger", "harbour", "Sign-in refused", "Fix"),
        ("neutral", "vega", "Stopped, $0.00/h", "Start"),
    )
    for tone, name, words, action in rows:
        line = QHBoxLayout()
        line.addWidget(StatusDot(theme, tone))
        line.addWidget(Label(theme, name, font="label"))
        line.addWidget(Label(theme, words, color="text2"))
        line.addStretch(1)
        if action:
            button = Button(theme, action, kind=Kind.LINK)
            button.setObjectName("tight")
            button.setFixedHeight(18)
            line.addWidget(button)
        panel.column.addLayout(line)
    return panel


def banners(theme: Theme) -> Panel:
    panel = Panel(theme, "Banners")
    panel.column.setSpacing(4)
    rows: tuple[tuple[Tone, str, str, str], ...] = (
        ("warning", "Connection lost", "The running job goes on. Reconnecting, try 3.", "Reconnect now"),
        ("danger", "Disk full", "3 outputs wait on the pod. Free 240 MB or choose another folder.", "Choose folder"),
        ("info", "atlas stops in 2:00", "Its queue is empty and all outputs are saved.", "Keep running"),
    )
    for tone, what, why, action in rows:
        banner = Banner(theme)
        banner.tell(what, why, tone=tone, action=action)
        panel.column.addWidget(banner)
    return panel


def empties(theme: Theme) -> QLayout:
    row = QHBoxLayout()
    row.setSpacing(8)
    for icon, what, more, action in (
        ("image", "Nothing made yet", "Pick a workflow and press Generate.", "Open text to image"),
        ("search", "No workflow matches \u201chello world\u201d", "Try a task, or search all 318.", "Clear search"),
    ):
        panel = Panel(theme, "")
        panel.column.addWidget(EmptyState(theme, icon, what, more, action=action))
        row.addWidget(panel)
    return row


def toasts(theme: Theme) -> QLayout:
    row = QHBoxLayout()
    row.setSpacing(0)
    row.addWidget(Toast(theme, "4 images done", "Coast, 0:58 on atlas", actions=("Show",), picture=sky(200)))
    why = "1536 by 1536 needs about 27 GB; atlas has 24. Lower the size or turn on tiled decode."
    actions = ("Use 1024 by 1024", "Copy details")
    row.addWidget(Toast(theme, "Out of memory in Sampler", why, tone="danger", actions=actions))
    row.addStretch(1)
    return row


def sheet(theme: Theme) -> QWidget:
    """Everything in one column of 700."""
    page = QWidget()
    theme.surface(page, "window")
    column = QVBoxLayout(page)
    column.setContentsMargins(24, 16, 24, 16)
    column.setSpacing(9)
    column.addWidget(buttons(theme))
    column.addWidget(fields(theme))
    for left, right in ((cards(theme), queue(theme)), (badges_and_chips(theme), pods(theme))):
        row = QHBoxLayout()
        row.setSpacing(9)
        row.addWidget(left, 1)
        row.addWidget(right, 1)
        column.addLayout(row)
    column.addWidget(banners(theme))
    column.addLayout(empties(theme))
    column.addLayout(toasts(theme))
    return page


def draw(folder: Path, scale: float) -> None:
    app = QApplication.instance() or QApplication([])
    assert isinstance(app, QApplication)
    for scheme in (Scheme.DARK, Scheme.LIGHT):
        theme = Theme(Appearance(scheme, scale))
        theme.install(app)
        page = sheet(theme)
        page.setFixedWidth(round(720 * scale))
        page.resize(page.width(), page.sizeHint().height())
        page.show()
        app.processEvents()
        rings = []
        for button in page.findChildren(Button, "ringed"):
            ring = FocusRing(theme, page)
            ring.show_around(button, 6)
            rings.append(ring)
        app.processEvents()
        path = folder / f"controls-{scheme.value}-{round(scale * 100)}.png"
        page.grab().save(str(path))
        print(path)
        page.close()
        page.deleteLater()
        app.processEvents()


if __name__ == "__main__":
    draw(Path(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 1.0)
