"""What a person met who used the window for the first time, as specifications."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from comfydesk.errors import GraphError
from comfydesk.qt.models.words import about
from comfydesk.qt.theme import Theme
from comfydesk.qt.widgets.banner import Banner
from comfydesk.qt.widgets.seed_row import SeedRow
from comfydesk.session.shelves.drafts import FILE_NAME, DraftFile
from comfydesk.session.shelves.reading import named
from comfydesk.settings import THEME
from comfydesk.store.records import JobState
from comfydesk.workflow.fields import Role
from tests.qt.studio import Loop, Studio


@pytest.fixture
def studio(qtbot: QtBot, gui_loop: Loop, theme: Theme, tmp_path: Path) -> Iterator[Studio]:
    made = Studio(qtbot, gui_loop, theme, tmp_path).open()
    yield made
    made.close()
    made.stop_pod()


@pytest.fixture
def lonely(qtbot: QtBot, gui_loop: Loop, theme: Theme, tmp_path: Path) -> Iterator[Studio]:
    """A window without a pod."""
    made = Studio(qtbot, gui_loop, theme, tmp_path).open(pod=False)
    yield made
    made.close()


def test_a_banner_is_one_line_where_there_is_room_and_stacked_where_there_is_not(qtbot: QtBot, theme: Theme) -> None:
    banner = Banner(theme)
    qtbot.addWidget(banner)
    banner.tell("notes.json cannot be opened", "It is no workflow. Drop a ComfyUI file.", action="Choose another")
    banner.resize(900, banner.heightForWidth(900))
    what, why = banner._what, banner._why
    qtbot.waitUntil(lambda: why.x() > what.x())
    assert banner.heightForWidth(900) == 36
    banner.resize(328, banner.heightForWidth(328))
    qtbot.waitUntil(lambda: why.y() >= what.geometry().bottom())
    assert why.x() == what.x()
    assert why.width() > 220, "the text has the full width"
    assert banner.action.y() >= why.geometry().bottom()
    assert banner.action.geometry().bottom() < banner.height()


def test_what_cannot_be_opened_is_said_with_its_name() -> None:
    told = named("notes.json", GraphError("This is no workflow", "It is a list", "Drop another"))
    assert (told.what, told.why, told.advice) == (
        "notes.json cannot be opened",
        "This is no workflow. It is a list",
        "Drop another",
    )
    before = GraphError("notes.json is broken")
    assert named("notes.json", before) is before


def test_a_wrong_file_is_told_in_whole_lines(lonely: Studio, tmp_path: Path) -> None:
    wrong = tmp_path / "shopping list.json"
    wrong.write_text('["milk", "bread"]')
    lonely.window.file_dropped.emit(wrong)
    banner = lonely.desk.generation.banner
    # It may have something else to say before, and is laid out anew after.
    lonely.until(lambda: banner.isVisible() and "shopping list.json" in banner.text())
    lonely.until(lambda: whole(banner._what) and whole(banner._why) and banner._why.width() > 200)


def first_is_done(studio: Studio) -> bool:
    return studio.states()[:1] == [JobState.DONE]


def whole(label: QWidget) -> bool:
    """Whether all words of a label fit into it."""
    return label.height() >= label.heightForWidth(label.width())


def restarted(qtbot: QtBot, gui_loop: Loop, theme: Theme, folder: Path) -> Studio:
    """The next start of the same data folder, the window as it was left."""
    return Studio(qtbot, gui_loop, theme, folder).open(size=None)


def test_the_form_survives_a_restart(qtbot: QtBot, gui_loop: Loop, theme: Theme, tmp_path: Path) -> None:
    first = Studio(qtbot, gui_loop, theme, tmp_path).open().ready()
    first.pick("Text to video")
    first.rewrite("a heron over the reeds")
    form = first.desk.generation.form
    steps, seed = form.form().with_role(Role.STEPS)[0], form.form().with_role(Role.SEED)[0]
    part = form.part(seed.id)
    row = part.editor(seed.id) if part is not None else None
    assert isinstance(row, SeedRow)
    first.click(row.lock)
    first.click(first.desk.generation.footer.count.more)
    assert steps.id in form.values()
    first.close()
    first.stop_pod()

    again = restarted(qtbot, gui_loop, theme, tmp_path).ready()
    assert again.opened == "Text to video"
    assert again.prompt.value() == "a heron over the reeds"
    assert again.desk.generation.form.locked_seeds() == {seed.id}
    assert again.desk.generation.footer.count.value() == 2
    again.pick("Text to image")
    assert again.desk.generation.footer.count.value() == 1
    again.close()
    again.stop_pod()


def test_the_form_survives_a_killed_window(studio: Studio) -> None:
    studio.ready().rewrite("written down without being closed")
    file = DraftFile(studio.paths.data / FILE_NAME)
    studio.until(lambda: "written down without being closed" in str(file.load()))


def test_cards_and_panels_are_where_they_were_at_each_start(
    qtbot: QtBot, gui_loop: Loop, theme: Theme, tmp_path: Path
) -> None:
    seen = []
    for _ in range(3):
        made = restarted(qtbot, gui_loop, theme, tmp_path)
        made.quick().generate()
        made.until(partial(first_is_done, made))
        window = made.window
        names = [row.entry.name for row in made.desk.workflows.rows()]
        seen.append((names, window.browser_dock.width(), window.generation_dock.width()))
        made.close()
        made.stop_pod()
    assert seen[1] == seen[2]
    assert sorted(seen[0][0]) == sorted(seen[1][0])
    assert seen[0][1:] == seen[1][1:]
    assert seen[1][0][0] == "Text to image", "what was used is on top from the next start on"


def test_the_chevron_beside_generate_opens_its_menu_with_mouse_and_keys(studio: Studio) -> None:
    panel = studio.quick().desk.generation
    menu = panel.ways
    studio.click(panel.footer.generate.more)
    studio.until(menu.isVisible)
    below = panel.footer.generate.mapToGlobal(panel.footer.generate.rect().topLeft())
    assert not menu.geometry().contains(below), "it does not lie over the button"
    QTest.keyClick(menu, Qt.Key.Key_Escape)
    studio.until(lambda: not menu.isVisible())
    panel.footer.generate.main.setFocus()
    studio.keys(Qt.Key.Key_Down)
    studio.until(menu.isVisible)
    seed = panel.form.form().with_role(Role.SEED)[0]
    shown = panel.form.values()[seed.id]
    kept = next(action for action in menu.actions() if action.text() == "Generate one with the seed shown")
    for _ in range(menu.actions().index(kept)):
        if menu.activeAction() is not kept:
            QTest.keyClick(menu, Qt.Key.Key_Down)
    assert menu.activeAction() is kept
    QTest.keyClick(menu, Qt.Key.Key_Return)
    studio.until(lambda: len(studio.states()) == 1)
    assert studio.desk.jobs.rows()[0].job.seed == shown


def test_a_sound_is_a_card_with_its_name_length_and_player(studio: Studio) -> None:
    studio.ready().pick("Text to audio")
    studio.generate()
    studio.until(partial(first_is_done, studio))
    preview = studio.desk.preview
    studio.until(preview.card.isVisible)
    studio.until(lambda: studio.desk.outputs.latest is not None)
    output = studio.desk.outputs.latest
    assert output is not None
    assert output.media == "audio"
    assert preview.card.name.text() == Path(output.path).name
    assert ":" in preview.card.facts.text(), "its length"
    assert preview.card.play.isVisible()
    assert preview.card.open.text() == "Open in your player"
    assert not preview.empty.isVisible()
    studio.click_row(studio.desk.gallery.strip, 0, double=True)
    studio.until(studio.desk.viewer.media.isVisible)
    assert not studio.desk.viewer._trouble.isVisible()
    studio.window.grab().save(str(studio.paths.data / "viewer.png"))
    studio.desk.viewer.shut()
    studio.window.grab().save(str(studio.paths.data / "sound.png"))


def test_a_line_that_breaks_during_a_job_is_said_everywhere(studio: Studio) -> None:
    desk = studio.ready().desk
    studio.rewrite("a lantern in the fog")
    studio.generate()
    line = desk.preview.running_bar.line
    studio.until(lambda: "steps" in line.accessibleName())
    assert "1 running" in desk.status.queue.words.text()
    assert "queued" not in desk.status.queue.words.text()
    studio.stop_pod()
    studio.until(lambda: line.accessibleName().startswith("Connection lost"))
    assert "left" not in line.accessibleName().replace("with the line", "")
    assert "is not connected" in desk.generation.head.rest.text()
    assert not desk.generation.head.word.text()
    assert desk.generation.footer.when.text().startswith("waits for")
    banner = desk.preview.banner
    studio.until(banner.isVisible)
    assert banner.action.text() == "Start it again"
    assert "--listen" not in banner.text()
    asked: list[bool] = []
    studio.wiring.demo_wanted.connect(lambda: asked.append(True))
    studio.click(banner.action)
    assert asked == [True]
    shown = desk.workflows.rows()[0]
    assert shown.needs is None or not shown.online


def test_times_below_a_second_are_not_told_as_zero() -> None:
    assert (about(0.2), about(61)) == ("under a second", "about 1:01")


def test_in_a_low_window_outputs_and_queue_give_way_to_the_picture(studio: Studio) -> None:
    studio.quick().generate()
    studio.until(partial(first_is_done, studio))
    studio.window.resize(1100, 700)
    studio.until(lambda: studio.window.stage.height() >= 280)
    assert studio.desk.gallery.height() >= 64
    assert studio.desk.queue.height() >= 64


def test_light_and_dark_are_chosen_in_the_view_menu_and_kept(lonely: Studio) -> None:
    desk = lonely.desk
    desk.actions["scheme_light"].trigger()
    assert lonely.theme.appearance.scheme == "light"
    assert desk.actions["scheme_light"].isChecked()
    assert not desk.actions["scheme_system"].isChecked()
    assert lonely.desk.preferences.get(THEME) == "light"
