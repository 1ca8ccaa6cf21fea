"""Numbers: what people type, 64 bits, ranges, steps, sliders."""

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from comfydesk.qt.theme import Theme
from comfydesk.qt.widgets.number_field import NumberField
from comfydesk.qt.widgets.number_row import NumberRow
from comfydesk.qt.widgets.numbers import Range, SliderScale, decimals_of, format_number, parse_number
from comfydesk.qt.widgets.seed_row import SeedRow
from comfydesk.qt.widgets.size_row import RATIOS, SizeRow, nearest_ratio, size_for
from comfydesk.qt.widgets.stepper import Stepper

BIG = 2**64 - 1
STEPS = Range(integer=True, minimum=1, maximum=10_000)
SIZES = Range(integer=True, minimum=16, maximum=16_384, step=16, strict=True)


def wheel(widget: QWidget, turns: int = 120) -> None:
    center = QPointF(widget.rect().center())
    event = QWheelEvent(
        center, QPointF(widget.mapToGlobal(center.toPoint())), QPoint(), QPoint(0, turns), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(widget, event)


@pytest.mark.parametrize(
    ("words", "integer", "value"),
    [
        ("30", True, 30), (" 1 344 ", True, 1344), (str(BIG), True, BIG), ("-5", True, -5), ("3.0", True, 3),
        ("3.5", True, None), ("", True, None), ("x", True, None), ("3,5", False, 3.5), ("1e-3", False, 0.001),
        ("\N{MINUS SIGN}2", False, -2.0), ("nan", False, None), ("inf", False, None), ("9" * 500, True, None),
    ],
)  # fmt: skip
def test_numbers_are_read_as_people_write_them(words: str, integer: bool, value: Any) -> None:
    assert parse_number(words, integer=integer) == value


@given(st.integers(-(2**64), 2**64))
def test_integers_survive_being_shown(value: int) -> None:
    assert parse_number(format_number(value), integer=True) == value


@given(st.floats(-1e6, 1e6, allow_nan=False), st.sampled_from([None, 0.01, 0.1, 0.5, 1.0]))
def test_floats_are_shown_with_what_they_have(value: float, step: float | None) -> None:
    shown = parse_number(format_number(value, step), integer=False)
    assert shown == pytest.approx(value, rel=1e-8, abs=1e-9)


def test_a_step_says_how_many_decimals() -> None:
    assert [decimals_of(step) for step in (None, 1, 0.1, 0.01, 0.05, 0.25, 1e-3)] == [0, 0, 1, 2, 2, 2, 3]
    assert format_number(0.7, 0.01) == "0.70"
    assert format_number(0.123456, 0.01) == "0.123456"


@given(st.integers(0, 20_000))
def test_a_size_snaps_to_an_allowed_multiple(value: int) -> None:
    snapped = SIZES.snap(value)
    assert snapped % 16 == 0
    assert 16 <= snapped <= 16_384
    assert SIZES.snap(snapped) == snapped


def test_what_is_wrong_is_said_with_a_way_out() -> None:
    assert SIZES.problem("1350") == "Not a multiple of 16. Try 1344."
    assert SIZES.problem("8") == "At least 16."
    assert STEPS.problem("20000") == "At most 10000."
    assert STEPS.problem("many") == "Not a whole number."
    assert STEPS.problem("30") == ""


@given(st.integers(0, 2**64), st.integers(1, 2**40))
def test_a_slider_never_leaves_its_range(low: int, span: int) -> None:
    scale = SliderScale(low, low + span, Range(integer=True, minimum=low, maximum=low + span))
    for position in (0, 1, scale.positions // 2, scale.positions):
        assert low <= scale.value_at(position) <= low + span
    assert scale.value_at(scale.position_of(low)) == low
    assert scale.value_at(scale.position_of(low + span)) == low + span


def test_typing_sets_the_value_and_the_slider(theme: Theme, qtbot: QtBot) -> None:
    row = NumberRow(theme, STEPS, 30, span=(1, 50))
    qtbot.addWidget(row)
    row.show()
    heard: list[Any] = []
    row.value_changed.connect(heard.append)
    row.field.edit.selectAll()
    QTest.keyClicks(row.field.edit, "25")
    assert row.value() == 25
    assert heard[-1] == 25
    assert row.slider is not None
    assert row.slider.value() == 24


def test_a_value_beyond_the_slider_lengthens_it(theme: Theme, qtbot: QtBot) -> None:
    row = NumberRow(theme, STEPS, 30, span=(1, 50))
    qtbot.addWidget(row)
    row.set_value(400)
    assert row.value() == 400
    assert row.slider is not None
    assert row.slider.value() == row.slider.maximum()


def test_a_value_that_was_set_is_not_announced(theme: Theme, qtbot: QtBot) -> None:
    row = NumberRow(theme, STEPS, 30, span=(1, 50))
    qtbot.addWidget(row)
    with qtbot.assertNotEmitted(row.value_changed):
        row.set_value(12)


def test_the_wheel_works_only_with_the_focus(theme: Theme, qtbot: QtBot) -> None:
    row = NumberRow(theme, STEPS, 30, span=(1, 50))
    qtbot.addWidget(row)
    row.show()
    row.activateWindow()
    qtbot.waitUntil(row.isActiveWindow)
    assert row.slider is not None
    for target in (row.field.edit, row.slider):
        target.clearFocus()
        wheel(target)
    assert row.value() == 30
    row.field.edit.setFocus()
    wheel(row.field.edit)
    assert row.value() == 31
    row.slider.setFocus()
    wheel(row.slider, -120)
    assert row.value() == 30


def test_arrow_keys_step(theme: Theme, qtbot: QtBot) -> None:
    field = NumberField(theme, Range(integer=False, minimum=0, maximum=1, step=0.05), 0.5)
    qtbot.addWidget(field)
    QTest.keyClick(field.edit, Qt.Key.Key_Up)
    assert field.value() == 0.55
    assert field.edit.text() == "0.55"
    QTest.keyClick(field.edit, Qt.Key.Key_PageUp)
    assert field.value() == 1.0


def test_leaving_the_field_settles_what_was_typed(theme: Theme, qtbot: QtBot) -> None:
    field = NumberField(theme, SIZES, 1344)
    qtbot.addWidget(field)
    field.edit.selectAll()
    QTest.keyClicks(field.edit, "1350")
    assert field.problem() == "Not a multiple of 16. Try 1344."
    assert field.invalid
    field.commit()
    assert (field.value(), field.problem()) == (1344, "")
    field.edit.selectAll()
    QTest.keyClicks(field.edit, "wide")
    field.commit()
    assert (field.value(), field.edit.text()) == (1344, "1344")


def test_a_seed_keeps_64_bits(theme: Theme, qtbot: QtBot) -> None:
    row = SeedRow(theme, BIG, rng=random.Random(7))
    qtbot.addWidget(row)
    heard: list[Any] = []
    row.value_changed.connect(heard.append)
    assert row.value() == BIG
    row.field.edit.selectAll()
    QTest.keyClicks(row.field.edit, str(BIG - 1))
    assert heard[-1] == BIG - 1
    row.dice.click()
    assert heard[-1] == row.value() == random.Random(7).randint(0, BIG)


def test_the_last_seed_comes_back(theme: Theme, qtbot: QtBot) -> None:
    row = SeedRow(theme, 1)
    qtbot.addWidget(row)
    assert not row.last.isEnabled()
    assert row.last.toolTip() == "No job of this workflow yet"
    row.set_last(2**63)
    row.last.click()
    assert row.value() == 2**63


def test_a_seed_is_locked_by_the_keyboard(theme: Theme, qtbot: QtBot) -> None:
    row = SeedRow(theme, 1)
    qtbot.addWidget(row)
    with qtbot.waitSignal(row.lock_changed) as caught:
        QTest.keyClick(row.lock, Qt.Key.Key_Space)
    assert caught.args == [True]
    assert row.locked
    assert row.lock.accessibleName().startswith("Seed is kept")


def test_ratios_know_the_sizes_of_models() -> None:
    assert [nearest_ratio(*size) for size in ((1024, 1024), (1152, 864), (1344, 768), (768, 1344), (1216, 832))] == [
        0, 1, 3, 4, 2,
    ]  # fmt: skip
    assert nearest_ratio(3000, 16) == -1
    assert size_for((16, 9), 1024, 1024, SIZES) == (1360, 768)


@given(st.sampled_from(RATIOS), st.integers(64, 4096), st.integers(64, 4096))
def test_a_ratio_keeps_the_number_of_pixels(ratio: tuple[int, int], width: int, height: int) -> None:
    new = size_for(ratio, width, height, SIZES)
    assert all(side % 16 == 0 for side in new)
    assert new[0] * new[1] == pytest.approx(width * height, rel=0.35)


def test_size_swaps_and_picks(theme: Theme, qtbot: QtBot) -> None:
    row = SizeRow(theme, SIZES, 1344, 768)
    qtbot.addWidget(row)
    assert row.ratios.current() == 3
    with qtbot.waitSignal(row.changed) as caught:
        row.swap.click()
    assert caught.args == [768, 1344]
    assert row.ratios.current() == 4
    row.ratios.button(0).click()
    assert row.size_value() == (1024, 1024)


def test_a_stepper_stays_in_its_range(theme: Theme, qtbot: QtBot) -> None:
    stepper = Stepper(theme, "How many", 1, maximum=3)
    qtbot.addWidget(stepper)
    assert not stepper.less.isEnabled()
    for _ in range(5):
        stepper.more.click()
    assert stepper.value() == 3
    assert not stepper.more.isEnabled()
    assert stepper.more.toolTip() == "Not more than this"


def test_a_seed_that_was_chosen_is_kept(theme: Theme, qtbot: QtBot) -> None:
    row = SeedRow(theme, 7)
    qtbot.addWidget(row)
    row.set_value(8)
    assert not row.locked  # what a workflow brings along is drawn anew for each job
    row.set_last(42)
    with qtbot.waitSignal(row.lock_changed):
        row.last.click()
    assert (row.value(), row.locked) == (42, True)
    row.set_locked(False)
    row.field.edit.selectAll()
    QTest.keyClicks(row.field.edit, "5")
    assert (row.value(), row.locked) == (5, True)
