"""A job on its pod as it is kept in memory, and how often pods are asked."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from comfydesk.client.remote import RemoteJob
from comfydesk.session.jobs.timings import Stopwatch
from comfydesk.store.records import Job, JobFile, JobState

if TYPE_CHECKING:
    from comfydesk.client.submission import Accepted

WAITING = (JobState.HELD, JobState.QUEUED)
WORTH_A_NOTE = 0.1
"""Seconds that a job has to run before the store is told: the row of a quicker one goes from sent to saving."""


SHORT = 0.5
"""Seconds below which a job is short: what is noted of it on its way is little help to anybody, and costs as much."""
NOTED_WITHIN = 0.05
"""Seconds until the store hears that a short job was taken, with all others of that time; most are over before."""
BUSY = 0.25
"""Seconds of short jobs that may wait on a pod: it is not to idle while we speak with it."""
MOST_AHEAD = 8


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a pod is asked, in seconds."""

    poll: float = 5.0
    """After each live job, whatever the stream says or does not say."""
    look_again: float = 1.0
    """Between the first time a pod does not know a job and the time that is believed."""
    may_arrive: float = 110.0
    """For so long an unanswered POST may still be on its way (client.rest ends one then): until then that the pod
    does not know the job proves nothing."""


@dataclass(slots=True, eq=False)
class Followed:
    """A job on its pod, or on its way there, in memory. Only Follower writes it."""

    job: Job
    """As the store had it last."""
    graph: Mapping[str, Any]
    stopwatch: Stopwatch
    signature: str
    weights: Mapping[str, float]
    """Node → its part of the whole, in any unit."""
    sending: bool = False
    """A POST is being prepared or under way: that the pod does not know the job means nothing yet."""
    posted: float = 0.0
    """When this program began with its POST, if it did (time.time): some moments after the note in the store."""
    answer: "Accepted | None" = None
    """What the pod answered to it, as long as that is not in the store."""
    missed: float | None = None
    """When the pod first said that it does not know the job (monotonic)."""
    began: float | None = None
    """When the stream first told that it runs (time.time)."""
    seen_end: bool = False
    """The stream has told that it is over: its place on the pod is free, whatever has yet to be asked."""
    files: tuple[JobFile, ...] | None = None
    """What it has left on the pod, once it is known."""
    poked: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def state(self) -> JobState:
        return self.job.state

    @property
    def unanswered(self) -> bool:
        """Nobody knows yet whether the pod has it."""
        return self.sending or (self.state is JobState.SENDING and self.answer is None)

    @property
    def is_plain(self) -> bool:
        """The pod's answer, if it came, says nothing but that the pod has it."""
        return self.answer is None or (self.answer.prompt_id == self.job.id and not self.answer.node_errors)

    @property
    def is_short(self) -> bool:
        """By what is known of such jobs on its pod."""
        seconds = self.stopwatch.whole()
        return seconds is not None and seconds < SHORT

    def is_over(self) -> bool:
        """Nothing more happens on the pod."""
        return not self.sending and (self.state.ended or self.state in (JobState.SAVING, *WAITING))


def may_wait(ahead: int, seconds: float | None) -> int:
    """Jobs that may wait on a pod behind the running one: as the user wants it, and of short ones enough to be busy.

    `seconds`: what one takes there, if that is known.
    """
    if seconds is None or seconds >= SHORT or ahead < 1:
        return ahead
    return max(ahead, min(MOST_AHEAD, int(BUSY / max(seconds, 0.001))))


def kept_files(job: str, remote: RemoteJob) -> tuple[JobFile, ...]:
    """What is to be fetched of it. Temporary files are previews, and inputs were the user's own."""
    kept = (file for file in remote.outputs if file.type == "output")
    return tuple(JobFile(job, number, file.type, file.subfolder, file.filename) for number, file in enumerate(kept))
