"""The panel in the real window: presets, pins, phrases, masks, history; and what may go wrong while one types."""

import struct
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from comfydesk.qt.theme import Theme
from comfydesk.qt.widgets.form_blocks import MediaPart
from comfydesk.session.values import WorkflowEntry
from comfydesk.store.records import JobState
from comfydesk.workflow.fields import Kind, Role
from tests.qt.studio import Loop, Studio

CONTROL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def studio(qtbot: QtBot, gui_loop: Loop, theme: Theme, tmp_path: Path) -> Iterator[Studio]:
    made = Studio(qtbot, gui_loop, theme, tmp_path).open().quick()
    yield made
    made.close()
    made.stop_pod()


@pytest.fixture
def i2i(studio: Studio) -> Studio:
    """With a workflow that takes a picture."""

    def fitting() -> list[WorkflowEntry]:
        rows = studio.desk.workflows.all_rows()
        return [row.entry for row in rows if row.entry.card.type == "i2i" and row.needs is not None and row.needs.ready]

    studio.until(fitting)
    studio.wiring.bench.open(fitting()[0])
    studio.until(lambda: media(studio) is not None)
    return studio.ready()


def media(studio: Studio) -> MediaPart | None:
    form = studio.desk.generation.form
    parts = (form.part(field.id) for field in form.form().fields if field.kind is Kind.IMAGE)
    return next((part for part in parts if isinstance(part, MediaPart)), None)


def prompt_id(studio: Studio) -> str:
    return studio.desk.generation.form.form().with_role(Role.PROMPT)[0].id


def steps_id(studio: Studio) -> str:
    return studio.desk.generation.form.form().with_role(Role.STEPS)[0].id


def write(studio: Studio, words: str) -> None:
    part = studio.desk.generation.form.prompt_part()
    assert part is not None
    QTest.keyClick(studio.window, Qt.Key.Key_L, CONTROL)
    studio.until(part.prompt.edit.hasFocus)
    QTest.keyClick(part.prompt.edit, Qt.Key.Key_A, CONTROL)
    QTest.keyClicks(part.prompt.edit, words)


# --- Presets ------------------------------------------------------------------------------------------------------


def test_a_preset_is_saved_recalled_shared_and_taken_in_again(studio: Studio, tmp_path: Path) -> None:
    panel, presets = studio.desk.generation, studio.wiring.form.presets
    write(studio, "a lighthouse")
    presets.save("Coast")
    assert panel.head.presets.text() == "Coast"
    write(studio, "a bear")
    panel.form.set_value(steps_id(studio), 11)
    presets.recall("Coast")
    assert panel.form.values()[prompt_id(studio)] == "a lighthouse"
    assert panel.form.values()[steps_id(studio)] == 8
    shared = tmp_path / "coast.json"
    presets.share("Coast", shared)
    presets.delete("Coast")
    assert studio.wiring.form.book.presets(panel.workflow.id if panel.workflow else "") == ()
    write(studio, "an owl")
    presets.take_in(shared)
    assert panel.form.values()[prompt_id(studio)] == "a lighthouse"
    assert panel.head.presets.text() == "Coast"


def test_a_deleted_preset_comes_back_and_a_name_that_is_taken_is_refused(studio: Studio) -> None:
    presets, panel = studio.wiring.form.presets, studio.desk.generation
    write(studio, "a lighthouse")
    presets.save("One")
    presets.save("Two")
    presets.rename("Two", "One")
    assert panel.banner.isVisible(), "said in the panel"
    presets.delete("Two")
    studio.desk.toasts.toasts()[-1].acted.emit(0)
    assert panel.workflow is not None
    assert [each.name for each in studio.wiring.form.book.presets(panel.workflow.id)] == ["One", "Two"]


def test_a_file_that_is_no_preset_says_so_and_changes_nothing(studio: Studio, tmp_path: Path) -> None:
    write(studio, "a lighthouse")
    broken = tmp_path / "x.json"
    broken.write_bytes(b"{" * 10_000)
    studio.wiring.form.presets.take_in(broken)
    assert studio.desk.generation.banner.isVisible()
    assert studio.desk.generation.form.values()[prompt_id(studio)] == "a lighthouse"
    studio.wiring.form.presets.take_in(tmp_path / "gone.json")
    assert studio.desk.generation.banner.isVisible()


