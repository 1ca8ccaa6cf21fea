"""What arrives from the session shows where it should, and stays where the user put it."""

from array import array
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtGui import QColor, QImage
from pytestqt.qtbot import QtBot

from comfydesk.qt.theme import Theme
from comfydesk.store.listing import Listing
from comfydesk.store.records import Output
from comfydesk.store.search import EVERYTHING, Grouping, Order
from tests.qt.studio import Loop, Studio


@pytest.fixture
def lonely(qtbot: QtBot, gui_loop: Loop, theme: Theme, tmp_path: Path) -> Iterator[Studio]:
    """A window without a pod."""
    made = Studio(qtbot, gui_loop, theme, tmp_path).open(pod=False)
    yield made
    made.close()


def made(folder: Path, id_: int, created: float) -> Output:
    image = QImage(64, 48, QImage.Format.Format_RGB32)
    image.fill(QColor("seagreen"))
    path = folder / f"{id_}.png"
    assert image.save(str(path))
    return Output(id_, str(path), "image", 1, "", created, workflow="Text to image")


def test_older_outputs_that_are_paged_in_leave_the_middle_alone_and_newer_ones_take_it(
    lonely: Studio, tmp_path: Path
) -> None:
    bridge, preview = lonely.bridge, lonely.desk.preview
    first, looked_at, older, newer = (made(tmp_path, id_, created) for id_, created in enumerate((50, 40, 10, 90), 1))
    bridge.outputs.emit((first, looked_at))
    assert preview.output == first
    preview.show_output(looked_at)
    bridge.outputs.emit((older,))
    assert preview.output == looked_at
    bridge.outputs.emit((first,))
    assert preview.output == looked_at, "nothing new"
    bridge.outputs.emit((newer,))
    assert preview.output == newer


def test_an_output_that_is_gone_is_shown_nowhere(lonely: Studio, tmp_path: Path) -> None:
    bridge, desk = lonely.bridge, lonely.desk
    older, newer = made(tmp_path, 1, 10), made(tmp_path, 2, 20)
    both = array("q", (2, 1)), array("f", (1, 1)), array("d", (20, 10))
    desk.outputs.show(Listing(*both, (), EVERYTHING, Order.NEWEST, Grouping.NONE))
    bridge.outputs.emit((older, newer))
    bridge.outputs_gone.emit((2,))
    assert desk.preview.output == older
    bridge.outputs_gone.emit((1,))
    lonely.until(lambda: desk.preview.output is None)
    assert desk.preview.empty.isVisible()


def test_a_pod_takes_away_its_own_message_and_no_other(lonely: Studio) -> None:
    banner = lonely.desk.preview.banner
    lonely.wiring.pods._banner = "the pod was away"
    banner.tell("The library cannot be opened", tone="danger")
    lonely.wiring.pods.refresh()
    assert banner.isVisible()
    lonely.wiring.pods._banner = "the pod was away"
    banner.tell("The pod is away", source="pod")
    lonely.wiring.pods.refresh()
    lonely.until(lambda: not banner.isVisible())
