"""The batch sheet: what it says is what is queued."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from comfydesk.qt.dialogs.batch import BatchPage
from comfydesk.qt.models.batch_plan import Part, Plan, Seeds, Wishes, plan, read_table, table_axis
from comfydesk.qt.theme import Theme
from comfydesk.workflow.fields import Field, Form, Kind, Role
from tests.qt.studio import Loop, Studio

FORM = Form(
    (
        Field("6.text", "Prompt", Kind.TEXT, "a lighthouse", Role.PROMPT, multiline=True),
        Field("3.seed", "Seed", Kind.SEED, 7, Role.SEED, 0, 2**64 - 1, 1),
        Field("3.cfg", "Guidance", Kind.FLOAT, 7.0, Role.CFG, 0.0, 30.0, 0.1),
        Field("3.sampler_name", "Sampler", Kind.CHOICE, "euler", Role.SAMPLER, choices=("euler", "heun", "dpmpp_2m")),
        Field("10.image", "Picture", Kind.IMAGE, "example.png", Role.IMAGE),
    )
)


@pytest.fixture
def page(theme: Theme, qtbot: QtBot) -> BatchPage:
    """A sheet that answers itself at once, as its owner does."""
    made = BatchPage(theme)
    qtbot.addWidget(made)
    made.resize(820, 760)
    made.changed.connect(lambda: made.show_plan(plan(FORM, {}, made.wishes(), 1)))
    made.show()
    made.show_form("Text to image", FORM, pods=2)
    return made


# --- The plan -------------------------------------------------------------------------------------------------------


def test_lists_multiply_and_the_first_jobs_are_told() -> None:
    wishes = Wishes(2, Seeds.LIST, "1, 5-6", "a castle\n# no\na {red|red} boat", grid=(("3.cfg", "3, 7.5"),))
    made = plan(FORM, {}, wishes, 1)
    assert made.problems == {}
    assert made.total == 2 * 3 * 2 * 2
    assert made.preview[0] == "a castle · Seed 1 · Guidance 3.0"
    assert made.notes == {Part.PROMPTS: "2 prompts", Part.SEEDS: "3 seeds", Part.GRID: "2"}
    assert made.batch is not None
    assert {one.values["6.text"] for one in made.batch.sets()} == {"a castle", "a red boat"}


def test_what_is_wrong_is_said_where_it_is_wrong(tmp_path: Path) -> None:
    table = tmp_path / "jobs.csv"
    table.write_text("prompt,cfg\na castle,3\na boat,lots\n")
    wishes = Wishes(
        seeds=Seeds.LIST,
        seed_list="1, two",
        table=read_table(FORM, table),
        folder=tmp_path / "nowhere",
        folder_field="10.image",
        grid=(("3.sampler_name", "euler, none"),),
        wildcards=tmp_path / "nowhere",
    )
    made = plan(FORM, {}, wishes, 1)
    assert made.batch is None
    assert "two" in made.problems[Part.SEEDS]
    assert "row 3, column cfg" in made.problems[Part.TABLE]
    assert "nowhere" in made.problems[Part.FOLDER]
    assert "none" in made.problems[Part.GRID]
    assert "nowhere" in made.problems[Part.WILDCARDS]


def test_columns_find_their_inputs_and_can_be_given_others(tmp_path: Path) -> None:
    path = tmp_path / "jobs.csv"
    path.write_text('What;Guidance;notes\n"a castle; old";7,5;mine\na boat;;yours\n')
    table = read_table(FORM, path)
    assert (table.delimiter, table.header, table.fields) == (";", ("What", "Guidance", "notes"), ("", "3.cfg", ""))
    table = type(table)(path, table.text, ";", table.header, table.rows, ("6.text", "3.cfg", ""))
    points = [dict(point.values) for point in table_axis(FORM, table).points]
    assert points == [{"6.text": "a castle; old", "3.cfg": 7.5}, {"6.text": "a boat"}]


def test_one_field_is_not_set_twice() -> None:
    made = plan(FORM, {}, Wishes(prompts="a\nb", grid=(("6.text", "c,d"),)), 1)
    assert made.batch is None
    assert "set twice" in made.problems[Part.WHOLE]


# --- The sheet ------------------------------------------------------------------------------------------------------


def test_the_sheet_counts_while_one_types(page: BatchPage, qtbot: QtBot) -> None:
    QTest.keyClicks(page.prompts, "a castle")
    QTest.keyClick(page.prompts, Qt.Key.Key_Return)
    QTest.keyClicks(page.prompts, "a boat")
    QTest.mouseClick(page.repeats.more, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: page.queue.text() == "Queue 4 jobs")
    assert page.summary.text() == "This makes 4 jobs: 2 prompts \N{MULTIPLICATION SIGN} 2 times"
    assert page.parts[Part.PROMPTS].note.text() == "2 prompts"
    QTest.mouseClick(page.seeds.button(2), Qt.MouseButton.LeftButton)
    QTest.keyClicks(page.seed_list.edit, "1, x")
    qtbot.waitUntil(lambda: page.parts[Part.SEEDS].problem.isVisible())
    assert not page.queue.isEnabled()
    assert "x" in page.parts[Part.SEEDS].problem.text()
    page.seed_list.edit.clear()
    QTest.keyClicks(page.seed_list.edit, "1-5")
    qtbot.waitUntil(lambda: page.queue.text() == "Queue 20 jobs")
    assert not page.parts[Part.SEEDS].problem.isVisible()


def test_a_table_shows_its_rows_and_its_columns_are_chosen(page: BatchPage, tmp_path: Path, qtbot: QtBot) -> None:
    path = tmp_path / "jobs.csv"
    path.write_text("What,cfg\na castle,3\na boat,7\n")
    page.table.take(path)
    qtbot.waitUntil(lambda: page.queue.text() == "Queue 2 jobs")
    first = page.columns.combos[0]
    assert (first.field(), page.columns.combos[1].field()) == ("", "3.cfg")
    first.choose("6.text")
    first.picked.emit()
    qtbot.waitUntil(lambda: page._first[0].text().endswith("Guidance 3.0") and "a castle" in page._first[0].text())
    page.table.take(tmp_path / "gone.csv")
    qtbot.waitUntil(lambda: "gone.csv" in page.parts[Part.TABLE].problem.text())


def test_every_control_has_a_name(page: BatchPage) -> None:
    from PySide6.QtWidgets import QAbstractButton, QComboBox, QLineEdit, QPlainTextEdit

    for kind in (QAbstractButton, QComboBox, QLineEdit, QPlainTextEdit):
        for control in page.findChildren(kind):
            text = control.text() if isinstance(control, QAbstractButton) else ""
            assert control.accessibleName() or text, control


# --- In the window --------------------------------------------------------------------------------------------------


@pytest.fixture
def studio(qtbot: QtBot, gui_loop: Loop, theme: Theme, tmp_path: Path) -> Iterator[Studio]:
    made = Studio(qtbot, gui_loop, theme, tmp_path, speed=20.0).open()
    yield made
    made.close()
    made.stop_pod()


def test_the_sheet_queues_exactly_the_jobs_that_it_said(studio: Studio) -> None:
    desk = studio.quick().desk
    studio.loop(studio.session.queue.pause())
    studio.click(desk.generation.footer.batch)
    batches = studio.wiring.jobs.batches
    page: Any = batches.page
    assert page is not None
    page.prompts.setPlainText("a castle\na {red|blue} boat")
    studio.click(page.repeats.more)
    combo, values = page.grid.rows[0]
    steps = desk.generation.form.form().with_role(Role.STEPS)[0]
    combo.choose(steps.id)
    combo.picked.emit()
    values.edit.setFocus()
    QTest.keyClicks(values.edit, "4, 6")
    studio.until(lambda: page.queue.text() == "Queue 8 jobs")
    said: Plan | None = batches._plan
    assert said is not None
    assert said.batch is not None
    wanted = [
        {key: value for key, value in one.values.items() if key in studio_fields(said)} for one in said.batch.sets()
    ]
    studio.click(page.queue)
    studio.until(lambda: len(studio.states()) == 8)
    assert not page.isVisible()
    rows = desk.jobs.rows()
    assert [{key: row.job.values[key] for key in one} for row, one in zip(rows, wanted, strict=True)] == wanted
    assert len({row.job.batch for row in rows}) == 1


def studio_fields(said: Plan) -> set[str]:
    """What the batch of the test varies."""
    assert said.batch is not None
    axes = (*said.batch.lists, *said.batch.grid)
    return {field for axis in axes for field in axis.fields} | {
        entry.id for entry in said.batch.form.with_role(Role.SEED)
    }


def test_generate_next_goes_before_all_that_waits(studio: Studio) -> None:
    studio.quick()
    studio.loop(studio.session.queue.pause())
    studio.generate()
    studio.generate()
    studio.until(lambda: len(studio.states()) == 2)
    before = [row.job.id for row in studio.desk.jobs.rows()]
    ctrl_shift = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    studio.keys(Qt.Key.Key_Return, ctrl_shift)
    studio.until(lambda: len(studio.states()) == 3)
    after = [row.job.id for row in studio.desk.jobs.rows()]
    assert after[1:] == before
