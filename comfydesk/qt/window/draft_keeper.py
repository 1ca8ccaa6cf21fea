"""Drafts outlive the window: written down half a second after the last change, put back at the next start."""

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer

from comfydesk.errors import StoreError
from comfydesk.qt.bridge.tasks import Tasks
from comfydesk.qt.window.bench import Bench
from comfydesk.qt.window.desk import Desk
from comfydesk.session.shelves.drafts import FILE_NAME, DraftFile

if TYPE_CHECKING:
    from comfydesk.session.values import OpenWorkflow

log = logging.getLogger(__name__)
AFTER_MS = 500


class DraftKeeper(QObject):
    """Make it before anything is opened: what was typed last time is in the bench's drafts from then on."""

    def __init__(self, desk: Desk, bench: Bench, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._panel, self._bench, self._tasks = desk.generation, bench, tasks
        self._file = DraftFile(desk.paths.data / FILE_NAME)
        self._saved: dict[str, Any] = self._file.load()
        self._writing = False
        self._told = False
        bench.drafts.take(self._saved)
        self._timer = QTimer(self, singleShot=True, interval=AFTER_MS)
        self._timer.timeout.connect(self._save)
        bench.opened.connect(self._on_opened)
        self._panel.values_changed.connect(self._on_changed)
        self._panel.form.lock_changed.connect(self._on_changed)
        self._panel.footer.count.changed.connect(self._on_changed)
        self._over = False
        desk.window.closed.connect(self.flush)

    def flush(self) -> None:
        """Write down what is not yet, at once: the window closes."""
        self._over = True
        self._timer.stop()
        self._note()
        drafts = self._bench.drafts.dump()
        if drafts != self._saved:
            try:
                self._file.save(drafts)
                self._saved = drafts
            except StoreError as error:
                log.warning("%s", error)

    # --- Inside ---------------------------------------------------------------------------------------------------

    def _on_opened(self, opened: "OpenWorkflow", _values: object) -> None:
        locked, count = self._bench.drafts.ways(opened.id)
        for field in locked:
            self._panel.form.set_locked(field, True)
        self._panel.footer.count.set_value(count)
        self._panel.tell_count()
        self._begin()

    def _on_changed(self, *_: object) -> None:
        self._note()
        self._begin()

    def _begin(self) -> None:
        if not self._over:
            self._timer.start()

    def _note(self) -> None:
        open_ = self._panel.workflow
        if open_ is not None and open_.form.fields:
            self._bench.drafts.keep_ways(open_.id, self._panel.form.locked_seeds(), self._panel.footer.count.value())

    def _save(self) -> None:
        drafts = self._bench.drafts.dump()
        if self._over or self._writing or drafts == self._saved:
            return
        self._writing = True
        self._tasks.start(self._write(drafts), failed=self._on_failed)

    async def _write(self, drafts: dict[str, Any]) -> None:
        try:
            await asyncio.to_thread(self._file.save, drafts)
            self._saved = drafts
        finally:
            self._writing = False
        self._save()  # what changed meanwhile

    def _on_failed(self, error: object) -> None:
        """Said once in the log: the form itself is none the worse for it."""
        if not self._told:
            log.warning("%s", error)
        self._told = True
