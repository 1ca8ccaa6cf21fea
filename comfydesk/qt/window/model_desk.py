"""The models panel and the session's calls behind it: reading what the pod has, and a workflow that uses one."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from comfydesk.errors import KnownError
from comfydesk.qt.bridge.tasks import Tasks
from comfydesk.qt.docks.models import ModelsPanel
from comfydesk.qt.models.rows import WorkflowRow
from comfydesk.qt.theme.language import tr
from comfydesk.qt.window.bench import Bench
from comfydesk.qt.window.desk import Desk
from comfydesk.workflow.fields import Kind

if TYPE_CHECKING:
    from pathlib import Path

    from comfydesk.session.session import Session
    from comfydesk.session.shelves.models import PodModel
    from comfydesk.session.values import OpenWorkflow

MAKES = ("t2i", "i2i", "t2v", "i2v", "audio", "3d", "upscale")
"""Tasks in the order in which a model is tried out."""


class ModelDesk(QObject):
    """Reads the models when the panel is looked at, and again when the pod's list of nodes is another."""

    def __init__(self, desk: Desk, session: "Session", tasks: Tasks, bench: Bench, parent: QObject) -> None:
        super().__init__(parent)
        self._desk, self._session, self._tasks, self._bench = desk, session, tasks, bench
        self._read: tuple[str, int] | None = None
        self._use: tuple[str, PodModel] | None = None
        self.panel = ModelsPanel(desk.theme, desk.thumbnails)
        desk.browser.hold_models(self.panel)
        desk.browser.models_shown.connect(self._on_shown)
        self.panel.wanted.connect(self._again)
        self.panel.chosen.connect(self.use)
        self.panel.model.picture_wanted.connect(self._fetch_picture)

    def refresh(self) -> None:
        """The pod is another, or has other models."""
        if self._desk.browser.models_are_shown:
            self._on_shown()

    def use(self, model: "PodModel") -> None:
        """Open a ready workflow that takes such a model, with this one in it."""
        row = self._best_for(model)
        if row is None:
            what = tr("No workflow here uses models of {folder}", folder=model.folder)
            self._desk.toasts.tell(what, tr("Open one that does, and choose the model in its form."), tone="info")
            return
        self._use = (row.entry.id, model)
        self._bench.open(row.entry)

    def on_opened(self, opened: "OpenWorkflow") -> None:
        """Put the model in, if that is what it was opened for."""
        if self._use is None or self._use[0] != opened.id or not opened.form.fields:
            return
        model, self._use = self._use[1], None
        form = self._desk.generation.form
        for entry in opened.form.fields:
            if entry.kind is Kind.MODEL and entry.folder == model.folder and model.name in entry.choices:
                form.set_value(entry.id, model.name)
                self._bench.keep(form.values())
                return
        what = tr("{workflow} has no input for {name}", workflow=opened.name, name=model.name)
        self._desk.toasts.tell(what, tr("Choose another workflow."), tone="info")

    def _best_for(self, model: "PodModel") -> WorkflowRow | None:
        catalog = self._session.catalog
        if catalog is None:
            return None
        takes = {
            name
            for name in {name for row in self._desk.workflows.all_rows() for name in row.entry.card.node_types}
            if name in catalog.nodes
            and any(
                entry.folder == model.folder and model.name in entry.choices for entry in catalog.nodes[name].inputs
            )
        }
        fitting = [
            row
            for row in self._desk.workflows.all_rows()
            if row.entry.card.type in MAKES and takes.intersection(row.entry.card.node_types)
        ]
        return min(fitting, key=_rank, default=None)

    def _on_shown(self) -> None:
        pod = self._session.current_pod
        if pod is None or not pod.status.usable:
            self._read = None
            self.panel.show_waiting("")
        elif self._read != (pod.id, pod.catalog_version):
            self._read = (pod.id, pod.catalog_version)
            self._look(pod.id, pod.name)

    def _again(self) -> None:
        self._read = None
        self._on_shown()

    def _look(self, pod: str, name: str) -> None:
        def failed(error: KnownError) -> None:
            self._read = None
            self.panel.banner.tell_error(error)

        if not self.panel.model.total:
            self.panel.show_waiting(name)
        self._tasks.start(
            self._session.models.listing(pod), done=lambda models: self.panel.show_models(models, name), failed=failed
        )

    def _fetch_picture(self, model: "PodModel") -> None:
        pod = self._session.current_pod
        if pod is not None:

            def show(path: "Path | None") -> None:
                if path is not None:
                    self.panel.model.set_picture(model, str(path))

            self._tasks.start(self._session.models.preview(pod.id, model), done=show)


def _rank(row: WorkflowRow) -> tuple[object, ...]:
    ready = row.needs is not None and row.needs.ready
    return (not ready, MAKES.index(row.entry.card.type or ""), not row.starred, -row.used, row.entry.name.casefold())
