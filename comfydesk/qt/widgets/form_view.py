"""A workflow's form: the pinned fields as the design lays them out, everything else under "All inputs"."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QApplication, QFrame, QScrollArea, QVBoxLayout, QWidget

from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets.all_inputs import AllInputs
from comfydesk.qt.widgets.drop_zone import DropZone
from comfydesk.qt.widgets.editors import Surroundings, make_editor
from comfydesk.qt.widgets.form_blocks import MediaPart, NegativePart, PromptPart
from comfydesk.qt.widgets.form_media import FormMedia, missing_files
from comfydesk.qt.widgets.form_part import LABEL_WIDTH, FormPart, RowPart
from comfydesk.qt.widgets.form_plan import (
    Block,
    LorasBlock,
    MediaBlock,
    NegativeBlock,
    PairBlock,
    PromptBlock,
    RowBlock,
    SizeBlock,
    plan,
    shown_ids,
)
from comfydesk.qt.widgets.form_rows import LorasPart, PairPart, SizePart
from comfydesk.qt.widgets.plain import Line
from comfydesk.qt.widgets.prompt_editor import PromptEditor
from comfydesk.qt.widgets.seed_row import SeedRow
from comfydesk.workflow.fields import Field, Form, Kind, Role

WIDEST_LABEL = 104
REST_LABEL = 112
MARGIN = 16


class FormView(QScrollArea):
    """`values` is what the user has made of the form; it knows every field, on the screen or not.

    `value_changed` (field id, value) and then `values_changed` follow each change by the user. Values that are set
    from outside change the screen and emit nothing.
    """

    value_changed = Signal(str, object)
    values_changed = Signal()
    lock_changed = Signal(str, bool)
    """A seed is to be kept, or drawn anew for each job."""

    def __init__(
        self,
        theme: Theme,
        form: Form | None = None,
        values: Mapping[str, Any] | None = None,
        *,
        around: Surroundings | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.theme = theme
        self._around = around or Surroundings()
        self._form = Form()
        self._values: dict[str, Any] = {}
        self._problems: dict[str, str] = {}
        self._errors: dict[str, str] = {}
        self._parts: dict[str, FormPart] = {}
        self._all: AllInputs | None = None
        self._focused: FormPart | None = None
        self.media = FormMedia(self._around.help, self._exchange)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName(tr("Workflow form"))
        self.viewport().setAutoFillBackground(False)
        self.verticalScrollBar().rangeChanged.connect(self._measure)
        theme.changed.connect(self._measure)
        focus = QApplication.instance()
        if isinstance(focus, QApplication):
            focus.focusChanged.connect(self._focus_moved)
        self.set_form(form or Form(), values)

    # --- Values ---------------------------------------------------------------------------------------------------

    def form(self) -> Form:
        return self._form

    def set_form(self, form: Form, values: Mapping[str, Any] | None = None) -> None:
        """Show another form; fields that `values` does not name have their defaults."""
        for part in self._parts.values():
            part.blockSignals(True)  # a field that loses the focus now would speak for the new form
        self._form = form
        given = values or {}
        self._values = {field.id: given.get(field.id, field.default) for field in form.fields}
        self._problems, self._errors = {}, {}
        self._build()

    def values(self) -> dict[str, Any]:
        """Field id → value, of every field; what is being typed counts."""
        self.commit()
        return dict(self._values)

    def set_value(self, field_id: str, value: Any) -> None:
        """Show `value`. KeyError: no such field."""
        if field_id not in self._values:
            raise KeyError(field_id)
        self._put(field_id, value)
        self._count()

    def set_values(self, values: Mapping[str, Any]) -> None:
        """Show all of `values` that this form has fields for; the others are for another version of the workflow."""
        for field_id, value in values.items():
            if field_id in self._values:
                self._put(field_id, value)
        self._count()

    def _put(self, field_id: str, value: Any) -> None:
        self._values[field_id] = value
        part = self._parts.get(field_id)
        if part is not None:
            part.show_value(field_id, value)
        self._mark(field_id, count=False)

    def commit(self) -> None:
        """Take what is being typed, as Enter would."""
        for part in {id(part): part for part in self._parts.values()}.values():
            part.commit()

    def changed(self) -> tuple[str, ...]:
        """Fields whose value is not the workflow's own."""
        return tuple(field.id for field in self._form.fields if _differs(self._values[field.id], field.default))

    def reset(self, field_id: str) -> None:
        """Back to the workflow's own value, as the user's change."""
        field = self._form.by_id[field_id]
        self.set_value(field_id, field.default)
        self._tell(field_id, field.default)

    def reset_all(self) -> None:
        for field_id in self.changed():
            self.reset(field_id)

    # --- Messages -------------------------------------------------------------------------------------------------

    def set_error(self, field_id: str, message: str) -> None:
        """Show `message` under a field until its value changes; unfolds what hides it. "" takes it away."""
        if field_id not in self._values:
            return
        if message:
            self._errors[field_id] = message
        else:
            self._errors.pop(field_id, None)
        part = self._part(field_id) if message else self._parts.get(field_id)
        if part is not None:
            part.show_error(field_id, message or self._problems.get(field_id, ""))

    def set_errors(self, errors: Mapping[str, str]) -> None:
        """These and no others; the first one comes into view."""
        for field_id in tuple(self._errors):
            self.set_error(field_id, "")
        for field_id, message in errors.items():
            self.set_error(field_id, message)
        shown = next((field_id for field_id in errors if field_id in self._values), None)
        if shown is not None:
            self.reveal(shown)

    def problems(self) -> dict[str, str]:
        """Field id → why what is typed there is no value. Not empty: nothing should be generated yet."""
        return dict(self._problems)

    def missing_files(self) -> dict[str, str]:
        """Field id → why there is no file to send, as of now."""
        return missing_files(self._form, self._values)

    # --- Seeds ----------------------------------------------------------------------------------------------------

    def locked_seeds(self) -> frozenset[str]:
        """Seeds that every job takes as they are."""
        return frozenset(field_id for field_id, row in self._seed_rows().items() if row.locked)

    def set_locked(self, field_id: str, locked: bool) -> None:
        row = self._seed_rows().get(field_id)
        if row is not None:
            row.set_locked(locked)

    def set_last_seed(self, field_id: str, seed: int | None) -> None:
        """What "seed of the last job" brings back."""
        row = self._seed_rows().get(field_id)
        if row is not None:
            row.set_last(seed)

    def _seed_rows(self) -> dict[str, SeedRow]:
        found = {}
        for field_id, part in self._parts.items():
            editor = part.editor(field_id) if isinstance(part, RowPart) else None
            if isinstance(editor, SeedRow):
                found[field_id] = editor
        return found

    # --- Places ---------------------------------------------------------------------------------------------------

    def part(self, field_id: str) -> FormPart | None:
        """The row that shows a field, if it is built."""
        return self._parts.get(field_id)

    def prompt_part(self) -> PromptPart | None:
        """The first prompt: the place for Enhance."""
        for field in self._form.with_role(Role.PROMPT):
            part = self._parts.get(field.id)
            if isinstance(part, PromptPart):
                return part
        return None

    def texts(self) -> dict[str, PromptEditor]:
        """Field id → the editor of a prompt, of all that have a heading of their own."""
        return {
            field_id: part.prompt
            for field_id, part in self._parts.items()
            if isinstance(part, PromptPart | NegativePart)
        }

    def reveal(self, field_id: str) -> None:
        """Unfold, scroll to the field and give it the focus."""
        part = self._part(field_id)
        if part is not None:
            editor = part.editor(field_id)
            self.ensureWidgetVisible(editor)
            editor.setFocus(Qt.FocusReason.OtherFocusReason)

    def focus_prompt(self) -> None:
        """The prompt, or whatever comes first."""
        prompts = [field for field in self._form.with_role(Role.PROMPT) if field.id in self._parts]
        first = prompts[0].id if prompts else next(iter(self._parts), None)
        if first is not None:
            self.reveal(first)

    def all_inputs(self) -> AllInputs | None:
        """The fold below; None when the first screen shows everything."""
        return self._all

    @property
    def _no_lora(self) -> str | None:
        help_ = self._around.help
        return None if help_ is None else help_.no_lora

    def _want_lora(self, button: QWidget) -> None:
        if self._around.help is not None:
            self._around.help.lora_wanted.emit(button)

    # --- Building -------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        self._parts, self._all, self._focused = {}, None, None
        content = QWidget()
        self._column = QVBoxLayout(content)
        sections = plan(self._form, more_loras=bool(self._form.fields) and self._no_lora == "")
        for at, section in enumerate(sections):
            if at:
                self._column.addWidget(Line(self.theme))
            for block in section:
                self._add(self._make(block))
        self._align_labels()
        rest = tuple(field for field in self._form.fields if field.id not in shown_ids(sections))
        if rest:
            self._column.addWidget(Line(self.theme))
            self._all = AllInputs(self.theme, rest, self._make_row)
            self._all.built.connect(self._wire)
            self._column.addWidget(self._all)
        self._column.addStretch(1)
        self._measure()
        old = self.takeWidget()
        if old is not None:
            # Not at once: the new form may be the answer to a click in the old one.
            old.hide()
            old.deleteLater()
        self.setWidget(content)
        content.setAutoFillBackground(False)
        self.media.adopt({id(part): part for part in self._parts.values()}.values())
        self._count()

    def _make(self, block: Block) -> FormPart:
        theme, values = self.theme, self._values
        match block:
            case MediaBlock(field):
                zone = make_editor(theme, field, values[field.id], self._around)
                return MediaPart(theme, field, zone) if isinstance(zone, DropZone) else RowPart(theme, field, zone)
            case PromptBlock(field):
                return PromptPart(theme, field, values[field.id], self._around.help)
            case NegativeBlock(field):
                return NegativePart(theme, field, values[field.id], self._around.help)
            case SizeBlock(width, height):
                return SizePart(theme, width, height, (values[width.id], values[height.id]))
            case PairBlock(first, second):
                return PairPart(theme, first, second, (values[first.id], values[second.id]))
            case LorasBlock(loras):
                loras_part = LorasPart(theme, loras, values, self._no_lora)
                loras_part.wanted.connect(self._want_lora)
                return loras_part
            case RowBlock(field):
                return RowPart(theme, field, make_editor(theme, field, values[field.id], self._around))

    def _make_row(self, field: Field) -> FormPart:
        row = RowPart(self.theme, field, make_editor(self.theme, field, self._values[field.id], self._around))
        row.set_label_width(REST_LABEL)
        return row

    def _add(self, part: FormPart) -> None:
        self._column.addWidget(part)
        self._wire(part)

    def _wire(self, part: FormPart) -> None:
        for field in part.fields():
            self._parts[field.id] = part
            self._mark(field.id, count=False)
            if field.id in self._errors:
                part.show_error(field.id, self._errors[field.id])
            editor = part.editor(field.id) if field.kind is Kind.SEED else None
            if isinstance(editor, SeedRow):
                editor.lock_changed.connect(partial(self.lock_changed.emit, field.id))
        part.edited.connect(self._edited)
        part.problem.connect(self._problem)
        part.reset_wanted.connect(self.reset)

    def _align_labels(self) -> None:
        """One label column for the first screen: as wide as its longest label, within limits."""
        metrics = self.theme.metrics("body")
        rows = [part for part in self._parts.values() if isinstance(part, RowPart)]
        widest = max((metrics.horizontalAdvance(row.field.label) for row in rows), default=0)
        unit = max(1, self.theme.px(100)) / 100
        width = min(WIDEST_LABEL, max(LABEL_WIDTH, round(widest / unit) + 2))
        for part in self._parts.values():
            part.set_label_width(width)

    def _measure(self) -> None:
        px, bar = self.theme.px, self.verticalScrollBar()
        # The scroll bar lies in the margin: nothing moves when it comes and goes.
        taken = min(px(MARGIN), bar.sizeHint().width()) if bar.maximum() > 0 else 0
        self._column.setContentsMargins(px(MARGIN), px(4), px(MARGIN) - taken, px(12))
        self._column.setSpacing(px(4 if self.theme.appearance.compact else 8))

    # --- Changes --------------------------------------------------------------------------------------------------

    def _edited(self, field_id: str, value: Any) -> None:
        self._values[field_id] = value
        self._errors.pop(field_id, None)
        part = self._parts[field_id]
        part.show_error(field_id, self._problems.get(field_id, ""))
        self._mark(field_id)
        self._tell(field_id, value)

    def _tell(self, field_id: str, value: Any) -> None:
        self.value_changed.emit(field_id, value)
        self.values_changed.emit()

    def _problem(self, field_id: str, words: str) -> None:
        if words:
            self._problems[field_id] = words
        else:
            self._problems.pop(field_id, None)
        self._parts[field_id].show_error(field_id, words or self._errors.get(field_id, ""))

    def _mark(self, field_id: str, *, count: bool = True) -> None:
        field = self._form.by_id[field_id]
        part = self._parts.get(field_id)
        if part is not None:
            part.show_changed(field_id, _differs(self._values[field_id], field.default), _words(field.default))
        if count:
            self._count()

    def _exchange(self, one: str, other: str) -> None:
        """Two fields' values change places, as the user's change."""
        values = {one: self._values[other], other: self._values[one]}
        for field_id, value in values.items():
            self.set_value(field_id, value)
            self._tell(field_id, value)

    def _count(self) -> None:
        self.media.show_fit(self._form, self._values)
        if self._all is not None:
            self._all.set_changed(len(self.changed()))

    def _part(self, field_id: str) -> FormPart | None:
        part = self._parts.get(field_id)
        if self._all is not None and (part is None or self._all.part(field_id) is not None):
            return self._all.reveal(field_id)
        return part

    def _focus_moved(self, _old: QWidget | None, new: QWidget | None) -> None:
        inside = new is not None and self.isAncestorOf(new)
        part: QWidget | None = new if inside else None
        while part is not None and not isinstance(part, FormPart):
            part = part.parentWidget()
        if part is not self._focused:
            if self._focused is not None:
                self._focused.show_focus(False)
            self._focused = part
            if part is not None:
                part.show_focus(True)


def _differs(value: Any, default: Any) -> bool:
    return bool(value != default) or isinstance(value, bool) != isinstance(default, bool)


def _words(default: Any) -> str:
    """A default in a few words."""
    words = " ".join(str(default)[:80].split()) if default is not None else ""
    return f"{words[:39]}…" if len(words) > 40 else words
