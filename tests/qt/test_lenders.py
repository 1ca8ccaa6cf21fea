"""Engines that list no nodes: whose list is used is chosen in the sheet, and told with the form."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from comfydesk.qt.dialogs.pods.place import EnginePage
from comfydesk.qt.theme import Theme
from comfydesk.session.pods.places import Place, PlaceKind
from tests.qt.studio import Loop, Studio


@pytest.fixture
def studio(qtbot: QtBot, gui_loop: Loop, theme: Theme, tmp_path: Path) -> Iterator[Studio]:
    made = Studio(qtbot, gui_loop, theme, tmp_path, speed=20.0).open()
    yield made
    made.close()
    made.stop_pod()


def choices(page: EnginePage) -> list[str]:
    return [page.lender.itemText(at) for at in range(page.lender.count())]


def test_the_pod_whose_nodes_are_used_is_chosen_by_name_and_kept(theme: Theme) -> None:
    page = EnginePage(theme, PlaceKind.SERVERLESS)
    page.set_lenders((("a1", "atlas"), ("demo", "the demo pod")))
    page.fill(Place(PlaceKind.SERVERLESS, pod="burst", nodes_of="demo"), None)
    assert choices(page) == ["That of the pod you connected to last", "atlas", "the demo pod"]
    assert page.place().nodes_of == "demo"
    page.lender.setCurrentIndex(1)
    assert page.place() == Place(PlaceKind.SERVERLESS, pod="burst", nodes_of="a1")
    page.lender.setCurrentIndex(0)
    assert page.place().nodes_of == ""


def test_a_pod_that_is_no_longer_there_is_said_to_be_and_kept_until_another_is_chosen(theme: Theme) -> None:
    page = EnginePage(theme, PlaceKind.COMFY)
    page.set_lenders((("a1", "atlas"),))
    page.fill(Place(PlaceKind.COMFY, url="https://x.run.comfy.app", nodes_of="gone"), None)
    assert choices(page)[-1] == "A pod that is no longer there"
    assert page.place().nodes_of == "gone"


def test_a_form_that_is_made_from_another_pods_list_says_so(studio: Studio) -> None:
    """Ready is not promised: nobody has looked whether this pod has the nodes and models."""
    panel = studio.ready().desk.generation
    studio.until(lambda: panel.head.word.text() == "Ready")
    panel.show_pod("burst", usable=True, borrowed=True)
    assert panel.head.word.text() == "Not checked"
    assert panel.head.rest.text() == "burst lists no nodes: the form is by another pod's list"
    panel.show_pod("burst", usable=True)
    assert panel.head.word.text() == "Ready"


def test_the_sheet_offers_the_pods_that_have_a_list(studio: Studio) -> None:
    studio.ready().wiring.pods.connecting.add_pod()
    sheet = studio.wiring.pods.connecting.sheet
    assert sheet is not None
    engines = [page for page in sheet.form.pages if isinstance(page, EnginePage)]
    assert [choices(page)[-1] for page in engines] == ["the demo pod"] * 2
