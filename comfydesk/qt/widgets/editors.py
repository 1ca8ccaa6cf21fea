"""Which editor a field gets. A new kind of editor is one line in `make_editor`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from comfydesk.qt.models.thumbnails import Thumbnails
from comfydesk.qt.theme import Theme
from comfydesk.qt.widgets.choice_combo import ChoiceEditor
from comfydesk.qt.widgets.color_editor import ColorEditor
from comfydesk.qt.widgets.drop_files import MEDIA
from comfydesk.qt.widgets.drop_zone import DropZone
from comfydesk.qt.widgets.editor import Editor
from comfydesk.qt.widgets.form_help import FormHelp
from comfydesk.qt.widgets.json_editor import JsonEditor
from comfydesk.qt.widgets.model_picker import ModelInfos, ModelPicker, no_info
from comfydesk.qt.widgets.number_row import NumberRow
from comfydesk.qt.widgets.numbers import Number, Range
from comfydesk.qt.widgets.prompt_editor import PromptEditor
from comfydesk.qt.widgets.seed_row import LARGEST, SeedRow
from comfydesk.qt.widgets.switch import BoolEditor
from comfydesk.qt.widgets.text_line import TextLine
from comfydesk.workflow.fields import Field, Kind, Role


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What editors may ask: pictures of files, facts on models, where pasted pictures go."""

    thumbnails: Thumbnails | None = None
    infos: ModelInfos = no_info
    pasted: Path | None = None
    help: FormHelp | None = None


_SPANS: dict[Role, tuple[Number, Number]] = {
    Role.STEPS: (1, 50),
    Role.CFG: (0, 10),
    Role.DENOISE: (0, 1),
    Role.LENGTH: (1, 121),
    Role.FPS: (1, 60),
    Role.DURATION: (1, 60),
    Role.BATCH: (1, 16),
    Role.LORA_STRENGTH: (0, 1.25),
    Role.WIDTH: (64, 2048),
    Role.HEIGHT: (64, 2048),
}
"""What people use of a range that the catalog gives as "1 to 10000"; the slider covers this much."""
_WIDEST = 1000
"""A range of more steps than this is no use on a slider."""


def make_editor(theme: Theme, field: Field, value: Any, around: Surroundings) -> Editor:
    """The editor for `field`, showing `value` and named after the field."""
    editor = _make(theme, field, value, around)
    editor.set_name(field.label)
    return editor


def range_of(field: Field, *, strict: bool = False) -> Range:
    """The field's limits as the number editors take them."""
    return Range(field.kind is not Kind.FLOAT, field.minimum, field.maximum, field.step, strict)


def span_of(field: Field) -> tuple[Number, Number] | None:
    """What a slider for this field covers; None: no slider."""
    low, high = field.minimum, field.maximum
    usual = _SPANS.get(field.role) if field.role is not None else None
    if usual is not None:
        low = usual[0] if low is None else max(low, usual[0])
        high = usual[1] if high is None else min(high, usual[1])
        return (low, high) if low < high else None
    if low is None or high is None or low >= high:
        return None
    return (low, high) if (high - low) / range_of(field).increment <= _WIDEST else None


def _make(theme: Theme, field: Field, value: Any, around: Surroundings) -> Editor:
    match field.kind:
        case Kind.TEXT if field.multiline:
            return PromptEditor(theme, _text(value), help_=around.help)
        case Kind.TEXT:
            return TextLine(theme, _text(value))
        case Kind.INT | Kind.FLOAT:
            return _number(theme, field, value)
        case Kind.SEED:
            low, high = field.minimum, field.maximum
            return SeedRow(
                theme,
                value if isinstance(value, int) else 0,
                minimum=int(low) if low is not None else 0,
                maximum=int(high) if high is not None else LARGEST,
            )
        case Kind.BOOL:
            return BoolEditor(theme, bool(value))
        case Kind.CHOICE:
            return ChoiceEditor(theme, field.choices, value)
        case Kind.MODEL:
            return _model(theme, field, value, around)
        case Kind.IMAGE | Kind.VIDEO | Kind.AUDIO | Kind.MODEL3D:
            files = tuple(str(choice) for choice in field.choices)
            return DropZone(
                theme,
                MEDIA[field.kind],
                value,
                files=files,
                thumbnails=around.thumbnails,
                pasted=around.pasted,
                help_=around.help,
            )
        case Kind.COLOR:
            return ColorEditor(theme, _text(value))
        case Kind.OTHER:
            return JsonEditor(theme, value)


def _model(theme: Theme, field: Field, value: Any, around: Surroundings) -> ModelPicker:
    infos = around.infos if around.help is None else around.help.info
    picker = ModelPicker(
        theme,
        field.choices,
        value,
        folder=field.folder,
        infos=infos,
        thumbnails=around.thumbnails,
        favourites=around.help,
    )
    if around.help is not None:
        around.help.models_changed.connect(picker.refresh)
    return picker


def _number(theme: Theme, field: Field, value: Any) -> NumberRow:
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else 0
    return NumberRow(theme, range_of(field), number, span=span_of(field))


def _text(value: Any) -> str:
    return "" if value is None else str(value)
