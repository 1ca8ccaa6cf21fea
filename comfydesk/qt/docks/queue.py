"""The queue: what runs, what waits, what has ended, and what can be done about each."""

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QGuiApplication, QKeyEvent
from PySide6.QtWidgets import QFrame, QListView, QStackedWidget

from comfydesk.qt.docks.dock import Dock, Panel
from comfydesk.qt.models.jobs import JobModel
from comfydesk.qt.models.rows import JobRow
from comfydesk.qt.models.words import about
from comfydesk.qt.theme import Theme
from comfydesk.qt.widgets.badge_label import BadgeLabel
from comfydesk.qt.widgets.badges import Badge
from comfydesk.qt.widgets.buttons import Button, Kind, Size
from comfydesk.qt.widgets.empty_state import EmptyState
from comfydesk.qt.widgets.menu import Menu
from comfydesk.qt.widgets.queue_delegate import QueueDelegate
from comfydesk.qt.widgets.row_actions import Index, row_of
from comfydesk.store.records import JobState


class JobList(QListView):
    """The rows. Delete cancels what is under way and removes what has ended."""

    delete_pressed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setAccessibleName("Queue")
        self.viewport().setAutoFillBackground(False)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Delete:
            self.delete_pressed.emit()
        else:
            super().keyPressEvent(event)


class QueuePanel(Panel):
    """Signals carry job ids."""

    cancelled = Signal(str)
    retried = Signal(str)
    looked = Signal(str)
    """Look again for a job in state unknown."""
    held = Signal(object)
    released = Signal(object)
    removed = Signal(object)
    all_held = Signal()
    all_released = Signal()
    cleared = Signal()
    """Of all jobs, also of those that the list has not read yet."""
    shown = Signal(object)
    """Job whose error or outputs are to be shown."""

    def __init__(self, theme: Theme, dock: Dock, model: JobModel) -> None:
        super().__init__(theme, dock)
        self._model = model
        delegate = QueueDelegate(theme, self)
        self.list = JobList()
        self.list.setModel(model)
        self.list.setItemDelegate(delegate)
        self.empty = EmptyState(theme, "check", "The queue is empty", "Jobs stay here, also when the window is closed.")
        self._pages = QStackedWidget()
        self._pages.addWidget(self.empty)
        self._pages.addWidget(self.list)
        self._menu = Menu(theme, parent=self)
        self.hold = Button(theme, "Hold all", kind=Kind.GHOST, icon="pause", size=Size.COMPACT)
        self.hold.setToolTip("The running job finishes, nothing further is sent")
        self.clear = Button(theme, "Clear finished", kind=Kind.GHOST, size=Size.COMPACT)
        self._count = BadgeLabel(theme)
        self.title.add_mark(self._count)
        self.title.add(self.hold)
        self.title.add(self.clear)
        self.body.addWidget(self._pages, 1)
        self.hold.clicked.connect(self._hold_or_release)
        self.clear.clicked.connect(self.cleared)
        delegate.acted.connect(self._act)
        delegate.more.connect(self._more)
        delegate.again.connect(self._run_again)
        self.list.customContextMenuRequested.connect(self._more_at)
        self.list.delete_pressed.connect(self._delete)
        model.counted.connect(self._on_counted)
        self._on_counted()

    def show_time(self, seconds: float | None) -> None:
        """How long all that waits will take."""
        waiting = self._model.waiting()
        self._count.set_badge(Badge(str(waiting), "info") if waiting else None)
        self.title.set_note(f"{about(seconds)} in all" if seconds and waiting else "")

    # --- Inside ---------------------------------------------------------------------------------------------------

    def _on_counted(self) -> None:
        model = self._model
        self._pages.setCurrentWidget(self.list if model.rowCount() else self.empty)
        self.clear.setVisible(bool(model.ended()))
        queued, held = model.with_state(JobState.QUEUED), model.with_state(JobState.HELD)
        self.hold.setVisible(bool(queued or held))
        self.hold.setText("Hold all" if queued else "Release all")
        self.hold.set_icon("pause" if queued else "play")
        self.show_time(None)

    def _hold_or_release(self) -> None:
        if self._model.with_state(JobState.QUEUED):
            self.all_held.emit()
        else:
            self.all_released.emit()

    def _act(self, index: Index) -> None:
        row = row_of(index, JobRow)
        if row is None:
            return
        job = row.job
        if job.state is JobState.HELD:
            self.released.emit((job.id,))
        elif job.state is JobState.UNKNOWN:
            self.looked.emit(job.id)
        elif job.state.ended:
            self.retried.emit(job.id)
        else:
            self.cancelled.emit(job.id)

    def _run_again(self, index: Index) -> None:
        row = row_of(index, JobRow)
        if row is not None:
            self.retried.emit(row.job.id)

    def _delete(self) -> None:
        row = row_of(self.list.currentIndex(), JobRow)
        if row is not None and row.job.state.ended:
            self.removed.emit((row.job.id,))
        elif row is not None:
            self.cancelled.emit(row.job.id)

    def _more_at(self, at: QPoint) -> None:
        index = self.list.indexAt(at)
        if index.isValid():
            self._offer(index, self.list.viewport().mapToGlobal(at))

    def _more(self, index: Index) -> None:
        rect = self.list.visualRect(self._model.index(index.row()))
        self._offer(index, self.list.viewport().mapToGlobal(rect.bottomRight()))

    def _offer(self, index: Index, at: QPoint) -> None:
        row = row_of(index, JobRow)
        if row is None:
            return
        job, menu = row.job, self._menu
        menu.clear()
        if job.state is JobState.QUEUED:
            menu.add("Hold", "pause").triggered.connect(lambda: self.held.emit((job.id,)))
        if job.state is JobState.HELD:
            menu.add("Release", "play").triggered.connect(lambda: self.released.emit((job.id,)))
        if not job.state.ended:
            menu.add("Cancel", "stop").triggered.connect(lambda: self.cancelled.emit(job.id))
        else:
            if job.outputs or job.error is not None:
                words = "Show what went wrong" if job.error is not None else "Show what it made"
                menu.add(words, "info").triggered.connect(lambda: self.shown.emit(job))
            if job.state is JobState.UNKNOWN:
                menu.add("Look again", "search").triggered.connect(lambda: self.looked.emit(job.id))
            menu.add("Run again", "refresh").triggered.connect(lambda: self.retried.emit(job.id))
            menu.add("Remove from the list", "close").triggered.connect(lambda: self.removed.emit((job.id,)))
        if job.prompt:
            copy = menu.add("Copy prompt", "copy")
            copy.triggered.connect(lambda: QGuiApplication.clipboard().setText(job.prompt))
        menu.popup(at)
