"""What the rooms tell each other: frozen values, and the Feed that carries them.

Three families: *pod events* are what a pod said, decoded (client.protocol makes them); *progress* is what the tracker
makes of them, too frequent for the database; *changes* say which stored rows are new, so that views refresh only those.
Field facts: ComfyUI 0.33.0's WebSocket, see docs/architecture.md.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Feed(Generic[T]):
    """One-to-many delivery on one thread: subscribe, get an unsubscribe back.

    Listeners are called in order of subscription, on the caller's thread. A listener that raises is our own
    fault: the rest are still called, then the first exception is raised.
    """

    __slots__ = ("_listeners",)

    def __init__(self) -> None:
        self._listeners: dict[int, Callable[[T], None]] = {}

    def subscribe(self, listener: Callable[[T], None]) -> Callable[[], None]:
        """Call `listener` with everything published from now on. The returned function ends that; again is fine."""
        key = max(self._listeners, default=0) + 1
        self._listeners[key] = listener
        return lambda: self._listeners.pop(key, None) and None

    def publish(self, item: T) -> None:
        """Deliver `item` to everyone who is subscribed now."""
        first: Exception | None = None
        for listener in tuple(self._listeners.values()):
            try:
                listener(item)
            except Exception as error:
                first = first or error
        if first is not None:
            raise first


# --- Pod events ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class QueueStatus:
    """`status`: how many prompts the server still has, ours or anyone's. `sid` only on connect."""

    remaining: int
    sid: str | None = None


@dataclass(frozen=True, slots=True)
class FeatureFlags:
    """The server's answer to ours."""

    flags: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ExecutionStarted:
    prompt_id: str


@dataclass(frozen=True, slots=True)
class ExecutionCached:
    """Nodes whose result the server kept from an earlier run."""

    prompt_id: str
    nodes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NodeExecuting:
    """`node` None: the prompt is over. `prompt_id` None: sent right after a reconnect."""

    prompt_id: str | None
    node: str | None
    display_node: str | None = None


@dataclass(frozen=True, slots=True)
class StepProgress:
    prompt_id: str | None
    node: str | None
    value: float
    maximum: float


@dataclass(frozen=True, slots=True)
class NodeState:
    """One node within a GraphProgress. `state` is pending, running, finished or error."""

    node: str
    state: str
    value: float
    maximum: float
    display_node: str | None = None
    parent_node: str | None = None


@dataclass(frozen=True, slots=True)
class GraphProgress:
    """`progress_state`: a full snapshot of every node that is not pending."""

    prompt_id: str
    nodes: tuple[NodeState, ...]


@dataclass(frozen=True, slots=True)
class NodeExecuted:
    """A node with something to show is done. `output` is the server's ui dict, or None."""

    prompt_id: str
    node: str
    display_node: str | None
    output: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class ExecutionSucceeded:
    prompt_id: str


@dataclass(frozen=True, slots=True)
class ExecutionFailed:
    """`blocked` (ExecutionBlocked) is not the end: execution_success follows."""

    prompt_id: str
    node: str | None
    node_type: str | None
    exception_type: str
    message: str
    traceback: tuple[str, ...] = ()
    inputs: Mapping[str, Any] = field(default_factory=dict)

    @property
    def blocked(self) -> bool:
        return self.exception_type == "ExecutionBlocked"


@dataclass(frozen=True, slots=True)
class ExecutionInterrupted:
    prompt_id: str
    node: str | None
    node_type: str | None


@dataclass(frozen=True, slots=True)
class PreviewFrame:
    """An undecoded picture on its way. `format` is "jpeg" or "png". The old binary type 1 carries neither id."""

    format: str
    data: bytes
    prompt_id: str | None = None
    node: str | None = None


@dataclass(frozen=True, slots=True)
class ProgressText:
    node: str
    text: str


@dataclass(frozen=True, slots=True)
class UnknownMessage:
    """A message type we have no use for (custom nodes send their own)."""

    type: str
    data: Any = None


PodEvent = (
    QueueStatus
    | FeatureFlags
    | ExecutionStarted
    | ExecutionCached
    | NodeExecuting
    | StepProgress
    | GraphProgress
    | NodeExecuted
    | ExecutionSucceeded
    | ExecutionFailed
    | ExecutionInterrupted
    | PreviewFrame
    | ProgressText
    | UnknownMessage
)


# --- Progress -----------------------------------------------------------------------------------------------------


class RunState(StrEnum):
    """What a pod does with a prompt, as far as we know."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    INTERRUPTED = "interrupted"

    @property
    def ended(self) -> bool:
        return self in (RunState.SUCCEEDED, RunState.FAILED, RunState.INTERRUPTED)


@dataclass(frozen=True, slots=True)
class JobProgress:
    """Where a prompt stands: a full snapshot, so the latest one is all a view needs."""

    prompt_id: str
    state: RunState
    node: str | None = None
    """The id of the node that runs now."""
    value: float = 0
    maximum: float = 0
    """Steps done and in all of that node; 0 and 0 when it reports none."""
    done_nodes: frozenset[str] = frozenset()
    """Finished or cached."""
    total_nodes: int = 0
    fraction: float = 0
    """Of the whole job, 0 to 1; never falls while the job runs."""
    text: str = ""
    """A node's own words on what it does (progress text), if any."""


# --- Changes ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class JobsChanged:
    """Ids of stored jobs that are new or changed (removed ones in `removed`)."""

    jobs: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OutputsChanged:
    """Ids of outputs, newest last."""

    added: tuple[int, ...] = ()
    updated: tuple[int, ...] = ()
    removed: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class WorkflowsChanged:
    """The list of workflows of a source ("bundled", "pod:<id>", a folder) is new."""

    source: str


@dataclass(frozen=True, slots=True)
class PodsChanged:
    """Profiles or the state of their links changed; ids of the pods concerned."""

    pods: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class QueueChanged:
    """The queue as a whole: it was paused, or goes on."""


@dataclass(frozen=True, slots=True)
class CollectionsChanged:
    """Albums (their names, order or contents; `albums`: ids of those with other contents), tags or saved searches."""

    albums: tuple[int, ...] = ()


Change = JobsChanged | QueueChanged | OutputsChanged | CollectionsChanged | WorkflowsChanged | PodsChanged
