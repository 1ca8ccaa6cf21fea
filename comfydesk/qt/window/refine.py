"""Back to work from an output: its settings into the form, variations of it, on to another workflow, its graph."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QPoint, QUrl
from PySide6.QtGui import QCursor, QDesktopServices

from comfydesk.errors import KnownError
from comfydesk.qt.bridge.tasks import Tasks
from comfydesk.qt.theme.language import tr, tr_n
from comfydesk.qt.widgets.menu import Menu
from comfydesk.qt.window.bench import Bench, Found
from comfydesk.qt.window.desk import Desk
from comfydesk.store.records import Output

if TYPE_CHECKING:
    from comfydesk.session.gallery.details import Detail, OutlineNode
    from comfydesk.session.gallery.reuse import Scope
    from comfydesk.session.session import Session
    from comfydesk.session.values import WorkflowEntry

VARIATIONS = (2, 4, 6, 9)
REACH = 4
"""Neighbours in seed on each side."""
_MOST_TAKERS = 24


class Refine(QObject):
    """Lives as long as the session does. `act` is what the viewer, the library and the strip ask for."""

    def __init__(self, desk: Desk, session: "Session", tasks: Tasks, bench: Bench, parent: QObject) -> None:
        super().__init__(parent)
        self._desk, self._session, self._tasks, self._bench = desk, session, tasks, bench
        self.menu = Menu(desk.theme, parent=desk.window)
        desk.viewer.acted.connect(self.act)

    def act(self, output: Output, what: str) -> None:
        """ "all", "prompt", "seed", "send", "vary", "neighbours", "outline" or "browser"."""
        match what:
            case "all":
                self.use(output)
            case "prompt" | "seed":
                self.use_part(output, what)
            case "send":
                self.send(output)
            case "vary":
                self.offer_variations(output)
            case "outline":
                self.outline(output)
            case "browser":
                self.open_in_browser(output)

    # --- Its settings -----------------------------------------------------------------------------------------------

    def use(self, output: Output, changed: Mapping[str, Any] | None = None) -> None:
        """Open its workflow as it was, with its values; `changed` (field id → value) in place of some of them."""
        self._desk.workspaces.show("create")
        self._bench.restore(output.workflow or Path(output.path).name, output.path, self._found(output, changed or {}))

    def use_part(self, output: Output, part: str) -> None:
        """Its prompt or its seed into the form that lies open."""
        if self._bench.current is None:
            self.use(output)
            return
        self._desk.workspaces.show("create")
        from comfydesk.session.gallery.reuse import Scope

        done = partial(self._carry, scope=Scope(part))
        self._tasks.start(self._session.gallery.detail(output.id), done=done, failed=self._tell)

    def _carry(self, detail: "Detail | None", scope: "Scope") -> None:
        from comfydesk.session.gallery.reuse import carried

        current = self._bench.current
        if detail is None or current is None:
            return
        values = carried(current.form, detail.settings, scope)
        if not values:
            self._desk.toasts.tell(tr("There is nothing of it that this form takes"), "", tone="warning")
            return
        form = self._desk.generation.form
        for field, value in values.items():
            form.set_value(field, value)
            form.set_locked(field, True)  # seeds; there is nothing to lock elsewhere
        self._bench.keep(form.values())

    async def _found(self, output: Output, changed: Mapping[str, Any]) -> Found:
        """The workflow on the shelf, as long as it still has all that was set; else exactly what was run."""
        gallery, session = self._session.gallery, self._session
        try:
            recipe = await gallery.recipe(output.id)
        except KnownError:
            return await session.open_workflow(Path(output.path)), dict(changed)
        values = {**recipe.values, **changed}
        entry = self._desk.workflows.entry(recipe.workflow_id) if recipe.workflow_id else None
        if entry is not None:
            opened = await session.open_workflow(entry)
            if not opened.form.fields or set(values) <= set(opened.form.by_id):
                return opened, values
        return await session.open_workflow(recipe.source, name=recipe.name), values

    # --- More of it -------------------------------------------------------------------------------------------------

    def offer_variations(self, output: Output, at: QPoint | None = None) -> None:
        """How many, in a menu."""
        self.menu.clear()
        for count in VARIATIONS:
            words = tr_n("{n} variation", "{n} variations", count)
            self.menu.add(words, "dice").triggered.connect(partial(self._on_count, output, count))
        act = self.menu.add(tr("Neighbours in seed"), "sort")
        act.triggered.connect(lambda: self.make_neighbours(output))
        self.menu.popup(at or QCursor.pos())

    def _on_count(self, output: Output, count: int, _checked: bool = False) -> None:
        self.vary(output, count)

    def vary(self, output: Output, count: int) -> None:
        """The same with new seeds, into the queue."""
        self._tasks.start(self._vary(output, count), done=self._tell_queued, failed=self._tell)

    def make_neighbours(self, output: Output) -> None:
        """The seeds around its own."""
        self._tasks.start(self._neighbours(output), done=self._tell_queued, failed=self._tell)

    async def _vary(self, output: Output, count: int) -> int:
        from comfydesk.session.gallery.reuse import variations

        session = self._session
        recipe = await session.gallery.recipe(output.id)
        opened = await session.open_workflow(recipe.source, name=recipe.name)
        return len((await session.queue.enqueue_batch(opened, variations(recipe, opened.form, count))).jobs)

    async def _neighbours(self, output: Output) -> int:
        from comfydesk.session.gallery.reuse import neighbours

        session = self._session
        recipe = await session.gallery.recipe(output.id)
        opened = await session.open_workflow(recipe.source, name=recipe.name)
        batch = neighbours(recipe, opened.form, output.seed or 0, REACH)
        return len((await session.queue.enqueue_batch(opened, batch)).jobs)

    def _tell_queued(self, count: int) -> None:
        self._desk.toasts.tell(tr_n("{n} job queued", "{n} jobs queued", count), "", tone="success")

    # --- Elsewhere --------------------------------------------------------------------------------------------------

    def send(self, output: Output, at: QPoint | None = None) -> None:
        """To a workflow that takes such a file: which one, in a menu."""
        from comfydesk.session.gallery.reuse import takers

        found = takers(self._desk.workflows.entries(), output.media)
        if not found:
            self._desk.toasts.tell(tr("No workflow takes such a file"), "", tone="warning")
            return
        self.menu.clear()
        for entry in found[:_MOST_TAKERS]:
            self.menu.add(entry.name, "send").triggered.connect(partial(self._on_taker, output, entry))
        self.menu.popup(at or QCursor.pos())

    def _on_taker(self, output: Output, entry: "WorkflowEntry", _checked: bool = False) -> None:
        self.send_to(output, entry)

    def send_to(self, output: Output, entry: "WorkflowEntry") -> None:
        """Open `entry` with the file in its input."""
        self._desk.workspaces.show("create")
        self._bench.restore(entry.name, entry.id, self._sent(output, entry))

    async def _sent(self, output: Output, entry: "WorkflowEntry") -> Found:
        from comfydesk.session.gallery.reuse import input_for

        opened = await self._session.open_workflow(entry)
        field = input_for(opened.form, output.media)
        return opened, {} if field is None else {field.id: Path(output.path)}

    def open_in_browser(self, output: Output) -> None:
        """ComfyUI's own window. It opens the workflow of a file that is dragged onto it."""
        pods = {pod.id: pod.url for pod in self._session.pods() if pod.url}
        current = self._session.current_pod
        url = pods.get(output.pod) or ("" if current is None else current.url)
        if not url:
            self._desk.toasts.tell(tr("Connect to a pod first"), "", tone="warning")
            return
        QDesktopServices.openUrl(QUrl(url))
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(Path(output.path).parent)))
        self._desk.toasts.tell(tr("Drag the file into ComfyUI"), tr("It opens the workflow that the file carries."))

    def outline(self, output: Output) -> None:
        """The graph as a list, on a page."""
        show = partial(self._show_outline, output)
        self._tasks.start(self._session.gallery.outline(output.id), done=show, failed=self._tell)

    def _show_outline(self, output: Output, nodes: "tuple[OutlineNode, ...]") -> None:
        from comfydesk.qt.dialogs.outline import OutlinePage

        self.page = OutlinePage(self._desk.theme, output.workflow or Path(output.path).name, nodes)
        self.page.browser.clicked.connect(lambda: self.open_in_browser(output))
        self._desk.pages.open(self.page)

    def _tell(self, error: KnownError) -> None:
        self._desk.toasts.tell_error(error)
