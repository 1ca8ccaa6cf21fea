"""Where a session looks for secrets: what was given for this session only, then the system's keyring."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from comfydesk.credentials import Credentials, Secret, system_credentials


class Vault:
    """A Credentials. The keyring is opened at the first need: that may take a second, or ask the user.

    What is set here goes to the keyring; `lend` keeps secrets in memory alone.
    """

    def __init__(self, open_keyring: Callable[[], Awaitable[Credentials]] = system_credentials) -> None:
        self._open_keyring = open_keyring
        self._opening = asyncio.Lock()
        self._keyring: Credentials | None = None
        self._lent: dict[str, Secret] = {}

    @property
    def note(self) -> str:
        """As of `ready`; empty before."""
        return "" if self._keyring is None else self._keyring.note

    async def ready(self) -> str:
        """Open the keyring; the sentence that the user must know about it, empty if secrets survive a restart."""
        return (await self._kept()).note

    async def get(self, item: str) -> Secret | None:
        return self._lent.get(item) or await (await self._kept()).get(item)

    async def set(self, item: str, secret: Secret) -> None:
        await (await self._kept()).set(item, secret)
        self._lent.pop(item, None)

    async def delete(self, item: str) -> None:
        self._lent.pop(item, None)
        await (await self._kept()).delete(item)

    def lend(self, secrets: Mapping[str, Secret]) -> None:
        """Use these until the session ends, in place of the keyring's; nothing is stored."""
        self._lent.update(secrets)

    def over(self, secrets: Mapping[str, Secret]) -> "Vault":
        """These on top of what is here: for a try. Nothing of it comes back."""
        tried = Vault(self._kept)
        tried.lend({**self._lent, **secrets})
        return tried

    async def _kept(self) -> Credentials:
        async with self._opening:
            if self._keyring is None:
                self._keyring = await self._open_keyring()
            return self._keyring
