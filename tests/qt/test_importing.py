"""Folders and pods as the user takes them into the Library: in a real window, with the mouse."""

import asyncio
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from comfydesk.client.pod import Pod
from comfydesk.qt.dialogs.importing import ImportSheet, SkippedSheet
from comfydesk.qt.theme import Theme
from comfydesk.session.values import PodTarget
from comfydesk.settings import WATCHED_FOLDERS
from tests.pod.session.graphs import flat
from tests.qt.studio import Studio

Loop = Callable[[Any], Any]
WAIT = 15_000


@pytest.fixture
def studio(qtbot: QtBot, gui_loop: Loop, theme: Theme, tmp_path: Path) -> Iterator[Studio]:
    made = Studio(qtbot, gui_loop, theme, tmp_path / "home", speed=20.0).open()
    made.desk.workspaces.show("library")
    yield made
    made.close()
    made.stop_pod()


def pictures(folder: Path, count: int) -> Path:
    folder.mkdir()
    for number in range(count):
        Image.new("RGB", (40 + number, 30), (number * 5 % 255, 90, 60)).save(folder / f"{number}.png")
    return folder


def test_a_folder_is_imported_watched_and_what_is_broken_is_named(studio: Studio, qtbot: QtBot, tmp_path: Path) -> None:
    folder = pictures(tmp_path / "old pictures", 12)
    (folder / "broken.png").write_bytes(b"no picture")
    imports, model = studio.wiring.imports, studio.wiring.library.model
    imports.ask_how(folder)
    (sheet,) = studio.window.findChildren(ImportSheet)
    sheet.watch.click()
    QTest.mouseClick(sheet.go, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: model.rowCount() == 12, timeout=WAIT)
    qtbot.waitUntil(lambda: bool(studio.desk.toasts.toasts()), timeout=WAIT)
    assert studio.session.settings.get(WATCHED_FOLDERS) == str(folder)
    assert imports.strip.isHidden()
    (toast,) = studio.desk.toasts.toasts()
    toast.acted.emit(0)
    (told,) = studio.window.findChildren(SkippedSheet)
    assert told.isVisible()
    told.accept()


def test_progress_has_a_rate_and_can_be_stopped(studio: Studio, qtbot: QtBot, tmp_path: Path) -> None:
    folder = pictures(tmp_path / "many", 400)
    imports = studio.wiring.imports
    imports.import_folder(folder)
    qtbot.waitUntil(lambda: "of 400" in imports.strip.detail.text(), timeout=WAIT)
    imports.strip.stop.click()
    qtbot.waitUntil(lambda: imports.strip.isHidden(), timeout=WAIT)


def test_what_another_client_made_is_seen_and_fetched(
    studio: Studio, gui_loop: Loop, qtbot: QtBot, tmp_path: Path
) -> None:
    async def make() -> None:
        pod = Pod(PodTarget.demo(studio.pod.url).address)
        try:
            accepted = await pod.submit(flat(90), prompt_id=str(uuid.uuid4()))
            async with asyncio.timeout(15):
                while (job := await pod.job(accepted.prompt_id)) is None or not job.state.ended:  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
        finally:
            await pod.close()

    gui_loop(make())
    imports = studio.wiring.imports
    imports.open_pod()
    page = imports.page
    assert page is not None
    qtbot.waitUntil(lambda: len(page.outputs) == 1, timeout=WAIT)
    assert page.list.item(0).text() == "flat_00001_.png"
    QTest.mouseClick(page.fetch, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: studio.wiring.library.model.rowCount() == 1, timeout=WAIT)
    qtbot.waitUntil(lambda: page.empty.isVisible() and not page.outputs, timeout=WAIT)
