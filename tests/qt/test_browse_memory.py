"""Sentences, grid, order and filters are there again at the next start."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from comfydesk.qt.models.workflow_filter import Ready, Sort, Source, WorkflowFilter
from comfydesk.qt.theme import Theme
from comfydesk.qt.window.browse_memory import filter_of
from comfydesk.settings import WORKFLOW_FOLDERS
from tests.qt.studio import Loop, Studio


def test_the_browser_comes_back_as_it_was(qtbot: QtBot, gui_loop: Loop, theme: Theme, tmp_path: Path) -> None:
    first = Studio(qtbot, gui_loop, theme, tmp_path).open(pod=False)
    browser = first.desk.browser
    first.desk.intent.remember("a red bicycle")
    browser.set_grid(True)
    browser.set_order(Sort.NAME)
    browser._narrow(WorkflowFilter(text="forgotten", source=Source.BUNDLED, output="image"))
    first.until(lambda: not first.wiring.finds.memory._pending)
    first.close()
    second = Studio(qtbot, gui_loop, theme, tmp_path).open(pod=False)
    second.until(lambda: second.desk.workflows.filter)
    assert second.desk.workflows.filter == WorkflowFilter(source=Source.BUNDLED, output="image")
    assert second.desk.workflows.order is Sort.NAME
    assert second.desk.browser.list.grid
    assert second.desk.intent.history() == ("a red bicycle",)
    assert second.desk.browser.task.text() == "Bundled", "what narrows the list is said, and can be taken away"
    second.close()


def test_a_folder_is_listed_as_soon_as_the_setting_names_it(
    qtbot: QtBot, gui_loop: Loop, theme: Theme, tmp_path: Path
) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "mine.json").write_text('{"nodes": [], "links": []}', "utf-8")
    studio = Studio(qtbot, gui_loop, theme, tmp_path)
    studio.open(pod=False)
    studio.session.settings.set(WORKFLOW_FOLDERS, str(folder))
    studio.desk.preferences.changed.emit(WORKFLOW_FOLDERS)
    studio.until(lambda: studio.desk.workflows.entry(f"folder:{folder}/mine.json"))
    studio.close()


@pytest.mark.parametrize("kept", [None, 7, [], {"types": 3, "source": "mars", "ready": [], "input": "smell"}])
def test_what_is_of_another_shape_lets_everything_pass(kept: Any) -> None:
    assert filter_of(kept) == WorkflowFilter()


def test_a_filter_is_kept_but_for_its_words() -> None:
    wanted = WorkflowFilter(
        "words", "image", frozenset({"t2i", "i2i"}), "text", Source.POD, Ready.READY, True, "a", "b"
    )
    kept = asdict(wanted) | {"types": sorted(wanted.types)}
    assert filter_of(kept) == replace(wanted, text="")
