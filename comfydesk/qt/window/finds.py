"""What the palette finds beyond commands and settings: workflows, pods, what was made lately."""

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets.palette_popup import PaletteLine
from comfydesk.qt.window.bench import Bench
from comfydesk.qt.window.browse_memory import remember
from comfydesk.qt.window.desk import Desk
from comfydesk.qt.window.memory import FILE_NAME, Memory
from comfydesk.qt.window.palette import Entry
from comfydesk.qt.window.pods import PodDesk

if TYPE_CHECKING:
    from comfydesk.session.session import Session
    from comfydesk.session.values import WorkflowEntry

RECENT_OUTPUTS = 200
MEDIA_ICONS = {"image": "image", "video": "video", "audio": "audio"}


class Finds(QObject):
    """Lives as long as the session does: gives the palette what is in it, and remembers where one was."""

    def __init__(self, desk: Desk, session: "Session", bench: Bench, pods: PodDesk, parent: QObject) -> None:
        super().__init__(parent)
        self._desk, self._session, self._bench, self._pods = desk, session, bench, pods
        for source in (self._workflows, self._pod_entries, self._outputs):
            desk.palette.add_source(source)
        desk.pod_facts = self._pod_facts
        self.memory = Memory(desk.window.places, desk.paths.data / FILE_NAME, self)
        self._remember()
        desk.window.closed.connect(self.memory.close)

    def _remember(self) -> None:
        desk, memory = self._desk, self.memory
        remember(memory, desk)  # before the views: what is listed decides how far one can scroll
        memory.add_view("workflows", desk.browser.list)
        memory.add_view("outputs", desk.gallery.strip, lambda row: desk.outputs.listing.ids[row])
        memory.begin()

    def _workflows(self) -> Iterable[Entry]:
        for entry in self._desk.workflows.entries():
            icon = MEDIA_ICONS.get(entry.card.output_types[0] if entry.card.output_types else "", "file")
            line = PaletteLine(entry.name, tr("Workflow"), icon)
            yield Entry(line, partial(self._open, entry), entry.card.description[:200])

    def _open(self, entry: "WorkflowEntry") -> None:
        self._desk.workspaces.show("create")
        self._bench.open(entry)

    def _pod_entries(self) -> Iterable[Entry]:
        for row in self._pods.rows():
            verb = "system" if row.current else "select" if row.connected else row.action or "connect"
            words = {
                "system": tr("System of {name}", name=row.name),
                "select": tr("Use {name}", name=row.name),
                "connect": tr("Connect to {name}", name=row.name),
            }.get(verb, f"{row.action_words}: {row.name}")
            line = PaletteLine(words, row.words or tr("Pod"), "pod")
            yield Entry(line, partial(self._pods.commands.act, row.id, verb), row.name)

    def _outputs(self) -> Iterable[Entry]:
        for output in self._desk.outputs.loaded(RECENT_OUTPUTS):
            words = output.prompt[:120] or Path(output.path).name
            line = PaletteLine(words, tr("Output"), MEDIA_ICONS.get(output.media, "file"))
            yield Entry(line, partial(self._desk.viewer.open, output.id), Path(output.path).name, weight=-8)

    def _pod_facts(self) -> tuple[str, ...]:
        """Kind of place and version of each connected pod; no name and no address."""
        facts = []
        for pod in self._session.pods():
            place = "address" if pod.profile is None else pod.profile.place.kind.value
            version = "" if pod.stats is None else tr(", ComfyUI {version}", version=pod.stats.version)
            state = "online" if pod.status.usable else "offline"
            facts.append(f"{'demo' if pod.id == 'demo' else place}, {state}{version}")
        return tuple(facts)
