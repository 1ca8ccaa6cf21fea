"""The panel's form and the session: names to complete, what was written before, models, masks, pins and favourites."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import shiboken6
from PySide6.QtCore import QObject, QSize, QTimer
from PySide6.QtWidgets import QWidget

from comfydesk.errors import KnownError, StoreError
from comfydesk.qt.bridge.tasks import Tasks
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets.drop_zone import DropZone
from comfydesk.qt.widgets.file_popup import LibraryFile
from comfydesk.qt.widgets.model_picker import ModelInfo, short_name, subfolder
from comfydesk.qt.widgets.popup_list import Entry, PopupList
from comfydesk.qt.widgets.prompt_complete import spelled
from comfydesk.qt.window.bench import Bench
from comfydesk.qt.window.desk import Desk
from comfydesk.qt.window.presets import Presets
from comfydesk.session.shelves.presets import FILE_NAME, Pins, PresetBook, PresetFile
from comfydesk.workflow.fields import Field

if TYPE_CHECKING:
    from comfydesk.qt.dialogs.mask import MaskPage
    from comfydesk.session.session import Session
    from comfydesk.session.values import OpenWorkflow
    from comfydesk.workflow.catalog import Catalog

log = logging.getLogger(__name__)
AFTER_MS = 500
NEWEST = 60
"""Outputs that are offered to work from."""
MASKED = "masked"
"""Folder of pictures with a painted mask, below the data."""
_EMBEDDINGS = "embeddings"


class FormDesk(QObject):
    """Lives as long as the session does."""

    def __init__(
        self, desk: Desk, session: "Session", tasks: Tasks, bench: Bench, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._desk, self._session, self._tasks, self._bench = desk, session, tasks, bench
        self._panel = desk.generation
        self.book = PresetBook()
        self._file = PresetFile(desk.paths.data / FILE_NAME)
        self._saved: dict[str, Any] = self._file.load()
        self._writing = False
        self.book.take(self._saved)
        self._catalog: object = None
        self._page: MaskPage | None = None
        self._zone: DropZone | None = None
        self._list: PopupList | None = None
        self._timer = QTimer(self, singleShot=True, interval=AFTER_MS)
        self._timer.timeout.connect(self._save)
        self.presets = Presets(desk, bench, self.book, self)
        self.presets.changed.connect(self._timer.start)
        self._join()

    # --- Session → form ---------------------------------------------------------------------------------------------

    def refresh_pods(self) -> None:
        """The session says that something about its pods is new."""
        catalog, pod = self._session.catalog, self._session.current_pod
        if catalog is None or catalog is self._catalog or pod is None:
            return
        self._catalog = catalog
        self._panel.help.forget_models()
        self._panel.help.set_names({"lora": _loras(catalog), "wildcard": _wildcards(catalog)})

        def show(names: tuple[str, ...]) -> None:
            self._panel.help.set_names({"embedding": tuple(spelled("embedding", name) for name in names)})

        self._tasks.start(
            self._session.models.names(pod.id, _EMBEDDINGS), done=show, failed=lambda error: log.info("%s", error)
        )

    def flush(self) -> None:
        """Write down what is not yet, at once: the window closes."""
        self._timer.stop()
        kept = self.book.dump()
        if kept != self._saved:
            try:
                self._file.save(kept)
                self._saved = kept
            except StoreError as error:
                log.warning("%s", error)

    # --- What editors ask -------------------------------------------------------------------------------------------

    def _tell_history(self, kind: str, words: str, answer: Callable[[tuple[str, ...]], None]) -> None:
        parts = words.casefold().split()

        def tell(texts: tuple[str, ...]) -> None:
            answer(tuple(text for text in texts if all(part in text.casefold() for part in parts)))

        self._tasks.start(self._session.gallery.texts(negative=kind == "negative"), done=tell)

    def _tell_outputs(self, media: str, answer: Callable[[tuple[LibraryFile, ...]], None]) -> None:
        self._tasks.start(self._newest(media), done=answer)

    async def _newest(self, media: str) -> tuple[LibraryFile, ...]:
        found = await self._session.outputs(NEWEST, search=f"type:{media}")
        return tuple(
            LibraryFile(output.path, Path(output.path).name, output.sha256, output.prompt[:200])
            for output in found
            if not output.missing
        )

    def _look_at_model(self, folder: str, name: str) -> None:
        pod = self._session.current_pod
        if pod is None or not pod.status.usable:
            return
        from comfydesk.session.shelves.models import PodModel

        def show(path: Path | None) -> None:
            if path is not None:
                self._panel.help.set_info(folder, name, ModelInfo(preview=str(path)))

        self._tasks.start(self._session.models.preview(pod.id, PodModel(folder, name)), done=show)

    # --- Masks ------------------------------------------------------------------------------------------------------

    def paint_mask(self, zone: DropZone) -> None:
        """Open the page to paint on what is in `zone`."""
        from comfydesk.qt.dialogs.mask import SHOWN_EDGE, MaskPage
        from comfydesk.session.shelves.masks import mask_size, open_picture

        source = zone.value()
        if not isinstance(source, Path):
            return
        if self._page is None:
            self._page = MaskPage(self._desk.theme)
            self._page.accepted.connect(self._save_mask)
        page, self._zone = self._page, zone
        page.show_loading(source.name)
        self._desk.pages.open(page)
        self._tasks.start(
            asyncio.to_thread(open_picture, source, SHOWN_EDGE),
            done=lambda picture: page.show_picture(picture, mask_size(picture.size)) if self._zone is zone else None,
            failed=page.show_error,
        )

    def _save_mask(self, mask: bytes, size: QSize) -> None:
        from comfydesk.session.shelves.masks import write_masked

        page, zone = self._page, self._zone
        assert page is not None
        source = zone.value() if zone is not None and shiboken6.isValid(zone) else None
        if zone is None or not isinstance(source, Path):
            what = tr("The input that this mask was for is gone")
            page.show_error(KnownError(what, tr("Another workflow was opened"), tr("Choose the picture again")))
            return

        def put(path: Path) -> None:
            page.finished()
            self._desk.pages.close(page)
            if shiboken6.isValid(zone):
                zone.offer(path)

        folder = self._desk.paths.data / MASKED
        work = asyncio.to_thread(write_masked, source, mask, (size.width(), size.height()), folder)
        self._tasks.start(work, done=put, failed=page.show_error)

    # --- Pins and changes -------------------------------------------------------------------------------------------

    def pin(self, field_id: str, pinned: bool) -> None:
        """Put a field of the open workflow on the first screen, or take it away from there."""
        open_ = self._panel.workflow
        if open_ is not None:
            self.book.set_pins(open_.id, self.book.pins(open_.id).with_(field_id, pinned))
            self._show_again()

    def reset_pins(self) -> None:
        """The first screen as it was made."""
        open_ = self._panel.workflow
        if open_ is not None:
            self.book.set_pins(open_.id, Pins())
            self._show_again()

    def ask_pin(self, pinned: bool) -> None:
        """Let a field be chosen: one to pin, or one to take away."""
        fields = [field for field in self._panel.form.form().fields if field.pinned is not pinned]
        name = tr("Put on the first screen") if pinned else tr("Move to All inputs")
        entries = tuple(Entry(field.label, field.group or field.id) for field in fields)
        self._offer(name, entries, lambda at: self.pin(fields[at].id, pinned))

    def show_changed(self) -> None:
        """Let one of the changed fields be chosen, and go there."""
        form = self._panel.form
        values = form.values()
        fields = [form.form().by_id[field_id] for field_id in form.changed()]
        entries = tuple(Entry(field.label, _change(field, values[field.id])) for field in fields)
        self._offer(tr("Changed values"), entries, lambda at: form.reveal(fields[at].id))

    def ask_lora(self, button: QWidget) -> None:
        """Let one of the pod's LoRAs be chosen; it goes into the workflow."""
        from comfydesk.workflow.add_lora import loras_of

        catalog = self._session.catalog
        names = () if catalog is None else loras_of(catalog)

        def add(at: int) -> None:
            self._bench.keep(self._panel.form.values())
            self._bench.add_lora(names[at])

        entries = tuple(Entry(short_name(name), subfolder(name)) for name in names)
        self._offer(tr("Add a LoRA"), entries, add, button)

    def _offer(
        self, name: str, entries: tuple[Entry, ...], take: Callable[[int], None], at: QWidget | None = None
    ) -> None:
        if self._list is not None:
            self._list.deleteLater()
        self._list = PopupList(self._desk.theme, name, self._panel)
        self._list.picked.connect(take)
        self._list.open_at(at or self._panel.head, entries, -1)

    def _show_again(self) -> None:
        self._timer.start()
        self._bench.keep(self._panel.form.values())
        self._bench.show_again()

    # --- Inside -----------------------------------------------------------------------------------------------------

    def _join(self) -> None:
        panel, help_ = self._panel, self._panel.help
        panel.pins_of = self._pins_of
        help_.set_favourites(self.book.favourites)
        help_.history_wanted.connect(self._tell_history)
        help_.outputs_wanted.connect(self._tell_outputs)
        help_.mask_wanted.connect(self.paint_mask)
        help_.lora_wanted.connect(self.ask_lora)
        help_.starred.connect(self._on_starred)
        help_.model_wanted.connect(self._look_at_model)
        panel.shown.connect(self._on_shown)
        panel.menu.addSeparator()
        for words, slot in (
            (tr("Changed values\N{HORIZONTAL ELLIPSIS}"), self.show_changed),
            (tr("Put an input on the first screen\N{HORIZONTAL ELLIPSIS}"), lambda: self.ask_pin(True)),
            (tr("Move an input to All inputs\N{HORIZONTAL ELLIPSIS}"), lambda: self.ask_pin(False)),
            (tr("The first screen as it was made"), self.reset_pins),
        ):
            panel.menu.add(words).triggered.connect(lambda _=False, slot=slot: slot())
        self._desk.window.closed.connect(self.flush)

    def _pins_of(self, workflow: str) -> tuple[frozenset[str], frozenset[str]]:
        pins = self.book.pins(workflow)
        return pins.pinned, pins.unpinned

    def _on_starred(self, _folder: str, _name: str, _on: bool) -> None:
        self.book.favourites = self._panel.help.favourites
        self._timer.start()

    def _on_shown(self, workflow: "OpenWorkflow") -> None:
        locks = self.book.locks(workflow.id)
        for field_id, editor in self._panel.form.texts().items():
            editor.set_locked(locks.get(field_id, ()))
            editor.locks_changed.connect(self._keeps(workflow.id, field_id))
        self.presets.refresh()

    def _keeps(self, workflow: str, field_id: str) -> Callable[[Iterable[str]], None]:
        def keep(phrases: Iterable[str]) -> None:
            self.book.set_locks(workflow, field_id, tuple(phrases))
            self._timer.start()

        return keep

    def _save(self) -> None:
        kept = self.book.dump()
        if self._writing or kept == self._saved:
            return
        self._writing = True
        self._tasks.start(self._write(kept), failed=lambda error: log.warning("%s", error))

    async def _write(self, kept: dict[str, Any]) -> None:
        try:
            await asyncio.to_thread(self._file.save, kept)
            self._saved = kept
        finally:
            self._writing = False
        self._save()  # what changed meanwhile


def _change(field: Field, value: Any) -> str:
    """From what to what, in a few words."""
    before, now = (" ".join(str(each)[:60].split()) for each in (field.default, value))
    return tr("{before} \N{RIGHTWARDS ARROW} {now}", before=before or tr("empty"), now=now or tr("empty"))


def _loras(catalog: "Catalog") -> tuple[str, ...]:
    """As prompts name them."""
    found: dict[str, None] = {}
    for class_ in ("LoraLoader", "LoraLoaderModelOnly"):
        node = catalog.nodes.get(class_)
        for entry in node.inputs if node is not None else ():
            if entry.folder == "loras":
                found.update((spelled("lora", str(choice)), None) for choice in entry.choices)
    return tuple(found)


def _wildcards(catalog: "Catalog") -> tuple[str, ...]:
    """Those that the pod's own nodes for wildcards offer in a list."""
    found: dict[str, None] = {}
    for name in catalog.nodes:
        if "wildcard" in name.lower():
            for entry in catalog.nodes[name].inputs:
                names = (choice for choice in entry.choices if isinstance(choice, str) and choice.startswith("__"))
                found.update((choice.strip("_"), None) for choice in names)
    return tuple(sorted(found))
