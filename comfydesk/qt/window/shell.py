"""The main window as it is first painted: menus, docks and bars in their places, and nothing in them yet.

It imports as little as it can: a window of widgets takes three times as long to come up as an empty one. The Desk
moves in right after the first frame.
"""

from pathlib import Path

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QResizeEvent
from PySide6.QtWidgets import QMainWindow, QSizePolicy, QVBoxLayout, QWidget

from comfydesk.paths import APP, Paths
from comfydesk.qt.docks.dock import Dock
from comfydesk.qt.docks.top import Top
from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import tr
from comfydesk.qt.window.layout import Layout

LAYOUT_FILE = "window.ini"
MENUS = ("File", "Edit", "View", "Workflow", "Generate", "Pod", "Help")
STATUS_HEIGHT = 28


class MainWindow(QMainWindow):
    """Knows where things stand, is told what is in them."""

    file_dropped = Signal(object)
    """Path of a file that may carry a workflow."""
    closed = Signal()

    def __init__(self, theme: Theme, paths: Paths) -> None:
        super().__init__()
        self.theme, self.paths = theme, paths
        self.setObjectName("main")
        self.setWindowTitle(APP)
        self.setAcceptDrops(True)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self.top = Top(theme)
        self.setMenuWidget(self.top)
        self.menus = {title: self.top.bar.addMenu("&" + tr(title)) for title in MENUS}
        # It stays: another central widget would share out the room between the docks anew.
        self.stage = QWidget()
        self.stage.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        theme.surface(self.stage, "canvas")
        self.setCentralWidget(self.stage)
        column = QVBoxLayout(self.stage)
        column.setContentsMargins(0, 0, 0, 0)
        self.statusBar().setFixedHeight(theme.height(STATUS_HEIGHT))
        self.browser_dock = Dock(theme, "browser", tr("Workflows"))
        self.generation_dock = Dock(theme, "generation", tr("Generate"), padding=16)
        self.gallery_dock = Dock(theme, "gallery", tr("Outputs"))
        self.queue_dock = Dock(theme, "queue", tr("Queue"))
        self.places = Layout(
            theme,
            self,
            paths.data / LAYOUT_FILE,
            browser=self.browser_dock,
            generation=self.generation_dock,
            gallery=self.gallery_dock,
            queue=self.queue_dock,
        )
        self.places.restore()
        self.top.show_intent(self.places.intent_shown)

    def hold(self, content: QWidget) -> None:
        """Let `content` fill the middle."""
        layout = self.stage.layout()
        if layout is not None:
            layout.addWidget(content)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        local = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        if local:
            event.acceptProposedAction()
            self.file_dropped.emit(local[0])

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.places.fit()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.MouseButtonPress:
            self.places.hold_sizes()
        done = super().event(event)
        if event.type() == QEvent.Type.MouseButtonRelease:
            self.places.take_sizes()
        elif event.type() == QEvent.Type.LayoutRequest:
            self.places.settle_soon()
        return done

    def closeEvent(self, event: QCloseEvent) -> None:
        self.places.save()
        self.closed.emit()
        super().closeEvent(event)
