"""Starting and ending the real program: what is loaded before the first frame, what happens without a display."""

import asyncio
import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from comfydesk.errors import PodError
from comfydesk.paths import Paths
from comfydesk.qt.app.faults import Faults
from comfydesk.qt.app.frame import import_behind, show_and_paint
from comfydesk.qt.app.life import Life
from comfydesk.qt.app.logs import FILE_NAME, start_logging, stop_logging
from comfydesk.qt.app.start import has_display
from comfydesk.qt.theme import Theme
from comfydesk.qt.window.desk import furnish
from comfydesk.qt.window.shell import MainWindow
from comfydesk.settings import Settings

ROOT = Path(__file__).parents[2]
HEAVY = {"httpx", "websockets", "PIL", "sqlite3", "av", "aiohttp", "keyring", "llama_cpp", "asyncssh", "asyncio"}


def without_display() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("DISPLAY", "WAYLAND", "QT_"))}


def test_nothing_heavy_is_loaded_before_the_first_frame(tmp_path: Path) -> None:
    child = ROOT / "tests" / "bench" / "startup_child.py"
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run(
        [sys.executable, str(child), "window", str(time.monotonic()), str(tmp_path), "0"],
        capture_output=True, text=True, cwd=ROOT, env=environment, timeout=60, check=True,
    )  # fmt: skip
    seen = json.loads(done.stdout.splitlines()[-1])
    assert set(seen["loaded"]) & HEAVY == set()
    assert seen["painted"] > 0


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="there is always a display")
def test_without_a_display_the_window_makes_one_picture_and_shows_itself(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "comfydesk", "--demo", "--data-dir", str(tmp_path)],
        capture_output=True, text=True, cwd=ROOT, env=without_display(), timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    first, picture, screenshot = done.stdout.splitlines()
    assert first.startswith("No display here")
    for line, word in ((picture, "picture: "), (screenshot, "screenshot: ")):
        assert line.startswith(word)
        file = Path(line.removeprefix(word))
        assert tmp_path in file.parents
        assert file.read_bytes().startswith(b"\x89PNG")


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="there is always a display")
def test_without_a_display_and_without_the_demo_it_says_what_to_do(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "comfydesk", "--data-dir", str(tmp_path)],
        capture_output=True, text=True, cwd=ROOT, env=without_display(), timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr == 'comfydesk: There is no display for a window. Use "comfydesk generate", or set DISPLAY.\n'


def test_a_named_platform_counts_as_a_display(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    assert not has_display()
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    assert has_display()
    monkeypatch.delenv("WAYLAND_DISPLAY")
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    assert has_display()


def test_showing_waits_for_the_first_paint(qtbot: QtBot) -> None:
    painted: list[bool] = []

    class Window(QWidget):
        def paintEvent(self, event: object) -> None:
            painted.append(True)

    window = Window()
    qtbot.addWidget(window)
    show_and_paint(window)
    assert painted


def test_imports_go_on_beside_the_window_and_fail_where_they_were_asked_for(qtbot: QtBot) -> None:
    import_behind(("colorsys", "wave"))
    assert {"colorsys", "wave"} <= set(sys.modules)
    with pytest.raises(ModuleNotFoundError):
        import_behind(("comfydesk.no_such_module",))


def test_the_worlds_faults_and_ours_part_ways_and_ours_are_told_once(
    qtbot: QtBot, caplog: pytest.LogCaptureFixture
) -> None:
    faults = Faults()
    known: list[PodError] = []
    bugs: list[str] = []
    faults.known.connect(known.append)
    faults.bug.connect(bugs.append)

    def fail(error: Exception) -> None:
        try:
            raise error
        except Exception as caught:
            faults.take(caught)

    fail(PodError("The pod left", "", "Start it again"))
    for _ in range(3):
        fail(ZeroDivisionError("ours"))
    faults.take(KeyboardInterrupt())
    assert [str(error) for error in known] == ["The pod left. Start it again."]
    assert len(bugs) == 1
    assert "ZeroDivisionError: ours" in bugs[0]
    assert sum("unexpected failure" in record.message for record in caplog.records) == 3


def test_failures_on_threads_arrive_on_the_gui_thread(qtbot: QtBot) -> None:
    faults = Faults()
    seen: list[str] = []
    faults.bug.connect(lambda _: seen.append(threading.current_thread().name))
    faults.install()
    try:
        worker = threading.Thread(target=lambda: 1 / 0, name="worker")
        worker.start()
        worker.join()
        qtbot.waitUntil(lambda: seen == ["MainThread"])
    finally:
        faults.remove()


async def turns(holds: Callable[[], bool]) -> None:
    """Until `holds`, in at most 10 s."""
    for _ in range(2000):
        if holds():
            break
        await asyncio.sleep(0.005)


async def test_what_is_cut_short_while_it_starts_is_ended_all_the_same(
    qtbot: QtBot, theme: Theme, tmp_path: Path
) -> None:
    paths = Paths.under(tmp_path)
    desk = furnish(MainWindow(theme, paths))
    life = Life(desk, Faults(), paths, Settings())
    begin = life.tasks.start(life.start_session())
    await turns(lambda: life._made is not None)
    begin.cancel()
    await asyncio.wait((begin,))
    assert life.session is None
    await life.start_session()
    twice = [life.tasks.start(life.open_demo()) for _ in range(2)]
    await turns(lambda: life._demo is not None)
    assert life._demo is not None
    for task in twice:
        task.cancel()
    process = life._demo._process
    assert process is not None
    await life._shut_down()
    assert not process.result().is_running()
    desk.release()
    desk.window.deleteLater()


def test_the_log_rotates_and_a_folder_that_cannot_be_written_is_no_tragedy(tmp_path: Path) -> None:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    for handler in before:
        root.removeHandler(handler)
    try:
        path = start_logging(tmp_path / "logs")
        logging.getLogger("comfydesk.test").info("a line")
        stop_logging()
        assert path == tmp_path / "logs" / FILE_NAME
        assert "comfydesk.test: a line" in path.read_text()
        blocked = tmp_path / "file"
        blocked.write_text("")
        assert start_logging(blocked) is None
        stop_logging()
    finally:
        root.setLevel(level)
        for handler in before:
            root.addHandler(handler)
