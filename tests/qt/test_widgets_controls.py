"""Buttons, chips, lists, messages: what each does, with mouse and keyboard, and what it says."""

import time

import pytest
from PySide6.QtCore import QAbstractAnimation, QObject, QPoint, Qt, Signal
from PySide6.QtGui import QColor, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from comfydesk.errors import KnownError
from comfydesk.qt.theme import DARK, Appearance, Scheme, Theme
from comfydesk.qt.widgets.banner import Banner
from comfydesk.qt.widgets.buttons import Button, IconButton, Kind, SplitButton
from comfydesk.qt.widgets.chips import ChipRow
from comfydesk.qt.widgets.choice_combo import ChoiceEditor
from comfydesk.qt.widgets.empty_state import EmptyState
from comfydesk.qt.widgets.focus_ring import FocusRing
from comfydesk.qt.widgets.labels import ElidedLabel
from comfydesk.qt.widgets.lora_row import LoraRow
from comfydesk.qt.widgets.menu import Menu
from comfydesk.qt.widgets.model_picker import ModelInfo, ModelPicker, short_name, size_text, subfolder
from comfydesk.qt.widgets.progress_bar import ProgressBar
from comfydesk.qt.widgets.search_field import SearchField
from comfydesk.qt.widgets.section import Section
from comfydesk.qt.widgets.segmented import Segmented
from comfydesk.qt.widgets.switch import Check, Switch
from comfydesk.qt.widgets.toast import ToastHost


def pixel(widget: QWidget, x: int, y: int) -> str:
    return widget.grab().toImage().pixelColor(x, y).name()


# --- The blocker ----------------------------------------------------------------------------------------------------


class Emitter(QObject):
    told = Signal(object)
    nothing = Signal()


def test_20000_signals_do_not_wear_out_python(theme: Theme, qtbot: QtBot) -> None:
    """PySide6 6.12.0 on Python 3.11 takes a reference of True and None too many away with each call, and aborts."""
    emitter, label = Emitter(), ElidedLabel(theme)
    qtbot.addWidget(label)
    heard: list[object] = []
    emitter.told.connect(heard.append)
    emitter.nothing.connect(label.update)
    for at in range(20_000):
        emitter.told.emit(at % 2 == 0)
        emitter.nothing.emit()
        label.setToolTip("x")
    assert len(heard) == 20_000
    assert heard.count(True) == 10_000


# --- Buttons --------------------------------------------------------------------------------------------------------


def test_a_button_that_cannot_be_used_says_why(theme: Theme, qtbot: QtBot) -> None:
    button = Button(theme, "Generate", tooltip="Run the workflow")
    qtbot.addWidget(button)
    button.set_blocked("Connect a pod first")
    assert not button.isEnabled()
    assert button.toolTip() == "Connect a pod first"
    assert button.accessibleDescription() == "Connect a pod first"
    button.set_blocked("Still no pod")
    button.set_blocked("")
    assert button.isEnabled()
    assert button.toolTip() == "Run the workflow"


