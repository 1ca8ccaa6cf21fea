"""What the providers' clients have in common: the account's key, start and stop, and the end."""

from abc import ABC, abstractmethod
from typing import ClassVar

import httpx

from comfydesk.credentials import Secret
from comfydesk.hosts.api import ApiClient, Provider
from comfydesk.hosts.protocol import ActionRefusedError, HostAction, HostPod, HostState

_ALREADY = {
    HostAction.START: (HostState.RUNNING, HostState.STARTING),
    HostAction.STOP: (HostState.STOPPED, HostState.STOPPING),
}


class Account(ABC):
    """A Host, but for what differs. `key` is the account's API key; it is sent to the origin of `base_url` only.

    `base_url` "" is the provider's own, `api`.
    """

    provider: ClassVar[Provider]
    api: ClassVar[str]
    noun: ClassVar[str] = "pod"

    def __init__(self, key: Secret, *, base_url: str = "", transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._api = ApiClient(self.provider, key, base_url=base_url or self.api, transport=transport)

    @property
    def label(self) -> str:
        return self.provider.label

    @abstractmethod
    async def status(self, pod_id: str) -> HostPod:
        """See Host.status."""

    async def start(self, pod_id: str) -> HostPod:
        return await self._act(pod_id, HostAction.START)

    async def stop(self, pod_id: str) -> HostPod:
        return await self._act(pod_id, HostAction.STOP)

    async def close(self) -> None:
        await self._api.close()

    async def _act(self, pod_id: str, action: HostAction) -> HostPod:
        pod = await self.status(pod_id)
        if pod.state in _ALREADY[action]:
            return pod
        refusal = pod.refusal(action)
        if refusal:
            what = f"The {self.noun} {pod.title} cannot {action} now"
            raise ActionRefusedError(what, refusal, f"Look at it at {self.label}")
        return await self._send(pod, action)

    @abstractmethod
    async def _send(self, pod: HostPod, action: HostAction) -> HostPod:
        """Have it done; the pod as it is then."""
