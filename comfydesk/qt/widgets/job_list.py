"""The queue's list: several rows can be chosen, and those that wait can be dragged, or walked, to another place."""

from collections.abc import Sequence

from PySide6.QtCore import QItemSelection, QItemSelectionModel, QPoint, QRect, Qt, QTimer, Signal
from PySide6.QtGui import QContextMenuEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QApplication, QFrame, QListView

from comfydesk.qt.models.rows import JobRow
from comfydesk.qt.models.verbs import MOVABLE
from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets import paint
from comfydesk.qt.widgets.row_actions import row_of
from comfydesk.store.records import Job

SCROLL_MS = 30
"""Between two steps of the list while a drag is held at its edge."""
EDGE = 20
"""How near to it that is."""
ALT = Qt.KeyboardModifier.AltModifier
_STEPS = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}


class JobList(QListView):
    """Delete, Alt+Up, Alt+Down and Alt+Home do what they do in lists everywhere."""

    delete_pressed = Signal()
    front_pressed = Signal()
    opened = Signal()
    """Enter, or a double click, on the current row."""
    menu_wanted = Signal(QPoint)
    """Where, on the screen."""
    moved = Signal(object, object, object)
    """(ids in their order, id of the job that they are to follow, id of the one they are to come before): of the two
    at most one is not None."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._pressed: QPoint | None = None
        self._gap: int | None = None
        """While something is dragged: the row before which it would be dropped."""
        self._scroll = QTimer(self, interval=SCROLL_MS)
        self._scroll.timeout.connect(self._on_scroll)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setSelectionMode(QListView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.setAccessibleName(tr("Queue"))
        self.setAccessibleDescription(tr("Alt+Up and Alt+Down move what waits, Delete cancels or removes"))
        self.viewport().setAutoFillBackground(False)
        self.doubleClicked.connect(lambda _: self.opened.emit())

    # --- What is chosen -------------------------------------------------------------------------------------------

    def chosen(self) -> tuple[Job, ...]:
        """The selected jobs in the queue's order; without a selection the current one."""
        indexes = self.selectionModel().selectedIndexes() or [self.currentIndex()]
        found = (row_of(index, JobRow) for index in sorted(indexes, key=lambda index: index.row()))
        return tuple(row.job for row in found if row is not None)

    def choose(self, ids: Sequence[str]) -> None:
        """Select those jobs, and no others."""
        wanted, selection = set(ids), QItemSelection()
        for at in range(self.model().rowCount()):
            job = self._job(at)
            if job is not None and job.id in wanted:
                index = self.model().index(at, 0)
                selection.select(index, index)
        self.selectionModel().select(selection, QItemSelectionModel.SelectionFlag.ClearAndSelect)

    @property
    def gap(self) -> int | None:
        """The row before which the drop line stands, while something is dragged."""
        return self._gap

    # --- Keys -----------------------------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        alt = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier == ALT
        if key == Qt.Key.Key_Escape and self._gap is not None:
            self._end_drag()
        elif key == Qt.Key.Key_Delete:
            self.delete_pressed.emit()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.modifiers():
            self.opened.emit()
        elif alt and key in _STEPS:
            self._walk(_STEPS[key])
        elif alt and key == Qt.Key.Key_Home:
            self.front_pressed.emit()
        else:
            super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if event.reason() == QContextMenuEvent.Reason.Keyboard:
            rect = self.visualRect(self.currentIndex())
            self.menu_wanted.emit(self.viewport().mapToGlobal(rect.bottomLeft() + QPoint(self._theme.px(26), 0)))
        elif self.indexAt(event.pos()).isValid():
            self.menu_wanted.emit(event.globalPos())

    def _walk(self, step: int) -> None:
        """Move what is chosen past the next row in that direction."""
        rows = self._movable_rows()
        if not rows:
            return
        first, last = self._range()
        gap = rows[0] - 1 if step < 0 else rows[-1] + 2
        if first <= gap <= last:
            self._move(rows, gap)

    # --- The mouse ------------------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        at = event.position().toPoint()
        job = self._job(self.indexAt(at).row())
        takes = event.button() == Qt.MouseButton.LeftButton and job is not None and job.state in MOVABLE
        self._pressed = at if takes else None
        super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at = event.position().toPoint()
        held = bool(event.buttons() & Qt.MouseButton.LeftButton)
        if self._pressed is None or not held:
            if not held:
                super().mouseMoveEvent(event)
            return
        far = (at - self._pressed).manhattanLength() >= QApplication.startDragDistance()
        if self._gap is not None or (far and self._movable_rows()):
            self._drag_to(at)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        gap, self._pressed = self._gap, None
        if gap is None:
            super().mouseReleaseEvent(event)
            return
        rows = self._movable_rows()
        self._end_drag()
        self.setState(QListView.State.NoState)
        self._move(rows, gap)

    def _drag_to(self, at: QPoint) -> None:
        row = self.indexAt(QPoint(self.viewport().width() // 2, at.y())).row()
        count = self.model().rowCount()
        if row < 0:
            gap = 0 if at.y() < 0 else count
        else:
            rect = self.visualRect(self.model().index(row, 0))
            gap = row + (at.y() > rect.center().y())
        first, last = self._range()
        self._gap = min(max(gap, first), last)
        self.viewport().setCursor(Qt.CursorShape.ClosedHandCursor)
        self.viewport().update()
        edge = self._theme.px(EDGE)
        if at.y() < edge or at.y() > self.viewport().height() - edge:
            self._scroll.start()
        else:
            self._scroll.stop()

    def _on_scroll(self) -> None:
        at = self.viewport().mapFromGlobal(self.cursor().pos())
        bar = self.verticalScrollBar()
        bar.setValue(bar.value() + (-1 if at.y() < self.viewport().height() // 2 else 1) * self._theme.px(8))
        self._drag_to(at)

    def _end_drag(self) -> None:
        self._gap = self._pressed = None
        self._scroll.stop()
        self.viewport().unsetCursor()
        self.viewport().update()

    # --- Places ---------------------------------------------------------------------------------------------------

    def _job(self, row: int) -> Job | None:
        found = row_of(self.model().index(row, 0), JobRow) if row >= 0 else None
        return None if found is None else found.job

    def _movable_rows(self) -> list[int]:
        """Rows of what is chosen and may move."""
        rows = sorted({index.row() for index in self.selectionModel().selectedIndexes()})
        found = ((row, self._job(row)) for row in rows)
        return [row for row, job in found if job is not None and job.state in MOVABLE]

    def _range(self) -> tuple[int, int]:
        """The first and last gap that something may be dropped into: among what waits here."""
        first = last = 0
        for row in range(self.model().rowCount()):
            job = self._job(row)
            if job is None or job.state.ended:
                break
            if job.state in MOVABLE:
                last = row + 1
            elif last == 0:
                first = row + 1
        return first, max(first, last)

    def _move(self, rows: Sequence[int], gap: int) -> None:
        """Tell where the jobs of `rows` are to go, unless they are there."""
        jobs = [job for row in rows if (job := self._job(row)) is not None]
        if not jobs or (rows[-1] - rows[0] == len(rows) - 1 and rows[0] <= gap <= rows[-1] + 1):
            return
        ids = {job.id for job in jobs}
        before = next((job for row in range(gap - 1, -1, -1) if (job := self._job(row)) and job.id not in ids), None)
        if before is not None and before.state in MOVABLE:
            self.moved.emit(tuple(job.id for job in jobs), before.id, None)
            return
        count = self.model().rowCount()
        after = next((job for row in range(gap, count) if (job := self._job(row)) and job.id not in ids), None)
        self.moved.emit(tuple(job.id for job in jobs), None, after.id if after is not None else None)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self._gap is None:
            return
        count, px = self.model().rowCount(), self._theme.px
        if self._gap < count:
            y = self.visualRect(self.model().index(self._gap, 0)).top()
        else:
            y = self.visualRect(self.model().index(count - 1, 0)).bottom() + 1
        y = min(max(y, px(2)), self.viewport().height() - px(2))
        painter, accent = QPainter(self.viewport()), self._theme.color("accent")
        painter.fillRect(QRect(px(8), y - px(1), self.viewport().width() - px(16), px(2)), accent)
        paint.box(painter, QRect(px(6), y - px(4), px(8), px(8)), px(4), fill=accent)
