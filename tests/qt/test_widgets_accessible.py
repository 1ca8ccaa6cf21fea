"""Every control has a name, is reached by the keyboard, and clips nothing at 200 %."""

from itertools import pairwise

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QAbstractButton, QAbstractSlider, QComboBox, QLineEdit, QScrollBar, QTextEdit, QWidget
from pytestqt.qtbot import QtBot

from comfydesk.qt.theme import Appearance, Scheme, Theme
from comfydesk.qt.widgets.buttons import Button
from comfydesk.qt.widgets.form_view import FormView
from comfydesk.workflow.fields import Field, Form, Kind, Role
from tests import gallery_of_widgets

CONTROLS = (QAbstractButton, QAbstractSlider, QComboBox, QLineEdit, QTextEdit)


def everything() -> Form:
    roles = {Kind.TEXT: Role.PROMPT, Kind.SEED: Role.SEED, Kind.IMAGE: Role.IMAGE}
    plain = [
        Field(f"{at}.x", f"Field {kind.value}", kind, None, roles.get(kind), 0, 100, 1, ("a", "b"), pinned=True,
              multiline=kind is Kind.TEXT)
        for at, kind in enumerate(Kind)
    ]  # fmt: skip
    more = [
        Field("50.text", "Negative", Kind.TEXT, "", Role.NEGATIVE, multiline=True, pinned=True),
        Field("51.width", "Width", Kind.INT, 64, Role.WIDTH, pinned=True),
        Field("51.height", "Height", Kind.INT, 64, Role.HEIGHT, pinned=True),
        Field("52.sampler", "Sampler", Kind.CHOICE, "a", Role.SAMPLER, choices=("a",), pinned=True),
        Field("52.scheduler", "Scheduler", Kind.CHOICE, "a", Role.SCHEDULER, choices=("a",), pinned=True),
        Field("53.lora", "LoRA", Kind.MODEL, "a", Role.LORA, choices=("a",), pinned=True),
        Field("53.strength", "Strength", Kind.FLOAT, 1.0, Role.LORA_STRENGTH),
        *(Field(f"{60 + at}.x", f"Rest {kind.value}", kind, None, group="Group") for at, kind in enumerate(Kind)),
    ]
    return Form((*plain, *more))


@pytest.fixture
def pages(theme: Theme, qtbot: QtBot) -> list[QWidget]:
    form = FormView(theme, everything())
    inputs = form.all_inputs()
    assert inputs is not None
    inputs.set_open(True)
    sheet = gallery_of_widgets.sheet(theme)
    made = [form, sheet]
    for page in made:
        qtbot.addWidget(page)
        page.resize(760, 1600)
        page.show()
    return made


def controls(page: QWidget) -> list[QWidget]:
    found = [widget for widget in page.findChildren(QWidget) if isinstance(widget, CONTROLS)]
    return [widget for widget in found if not isinstance(widget, QScrollBar)]


def test_every_control_has_a_name(pages: list[QWidget]) -> None:
    nameless = [
        f"{type(widget).__name__} in {type(widget.parentWidget()).__name__}"
        for page in pages[:1]
        for widget in controls(page)
        if not (widget.accessibleName() or (isinstance(widget, QAbstractButton) and widget.text()))
    ]
    assert nameless == []


def test_every_control_is_reached_by_the_keyboard(pages: list[QWidget]) -> None:
    unreachable = [
        widget
        for page in pages
        for widget in controls(page)
        if widget.isEnabled() and not widget.focusPolicy() & Qt.FocusPolicy.TabFocus
    ]
    assert unreachable == []


def test_tab_walks_the_form_from_top_to_bottom(pages: list[QWidget]) -> None:
    form = pages[0]
    visible = [widget for widget in controls(form) if widget.isVisible()]
    tops = []
    widget = form.nextInFocusChain()
    while widget is not None and widget is not form:
        if widget in visible:
            tops.append(widget.mapTo(form, widget.rect().center()).y())
        widget = widget.nextInFocusChain()
    assert len(tops) == len(visible)
    steps_back = [after - before for before, after in pairwise(tops) if after < before - 40]
    assert steps_back == []


@pytest.mark.parametrize(("scale", "font_scale"), [(1.0, 1.0), (1.0, 2.0), (2.0, 1.0)])
def test_no_button_clips_its_words(theme: Theme, pages: list[QWidget], scale: float, font_scale: float) -> None:
    theme.apply(Appearance(Scheme.DARK, scale, font_scale, reduced_motion=True))
    for page in pages:
        page.resize(round(800 * scale * font_scale), round(1800 * scale * font_scale))
        QGuiApplication.processEvents()
        for button in page.findChildren(Button):
            if button.isVisible() and button.objectName() != "tight":
                assert button.height() >= button.minimumSizeHint().height(), button.text() or button.accessibleName()
                assert button.height() >= theme.metrics("caption").height()


def test_targets_are_large_enough(pages: list[QWidget]) -> None:
    for page in pages:
        page.grab()
        for widget in controls(page):
            framed = isinstance(widget, QLineEdit | QTextEdit)  # the frame around it takes the clicks too
            if widget.isVisible() and not framed and widget.objectName() != "tight":
                assert widget.height() >= 22, f"{type(widget).__name__} {widget.accessibleName()}"
