"""The language models of this computer: those that were downloaded, and files that are somewhere already.

In the folder: `<id>.gguf` (whole, its hash was right), `<id>.gguf.part` (a download so far), `<id>.gguf.broken` (its
hash was wrong), and `added.json` with the files elsewhere, which are never touched.
"""

import contextlib
import json
import re
from dataclasses import dataclass
from pathlib import Path

from comfydesk.disk import write_whole
from comfydesk.errors import LlmModelError, StoreError
from comfydesk.llm.gguf import read_header
from comfydesk.llm.models import CURATED, CuratedModel, curated

_ADDED = "added.json"


@dataclass(frozen=True, slots=True)
class LocalModel:
    """A model that can be loaded. `curated` None: a file that the user added."""

    id: str
    title: str
    path: Path
    size: int
    curated: CuratedModel | None = None


class Shelf:
    """`folder` need not exist. All calls are short, and raise KnownError."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def target(self, model: CuratedModel) -> Path:
        """Where a download ends."""
        return self.folder / f"{model.id}.gguf"

    def part(self, model: CuratedModel) -> Path:
        """What there is of it so far."""
        return self.folder / f"{model.id}.gguf.part"

    def models(self) -> tuple[LocalModel, ...]:
        """What is there: curated ones in their order, then added ones."""
        found = [
            LocalModel(model.id, model.title, self.target(model), model.size, model)
            for model in CURATED
            if self.target(model).is_file()
        ]
        for name, path in self._added().items():
            with contextlib.suppress(OSError):
                found.append(LocalModel(name, path.stem, path, path.stat().st_size))
        return tuple(found)

    def find(self, model_id: str) -> LocalModel | None:
        """The model of that id; with "", the first there is."""
        return next((model for model in self.models() if model_id in ("", model.id)), None)

    def add(self, path: Path) -> LocalModel:
        """Use a GGUF file where it lies. Raises LlmModelError for what cannot answer."""
        path = path.expanduser().absolute()
        header = read_header(path)
        if not header.is_text_model:
            why = f"it is a {header.architecture or 'nameless'} file, not a language model"
            what = f"{path.name} cannot improve prompts"
            raise LlmModelError(what, why, "Choose another GGUF file")
        added = self._added()
        for name, known in added.items():
            if known == path:
                return LocalModel(name, path.stem, path, header.size)
        name = _new_id(path.stem, {*added, *(model.id for model in CURATED)})
        self._write({**added, name: path})
        return LocalModel(name, header.name or path.stem, path, header.size)

    def remove(self, model_id: str) -> LocalModel | None:
        """Delete a downloaded model with all that is left of its downloads, or forget an added file.

        Returns what there was; None: only parts of it, or nothing. Raises UsageError for an id that is none.
        """
        there = next((model for model in self.models() if model.id == model_id), None)
        added = self._added()
        if model_id in added:
            self._write({name: path for name, path in added.items() if name != model_id})
            return there
        target = self.target(curated(model_id))
        try:
            for path in (target, *(target.with_name(target.name + end) for end in (".part", ".broken"))):
                path.unlink(missing_ok=True)
        except OSError as error:
            what = f"{target.name} cannot be deleted"
            raise StoreError(what, error.strerror or "", "Unload the model first") from None
        return there

    def _added(self) -> dict[str, Path]:
        try:
            listed = json.loads((self.folder / _ADDED).read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return {}
        if not isinstance(listed, dict):
            return {}
        return {name: Path(path) for name, path in listed.items() if isinstance(path, str)}

    def _write(self, added: dict[str, Path]) -> None:
        listed = json.dumps({name: str(path) for name, path in added.items()}, indent=1)
        write_whole(self.folder / _ADDED, listed.encode(), what="The list of language models cannot be saved")


def _new_id(stem: str, taken: set[str]) -> str:
    base = re.sub(r"[^a-z0-9.]+", "-", stem.casefold()).strip("-.")[:60] or "model"
    if base in taken or not re.search(r"[a-z0-9]", base):
        base = f"my-{base}"
    name, number = base, 2
    while name in taken:
        name, number = f"{base}-{number}", number + 1
    return name
