"""Journeys 1, 2 and 3, with keys and the mouse: a first picture, a pod of one's own, a stranger's workflow."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QGuiApplication
from PySide6.QtWidgets import QAbstractButton, QLabel
from pytestqt.qtbot import QtBot

from comfydesk.demo.server import DemoPod
from comfydesk.paths import resources
from comfydesk.qt.models.workflows import readiness
from comfydesk.qt.theme import Theme
from comfydesk.session.pods.profiles import Place, PlaceKind
from comfydesk.session.values import PodTarget
from comfydesk.store.records import JobState
from comfydesk.workflow.fields import Role
from tests.qt.studio import Loop, Studio

TEXT_TO_IMAGE = resources() / "workflows" / "text_to_image.json"


@pytest.fixture
def lonely(qtbot: QtBot, gui_loop: Loop, theme: Theme, tmp_path: Path) -> Iterator[Studio]:
    """A window that knows no pod yet."""
    made = Studio(qtbot, gui_loop, theme, tmp_path).open(pod=False)
    yield made
    made.close()
    made.stop_pod()


def put(pod: DemoPod, name: str, document: object) -> None:
    """A workflow that was saved on the pod before."""
    path = pod.folder / "user" / "default" / "workflows" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document), encoding="utf-8")


def saved_workflow(model: str = "") -> dict[str, object]:
    """As the canvas saves it; `model` in place of the checkpoint it names."""
    text = TEXT_TO_IMAGE.read_text("utf-8")
    document: dict[str, object] = json.loads(text.replace("demo-painter.safetensors", model) if model else text)
    extra = document["extra"]
    assert isinstance(extra, dict)
    extra.pop("comfydesk")
    return document


def say(studio: Studio, words: str) -> None:
    """Ctrl+Space, and the words into the intent bar."""
    studio.keys(Qt.Key.Key_Space, Qt.KeyboardModifier.ControlModifier)
    studio.until(studio.desk.intent.field.edit.hasFocus)
    studio.type(words)
    studio.until(lambda: studio.desk.intent.offers)


def words_on_screen(studio: Studio) -> str:
    """What labels and buttons say."""
    shown = [label.text() for label in studio.window.findChildren(QLabel) if label.isVisible()]
    shown += [button.text() for button in studio.window.findChildren(QAbstractButton) if button.isVisible()]
    return "\n".join(shown)


def test_journey_1_first_picture_without_a_gpu(lonely: Studio) -> None:
    pods = lonely.wiring.pods
    pods.connecting.welcome()
    welcome = pods.connecting.welcome_sheet
    assert welcome is not None
    offered = [welcome.demo.text(), welcome.connect_button.text()]
    assert offered == ["Try the demo pod", "Connect"]
    assert welcome.paste.isVisible()
    lonely.wiring.demo_wanted.connect(lambda: lonely.tasks.start(lonely.connect()))
    lonely.click(welcome.demo)
    lonely.ready()
    say(lonely, "a picture of a red bicycle")
    first = lonely.desk.intent.offers[0]
    assert first.title == "Text to image"
    lonely.until(lambda: "ready on Demo pod" in lonely.desk.intent.offers[0].why or retyped(lonely))
    assert "Prompt: “a red bicycle”" in lonely.desk.intent.offers[0].why
    lonely.keys(Qt.Key.Key_Return)
    lonely.until(lambda: lonely.opened == "Text to image" and lonely.prompt.value() == "a red bicycle")
    assert lonely.desk.intent.field.text() == ""
    assert not lonely.desk.intent.offers
    lonely.quick().generate()
    lonely.until(lambda: lonely.states() == [JobState.DONE])
    lonely.until(lambda: lonely.desk.preview.output is not None)
    assert "node" not in words_on_screen(lonely).casefold()


def retyped(studio: Studio) -> bool:
    """The cards learn what the pod has while one types: the next key shows it."""
    studio.desk.intent.field.searched.emit(studio.desk.intent.field.text())
    return False


def test_journey_2_my_own_pod(qtbot: QtBot, gui_loop: Loop, theme: Theme, tmp_path: Path) -> None:
    studio = Studio(qtbot, gui_loop, theme, tmp_path).open(pod=False)
    put(studio.pod, "weekly.json", saved_workflow())
    put(studio.pod, "archive/unused.json", saved_workflow("sdxl_base_1.0.safetensors"))
    studio.desk.actions["connect"].trigger()
    sheet = studio.wiring.pods.connecting.sheet
    assert sheet is not None
    QGuiApplication.clipboard().setText("https://abc123-8188.proxy.runpod.net")
    studio.keys(Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    studio.until(lambda: sheet.profile.place.kind is PlaceKind.RUNPOD)
    assert sheet.profile.place == Place(PlaceKind.RUNPOD, pod="abc123", port=8188)
    studio.keys(Qt.Key.Key_Escape)
    gui_loop(studio.connect())  # the demo pod stands in for it
    studio.ready()
    model = studio.desk.workflows
    studio.until(lambda: model.rows()[0].entry.source == "pod:demo" and model.rows()[1].needs is not None)
    assert [row.entry.name for row in model.rows()[:2]] == ["unused", "weekly"], "what the pod keeps comes first"
    assert readiness(model.rows()[0]) == "1 model missing", "said before anything is clicked"
    studio.pick("weekly")
    studio.until(lambda: studio.session.shelves.marks)
    studio.close()
    again = Studio(qtbot, gui_loop, theme, tmp_path)
    again.pod = studio.pod
    again.open(pod=False)
    gui_loop(again.session.connect(PodTarget.demo(again.pod.url)))
    again.until(lambda: again.desk.workflows.rows()[0].entry.name == "weekly")
    again.close()
    again.stop_pod()


def test_journey_3_a_strangers_workflow(qtbot: QtBot, gui_loop: Loop, theme: Theme, tmp_path: Path) -> None:
    studio = Studio(qtbot, gui_loop, theme, tmp_path).open().ready()
    try:
        picture = tmp_path / "from a forum.png"
        write_strange_png(picture)
        drop(studio, picture)
        studio.until(lambda: studio.opened == "from a forum")
        needs = studio.wiring.bench.current.needs if studio.wiring.bench.current else None
        assert needs is not None
        assert needs.missing_nodes == ("ADE_LoadAnimateDiff", "IPAdapterUnified", "VHS_VideoCombine")
        studio.desk.actions["missing"].trigger()
        sheet = studio.wiring.browse.missing.sheet
        assert sheet is not None
        assert sheet.isVisible()
        told = words_on_screen(studio)
        assert "3 nodes are not installed on Demo pod" in told
        studio.keys(Qt.Key.Key_Escape)
        studio.until(lambda: not sheet.isVisible())
        assert studio.states() == [], "nothing was run"
        assert not list((studio.pod.folder / "input").glob("*forum*")), "nothing was uploaded"
        fields = studio.desk.generation.form.form()
        assert fields is not None
        assert not fields.with_role(Role.IMAGE)
    finally:
        studio.close()
        studio.stop_pod()


def write_strange_png(path: Path) -> None:
    """A picture that carries a workflow with three nodes of which this pod has none."""
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    document = saved_workflow()
    nodes = document["nodes"]
    assert isinstance(nodes, list)
    for number, type_ in enumerate(("IPAdapterUnified", "ADE_LoadAnimateDiff", "VHS_VideoCombine")):
        nodes.append({"id": 900 + number, "type": type_, "pos": [0, 0], "inputs": [], "outputs": [], "mode": 0})
    about = PngInfo()
    about.add_text("workflow", json.dumps(document))
    Image.new("RGB", (64, 64), "teal").save(path, pnginfo=about)


def drop(studio: Studio, path: Path) -> None:
    """From the file manager onto the middle of the window."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    spot = QPointF(studio.window.rect().center())
    event = QDropEvent(spot, Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    assert studio.window.rect().contains(QPoint(int(spot.x()), int(spot.y())))
    studio.window.dropEvent(event)
