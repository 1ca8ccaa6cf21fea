"""Where jobs run: a pod at an address, behind SSH or at a provider, or an engine that scales by itself."""

from dataclasses import dataclass
from enum import StrEnum

from comfydesk.hosts.protocol import COMFYUI_PORT

COMFY_CLOUD = "https://cloud.comfy.org"
SERVERLESS_API = "https://api.runpod.ai/v2"


class PlaceKind(StrEnum):
    URL = "url"
    LAN = "lan"
    RUNPOD = "runpod"
    VAST = "vast"
    SSH = "ssh"
    COMFY = "comfy"
    """Comfy Cloud, a serverless deployment there, or a proxy that speaks the same: Comfy API v2."""
    SERVERLESS = "runpod-serverless"
    """A RunPod Serverless endpoint with worker-comfyui."""

    @property
    def rented(self) -> bool:
        """A provider's API knows it: it can be started and stopped, and it costs."""
        return self in (PlaceKind.RUNPOD, PlaceKind.VAST)

    @property
    def engine(self) -> bool:
        """It scales by itself: jobs go in and results come out, and no machine is ours."""
        return self in (PlaceKind.COMFY, PlaceKind.SERVERLESS)

    @property
    def account(self) -> str:
        """Whose API key it needs, as credentials name the account; empty: nobody's."""
        return {PlaceKind.RUNPOD: "runpod", PlaceKind.VAST: "vast", PlaceKind.SERVERLESS: "runpod"}.get(self, "")


@dataclass(frozen=True, slots=True)
class Place:
    """Where the pod is. Which fields count depends on the kind."""

    kind: PlaceKind
    url: str = ""
    """Without credentials. URL, LAN: where ComfyUI answers; COMFY: the deployment; SERVERLESS: an API other than
    RunPod's, which gets the profile's own key and not the account's."""
    pod: str = ""
    """RUNPOD: the pod's id; VAST: the instance's; SERVERLESS: the endpoint's."""
    port: int = COMFYUI_PORT
    """RUNPOD, VAST, SSH: ComfyUI's port on the pod itself."""
    tunnel: bool = False
    """RUNPOD, VAST: through the pod's SSH server, not through its open ports. SSH always is."""
    tls: bool = False
    """VAST: what answers on the port speaks TLS."""
    nodes_of: str = ""
    """COMFY, SERVERLESS: the id of the pod whose list of nodes the forms are made from, where there is none; empty: the
    one that was heard last."""

    @property
    def own_url(self) -> str:
        """Where it is, as far as that is known by itself; empty where a provider or a tunnel has to be asked."""
        if self.kind is PlaceKind.SERVERLESS:
            return f"{self.url.rstrip('/') or SERVERLESS_API}/{self.pod}"
        return self.url
