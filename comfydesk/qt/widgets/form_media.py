"""The files of a form together: which can be exchanged, which want a mask, how they fit the size that is asked for."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets.drop_files import MEDIA, lacking, picture_size
from comfydesk.qt.widgets.form_blocks import MediaPart
from comfydesk.qt.widgets.form_help import FormHelp
from comfydesk.qt.widgets.form_part import FormPart
from comfydesk.workflow.fields import Form, Role

_SAME = 0.02
"""Shapes that differ by less are the same."""


def missing_files(form: Form, values: Mapping[str, Any]) -> dict[str, str]:
    """Field id → why the file there cannot be sent. Looks at names on this computer's disk."""
    found = {field.id: lacking(field, values.get(field.id)) for field in form.fields if field.kind in MEDIA}
    return {field_id: words for field_id, words in found.items() if words}


def fit_words(picture: tuple[int, int] | None, width: Any, height: Any) -> str:
    """How a picture goes into a job of that size; "" where either is not known."""
    if picture is None or not isinstance(width, int) or not isinstance(height, int) or min(width, height, *picture) < 1:
        return ""
    size = f"{width} \N{MULTIPLICATION SIGN} {height}"
    shape = picture[0] / picture[1] / (width / height)
    if abs(shape - 1) <= _SAME:
        return tr("Fits to {size}", size=size)
    return tr("Other shape: {size}", size=size)


class FormMedia:
    """Looks after the media parts of one form."""

    def __init__(self, help_: FormHelp | None, exchange: Callable[[str, str], None]) -> None:
        """`exchange` is given the ids of two fields whose values change places."""
        self._help, self._exchange = help_, exchange
        self._parts: list[MediaPart] = []
        self._masked: frozenset[str] = frozenset()
        self._sizes: dict[Path, tuple[int, int] | None] = {}

    def adopt(self, parts: Iterable[FormPart]) -> None:
        """The parts of a new form."""
        self._parts = [part for part in parts if isinstance(part, MediaPart)]
        for part in self._parts:
            part.set_masked(part.fields()[0].id in self._masked)
            partner = self._partner(part)
            part.set_partner(partner.fields()[0].label if partner is not None else "")
            part.swap_wanted.connect(self._swap)
            if self._help is not None:
                part.mask_wanted.connect(self._help.mask_wanted)

    def set_masked(self, fields: frozenset[str]) -> None:
        """Ids of the pictures that want a mask."""
        self._masked = fields
        for part in self._parts:
            part.set_masked(part.fields()[0].id in fields)

    def show_fit(self, form: Form, values: Mapping[str, Any]) -> None:
        """Say how each picture fits, where the form has one size."""
        widths, heights = form.with_role(Role.WIDTH), form.with_role(Role.HEIGHT)
        one = len(widths) == 1 and len(heights) == 1
        for part in self._parts:
            value = part.zone.value()
            known = one and part.zone.media == "image" and isinstance(value, Path)
            size = self._size(value) if known and isinstance(value, Path) else None
            part.zone.set_fit(fit_words(size, values.get(widths[0].id), values.get(heights[0].id)) if one else "")

    def _size(self, path: Path) -> tuple[int, int] | None:
        if path not in self._sizes:
            self._sizes = {**dict(list(self._sizes.items())[-8:]), path: picture_size(path)}
        return self._sizes[path]

    def _partner(self, part: MediaPart) -> MediaPart | None:
        """The next one of its kind, after the last one the first."""
        alike = [each for each in self._parts if each.zone.media == part.zone.media]
        return alike[(alike.index(part) + 1) % len(alike)] if len(alike) > 1 else None

    def _swap(self, field_id: str) -> None:
        part = next(each for each in self._parts if each.fields()[0].id == field_id)
        partner = self._partner(part)
        if partner is not None:
            self._exchange(field_id, partner.fields()[0].id)
