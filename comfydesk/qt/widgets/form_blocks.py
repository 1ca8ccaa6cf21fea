"""The large parts of a form: prompt, negative, and the files to work from."""

from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets.buttons import IconButton, Size
from comfydesk.qt.widgets.drop_zone import DropZone
from comfydesk.qt.widgets.form_help import FormHelp, TextKind
from comfydesk.qt.widgets.form_part import FieldLabel, FormPart
from comfydesk.qt.widgets.prompt_editor import PromptEditor
from comfydesk.qt.widgets.section import Section
from comfydesk.workflow.fields import Field, Role


class HeadedPart(FormPart):
    """A heading with actions at its right, and one editor below it."""

    def __init__(self, theme: Theme, field: Field, editor: PromptEditor | DropZone) -> None:
        super().__init__(theme)
        self._field, self._editor = field, editor
        self._default = ""
        self._inside = False
        self.heading = QWidget()
        self._head = QHBoxLayout(self.heading)
        self._head.setContentsMargins(0, 0, 0, 0)
        self._label = FieldLabel(theme, field, strong=True)
        self._head.addWidget(self._label, 1)
        self.column.addWidget(self.heading)
        self.column.addWidget(editor)
        editor.set_name(field.label)
        editor.value_changed.connect(lambda value: self.edited.emit(field.id, value))
        editor.problem_changed.connect(lambda words: self.problem.emit(field.id, words))
        self._label.reset.connect(lambda: self.reset_wanted.emit(field.id))
        theme.changed.connect(self._measure)
        self._measure()

    def add_action(self, widget: QWidget) -> None:
        """One more action in the heading's line; Tab reaches it before the editor, which is below."""
        self._head.addWidget(widget)
        for each in (widget, *widget.findChildren(IconButton)):
            QWidget.setTabOrder(each, self._editor.focusProxy() or self._editor)

    def fields(self) -> tuple[Field, ...]:
        return (self._field,)

    def editor(self, _field_id: str, /) -> QWidget:
        return self._editor

    def show_value(self, _field_id: str, value: Any, /) -> None:
        self._editor.set_value(value)

    def show_changed(self, _field_id: str, changed: bool, default: str, /) -> None:
        self._default = default
        self._label.set_changed(changed, default)
        self.show_focus(self._inside)

    def show_focus(self, inside: bool) -> None:
        self._inside = inside
        self._label.offer_reset(inside, self._default)

    def mark_invalid(self, _field_id: str, invalid: bool, /) -> None:
        self._editor.set_invalid(invalid)

    def commit(self) -> None:
        self._editor.commit()

    def _measure(self) -> None:
        self.column.setSpacing(self.theme.px(4))
        self._head.setSpacing(self.theme.px(4))
        self.heading.setMinimumHeight(self.theme.height(28))


class PromptPart(HeadedPart):
    """The prompt, with room for Enhance in its heading."""

    def __init__(self, theme: Theme, field: Field, value: Any, help_: FormHelp | None = None) -> None:
        words, hint = "" if value is None else str(value), tr("Describe what you want")
        kind: TextKind = "prompt" if field.role is Role.PROMPT else "text"
        self.prompt = PromptEditor(theme, words, placeholder=hint, help_=help_, kind=kind)
        super().__init__(theme, field, self.prompt)
        self.add_action(self.prompt.bar)
        self.prompt.bar.show()


class MediaPart(HeadedPart):
    """A file to work from, and what can be done with it: painted on, exchanged with the next one, taken away."""

    swap_wanted = Signal(str)
    mask_wanted = Signal(object)
    """The DropZone."""

    def __init__(self, theme: Theme, field: Field, zone: DropZone) -> None:
        super().__init__(theme, field, zone)
        self._zone = zone
        self._masked = self._partner = False
        self.paint_mask = IconButton(theme, "mask", tr("Paint a mask on {name}", name=field.label), size=Size.COMPACT)
        self.swap = IconButton(theme, "swap", tr("Exchange"), size=Size.COMPACT)
        self.clear = IconButton(theme, "close", tr("Take away {name}", name=field.label), size=Size.COMPACT)
        for button in (self.paint_mask, self.swap, self.clear):
            self.add_action(button)
        self.clear.clicked.connect(zone.clear)
        self.swap.clicked.connect(lambda: self.swap_wanted.emit(field.id))
        self.paint_mask.clicked.connect(lambda: self.mask_wanted.emit(zone))
        zone.value_changed.connect(self._shown)
        zone.masking_changed.connect(self.paint_mask.set_blocked)
        self._shown(zone.value())

    @property
    def zone(self) -> DropZone:
        return self._zone

    def set_masked(self, masked: bool) -> None:
        """Whether the workflow reads a mask from this picture."""
        self._masked = masked
        self.paint_mask.set_blocked(self._zone.no_mask())
        self._shown(self._zone.value())

    def set_partner(self, name: str) -> None:
        """The file that this one can be exchanged with; "" for none."""
        self._partner = bool(name)
        if name:
            self.swap.set_name(tr("Exchange with {name}", name=name))
        self._shown(self._zone.value())

    def show_value(self, field_id: str, value: Any, /) -> None:
        super().show_value(field_id, value)
        self._shown(self._zone.value())

    def _shown(self, value: Any) -> None:
        self.clear.setVisible(bool(value))
        self.paint_mask.setVisible(self._masked)
        self.swap.setVisible(self._partner)


class NegativePart(FormPart):
    """Folded to one line of its text."""

    opened = Signal(bool)

    def __init__(self, theme: Theme, field: Field, value: Any, help_: FormHelp | None = None) -> None:
        super().__init__(theme)
        self._field = field
        words = "" if value is None else str(value)
        self.prompt = PromptEditor(theme, words, lines=(2, 6), help_=help_, kind="negative")
        self.prompt.set_name(field.label)
        content = QWidget()
        inside = QVBoxLayout(content)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(theme.px(4))
        inside.addWidget(self.prompt.bar, 0, Qt.AlignmentFlag.AlignRight)
        inside.addWidget(self.prompt)
        self.prompt.bar.show()
        self.section = Section(theme, _short(field), content, quiet=True)
        self.column.addWidget(self.section)
        self.prompt.value_changed.connect(self._edited)
        self.section.toggled.connect(self.opened)
        self._preview()

    def fields(self) -> tuple[Field, ...]:
        return (self._field,)

    def editor(self, _field_id: str, /) -> QWidget:
        self.section.set_open(True, animate=False)
        return self.prompt

    def show_value(self, _field_id: str, value: Any, /) -> None:
        self.prompt.set_value(value)
        self._preview()

    def show_error(self, field_id: str, words: str) -> None:
        if words:
            self.section.set_open(True, animate=False)
        super().show_error(field_id, words)

    def mark_invalid(self, _field_id: str, invalid: bool, /) -> None:
        self.prompt.set_invalid(invalid)

    def _edited(self, value: str) -> None:
        self._preview()
        self.edited.emit(self._field.id, value)

    def _preview(self) -> None:
        self.section.header.set_detail(self.prompt.value() or tr("none"))


def _short(field: Field) -> str:
    return tr("Negative") if "negative" in field.label.lower() else field.label