# --- Pins and phrases ---------------------------------------------------------------------------------------------


def test_pins_and_locked_phrases_are_there_after_a_restart(
    qtbot: QtBot, gui_loop: Loop, theme: Theme, tmp_path: Path
) -> None:
    first = Studio(qtbot, gui_loop, theme, tmp_path).open().ready()
    form = first.desk.generation.form
    hidden = next(field.id for field in form.form().fields if not field.pinned)
    steps = steps_id(first)
    write(first, "a red fox in the snow")
    first.wiring.form.pin(hidden, True)
    first.wiring.form.pin(steps, False)
    part = form.prompt_part()
    assert part is not None
    assert part.prompt.value() == "a red fox in the snow", "laid out anew, nothing lost"
    part.prompt.set_locked(("red fox",))
    part.prompt.locks_changed.emit(("red fox",))
    pinned = {field.id: field.pinned for field in form.form().fields}
    assert (pinned[hidden], pinned[steps]) == (True, False)
    first.close()
    again = Studio(qtbot, gui_loop, theme, tmp_path).open().ready()
    form = again.desk.generation.form
    pinned = {field.id: field.pinned for field in form.form().fields}
    assert (pinned[hidden], pinned[steps]) == (True, False)
    part = form.prompt_part()
    assert part is not None
    assert part.prompt.locked() == ("red fox",)
    again.wiring.form.reset_pins()
    assert form.form() == (again.desk.generation.workflow.form if again.desk.generation.workflow else None)
    again.close()
    first.stop_pod()
    again.stop_pod()


def test_changed_values_are_listed_with_what_they_were(studio: Studio) -> None:
    write(studio, "a bear")
    studio.wiring.form.show_changed()
    popup = studio.wiring.form._list
    assert popup is not None
    shown = [
        (popup._model.index(row).data(), popup._model.entry(popup._model.index(row)).detail)
        for row in range(popup._model.rowCount())
    ]
    assert ("Steps", "20 → 8") in shown or any("→ 8" in detail for _, detail in shown)
    popup.hide()


# --- What the session knows ---------------------------------------------------------------------------------------


