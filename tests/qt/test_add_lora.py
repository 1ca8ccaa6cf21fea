"""Add in the form: a LoRA of the pod goes into the workflow, is sent with the job, and the job opens with it again."""

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from comfydesk.qt.theme import Theme
from comfydesk.qt.widgets.form_rows import LorasPart
from comfydesk.store.records import JobState
from comfydesk.workflow.embedded import extract
from comfydesk.workflow.fields import Role
from tests.qt.studio import Loop, Studio


def loras_part(studio: Studio) -> LorasPart:
    (part,) = studio.desk.generation.form.findChildren(LorasPart)
    return part


def test_add_puts_a_lora_of_the_pod_into_the_workflow_and_the_job(
    qtbot: QtBot, gui_loop: Loop, theme: Theme, tmp_path: Path
) -> None:
    studio = Studio(qtbot, gui_loop, theme, tmp_path).open().quick()
    try:
        form = studio.desk.generation.form
        assert form.form().with_role(Role.LORA) == ()
        studio.rewrite("a red bicycle")
        studio.click(loras_part(studio).add)
        popup = studio.wiring.form._list
        assert popup is not None
        studio.until(popup.isVisible)
        QTest.keyClick(popup.view, Qt.Key.Key_Return)
        studio.until(lambda: form.form().with_role(Role.LORA))
        (lora,) = form.form().with_role(Role.LORA)
        assert form.values()[lora.id] == "demo-ink-lines.safetensors"
        assert studio.prompt.value() == "a red bicycle", "what was typed stays"
        studio.click(studio.desk.generation.footer.generate.main)
        studio.until(lambda: studio.states() and studio.desk.jobs.rows()[0].job.state.ended)
        assert studio.states() == [JobState.DONE], studio.desk.jobs.rows()[0].job.error
        (row,) = studio.desk.jobs.rows()
        recipe = studio.loop(studio.session.queue.recipe(row.job.id))
        assert recipe is not None
        assert b"demo-ink-lines.safetensors" in recipe.source
        assert b"LoraLoader" in recipe.source, "the job is opened again with the node in it"
        with Path(row.job.outputs[0]).open("rb") as file:
            found = extract(file, "picture.png")
        assert found.prompt is not None
        assert "demo-ink-lines.safetensors" in found.prompt, "it was sent"
        assert found.workflow is not None
        assert "LoraLoader" in found.workflow, "and the picture opens with it"
        studio.click(loras_part(studio).add)
        other = studio.wiring.form._list
        assert other is not None
        QTest.keyClick(other.view, Qt.Key.Key_Down)
        QTest.keyClick(other.view, Qt.Key.Key_Return)
        studio.until(lambda: len(form.form().with_role(Role.LORA)) == 2)
    finally:
        studio.close()
        studio.stop_pod()
