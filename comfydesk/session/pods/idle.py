"""The idle guard: when a rented pod may be stopped by itself. PURE: values in, values out.

A pod is quiet while its own queue is empty (whoever sent the jobs), no job of ours is open or in an unknown state, all
outputs are here, the link is online, and the user does nothing. After the profile's minutes of unbroken quiet a
countdown starts, which the user sees and can end; only after it, `step` says stop, once. Whatever is not known counts
as not quiet; and quiet that nobody watched (the computer slept, observations stopped) starts from zero.

All times are seconds of one clock that goes on while the computer sleeps, such as time.time().
"""

import math
from dataclasses import dataclass, replace

COUNTDOWN = 300.0
KEEP = 3600.0
MAX_GAP = 90.0
"""Longest silence between two observations through which quiet may last."""
FRESH = 60.0
"""Oldest reading of the server's queue that counts."""
STOP_PATIENCE = 600.0
"""After a stop that shows no effect, the guard starts anew."""


@dataclass(frozen=True, slots=True)
class IdlePolicy:
    """`minutes` None: never. `countdown` in seconds."""

    minutes: int | None
    countdown: float = COUNTDOWN


@dataclass(frozen=True, slots=True)
class Observation:
    """All that the guard looks at, as of `at`. Observe every few seconds; `MAX_GAP` is too long."""

    at: float
    running: bool
    """The host says that it runs."""
    online: bool
    """Our link to ComfyUI works."""
    server_queue: int | None
    """Prompts on the server, running ones too, ours or anyone's; None: not known."""
    queue_read: float
    """When `server_queue` was read from the server."""
    open_jobs: int
    """Ours that wait for this pod, or are on it and have not ended."""
    unknown_jobs: int
    """Ours of which the pod has lost track, and the user has not decided."""
    downloads: int
    """Outputs on the pod that are not wholly here."""
    activity: float
    """When the user last did something in ComfyDesk."""


@dataclass(frozen=True, slots=True)
class Off:
    """Nothing to guard: no policy, or it does not run."""


@dataclass(frozen=True, slots=True)
class Busy:
    """Not quiet; `why` for the status bar."""

    at: float
    why: str


@dataclass(frozen=True, slots=True)
class Quiet:
    """Quiet since `since`; not for long enough."""

    at: float
    since: float


@dataclass(frozen=True, slots=True)
class Countdown:
    """It stops at `ends`, unless the user or anything else objects."""

    at: float
    since: float
    ends: float


@dataclass(frozen=True, slots=True)
class Kept:
    """The user wants it to run until `until`. `since`: quiet since then, None while it is busy."""

    at: float
    until: float
    since: float | None


@dataclass(frozen=True, slots=True)
class Stopping:
    """Stop was said at `said`."""

    at: float
    said: float


IdleState = Off | Busy | Quiet | Countdown | Kept | Stopping


@dataclass(frozen=True, slots=True)
class Step:
    """The next state. `stop`: stop the pod now; true once per countdown."""

    state: IdleState
    stop: bool = False


def step(state: IdleState, policy: IdlePolicy, seen: Observation) -> Step:
    """What follows from one more observation."""
    if policy.minutes is None or not seen.running:
        # A promise to keep it running holds while it restarts.
        return Step(replace(state, at=seen.at, since=None) if isinstance(state, Kept) else Off())
    if isinstance(state, Stopping) and 0 <= seen.at - state.said < STOP_PATIENCE:
        return Step(replace(state, at=seen.at))
    why = objection(seen)
    if isinstance(state, Kept) and seen.at < state.until:
        return Step(Kept(seen.at, state.until, None if why else _quiet_since(state, seen)))
    if why:
        return Step(Busy(seen.at, why))
    since = _quiet_since(state, seen)
    if seen.at - since < policy.minutes * 60:
        return Step(Quiet(seen.at, since))
    if not isinstance(state, Countdown):
        return Step(Countdown(seen.at, since, seen.at + policy.countdown))
    if seen.at < state.ends:
        return Step(replace(state, at=seen.at))
    return Step(Stopping(seen.at, seen.at), stop=True)


def objection(seen: Observation) -> str:
    """Why the pod must not be stopped now; empty if nothing speaks against it."""
    if not seen.online:
        return "there is no connection to it"
    if seen.server_queue is None or not 0 <= seen.at - seen.queue_read <= FRESH:
        return "its queue is not known"
    if seen.server_queue:
        return f"{seen.server_queue} in its queue"
    if seen.unknown_jobs:
        return (
            f"the state of {seen.unknown_jobs} jobs is unknown" if seen.unknown_jobs > 1 else "a job's state is unknown"
        )
    if seen.open_jobs:
        return f"{seen.open_jobs} jobs are open" if seen.open_jobs > 1 else "a job is open"
    if seen.downloads:
        return f"{seen.downloads} results are not here yet" if seen.downloads > 1 else "a result is not here yet"
    return ""


def keep(state: IdleState, at: float, seconds: float = KEEP) -> IdleState:
    """The user's "Keep running". It cannot call back a stop that was said."""
    if isinstance(state, Stopping):
        return state
    return Kept(at, at + seconds, state.since if isinstance(state, Quiet | Countdown | Kept) else None)


def cancel(state: IdleState, at: float) -> IdleState:
    """The user's "Cancel" of the countdown: the minutes start anew."""
    return Quiet(at, at) if isinstance(state, Countdown) else state


def stop_failed(state: IdleState, at: float) -> IdleState:
    """The host did not stop it: the minutes start anew."""
    return Busy(at, "it could not be stopped") if isinstance(state, Stopping) else state


def describe(state: IdleState, name: str, cost_per_hour: float | None, now: float) -> str:
    """One line for the status bar or the notification; empty where there is nothing to say."""
    cost = f" (${cost_per_hour:.2f}/h)" if cost_per_hour is not None else ""
    match state:
        case Countdown(ends=ends):
            return f"Pod {name} stops in {_span(ends - now)}{cost}. Keep it running?"
        case Kept(until=until):
            return f"Pod {name} is kept running for {_span(until - now)}{cost}"
        case Stopping():
            return f"Pod {name} is being stopped"
        case Quiet(since=since):
            return f"Pod {name} has been idle for {_span(now - since)}{cost}"
        case _:
            return ""


def _quiet_since(state: IdleState, seen: Observation) -> float:
    """The begin of quiet that was watched without a gap and without the user, up to now."""
    since = state.since if isinstance(state, Quiet | Countdown | Kept) else None
    if since is None or isinstance(state, Off) or not 0 <= seen.at - state.at <= MAX_GAP:
        return seen.at
    # Activity of the future is a clock that was set back: not to be trusted.
    return max(since, seen.activity) if seen.activity <= seen.at else seen.at


def _span(seconds: float) -> str:
    if seconds < 60:
        return f"{max(0, math.ceil(seconds))} s"
    return f"{math.ceil(seconds / 60)} min"
