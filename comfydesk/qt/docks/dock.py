"""A dock of the window: 32 px of title with a count and a few actions, then its content on the panel colour."""

from PySide6.QtCore import QPoint, QSize, Qt
from PySide6.QtWidgets import QDockWidget, QHBoxLayout, QMenu, QSizePolicy, QVBoxLayout, QWidget

from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets.labels import Label

TITLE_HEIGHT = 32
PADDING = 12


class TitleBar(QWidget):
    """Name, a quiet second part, and the dock's actions. Drag it to move the dock, right-click to float or close it."""

    def __init__(self, theme: Theme, title: str, *, padding: int = PADDING, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._padding = theme, padding
        self._name = Label(theme, title, font="heading")
        self._note = Label(theme, font="small", color="text2")
        self._note.hide()
        self._row = QHBoxLayout(self)
        self._row.addWidget(self._name)
        self._row.addWidget(self._note)
        self._row.addStretch(1)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self._measure)
        self._measure()

    def set_note(self, words: str) -> None:
        """The quiet words after the name: a count, a sum."""
        self._note.setText(words)
        self._note.setVisible(bool(words))

    def add_mark(self, mark: QWidget) -> None:
        """A badge or the like, right after the name."""
        self._row.insertWidget(1, mark)

    def add(self, widget: QWidget) -> None:
        """One more action, at the right end."""
        self._row.addWidget(widget)

    def sizeHint(self) -> QSize:
        row = self._row.sizeHint()
        return QSize(row.width(), max(row.height(), self._theme.height(TITLE_HEIGHT, "heading")))

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def _measure(self) -> None:
        px = self._theme.px
        self._row.setContentsMargins(px(self._padding), 0, px(8), 0)
        self._row.setSpacing(px(8))
        self.updateGeometry()


class Dock(QDockWidget):
    """A QDockWidget with our title bar, empty until a Panel moves in."""

    def __init__(self, theme: Theme, name: str, title: str, *, padding: int = PADDING) -> None:
        """`name` is what the saved layout knows it by; it must never change."""
        super().__init__(title)
        self.setObjectName(name)
        self.title = TitleBar(theme, title, padding=padding)
        self.setTitleBarWidget(self.title)
        self.title.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.title.customContextMenuRequested.connect(self._offer_moves)
        self.setWidget(QWidget())
        theme.surface(self, "panel")

    def hold(self, content: QWidget) -> None:
        """Let `content` fill the dock."""
        before = self.widget()
        self.setWidget(content)
        content.show()
        if before is not None:
            before.deleteLater()

    def _offer_moves(self, at: QPoint) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(
            tr("Dock") if self.isFloating() else tr("Float"), lambda: self.setFloating(not self.isFloating())
        )
        menu.addAction(tr("Close"), self.close)
        menu.popup(self.title.mapToGlobal(at))


class Panel(QWidget):
    """What fills a dock; subclasses add to `body` and to the dock's title."""

    def __init__(self, theme: Theme, dock: Dock) -> None:
        super().__init__()
        self.theme, self.dock, self.title = theme, dock, dock.title
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(0, 0, 0, 0)
        self.body.setSpacing(0)
        dock.hold(self)
