"""The library as window and command line see it: what was made, found, arranged, exported, and used again."""

import asyncio
import json
import math
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from comfydesk.errors import UsageError
from comfydesk.events import Change, Feed, OutputsChanged
from comfydesk.session.gallery import details
from comfydesk.session.gallery.collections import Collections
from comfydesk.session.gallery.details import Detail, Difference, OutlineNode, Setting
from comfydesk.session.gallery.importing import Importer
from comfydesk.session.gallery.presence import Presence
from comfydesk.session.gallery.reader import CatalogOf, FactsReader, Graphs
from comfydesk.session.gallery.trash import Trash
from comfydesk.session.gallery.watching import Watcher
from comfydesk.session.jobs.recipes import Recipe
from comfydesk.session.library import Library
from comfydesk.session.tasks import Tasks
from comfydesk.store import albums, outputs, prompts, provenance
from comfydesk.store import facets as facet_counts
from comfydesk.store import listing as listings
from comfydesk.store.database import Database
from comfydesk.store.facets import Facets
from comfydesk.store.listing import Listing, OutputIndex, Step
from comfydesk.store.provenance import Provenance
from comfydesk.store.recent import recent
from comfydesk.store.records import LocalFile, Output
from comfydesk.store.search import EVERYTHING, Grouping, Order, OutputFilter
from comfydesk.store.workflows import get_document
from comfydesk.workflow.graph import ApiGraph

if TYPE_CHECKING:
    from comfydesk.session.gallery.export import Exported, ExportPlan, OnProgress


