"""A pod in a list: its dot, name and state; the action that is wanted most; the others behind a menu."""

from PySide6.QtCore import QEvent, QPoint, QSize, Qt, Signal
from PySide6.QtGui import QColor, QEnterEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from comfydesk.qt.models.pods import VERBS, PodRow
from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets import paint
from comfydesk.qt.widgets.buttons import Button, IconButton, Kind, Size
from comfydesk.qt.widgets.labels import ElidedLabel, Label
from comfydesk.qt.widgets.menu import Menu
from comfydesk.qt.widgets.plain import pad
from comfydesk.qt.widgets.status_dot import StatusDot


class PodRowView(QWidget):
    """`acted` with the pod's id and a verb of models.pods.VERBS; a click on the row connects or chooses it.

    `tall`: with the pod's colour and where it is, for the sheet of all pods.
    """

    acted = Signal(str, str)

    def __init__(self, theme: Theme, row: PodRow, *, tall: bool = False) -> None:
        super().__init__()
        self._theme, self._tall = theme, tall
        self._hovered = False
        self.pod = row
        self.dot = StatusDot(theme)
        self.name = Label(theme, font="label")
        self.state = ElidedLabel(theme, color="text2")
        self.detail = ElidedLabel(theme, font="small", color="text2", middle=True)
        self.action = Button(theme, "", kind=Kind.LINK, size=Size.COMPACT)
        self.more = IconButton(theme, "more", tr("More"), size=Size.COMPACT)
        self._lay_out()
        self.action.clicked.connect(lambda: self.acted.emit(self.pod.id, self.pod.action))
        self.more.clicked.connect(self._open)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.show_row(row)

    def show_row(self, row: PodRow) -> None:
        """How it stands now."""
        self.pod = row
        self.dot.set_tone(row.tone)
        self.name.setText(row.name)
        self.state.set_text(row.words)
        self.detail.set_text(row.detail)
        self.action.setText(row.action_words)
        self.action.setVisible(bool(row.action))
        self.action.setAccessibleName(f"{row.action_words} {row.name}")
        self.more.set_name(tr("More for {name}", name=row.name))
        self.more.setVisible(bool(row.verbs))
        self.setAccessibleName(f"{row.name}, {row.words}")
        self.update()

    def menu(self) -> Menu:
        """All that can be done with it."""
        menu = Menu(self._theme, parent=self)
        for verb in self.pod.verbs:
            if verb in ("check", "remove"):
                menu.addSeparator()
            words, icon = VERBS[verb]
            words = tr(words)
            menu.add(words, icon).triggered.connect(lambda _=False, verb=verb: self.acted.emit(self.pod.id, verb))
        return menu

    def sizeHint(self) -> QSize:
        high = self._theme.height(48 if self._tall else 36)
        layout = self.layout()
        return QSize(self._theme.px(320), high if layout is None else max(high, layout.sizeHint().height()))

    def enterEvent(self, event: QEnterEvent) -> None:
        super().enterEvent(event)
        self._hovered = True
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._hovered = False
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self.rect().contains(event.position().toPoint()):
            verb = next((verb for verb in ("connect", "select") if verb in self.pod.verbs), "")
            if verb:
                self.acted.emit(self.pod.id, verb)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter, theme, px = QPainter(self), self._theme, self._theme.px
        if self.pod.current:
            paint.box(painter, self.rect(), px(6), fill=theme.color("selection"))
        elif self._hovered:
            paint.box(painter, self.rect(), px(6), fill=theme.color("hover"))
        if self._tall and self.pod.colour:
            bar = self.rect().adjusted(px(6), px(10), px(9) - self.width(), -px(10))
            paint.box(painter, bar, px(1.5), fill=QColor(self.pod.colour))

    def _lay_out(self) -> None:
        px = self._theme.px
        row = QHBoxLayout(self)
        pad(row, self._theme, 18 if self._tall else 8, 4, 8, 4)
        row.setSpacing(px(8))
        row.addWidget(self.dot)
        if self._tall:
            words = QVBoxLayout()
            words.setSpacing(px(1))
            words.addWidget(self.name)
            words.addWidget(self.detail)
            row.addLayout(words, 3)
            row.addWidget(self.state, 2)
            policy = self.action.sizePolicy()
            policy.setRetainSizeWhenHidden(True)  # so that the states stand in a column
            self.action.setSizePolicy(policy)
            self.action.setFixedWidth(px(72))
        else:
            self.detail.hide()
            row.addWidget(self.name)
            row.addWidget(self.state, 1)
        row.addWidget(self.action)
        row.addWidget(self.more)

    def _open(self) -> None:
        menu = self.menu()
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(self.more.mapToGlobal(QPoint(0, self.more.height() + 4)))
