"""Waiting for jobs on a command line: progress, Ctrl+C, a pod that goes away, and what is reported at the end."""

import asyncio
import contextlib
import sys
from collections.abc import Mapping, Sequence, Set
from typing import Any

from comfydesk.cli.context import Context
from comfydesk.cli.pods import PATIENCE
from comfydesk.cli.progress import ProgressPrinter
from comfydesk.client.link import LinkState
from comfydesk.errors import AuthError, KnownError, PodUnreachableError, StoreError
from comfydesk.events import Change, PodsChanged
from comfydesk.session.session import Session
from comfydesk.session.values import DEMO, PodState
from comfydesk.store.records import Job, JobError, JobState

CANCEL_SECONDS = 10.0
FIRST = 64
"""Jobs at the queue's head that are looked at when nothing moves."""
KEPT = 'The record is kept: "comfydesk jobs --resume" goes on once the pod is back'
KEPT_DEMO = (
    'The record is kept: "comfydesk jobs --resume" starts the demo pod again and sends what waits; what it was drawing'
    " is lost, and can be run again"
)


async def follow(
    session: Session, ids: Sequence[str], context: Context, *, cancels: bool, patience: float = PATIENCE
) -> tuple[Job, ...]:
    """Until all jobs have ended or are blocked; Ctrl+C cancels them on their pods if it `cancels`.

    Raises PodUnreachableError (AuthError) if the pods that the rest of the jobs need stay away for `patience` seconds:
    nothing is lost then; StoreError if the library cannot be written.
    """
    printer = ProgressPrinter(context.stderr, list(ids), session.queue.node_title, session.queue.eta)
    unsubscribe = session.progress.subscribe(printer)
    waiting = asyncio.ensure_future(session.queue.wait(ids))
    watching = asyncio.ensure_future(_trouble(session, ids, patience))
    try:
        await asyncio.wait({waiting, watching}, return_when=asyncio.FIRST_COMPLETED)
        if waiting.done():
            return waiting.result()
        raise watching.result()
    except asyncio.CancelledError:
        printer.clear()
        if cancels:
            await _cancel_all(session, ids, context)
        raise
    finally:
        printer.clear()
        unsubscribe()
        for task in (waiting, watching):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, KnownError):
                await task


async def _cancel_all(session: Session, ids: Sequence[str], context: Context) -> None:
    task = asyncio.current_task()
    if task is not None:
        task.uncancel()
    context.note("cancelling…")
    await session.queue.cancel(*ids)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(CANCEL_SECONDS):
            await session.queue.wait(ids)


async def _trouble(session: Session, ids: Sequence[str], patience: float) -> KnownError:
    """What keeps the jobs from their end: returned once it is certain."""
    news = asyncio.Event()
    broken: list[KnownError] = []

    def note_change(change: Change) -> None:
        if isinstance(change, PodsChanged):
            news.set()

    def note_problem(error: KnownError) -> None:
        if isinstance(error, StoreError):
            broken.append(error)
            news.set()

    stop = (session.changes.subscribe(note_change), session.problems.subscribe(note_problem))
    away_since: dict[str, float] = {}
    try:
        while True:
            news.clear()
            if broken:
                return broken[0]
            gone = _gone_pods(session, away_since, patience)
            if gone and (error := await _needed(session, ids, gone)) is not None:
                return error
            if (error := await _stuck(session, frozenset(ids))) is not None:
                return error
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(1.0, patience / 4)):
                    await news.wait()
    finally:
        for unsubscribe in stop:
            unsubscribe()


def _gone_pods(session: Session, away_since: dict[str, float], patience: float) -> dict[str, KnownError]:
    """Pods of which nothing more is to be expected. `away_since`: pod → when it was first found away, kept here."""
    now = asyncio.get_running_loop().time()
    gone: dict[str, KnownError] = {}
    for pod in session.pods():
        if pod.status.state is LinkState.AUTH_FAILED:
            gone[pod.id] = AuthError(f"{pod.name} refuses us", pod.status.detail, _kept(pod))
        elif pod.status.state in (LinkState.ONLINE, LinkState.DEGRADED):
            away_since.pop(pod.id, None)
        elif now - away_since.setdefault(pod.id, now) >= patience:
            gone[pod.id] = _gone(pod)
    return gone


