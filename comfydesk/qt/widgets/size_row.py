"""Width and height: ratios to pick, exact pixels, and a swap; both stay on the step of the model."""

import math
from functools import partial
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QVBoxLayout, QWidget

from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets.buttons import IconButton, Size
from comfydesk.qt.widgets.menu import Menu
from comfydesk.qt.widgets.number_field import NumberField
from comfydesk.qt.widgets.numbers import Range
from comfydesk.qt.widgets.segmented import Segment, Segmented

RATIOS = ((1, 1), (4, 3), (3, 2), (16, 9), (9, 16))
PIXELS = (262_144, 524_288, 1_048_576, 1_572_864, 2_097_152, 4_194_304)
"""What models were made for, and halves and doubles of it."""
_NEAR = 0.035
"""How far (in log ratio) a size may be off and still count as a ratio: 1344 × 768 is 16:9."""  # noqa: RUF001


def megapixels(pixels: int) -> str:
    """How many there are, in words."""
    return tr("{n} MP", n=f"{pixels / 1e6:.1f}" if pixels >= 1e5 else f"{pixels / 1e6:.2f}")


def nearest_ratio(width: int, height: int) -> int:
    """Position in RATIOS of what `width` by `height` is, or -1."""
    if width <= 0 or height <= 0:
        return -1
    distances = [abs(math.log(width / height) - math.log(wide / high)) for wide, high in RATIOS]
    best = min(range(len(RATIOS)), key=distances.__getitem__)
    return best if distances[best] <= _NEAR else -1


def size_for(ratio: tuple[int, int], width: int, height: int, limits: Range) -> tuple[int, int]:
    """About as many pixels as `width` by `height`, in that ratio, on the step."""
    pixels = max(1, width * height)
    wide, high = ratio
    new = math.sqrt(pixels * wide / high)
    return int(limits.snap(round(new))), int(limits.snap(round(new * high / wide)))


class SizeRow(QWidget):
    """`changed` with the new (width, height) when the user changed either."""

    changed = Signal(int, int)
    problem_changed = Signal(str)

    def __init__(
        self,
        theme: Theme,
        limits: Range,
        width: int = 1024,
        height: int = 1024,
        *,
        label: QWidget | None = None,
        parent: QWidget | None = None,
    ) -> None:
        """`limits` hold for both; a step of it is a rule here. `label` stands before the numbers."""
        super().__init__(parent)
        self.theme, self._limits = theme, limits
        segments = [Segment(f"{wide}:{high}", ratio=(wide, high)) for wide, high in RATIOS]
        self.ratios = Segmented(theme, segments, -1, name=tr("Aspect ratio"), height=30)
        self.width_field = NumberField(theme, limits, width, word="W")
        self.height_field = NumberField(theme, limits, height, word="H")
        self.swap = IconButton(theme, "swap", tr("Swap width and height"), size=Size.COMPACT)
        self.width_field.set_name(tr("Width"))
        self.height_field.set_name(tr("Height"))
        self._row = QHBoxLayout()
        self._line = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        if label is not None:
            self._line.addWidget(label)
        self._line.addLayout(self._row, 1)
        self.pixels = IconButton(theme, "chevron-down", tr("Pixels"), size=Size.COMPACT)
        self.menu = Menu(theme, tr("About so many pixels"), parent=self)
        for part, stretch in ((self.width_field, 1), (self.swap, 0), (self.height_field, 1)):
            self._row.addWidget(part, stretch)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._shapes = QHBoxLayout()
        self._shapes.addWidget(self.ratios, 1)
        self._shapes.addWidget(self.pixels)
        self._column.addLayout(self._shapes)
        self._column.addLayout(self._line)
        self.ratios.picked.connect(self._pick)
        self.swap.clicked.connect(self._swap)
        self.pixels.clicked.connect(self._offer_pixels)
        for field in (self.width_field, self.height_field):
            field.value_changed.connect(self._typed)
            field.problem_changed.connect(self._tell)
        theme.changed.connect(self._space)
        self._space()
        self.set_size(width, height)

    def size_value(self) -> tuple[int, int]:
        """(width, height)."""
        return int(self.width_field.value()), int(self.height_field.value())

    def set_size(self, width: Any, height: Any) -> None:
        """Show a size; emits nothing."""
        self.width_field.set_value(width if isinstance(width, int) else 0)
        self.height_field.set_value(height if isinstance(height, int) else 0)
        self._show()

    def problem(self) -> str:
        return self.width_field.problem() or self.height_field.problem()

    def commit(self) -> None:
        self.width_field.commit()
        self.height_field.commit()

    def _pick(self, at: int) -> None:
        self._set(*size_for(RATIOS[at], *self.size_value(), self._limits))

    def _show(self) -> None:
        width, height = self.size_value()
        self.ratios.set_current(nearest_ratio(width, height))
        words = megapixels(width * height)
        self.pixels.set_name(tr("{pixels}: choose how many pixels", pixels=words))

    def _offer_pixels(self) -> None:
        width, height = self.size_value()
        self.menu.clear()
        for pixels in PIXELS:
            new = size_for((max(1, width), max(1, height)), pixels, 1, self._limits)
            words = f"{megapixels(pixels)}   {new[0]} \N{MULTIPLICATION SIGN} {new[1]}"
            self.menu.add(words).triggered.connect(partial(self._take, new))
        self.menu.popup(self.pixels.mapToGlobal(self.pixels.rect().bottomLeft()))

    def _take(self, size: tuple[int, int], _checked: bool = False) -> None:
        self._set(*size)

    def _swap(self) -> None:
        width, height = self.size_value()
        self._set(height, width)

    def _set(self, width: int, height: int) -> None:
        self.set_size(width, height)
        self.changed.emit(width, height)

    def _typed(self, _value: Any) -> None:
        self._show()
        self.changed.emit(*self.size_value())

    def _tell(self, _problem: str) -> None:
        self.problem_changed.emit(self.problem())

    def _space(self) -> None:
        self._row.setSpacing(self.theme.px(4))
        self._shapes.setSpacing(self.theme.px(2))
        self.pixels.setFixedWidth(self.theme.px(24))  # large words need the room
        self._column.setSpacing(self.theme.px(8))
        self._line.setSpacing(self.theme.px(4 if self.theme.labels_above else 8))
        direction = QBoxLayout.Direction
        self._line.setDirection(direction.TopToBottom if self.theme.labels_above else direction.LeftToRight)
