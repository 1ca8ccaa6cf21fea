"""What the session needs of whatever runs jobs: a pod (client.pod.Pod), or an engine that scales by itself (engines).

`Executor` is what all of them can do. What only a ComfyUI server that we reach ourselves can do is a capability,
`Machine` or `Shelf`: `link.machine` and `link.shelf` are None where there is none. Errors are PodError and its kin.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from comfydesk.client.address import Address
from comfydesk.client.link import LinkStatus
from comfydesk.events import Feed, PodEvent

if TYPE_CHECKING:
    from comfydesk.client.part import Fetched
    from comfydesk.client.past import PastGraph, PastJob
    from comfydesk.client.pod import RemoteStat, RemoteWorkflow
    from comfydesk.client.remote import RemoteFile, RemoteJob, SystemStats
    from comfydesk.client.submission import Accepted


class Executor(Protocol):
    """See client.pod.Pod for each method's contract."""

    address: Address | None
    events: Feed[PodEvent]
    link: Feed[LinkStatus]

    @property
    def status(self) -> LinkStatus: ...
    async def open(self) -> None: ...
    async def close(self) -> None: ...
    def wake(self) -> None: ...

    async def submit(
        self,
        graph: Mapping[str, Any],
        *,
        prompt_id: str,
        workflow: Mapping[str, Any] | None = None,
        resend: bool = False,
    ) -> "Accepted":
        """`prompt_id` is the job's own; the answer's is the one that counts from then on."""

    async def job(self, prompt_id: str) -> "RemoteJob | None": ...
    async def cancel(self, prompt_id: str) -> bool: ...
    @property
    def has_jobs_route(self) -> bool:
        """It takes the ids that we give to jobs: what it does not know by ours has never arrived."""

    async def object_info(self) -> dict[str, Any] | None:
        """Every node class, by name; None: it lists none, and another's list has to do."""

    async def upload(self, path: Path) -> str:
        """Make a file ready to be an input; the value for the graph."""

    async def fetch(self, file: "RemoteFile", destination: Path, *, fresh: bool = False) -> "Fetched":
        """`file.job` is the job's id there: not everybody knows files by their names alone.

        `fresh`: no earlier run has begun with it.
        """

    async def stat(self, file: "RemoteFile") -> "RemoteStat": ...


@runtime_checkable
class Machine(Protocol):
    """A ComfyUI server of its own: what it is, what it does for anyone, what it says."""

    async def system_stats(self) -> "SystemStats": ...
    async def queue_remaining(self) -> int: ...
    async def free(self) -> None: ...
    async def logs(self) -> str: ...


@runtime_checkable
class Shelf(Protocol):
    """A place where workflows lie: the user's, and the official templates."""

    async def workflows(self) -> "tuple[RemoteWorkflow, ...]": ...
    async def read_workflow(self, name: str) -> bytes: ...
    async def templates_index(self) -> list[Any]: ...
    async def template(self, name: str) -> bytes: ...


@runtime_checkable
class Archive(Protocol):
    """A place that tells what it made before, for anyone."""

    async def past_jobs(self, limit: int, offset: int) -> "tuple[PastJob, ...]": ...
    async def past_graph(self, prompt_id: str) -> "PastGraph": ...
    async def output_names(self) -> "tuple[RemoteFile, ...]": ...
    async def preview(self, file: "RemoteFile") -> bytes: ...