def test_a_primary_button_is_filled_with_accent(theme: Theme, qtbot: QtBot) -> None:
    button = Button(theme, "Save", kind=Kind.PRIMARY)
    qtbot.addWidget(button)
    button.resize(button.sizeHint())
    assert pixel(button, 4, button.height() // 2) == DARK.accent
    button.setDown(True)
    assert pixel(button, 4, button.height() // 2) == DARK.accent_pressed


def test_a_busy_button_takes_no_clicks(theme: Theme, qtbot: QtBot) -> None:
    button = Button(theme, "Save", kind=Kind.PRIMARY)
    qtbot.addWidget(button)
    button.set_busy("Saving")
    assert (button.busy, button.text()) == (True, "Saving")
    button.set_busy("")
    assert (button.busy, button.text()) == (False, "Save")


def test_the_ring_shows_for_the_keyboard_only(theme: Theme, qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    column = QVBoxLayout(window)
    first, second = Button(theme, "One"), IconButton(theme, "dice", "Two")
    column.addWidget(first)
    column.addWidget(second)
    window.show()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    first.setFocus(Qt.FocusReason.MouseFocusReason)
    assert window.findChild(FocusRing) is None
    QTest.keyClick(first, Qt.Key.Key_Tab)
    ring = window.findChild(FocusRing)
    assert isinstance(ring, FocusRing)
    assert ring.widget() is second
    assert ring.isVisible()
    assert ring.geometry().adjusted(4, 4, -4, -4) == second.geometry()
    first.setFocus(Qt.FocusReason.MouseFocusReason)
    assert not ring.isVisible()


def test_a_key_hint_gives_way_when_space_is_short(theme: Theme, qtbot: QtBot) -> None:
    split = SplitButton(theme, "Generate", keys="Ctrl+Enter")
    qtbot.addWidget(split)
    assert split.minimumSizeHint().width() < split.sizeHint().width()
    with qtbot.waitSignal(split.clicked):
        QTest.keyClick(split.main, Qt.Key.Key_Space)


def test_a_split_button_opens_its_menu_without_a_loop_of_its_own(theme: Theme, qtbot: QtBot) -> None:
    split = SplitButton(theme, "Generate")
    qtbot.addWidget(split)
    menu = Menu(theme, parent=split)
    menu.add("Generate next", "arrow-up")
    held = menu.add("Hold", "pause", reason="Nothing to hold")
    split.set_menu(menu)
    split.show()
    split.more.click()
    assert menu.isVisible()
    assert not held.isEnabled()
    assert held.toolTip() == "Nothing to hold"
    menu.close()


@pytest.mark.parametrize("kind", [Check, Switch])
def test_marks_are_switched_by_mouse_and_space(theme: Theme, qtbot: QtBot, kind: type[Check]) -> None:
    mark = kind(theme, "Use")
    qtbot.addWidget(mark)
    mark.resize(mark.sizeHint())
    QTest.mouseClick(mark, Qt.MouseButton.LeftButton, pos=QPoint(mark.width() - 2, mark.height() // 2))
    assert mark.isChecked()
    QTest.keyClick(mark, Qt.Key.Key_Space)
    assert not mark.isChecked()


# --- Alternatives ---------------------------------------------------------------------------------------------------


def test_one_segment_is_on_or_none(theme: Theme, qtbot: QtBot) -> None:
    row = Segmented(theme, ["All", "Images", "Videos"], 0, name="Kind")
    qtbot.addWidget(row)
    with qtbot.waitSignal(row.picked) as caught:
        row.button(2).click()
    assert caught.args == [2]
    row.set_current(-1)
    assert row.current() == -1
    row.set_current(1)
    assert row.current() == 1


def test_one_chip_is_on(theme: Theme, qtbot: QtBot) -> None:
    row = ChipRow(theme, ["All", "Image", "Video"])
    qtbot.addWidget(row)
    with qtbot.waitSignal(row.picked) as caught:
        QTest.keyClick(row._group.button(1), Qt.Key.Key_Space)
    assert caught.args == [1]
    assert row.current() == 1


def test_a_short_list_is_picked_from_with_the_keyboard(theme: Theme, qtbot: QtBot) -> None:
    editor = ChoiceEditor(theme, ["euler", "heun", "dpm"], "euler")
    qtbot.addWidget(editor)
    editor.show()
    editor.combo.showPopup()
    popup = editor.combo.popup()
    assert popup is not None
    assert not popup.search.isVisible()
    QTest.keyClick(popup.view, Qt.Key.Key_Down)
    with qtbot.waitSignal(editor.value_changed) as caught:
        QTest.keyClick(popup.view, Qt.Key.Key_Return)
    assert caught.args == ["heun"]
    assert not popup.isVisible()


def test_ten_thousand_models_open_fast_and_are_searched(theme: Theme, qtbot: QtBot) -> None:
    names = [f"sub{at % 9}\\model_{at:05}.safetensors" for at in range(10_000)]
    infos = {names[77]: ModelInfo(12_400_000_000)}
    picker = ModelPicker(theme, names, names[77], folder="loras", infos=lambda _folder, name: infos.get(name))
    qtbot.addWidget(picker)
    picker.show()
    started = time.perf_counter()
    picker.combo.showPopup()
    QGuiApplication.processEvents()
    assert time.perf_counter() - started < 0.5
    popup = picker.combo.popup()
    assert popup is not None
    QTest.keyClicks(popup.line, "sub3 09999")
    assert popup.view.model().rowCount() == 0
    popup.line.clear()
    QTest.keyClicks(popup.line, "09999")
    with qtbot.waitSignal(picker.value_changed) as caught:
        QTest.keyClick(popup.line, Qt.Key.Key_Return)
    assert caught.args == [names[9999]]


def test_names_of_models_are_shown_without_folders_and_endings() -> None:
    assert short_name("sub\\dir/flux.v2.safetensors") == "flux.v2"
    assert subfolder("sub\\dir/flux.safetensors") == "sub/dir"
    assert subfolder("flux.safetensors") == ""
    assert [size_text(size) for size in (0, 812, 10_400, 3_100_000, 12_400_000_000)] == [
        "0 B", "812 B", "10 kB", "3.1 MB", "12.4 GB",
    ]  # fmt: skip


def test_a_lora_that_is_off_sends_zero_and_keeps_its_strength(theme: Theme, qtbot: QtBot) -> None:
    row = LoraRow(theme, ["a.safetensors", "b.safetensors"], "a.safetensors", 0.7)
    qtbot.addWidget(row)
    heard: list[object] = []
    row.strength_changed.connect(heard.append)
    row.tick.click()
    assert heard[-1] == 0.0
    row.tick.click()
    assert heard[-1] == 0.7


# --- Search and folds -----------------------------------------------------------------------------------------------


def test_a_search_waits_for_a_pause_and_escape_clears(theme: Theme, qtbot: QtBot) -> None:
    field = SearchField(theme, "Name, model or node", keys="Ctrl+F")
    qtbot.addWidget(field)
    heard: list[str] = []
    field.searched.connect(heard.append)
    QTest.keyClicks(field.edit, "flux")
    assert heard == []
    qtbot.waitUntil(lambda: heard == ["flux"])
    QTest.keyClick(field.edit, Qt.Key.Key_Escape)
    assert heard == ["flux", ""]
    assert field.text() == ""


def test_enter_searches_at_once(theme: Theme, qtbot: QtBot) -> None:
    field = SearchField(theme, "Name")
    qtbot.addWidget(field)
    heard: list[str] = []
    field.searched.connect(heard.append)
    QTest.keyClicks(field.edit, "x")
    with qtbot.waitSignal(field.entered):
        QTest.keyClick(field.edit, Qt.Key.Key_Return)
    assert heard == ["x"]


def test_a_fold_opens_at_once_without_motion_and_glides_with_it(theme: Theme, qtbot: QtBot) -> None:
    section = Section(theme, "All inputs")
    qtbot.addWidget(section)
    QVBoxLayout(section.content).addWidget(Button(theme, "Inside"))
    section.show()
    QTest.keyClick(section.header, Qt.Key.Key_Space)
    assert section.content.isVisible()
    theme.apply(Appearance(Scheme.DARK))
    QTest.keyClick(section.header, Qt.Key.Key_Space)
    assert section._animation.state() is QAbstractAnimation.State.Running
    assert section._animation.duration() == 160
    qtbot.waitUntil(lambda: not section.content.isVisible())


# --- Messages -------------------------------------------------------------------------------------------------------


def test_a_banner_says_what_why_and_what_to_do(theme: Theme, qtbot: QtBot) -> None:
    banner = Banner(theme)
    qtbot.addWidget(banner)
    assert not banner.isVisible()
    banner.tell_error(KnownError("Disk full", "3 outputs wait on the pod", "Free 240 MB"), action="Choose folder")
    assert banner.text() == "Disk full. 3 outputs wait on the pod. Free 240 MB."
    with qtbot.waitSignal(banner.acted):
        banner.action.click()
    with qtbot.waitSignal(banner.closed):
        banner.close_button.click()
    assert not banner.isVisible()


def test_a_banner_is_as_high_as_its_words(theme: Theme, qtbot: QtBot) -> None:
    page = QWidget()
    qtbot.addWidget(page)
    column = QVBoxLayout(page)
    banner = Banner(theme)
    column.addWidget(banner)
    column.addStretch(1)
    banner.tell("Refused", "word " * 60, tone="danger")
    page.resize(320, 600)
    page.show()
    QGuiApplication.processEvents()
    assert banner.height() > 100


def test_toasts_stack_leave_and_errors_stay(theme: Theme, qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(900, 600)
    window.show()
    host = ToastHost(theme, window)
    done = host.tell("4 images done", "Coast", actions=("Show",))
    failed = host.tell("Out of memory", "Lower the size", tone="danger", actions=("Use 1024", "Copy details"))
    assert host.toasts() == (done, failed)
    assert done.geometry().top() < failed.geometry().top()
    assert window.rect().adjusted(0, 0, 16, 16).contains(failed.geometry())
    assert failed.stays
    assert not failed._timer.isActive()
    done._timer.setInterval(1)
    qtbot.waitUntil(lambda: host.toasts() == (failed,))
    with qtbot.waitSignal(failed.acted) as caught:
        failed.findChildren(Button)[1].click()
    assert caught.args == [1]
    assert host.toasts() == ()


def test_more_than_three_toasts_push_the_oldest_out(theme: Theme, qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    host = ToastHost(theme, window)
    toasts = [host.tell(f"Job {at} done") for at in range(5)]
    assert host.toasts() == tuple(toasts[2:])


def test_an_empty_state_says_what_next(theme: Theme, qtbot: QtBot) -> None:
    state = EmptyState(theme, "image", "Nothing made yet", "Pick a workflow and press Generate.", action="Open one")
    qtbot.addWidget(state)
    with qtbot.waitSignal(state.acted):
        state.button.click()
    assert state.accessibleName() == "Nothing made yet. Pick a workflow and press Generate."


def test_progress_has_gaps_at_the_weights_of_nodes(theme: Theme, qtbot: QtBot) -> None:
    bar = ProgressBar(theme, "Job")
    qtbot.addWidget(bar)
    bar.resize(400, 4)
    bar.set_weights([1, 1, 2])
    assert bar.gaps() == (0.25, 0.5)
    bar.set_fraction(0.75)
    image = bar.grab().toImage()
    assert image.pixelColor(50, 2) == QColor(DARK.accent)
    assert image.pixelColor(100, 2) != QColor(DARK.accent)
    assert image.pixelColor(350, 2) == QColor(DARK.pressed)
    assert bar.value() == 7500
    bar.set_fraction(0.1)
    assert bar.fraction == 0.1


def test_a_long_name_gives_way_in_the_middle_and_is_whole_in_its_tip(theme: Theme, qtbot: QtBot) -> None:
    label = ElidedLabel(theme, "wan2.2_i2v_high_noise_14B_fp8_scaled.safetensors", middle=True)
    qtbot.addWidget(label)
    label.resize(100, 20)
    label.show()
    assert label.is_elided()
    assert label.toolTip() == label.text() == label.accessibleName()
    label.resize(600, 20)
    assert label.toolTip() == ""


def test_a_line_of_200_000_characters_is_cut_before_it_is_measured(theme: Theme, qtbot: QtBot) -> None:
    label = ElidedLabel(theme, "x" * 200_000)
    qtbot.addWidget(label)
    assert len(label.text()) == len(label.accessibleName()) == 2000
