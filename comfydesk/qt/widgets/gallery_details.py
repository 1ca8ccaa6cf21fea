"""The library's right side: one output, what it was made with, what was said of it, and what to do with it."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEvent, QRect, QSize, Qt, Signal
from PySide6.QtGui import QGuiApplication, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLayout,
    QScrollArea,
    QSizePolicy,
    QStyle,
    QVBoxLayout,
    QWidget,
)

from comfydesk.qt.models.thumbnails import Thumbnails
from comfydesk.qt.models.words import DOT, TIMES, clock, size_words, took
from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets.buttons import Button, IconButton, Size, SplitButton
from comfydesk.qt.widgets.chips import RemovableChip
from comfydesk.qt.widgets.empty_state import EmptyState
from comfydesk.qt.widgets.field_frame import FieldFrame, LineEdit
from comfydesk.qt.widgets.flow import Flow
from comfydesk.qt.widgets.gallery_prompt import PromptText
from comfydesk.qt.widgets.gallery_stars import Stars
from comfydesk.qt.widgets.gallery_tiles import ICONS
from comfydesk.qt.widgets.labels import ElidedLabel, Label
from comfydesk.qt.widgets.menu import Menu
from comfydesk.qt.widgets.plain import Line, pad
from comfydesk.qt.widgets.section import Section
from comfydesk.qt.widgets.thumbnail import paint_thumbnail
from comfydesk.session.gallery.thumbnails import edge_for
from comfydesk.store.records import Output

if TYPE_CHECKING:
    from comfydesk.session.gallery.details import Detail

_LONGEST = 2000
_MOST_VALUES = 400
_PICTURE = 220


class _Poster(QWidget):
    """The picture at the width of the panel."""

    clicked = Signal()

    def __init__(self, theme: Theme, thumbnails: Thumbnails) -> None:
        super().__init__()
        self._theme, self._thumbnails = theme, thumbnails
        self._output: Output | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        thumbnails.ready.connect(self._on_picture)
        theme.changed.connect(self.updateGeometry)

    def show_output(self, output: Output | None) -> None:
        self._output = output
        self.setAccessibleName("" if output is None else Path(output.path).name)
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(200), self._theme.px(_PICTURE))

    def paintEvent(self, _event: QPaintEvent) -> None:
        output = self._output
        if output is None:
            return
        shape = 1.6 if not output.width or not output.height else min(3.0, max(0.5, output.width / output.height))
        high = min(self.height(), round(self.width() / shape))
        area = QRect(0, 0, min(self.width(), round(high * shape)), high)
        area.moveCenter(self.rect().center())
        edge = edge_for(min(area.width(), area.height()) * self.devicePixelRatioF())
        picture = self._thumbnails.get(output.path, output.media, sha256=output.sha256, edge=edge)
        broken = bool(self._thumbnails.reason(output.path))
        icon = ICONS.get(output.media, "file")
        paint_thumbnail(QPainter(self), self._theme, area, picture, icon=icon, broken=broken)

    def mouseReleaseEvent(self, _event: QEvent) -> None:
        self.clicked.emit()

    def _on_picture(self, path: str) -> None:
        if self._output is not None and self._output.path == path:
            self.update()


class DetailsPanel(QWidget):
    """Signals carry the Output they are about; `rated`, `tagged` and the like only what is new."""

    opened = Signal(object)
    reused = Signal(object, str)
    """Output; "all", "prompt" or "seed"."""
    sent = Signal(object)
    compared = Signal()
    varied = Signal(object)
    revealed = Signal(object)
    rated = Signal(int)
    tagged = Signal(str)
    untagged = Signal(str)
    noted = Signal(str)
    stepped = Signal(int)
    """To the next (1) or the one before (-1) of what is selected."""

    def __init__(self, theme: Theme, thumbnails: Thumbnails) -> None:
        super().__init__()
        self.theme = theme
        self.output: Output | None = None
        self.query = ""
        """What was searched for, as typed: it is marked in the prompt."""
        self._shown_tags: tuple[str, ...] = ()
        self.empty = EmptyState(theme, "image", tr("Nothing selected"), tr("Select a picture to see how it was made."))
        self._scroll = QScrollArea()
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setWidgetResizable(True)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.viewport().setAutoFillBackground(False)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self.empty)
        outer.addWidget(self._scroll)
        inside = self._inside = QWidget()
        inside.setAutoFillBackground(False)
        self._scroll.setWidget(inside)
        column = QVBoxLayout(inside)
        pad(column, theme, 16, 8, 16, 16, gap=8)
        self._poster = _Poster(theme, thumbnails)
        self._name = ElidedLabel(theme, font="label", middle=True)
        self._reveal = IconButton(theme, "open", tr("Show in its folder"), size=Size.COMPACT)
        self.stars = Stars(theme, name=tr("Rating"))
        self._facts = ElidedLabel(theme, font="small", color="text2")
        self._trouble = Label(theme, font="small", color="warning", wrap=True)
        column.addWidget(self._poster)
        column.addLayout(_row(self._name, self._reveal, stretch=0))
        self._pairs = [_row(self.stars, self._facts, stretch=1)]
        column.addLayout(self._pairs[0])
        column.addWidget(self._trouble)
        self._add_actions(column)
        column.addWidget(Line(theme))
        self._add_prompt(column)
        column.addWidget(Line(theme))
        self._grid = QGridLayout()
        self._grid.setColumnStretch(1, 1)
        pad(self._grid, theme, 0, 0, 0, 0, gap=8)
        column.addLayout(self._grid)
        self._values = QGridLayout()
        box = QWidget()
        box.setLayout(self._values)
        pad(self._values, theme, 0, 4, 0, 4, gap=6)
        self._values.setColumnStretch(1, 1)
        self._all = Section(theme, tr("All values"), box, quiet=True)
        column.addWidget(self._all)
        column.addWidget(Line(theme))
        self._add_words(column)
        column.addStretch(1)
        self._join()
        theme.changed.connect(self._fit)
        self._fit()
        self.show_output(None)

    def minimumSizeHint(self) -> QSize:
        """As wide as what is inside, or it would be cut off: it scrolls up and down only."""
        bar = self.style().pixelMetric(QStyle.PixelMetric.PM_ScrollBarExtent)
        if self._scroll.isHidden():  # what is not laid out may know only the widths of another scale
            return self.empty.minimumSizeHint()
        return QSize(self._inside.minimumSizeHint().width() + bar, super().minimumSizeHint().height())

    # --- What it shows ----------------------------------------------------------------------------------------------

    def show_output(self, output: Output | None) -> None:
        """What the row says; `show_detail` adds the rest."""
        same = self.output is not None and output is not None and self.output.id == output.id
        self.output = output
        self.empty.setVisible(output is None)
        self._scroll.setVisible(output is not None)
        if output is None:
            return
        self._poster.show_output(output)
        self._name.set_text(Path(output.path).name)
        self._facts.set_text(facts_of(output))
        self.stars.show_rating(output.rating)
        self._trouble.setText(tr("The file was moved or deleted.") if output.missing else "")
        self._trouble.setVisible(output.missing)
        prompt = output.prompt[:_LONGEST]
        self._prompt.show_prompt(prompt or tr("No prompt is known."), self.query)
        self._prompt.set_color("text" if prompt else "text2")
        self._copy.setVisible(bool(prompt))
        self._show_tags(output.tags)
        if not self.note.hasFocus():
            self.note.setText(output.note)
        if not same:
            _fill(self.theme, self._grid, rows_of(output))
            _fill(self.theme, self._values, ())
            self._all.setVisible(False)
            self._scroll.verticalScrollBar().setValue(0)

    def show_detail(self, detail: "Detail", pod: str = "") -> None:
        """`pod`: the name of the one it was made on."""
        if self.output is None or detail.output.id != self.output.id:
            return
        self.show_output(detail.output)
        loras = ", ".join(name for name, kind in detail.models if kind == "lora")
        albums = ", ".join(name for _, name in detail.albums)
        extra = [(tr("LoRA"), loras)] if loras else []
        made = detail.output.seconds
        where = pod or detail.output.pod
        spent = tr("{pod} in {time}", pod=where, time=took(made)) if made and where else where
        tail = [(tr("Made on"), spent)] if spent else []
        tail += [(tr("Albums"), albums)] if albums else []
        _fill(self.theme, self._grid, (*rows_of(detail.output)[:2], *extra, *rows_of(detail.output)[2:], *tail))
        values = [(f"{each.label}", _text(each.value)) for each in detail.settings[:_MOST_VALUES]]
        _fill(self.theme, self._values, values)
        self._all.setVisible(bool(values))
        self._all.header.setText(tr("All {n} values", n=len(detail.settings)))
        reason = "" if detail.has_graph else tr("Its file carries no workflow")
        self.use.set_blocked(reason)
        self.vary.set_blocked(reason)

    def show_place(self, at: int, of: int) -> None:
        """Which of the selected ones it is."""
        self.place.setText(tr("{n} of {many}", n=f"{at:,}", many=f"{of:,}") if of > 1 else "")
        for button in (self.before, self.after):
            button.setVisible(of > 1)

    # --- Inside ---------------------------------------------------------------------------------------------------

    def _fit(self) -> None:
        """Large text: what stood side by side stands one below the other."""
        ways = QBoxLayout.Direction
        for pair in self._pairs:
            pair.setDirection(ways.TopToBottom if self.theme.labels_above else ways.LeftToRight)

    def _add_actions(self, column: QVBoxLayout) -> None:
        theme = self.theme
        self.use = SplitButton(theme, tr("Use these settings"), size=Size.CONTROL, menu_name=tr("Use a part of them"))
        menu = Menu(theme, parent=self)
        for words, part in (
            (tr("All settings"), "all"),
            (tr("Only the prompt"), "prompt"),
            (tr("Only the seed"), "seed"),
        ):
            menu.add(words).triggered.connect(lambda _=False, part=part: self._reuse(part))
        self.use.set_menu(menu)
        self.send = Button(theme, tr("Send to"), icon="send")
        self.compare = Button(theme, tr("Compare"), icon="compare")
        self.vary = Button(theme, tr("Variations"), icon="dice")
        for button in (self.send, self.compare, self.vary):
            button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        for pair in (_row(self.use, self.send, stretch=1), _row(self.compare, self.vary, stretch=1)):
            self._pairs.append(pair)
            column.addLayout(pair)
        self.place = Label(theme, font="small", color="text2")
        self.before = IconButton(theme, "chevron-left", tr("The one before"), size=Size.COMPACT)
        self.after = IconButton(theme, "chevron-right", tr("The next one"), size=Size.COMPACT)

    def _add_prompt(self, column: QVBoxLayout) -> None:
        theme = self.theme
        self._copy = IconButton(theme, "copy", tr("Copy the prompt"), size=Size.COMPACT)
        column.addLayout(_row(Label(theme, tr("Prompt"), font="heading"), self._copy, stretch=0))
        self._prompt = PromptText(theme)
        column.addWidget(self._prompt)

    def _add_words(self, column: QVBoxLayout) -> None:
        """Tags and a note."""
        theme = self.theme
        column.addWidget(Label(theme, tr("Tags"), font="label", color="text2"))
        self._tags = Flow(theme.px(4))
        column.addLayout(self._tags)
        self.tag = LineEdit(theme, placeholder=tr("Add a tag"))
        self.tag.setAccessibleName(tr("Add a tag"))
        self.note = LineEdit(theme, placeholder=tr("Write a note"))
        self.note.setAccessibleName(tr("Note"))
        for edit in (self.tag, self.note):
            frame = FieldFrame(theme)
            frame.hold(edit)
            if edit is self.note:
                column.addWidget(Label(theme, tr("Note"), font="label", color="text2"))
            column.addWidget(frame)

    def _join(self) -> None:
        self._poster.clicked.connect(lambda: self._tell(self.opened))
        self._reveal.clicked.connect(lambda: self._tell(self.revealed))
        self.use.clicked.connect(lambda: self._reuse("all"))
        self.send.clicked.connect(lambda: self._tell(self.sent))
        self.vary.clicked.connect(lambda: self._tell(self.varied))
        self.compare.clicked.connect(self.compared)
        self.stars.rated.connect(self.rated)
        self._copy.clicked.connect(self._copy_prompt)
        self.tag.returnPressed.connect(self._add_tag)
        self.note.editingFinished.connect(self._keep_note)
        self.before.clicked.connect(lambda: self.stepped.emit(-1))
        self.after.clicked.connect(lambda: self.stepped.emit(1))

    def _tell(self, signal: Any) -> None:
        if self.output is not None:
            signal.emit(self.output)

    def _reuse(self, part: str) -> None:
        if self.output is not None:
            self.reused.emit(self.output, part)

    def _copy_prompt(self) -> None:
        if self.output is not None:
            QGuiApplication.clipboard().setText(self.output.prompt)

    def _add_tag(self) -> None:
        words = self.tag.text().strip()
        self.tag.clear()
        if words:
            self.tagged.emit(words)

    def _keep_note(self) -> None:
        if self.output is not None and self.note.text() != self.output.note:
            self.noted.emit(self.note.text())

    def _show_tags(self, tags: tuple[str, ...]) -> None:
        if tags == self._shown_tags:
            return
        self._shown_tags = tags
        _clear(self._tags)
        for tag in tags:
            chip = RemovableChip(self.theme, tag)
            chip.clicked.connect(lambda _=False, tag=tag: self.untagged.emit(tag))
            self._tags.addWidget(chip)


def facts_of(output: Output) -> str:
    """ "1344 x 768 . 1.9 MB . 14:36"."""
    parts = []
    if output.width and output.height:
        parts.append(f"{output.width} {TIMES} {output.height}")
    if output.duration is not None:
        parts.append(clock(output.duration))
    parts.append(size_words(output.size))
    parts.append(datetime.fromtimestamp(output.created).astimezone().strftime("%H:%M"))
    return f" {DOT} ".join(parts)


def rows_of(output: Output) -> tuple[tuple[str, str], ...]:
    """What the row itself says of how it was made."""
    steps = f"{output.steps:g}" if output.steps else ""
    guided = tr("{steps} at guidance {cfg}", steps=steps, cfg=f"{output.cfg:g}") if steps and output.cfg else steps
    sampler = ", ".join(each for each in (output.sampler, output.scheduler) if each)
    found = (
        (tr("Workflow"), output.workflow),
        (tr("Model"), output.model),
        (tr("Seed"), "" if output.seed is None else str(output.seed)),
        (tr("Steps"), guided),
        (tr("Sampler"), sampler),
        (tr("Negative"), output.negative[:200]),
    )
    return tuple((name, value) for name, value in found if value)


def _text(value: Any) -> str:
    words = str(value)
    return words if len(words) <= 200 else f"{words[:199]}\N{HORIZONTAL ELLIPSIS}"


def _fill(theme: Theme, grid: QGridLayout, rows: Any) -> None:
    _clear(grid)
    for at, (name, value) in enumerate(rows):
        label = ElidedLabel(theme, name, font="small", color="text2")
        label.setFixedWidth(theme.px(64 if theme.labels_above else 76))
        shown = ElidedLabel(theme, value, font="mono" if name == tr("Seed") else "small", middle=True)
        grid.addWidget(label, at, 0)
        grid.addWidget(shown, at, 1)


def _clear(layout: QLayout) -> None:
    while (item := layout.takeAt(0)) is not None:
        widget = item.widget()
        if widget is not None:
            widget.hide()
            widget.deleteLater()


def _row(first: QWidget, second: QWidget, *, stretch: int) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(8)
    row.addWidget(first, 1 if stretch == 0 or not isinstance(first, Stars) else 0)
    row.addWidget(second, stretch)
    return row
