"""A window that was killed comes back as it was; what cannot be read back is no reason to stop."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QStringListModel
from PySide6.QtWidgets import QListView, QMainWindow
from pytestqt.qtbot import QtBot

from comfydesk.qt.docks.dock import Dock
from comfydesk.qt.theme import Theme
from comfydesk.qt.window.layout import Layout
from comfydesk.qt.window.memory import Memory, read_file, write_file

ROOT = Path(__file__).parents[2]
CHILD = Path(__file__).with_name("killed_child.py")


def child(what: str, folder: Path) -> subprocess.Popen[str]:
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, str(CHILD), what, str(folder)], stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment
    )


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_a_killed_window_comes_back_with_values_panels_workspace_and_settings(tmp_path: Path) -> None:
    first = child("work", tmp_path)
    assert first.stdout is not None
    assert json.loads(first.stdout.readline())["ready"]
    first.send_signal(signal.SIGKILL)
    first.wait()
    first.stdout.close()
    second = child("look", tmp_path)
    answer, _ = second.communicate(timeout=50)
    assert json.loads(answer) == {
        "workspace": "library",
        "browser": False,
        "prompt": "a whale above the harbour",
        "scale": 110,
    }


@pytest.fixture
def places(qtbot: QtBot, theme: Theme, tmp_path: Path) -> Layout:
    window = QMainWindow()
    qtbot.addWidget(window)
    docks = {name: Dock(theme, name, name) for name in ("browser", "generation", "gallery", "queue")}
    made = Layout(theme, window, tmp_path / "window.ini", **docks)
    made.restore()
    window.show()
    return made


def long_list(qtbot: QtBot, rows: int) -> QListView:
    view = QListView()
    qtbot.addWidget(view)
    view.setModel(QStringListModel([f"row {row}" for row in range(rows)], view))
    view.resize(200, 200)
    view.show()
    return view


def test_scrolling_and_selection_come_back_once_the_list_is_long_enough(
    qtbot: QtBot, places: Layout, tmp_path: Path
) -> None:
    file = tmp_path / "window.json"
    view = long_list(qtbot, 200)
    view.setCurrentIndex(view.model().index(50, 0))
    view.verticalScrollBar().setValue(40)
    before = Memory(places, file, places)
    before.add_view("list", view, lambda row: f"id {row}")
    before.keep()
    before.close()
    kept = json.loads(file.read_text())
    assert kept["list"]["y"] == 40
    after = Memory(places, file, places)
    later = long_list(qtbot, 3)
    after.add_view("list", later, lambda row: f"id {row}")
    after.begin()
    qtbot.wait(250)
    assert later.verticalScrollBar().value() == 0
    after.keep()
    model = later.model()
    assert isinstance(model, QStringListModel)
    model.setStringList([f"row {row}" for row in range(200)])
    qtbot.waitUntil(lambda: later.verticalScrollBar().value() == 40)
    assert later.currentIndex().row() == 50
    after.close()


@pytest.mark.parametrize("content", [b"", b"[1]", b"{", b"\xff", b'{"list": 3}', b'{"list": {"x": "a", "y": null}}'])
def test_what_cannot_be_read_is_left_out(qtbot: QtBot, places: Layout, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "window.json"
    file.write_bytes(content)
    memory = Memory(places, file, places)
    view = long_list(qtbot, 5)
    memory.add_view("list", view)
    memory.begin()
    qtbot.wait(200)
    memory.close()
    assert json.loads(file.read_text())["list"] == {"x": 0, "y": 0}


def test_a_folder_that_cannot_be_written_costs_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    what: dict[str, Any] = {"list": 1}
    write_file(blocked / "window.json", what)
    assert "cannot be kept" in caplog.text
    assert read_file(blocked / "window.json") == {}
