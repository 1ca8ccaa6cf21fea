"""What a person says of outputs and how they arrange them: stars, notes, tags, albums, saved searches."""

from collections.abc import Callable, Sequence

from comfydesk.events import Change, Feed
from comfydesk.session.library import Library
from comfydesk.store import albums as albums_store
from comfydesk.store import marks
from comfydesk.store.albums import Album, SavedSearch
from comfydesk.store.database import Database
from comfydesk.store.search import OutputFilter


class Collections:
    """Told on `changes`. Methods raise StoreError, and UsageError for a name that is none, too long or taken."""

    def __init__(self, library: Library, changes: Feed[Change]) -> None:
        self._library = library
        self._changes = changes

    # --- Outputs ----------------------------------------------------------------------------------------------------

    async def rate(self, ids: Sequence[int], stars: int) -> None:
        """0 (none) to 5."""
        await self._library.commit(marks.rate, tuple(ids), stars)

    async def favourite(self, ids: Sequence[int], on: bool = True) -> None:
        await self._library.commit(marks.favourite, tuple(ids), on)

    async def note(self, ids: Sequence[int], text: str) -> None:
        """In place of the note it has."""
        await self._library.commit(marks.note, tuple(ids), text)

    async def tag(self, ids: Sequence[int], name: str) -> None:
        await self._library.commit(marks.tag, tuple(ids), name)

    async def untag(self, ids: Sequence[int], name: str) -> None:
        await self._library.commit(marks.untag, tuple(ids), name)

    async def rename_tag(self, old: str, new: str) -> None:
        """With the name of another tag both become one."""
        await self._library.commit(marks.rename_tag, old, new)

    # --- Albums -----------------------------------------------------------------------------------------------------

    async def albums(self) -> tuple[Album, ...]:
        """In the user's order."""
        return await self._library.read(albums_store.albums)

    async def make_album(self, name: str, ids: Sequence[int] = ()) -> int:
        """Returns its id."""
        album = await self._made(lambda db: albums_store.make(db, name))
        if ids:
            await self.add_to_album(album, ids)
        return album

    async def rename_album(self, album: int, name: str) -> None:
        await self._library.commit(albums_store.rename, album, name)

    async def remove_album(self, album: int) -> None:
        """The album only: its outputs stay."""
        await self._library.commit(albums_store.remove, album)

    async def add_to_album(self, album: int, ids: Sequence[int]) -> None:
        """At its end; outputs that are in it stay where they are."""
        await self._library.commit(albums_store.add, album, tuple(ids))

    async def take_from_album(self, album: int, ids: Sequence[int]) -> None:
        await self._library.commit(albums_store.take_out, album, tuple(ids))

    # --- Saved searches ---------------------------------------------------------------------------------------------

    async def searches(self) -> tuple[SavedSearch, ...]:
        return await self._library.read(albums_store.saved_searches)

    async def save_search(self, name: str, wanted: OutputFilter) -> int:
        """Returns its id. A search of that name is replaced."""
        return await self._made(lambda db: albums_store.save_search(db, name, wanted))

    async def rename_search(self, search: int, name: str) -> None:
        await self._library.commit(albums_store.rename_search, search, name)

    async def forget_search(self, search: int) -> None:
        await self._library.commit(albums_store.forget_search, search)

    async def _made(self, make: Callable[[Database], tuple[int, tuple[Change, ...]]]) -> int:
        key, changes = await self._library.call(make)
        for change in changes:
            self._changes.publish(change)
        return key
