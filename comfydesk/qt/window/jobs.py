"""The jobs' half of the window: what runs and waits, in the preview, the queue and the status bar at once."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer

from comfydesk.qt.bridge.feeds import Bridge
from comfydesk.qt.bridge.tasks import Tasks
from comfydesk.qt.docks.jobline import Running
from comfydesk.qt.docks.running_strip import AtWork
from comfydesk.qt.models.jobs import AT_WORK
from comfydesk.qt.models.rows import PodMark
from comfydesk.qt.models.verbs import Verb, looked_words
from comfydesk.qt.window.batches import Batches
from comfydesk.qt.window.bench import Bench
from comfydesk.qt.window.desk import Desk
from comfydesk.qt.window.failures import Failures
from comfydesk.qt.window.job_commands import JobCommands
from comfydesk.qt.window.news import News
from comfydesk.qt.window.notifier import DesktopNotifier
from comfydesk.qt.window.now import Now
from comfydesk.settings import NOTIFY
from comfydesk.store.records import Job, JobState

if TYPE_CHECKING:
    from comfydesk.session.session import Session


TICK_MS = 1000
"""Between two looks at how long everything still takes."""


class JobDesk(QObject):
    """Lives as long as the session does."""

    def __init__(
        self,
        desk: Desk,
        session: "Session",
        bridge: Bridge,
        tasks: Tasks,
        bench: Bench,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._desk, self._session, self._tasks, self._bench = desk, session, tasks, bench
        self.commands = JobCommands(session, tasks, self)
        self.now = Now(desk.jobs, session.queue.node_title, self)
        self.failures = Failures(desk, bench, self.edit, self)
        self._weighed: str | None = None
        self._told_waiting = 0
        self._paused = False
        self._clock = QTimer(self, interval=TICK_MS)
        self._clock.timeout.connect(self._tick)
        self._live: set[str] = set()
        """Jobs that had not ended when they were last seen: what ends of them is news."""
        desk.jobs.ask_eta(session.queue.eta)
        self._bridge = bridge
        self.batches = Batches(desk, session, tasks, bench, self)
        notifier = DesktopNotifier(desk.window, self)
        self.news = News(desk, notifier, lambda: bool(desk.preferences.get(NOTIFY)), self)
        self._feed(bridge)
        self._join_docks()

    # --- Session → window -----------------------------------------------------------------------------------------

    def refresh_pods(self) -> None:
        """The session says that something about its pods is new."""
        pods = self._session.pods()
        self._desk.jobs.set_pods(
            {pod.id: PodMark(pod.name, pod.profile.colour if pod.profile is not None else "") for pod in pods}
        )
        self.now.set_online(pod.id for pod in pods if pod.status.usable)
        self._show_queue()
        for pod in pods:
            ends = getattr(pod.rented.idle, "ends", None) if pod.rented is not None else None
            if ends is not None:
                self.news.on_stop(pod.id, pod.name, ends)

    def show(self, verb: Verb, job: Job) -> None:
        """What the queue was asked to show of a job."""
        if verb is Verb.EDIT:
            self.edit(job)
        elif verb is Verb.EXPLAIN:
            self.failures.explain(job)
        elif verb is Verb.SHOW:
            made = (output for output in self._desk.outputs.loaded() if output.path in job.outputs)
            self._desk.preview.show_output(next(made, None))

    def edit(self, job: Job) -> None:
        """Open what a job was made from, with its values."""
        self._bench.edit(job, self._desk.workflows.entry(job.workflow_id) if job.workflow_id else None)

    def cancel_running(self) -> None:
        """The job that is looked at."""
        if self.now.job is not None:
            self.commands.cancel(self.now.job)

    def _feed(self, bridge: Bridge) -> None:
        desk = self._desk
        bridge.jobs.connect(desk.jobs.put_jobs)
        bridge.jobs.connect(self._on_jobs)
        bridge.jobs_read.connect(desk.queue.mark_known)
        bridge.jobs_read.connect(desk.status.queue.mark_known)
        bridge.jobs_gone.connect(desk.jobs.drop)
        bridge.jobs_gone.connect(self._live.difference_update)
        bridge.queue.connect(self._read_paused)
        bridge.progressed.connect(self.now.on_progress)
        bridge.previewed.connect(self.now.on_preview)
        desk.jobs.more_wanted.connect(lambda: self._tasks.start(bridge.read_more_jobs()))
        self.now.changed.connect(self._show_running)
        self.now.at_work.connect(self._show_at_work)
        self.now.previewed.connect(desk.preview.show_preview)
        desk.preview.canvas.room_changed.connect(bridge.set_room)
        bridge.set_room(desk.preview.canvas.room())
        desk.jobs.counted.connect(self._show_queue)
        self._bench.queued.connect(self._on_made)
        self.commands.made.connect(self._on_made)
        self.commands.looked.connect(self._on_looked)
        self.now.refresh()
        self._read_paused()

    def _on_made(self, ids: tuple[str, ...]) -> None:
        """Jobs that were queued here: the first that is read of them may be their end."""
        self._live.update(ids)

    def _on_jobs(self, jobs: tuple[Job, ...]) -> None:
        ended = []
        for job in jobs:
            if not job.state.ended:
                self._live.add(job.id)
            elif job.id in self._live:
                self._live.discard(job.id)
                ended.append(job)
        for job in ended:
            if job.state is JobState.FAILED and job.error is not None:
                self.failures.tell(job)
        open_ = self._bench.current
        seeds = [job.seed for job in jobs if open_ is not None and job.workflow == open_.name and job.seed is not None]
        if seeds:
            self._desk.generation.show_last_seed(seeds[-1])
        if ended:
            self.news.on_ended(ended)

    def _read_paused(self) -> None:
        self._tasks.start(self._session.queue.is_paused(), done=self._show_paused)

    def _show_paused(self, paused: bool) -> None:
        self._paused = paused
        self._desk.queue.show_paused(paused)
        self._show_queue()

    def _on_looked(self, jobs: tuple[Job, ...]) -> None:
        names = {pod.id: pod.name for pod in self._session.pods()}
        pods = {names.get(job.pod, "") for job in jobs}
        what, more, found = looked_words(jobs, pods.pop() if len(pods) == 1 else "")
        self._desk.toasts.tell(what, more, tone="success" if found else "warning")

    def _tick(self) -> None:
        """Time passes also where nothing changes: all that tells it tells the same."""
        self._desk.jobs.refresh_times()
        self.now.refresh()
        self._show_queue()

    def _show_running(self, running: Running | None) -> None:
        job, desk = self.now.job, self._desk
        self._bridge.look_at(job)
        if job is not None and job != self._weighed:
            weights = self._session.queue.weights(job)
            self._weighed = job if weights else None
            desk.preview.set_weights(weights)
        desk.preview.show_running(running)
        desk.generation.show_running(running is not None)
        desk.status.queue.show_progress(None if running is None else running.fraction)

    def _show_at_work(self, jobs: tuple[AtWork, ...]) -> None:
        self._desk.preview.show_at_work(jobs, self.now.job)

    def _show_queue(self) -> None:
        desk, jobs = self._desk, self._desk.jobs
        waiting, running = jobs.waiting(), jobs.count(*AT_WORK)
        seconds = self._seconds_left()
        desk.queue.show_time(seconds)
        desk.status.queue.show_queue(waiting - running - jobs.count(JobState.HELD), seconds, running)
        # What is held stands in nobody's way, and what is only fetched leaves its pod free.
        before = waiting - jobs.count(JobState.HELD, JobState.SAVING)
        desk.generation.show_queue(before, seconds, paused=self._paused)
        if bool(running) != self._clock.isActive():
            self._clock.start() if running else self._clock.stop()
        if waiting != self._told_waiting:
            self._told_waiting = waiting
            self.news.show_count(waiting)
            desk.generation.show_waiting(waiting)

    def _seconds_left(self) -> float | None:
        """Until all that goes on by itself has run; None: not known. The only place where that is asked."""
        jobs, eta = self._desk.jobs, self._session.queue.eta
        last = jobs.last_to_go(paused=self._paused)
        if last is None:
            return None
        total = eta(last.job.id)
        running = [row.seconds_left for row in jobs.at_work() if row.seconds_left is not None]
        return None if total is None else max([total, *running])

    # --- Window → session -----------------------------------------------------------------------------------------

    def _join_docks(self) -> None:
        desk, commands, queue = self._desk, self.commands, self._desk.queue
        desk.generation.generate.connect(self._bench.generate)
        desk.generation.cancel.connect(self.cancel_running)
        desk.preview.cancel.connect(self.cancel_running)
        desk.preview.job_chosen.connect(self.now.choose)
        queue.commanded.connect(commands.do)
        queue.shown.connect(self.show)
        queue.moved.connect(commands.move)
        queue.paused.connect(commands.pause)
        queue.all_held.connect(commands.hold_all)
        queue.all_released.connect(commands.release_all)
        queue.cleared.connect(commands.clear_finished)
        desk.action("cancel", self.cancel_running)
        desk.action("clear_finished", commands.clear_finished)
        desk.action("generate_next", lambda: desk.generate(front=True))
        desk.action("batch", self.batches.open)
        desk.action("pause_queue", queue.toggle_pause)
