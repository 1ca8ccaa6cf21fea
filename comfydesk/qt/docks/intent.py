"""The bar at the top: say what you want, or pick the kind of thing."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import mark, tr
from comfydesk.qt.widgets.buttons import Button, IconButton, Size
from comfydesk.qt.widgets.menu import Menu
from comfydesk.qt.widgets.offer_list import Offer, OfferList
from comfydesk.qt.widgets.plain import pad
from comfydesk.qt.widgets.search_field import SearchField

HEIGHT, FIELD_HEIGHT = 52, 36
FIELD_WIDTH = 456
REMEMBERED = 50
"""Sentences in the history."""


@dataclass(frozen=True, slots=True)
class QuickAction:
    """A kind of task as a button. `types` are the cards' task types it stands for."""

    words: str
    icon: str
    types: frozenset[str]


QUICK_ACTIONS = (
    QuickAction(mark("Image from text"), "image", frozenset({"t2i"})),
    QuickAction(mark("Image to video"), "video", frozenset({"i2v"})),
    QuickAction(mark("Video from text"), "video", frozenset({"t2v"})),
    QuickAction(mark("Edit image"), "edit", frozenset({"i2i"})),
    QuickAction(mark("Upscale"), "upscale", frozenset({"upscale"})),
    QuickAction(mark("Generate audio"), "wave", frozenset({"audio"})),
    QuickAction(mark("Video to video"), "swap", frozenset({"v2v"})),
    QuickAction(mark("3D model"), "cube", frozenset({"3d"})),
)
"""In the order in which they give way to the More menu, the last first."""


class IntentBar(QWidget):
    """`searched` while words are typed: answer with `offer`. `taken` with an offer's id, `entered` on Enter without
    one, `made` on Ctrl+Enter with what Enter would take and the words, `picked` with a QuickAction, `folded` when it
    goes away."""

    searched = Signal(str)
    entered = Signal(str)
    made = Signal(str, str)
    """Id of the current offer ("": none is shown), and the sentence: open it, and generate."""
    taken = Signal(str)
    picked = Signal(object)
    folded = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._said: list[str] = []
        self._at = 0
        self._offers: OfferList | None = None
        self._recalled = False
        self.field = SearchField(theme, tr("What do you want to make?"), keys="Ctrl+Space", height=FIELD_HEIGHT)
        self.buttons = tuple(Button(theme, tr(action.words), icon=action.icon) for action in QUICK_ACTIONS)
        self._more = Button(theme, tr("More"), icon="more")
        self._menu = Menu(theme, parent=self)
        self._more.clicked.connect(self._open_more)
        fold = IconButton(theme, "chevron-up", tr("Fold the intent bar away"), size=Size.COMPACT)
        fold.clicked.connect(self.folded)
        self._row = QHBoxLayout(self)
        pad(self._row, theme, 12, 8, 12, 8)
        self._row.addWidget(self.field)
        for action, button in zip(QUICK_ACTIONS, self.buttons, strict=True):
            button.clicked.connect(lambda _=False, action=action: self.picked.emit(action))
            self._row.addWidget(button)
        self._row.addWidget(self._more)
        self._row.addStretch(1)
        self._row.addWidget(fold)
        self.field.searched.connect(self._on_searched)
        self.field.entered.connect(self._on_entered)
        self.field.edit.installEventFilter(self)
        theme.surface(self, "window")
        theme.changed.connect(self._measure)
        self._measure()

    # --- Suggestions and history ------------------------------------------------------------------------------------

    def offer(self, offers: Sequence[Offer]) -> None:
        """Show what fits the words in the field; nothing closes the list."""
        if self._offers is None:
            self._offers = OfferList(self._theme, tr("Suggestions"), self.window())
            self._offers.picked.connect(self.taken)
        self._offers.show_offers(self.field, offers if self.field.edit.hasFocus() else ())

    @property
    def offers(self) -> tuple[Offer, ...]:
        """What is shown below the field."""
        return self._offers.offers() if self._offers is not None and self._offers.isVisible() else ()

    def remember(self, sentence: str) -> None:
        """It was acted on: Up brings it back."""
        words = sentence.strip()
        if words:
            self._said = [*(said for said in self._said if said != words), words][-REMEMBERED:]
        self._at = len(self._said)

    def history(self) -> tuple[str, ...]:
        """The sentences that Up brings back, the latest last."""
        return tuple(self._said)

    def set_history(self, said: Sequence[str]) -> None:
        """As of the last run."""
        self._said = list(said)[-REMEMBERED:]
        self._at = len(self._said)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.field.edit:
            if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress and self._on_key(event.key()):
                return True
            if event.type() == QEvent.Type.FocusOut and self._offers is not None:
                self._offers.hide()
        return super().eventFilter(watched, event)

    def _on_key(self, key: int) -> bool:
        shown = self._offers is not None and self._offers.isVisible()
        if key == Qt.Key.Key_Escape and shown and self._offers is not None:
            self._offers.hide()
            return True
        if key == Qt.Key.Key_Down:
            if self._offers is None or not self._offers.move_by(1):
                self._recall(1)
            return True
        if key == Qt.Key.Key_Up:
            if self._offers is None or self._recalled or not self._offers.move_by(-1):
                self._recall(-1)
            return True
        return False

    def _recall(self, step: int) -> None:
        at = self._at + step
        if 0 <= at <= len(self._said):
            self._at = at
            self.field.set_text(self._said[at] if at < len(self._said) else "")
            self._recalled = True

    def _on_searched(self, words: str) -> None:
        if not words.strip():
            self.offer(())
        self.searched.emit(words)
        self._recalled = False

    def _on_entered(self) -> None:
        words = self.field.text()
        if self._offers is None or not self._offers.take():
            self.entered.emit(words)

    def make(self) -> bool:
        """Ctrl+Enter: whether this bar has the keyboard and says something, so that it is what is to be made."""
        if not self.field.edit.hasFocus() or not self.field.text().strip():
            return False
        self.field.settle()
        offer = self._offers.current_id() if self._offers is not None else ""
        self.made.emit(offer, self.field.text())
        return True

    # --- Measures ---------------------------------------------------------------------------------------------------

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(900), self._theme.height(HEIGHT))

    def minimumSizeHint(self) -> QSize:
        return QSize(self._theme.px(400), self._theme.height(HEIGHT))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._offers is not None:
            self._offers.hide()
        self._fit()

    def _measure(self) -> None:
        self._row.setSpacing(self._theme.px(8))
        self.field.setMinimumWidth(self._theme.px(200))
        self._fit()

    def _fit(self) -> None:
        """Buttons that do not fit are in the More menu; the field takes a third, but not more than it can use."""
        px = self._theme.px
        self.field.setFixedWidth(max(px(200), min(px(FIELD_WIDTH), self.width() // 3)))
        room = self.width() - self.field.width() - px(12 * 2 + 24 + 8 * 3)
        widths = [button.sizeHint().width() + px(8) for button in self.buttons]
        all_fit = sum(widths) <= room
        left = room if all_fit else room - self._more.sizeHint().width() - px(8)
        for button, width in zip(self.buttons, widths, strict=True):
            left -= width
            button.setVisible(left >= 0)
        self._more.setVisible(not all_fit)

    def _open_more(self) -> None:
        self._menu.clear()
        for action, button in zip(QUICK_ACTIONS, self.buttons, strict=True):
            if not button.isVisibleTo(self):
                self._menu.addAction(
                    self._theme.icon(action.icon), tr(action.words), lambda action=action: self.picked.emit(action)
                )
        self._menu.popup(self._more.mapToGlobal(self._more.rect().bottomLeft()))
