"""Why jobs fail, from what pods say, in words for the person who waits."""

from collections.abc import Mapping
from typing import Any

from comfydesk.client.remote import RemoteJob
from comfydesk.errors import KnownError, PromptRejectedError, one_line
from comfydesk.session.jobs.failed_inputs import secrets_of, shown_inputs, without
from comfydesk.store.records import JobError

OUT_OF_MEMORY = ("OutOfMemory", "out of memory", "Allocation on device")


def title_of(graph: Mapping[str, Any], node: str | None) -> str:
    """What a person knows a node as: its title, else its class; inside a subgraph the node itself."""
    spec = graph.get(node or "")
    if not isinstance(spec, Mapping):
        return ""
    meta = spec.get("_meta")
    title = meta.get("title") if isinstance(meta, Mapping) else None
    return one_line(str(title or spec.get("class_type") or ""))


def of_known(error: KnownError) -> JobError:
    """Any fault of the world."""
    return JobError(error.what, error.why, error.advice)


def of_any(error: Exception) -> JobError:
    """A fault of the world, or our own."""
    if isinstance(error, KnownError):
        return of_known(error)
    return JobError("ComfyDesk could not send this job", one_line(f"{type(error).__name__}: {error}"))


def of_remote(remote: RemoteJob, graph: Mapping[str, Any]) -> JobError:
    """The pod ran it and it failed."""
    error = remote.error
    if error is None:
        return JobError("The pod reports that the job failed", "it does not say why")
    title = title_of(graph, error.node) or error.node_type or ""
    text = one_line(error.message) or error.exception_type
    memory = any(word in error.exception_type or word in error.message for word in OUT_OF_MEMORY)
    spec = graph.get(error.node or "")
    inputs = spec.get("inputs") if isinstance(spec, Mapping) else None
    secrets = secrets_of(error.inputs, inputs if isinstance(inputs, Mapping) else {})
    return JobError(
        what=f"{title or 'A node'} failed",
        why=without(secrets, text),
        advice="The pod's memory is full: try a smaller size, fewer frames or a smaller batch" if memory else "",
        node=error.node,
        node_title=title,
        traceback=without(secrets, "".join(error.traceback)),
        inputs=shown_inputs(graph, error.node, error.inputs, {node: title_of(graph, node) for node in graph}),
    )


def of_rejection(error: PromptRejectedError, graph: Mapping[str, Any]) -> JobError:
    """The pod refused the graph: what it says about inputs goes to their fields."""
    node = next(iter(error.node_errors), None)
    return JobError(
        error.what,
        error.why,
        error.advice,
        node=None if node is None else str(node),
        node_title=title_of(graph, node),
        fields=field_errors(error.node_errors),
    )


def of_dropped(node_errors: Mapping[str, Any], graph: Mapping[str, Any]) -> JobError:
    """The pod took the job but left out the outputs that did not pass its checks."""
    fields = field_errors(node_errors)
    titles = ", ".join(dict.fromkeys(title_of(graph, node) or str(node) for node in node_errors))
    return JobError("The pod left out a part of the workflow", f"{titles}: {'; '.join(fields.values())}", fields=fields)


def unknown() -> JobError:
    return JobError(
        "The pod no longer knows this job",
        "it was restarted, or someone removed the job there",
        "Look again, or run it again",
    )


def forgotten() -> JobError:
    return JobError(
        "It is not known whether the pod ran this job",
        "it did not answer when the job was sent, and has been restarted since: it knows no earlier job either",
        "Look among its files, or run the job again",
    )


def queued_anew() -> JobError:
    return JobError(
        "The pod has lost this job, and it was queued again",
        "the pod was restarted, or someone removed the job there",
        "Settings, Queue: whether lost jobs are run again by themselves",
    )


def unanswered() -> JobError:
    return JobError(
        "It is not known whether the pod has this job",
        "it did not answer when the job was sent, and gives jobs ids of its own",
        "Look at the pod's queue, or run the job again",
    )


def lost_track(error: Exception) -> JobError:
    """Our own fault, met while a job was followed: the pod may well have it."""
    known = isinstance(error, KnownError)
    why = str(error) if known else one_line(f"{type(error).__name__}: {error}")
    return JobError("ComfyDesk has lost track of this job", why, "Look again")


def field_errors(node_errors: Mapping[str, Any]) -> dict[str, str]:
    """Field id → message, from `node_errors` as POST /prompt answers it."""
    found: dict[str, str] = {}
    for node, entry in node_errors.items():
        errors = entry.get("errors") if isinstance(entry, Mapping) else None
        for error in errors if isinstance(errors, list) else ():
            if not isinstance(error, Mapping):
                continue
            extra = error.get("extra_info")
            name = extra.get("input_name") if isinstance(extra, Mapping) else None
            words = [str(error[key]) for key in ("message", "details") if error.get(key)]
            found.setdefault(f"{node}.{name}" if name else str(node), one_line(": ".join(words)))
    return found
