"""The right end of a prompt's heading: its length, what was written before, what is to be kept; room for more."""

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from comfydesk.qt.models.tips import plain_tip
from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import tr, tr_n
from comfydesk.qt.widgets.buttons import IconButton, Size
from comfydesk.qt.widgets.labels import ElidedLabel
from comfydesk.qt.widgets.popup_list import Entry, PopupList
from comfydesk.qt.widgets.prompt_syntax import count_words, guess_tokens

COUNT_AFTER_MS = 150
_SHOWN = 300
"""Characters of a text in the list of what was written before."""


class PromptTools(QWidget):
    """`picked` with a text of the history. Others put their own actions into `more`."""

    history_wanted = Signal()
    picked = Signal(str)
    lock_wanted = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._text = ""
        self._texts: tuple[str, ...] = ()
        self._popup: PopupList | None = None
        self.count = ElidedLabel(theme, font="caption", color="text2")
        self.count.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.history = IconButton(theme, "history", tr("Earlier prompts (Alt+Up)"), size=Size.COMPACT)
        self.lock = IconButton(theme, "lock", "", size=Size.COMPACT)
        self.history.hide()
        self.more = QHBoxLayout()
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        for part in (self.count, self.history, self.lock):
            self._row.addWidget(part)
        self._row.addLayout(self.more)
        self._timer = QTimer(self, singleShot=True, interval=COUNT_AFTER_MS)
        self._timer.timeout.connect(self.recount)
        self.history.clicked.connect(self.history_wanted)
        self.lock.clicked.connect(self.lock_wanted)
        self.show_lock(False, False)
        theme.changed.connect(self._space)
        self._space()

    def show_text(self, text: str) -> None:
        """Count `text`, after a pause in the typing."""
        self._text = text
        self._timer.start()

    def recount(self) -> None:
        words, tokens = count_words(self._text), guess_tokens(self._text)
        told = tr_n("{n} token", "{n} tokens", tokens) if tokens else ""
        self.count.set_text(told)
        if told:
            counted = tr_n("{n} word", "{n} words", words)
            self.count.setToolTip(plain_tip(tr("{words}, about {tokens}", words=counted, tokens=told)))

    def show_lock(self, selected: bool, locked: bool) -> None:
        """Whether there is something to lock, or something that is locked, at the cursor."""
        if locked:
            self.lock.set_icon("unlock")
            self.lock.set_name(tr("Let these words be changed again (Ctrl+Shift+L)"))
        else:
            self.lock.set_icon("lock")
            self.lock.set_name(tr("Keep these words when the prompt is enhanced (Ctrl+Shift+L)"))
        self.lock.set_blocked("" if selected or locked else tr("Select words to keep them when enhancing"))

    def show_history(self, texts: tuple[str, ...]) -> None:
        """Open the list of them below the button."""
        self._texts = texts
        if self._popup is None:
            self._popup = PopupList(self._theme, tr("Earlier prompts"), self)
            self._popup.picked.connect(lambda at: self.picked.emit(self._texts[at]))
        self._popup.open_at(self.history, tuple(Entry(" ".join(text[:_SHOWN].split())) for text in texts), -1)

    @property
    def popup(self) -> PopupList | None:
        return self._popup

    def _space(self) -> None:
        self._row.setSpacing(self._theme.px(2))
        self.more.setSpacing(self._theme.px(4))
