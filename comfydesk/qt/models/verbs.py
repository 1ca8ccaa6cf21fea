"""What can be done to jobs: which of it fits the jobs that are chosen, and in which words."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from comfydesk.qt.theme.language import tr, tr_n
from comfydesk.store.records import Job, JobState

MOVABLE = frozenset({JobState.QUEUED, JobState.HELD})
"""Nobody else has these yet: their place is ours to change."""


class Verb(StrEnum):
    """A command on jobs."""

    CANCEL = "cancel"
    HOLD = "hold"
    RELEASE = "release"
    FRONT = "front"
    RETRY = "retry"
    DUPLICATE = "duplicate"
    EDIT = "edit"
    LOOK = "look"
    SHOW = "show"
    """What it made."""
    EXPLAIN = "explain"
    """What went wrong."""
    COPY_ERROR = "copy_error"
    COPY_PROMPT = "copy_prompt"
    REMOVE = "remove"


ALONE = frozenset({Verb.EDIT, Verb.SHOW, Verb.EXPLAIN, Verb.COPY_ERROR, Verb.COPY_PROMPT})
"""For one job at a time."""
_ICONS: dict[Verb, str] = {
    Verb.CANCEL: "stop",
    Verb.HOLD: "pause",
    Verb.RELEASE: "play",
    Verb.FRONT: "arrow-up",
    Verb.RETRY: "refresh",
    Verb.DUPLICATE: "copy",
    Verb.EDIT: "edit",
    Verb.LOOK: "search",
    Verb.SHOW: "image",
    Verb.EXPLAIN: "info",
    Verb.COPY_ERROR: "copy",
    Verb.COPY_PROMPT: "copy",
    Verb.REMOVE: "close",
}


@dataclass(frozen=True, slots=True)
class Choice:
    """A line of the menu on jobs."""

    verb: Verb
    words: str
    icon: str
    tip: str
    jobs: tuple[str, ...]
    """Those of the chosen ones that it fits."""
    apart: bool = False
    """Begins another group."""


def fits(verb: Verb, job: Job) -> bool:
    """Whether `verb` makes sense for `job` as it stands."""
    match verb:
        case Verb.CANCEL:
            return not job.state.ended and job.state is not JobState.CANCELLING
        case Verb.HOLD:
            return job.state is JobState.QUEUED
        case Verb.RELEASE:
            return job.state is JobState.HELD
        case Verb.FRONT:
            return job.state in MOVABLE
        case Verb.RETRY:
            return job.state.ended or job.blocked
        case Verb.LOOK:
            return job.state is JobState.UNKNOWN
        case Verb.SHOW:
            return bool(job.outputs)
        case Verb.EXPLAIN | Verb.COPY_ERROR:
            return job.error is not None
        case Verb.COPY_PROMPT:
            return bool(job.prompt)
        case Verb.REMOVE:
            return job.state.ended
        case Verb.DUPLICATE | Verb.EDIT:
            return True


_GROUPS: tuple[tuple[Verb, ...], ...] = (
    (Verb.SHOW, Verb.EXPLAIN),
    (Verb.LOOK, Verb.RETRY, Verb.EDIT, Verb.DUPLICATE),
    (Verb.RELEASE, Verb.HOLD, Verb.FRONT),
    (Verb.COPY_ERROR, Verb.COPY_PROMPT),
    (Verb.CANCEL, Verb.REMOVE),
)


def choices(jobs: Sequence[Job]) -> tuple[Choice, ...]:
    """What can be done to `jobs` together, each for those whom it fits."""
    found: list[Choice] = []
    for group in _GROUPS:
        first = True
        for verb in group:
            if verb in ALONE and len(jobs) != 1:
                continue
            fitting = [job for job in jobs if fits(verb, job)]
            if fitting:
                ids = tuple(job.id for job in fitting)
                found.append(Choice(verb, words(verb, fitting), _ICONS[verb], tip(verb, fitting), ids, apart=first))
                first = False
    return tuple(found)


def words(verb: Verb, jobs: Sequence[Job]) -> str:
    """What the menu says."""
    n, states = len(jobs), {job.state for job in jobs}
    if verb is Verb.RETRY and states == {JobState.SAVING}:
        return tr("Try to save its results again")
    if verb is Verb.RETRY and states <= {JobState.FAILED, JobState.CANCELLED}:
        return tr_n("Try again", "Try {n} jobs again", n)
    return _words(n)[verb]


def _words(n: int) -> dict[Verb, str]:
    return {
        Verb.CANCEL: tr_n("Cancel", "Cancel {n} jobs", n),
        Verb.HOLD: tr_n("Hold", "Hold {n} jobs", n),
        Verb.RELEASE: tr_n("Release", "Release {n} jobs", n),
        Verb.FRONT: tr_n("Move to the front", "Move {n} jobs to the front", n),
        Verb.RETRY: tr_n("Run again", "Run {n} jobs again", n),
        Verb.DUPLICATE: tr_n("Duplicate", "Duplicate {n} jobs", n),
        Verb.EDIT: tr("Edit and run again"),
        Verb.LOOK: tr_n("Look again", "Look for {n} jobs again", n),
        Verb.SHOW: tr("Show what it made"),
        Verb.EXPLAIN: tr("Show what went wrong"),
        Verb.COPY_ERROR: tr("Copy what went wrong"),
        Verb.COPY_PROMPT: tr("Copy prompt"),
        Verb.REMOVE: tr_n("Remove from the list", "Remove {n} jobs from the list", n),
    }


def tip(verb: Verb, jobs: Sequence[Job]) -> str:
    """What it means, where that is not plain."""
    unknown = any(job.state is JobState.UNKNOWN for job in jobs)
    match verb:
        case Verb.LOOK:
            return tr("Asks the pod once more whether it has the job after all. Nothing is sent.")
        case Verb.RETRY if unknown:
            return tr("Sends it as a new job. Should the pod have the first one after all, it is made twice.")
        case Verb.HOLD:
            return tr("It stays here and is not sent until you release it.")
        case Verb.EDIT:
            return tr("Opens its workflow with its values. Nothing is queued until you press Generate.")
        case Verb.DUPLICATE:
            return tr("A new job with the same values, at the end of the queue.")
        case Verb.REMOVE:
            return tr("What it made stays.")
    return ""


def looked_words(jobs: Sequence[Job], pod: str) -> tuple[str, str, bool]:
    """(what, more, whether any was found) of jobs that were looked for again. `pod`: the name of theirs, if it is one.

    There is always an answer: also "still nothing" is one.
    """
    lost = [job for job in jobs if job.state is JobState.UNKNOWN]
    there = len(jobs) - len(lost)
    if there:
        more = tr("They go on from here.") if there > 1 else tr("It goes on from here.")
        if lost:
            more = tr_n("{n} is still unknown.", "{n} are still unknown.", len(lost))
        return tr_n("Found: the pod has it after all", "Found: the pods have {n} of them after all", there), more, True
    name = pod or tr("the pod")
    what = tr_n(
        "Still nothing: {pod} answers that it does not know this job",
        "Still nothing: {pod} answers that it does not know these {n} jobs",
        len(lost),
        pod=name,
    )
    return what, tr("It was restarted, or someone removed it there. You can run it again."), False


def error_text(job: Job) -> str:
    """All that is known of what went wrong, to be pasted somewhere."""
    error = job.error
    if error is None:
        return ""
    node = " ".join(
        part for part in (error.node_title, tr("(node {node})", node=error.node) if error.node else "") if part
    )
    fields = [f"{name}: {message}" for name, message in error.fields.items()]
    inputs = [f"{name}: {value}" for name, value in error.inputs.items()]
    parts = (job.workflow, error.what, error.why, error.advice, node, *fields, *inputs, error.traceback.rstrip())
    return "\n".join(part for part in parts if part)
