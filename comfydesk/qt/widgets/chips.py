"""Filter chips: small, flat, on or off; and a row of them of which one is on."""

from collections.abc import Sequence

from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QSizePolicy, QWidget

from comfydesk.qt.models.tips import plain_tip
from comfydesk.qt.theme import ColorName, FontName, Theme
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets.buttons import Button, Kind, Size


class Chip(Button):
    """A checkable word of 24."""

    def __init__(self, theme: Theme, words: str, *, icon: str = "", parent: QWidget | None = None) -> None:
        super().__init__(theme, words, icon=icon, size=Size.COMPACT, checkable=True, parent=parent)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def surface_colors(self) -> tuple[ColorName | None, ColorName | None]:
        fill, outline = super().surface_colors()
        return fill, "border" if outline == "control" else outline

    def _font_name(self) -> FontName:
        return "small_strong"

    def _padding(self) -> int:
        return self.theme.px(9)


class RemovableChip(Button):
    """What a search was narrowed by: a click takes it away."""

    def __init__(self, theme: Theme, words: str, parent: QWidget | None = None) -> None:
        super().__init__(theme, words, icon="close", kind=Kind.SECONDARY, size=Size.COMPACT, parent=parent)
        self.setToolTip(plain_tip(tr("Remove {words}", words=words)))
        self.setAccessibleName(tr("Remove {words}", words=words))


class ChipRow(QWidget):
    """One of several filters; `picked` with its position."""

    picked = Signal(int)

    def __init__(
        self, theme: Theme, words: Sequence[str], current: int = 0, *, name: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setAccessibleName(name)
        self._group = QButtonGroup(self)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        for at, word in enumerate(words):
            chip = Chip(theme, word, parent=self)
            self._group.addButton(chip, at)
            self._row.addWidget(chip)
        self._row.addStretch(1)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._group.idClicked.connect(self.picked)
        theme.changed.connect(self._space)
        self._space()
        self.set_current(current)

    def current(self) -> int:
        return self._group.checkedId()

    def set_current(self, at: int) -> None:
        """Turn that chip on; emits nothing."""
        button = self._group.button(at)
        if button is not None:
            button.setChecked(True)

    def minimumSizeHint(self) -> QSize:
        return QSize(0, super().minimumSizeHint().height())

    def _space(self) -> None:
        self._row.setSpacing(self._theme.px(4))
