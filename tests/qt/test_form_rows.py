"""LoRAs put away and brought back, favourite models first, sizes by megapixels, files exchanged."""

from pathlib import Path

import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from comfydesk.qt.theme import Theme
from comfydesk.qt.widgets.editors import Surroundings
from comfydesk.qt.widgets.form_blocks import MediaPart
from comfydesk.qt.widgets.form_help import FormHelp
from comfydesk.qt.widgets.form_media import fit_words
from comfydesk.qt.widgets.form_rows import LorasPart, SizePart
from comfydesk.qt.widgets.form_view import FormView
from comfydesk.qt.widgets.model_picker import ModelPicker
from comfydesk.workflow.fields import Field, Form, Kind, Role

FORM = Form((
    Field("1.image", "First frame", Kind.IMAGE, "", Role.IMAGE, pinned=True),
    Field("2.image", "Last frame", Kind.IMAGE, "", Role.IMAGE, pinned=True),
    Field("3.width", "Width", Kind.INT, 1024, Role.WIDTH, 16, 8192, 16, pinned=True),
    Field("3.height", "Height", Kind.INT, 576, Role.HEIGHT, 16, 8192, 16, pinned=True),
    Field("6.lora", "LoRA", Kind.MODEL, "a.safetensors", Role.LORA, choices=("a.safetensors",), pinned=True),
    Field("6.strength_model", "Strength", Kind.FLOAT, 0.7, Role.LORA_STRENGTH, -10, 10, 0.01),
))  # fmt: skip


@pytest.fixture
def view(theme: Theme, qtbot: QtBot) -> FormView:
    made = FormView(theme, FORM, around=Surroundings(help=FormHelp()))
    qtbot.addWidget(made)
    made.resize(352, 900)
    made.show()
    return made


def test_a_lora_is_put_away_without_effect_and_brought_back(view: FormView) -> None:
    part = view.part("6.lora")
    assert isinstance(part, LorasPart)
    assert not part.add.isEnabled()
    assert "room for 1 LoRA" in part.add.toolTip()
    row = part._rows["6.lora"]
    row.remove.click()
    assert not row.isVisible()
    assert view.values()["6.strength_model"] == 0
    part.add.click()
    assert row.isVisible()
    assert view.values()["6.strength_model"] == 0.7
    popup = row.combo.popup()
    assert popup is not None
    popup.hide()


@pytest.mark.parametrize(("stated", "given"), [("euler", None), (0.7, "euler")])
def test_a_strength_that_is_no_number_opens_all_the_same(
    theme: Theme, qtbot: QtBot, stated: object, given: object
) -> None:
    """On a pod without the workflow's nodes its values may stand under other names than their own."""
    strength = Field("6.strength_model", "Strength", Kind.FLOAT, stated, Role.LORA_STRENGTH, -10, 10, 0.01)
    form = Form((*FORM.fields[:-1], strength))
    view = FormView(theme, form, {} if given is None else {strength.id: given}, around=Surroundings(help=FormHelp()))
    qtbot.addWidget(view)
    assert isinstance(view.part("6.lora"), LorasPart)


def test_values_from_outside_bring_a_lora_back(view: FormView) -> None:
    part = view.part("6.lora")
    assert isinstance(part, LorasPart)
    part._rows["6.lora"].remove.click()
    view.set_value("6.strength_model", 0.5)
    assert part._rows["6.lora"].isVisible()


def test_pictures_change_places(view: FormView, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.new("RGB", (1920, 1080)).save(path)
    first = view.part("1.image")
    assert isinstance(first, MediaPart)
    first.zone.offer(path)
    assert first.zone._filled.fit.text() == "Fits to 1024 \N{MULTIPLICATION SIGN} 576"
    first.swap.click()
    assert (view.values()["1.image"], view.values()["2.image"]) == ("", path)
    assert fit_words((1000, 1000), 1024, 576) == "Other shape: 1024 \N{MULTIPLICATION SIGN} 576"


def test_a_size_of_so_many_pixels_keeps_its_shape_and_step(view: FormView) -> None:
    part = view.part("3.width")
    assert isinstance(part, SizePart)
    row = part.size_row
    row.pixels.click()
    next(action for action in row.menu.actions() if action.text().startswith("2.1 MP")).trigger()
    row.menu.hide()
    width, height = view.values()["3.width"], view.values()["3.height"]
    assert (width % 16, height % 16) == (0, 0)
    assert width / height == pytest.approx(1024 / 576, rel=0.02)
    assert width * height == pytest.approx(2_097_152, rel=0.05)


def test_favourites_come_first_and_are_starred_by_key(theme: Theme, qtbot: QtBot) -> None:
    help_ = FormHelp()
    names = [f"sub/model_{n}.safetensors" for n in range(20)]
    picker = ModelPicker(theme, names, names[3], folder="loras", favourites=help_)
    qtbot.addWidget(picker)
    picker.show()
    picker.combo.showPopup()
    popup = picker.combo.popup()
    assert popup is not None
    QTest.keyClicks(popup.line, "model_17")
    QTest.keyClick(popup.line, Qt.Key.Key_D, Qt.KeyboardModifier.ControlModifier)
    assert help_.is_favourite("loras", names[17])
    popup.hide()
    assert picker.combo.entries()[0].text == "model_17"
    picker.combo.showPopup()
    QTest.keyClick(popup.line, Qt.Key.Key_Up)
    QTest.keyClick(popup.line, Qt.Key.Key_Home)
    popup._take(popup.view.model().index(0, 0))
    assert picker.value() == names[17], "the choice is what was picked, whatever its place in the list"
