"""Short news at the bottom right: six seconds, longer while pointed at; errors stay until closed.

Never over what was given to `keep_clear`.
"""

from PySide6.QtCore import QEasingCurve, QEvent, QObject, QPoint, QPropertyAnimation, QRect, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QEnterEvent, QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import QGraphicsOpacityEffect, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from comfydesk.errors import KnownError
from comfydesk.qt.theme import Theme, Tone
from comfydesk.qt.theme.language import said, tr, why_and_advice
from comfydesk.qt.widgets import paint, shadow
from comfydesk.qt.widgets.banner import ICONS, INKS
from comfydesk.qt.widgets.buttons import Button, IconButton, Kind, Size
from comfydesk.qt.widgets.labels import Label
from comfydesk.qt.widgets.thumbnail import paint_thumbnail

STAY_MS = 6_000
FADE_MS = 120
WIDTH = 332
_MOVES = (QEvent.Type.Resize, QEvent.Type.Move, QEvent.Type.Show, QEvent.Type.Hide)
MOST = 3
"""More than this at once would hide the work; the oldest goes first."""


class _Mark(QWidget):
    """The thumbnail, or the icon of the tone."""

    def __init__(self, theme: Theme, tone: Tone, picture: QPixmap | None) -> None:
        super().__init__()
        self._theme, self._tone, self._picture = theme, tone, picture
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        side = self._theme.px(32 if self._picture is not None else 16)
        return QSize(side, side)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        if self._picture is not None:
            paint_thumbnail(painter, self._theme, self.rect(), self._picture)
        else:
            paint.icon_in(painter, self._theme, self.rect(), ICONS[self._tone], INKS[self._tone])