def test_prompts_that_made_something_are_the_history(studio: Studio) -> None:
    write(studio, "a lighthouse")
    QTest.keyClick(studio.window, Qt.Key.Key_Return, CONTROL)
    studio.until(lambda: studio.states() == [JobState.DONE])
    write(studio, "half a thought")
    part = studio.desk.generation.form.prompt_part()
    assert part is not None
    QTest.keyClick(part.prompt.edit, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    studio.until(lambda: part.prompt.value() == "a lighthouse")
    QTest.keyClick(part.prompt.edit, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    assert part.prompt.value() == "half a thought"


def test_an_output_of_the_library_is_taken_and_painted_on(i2i: Studio) -> None:
    zone_part = media(i2i)
    assert zone_part is not None
    zone = zone_part.zone
    source = i2i.paths.data / "made.png"
    Image.linear_gradient("L").resize((320, 200)).convert("RGB").save(source)
    zone.offer(source)
    before = source.read_bytes()
    i2i.wiring.form.paint_mask(zone)
    page = i2i.wiring.form._page
    assert page is not None
    i2i.until(lambda: page.canvas.layer is not None)
    canvas = page.canvas
    at = (canvas._offset + QPointF(160, 100) * canvas._scale).toPoint()
    QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=at)
    i2i.click(page.accept)
    i2i.until(lambda: "_masked_" in str(zone.value()))
    made = zone.value()
    assert isinstance(made, Path)
    with Image.open(made) as image:
        assert image.getchannel("A").getextrema() == (0, 255)
    assert source.read_bytes() == before
    assert i2i.desk.pages.current is None


# --- What may go wrong --------------------------------------------------------------------------------------------


def test_without_a_picture_nothing_is_sent_and_the_field_says_so(i2i: Studio) -> None:
    part = media(i2i)
    assert part is not None
    part.zone.clear()
    i2i.click(i2i.desk.generation.footer.generate.main)
    message = part._messages[part.fields()[0].id]
    assert message.isVisible()
    assert message.text() == "Choose a picture first."
    assert message.accessibleName().startswith(part.fields()[0].label)
    assert i2i.states() == []


def test_a_file_that_went_away_meanwhile_is_told_before_anything_is_sent(i2i: Studio, tmp_path: Path) -> None:
    part = media(i2i)
    assert part is not None
    path = tmp_path / "short_lived.png"
    Image.new("RGB", (64, 64)).save(path)
    part.zone.offer(path)
    path.unlink()
    i2i.click(i2i.desk.generation.footer.generate.main)
    assert part._messages[part.fields()[0].id].text() == "short_lived.png is no longer there."
    assert i2i.states() == []


def blank_png(edge: int) -> bytes:
    """A black picture of one bit per pixel; Pillow would take a byte for each of them first."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    packer = zlib.compressobj(1)
    row = bytes(1 + edge // 8)
    pixels = b"".join([*(packer.compress(row * (edge // 100)) for _ in range(100)), packer.flush()])
    header = struct.pack(">IIBBBBB", edge, edge, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def test_half_a_gigabyte_dropped_does_not_stop_the_window(i2i: Studio, tmp_path: Path) -> None:
    part = media(i2i)
    assert part is not None
    huge = tmp_path / "huge.png"
    with huge.open("wb") as file:
        file.write(blank_png(32_000))
        file.truncate(500_000_000)  # sparse: half a gigabyte for whoever asks
    part.zone.set_value("")
    worst, longest = 0.0, 0.0
    began, work = time.perf_counter(), time.thread_time()
    ends = began + 1.5
    part.zone.offer(huge)
    while time.perf_counter() < ends:
        QApplication.processEvents()
        longest, worst = max(longest, time.perf_counter() - began), max(worst, time.thread_time() - work)
        time.sleep(0.002)
        began, work = time.perf_counter(), time.thread_time()
    assert part.zone.value() == huge, "it is kept"
    assert worst < 0.25, f"the window worked for {worst * 1000:.0f} ms"
    assert longest < 1, f"the window stood still for {longest * 1000:.0f} ms, of which it had {worst * 1000:.0f}"
    assert not i2i.desk.generation.form.problems(), "it may well be of use to the pod"
    i2i.wiring.form.paint_mask(part.zone)
    page = i2i.wiring.form._page
    assert page is not None
    i2i.until(page.banner.isVisible)
    assert page.canvas.layer is None


def test_a_broken_file_dropped_says_why_below_its_field(i2i: Studio, tmp_path: Path) -> None:
    part = media(i2i)
    assert part is not None
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n and then nothing")
    part.zone.offer(broken)
    field = part.fields()[0].id
    i2i.until(lambda: field in part._messages and part._messages[field].isVisible())
    assert part._messages[field].text().startswith("broken.png cannot be read")


def test_a_pod_that_goes_while_one_types_takes_nothing_along(studio: Studio) -> None:
    write(studio, "a lighthouse in")
    part = studio.desk.generation.form.prompt_part()
    assert part is not None
    studio.stop_pod()
    studio.until(lambda: not all(pod.status.usable for pod in studio.session.pods()))
    QTest.keyClicks(part.prompt.edit, " the fog, <lora:")
    assert part.prompt.value() == "a lighthouse in the fog, <lora:"
    assert part.prompt.edit.hasFocus(), "nothing took the keyboard away"
    studio.until(lambda: studio.desk.generation.form.values()[prompt_id(studio)] == part.prompt.value())
    studio.loop(studio.pod.start())


def test_a_paste_of_a_megabyte_is_kept_and_told(studio: Studio) -> None:
    part = studio.desk.generation.form.prompt_part()
    assert part is not None
    data = QMimeData()
    data.setText("many words " * 100_000)
    started = time.thread_time()
    part.prompt.edit.insertFromMimeData(data)
    QApplication.processEvents()
    assert time.thread_time() - started < 1.0
    assert len(studio.desk.generation.form.values()[prompt_id(studio)]) > 1_000_000
    assert part.prompt._note.isVisible()
