"""How often the sending of a job has failed, and when it is tried again. In memory: a new start is a new chance."""

from collections.abc import Callable
from dataclasses import dataclass

from comfydesk.errors import AuthError, PodError, PodStatusError, PodUnreachableError

DELAYS = (0.2, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
"""Seconds before each further attempt."""
GRACE = 3.0
"""Seconds for which a job that cannot be sent yet holds up those behind it: the order is worth that much."""
MAX_ANSWERED = 5
"""Errors of the server itself, before a job counts as failed."""
LINE = frozenset({401, 403, 408, 425, 429, 502, 503, 504, 520, 521, 522, 523, 524, 525, 530})
"""Statuses of what stands between us and the server, or of one that is starting: they say nothing about the job."""


@dataclass(slots=True)
class Attempts:
    """Of one job."""

    since: float
    """When it first could not be sent, on the loop's clock."""
    failed: int = 0
    answered: int = 0
    """Failures that were the server's own answer; only these can fail a job."""
    not_before: float = 0.0


class Ledger:
    """Of all jobs that were tried and are not sent. `clock`: the loop's."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._jobs: dict[str, Attempts] = {}

    def failed(self, job: str, error: Exception) -> bool:
        """Note a failed attempt. Returns whether it was the last: the job has failed."""
        now = self._clock()
        attempts = self._jobs.setdefault(job, Attempts(now))
        attempts.not_before = now + DELAYS[min(attempts.failed, len(DELAYS) - 1)]
        attempts.failed += 1
        if isinstance(error, PodUnreachableError | AuthError):
            return False
        if isinstance(error, PodStatusError):
            if error.status in LINE:
                return False
            attempts.answered += 1
            return error.status < 500 or attempts.answered >= MAX_ANSWERED
        return isinstance(error, PodError)

    def hinder(self, job: str) -> None:
        """It cannot be sent yet, for no fault: its inputs are on their way."""
        self._jobs.setdefault(job, Attempts(self._clock()))

    def count(self, job: str) -> int:
        """Failed attempts so far."""
        attempts = self._jobs.get(job)
        return 0 if attempts is None else attempts.failed

    def wait(self, job: str) -> float:
        """Seconds until it may be tried again; 0: now."""
        attempts = self._jobs.get(job)
        return 0.0 if attempts is None else max(0.0, attempts.not_before - self._clock())

    def patience(self, job: str) -> float:
        """Seconds for which those behind it still wait for it."""
        attempts = self._jobs.get(job)
        return GRACE if attempts is None else max(0.0, attempts.since + GRACE - self._clock())

    def forget(self, job: str) -> None:
        """It was sent, or is over."""
        self._jobs.pop(job, None)

    def hurry(self) -> None:
        """A pod is back: nothing is worth waiting for."""
        for attempts in self._jobs.values():
            attempts.not_before = 0.0
