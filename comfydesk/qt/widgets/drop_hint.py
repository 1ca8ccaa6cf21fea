"""What happens if a file is let go here: drawn over a panel while one is dragged over it."""

from pathlib import Path

from PySide6.QtCore import QEvent, QObject, QRectF, Qt, Signal
from PySide6.QtGui import QDropEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from comfydesk.qt.theme import Theme
from comfydesk.qt.widgets import paint


class DropHint(QWidget):
    """Covers its parent; lets the mouse through."""

    def __init__(self, theme: Theme, icon: str, words: str, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme, self._icon, self._words = theme, icon, words
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAccessibleName(words)
        self.hide()

    def cover(self, on: bool) -> None:
        """Show it over all of the parent, or take it away."""
        parent = self.parentWidget()
        if on and parent is not None:
            self.setGeometry(parent.rect())
            self.raise_()
        self.setVisible(on)

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme, painter = self._theme, QPainter(self)
        edge = theme.px(8)
        area = self.rect().adjusted(edge, edge, -edge, -edge)
        painter.fillRect(self.rect(), theme.color("panel"))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.color("accent"), theme.px(2), Qt.PenStyle.DashLine))
        painter.drawRoundedRect(QRectF(area), theme.px(8), theme.px(8))
        metrics = theme.metrics("label")
        icon = area.adjusted(0, 0, 0, -metrics.height() * 2)
        paint.icon_in(painter, theme, icon, self._icon, "accent", 20)
        painter.setPen(theme.color("text"))
        painter.setFont(theme.font("label"))
        words = area.adjusted(theme.px(12), metrics.height() * 2, -theme.px(12), 0)
        painter.drawText(words, int(Qt.AlignmentFlag.AlignCenter) | int(Qt.TextFlag.TextWordWrap), self._words)


class FileDrops(QObject):
    """Lets files of this computer be dropped on a panel, and says over it what that does. `dropped` with each Path."""

    dropped = Signal(object)

    def __init__(self, theme: Theme, icon: str, words: str, panel: QWidget) -> None:
        super().__init__(panel)
        self.hint = DropHint(theme, icon, words, panel)
        panel.setAcceptDrops(True)
        panel.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.DragLeave:
            self.hint.cover(False)
        elif isinstance(event, QDropEvent) and event.type() in (QEvent.Type.DragEnter, QEvent.Type.Drop):
            files = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
            if files:
                event.acceptProposedAction()
                self.hint.cover(event.type() == QEvent.Type.DragEnter)
            if event.type() == QEvent.Type.Drop:
                for path in files:
                    self.dropped.emit(path)
            return bool(files)
        return super().eventFilter(watched, event)
