"""The foot of the panel on the right: the button that makes it, how many, in which ways; below, what that means."""

from collections.abc import Callable

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from comfydesk.qt.models.words import SHORTEST, clock
from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import tr, tr_n
from comfydesk.qt.widgets.buttons import IconButton, Kind, Size, SplitButton
from comfydesk.qt.widgets.labels import ElidedLabel
from comfydesk.qt.widgets.menu import Menu
from comfydesk.qt.widgets.plain import pad
from comfydesk.qt.widgets.stepper import Stepper

MANY = (4, 10)
"""Offered beside Generate."""


class Footer(QWidget):
    """Generate, how many, Batch, Cancel; below, what that makes and when."""

    batch_wanted = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.generate = SplitButton(theme, tr("Generate"), keys="Ctrl+Enter", menu_name=tr("More ways to generate"))
        self.count = Stepper(theme, tr("How many"), maximum=9_999)
        self.batch = IconButton(theme, "batch", tr("Batch\N{HORIZONTAL ELLIPSIS}"), kind=Kind.SECONDARY, size=Size.MAIN)
        self.cancel = IconButton(
            theme, "stop", tr("Cancel the running job"), kind=Kind.SECONDARY, danger=True, size=Size.MAIN
        )
        self.cancel.hide()
        self.what = ElidedLabel(theme, font="caption", color="text2")
        self.when = ElidedLabel(theme, font="caption", color="text2")
        column = QVBoxLayout(self)
        pad(column, theme, 16, 12, 16, 12, gap=8)
        row = QHBoxLayout()
        pad(row, theme, 0, 0, 0, 0, gap=8)
        row.addWidget(self.generate, 1)
        row.addWidget(self.count)
        row.addWidget(self.batch)
        row.addWidget(self.cancel)
        words = QHBoxLayout()
        pad(words, theme, 0, 0, 0, 0, gap=8)
        words.addWidget(self.what, 1)
        words.addWidget(self.when)
        column.addLayout(row)
        column.addLayout(words)
        theme.surface(self, "window")
        self.batch.clicked.connect(self.batch_wanted)

    def set_blocked(self, reason: str) -> None:
        """Nothing can be made, and why; "" if it can."""
        self.generate.set_blocked(reason)
        self.batch.set_blocked(reason)

    def show_when(self, pod: str, waiting: int, seconds: float | None, *, usable: bool, paused: bool = False) -> None:
        """When the next job begins: `waiting` stand before it, which takes `seconds`. Nothing begins while `paused`."""
        if paused:
            words = tr("waits: the queue is paused")
        elif not pod:
            words = tr("waits for a pod")
        elif not usable:
            words = tr("waits for {pod}", pod=pod)
        elif not waiting:
            words = tr("starts now")
        elif seconds is None or seconds < SHORTEST:
            words = tr_n("starts after {n} job", "starts after {n} jobs", waiting)
        else:
            words = tr("starts in {time}", time=clock(seconds))
        self.when.set_text(words)

    def offer_ways(self, press: Callable[..., None]) -> Menu:
        """What the chevron beside Generate opens; `press` takes what differs from the button, by name."""
        ways = Menu(self._theme, tr("More ways to generate"), parent=self)
        ways.add(tr("Generate next, before all that waits"), "arrow-up").triggered.connect(
            lambda _=False: press(front=True)
        )
        ways.add(tr("Add to the queue, held"), "pause").triggered.connect(lambda _=False: press(held=True))
        ways.addSeparator()
        ways.add(tr("Generate one with the seed shown"), "lock").triggered.connect(
            lambda _=False: press(count=1, keep_seed=True)
        )
        for count in MANY:
            action = ways.add(tr("Generate {count}, each with its own seed", count=count), "dice")
            action.triggered.connect(lambda _=False, count=count: press(count=count, keep_seed=False))
        ways.addSeparator()
        ways.add(tr("Batch\N{HORIZONTAL ELLIPSIS}"), "batch").triggered.connect(
            lambda _=False: self.batch_wanted.emit()
        )
        self.generate.set_menu(ways)
        return ways
