"""What is closed is gone: nothing that lives longer keeps a window or its session."""

import gc
import weakref
from pathlib import Path

from pytestqt.qtbot import QtBot

from comfydesk.qt.theme import Theme
from tests.qt.studio import Loop, Studio


def test_a_closed_window_and_its_session_are_garbage(
    qtbot: QtBot, gui_loop: Loop, theme: Theme, tmp_path: Path
) -> None:
    studio = Studio(qtbot, gui_loop, theme, tmp_path).open().ready()
    kept = [weakref.ref(each) for each in (studio.window, studio.desk, studio.wiring, studio.session)]
    studio.close()
    studio.stop_pod()
    del studio
    qtbot.wait(20)  # Qt deletes what is to be deleted later
    gc.collect()
    assert [type(each()).__name__ for each in kept if each() is not None] == []
