"""Where sheets stand: over the centre column, one at a time, beside the side panels, above the status bar."""

from PySide6.QtCore import QEasingCurve, QEvent, QObject, QPoint, QPropertyAnimation, QRect, Qt, Signal
from PySide6.QtWidgets import QWidget

from comfydesk.qt.widgets.page import Page
from comfydesk.qt.window.shell import MainWindow

LEAST = 520
"""Narrower than this two columns clip."""
RISE = 16
RISE_MS = 160


class Pages(QObject):
    """Shows, places and hides pages. A hidden page keeps what was typed into it."""

    changed = Signal()
    """Another page is open, or none."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.current: Page | None = None
        self._before: QWidget | None = None
        self._glide: QPropertyAnimation | None = None
        window.stage.installEventFilter(self)
        window.installEventFilter(self)

    def open(self, page: Page) -> None:
        """Show `page` in place of any other, and give it the keyboard."""
        if self.current is page:
            page.first_focus().setFocus(Qt.FocusReason.OtherFocusReason)
            return
        if self.current is not None:
            self.current.hide()
        else:
            self._before = self._window.focusWidget()
        if page.parentWidget() is not self._window:
            page.setParent(self._window)
            page.closed.connect(lambda: self.close(page))
        self.current = page
        self._put(page)
        page.show()
        page.raise_()
        self._rise(page)
        page.first_focus().setFocus(Qt.FocusReason.OtherFocusReason)
        self.changed.emit()

    def close(self, page: Page | None = None) -> None:
        """Hide `page` (None: whatever is open); the keyboard goes back to where it was."""
        if self.current is None or (page is not None and page is not self.current):
            return
        self.current.hide()
        self.current = None
        if self._before is not None and self._before.isVisible():
            self._before.setFocus(Qt.FocusReason.OtherFocusReason)
        self._before = None
        self.changed.emit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Resize, QEvent.Type.Move, QEvent.Type.LayoutRequest):
            self._place()
        return super().eventFilter(watched, event)

    def _place(self) -> None:
        if self.current is not None:
            if self._glide is not None:
                self._glide.stop()
            self._put(self.current)

    def _put(self, page: Page) -> None:
        """Of a fixed size: else whatever changes in a page has the whole window laid out anew."""
        area = self._area()
        page.setFixedSize(area.size())
        page.move(area.topLeft())

    def _area(self) -> QRect:
        """From the middle's top down to the status bar: what lies below the middle is covered.

        Where the middle is too narrow for a sheet, it covers the side panels too.
        """
        window, stage = self._window, self._window.stage
        corner = stage.mapTo(window, QPoint(0, 0))
        bar = window.statusBar()
        bottom = bar.y() if bar.isVisible() else window.height()
        if stage.width() < LEAST * window.theme.text_scale:
            return QRect(0, corner.y(), window.width(), bottom - corner.y())
        return QRect(corner.x(), corner.y(), stage.width(), bottom - corner.y())

    def _rise(self, page: Page) -> None:
        duration = page.theme.duration(RISE_MS)
        if not duration:
            return
        glide = QPropertyAnimation(page, b"pos", page)
        glide.setDuration(duration)
        glide.setStartValue(page.pos() + QPoint(0, page.theme.px(RISE)))
        glide.setEndValue(page.pos())
        glide.setEasingCurve(QEasingCurve.Type.OutCubic)
        glide.finished.connect(self._settled)
        self._glide = glide
        glide.start(QPropertyAnimation.DeletionPolicy.KeepWhenStopped)

    def _settled(self) -> None:
        self._glide = None
