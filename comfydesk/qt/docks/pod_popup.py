"""What the pod chip opens: all pods with their state, their price and what can be done."""

from PySide6.QtCore import QEvent, QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from comfydesk.qt.models.pods import PodRow
from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets.buttons import Button, Kind
from comfydesk.qt.widgets.labels import Label
from comfydesk.qt.widgets.plain import Line, pad
from comfydesk.qt.widgets.pod_row import PodRowView
from comfydesk.qt.widgets.popup_window import PopupFrame

WIDTH = 380


class PodPopup(PopupFrame):
    """`acted` with a pod's id and a verb. It closes with the click, and follows changes while it is open."""

    acted = Signal(str, str)
    add_wanted = Signal()
    all_wanted = Signal()
    demo_wanted = Signal()

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(theme, tr("Pods"), parent)
        self.rows: list[PodRowView] = []
        self._list = QVBoxLayout()
        self._list.setSpacing(0)
        self.none = Label(theme, tr("No pod is saved yet."), font="small", color="text2")
        self.add = Button(theme, tr("Add a pod"), kind=Kind.GHOST, icon="plus")
        self.all = Button(theme, tr("All pods"), kind=Kind.GHOST)
        self.demo = Button(theme, tr("Demo pod"), kind=Kind.GHOST, icon="pod")
        pad(self._list, theme, 4, 4, 4, 4)
        self.none.setContentsMargins(theme.px(12), theme.px(8), theme.px(12), theme.px(8))
        foot = QHBoxLayout()
        pad(foot, theme, 4, 4, 4, 4)
        for part in (self.add, self.demo):
            foot.addWidget(part)
        foot.addStretch(1)
        foot.addWidget(self.all)
        column = QVBoxLayout(self)
        column.setContentsMargins(1, 1, 1, 1)
        column.setSpacing(0)
        column.addLayout(self._list)
        column.addWidget(self.none)
        column.addWidget(Line(theme))
        column.addLayout(foot)
        for button, signal in ((self.add, self.add_wanted), (self.all, self.all_wanted), (self.demo, self.demo_wanted)):
            button.clicked.connect(self.hide)
            button.clicked.connect(signal)

    def show_rows(self, rows: tuple[PodRow, ...]) -> None:
        """How all of them stand now."""
        if [view.pod.id for view in self.rows] != [row.id for row in rows]:
            for view in self.rows:
                self._list.removeWidget(view)
                view.deleteLater()
            self.rows = [PodRowView(self._theme, row) for row in rows]
            for view in self.rows:
                self._list.addWidget(view)
                view.acted.connect(self._on_acted)
        for view, row in zip(self.rows, rows, strict=True):
            view.show_row(row)
        self.none.setVisible(not rows)
        self.demo.setVisible(not any(row.id == "demo" for row in rows))
        if self.isVisible():
            self.adjustSize()

    def open_above(self, anchor: QWidget) -> None:
        """Above the status bar's chip."""
        self.setFixedWidth(self._theme.px(WIDTH))
        self.adjustSize()
        corner = anchor.mapToGlobal(QPoint(0, 0))
        screen = anchor.screen().availableGeometry()
        x = max(screen.left(), min(corner.x() + self._theme.px(4), screen.right() - self.width()))
        self.move(x, max(screen.top(), corner.y() - self._theme.px(4) - self.height()))
        self.show()
        if self.rows:
            self.rows[0].action.setFocus(Qt.FocusReason.PopupFocusReason)

    def event(self, event: QEvent) -> bool:
        """Escape closes this, and not the sheet behind it."""
        is_asked = event.type() == QEvent.Type.ShortcutOverride
        if is_asked and isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape:
            event.accept()
            return True
        return super().event(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.cut_round()

    def _on_acted(self, pod: str, verb: str) -> None:
        self.hide()
        self.acted.emit(pod, verb)
