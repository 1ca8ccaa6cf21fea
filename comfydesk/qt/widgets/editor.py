"""What every editor of a field can do, so that a form treats them alike."""

from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from comfydesk.qt.theme import Theme


class Editor(QWidget):
    """One value on the screen.

    `value_changed` carries the new value and is emitted only when the user changed it; `problem_changed` carries a
    sentence while what was typed is no value yet ("" when it is one again), and `value` is then the last good one.
    """

    value_changed = Signal(object)
    problem_changed = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self.row = QHBoxLayout(self)
        self.row.setContentsMargins(0, 0, 0, 0)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self._space)
        self._space()

    def value(self) -> Any:
        """The value as the graph takes it."""
        raise NotImplementedError

    def set_value(self, value: Any) -> None:
        """Show `value`; emits nothing."""
        raise NotImplementedError

    def set_name(self, name: str) -> None:
        """Tell assistive tools what is edited here."""
        self.setAccessibleName(name)

    def set_invalid(self, invalid: bool) -> None:
        """Draw the outline of an error; the form says which."""

    def problem(self) -> str:
        """Why what is typed is no value; "" when it is one."""
        return ""

    def commit(self) -> None:
        """Take what is being typed as if the editor had lost the focus."""

    def _space(self) -> None:
        self.row.setSpacing(self.theme.px(8))