class Toast(QWidget):
    """One message. `acted` with the position of the action that was pressed."""

    acted = Signal(int)
    closed = Signal()
    left = Signal()
    """The pointer went away."""

    def __init__(
        self,
        theme: Theme,
        what: str,
        detail: str = "",
        *,
        tone: Tone = "success",
        actions: tuple[str, ...] = (),
        picture: QPixmap | None = None,
        brief: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme, self._tile = theme, QPixmap()
        self.stays = tone in ("danger", "warning") and not brief
        self.setAccessibleName(f"{what}. {detail}".strip())
        outer = QHBoxLayout(self)
        reach = theme.px(shadow.REACH)
        px = theme.px
        outer.setContentsMargins(reach + px(12), reach + px(10), reach + px(8), reach + px(10))
        outer.setSpacing(px(10))
        short = len(actions) == 1 and not self.stays
        outer.addWidget(_Mark(theme, tone, picture), 0, Qt.AlignmentFlag.AlignTop)
        words = QVBoxLayout()
        words.setSpacing(px(2))
        outer.addLayout(words, 1)
        words.addWidget(Label(theme, what, font="small_strong", wrap=True))
        if detail:
            words.addWidget(Label(theme, detail, font="small", color="text2", wrap=True))
        buttons = QHBoxLayout()
        buttons.setSpacing(px(8))
        for at, action in enumerate(actions):
            button = Button(theme, action, kind=Kind.LINK, size=Size.COMPACT)
            button.clicked.connect(lambda _checked=False, at=at: self._act(at))
            (outer if short else buttons).addWidget(button)
        if actions and not short:
            buttons.addStretch(1)
            words.addLayout(buttons)
        close = IconButton(theme, "close", tr("Close message"), size=Size.COMPACT)
        close.clicked.connect(self.close_now)
        outer.addWidget(close, 0, Qt.AlignmentFlag.AlignTop)
        self._timer = QTimer(self, singleShot=True, interval=STAY_MS)
        self._timer.timeout.connect(self.close_now)
        self.setFixedWidth(px(WIDTH) + 2 * reach)
        if not self.stays:
            self._timer.start()

    def close_now(self) -> None:
        """Go away."""
        self._timer.stop()
        self.hide()
        self.closed.emit()

    def enterEvent(self, event: QEnterEvent) -> None:
        super().enterEvent(event)
        self._timer.stop()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        if not self.stays:
            self._timer.start()
        self.left.emit()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter, theme = QPainter(self), self._theme
        if self._tile.isNull():
            self._tile = shadow.draw_tile(theme, self.devicePixelRatioF())
        shadow.paint_shadow(painter, self._tile, self.rect())
        reach = theme.px(shadow.REACH)
        area = self.rect().adjusted(reach, reach, -reach, -reach)
        paint.box(painter, area, theme.px(8), fill=theme.color("popup"), outline=theme.color("control"))

    def _act(self, at: int) -> None:
        self.acted.emit(at)
        self.close_now()


class ToastHost(QObject):
    """Stacks toasts at the bottom right of `window`, `lift` pixels (the status bar) above its edge."""

    def __init__(self, theme: Theme, window: QWidget, lift: int = 28) -> None:
        super().__init__(window)
        self._theme, self._window, self._lift = theme, window, lift
        self._toasts: list[Toast] = []
        self._clear: QWidget | None = None
        window.installEventFilter(self)

    def keep_clear(self, widget: QWidget) -> None:
        """Wherever `widget` is in the window, no toast lies over it."""
        self._clear = widget
        part: QWidget | None = widget
        while part is not None and part is not self._window:
            part.installEventFilter(self)
            part = part.parentWidget()

    def toasts(self) -> tuple[Toast, ...]:
        """Those on the screen, oldest first."""
        return tuple(self._toasts)

    def tell_error(self, error: KnownError, *, tone: Tone = "danger", actions: tuple[str, ...] = ()) -> Toast:
        """What, why and advice of a known error, in the user's language."""
        return self.tell(said(error.what), why_and_advice(error), tone=tone, actions=actions)

    def tell(
        self,
        what: str,
        detail: str = "",
        *,
        tone: Tone = "success",
        actions: tuple[str, ...] = (),
        picture: QPixmap | None = None,
        brief: bool = False,
    ) -> Toast:
        """Show a message; it takes no focus. `brief`: it goes after its time, whatever its tone."""
        while len(self._toasts) >= MOST:
            self._toasts[0].close_now()
        toast = Toast(
            self._theme, what, detail, tone=tone, actions=actions, picture=picture, brief=brief, parent=self._window
        )
        toast.closed.connect(lambda: self._gone(toast))
        toast.left.connect(self._place)
        self._toasts.append(toast)
        self._place()
        toast.show()
        toast.raise_()
        self._fade_in(toast)
        return toast

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in _MOVES and self._toasts:
            self._place()
        return super().eventFilter(watched, event)

    def _gone(self, toast: Toast) -> None:
        if toast in self._toasts:
            self._toasts.remove(toast)
            toast.deleteLater()
            self._place()

    def _place(self) -> None:
        if any(toast.underMouse() for toast in self._toasts):
            return  # nothing moves under the pointer; leaving it places them
        reach = self._theme.px(shadow.REACH)
        right = self._window.width() - self._theme.px(16) + reach
        bottom = self._window.height() - self._theme.px(self._lift) - self._theme.px(12) + reach
        clear = self._kept_clear()
        for toast in reversed(self._toasts):
            layout = toast.layout()
            if layout is not None:
                layout.activate()  # words that were just added have no height yet, and would lie over each other
            high = layout.totalHeightForWidth(toast.width()) if layout is not None else toast.sizeHint().height()
            place = QRect(right - toast.width(), bottom - high, toast.width(), high)
            if place.adjusted(reach, reach, -reach, -reach).intersects(clear):
                place.moveBottom(clear.top() - 1 + reach)
                if place.top() + reach < 0:  # no room above it: then at its left
                    place.moveBottom(bottom - 1)
                    place.moveRight(clear.left() - 1 + reach)
                    right = place.right() + 1
            place.moveTop(max(place.top(), -reach))  # its close button stays in the window; newer ones lie over it
            toast.setGeometry(place)
            bottom = place.bottom() + 1
            bottom -= high - 2 * reach + self._theme.px(8)

    def _kept_clear(self) -> QRect:
        """In the window, with room around it; empty if it is not to be seen there."""
        widget = self._clear
        if widget is None or not widget.isVisible() or widget.window() is not self._window:
            return QRect()
        gap = self._theme.px(8)
        there = QRect(widget.mapTo(self._window, QPoint()), widget.size()) & self._window.rect()
        return there.adjusted(-gap, -gap, gap, gap) if not there.isEmpty() else QRect()

    def _fade_in(self, toast: Toast) -> None:
        duration = self._theme.duration(FADE_MS)
        if not duration:
            return
        effect = QGraphicsOpacityEffect(toast)
        toast.setGraphicsEffect(effect)
        fade = QPropertyAnimation(effect, b"opacity", toast)
        fade.setDuration(duration)
        fade.setStartValue(0.0)
        fade.setEndValue(1.0)
        fade.setEasingCurve(QEasingCurve.Type.OutCubic)
        # The effect draws through a picture of the whole toast: it goes once it has done its work.
        fade.finished.connect(effect.deleteLater)
        fade.start()
