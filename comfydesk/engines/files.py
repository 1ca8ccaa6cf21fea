"""Results that lie at a URL which an engine names: fetched like a pod's, without our credentials where it is another's.

Downloads are the client's own: resumed, bounded by the disk, whole under their name or not there at all.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from urllib.parse import parse_qsl, urlsplit

from comfydesk.client.address import Address
from comfydesk.client.origin import Incoming, Origin
from comfydesk.client.remote import RemoteFile
from comfydesk.client.rest import Rest
from comfydesk.errors import PodError


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a file's bytes are. `etag` names the bytes for good where their owner says so; else the server's counts.

    The repr has no query: in a signed URL that is the key.
    """

    address: Address
    path: str
    query: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    etag: str = ""


class Hosted(Rest):
    """An engine's origin, whose files are wherever `find` says."""

    def __init__(self, address: Address, find: Callable[[RemoteFile], Awaitable[Spot]]) -> None:
        super().__init__(address)
        self._find = find

    @asynccontextmanager
    async def view(self, file: RemoteFile, *, offset: int = 0, etag: str = "") -> AsyncIterator[Incoming]:
        """See Rest.view."""
        spot = await self._find(file)
        ours = spot.address == self.address
        origin = self._origin if ours else Origin(spot.address)
        page = file.filename.lower().endswith((".html", ".htm"))
        try:
            query = dict(spot.query)
            async with origin.download(spot.path, query, offset=offset, etag=etag, html=page) as incoming:
                incoming.etag = spot.etag or incoming.etag
                yield incoming
        finally:
            if not ours:
                await origin.close()


def stranger(url: str, near: Address) -> Spot:
    """A URL that the engine at `near` named, to be asked without credentials. Raises PodError for one that is refused.

    Only https, and never from the internet to this computer or network: an engine could make us ask there otherwise.
    """
    what = "The result lies at an address that is refused"
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        raise PodError(what, "it cannot be read") from None
    secure = parts.scheme == "https"
    if not host or len(url) > 16384 or not url.isascii() or any(ord(c) < 33 for c in url) or parts.username:
        raise PodError(what, "it cannot be read")
    if not secure and not (parts.scheme == "http" and near.is_local):
        raise PodError(what, "it does not begin with https://")
    address = Address(parts.scheme, host, port or (443 if secure else 80))
    if address.is_local and not near.is_local:
        raise PodError(what, "it names this computer or its network")
    return Spot(address, parts.path or "/", tuple(parse_qsl(parts.query, keep_blank_values=True)))


def told_apart(names: Iterable[str]) -> tuple[str, ...]:
    """The same names, repeated ones numbered ("x.png", "x (2).png"): always the same for the same list."""
    taken: set[str] = set()
    found = []
    for name in names:
        path, number, free = PurePosixPath(name), 1, name
        while free in taken:
            number += 1
            free = f"{path.stem} ({number}){path.suffix}"
        taken.add(free)
        found.append(free)
    return tuple(found)
