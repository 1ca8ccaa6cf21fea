"""The user's pods as profiles: kept, changed, tried, made from what people paste or rent. Secrets go to the vault.

Works with and without a Session. Nothing here connects: a `target` is what Session.connect takes.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from comfydesk.credentials import CredentialsError, Secret, api_key_item
from comfydesk.errors import UsageError
from comfydesk.events import Change, Feed, PodsChanged
from comfydesk.session.pods import profiles
from comfydesk.session.pods.paste import Suggestion, suggest_from_paste
from comfydesk.session.pods.profile_checks import checked
from comfydesk.session.pods.profile_file import Imported, ProfileBook, ProfileStore, export_profiles, import_profiles
from comfydesk.session.pods.profiles import MissingSecretError, PlaceKind, PodProfile
from comfydesk.session.pods.reach import HostFactory, Reach, forget, make_host, suggest_from_host
from comfydesk.session.pods.vault import Vault
from comfydesk.session.values import DEMO, PodTarget
from comfydesk.settings import DEFAULT_POD, Settings

if TYPE_CHECKING:
    from comfydesk.client.probe import ProbeStep
    from comfydesk.hosts.host_key import HostKey
    from comfydesk.hosts.protocol import Host, HostPod


async def _nothing(_: PodProfile) -> None:
    """Nobody is connected."""


class Roster:
    """See the module. `on_edit(old, new, secrets_changed)` and `on_remove` let a session follow."""

    def __init__(
        self,
        store: ProfileStore,
        vault: Vault,
        settings: Settings,
        changes: Feed[Change] | None = None,
        *,
        make_host: HostFactory = make_host,
    ) -> None:
        self.vault = vault
        self.book = ProfileBook()
        """As last read or written here; `load` reads it anew."""
        self.on_edit: Callable[[PodProfile, PodProfile, bool], Awaitable[None]] | None = None
        self.on_remove: Callable[[PodProfile], Awaitable[None]] = _nothing
        self._store = store
        self._settings = settings
        self._changes: Feed[Change] = Feed() if changes is None else changes
        self._make_host = make_host

    # --- The list ---------------------------------------------------------------------------------------------------

    async def load(self) -> ProfileBook:
        """All profiles as the file has them now. Raises StoreError."""
        self.book = await asyncio.to_thread(self._store.load)
        return self.book

    async def add(
        self, profile: PodProfile, secrets: Mapping[str, Secret] | None = None, *, keep: bool = True
    ) -> PodProfile:
        """Store a new profile, and its secrets by keyring item; the profile in its stored form.

        `keep` False: the secrets are used until the session ends, and written nowhere. Raises ProfileError that names
        the fields, StoreError, CredentialsError (then nothing was added).
        """
        profile = checked(profile)
        (await self.load()).add(profile)  # what is wrong is told before a secret is stored
        await self._put(secrets or {}, keep=keep)
        await self._change(lambda book: book.add(profile))
        self._announce(profile)
        return profile

    async def edit(
        self, profile: PodProfile, secrets: Mapping[str, Secret] | None = None, *, keep: bool = True
    ) -> PodProfile:
        """Replace the profile of that id. Secrets that are not given stay, unless they would now go to another machine.

        Raises as `add`. A connected pod is connected anew if the way to it is another.
        """
        profile = checked(profile)
        old = (await self.load()).get(profile.id)
        given = secrets or {}
        stale = [item for item in profiles.to_forget(old, profile) if item not in given]
        await self._put(given, keep=keep)
        for item in stale:
            await self.vault.delete(item)
        await self._change(lambda book: book.put(profile))
        if self._settings.get(DEFAULT_POD) in (old.name, old.id):
            self._settings.set(DEFAULT_POD, profile.name)
        if self.on_edit is not None:
            await self.on_edit(old, profile, bool(given or stale))
        self._announce(profile)
        return profile

    async def remove(self, profile_id: str) -> None:
        """Forget a profile and its secrets; what was made with it stays. Raises ProfileError, StoreError."""
        profile = (await self.load()).get(profile_id)
        await self.on_remove(profile)
        await self._change(lambda book: book.remove(profile.id))
        await forget(profile, self.vault)
        if self._settings.get(DEFAULT_POD) in (profile.name, profile.id):
            self._settings.set(DEFAULT_POD, "")
        self._announce(profile)

    @property
    def default(self) -> PodProfile | str | None:
        """The pod to use when none is named: a profile, "demo", an address; None: none is set."""
        text = self._settings.get(DEFAULT_POD)
        return (self.book.find(text) or text) if text else None

    async def set_default(self, pod: str) -> None:
        """`pod`: a profile's id or name, "demo", an address, or empty for none. Raises StoreError, UsageError."""
        found = (await self.load()).find(pod)
        if found is None and pod and pod != DEMO:
            PodTarget.of(pod)
        self._settings.set(DEFAULT_POD, found.name if found is not None else pod)
        self._changes.publish(PodsChanged(() if found is None else (found.id,)))

    def export(self, ids: Iterable[str]) -> str:
        """TOML to give away, without secrets. ProfileError for an unknown id."""
        return export_profiles(self.book.get(profile_id) for profile_id in ids)

    async def import_text(self, text: str) -> Imported:
        """Add the profiles of an export, under new ids. Raises ProfileError, StoreError."""
        found = import_profiles(text, await self.load())
        for profile in found.profiles:
            await self.add(profile)
        return found

    # --- Secrets ----------------------------------------------------------------------------------------------------

    async def keyring_note(self) -> str:
        """What the user must know about where secrets go; empty where the system's keyring works."""
        return await self.vault.ready()

    async def missing(self, profile: PodProfile) -> tuple[str, ...]:
        """The items of the keyring without which it cannot be connected, and which are nowhere. CredentialsError."""
        place = profile.place
        items = profiles.auth_items(profile)
        named_by_id = place.kind is PlaceKind.RUNPOD and not profile.through_ssh
        if place.kind.rented and not named_by_id and not (profile.through_ssh and profile.ssh and profile.ssh.host):
            items += (api_key_item(place.kind),)
        return tuple([item for item in items if not await self.vault.get(item)])

    # --- New ones ---------------------------------------------------------------------------------------------------

    def suggest(self, text: str) -> Suggestion:
        """A profile out of what somebody pasted. Never raises."""
        return suggest_from_paste(text, self.book)

    async def account_pods(
        self, kind: PlaceKind, key: Secret | None = None, *, keep: bool = True
    ) -> "tuple[HostPod, ...]":
        """The pods of the account at a provider. A `key` that works is kept (`keep` False: until the session ends).

        Raises MissingSecretError if there is no key, else the provider's errors.
        """
        item = api_key_item(kind)
        known = key or await self.vault.get(item)
        if not known:
            raise MissingSecretError(PodProfile("", f"the account at {kind}", profiles.Place(kind)), item)
        host = self._make_host(kind, known)
        try:
            pods = await host.list()
        finally:
            await host.close()
        if key is not None:
            await self._put({item: key}, keep=keep)
        return pods

    @contextlib.asynccontextmanager
    async def account(self, profile: PodProfile) -> "AsyncGenerator[Host, None]":
        """The provider's client for a rented pod. Raises UsageError, MissingSecretError, CredentialsError."""
        host = await self.host(profile)
        try:
            yield host
        finally:
            await host.close()

    async def host(self, profile: PodProfile) -> "Host":
        """As `account`; whoever asks closes it."""
        kind = profile.place.kind
        if not kind.rented:
            what = f"{profile.name} cannot be started or stopped from here"
            raise UsageError(what, "It belongs to no account at RunPod or Vast.ai")
        key = await self.vault.get(api_key_item(kind))
        if not key:
            raise MissingSecretError(profile, api_key_item(kind))
        return self._make_host(kind, key)

    def suggest_from_host(self, kind: PlaceKind, pod: "HostPod") -> Suggestion:
        """A profile for one pod of `account_pods`."""
        return suggest_from_host(kind, pod, self.book)

    async def test(
        self,
        profile: PodProfile,
        secrets: Mapping[str, Secret] | None = None,
        *,
        trust: "HostKey | None" = None,
    ) -> "AsyncGenerator[ProbeStep, None]":
        """Try the way to a pod, saved or not: each step as it ends, until the first that fails. Stores nothing.

        `trust`: the SSH host key that the user has compared. Raises ProfileError for a profile that cannot be used.
        """
        from comfydesk.session.pods.trial import steps

        if trust is not None and profile.ssh is not None:
            profile = replace(profile, ssh=replace(profile.ssh, host_key=str(trust)))
        reach = Reach(checked(profile), self.vault.over(secrets or {}), make_host=self._make_host)
        async with contextlib.aclosing(steps(reach)) as found:
            async for step in found:
                yield step

    # --- Ways -------------------------------------------------------------------------------------------------------

    def target(self, profile: PodProfile) -> PodTarget:
        """For Session.connect: the way to the pod, asked anew at each connection."""
        route = Reach(profile, self.vault, make_host=self._make_host)
        return PodTarget(profile.id, profile.name, None, profile, route)

    async def pin(self, profile_id: str, key: "HostKey") -> PodProfile:
        """Store the SSH host key that the user has compared. Raises ProfileError, StoreError."""

        def pinned(book: ProfileBook) -> ProfileBook:
            profile = book.get(profile_id)
            ssh = replace(profile.ssh or profiles.SshSettings(), host_key=str(key))
            return book.put(replace(profile, ssh=ssh))

        await self._change(pinned)
        return self.book.get(profile_id)

    async def _change(self, edit: Callable[[ProfileBook], ProfileBook]) -> None:
        self.book = await asyncio.to_thread(self._store.change, edit)

    async def _put(self, secrets: Mapping[str, Secret], *, keep: bool) -> None:
        if not keep:
            self.vault.lend(secrets)
            return
        for item, secret in secrets.items():
            try:
                await self.vault.set(item, secret)
            except CredentialsError as error:
                advice = f"{error.advice}; or use it for this session only" if error.advice else ""
                raise CredentialsError(error.what, error.why, advice) from error

    def _announce(self, profile: PodProfile) -> None:
        self._changes.publish(PodsChanged((profile.id,)))
