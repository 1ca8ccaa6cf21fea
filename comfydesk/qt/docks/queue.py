"""The queue: what runs, what waits, what has ended, and what can be done about each."""

from functools import partial

from PySide6.QtCore import QPoint, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from comfydesk.qt.docks.dock import Dock, Panel
from comfydesk.qt.models.jobs import AT_WORK, JobModel
from comfydesk.qt.models.rows import JobRow
from comfydesk.qt.models.tips import plain_tip
from comfydesk.qt.models.verbs import ALONE, Choice, Verb, choices, error_text, fits
from comfydesk.qt.models.words import DOT, about
from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import mark, tr, tr_n
from comfydesk.qt.widgets.badge_label import BadgeLabel
from comfydesk.qt.widgets.badges import Badge
from comfydesk.qt.widgets.banner import Banner
from comfydesk.qt.widgets.buttons import Button, IconButton, Kind, Size
from comfydesk.qt.widgets.empty_state import EmptyState
from comfydesk.qt.widgets.job_list import JobList
from comfydesk.qt.widgets.menu import Menu
from comfydesk.qt.widgets.plain import pad
from comfydesk.qt.widgets.queue_delegate import QueueDelegate, action_of
from comfydesk.qt.widgets.row_actions import Index, row_of
from comfydesk.qt.widgets.skeleton import Skeleton
from comfydesk.store.records import JobState

GOES_ON = mark("The running job finishes, nothing further is sent")


