"""Ctrl+S: what stands in the form is in the file on the pod; what a colleague did meanwhile is not undone unseen."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from comfydesk.qt.dialogs.name import NameSheet
from comfydesk.qt.theme import Theme
from comfydesk.workflow.fields import Role
from tests.qt.studio import Loop, Studio


@pytest.fixture
def studio(qtbot: QtBot, gui_loop: Loop, theme: Theme, tmp_path: Path) -> Iterator[Studio]:
    made = Studio(qtbot, gui_loop, theme, tmp_path).open().ready()
    yield made
    made.close()
    made.stop_pod()


def file(studio: Studio, name: str) -> Path:
    return studio.pod.folder / "user" / "default" / "workflows" / f"{name}.json"


def texts(path: Path) -> list[Any]:
    """Every value stored in a workflow file."""
    document = json.loads(path.read_text("utf-8"))
    return [value for node in document["nodes"] for value in node.get("widgets_values") or []]


def steps(studio: Studio) -> str:
    form = studio.desk.generation.form
    return form.form().with_role(Role.STEPS)[0].id


def save_under(studio: Studio, name: str) -> None:
    """Ctrl+S, and the name where one is asked for."""
    studio.keys(Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    sheet = next(iter(studio.window.findChildren(NameSheet)))
    sheet.edit.setText(name)
    studio.click(sheet.save)
    panel = studio.desk.generation
    studio.until(lambda: panel.workflow and panel.workflow.id == f"pod:demo/{name}.json")
    studio.ready()
    studio.window.activateWindow()  # offscreen, no window manager does it when the sheet is gone
    studio.until(studio.window.isActiveWindow)


def test_values_are_saved_and_saved_again_over_the_file_that_is_open(studio: Studio) -> None:
    form = studio.desk.generation.form
    form.set_value(steps(studio), 17)
    save_under(studio, "night")
    assert 17 in texts(file(studio, "night"))
    assert studio.wiring.bench.drafts.changed("pod:demo/night.json") == 0, "they are the workflow's own values now"
    form.set_value(steps(studio), 19)
    studio.keys(Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    studio.until(lambda: 19 in texts(file(studio, "night")))
    assert not [sheet for sheet in studio.window.findChildren(NameSheet) if sheet.isVisible()], "no name is asked for"
    studio.until(lambda: studio.wiring.bench.drafts.changed("pod:demo/night.json") == 0)


def test_a_colleagues_change_is_told_before_it_is_undone(studio: Studio) -> None:
    form = studio.desk.generation.form
    save_under(studio, "night")
    path = file(studio, "night")
    theirs = json.loads(path.read_text("utf-8")) | {"extra": {"by": "a colleague"}}
    path.write_text(json.dumps(theirs), "utf-8")
    form.set_value(steps(studio), 23)
    studio.keys(Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    studio.until(lambda: any("was changed" in toast.accessibleName() for toast in studio.desk.toasts.toasts()))
    assert json.loads(path.read_text("utf-8")) == theirs
    toast = studio.desk.toasts.toasts()[-1]
    button = next(one for one in toast.findChildren(QPushButton) if one.text() == "Save anyway")
    studio.click(button)
    studio.until(lambda: 23 in texts(path))


def test_a_name_that_is_taken_is_replaced_only_when_asked_to(studio: Studio) -> None:
    path = file(studio, "night")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('{"nodes": []}', "utf-8")
    studio.keys(Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    sheet = next(iter(studio.window.findChildren(NameSheet)))
    sheet.edit.setText("night")
    studio.click(sheet.save)
    studio.until(lambda: any("another workflow" in toast.accessibleName() for toast in studio.desk.toasts.toasts()))
    assert path.read_text("utf-8") == '{"nodes": []}'
    toast = studio.desk.toasts.toasts()[-1]
    studio.click(next(one for one in toast.findChildren(QPushButton) if one.text() == "Replace it"))
    studio.until(lambda: texts(path))
