"""From events to progress, sans I/O: what each of our prompts does, as full snapshots.

The stream is a hint. It may be cut, repeat itself, arrive in any order, or lie; what the pod says over HTTP
(`apply_remote`) has the last word. Memory is bounded by what was expected, not by what a pod sends.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from comfydesk.client.remote import MAX_FILES, MAX_TEXTS, RemoteFile, RemoteJob, output_files, output_texts
from comfydesk.errors import one_line
from comfydesk.events import (
    ExecutionCached,
    ExecutionFailed,
    ExecutionInterrupted,
    ExecutionStarted,
    ExecutionSucceeded,
    GraphProgress,
    JobProgress,
    NodeExecuted,
    NodeExecuting,
    NodeState,
    PodEvent,
    ProgressText,
    RunState,
    StepProgress,
)

MAX_ENDED = 1_000
"""Ended prompts that are remembered; the oldest go first."""
MAX_RUNNING_NODES = 64
_MAX_WORDS = 1_000


def weights_of(graph: Mapping[str, Any]) -> dict[str, float]:
    """How much of a job each node of an API graph is, roughly: a sampler weighs its steps, most others one.

    Without it a bar stands at 60 % before the first step and rests there for the whole of the sampling.
    """
    return {node: _weight(spec) for node, spec in graph.items() if isinstance(spec, Mapping)}


def _weight(spec: Mapping[str, Any]) -> float:
    name = str(spec.get("class_type", "")).lower()
    inputs = spec.get("inputs")
    inputs = inputs if isinstance(inputs, Mapping) else {}
    if "sampler" in name and any("latent" in key for key in inputs):
        steps = inputs.get("steps")
        return float(min(steps, 200)) if isinstance(steps, int) and steps > 0 else 20.0
    if "decode" in name or "upscale" in name or "loader" in name or "video" in name:
        return 3.0
    return 1.0


class Tracker:
    """The prompts we expect something of, by id. Not thread-safe; belongs to one loop."""

    def __init__(self) -> None:
        self._runs: dict[str, _Run] = {}

    def expect(self, prompt_id: str, nodes: Mapping[str, float] | Iterable[str] = ()) -> JobProgress:
        """Follow this prompt from now on; `nodes` are the ids of its API graph, with weights or without.

        A prompt that is followed already keeps what it has.
        """
        run = self._runs.get(prompt_id)
        if run is None:
            weights = dict(nodes) if isinstance(nodes, Mapping) else dict.fromkeys(nodes, 1.0)
            run = self._runs[prompt_id] = _Run(prompt_id, weights)
            self._evict()
        return run.published

    def forget(self, prompt_id: str) -> None:
        """Follow it no longer. Unknown ids are fine."""
        self._runs.pop(prompt_id, None)

    def progress(self, prompt_id: str) -> JobProgress | None:
        run = self._runs.get(prompt_id)
        return run.published if run else None

    def outputs(self, prompt_id: str) -> tuple[RemoteFile, ...]:
        """Files that the stream has reported so far. Cached nodes and gaps are missing: the history has all."""
        run = self._runs.get(prompt_id)
        return tuple(run.files.values()) if run else ()

    def texts(self, prompt_id: str) -> tuple[str, ...]:
        run = self._runs.get(prompt_id)
        return tuple(run.texts) if run else ()

    def failure(self, prompt_id: str) -> ExecutionFailed | None:
        """The error that ended it, if the stream told."""
        run = self._runs.get(prompt_id)
        return run.failure if run else None

    def feed(self, event: PodEvent) -> tuple[JobProgress, ...]:
        """Take an event in; the snapshots that changed by it. Events of unknown prompts change nothing."""
        run = self._run_of(event)
        if run is None or run.state.ended:
            return ()
        run.take(event)
        return run.publish()

    def apply_remote(self, job: RemoteJob) -> tuple[JobProgress, ...]:
        """Take in what the pod said over HTTP. An end stands, even against an earlier one of the stream."""
        run = self._runs.get(job.prompt_id)
        if run is None:
            return ()
        if job.state.ended:
            run.end(job.state)
            run.files = {_key(file): file for file in job.outputs}
            run.texts = list(job.texts)
        elif not run.state.ended:
            run.state = max(run.state, job.state, key=(RunState.PENDING, RunState.RUNNING).index)
        return run.publish()

    def _run_of(self, event: PodEvent) -> "_Run | None":
        if isinstance(event, ProgressText):  # broadcast to every client, without a prompt id
            return self._only_running(event.node)
        if not isinstance(event, _PROMPT_EVENTS):
            return None
        if event.prompt_id is not None:
            return self._runs.get(event.prompt_id)
        # Right after a reconnect the server names the node that runs, but not the prompt.
        return self._only_running(event.node) if event.node is not None else None

    def _only_running(self, node: str) -> "_Run | None":
        """A server runs one prompt at a time: ours that runs, else the only waiting one that has such a node."""
        live = [run for run in self._runs.values() if not run.state.ended and run.may_have(node)]
        running = [run for run in live if run.state is RunState.RUNNING]
        candidates = running or live
        return candidates[0] if len(candidates) == 1 else None

    def _evict(self) -> None:
        if len(self._runs) > MAX_ENDED:
            ended = [prompt_id for prompt_id, run in self._runs.items() if run.state.ended]
            for prompt_id in ended[: len(self._runs) - MAX_ENDED]:
                del self._runs[prompt_id]


_PROMPT_EVENTS = (
    ExecutionStarted
    | ExecutionCached
    | NodeExecuting
    | StepProgress
    | GraphProgress
    | NodeExecuted
    | ExecutionSucceeded
    | ExecutionFailed
    | ExecutionInterrupted
)


class _Run:
    """One prompt on its way."""

    def __init__(self, prompt_id: str, weights: dict[str, float]) -> None:
        self.prompt_id = prompt_id
        self.state = RunState.PENDING
        self.files: dict[tuple[str, str, str], RemoteFile] = {}
        self.texts: list[str] = []
        self.failure: ExecutionFailed | None = None
        self._weights = weights
        self._total = sum(weights.values())
        self._done: set[str] = set()
        self._running: dict[str, tuple[float, float]] = {}
        self._node: str | None = None
        self._text = ""
        self._fraction = 0.0
        self._snapshots = False
        self.published = self._snapshot()

    def may_have(self, node: str) -> bool:
        """Whether `node` can be one of ours: in the graph, or expanded from one of it ("5.0.0.3")."""
        return not self._weights or node in self._weights or node.split(".")[0] in self._weights

    def publish(self) -> tuple[JobProgress, ...]:
        snapshot = self._snapshot()
        if snapshot == self.published:
            return ()
        self.published = snapshot
        return (snapshot,)

    def end(self, state: RunState) -> None:
        self.state = state
        self._running.clear()
        self._node, self._text = None, ""
        if state is RunState.SUCCEEDED:
            self._done.update(self._weights)

    def take(self, event: PodEvent) -> None:
        """One event of this prompt, which has not ended."""
        if not isinstance(event, ExecutionFailed):
            self.state = RunState.RUNNING
        match event:
            case ExecutionCached():
                self._finish(event.nodes)
            case NodeExecuting(node=None) | ExecutionSucceeded():
                self.end(RunState.SUCCEEDED)
            case NodeExecuting(node=str(node)):
                self._executing(node)
            case StepProgress():
                self._step(event)
            case GraphProgress():
                self._heal(event.nodes)
            case NodeExecuted():
                self._executed(event)
            case ProgressText():
                self._text = one_line(event.text[:_MAX_WORDS])
            case ExecutionInterrupted():
                self.end(RunState.INTERRUPTED)
            case ExecutionFailed(blocked=False):
                self.failure = event
                self.end(RunState.FAILED)

    def _finish(self, nodes: Iterable[str]) -> None:
        # Only nodes of the graph are kept: a pod may name as many others as it likes.
        known = [node for node in nodes if node in self._weights]
        self._done.update(known)
        for node in known:
            self._running.pop(node, None)

    def _executing(self, node: str) -> None:
        if not self._snapshots and self._node is not None and self._node != node:
            # Servers without progress_state: the next node says that the last one is done.
            self._finish((self._node,))
            self._running.pop(self._node, None)
        self._focus(node)
        self._run_node(node, (0, 0))

    def _step(self, event: StepProgress) -> None:
        node = event.node or self._node
        if node is None:
            return
        self._run_node(node, (event.value, event.maximum), anew=True)
        self._focus(node)

    def _heal(self, nodes: tuple[NodeState, ...]) -> None:
        self._snapshots = True
        self._finish(state.node for state in nodes if state.state == "finished")
        running = [state for state in nodes if state.state == "running"]
        self._running = {state.node: (state.value, state.maximum) for state in running[:MAX_RUNNING_NODES]}
        if running and self._node not in self._running:
            self._focus(running[-1].node)

    def _executed(self, event: NodeExecuted) -> None:
        self._finish((event.node,))
        output = {event.node: event.output}
        for file in output_files(output):
            if len(self.files) < MAX_FILES:
                self.files.setdefault(_key(file), file)
        self.texts += output_texts(output)[: MAX_TEXTS - len(self.texts)]

    def _focus(self, node: str) -> None:
        if node != self._node:
            self._node, self._text = node, ""

    def _run_node(self, node: str, steps: tuple[float, float], *, anew: bool = False) -> None:
        if node in self._running:
            if anew:
                self._running[node] = steps
        elif len(self._running) < MAX_RUNNING_NODES:
            self._running[node] = steps

    def _snapshot(self) -> JobProgress:
        value, maximum = self._running.get(self._node, (0, 0)) if self._node is not None else (0, 0)
        if self.state is RunState.SUCCEEDED:
            self._fraction = 1.0
        elif self._total > 0:
            done = sum(self._weights[node] for node in self._done)
            part = sum(
                self._weights.get(node, 0) * _part(*steps)
                for node, steps in self._running.items()
                if node not in self._done
            )
            # A rerun node or a longer schedule may take steps back; a bar must not.
            self._fraction = min(1.0, max(self._fraction, (done + part) / self._total))
        return JobProgress(
            self.prompt_id,
            self.state,
            self._node,
            value if maximum > 0 else 0,
            max(maximum, 0),
            frozenset(self._done),
            len(self._weights),
            self._fraction,
            self._text,
        )


def _part(value: float, maximum: float) -> float:
    return min(max(value / maximum, 0.0), 1.0) if maximum > 0 else 0.0


def _key(file: RemoteFile) -> tuple[str, str, str]:
    return (file.type, file.subfolder, file.filename)
