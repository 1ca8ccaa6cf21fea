"""The strip of recent outputs, joined to the session's gallery. The library as a whole is never read for it."""

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer

from comfydesk.errors import KnownError
from comfydesk.events import Change, OutputsChanged
from comfydesk.qt.bridge.feeds import Bridge
from comfydesk.qt.bridge.tasks import Tasks
from comfydesk.qt.window.desk import Desk, show_folder
from comfydesk.store.listing import Listing
from comfydesk.store.recent import between
from comfydesk.store.records import Output
from comfydesk.store.search import EVERYTHING, OutputFilter

if TYPE_CHECKING:
    from comfydesk.session.session import Session

FIRST = 400
"""Outputs in the strip, until one scrolls to its end: then twice as many, up to MOST."""
MOST = 6400
GATHER_MS = 60
"""What changes within that time is shown together: a batch brings many."""


class RecentDesk(QObject):
    """Lives as long as the session does."""

    def __init__(self, desk: Desk, session: "Session", bridge: Bridge, tasks: Tasks, parent: QObject) -> None:
        super().__init__(parent)
        self._desk, self._session, self._tasks = desk, session, tasks
        self._model, self._panel = desk.outputs, desk.gallery
        self._wanted: OutputFilter = EVERYTHING
        self._most = FIRST
        self._reading = False
        self._again = False
        self._newest: tuple[float, int] = (0, 0)
        self._gone: set[int] = set()
        """Since the listing that is shown was made."""
        self._soon = QTimer(self, singleShot=True, interval=GATHER_MS)
        self._soon.timeout.connect(self._list)
        self._join(bridge)
        self._unsubscribe = session.changes.subscribe(self._on_change)
        self.destroyed.connect(self._unsubscribe)
        self._list()

    # --- Session → strip --------------------------------------------------------------------------------------------

    def _on_change(self, change: Change) -> None:
        if isinstance(change, OutputsChanged) and not self._soon.isActive():
            self._soon.start()

    def _list(self) -> None:
        """One listing at a time, and once more if something changed meanwhile."""
        if self._reading:
            self._again = True
            return
        self._reading, self._again = True, False
        self._tasks.start(
            self._session.gallery.recent(self._wanted, self._most), done=self._take, failed=self._list_failed
        )

    def _take(self, listing: Listing) -> None:
        self._reading = False
        self._gone.clear()
        model = self._model
        if listing.filter != self._wanted or len(listing) > self._most:
            self._list()
            return
        if model.listing.filter == listing.filter and len(model.listing):
            model.follow(between(model.listing, listing))
        else:
            model.show(listing)
        self._desk.preview.mark_known()
        if self._again:
            self._list()

    def _list_failed(self, error: KnownError) -> None:
        self._reading = False
        if not self._model.rowCount():
            self._panel.mark_failed()
        self._tell(error)

    def _read_rows(self, ids: tuple[int, ...]) -> None:
        self._tasks.start(self._session.gallery.rows(ids), done=self._model.put)

    def _on_outputs(self, outputs: tuple[Output, ...]) -> None:
        """What is newer than all before comes into the middle; pages of older ones do not."""
        self._model.put(outputs)
        shown = self._desk.preview.output
        for output in outputs:
            if shown is not None and output.id == shown.id:
                self._desk.preview.show_output(output)
        self._gone.difference_update(output.id for output in outputs)
        newest = max(outputs, key=lambda output: (output.created, output.id))
        if (newest.created, newest.id) > self._newest:
            self._newest = (newest.created, newest.id)
            self._desk.preview.show_output(newest)

    def _on_gone(self, ids: tuple[int, ...]) -> None:
        shown = self._desk.preview.output
        self._gone.update(ids)
        if shown is not None and shown.id in ids:
            left = [output for output in self._model.loaded() if output.id not in self._gone]
            self._desk.preview.show_output(left[0] if left else None)

    # --- Strip → session --------------------------------------------------------------------------------------------

    def _join(self, bridge: Bridge) -> None:
        panel, desk = self._panel, self._desk
        collections = self._session.gallery.collections
        bridge.outputs.connect(self._on_outputs)
        bridge.outputs_gone.connect(self._on_gone)
        self._model.wanted.connect(self._read_rows)
        panel.strip.ended.connect(self._show_more)
        panel.narrowed.connect(self._narrow)
        panel.shown.connect(desk.preview.show_output)
        panel.revealed.connect(lambda output: show_folder(Path(output.path).parent))
        panel.favoured.connect(lambda ids, on: self._tasks.start(collections.favourite(ids, on), failed=self._tell))
        desk.preview.favoured.connect(
            lambda output, on: self._tasks.start(collections.favourite((output.id,), on), failed=self._tell)
        )
        panel.rated.connect(lambda ids, stars: self._tasks.start(collections.rate(ids, stars), failed=self._tell))

    def _narrow(self, wanted: OutputFilter) -> None:
        self._wanted, self._most = wanted, FIRST
        self._list()

    def _show_more(self) -> None:
        if len(self._model.listing) == self._most < MOST:
            self._most *= 2
            self._list()

    def _tell(self, error: KnownError) -> None:
        self._desk.toasts.tell_error(error)
