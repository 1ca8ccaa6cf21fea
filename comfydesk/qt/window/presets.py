"""Presets of the open workflow: saved, recalled, renamed, deleted, shared as a file."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog

from comfydesk.errors import KnownError, StoreError
from comfydesk.qt.dialogs.name import NameSheet
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets.menu import Menu
from comfydesk.qt.window.bench import Bench
from comfydesk.qt.window.desk import Desk
from comfydesk.session.shelves.presets import (
    MAX_BYTES,
    SUFFIX,
    Preset,
    PresetBook,
    clean_name,
    export_preset,
    import_preset,
)

if TYPE_CHECKING:
    from comfydesk.session.values import OpenWorkflow

ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"


class Presets(QObject):
    """`changed`: the book is another."""

    changed = Signal()

    def __init__(self, desk: Desk, bench: Bench, book: PresetBook, parent: QObject) -> None:
        super().__init__(parent)
        self._desk, self._bench, self._book = desk, bench, book
        self._panel = desk.generation
        self._button = desk.generation.head.presets
        self._current: dict[str, str] = {}
        """Workflow id → the preset that was recalled or saved last."""
        self.menu = Menu(desk.theme, tr("Presets"), parent=desk.generation)
        self._button.clicked.connect(self._open)
        self._button.setAccessibleName(tr("Presets"))

    def refresh(self) -> None:
        """The button says which one is in force."""
        name = self._name()
        self._button.setText(name or tr("Presets"))
        self._button.setAccessibleName(tr("Preset {name}", name=name) if name else tr("Presets"))
        open_ = self._panel.workflow
        ready = open_ is not None and bool(open_.form.fields)
        self._button.set_blocked("" if ready else tr("The form of this workflow is not known yet"))

    # --- Commands ---------------------------------------------------------------------------------------------------

    def recall(self, name: str) -> None:
        """Fill the form as it was; what the preset does not name is the workflow's own again."""
        open_ = self._panel.workflow
        preset = self._find(name)
        if open_ is None or preset is None:
            return
        form = self._panel.form
        values = {field.id: field.default for field in open_.form.fields} | dict(preset.values)
        form.set_values(values)
        for field in open_.form.fields:
            form.set_locked(field.id, field.id in preset.locked)
        self._panel.footer.count.set_value(preset.count)
        self._panel.tell_count()
        self._current[open_.id] = name
        self._panel.values_changed.emit(form.values())
        self.refresh()

    def save(self, name: str) -> None:
        """Keep what is in the form under `name`, in place of what was kept under it."""
        open_ = self._panel.workflow
        if open_ is None:
            return
        form = self._panel.form
        values = form.values()
        changed = {field_id: values[field_id] for field_id in form.changed()}
        preset = Preset(clean_name(name), changed, tuple(form.locked_seeds()), self._panel.footer.count.value())
        self._put(open_, preset)

    def rename(self, name: str, new: str) -> None:
        open_ = self._panel.workflow
        if open_ is None:
            return
        try:
            self._book.rename(open_.id, name, new)
        except KnownError as error:
            self._panel.banner.tell_error(error)
            return
        self._current[open_.id] = clean_name(new)
        self.changed.emit()
        self.refresh()

    def delete(self, name: str) -> None:
        """Take it away; the toast brings it back."""
        open_ = self._panel.workflow
        preset = self._book.remove(open_.id, name) if open_ is not None else None
        if open_ is None or preset is None:
            return
        self._current.pop(open_.id, None)
        undo = tr("Undo")
        toast = self._desk.toasts.tell(tr("Preset {name} deleted", name=name), actions=(undo,))
        toast.acted.connect(lambda _: self._put(open_, preset))
        self.changed.emit()
        self.refresh()

    def share(self, name: str, path: Path) -> None:
        """Write it to a file."""
        open_, preset = self._panel.workflow, self._find(name)
        if open_ is None or preset is None:
            return
        try:
            path.write_bytes(export_preset(preset, open_.name))
        except OSError as error:
            what = tr("{name} cannot be saved", name=path.name)
            self._panel.banner.tell_error(StoreError(what, error.strerror or str(error)))
            return
        self._desk.toasts.tell(tr("Saved {name}", name=path.name), tr("Files of this computer are not in it."))

    def take_in(self, path: Path) -> None:
        """Read a shared one and fill it in."""
        open_ = self._panel.workflow
        if open_ is None:
            return
        try:
            with path.open("rb") as file:
                preset, made_for = import_preset(file.read(MAX_BYTES + 1), open_.form)
        except OSError as error:
            what = tr("{name} cannot be read", name=path.name)
            self._panel.banner.tell_error(StoreError(what, error.strerror or str(error)))
            return
        except KnownError as error:
            self._panel.banner.tell_error(error)
            return
        self._put(open_, preset)
        self.recall(preset.name)
        if made_for and made_for != open_.name:
            self._desk.toasts.tell(
                tr("Preset {name} taken in", name=preset.name), tr("It was made for {workflow}.", workflow=made_for)
            )

    # --- Menu and questions -----------------------------------------------------------------------------------------

    def _open(self) -> None:
        menu, name = self.menu, self._name()
        menu.clear()
        open_ = self._panel.workflow
        presets = self._book.presets(open_.id) if open_ is not None else ()
        for preset in presets:
            icon = "check-small" if preset.name == name else "preset"
            menu.add(preset.name.replace("&", "&&"), icon).triggered.connect(partial(self._recall, preset.name))
        if presets:
            menu.addSeparator()
        menu.add(tr("Save as a preset") + ELLIPSIS, "save").triggered.connect(lambda _=False: self.ask_name())
        none = "" if name else tr("Pick one first")
        menu.add(tr("Save again"), "refresh", reason=none).triggered.connect(lambda _=False: self.save(name))
        menu.add(tr("Rename") + ELLIPSIS, "edit", reason=none).triggered.connect(lambda _=False: self.ask_new_name())
        menu.add(tr("Delete"), "trash", reason=none).triggered.connect(lambda _=False: self.delete(name))
        menu.addSeparator()
        menu.add(tr("Share as a file") + ELLIPSIS, "upload", reason=none).triggered.connect(
            lambda _=False: self._ask_target(name)
        )
        menu.add(tr("Take in a file") + ELLIPSIS, "download").triggered.connect(lambda _=False: self._ask_source())
        menu.popup(self._button.mapToGlobal(self._button.rect().bottomLeft()))

    def _recall(self, name: str, _checked: bool = False) -> None:
        self.recall(name)

    def ask_name(self) -> None:
        sheet = NameSheet(self._desk.theme, tr("Save as a preset"), tr("Name"), self._desk.window)
        sheet.named.connect(self.save)
        sheet.open()

    def ask_new_name(self) -> None:
        name = self._name()
        sheet = NameSheet(self._desk.theme, tr("Rename the preset"), tr("Name"), self._desk.window, name)
        sheet.named.connect(lambda new: self.rename(name, new))
        sheet.open()

    def _ask_target(self, name: str) -> None:
        safe = "".join(sign if sign.isalnum() or sign in " -_" else "_" for sign in name)
        dialog = QFileDialog(self._desk.window, tr("Share as a file"), f"{safe}{SUFFIX}", f"*{SUFFIX}")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.fileSelected.connect(lambda chosen: self.share(name, Path(chosen)))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _ask_source(self) -> None:
        dialog = QFileDialog(self._desk.window, tr("Take in a file"), "", "*.json")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(lambda chosen: self.take_in(Path(chosen)))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    # --- Inside -----------------------------------------------------------------------------------------------------

    def _put(self, open_: "OpenWorkflow", preset: Preset) -> None:
        self._book.put(open_.id, preset)
        self._current[open_.id] = preset.name
        self.changed.emit()
        self.refresh()

    def _name(self) -> str:
        open_ = self._panel.workflow
        return self._current.get(open_.id, "") if open_ is not None else ""

    def _find(self, name: str) -> Preset | None:
        open_ = self._panel.workflow
        presets = self._book.presets(open_.id) if open_ is not None else ()
        return next((each for each in presets if each.name == name), None)
