"""Numbers as people type them, and the scale of a slider. Pure: Python integers, so 64 bits survive."""

import math
import re
from dataclasses import dataclass

from comfydesk.qt.theme.language import tr

Number = int | float

_INTEGER = re.compile(r"[+-]?\d{1,40}")
_MOST_DECIMALS = 10
_FINEST = 10_000
"""A slider has at most this many positions."""


def parse_number(words: str, *, integer: bool) -> Number | None:
    """The number in `words`, or None. Takes a comma for the point, blanks between digits, and 1e-3."""
    clean = words.replace("\N{MINUS SIGN}", "-").replace("\u00a0", "").replace(" ", "").replace("_", "")
    if _INTEGER.fullmatch(clean):
        return int(clean) if integer else float(clean)
    try:
        value = float(clean.replace(",", "."))
    except ValueError:
        return None
    if not math.isfinite(value):
        return None
    if integer:
        return int(value) if value.is_integer() and abs(value) < 2**53 else None
    return value


def decimals_of(step: Number | None) -> int:
    """How many decimals a step of that size needs; 0 for whole or unknown steps."""
    if step is None or not math.isfinite(step) or step <= 0:
        return 0
    for count in range(_MOST_DECIMALS + 1):
        if math.isclose(step * 10**count, round(step * 10**count), rel_tol=1e-6):
            return count
    return _MOST_DECIMALS


def format_number(value: Number, step: Number | None = None) -> str:
    """`value` with the decimals of its step, and more when it has more."""
    if isinstance(value, int):
        return str(value)
    if not math.isfinite(value):
        return repr(value)
    decimals = decimals_of(step)
    shown = f"{value:.{decimals}f}"
    if math.isclose(float(shown), value, rel_tol=1e-9, abs_tol=1e-12):
        return shown
    exact = repr(round(value, _MOST_DECIMALS))
    return exact.removesuffix(".0")


@dataclass(frozen=True, slots=True)
class Range:
    """What a number may be. `step` is what arrows and sliders move by; `strict` makes it a rule."""

    integer: bool
    minimum: Number | None = None
    maximum: Number | None = None
    step: Number | None = None
    strict: bool = False

    @property
    def increment(self) -> Number:
        """One press of an arrow."""
        if self.step is not None and self.step > 0:
            return self.step
        return 1 if self.integer else 0.1

    def clamp(self, value: Number) -> Number:
        if self.minimum is not None and value < self.minimum:
            value = self.minimum
        if self.maximum is not None and value > self.maximum:
            value = self.maximum
        return int(value) if self.integer else float(value)

    def snap(self, value: Number) -> Number:
        """The nearest allowed multiple of the step, counted from the minimum; ties go up."""
        step = self.step
        if step is None or step <= 0:
            return self.clamp(value)
        base: Number = self._base()
        if self.integer:
            whole, span = int(step) or 1, int(value) - int(base)
            snapped: Number = int(base) + (span + whole // 2) // whole * whole
            if self.maximum is not None and snapped > self.maximum:
                snapped = int(base) + (int(self.maximum) - int(base)) // whole * whole
        else:
            snapped = round(base + math.floor((value - base) / step + 0.5) * step, _MOST_DECIMALS)
        return self.clamp(snapped)

    def problem(self, words: str) -> str:
        """Why `words` cannot be the value, and what could; "" when they can."""
        value = parse_number(words, integer=self.integer)
        if value is None:
            return tr("Not a whole number.") if self.integer else tr("Not a number.")
        if self.minimum is not None and value < self.minimum:
            return tr("At least {least}.", least=format_number(self.minimum, self.step))
        if self.maximum is not None and value > self.maximum:
            return tr("At most {most}.", most=format_number(self.maximum, self.step))
        if self.strict and self.step and self.snap(value) != value:
            return tr(
                "Not a multiple of {step}. Try {other}.",
                step=format_number(self.step),
                other=format_number(self.snap(value), self.step),
            )
        return ""

    def _base(self) -> Number:
        """Sizes count from 0 even where the least is 16 or 1."""
        minimum = self.minimum
        if minimum is None or self.step is None:
            return 0
        return 0 if math.isclose(minimum % self.step, 0, abs_tol=1e-9) or minimum < self.step else minimum


@dataclass(frozen=True, slots=True)
class SliderScale:
    """Positions of a slider ↔ values of a range; the ends may be narrower than what can be typed."""

    low: Number
    high: Number
    range: Range

    @property
    def positions(self) -> int:
        """How many steps there are from end to end, at least 1."""
        span = self.high - self.low
        step = self.range.increment
        return max(1, min(_FINEST, math.ceil(span / step - 1e-9))) if span > 0 else 1

    def value_at(self, position: int) -> Number:
        if position >= self.positions:
            return self.range.clamp(self.high)
        if position <= 0:
            return self.range.clamp(self.low)
        if self.range.integer:
            span = int(self.high) - int(self.low)
            if span <= _FINEST * self.range.increment:
                return self.range.clamp(int(self.low) + position * int(self.range.increment))
            return self.range.snap(int(self.low) + position * span // self.positions)
        return self.range.snap(self.low + (self.high - self.low) * position / self.positions)

    def position_of(self, value: Number) -> int:
        span = self.high - self.low
        if span <= 0:
            return 0
        share = (value - self.low) / span
        return round(min(1.0, max(0.0, share)) * self.positions)

    def reaching(self, value: Number) -> "SliderScale":
        """The same scale, made long enough for `value`."""
        low, high = min(self.low, value), max(self.high, value)
        return self if (low, high) == (self.low, self.high) else SliderScale(low, high, self.range)
