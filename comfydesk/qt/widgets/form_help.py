"""What the editors of a form ask of the rest of the window: names to complete, what was used before, facts on models.

Empty until somebody fills it: a form works without any of it.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from PySide6.QtCore import QObject, Signal

from comfydesk.qt.widgets.model_picker import ModelInfo
from comfydesk.qt.widgets.prompt_complete import Name

TextKind = Literal["prompt", "negative", "text"]
"""Which texts of the library a field of text is like."""


class FormHelp(QObject):
    """One for the window's form; lives as long as the panel."""

    names_changed = Signal()
    """Names to complete are others."""
    models_changed = Signal()
    """More is known of models, or another one is a favourite."""
    history_wanted = Signal(str, str, object)
    """TextKind, words to search for, and an answer to call with a tuple of texts, the last used first."""
    outputs_wanted = Signal(str, object)
    """A kind of media, and an answer to call with a tuple of LibraryFile, the newest first."""
    model_wanted = Signal(str, str)
    """Folder and name of a model that is looked at: its picture is asked for."""
    starred = Signal(str, str, bool)
    """Folder, name, and whether it is a favourite from now on."""
    mask_wanted = Signal(object)
    """A DropZone whose picture is to be painted on."""
    lora_wanted = Signal(object)
    """One more LoRA is to be added: the button that was pressed, to offer them at."""
    no_lora: str | None = None
    """Why none can be added to the workflow of the form, "" where one can; None: it is not offered."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._names: dict[Name, tuple[str, ...]] = {}
        self._favourites: frozenset[tuple[str, str]] = frozenset()
        self._infos: dict[tuple[str, str], ModelInfo] = {}
        self._asked: set[tuple[str, str]] = set()

    # --- Names ----------------------------------------------------------------------------------------------------

    def names(self, kind: Name) -> tuple[str, ...]:
        """What can be completed, as a prompt spells it."""
        return self._names.get(kind, ())

    def set_names(self, names: Mapping[Name, Sequence[str]]) -> None:
        """Of these kinds; the others stay."""
        given = {kind: tuple(found) for kind, found in names.items()}
        if any(self._names.get(kind) != found for kind, found in given.items()):
            self._names.update(given)
            self.names_changed.emit()

    # --- History --------------------------------------------------------------------------------------------------

    def ask_history(self, kind: TextKind, words: str, answer: Callable[[tuple[str, ...]], None]) -> None:
        """Texts of that kind that were used, the last one first. The answer may come late, or never."""
        self.history_wanted.emit(kind, words, answer)

    # --- Models ---------------------------------------------------------------------------------------------------

    def info(self, folder: str, name: str) -> ModelInfo | None:
        """What is known of a model; asked for when it is looked at for the first time."""
        key = (folder, name)
        if key not in self._asked:
            self._asked.add(key)
            self.model_wanted.emit(folder, name)
        return self._infos.get(key)

    def set_info(self, folder: str, name: str, info: ModelInfo) -> None:
        if self._infos.get((folder, name)) != info:
            self._infos[folder, name] = info
            self.models_changed.emit()

    def forget_models(self) -> None:
        """Another pod has others."""
        self._infos.clear()
        self._asked.clear()
        self.models_changed.emit()

    @property
    def favourites(self) -> frozenset[tuple[str, str]]:
        """(folder, name) of models."""
        return self._favourites

    def is_favourite(self, folder: str, name: str) -> bool:
        return (folder, name) in self._favourites

    def set_favourites(self, favourites: frozenset[tuple[str, str]]) -> None:
        """(folder, name) of all of them."""
        if favourites != self._favourites:
            self._favourites = favourites
            self.models_changed.emit()

    def star(self, folder: str, name: str, on: bool) -> None:
        """The user's wish; who fills this keeps it."""
        one = frozenset({(folder, name)})
        self.set_favourites(self._favourites | one if on else self._favourites - one)
        self.starred.emit(folder, name, on)