class Gallery:
    """Methods raise StoreError for what the disk does, UsageError for what cannot be meant. No pod is needed.

    Outputs are named by their ids. What changes is told on the session's `changes`: OutputsChanged, and
    CollectionsChanged for albums, tags and saved searches.
    """

    def __init__(
        self,
        library: Library,
        tasks: Tasks,
        changes: Feed[Change],
        *,
        folder: Callable[[], Path],
        catalog_of: CatalogOf,
        pod_names: Callable[[], Mapping[str, str]],
        trash: Trash | None = None,
        watched: Callable[[], Sequence[Path]] = tuple,
    ) -> None:
        """`folder`: the library's. `pod_names`: by id. `watched`: folders whose media belong to the library."""
        self._library = library
        self._tasks = tasks
        self._index = OutputIndex()
        self._graphs = Graphs(library)
        self._catalog_of = catalog_of
        self._pod_names = pod_names
        self._reader = FactsReader(library, self._graphs, tasks, changes, catalog_of)
        self._trash = trash or Trash(library, tasks, changes)
        self._presence = Presence(library, folder)
        self.importer = Importer(library, tasks, changes, folder)
        """Takes in what lies on this computer."""
        self.watcher = Watcher(library, tasks, self.importer, self._presence, watched)
        """Notices what comes and goes in folders of the user's."""
        self.collections = Collections(library, changes)
        """Stars, favourites, notes, tags, albums and saved searches."""

    async def start(self, *, resume: bool = True) -> None:
        """The library is open. `resume`: go on with what was deleted before, too."""
        self._reader.start()
        if resume:
            await self._trash.start()
            self.watcher.start()
        self.importer.start(resume=resume)

    async def warm(self) -> None:
        """Read what a first listing needs, so that it is there at once: for an idle moment after the start."""
        await self._library.read(self._index.refresh)

    async def settled(self) -> None:
        """Until the values of all outputs that were added by now can be searched."""
        await self._reader.settled()

    # --- Finding ----------------------------------------------------------------------------------------------------

    async def listing(
        self, wanted: OutputFilter = EVERYTHING, order: Order = Order.NEWEST, grouping: Grouping = Grouping.NONE
    ) -> Listing:
        """All outputs that `wanted` finds, as arrays."""
        return await self._library.read(listings.listing, self._index, wanted, order, grouping)

    async def recent(self, wanted: OutputFilter = EVERYTHING, most: int = 500) -> Listing:
        """The newest `most` of them by their days, without reading the others: a millisecond, at the start too."""
        return await self._library.read(recent, wanted, most)

    async def follow(self, listing: Listing, change: OutputsChanged) -> Step | None:
        """A listing after a change, with the rows that came and went; None: read it anew with `listing`."""
        return await self._library.read(listings.follow, self._index, listing, change)

    async def rows(self, ids: Sequence[int]) -> tuple[Output, ...]:
        """Those of `ids` that exist, in the order of `ids`."""
        return await self._library.read(outputs.many, tuple(ids))

    async def texts(self, *, negative: bool = False, limit: int = 200) -> tuple[str, ...]:
        """Prompts (or negative prompts) that outputs were made with, each once, the last used first."""
        return await self._library.read(prompts.recent_texts, "negative" if negative else "prompt", limit)

    async def facets(self, wanted: OutputFilter = EVERYTHING) -> Facets:
        """How many there are of each model, workflow, tag and so on among what `wanted` finds.

        A tenth of a second at 100,000: wait for a pause in the typing. Cancelled, it is over within a millisecond, and
        what is asked for next need not wait for it.
        """
        stop = threading.Event()

        def count(db: Database) -> Facets:
            with db.stoppable(stop.is_set):
                return facet_counts.facets(db, wanted)

        try:
            return await self._library.read(count)
        except asyncio.CancelledError:
            stop.set()
            raise

    async def check_files(self, ids: Sequence[int] | None = None) -> None:
        """Notice files that others moved or deleted, and find them again in the library's folder. None: all."""
        await self._presence.check(ids)

    # --- Deleting ---------------------------------------------------------------------------------------------------

    async def delete(self, ids: Sequence[int]) -> int | None:
        """Hide outputs at once; their files go to the system's trash in trash.UNDO_SECONDS, or at the next start.

        Returns the token for `undo`; None if there was nothing to delete.
        """
        return await self._trash.delete(ids)

    @property
    def undo_seconds(self) -> float:
        """How long after a deletion `undo` brings it back."""
        return self._trash.undo_seconds

    async def undo(self, token: int) -> int:
        """Bring back what is not in the trash yet, with all that was said of it. Returns how many that were."""
        return await self._trash.undo(token)

    # --- What it was made with --------------------------------------------------------------------------------------

    async def detail(self, output: int) -> Detail | None:
        """All that is known of an output; None if there is no such one."""
        found = await self._library.read(provenance.of_outputs, (output,))
        if not found:
            return None
        (entry,) = found
        graph = await self._graph(entry)
        return Detail(
            entry.output,
            await self._settings(entry, graph),
            await self._library.read(provenance.models_of, output),
            await self._library.read(albums.albums_of, output),
            entry.timings,
            graph is not None,
        )

    async def recipe(self, output: int) -> Recipe:
        """What is needed to open its workflow again as it was, with its values: "Use these settings", all of them.

        It does not need the job any more. `reuse.carried(form, detail.settings, scope)` puts the prompt or the seed
        alone into an open form. Raises UsageError if no workflow is known of it.
        """
        found = await self._library.read(provenance.of_outputs, (output,))
        key = (found[0].output.document_hash or found[0].output.graph_hash) if found else None
        if key is None:
            raise UsageError(
                "The workflow of this output is not known", "Its file carries none", "Use its prompt or its seed"
            )
        (entry,) = found
        document = await self._library.read(get_document, key)
        source = await asyncio.to_thread(lambda: json.dumps(document, ensure_ascii=False))
        values = {
            name: Path(value.path) if isinstance(value, LocalFile) else value for name, value in entry.values.items()
        }
        return Recipe(
            entry.output.workflow,
            entry.output.workflow_id,
            source.encode("utf-8", "surrogatepass"),
            values,
            dict(entry.drawn),
        )

    async def differences(self, ids: Sequence[int]) -> tuple[Difference, ...]:
        """Exactly which values differ, inputs that no form shows included."""
        found = await self._library.read(provenance.of_outputs, tuple(ids))
        settings = [await self._settings(entry, await self._graph(entry)) for entry in found]
        return details.differences([entry.output for entry in found], settings, self._pod_names()) if found else ()

    async def outline(self, output: int) -> tuple[OutlineNode, ...]:
        """The nodes of its graph in the order in which they ran; empty if no graph is known."""
        found = await self._library.read(provenance.of_outputs, (output,))
        graph = await self._graph(found[0]) if found else None
        return () if graph is None else await asyncio.to_thread(details.outline, found[0], graph)

    # --- Export -----------------------------------------------------------------------------------------------------

    async def export(
        self, ids: Sequence[int], plan: "ExportPlan", on_progress: "OnProgress | None" = None
    ) -> "Exported":
        """Write copies of outputs into a folder or a zip; see export.ExportPlan. Cancel the task to stop it.

        Raises DiskFullError, StoreError and UsageError; outputs that cannot be exported are named in the result.
        """
        from comfydesk.session.gallery.export import export

        return await export(await self.rows(ids), plan, dict(self._pod_names()), on_progress)

    async def contact_sheet(self, ids: Sequence[int], path: Path, title: str = "") -> Path:
        """One picture (.png or .jpg) of many outputs. Returns where: nothing is overwritten. Raises MediaError."""
        from comfydesk.session.jobs.contact_sheet import Sheet, save_sheet

        found = [Path(output.path) for output in await self.rows(ids)]
        columns = max(1, math.ceil(math.sqrt(len(found))))
        padded = [*found, *[None] * (-len(found) % columns)]
        cells = tuple(tuple(padded[start : start + columns]) for start in range(0, len(padded), columns))
        sheet = Sheet(("",) * columns, ("",) * len(cells), cells, title)
        return await asyncio.to_thread(save_sheet, sheet, path)

    async def _graph(self, entry: Provenance) -> ApiGraph | None:
        key = entry.output.graph_hash
        return None if key is None else await self._graphs.get(key)

    async def _settings(self, entry: Provenance, graph: ApiGraph | None) -> tuple[Setting, ...]:
        return await asyncio.to_thread(details.settings_of, entry, graph, self._catalog_of(entry.output.pod))