class QueuePanel(Panel):
    """What the user wants of jobs goes out as `commanded`; nothing here changes a job by itself."""

    commanded = Signal(object, object)
    """(Verb, ids of the jobs), of each verb that is not `shown`."""
    shown = Signal(object, object)
    """(Verb of models.verbs.ALONE, the Job)."""
    moved = Signal(object, object, object)
    """As JobList.moved."""
    paused = Signal(bool)
    all_held = Signal()
    all_released = Signal()
    cleared = Signal()
    """Of all jobs, also of those that the list has not read yet."""

    def __init__(self, theme: Theme, dock: Dock, model: JobModel) -> None:
        super().__init__(theme, dock)
        self._model = model
        self._is_paused = False
        self._seconds: float | None = None
        self._delegate = QueueDelegate(theme, self)
        self.list = JobList(theme)
        self.list.setModel(model)
        self.list.setItemDelegate(self._delegate)
        self.empty = EmptyState(
            theme, "check", tr("The queue is empty"), tr("Jobs stay here, also when the window is closed.")
        )
        self.banner = Banner(theme)
        self._pages = QStackedWidget()
        self._pages.addWidget(self.empty)
        self._pages.addWidget(self.list)
        self._loading = Skeleton(theme, "rows")
        self._pages.addWidget(self._loading)
        self._known = False
        self._menu = Menu(theme, parent=self)
        self._count = BadgeLabel(theme)
        self.pause = Button(theme, tr("Pause"), kind=Kind.GHOST, icon="pause", size=Size.COMPACT, tooltip=tr(GOES_ON))
        self.clear = Button(theme, tr("Clear finished"), kind=Kind.GHOST, size=Size.COMPACT)
        self.more = IconButton(theme, "more", tr("More on the queue"), size=Size.COMPACT)
        self.title.add_mark(self._count)
        for part in (self.pause, self.clear, self.more):
            self.title.add(part)
        self._lay_out()
        self._join()
        self._on_counted()

    # --- What is shown --------------------------------------------------------------------------------------------

    def mark_known(self) -> None:
        """All jobs have been read: an empty list is an empty queue."""
        self._known = True
        self._on_counted()

    def show_time(self, seconds: float | None) -> None:
        """How long all that waits will take."""
        self._seconds = seconds
        waiting = self._model.waiting()
        self._count.set_badge(Badge(f"{waiting:,}", "info") if waiting else None)
        held = self._model.count(JobState.HELD)
        parts = [tr("{n} held", n=f"{held:,}")] if held else []
        if seconds and waiting:
            parts.append(tr("{time} in all", time=about(seconds)))
        self.title.set_note(f" {DOT} ".join(parts))

    def show_paused(self, paused: bool) -> None:
        """Whether anything is sent at all."""
        self._is_paused = paused
        self.pause.setText(tr("Resume") if paused else tr("Pause"))
        self.pause.set_icon("play" if paused else "pause")
        self.pause.setToolTip(plain_tip(tr("Send what waits again") if paused else tr(GOES_ON)))
        self._on_counted()

    def toggle_pause(self) -> None:
        """Ask for the other of paused and going on."""
        self.paused.emit(not self._is_paused)

    def choices(self) -> tuple[Choice, ...]:
        """What can be done to the jobs that are chosen."""
        return choices(self.list.chosen())

    # --- Inside ---------------------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        above = QWidget()
        messages = QVBoxLayout(above)
        pad(messages, self.theme, 8, 0, 8, 0)
        messages.addWidget(self.banner)
        self.body.addWidget(above)
        self.body.addWidget(self._pages, 1)

    def _join(self) -> None:
        self.pause.clicked.connect(self.toggle_pause)
        self.banner.acted.connect(lambda: self.paused.emit(False))
        self.clear.clicked.connect(self.cleared)
        self.more.clicked.connect(self._offer_all)
        self._delegate.acted.connect(self._act)
        self._delegate.more.connect(self._more)
        self._delegate.again.connect(self._run_again)
        self.list.menu_wanted.connect(self._offer)
        self.list.delete_pressed.connect(self._delete)
        self.list.front_pressed.connect(lambda: self._do(Verb.FRONT))
        self.list.opened.connect(self._open)
        self.list.moved.connect(self.moved)
        self._model.counted.connect(self._on_counted)

    def _on_counted(self) -> None:
        model = self._model
        self._pages.setCurrentWidget(self.list if model.rowCount() else self.empty if self._known else self._loading)
        self.clear.setVisible(bool(model.ended()))
        self.more.setVisible(bool(model.rowCount()))
        self.pause.setVisible(self._is_paused or bool(model.waiting()))
        if self._is_paused:
            why = tr("The running job finishes, nothing further is sent.") if model.count(*AT_WORK) else ""
            waits = model.count(JobState.QUEUED)
            why = why or tr_n("Nothing is sent; {n} job waits.", "Nothing is sent; {n} jobs wait.", waits)
            self.banner.tell(tr("The queue is paused"), why, tone="warning", action=tr("Resume"), closable=False)
        else:
            self.banner.clear()
        self.show_time(self._seconds)

    def _act(self, index: Index) -> None:
        row = row_of(index, JobRow)
        if row is not None:
            self.commanded.emit(action_of(row.job.state).verb, (row.job.id,))

    def _run_again(self, index: Index) -> None:
        row = row_of(index, JobRow)
        if row is not None:
            self.commanded.emit(Verb.RETRY, (row.job.id,))

    def _delete(self) -> None:
        """Removes what has ended; else cancels what has not."""
        self._do(Verb.REMOVE if all(job.state.ended for job in self.list.chosen()) else Verb.CANCEL)

    def _open(self) -> None:
        """What one would most like to see of the current job."""
        for verb in (Verb.EXPLAIN, Verb.SHOW):
            if any(fits(verb, job) for job in self.list.chosen()):
                self._do(verb)
                return

    def _do(self, verb: Verb) -> None:
        for choice in self.choices():
            if choice.verb is verb:
                self._take(choice)

    def _take(self, choice: Choice) -> None:
        if choice.verb not in ALONE:
            self.commanded.emit(choice.verb, choice.jobs)
            return
        row = self._model.get(choice.jobs[0])
        if row is None:
            return
        if choice.verb is Verb.COPY_PROMPT:
            QGuiApplication.clipboard().setText(row.job.prompt)
        elif choice.verb is Verb.COPY_ERROR:
            QGuiApplication.clipboard().setText(error_text(row.job))
        else:
            self.shown.emit(choice.verb, row.job)

    def _more(self, index: Index) -> None:
        model_index = self._model.index(index.row())
        if model_index not in self.list.selectionModel().selectedIndexes():
            self.list.setCurrentIndex(model_index)
        self._offer(self.list.viewport().mapToGlobal(self.list.visualRect(model_index).bottomRight()))

    def _offer(self, at: QPoint) -> None:
        self._menu.clear()
        for choice in self.choices():
            if choice.apart:
                self._menu.addSeparator()
            action = self._menu.add(choice.words, choice.icon, tip=choice.tip)
            action.triggered.connect(partial(self._take, choice))
        if not self._menu.isEmpty():
            self._menu.popup(at)

    def _offer_all(self) -> None:
        """What concerns the whole queue."""
        menu, model = self._menu, self._model
        menu.clear()
        queued, held = model.count(JobState.QUEUED), model.count(JobState.HELD)
        if queued:
            words = tr_n("Hold {n} queued job", "Hold all {n} queued jobs", queued)
            menu.add(words, "pause", tip=tr(GOES_ON)).triggered.connect(self.all_held)
        if held:
            words = tr_n("Release {n} held job", "Release all {n} held jobs", held)
            menu.add(words, "play").triggered.connect(self.all_released)
        again = [
            row.job.id for row in model.rows() if row.job.state in (JobState.FAILED, JobState.CANCELLED)
        ]  # only when asked for: the list may be long
        if again:
            words = tr_n("Try {n} failed or cancelled job again", "Try {n} failed or cancelled jobs again", len(again))
            menu.add(words, "refresh").triggered.connect(lambda: self.commanded.emit(Verb.RETRY, tuple(again)))
        if model.ended():
            menu.add(tr("Clear finished"), "close").triggered.connect(self.cleared)
        menu.addSeparator()
        menu.add(tr("Select all"), "list", keys="Ctrl+A").triggered.connect(self.list.selectAll)
        menu.popup(self.more.mapToGlobal(self.more.rect().bottomLeft()))