async def _needed(session: Session, ids: Sequence[str], gone: Mapping[str, KnownError]) -> KnownError | None:
    """What to say if all that is left waits for pods that are gone; None as long as another has something to do."""
    found = await session.queue.jobs_by_id(ids)
    left = {job.pod for job in found if not (job.state.ended or job.blocked)}
    if "" in left and len(gone) < len(session.pods()):  # another pod may take it
        return None
    left.discard("")
    return None if left - gone.keys() else next((gone[pod] for pod in gone if pod in left), next(iter(gone.values())))


async def _stuck(session: Session, ids: Set[str]) -> KnownError | None:
    """What keeps all that is left from any of the pods that are connected, if that is so."""
    counts = await session.queue.counts()
    if JobState.QUEUED not in counts or any(state.on_pod for state in counts):
        return None
    first = [job for job in await session.queue.jobs(FIRST) if job.id in ids and job.state is JobState.QUEUED]
    reasons = [job.error for job in first if not job.pod and job.error is not None]
    if not first or len(reasons) < len(first):
        return None
    return KnownError(reasons[0].what, reasons[0].why, reasons[0].advice)


def _gone(pod: PodState) -> PodUnreachableError:
    return PodUnreachableError(f"{pod.name} no longer answers", pod.status.detail, _kept(pod))


def _kept(pod: PodState) -> str:
    return KEPT_DEMO if pod.id == DEMO else KEPT


def all_over(found: Sequence[Job]) -> bool:
    """Each has ended, and it is known how."""
    return all(job.state.ended and job.state is not JobState.UNKNOWN for job in found)


def report(found: Sequence[Job], context: Context, *, listed: bool = True) -> int:
    """The jobs' results: files on stdout or (if `listed`) one JSON document; failures on stderr. The exit code."""
    if not listed:
        pass
    elif context.json:
        context.emit_json({"jobs": [job_document(job) for job in found]})
    else:
        for job in found:
            for result in (*job.outputs, *job.texts):
                context.emit(result)
            if job.state is JobState.DONE and not job.outputs and not job.texts:
                context.note("The workflow saves nothing: it only shows previews")
    failed = [job for job in found if job.state is not JobState.DONE]
    for job in failed:
        context.note(f"comfydesk: {_words(job)}")
    for job in found:
        if job.warning is not None:
            context.note(f"comfydesk: {_line(job.warning)}")
    return 1 if failed else 0


def job_document(job: Job) -> dict[str, Any]:
    """A job as `generate --json` shows it."""
    began = job.started or job.sent or job.created
    return {
        "id": job.id,
        "status": str(job.state),
        "seed": job.seed,
        "outputs": list(job.outputs),
        **({"texts": list(job.texts)} if job.texts else {}),
        "error": error_of(job),
        "seconds": None if job.finished is None else round(max(0.0, job.finished - began), 3),
    }


def error_of(job: Job) -> str | None:
    """What a job says went wrong, on one line."""
    return None if job.error is None else _line(job.error)


def _line(error: JobError) -> str:
    # What belongs to inputs says more than "validation failed", and the command line has no form to show it on.
    fields = "; ".join(f"{field}: {text}" for field, text in error.fields.items())
    return str(KnownError(error.what, fields or error.why, error.advice))


def _words(job: Job) -> str:
    if job.blocked:
        return f"{error_of(job)} The results are still on the pod, the record is kept: comfydesk jobs --resume"
    return error_of(job) or f"job {job.id} was {job.state}."


def run(work: Any) -> int:
    """Run a command's coroutine. Ctrl+C cancels it first, then ends in KeyboardInterrupt."""
    code: int = asyncio.run(work)
    sys.stdout.flush()
    return code
