"""From a profile to an address: ask the provider where the pod is now, open the tunnel, add the secrets.

A Reach lives as long as the profile is connected. Ports change whenever a pod restarts, so ask `address` again before
each new connection; a tunnel finds the pod again by itself, and keeps its address here.
"""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from comfydesk.client.address import Address
from comfydesk.credentials import (
    Credentials,
    CredentialsError,
    Secret,
    api_key_item,
    ssh_passphrase_item,
    ssh_password_item,
)
from comfydesk.errors import PodError, PodStatusError, PodUnreachableError
from comfydesk.hosts.protocol import (
    Host,
    HostPod,
    HostState,
    PodStoppedError,
    PortNotExposedError,
    SshEndpoint,
)
from comfydesk.session.pods import profiles
from comfydesk.session.pods.paste import Suggestion
from comfydesk.session.pods.profile_file import ProfileBook
from comfydesk.session.pods.profiles import MissingSecretError, Place, PlaceKind, PodProfile, SshSettings

if TYPE_CHECKING:
    from comfydesk.hosts.host_key import HostKey
    from comfydesk.hosts.ssh import SshLogin
    from comfydesk.hosts.tunnel import Tunnel

TUNNEL_DEADLINE = 45.0
"""Seconds until the first connection of a tunnel has to stand."""
COMFYUI_PORTS = (8188, 18188, 3000)
"""Where templates put ComfyUI, the usual one first."""

HostFactory = Callable[[PlaceKind, Secret], Host]


def make_host(kind: PlaceKind, key: Secret) -> Host:
    """The client of a provider (`kind.rented`). Imported here: httpx is heavy, and most profiles need no provider."""
    match kind:
        case PlaceKind.RUNPOD:
            from comfydesk.hosts.runpod import RunPod

            return RunPod(key)
        case PlaceKind.VAST:
            from comfydesk.hosts.vast import VastAi

            return VastAi(key)
    msg = f"nobody rents out {kind}"
    raise ValueError(msg)


