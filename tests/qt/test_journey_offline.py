"""Journey 8: no network at all. Everything but the pod is here, and a job waits for it, said in words."""

from pathlib import Path

from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from comfydesk.qt.theme import Theme
from comfydesk.session.values import PodTarget
from comfydesk.store.records import JobState
from tests.qt.studio import Loop, Studio


def test_journey_8_no_network_at_all(qtbot: QtBot, gui_loop: Loop, theme: Theme, tmp_path: Path) -> None:
    home = Studio(qtbot, gui_loop, theme, tmp_path, speed=40.0).open().quick()
    home.rewrite("a harbour at dawn")
    home.generate()
    home.until(lambda: home.states() == [JobState.DONE])
    home.wiring.form.presets.save("Harbour")
    home.close()
    home.stop_pod()

    train = Studio(qtbot, gui_loop, theme, tmp_path)
    train.pod = home.pod
    train.open(pod=False)
    try:
        gui_loop(train.session.connect(PodTarget.demo(train.pod.url)))
        on_the_train(train)
        gui_loop(train.pod.restart(lose_history=False))  # at home again
        train.session.wake()
        train.until(lambda: train.states() == [JobState.DONE] * 2)
    finally:
        train.close()
        train.stop_pod()


def on_the_train(train: Studio) -> None:
    panel = train.desk.generation
    train.until(lambda: train.opened == "Text to image", "as it was left")
    train.quick()
    train.until(lambda: train.prompt.value() == "a harbour at dawn", "the values as they were left")
    for step in (find_a_workflow, say_what_is_wanted, look_at_the_library, recall_a_preset):
        step(train)
    assert panel.head.rest.text() == "Demo pod is not connected"
    train.rewrite("a lighthouse on a train")
    assert panel.footer.when.text() == "waits for Demo pod", "said before the button is pressed"
    train.generate()
    train.until(lambda: train.states() == [JobState.QUEUED, JobState.DONE])
    assert train.known == [], "no error: it is queued for later"


def find_a_workflow(train: Studio) -> None:
    edit = train.desk.browser.search.edit
    edit.setFocus()
    train.type("video")
    train.until(lambda: [row.entry.name for row in train.desk.workflows.rows()] == ["Text to video"])
    edit.clear()
    train.until(lambda: len(train.desk.workflows.rows()) > 1)


def say_what_is_wanted(train: Studio) -> None:
    train.desk.actions["intent"].trigger()
    train.type("a picture of a red bicycle")
    train.until(lambda: train.desk.intent.offers)
    assert train.desk.intent.offers[0].title == "Text to image"
    train.desk.intent.field.edit.clear()


def look_at_the_library(train: Studio) -> None:
    train.desk.workspaces.show("library")
    library = train.wiring.library
    train.until(lambda: library.model.rowCount() == 1)
    QTest.keyClicks(library.page.toolbar.search.edit, "harbour")
    train.until(lambda: library.page.toolbar.found.text() == "1 found")
    train.desk.workspaces.show("create")


def recall_a_preset(train: Studio) -> None:
    train.rewrite("something else")
    train.wiring.form.presets.recall("Harbour")
    train.until(lambda: train.prompt.value() == "a harbour at dawn")
