"""A dock of the window: 32 px of title with a count and a few actions, then its content on the panel colour."""

from PySide6.QtCore import QPoint, QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QDockWidget, QHBoxLayout, QMenu, QSizePolicy, QVBoxLayout, QWidget

from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets.labels import Label

TITLE_HEIGHT = 32
PADDING = 12


class _Row(QHBoxLayout):
    """Knows when what it holds wants another size. Qt asks for hints some thousand times while a window opens."""

    changed = True

    def invalidate(self) -> None:
        self.changed = True
        super().invalidate()


class TitleBar(QWidget):
    """Name, a quiet second part, and the dock's actions. Drag it to move the dock, right-click to float or close it.

    Where it is narrow the quiet words go first, then what was added with something `instead`.
    """

    def __init__(self, theme: Theme, title: str, *, padding: int = PADDING, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._padding = theme, padding
        self._name = Label(theme, title, font="heading")
        self._note = Label(theme, font="small", color="text2")
        self._note.hide()
        self._pairs: list[tuple[QWidget, QWidget]] = []
        self._hints = QSize(), QSize()
        self._row = _Row(self)
        self._row.addWidget(self._name)
        self._row.addWidget(self._note)
        self._row.addStretch(1)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self._measure)
        self._measure()

    def set_note(self, words: str) -> None:
        """The quiet words after the name: a count, a sum."""
        self._note.setText(words)
        self._row.changed = True  # hidden, it tells nobody
        self._fit()

    def add_mark(self, mark: QWidget) -> None:
        """A badge or the like, right after the name."""
        self._row.insertWidget(1, mark)

    def add(self, widget: QWidget, instead: QWidget | None = None) -> None:
        """One more action, at the right end; `instead` is shown where there is no room for it."""
        self._row.addWidget(widget)
        if instead is not None:
            self._row.addWidget(instead)
            instead.hide()
            self._pairs.append((widget, instead))
            self._row.changed = True

    def sizeHint(self) -> QSize:
        return self._sizes()[0]

    def minimumSizeHint(self) -> QSize:
        return self._sizes()[1]

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _sizes(self) -> tuple[QSize, QSize]:
        """With everything, and with the least."""
        if self._row.changed:
            high = self._high()
            full, least = self._wide(note=True, full=True), self._wide(note=False, full=False)
            self._hints = QSize(full, high), QSize(least, high)
            self._row.changed = False
        return self._hints

    def _high(self) -> int:
        return max(self._row.sizeHint().height(), self._theme.height(TITLE_HEIGHT, "heading"))

    def _wide(self, *, note: bool, full: bool) -> int:
        """What all of it takes: with the quiet words or without, with what is wide or with what stands for it."""
        swapped = {id(wide) for wide, _ in self._pairs} | {id(small) for _, small in self._pairs}
        parts = [small if not full else wide for wide, small in self._pairs]
        for at in range(self._row.count()):
            item = self._row.itemAt(at)
            widget = None if item is None else item.widget()
            if widget is None or id(widget) in swapped:
                continue
            if widget is self._note:
                if note and self._note.text():
                    parts.append(widget)
            elif not widget.isHidden():
                parts.append(widget)
        edges = self._row.contentsMargins()
        wide = sum(max(part.sizeHint().width(), part.minimumWidth()) for part in parts)
        return wide + (len(parts) - 1) * self._row.spacing() + edges.left() + edges.right()

    def _fit(self) -> None:
        note, full = bool(self._note.text()), True
        if note and self._wide(note=True, full=True) > self.width():
            note = False
        if self._pairs and self._wide(note=note, full=True) > self.width():
            full = False
            note = bool(self._note.text()) and self._wide(note=True, full=False) <= self.width()
        self._note.setVisible(note)
        for wide, small in self._pairs:
            wide.setVisible(full)
            small.setVisible(not full)

    def _measure(self) -> None:
        px = self._theme.px
        self._row.setContentsMargins(px(self._padding), 0, px(8), 0)
        self._row.setSpacing(px(8))
        self._row.changed = True
        self._fit()
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

    def bring(self) -> None:
        """Show it, also when it shares its place with another that is in front."""
        self.show()
        self.raise_()

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