class Reach:
    """The way to the pod of one profile. All methods belong to one loop."""

    def __init__(self, profile: PodProfile, credentials: Credentials, *, make_host: HostFactory = make_host) -> None:
        self.profile = profile
        self.tunnel: Tunnel | None = None
        """Its `states` and `status` are worth showing; it stands once `address` has returned."""
        self._credentials = credentials
        self._make_host = make_host
        self._host: Host | None = None
        self._secrets: dict[str, Secret] = {}
        self._one_at_a_time = asyncio.Lock()

    async def address(self) -> Address:
        """Where ComfyUI is now, with all that it takes to be let in.

        Raises MissingSecretError, CredentialsError, what the provider says (PodStoppedError, PortNotExposedError,
        AuthError …) and what stands in a tunnel's way (HostKeyUnknownError …: see `trust`).
        """
        async with self._one_at_a_time:
            url = await self._url()
            for item in profiles.auth_items(self.profile):
                if item not in self._secrets and (secret := await self._credentials.get(item)) is not None:
                    self._secrets[item] = secret  # a keyring that asks its user asks once
            return profiles.address(self.profile, url, self._secrets)

    def wake(self) -> None:
        """The computer slept or its network changed: the tunnel proves itself, or is made anew at once."""
        if self.tunnel is not None:
            self.tunnel.retry()

    async def host(self) -> Host | None:
        """The provider's account that rents the pod; None: nobody rents it, or its API key is not stored here."""
        kind = self.profile.place.kind
        if self._host is None and kind.rented:
            key = await self._credentials.get(api_key_item(kind))
            if key:
                self._host = self._make_host(kind, key)
        return self._host

    def tunnel_to(self, port: int, local_port: int = 0) -> "Tunnel":
        """A way of its own to another port of the pod, not open yet; whoever asked for it closes it."""
        from comfydesk.hosts.host_key import HostKey
        from comfydesk.hosts.tunnel import Tunnel

        ssh = self.profile.ssh or SshSettings()
        pinned = HostKey.parse(ssh.host_key) if ssh.host_key else None
        return Tunnel(self._endpoint, self._login, pinned=pinned, remote_port=port, local_port=local_port)

    def trust(self, key: "HostKey") -> PodProfile:
        """Pin the SSH host key that the user has compared. The profile is new: store it."""
        ssh = replace(self.profile.ssh or SshSettings(), host_key=str(key))
        self.profile = replace(self.profile, ssh=ssh)
        if self.tunnel is not None:
            self.tunnel.trust(key)
        return self.profile

    async def close(self) -> None:
        """End the tunnel and the provider's connections; again is fine."""
        tunnel, self.tunnel = self.tunnel, None
        if tunnel is not None:
            await tunnel.close()
        host, self._host = self._host, None
        if host is not None:
            await host.close()

    async def _url(self) -> str:
        place = self.profile.place
        if self.profile.through_ssh:
            return await self._through_tunnel()
        if not place.kind.rented:
            return place.own_url
        host = await self.host()
        if place.kind is PlaceKind.RUNPOD:
            from comfydesk.hosts.runpod import proxy_url

            if host is not None:
                # A provider that cannot be asked now does not keep us from a pod whose name never changes. Elsewhere it
                # must: an address of yesterday may be another customer's today.
                try:
                    return await host.resolve(place.pod, place.port, tls=place.tls)
                except PodError as error:
                    if not is_hiccup(error):
                        raise
            return proxy_url(place.pod, place.port)
        if host is None:
            raise MissingSecretError(self.profile, api_key_item(place.kind))
        return await host.resolve(place.pod, place.port, tls=place.tls)

    async def _through_tunnel(self) -> str:
        if self.tunnel is None:
            tunnel = self.tunnel_to(self.profile.place.port, (self.profile.ssh or SshSettings()).local_port)
            self.tunnel = tunnel
            try:
                await tunnel.open()
            except BaseException:
                self.tunnel = None
                await tunnel.close()
                raise
        await self.tunnel.wait_online(TUNNEL_DEADLINE)
        return self.tunnel.url

    async def _endpoint(self) -> SshEndpoint:
        ssh = self.profile.ssh or SshSettings()
        if ssh.host:
            return SshEndpoint(ssh.host, ssh.port, ssh.user)
        host = await self.host()
        if host is None:
            raise MissingSecretError(self.profile, api_key_item(self.profile.place.kind))
        found = await host.resolve_ssh(self.profile.place.pod)
        return replace(found, user=ssh.user) if ssh.user != SshSettings().user else found

    async def _login(self) -> "SshLogin":
        from comfydesk.hosts.ssh import SshLogin

        profile_id = self.profile.id
        passphrase = await self._credentials.get(ssh_passphrase_item(profile_id))
        password = await self._credentials.get(ssh_password_item(profile_id))
        return SshLogin(self.profile.ssh.key_file if self.profile.ssh else "", passphrase, password)


def is_hiccup(error: PodError) -> bool:
    """Whether the provider could not be asked, which says nothing about the pod."""
    if isinstance(error, PodStatusError):
        return error.status == 429 or error.status >= 500
    return isinstance(error, PodUnreachableError) and not isinstance(error, PodStoppedError | PortNotExposedError)


def suggest_from_host(kind: PlaceKind, pod: HostPod, book: ProfileBook) -> Suggestion:
    """A profile for one pod of the provider's list: by its open port if ComfyUI's is, else through its SSH server."""
    shown = {port.private for port in pod.ports}
    port = next((port for port in COMFYUI_PORTS if port in shown), COMFYUI_PORTS[0])
    place = Place(kind, pod=pod.id, port=port, tunnel=port not in shown and pod.ssh is not None)
    profile = PodProfile(
        profiles.new_id(),
        book.free_name(pod.title[:60]),
        place,
        colour=book.free_colour(),
        ssh=SshSettings() if place.tunnel else None,
    )
    notes = []
    if place.tunnel:
        notes.append(f"It shows no port {port}, so ComfyDesk goes through its SSH server")
    elif port not in shown and pod.state is HostState.RUNNING:
        notes.append(f"It shows no port {port}: add it at the provider")
    gpu = f"{pod.gpu_count}x {pod.gpu}" if (pod.gpu_count or 1) > 1 else pod.gpu
    cost = f"${pod.cost_per_hour:.2f}/h" if pod.cost_per_hour is not None else ""
    return Suggestion(profile, ", ".join(filter(None, (pod.title, str(pod.state), gpu, cost))), notes=tuple(notes))


async def forget(profile: PodProfile, credentials: Credentials) -> None:
    """Delete every secret of a profile that is being removed. A keyring that refuses stops nothing."""
    for item in profiles.secret_items(profile):
        with contextlib.suppress(CredentialsError):
            await credentials.delete(item)
