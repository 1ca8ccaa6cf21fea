"""ComfyUI's own page is opened with the workflow, as far as it can be brought there, and the label says which."""

from pathlib import Path

import pytest
from PySide6.QtGui import QDesktopServices
from pytestqt.qtbot import QtBot

from comfydesk.qt.theme import Theme
from comfydesk.qt.window.in_browser import Way, label, landing
from comfydesk.session.values import WorkflowEntry
from comfydesk.workflow.card import WorkflowCard
from tests.qt.studio import Loop, Studio

PAGE = "https://abc-8188.proxy.runpod.net"


def entry(source: str, place: str) -> WorkflowEntry:
    return WorkflowEntry(f"{source}/{place}", place, source, WorkflowCard(place, place), place=place)


@pytest.mark.parametrize(
    ("source", "place", "way", "url"),
    [
        ("templates", "image_qwen.json", Way.ADDRESS, f"{PAGE}/?template=image_qwen"),
        ("examples", "ComfyUI-Pack/upscale.json", Way.ADDRESS, f"{PAGE}/?template=upscale&source=ComfyUI-Pack"),
        ("examples", "ComfyUI-Pack/two words.json", Way.SAVE, PAGE),
        ("pod:atlas", "portraits/old film.json", Way.LISTED, PAGE),
        ("bundled", "text_to_image.json", Way.SAVE, PAGE),
        ("mine", "film.json", Way.SAVE, PAGE),
        ("blueprints", "Upscale.json", Way.SAVE, PAGE),
    ],
)
def test_each_kind_gets_into_the_page_in_its_own_way(source: str, place: str, way: Way, url: str) -> None:
    found = landing(entry(source, place), PAGE)
    assert (found.way, found.url) == (way, url)


def test_the_pages_own_query_stays() -> None:
    found = landing(entry("templates", "a.json"), "http://127.0.0.1:8188/comfy/?token=x")
    assert found.url == "http://127.0.0.1:8188/comfy/?token=x&template=a"


def test_the_label_says_what_happens() -> None:
    assert label(Way.ADDRESS, "atlas") == "Open in ComfyUI, in the browser"
    assert label(Way.SAVE, "atlas") == "Save on atlas and open ComfyUI"
    assert label(Way.LISTED, "atlas") == "Open ComfyUI in the browser"


def test_a_workflow_of_this_computer_is_saved_on_the_pod_and_the_page_is_opened(
    qtbot: QtBot, gui_loop: Loop, theme: Theme, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toString()))
    studio = Studio(qtbot, gui_loop, theme, tmp_path).open().ready()
    try:
        model = studio.desk.workflows
        chosen = next(row.entry for row in model.rows() if row.entry.source == "bundled")
        studio.wiring.browse.commands.browse(chosen)
        studio.until(lambda: opened)
        assert opened == [studio.pod.url]
        studio.until(lambda: any(row.entry.source.startswith("pod:") for row in model.all_rows()))
        (toast,) = studio.desk.toasts.toasts()
        assert "In ComfyUI press W and choose" in toast.accessibleName()
        saved = next(row.entry for row in model.all_rows() if row.entry.source.startswith("pod:"))
        studio.wiring.browse.commands.browse(saved)
        assert len(opened) == 2, "it is there already: nothing is saved again"
    finally:
        studio.close()
        studio.stop_pod()
