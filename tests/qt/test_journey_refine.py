"""Journey 5 through real widgets: six made, two compared, what differs told exactly, one used again, a word changed."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from comfydesk.qt.theme import Theme
from comfydesk.qt.widgets.compare_view import Mode
from comfydesk.store.records import JobState
from comfydesk.workflow.fields import Role
from tests.qt.studio import Loop, Studio


@pytest.fixture
def studio(qtbot: QtBot, gui_loop: Loop, theme: Theme, tmp_path: Path) -> Iterator[Studio]:
    made = Studio(qtbot, gui_loop, theme, tmp_path, speed=20.0).open().quick()
    yield made
    made.close()
    made.stop_pod()


def set_role(studio: Studio, role: Role, value: object) -> None:
    form = studio.desk.generation.form
    for field in form.form().with_role(role)[:1]:
        form.set_value(field.id, value)


def value_of(studio: Studio, role: Role) -> object:
    form = studio.desk.generation.form
    return form.values()[form.form().with_role(role)[0].id]


def make(studio: Studio, count: int, total: int) -> None:
    studio.desk.generation.footer.count.set_value(count)
    studio.generate()
    studio.until(lambda: len(studio.states()) == total and set(studio.states()) == {JobState.DONE})


def test_journey_5_choose_and_refine(studio: Studio) -> None:
    studio.rewrite("a red bicycle")
    make(studio, 3, 3)
    set_role(studio, Role.CFG, 3.5)
    make(studio, 3, 6)

    studio.desk.workspaces.show("library")
    library = studio.wiring.library
    studio.until(lambda: library.model.rowCount() == 6)
    view = library.page.view
    flags = view.selectionModel().SelectionFlag
    view.pick(0, 0, flags.ClearAndSelect)
    view.pick(5, 5, flags.Select)
    studio.loop(studio.session.gallery.settled())
    ids = list(view.selected_ids())
    assert len(ids) == 2
    studio.click(library.page.bar.compare)

    compare = studio.wiring.compare
    studio.until(lambda: studio.desk.workspaces.current == "compare")
    studio.until(lambda: {row.label for row in compare.rows} == {"Cfg", "Seed"})
    assert len(compare.outputs) == 2
    page = compare.page
    studio.until(lambda: not page.view.stack.image_size().isEmpty())

    page.modes.button(0).click()
    assert page.view.mode is Mode.SIDE
    left, right = page.view.views[:2]
    studio.until(lambda: not right.image_size().isEmpty())
    page.whole.click()
    assert studio.window.focusWidget() is left, "the keyboard goes along"
    studio.click(page.plus)
    assert left.zoom == right.zoom > 1, "zoom is linked"

    used = compare.outputs[1]
    before = {output.id: output.seed for output in compare.outputs}
    compare.table.use[1].click()
    studio.until(lambda: studio.desk.workspaces.current == "create")
    studio.until(lambda: value_of(studio, Role.SEED) == before[used.id])
    assert value_of(studio, Role.CFG) == used.cfg
    assert studio.prompt.value() == "a red bicycle"

    studio.ready().rewrite("a blue bicycle")
    studio.desk.generation.footer.count.set_value(1)
    studio.desk.actions["generate_next"].trigger()
    studio.until(lambda: len(studio.states()) == 7 and set(studio.states()) == {JobState.DONE})
    newest = next(row.job for row in studio.desk.jobs.rows() if row.job.prompt == "a blue bicycle")
    assert newest.seed is not None
    studio.until(lambda: not library._facets_soon.isActive() and not library._detail_soon.isActive())
    studio.qtbot.wait(300)  # what was just asked of the library is answered before it closes
