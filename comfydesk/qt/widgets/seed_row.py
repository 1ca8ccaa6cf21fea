"""A seed: 64 bits in digits, locked or drawn anew for each job, with dice and the last one used."""

import random
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets.buttons import IconButton, Size
from comfydesk.qt.widgets.editor import Editor
from comfydesk.qt.widgets.number_field import NumberField
from comfydesk.qt.widgets.numbers import Range

LARGEST = 2**64 - 1


class SeedRow(Editor):
    """`lock_changed`: True keeps the seed, False lets every job draw its own."""

    lock_changed = Signal(bool)

    def __init__(
        self,
        theme: Theme,
        value: int = 0,
        *,
        maximum: int = LARGEST,
        minimum: int = 0,
        rng: random.Random | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(theme, parent)
        self._rng = rng or random.SystemRandom()
        self._limits = Range(integer=True, minimum=minimum, maximum=maximum, step=1)
        self._last: int | None = None
        self.field = NumberField(theme, self._limits, value, font="mono", right=False)
        self.lock = IconButton(theme, "unlock", "", size=Size.COMPACT, checkable=True)
        self.field.row.addWidget(self.lock)
        self.dice = IconButton(theme, "dice", tr("New seed"), size=Size.COMPACT)
        self.last = IconButton(theme, "history", tr("Seed of the last job"), size=Size.COMPACT)
        self.row.addWidget(self.field, 1)
        self.row.addWidget(self.dice)
        self.row.addWidget(self.last)
        self.setFocusProxy(self.field)
        self.field.value_changed.connect(self._on_typed)
        self.field.problem_changed.connect(self.problem_changed)
        self.lock.toggled.connect(self._locked)
        self.dice.clicked.connect(lambda: self._take(self._rng.randint(minimum, maximum)))
        self.last.clicked.connect(self._take_last)
        theme.changed.connect(self._measure)
        self._measure()
        self._name_lock()
        self.set_last(None)

    def value(self) -> int:
        return int(self.field.value())

    def set_value(self, value: Any) -> None:
        self.field.set_value(value if isinstance(value, int) and not isinstance(value, bool) else 0)

    @property
    def locked(self) -> bool:
        """Whether every job takes this very seed."""
        return self.lock.isChecked()

    def set_locked(self, locked: bool) -> None:
        """Emits nothing."""
        blocked = self.lock.blockSignals(True)
        self.lock.setChecked(locked)
        self.lock.blockSignals(blocked)
        self._name_lock()

    def set_last(self, seed: int | None) -> None:
        """The seed of the last job; None: there was none yet."""
        self._last = seed
        self.last.set_blocked("" if seed is not None else tr("No job of this workflow yet"))

    def set_name(self, name: str) -> None:
        self.field.set_name(name)

    def set_invalid(self, invalid: bool) -> None:
        self.field.set_invalid(invalid or bool(self.field.problem()))

    def problem(self) -> str:
        return self.field.problem()

    def commit(self) -> None:
        self.field.commit()

    def _take(self, seed: int | None) -> None:
        if seed is not None and seed != self.value():
            self.set_value(seed)
            self.value_changed.emit(seed)

    def keep(self) -> None:
        """Lock it: this number was chosen, and is not to be drawn anew."""
        self.lock.setChecked(True)

    def _on_typed(self, value: Any) -> None:
        self.keep()
        self.value_changed.emit(value)

    def _take_last(self) -> None:
        if self._last is not None:
            self._take(self._last)
            self.keep()

    def _locked(self, locked: bool) -> None:
        self._name_lock()
        self.lock_changed.emit(locked)

    def _name_lock(self) -> None:
        self.lock.set_icon("lock" if self.locked else "unlock")
        self.lock.set_name(
            tr("Seed is kept. Draw a new one each job") if self.locked else tr("New seed each job. Keep this one")
        )

    def _measure(self) -> None:
        px = self.theme.px
        self.field.row.setContentsMargins(px(10), 2, px(2), 2)
        self.row.setSpacing(px(4))
