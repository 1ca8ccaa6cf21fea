"""What the session hands out: pods, workflows to choose from, an opened workflow. Light to import."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from comfydesk.client.address import Address
from comfydesk.client.files import media_kind as media_kind
from comfydesk.errors import GraphError
from comfydesk.session.pods.cost import CostMeter
from comfydesk.session.pods.idle import IdleState, Off
from comfydesk.workflow.fields import Form
from comfydesk.workflow.graph import ApiGraph, UiGraph

if TYPE_CHECKING:
    from comfydesk.client.link import LinkStatus
    from comfydesk.client.remote import SystemStats
    from comfydesk.hosts.protocol import HostPod
    from comfydesk.session.pods.profiles import PodProfile
    from comfydesk.workflow.needs import Needs
    from comfydesk.workflow.scan import WorkflowCard

DEMO = "demo"
"""Id of the demo pod's profile, whatever port it has today."""


class Route(Protocol):
    """The way to a pod whose address changes. `session.pods.reach.Reach` is one."""

    async def address(self) -> Address:
        """Where it is now; asked before each connection. Raises KnownError."""

    def wake(self) -> None:
        """The computer slept or its network changed: prove or renew what stands in between."""

    async def close(self) -> None:
        """End what stands in between; again is fine."""


@dataclass(frozen=True, slots=True)
class PodTarget:
    """A pod to connect to. `id` names it in the library for good.

    `address` None: its `route` tells, and has the last word in any case. Whoever connects closes the route in the end.
    """

    id: str
    name: str
    address: Address | None
    profile: "PodProfile | None" = None
    route: Route | None = field(default=None, compare=False, repr=False)

    @classmethod
    def of(cls, text: str) -> "PodTarget":
        """A pod that has no profile, by its address. The id holds no secrets. Raises UsageError."""
        address = Address.parse(text)
        return cls(id=str(address), name=address.netloc + address.prefix, address=address)

    @classmethod
    def demo(cls, url: str) -> "PodTarget":
        """The demo pod, which has another port each time."""
        return cls(id=DEMO, name="Demo pod", address=Address.parse(url))


@dataclass(frozen=True, slots=True)
class RentedState:
    """What the provider says of a rented pod, as of the last look. Times are those of time.time()."""

    host: "HostPod | None" = None
    """State, GPU, price, uptime; None: never heard yet."""
    problem: str = ""
    """Why the provider could not be asked; empty if it could."""
    cost: CostMeter = field(default_factory=CostMeter)
    idle: IdleState = field(default_factory=Off)


@dataclass(frozen=True, slots=True)
class PodState:
    """A connected pod as it is now."""

    id: str
    name: str
    url: str
    """Without secrets; empty while it is not known where the pod is."""
    status: "LinkStatus"
    stats: "SystemStats | None" = None
    queue_remaining: int | None = None
    """Prompts it has, ours or anyone's; None: not known yet."""
    has_catalog: bool = False
    """Its list of nodes is known: forms can be made."""
    catalog_version: int = 0
    """Another number: another list of nodes. Open workflows are worth a `reopen` then."""
    profile: "PodProfile | None" = None
    catalog_borrowed: bool = False
    """That list is another pod's, since this one has none to give: whether its models are there is a guess."""
    rented: RentedState | None = None
    """None: nobody rents it, or nothing is known of it yet."""


@dataclass(frozen=True, slots=True)
class WorkflowEntry:
    """A workflow that can be opened."""

    id: str
    """The same on every computer and at every start."""
    name: str
    source: str
    """bundled, pod:<id>, templates, examples, blueprints or folder:<path>."""
    card: "WorkflowCard"
    path: Path | None = None
    """Of its file, or of the copy of it that is here; None as long as it is on a pod only."""
    place: str = ""
    """Its file within the source, with slashes: "portraits/old film.json"."""
    tags: tuple[str, ...] = ()
    """The author's."""
    size: int = 0
    """Bytes of its models, as the author says; 0: unknown."""
    picture: str = ""
    """Name of its own picture where it comes from, for `Shelves.picture`; empty if it has none."""
    modified: float = 0
    """Seconds since the epoch; 0: unknown."""


@dataclass(frozen=True, slots=True)
class OpenWorkflow:
    """A workflow ready to be filled in.

    `form` is empty and `needs` None as long as no pod's catalog is known. `problem` says why it cannot run.
    """

    id: str
    """The entry's id, else made from the content: drafts are kept under it."""
    name: str
    graph: UiGraph | ApiGraph
    api: ApiGraph | None = None
    form: Form = field(default_factory=Form)
    needs: "Needs | None" = None
    problem: GraphError | None = None
    no_lora: str | None = None
    """Why no LoRA can be added to it, "" where one can; None: not known."""
    before: UiGraph | ApiGraph | None = None
    """What it was opened as, where something was added since."""
