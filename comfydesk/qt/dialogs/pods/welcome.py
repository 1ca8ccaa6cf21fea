"""The first start: three ways to a first picture. A page like any other: Esc and everything else works."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import mark, tr
from comfydesk.qt.widgets import paint
from comfydesk.qt.widgets.buttons import Button, Kind
from comfydesk.qt.widgets.labels import Label
from comfydesk.qt.widgets.page import Page, Scroller
from comfydesk.qt.widgets.plain import Icon, pad
from comfydesk.qt.widgets.spinner import Spinner
from comfydesk.qt.widgets.text_line import TextLine
from comfydesk.session.pods.profiles import PodProfile

WIDTH = 560
PASTE = mark("https://abc123-8188.proxy.runpod.net or an ssh line")
DEMO = mark("Built in, needs no GPU. It draws simple pictures; it is no AI.")
MINE = mark("Paste the address of its ComfyUI page, or the ssh line that your provider shows.")
NOTHING = mark("Nothing answers at 127.0.0.1:8188. Start ComfyUI and look again.")


class Offer(QWidget):
    """One way: an icon, what it is, and its control below."""

    def __init__(self, theme: Theme, icon: str, what: str, why: str) -> None:
        super().__init__()
        self._theme = theme
        px = theme.px
        self.why = Label(theme, why, font="small", color="text2", wrap=True)
        self.controls = QHBoxLayout()
        self.controls.setSpacing(px(8))
        words = QVBoxLayout()
        words.setSpacing(px(2))
        words.addWidget(Label(theme, what, font="heading"))
        words.addWidget(self.why)
        words.addSpacing(px(8))
        words.addLayout(self.controls)
        row = QHBoxLayout(self)
        pad(row, theme, 16, 14, 16, 16)
        row.setSpacing(px(14))
        mark = Icon(theme, icon)
        row.addWidget(mark, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(words, 1)

    def paintEvent(self, _event: QPaintEvent) -> None:
        color = self._theme.color
        paint.box(QPainter(self), self.rect(), self._theme.px(8), fill=color("panel"), outline=color("border"))


class WelcomeSheet(Page):
    """`demo_wanted`, `pasted` with the text, `here_wanted` with the profile of this computer's own ComfyUI."""

    demo_wanted = Signal()
    pasted = Signal(str)
    look_wanted = Signal()
    here_wanted = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, tr("Make your first picture"), parent)
        self._here: PodProfile | None = None
        self.demo = Button(theme, tr("Try the demo pod"), kind=Kind.PRIMARY)
        self.paste = TextLine(theme, placeholder=tr(PASTE))
        self.paste.set_name(tr("Address of the pod, or its ssh line"))
        self.connect_button = Button(theme, tr("Connect"))
        self.spinner = Spinner(theme, tr("Looking at 127.0.0.1:8188"))
        self.here = Button(theme, tr("Connect to it"))
        self.here.hide()
        self.look = Button(theme, tr("Look again"), icon="refresh")
        self.look.hide()
        self._lay_out()
        self.hide_foot()
        self.demo.clicked.connect(self.demo_wanted)
        self.connect_button.clicked.connect(self._paste)
        self.paste.edit.returnPressed.connect(self._paste)
        self.here.clicked.connect(lambda: self.here_wanted.emit(self._here))
        self.look.clicked.connect(self._look)

    def first_focus(self) -> QWidget:
        return self.demo

    def show_here(self, profile: PodProfile, found: str) -> None:
        """What was found on this computer: what it is, or "" for nothing."""
        self.spinner.hide()
        self._here = profile
        self.here.setVisible(bool(found))
        self.look.setVisible(not found)
        self.local.why.setText(f"{found}." if found else tr(NOTHING))

    def _look(self) -> None:
        self.look.hide()
        self.spinner.show()
        self.look_wanted.emit()

    def _paste(self) -> None:
        self.pasted.emit(self.paste.value().strip())

    def _lay_out(self) -> None:
        theme, px = self.theme, self.theme.px
        demo = Offer(
            theme, "image", tr("Try the demo pod"), tr("Built in, needs no GPU. It draws simple pictures; it is no AI.")
        )
        demo.controls.addWidget(self.demo)
        demo.controls.addStretch(1)
        mine = Offer(theme, "pod", tr("Connect to my pod"), tr(MINE))
        mine.controls.addWidget(self.paste, 1)
        mine.controls.addWidget(self.connect_button)
        self.local = Offer(theme, "plug", tr("I have ComfyUI here"), tr("On this computer."))
        for part in (self.spinner, self.here, self.look):
            self.local.controls.addWidget(part)
        self.local.controls.addStretch(1)
        holder = QWidget()
        column = QVBoxLayout(holder)
        pad(column, theme, 20, 20, 20, 20)
        column.setSpacing(px(12))
        column.addStretch(1)
        for offer in (demo, mine, self.local):
            offer.setMaximumWidth(px(WIDTH))
            row = QHBoxLayout()
            row.addStretch(1)
            row.addWidget(offer, 100)
            row.addStretch(1)
            column.addLayout(row)
        later = Label(theme, tr("Later: Pod menu, or the chip at the bottom left."), font="small", color="text2")
        later.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        column.addWidget(later)
        column.addStretch(2)
        self.body.addWidget(Scroller(theme, holder))
