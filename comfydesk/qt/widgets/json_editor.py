"""Values that have no editor of their own: their JSON, checked as it is typed."""

import json
from typing import Any

from PySide6.QtWidgets import QWidget

from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets.editor import Editor
from comfydesk.qt.widgets.field_frame import FieldFrame
from comfydesk.qt.widgets.prompt_edit import LARGEST, PromptEdit


class JsonEditor(Editor):
    """Shows any value and keeps it untouched until its text is changed; too large ones can only be read."""

    def __init__(self, theme: Theme, value: Any = None, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self._value: Any = None
        self._problem = ""
        self._quiet = False
        self.frame = FieldFrame(theme)
        self.edit = PromptEdit(theme, 1, 10, font="mono", tinted=False)
        self.frame.hold(self.edit)
        self.row.addWidget(self.frame)
        self.setFocusProxy(self.edit)
        self.edit.textChanged.connect(self._typed)
        theme.changed.connect(self._measure)
        self._measure()
        self.set_value(value)

    def value(self) -> Any:
        return self._value

    def set_value(self, value: Any) -> None:
        self._value = value
        words = json.dumps(value, ensure_ascii=False, default=str)
        self._quiet = True
        self.edit.setPlainText(words[:LARGEST])
        self.edit.setReadOnly(len(words) > LARGEST)
        self._quiet = False
        self._say("")

    def set_name(self, name: str) -> None:
        self.edit.setAccessibleName(tr("{name}, as JSON", name=name))

    def set_invalid(self, invalid: bool) -> None:
        self.frame.set_invalid(invalid or bool(self._problem))

    def problem(self) -> str:
        return self._problem

    def _typed(self) -> None:
        if self._quiet:
            return
        try:
            value = json.loads(self.edit.toPlainText())
        except (ValueError, RecursionError) as error:
            reason = error.msg if isinstance(error, json.JSONDecodeError) else tr("too deep")
            self._say(tr("Not JSON yet: {reason}.", reason=reason))
            return
        self._say("")
        if value != self._value or type(value) is not type(self._value):
            self._value = value
            self.value_changed.emit(value)

    def _say(self, problem: str) -> None:
        self.frame.set_invalid(bool(problem))
        if problem != self._problem:
            self._problem = problem
            self.problem_changed.emit(problem)

    def _measure(self) -> None:
        px = self.theme.px
        self.frame.row.setContentsMargins(px(10), px(5), px(8), px(5))
