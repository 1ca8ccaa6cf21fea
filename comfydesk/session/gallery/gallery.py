"""The library as window and command line see it: what was made, found, arranged, exported, and used again."""

from collections.abc import Sequence

from comfydesk.events import OutputsChanged
from comfydesk.session.library import Library
from comfydesk.store import listing as listings
from comfydesk.store import outputs
from comfydesk.store.listing import Listing, OutputIndex, Step
from comfydesk.store.records import Output
from comfydesk.store.search import EVERYTHING, Grouping, Order, OutputFilter


class Gallery:
    """Methods raise StoreError for what the disk does. Nothing here needs a pod."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._index = OutputIndex()

    # --- Finding ----------------------------------------------------------------------------------------------------

    async def listing(
        self, wanted: OutputFilter = EVERYTHING, order: Order = Order.NEWEST, grouping: Grouping = Grouping.NONE
    ) -> Listing:
        """All outputs that `wanted` finds, as arrays."""
        return await self._library.read(listings.listing, self._index, wanted, order, grouping)

    async def follow(self, listing: Listing, change: OutputsChanged) -> Step | None:
        """A listing after a change, with the rows that came and went; None: read it anew with `listing`."""
        return await self._library.read(listings.follow, self._index, listing, change)

    async def rows(self, ids: Sequence[int]) -> tuple[Output, ...]:
        """Those of `ids` that exist, in the order of `ids`."""
        return await self._library.read(outputs.many, tuple(ids))
