"""Settings, keys and the palette, as a person uses them: everything at once, nothing in the way."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from comfydesk.paths import Paths
from comfydesk.qt.app.start import SETTINGS
from comfydesk.qt.theme import Appearance, Scheme, Theme, glance
from comfydesk.qt.widgets.palette_popup import PaletteLine
from comfydesk.qt.window.desk import Desk, furnish
from comfydesk.qt.window.palette import Entry
from comfydesk.qt.window.shell import MainWindow
from comfydesk.qt.window.shortcuts import Keys
from comfydesk.settings import (
    AHEAD,
    CONTRAST,
    FILE_NAME,
    LANGUAGE,
    OPTIONS,
    OUTPUT_FOLDER,
    REDUCED_MOTION,
    SCALE,
    TEXT_SCALE,
    THEME,
    Settings,
)

CTRL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def desk(qtbot: QtBot, theme: Theme, tmp_path: Path) -> Iterator[Desk]:
    window = MainWindow(theme, Paths.under(tmp_path))
    window.resize(1400, 860)
    window.show()
    made = furnish(window, Settings.load(tmp_path / FILE_NAME))
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    yield made
    window.close()
    made.release()
    window.deleteLater()


def current(desk: Desk) -> object:
    """The page that is open."""
    return desk.pages.current


def press(widget: QWidget, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    QTest.keyClick(widget, key, modifier)
    QGuiApplication.processEvents()


def test_every_option_has_a_row_that_says_what_it_is_for(desk: Desk) -> None:
    desk.actions["settings"].trigger()
    page = desk.options.page
    assert page is not None
    assert page.isVisible()
    assert set(page.rows) == {option.key for option in OPTIONS}
    for row in page.rows.values():
        assert row.editor.value() == desk.preferences.get(row.option)
        assert row.undo.isHidden(), "nothing was changed yet"


def test_the_look_changes_while_one_looks_and_is_kept(desk: Desk, theme: Theme, tmp_path: Path) -> None:
    desk.options.open_at(THEME)
    page = desk.options.page
    assert page is not None
    page.rows[THEME.key].editor.value_changed.emit("light")
    assert theme.appearance.scheme is Scheme.LIGHT
    assert desk.actions["scheme_light"].isChecked()
    page.rows[CONTRAST.key].editor.value_changed.emit(True)
    page.rows[REDUCED_MOTION.key].editor.value_changed.emit(True)
    page.rows[SCALE.key].editor.value_changed.emit(150)
    QTest.qWait(200)
    assert (theme.appearance.scale, theme.duration(160)) == (1.5, 0)
    assert theme.tokens.control == theme.tokens.increased_contrast().control
    kept = Settings.load(tmp_path / FILE_NAME)
    assert (kept.get(THEME), kept.get(SCALE), kept.get(CONTRAST)) == ("light", 150, True)
    assert not page.rows[SCALE.key].undo.isHidden()
    page.rows[SCALE.key].undo.click()
    QTest.qWait(200)
    assert theme.appearance.scale == 1.0
    assert page.rows[SCALE.key].editor.value() == 100
    assert page.rows[SCALE.key].undo.isHidden()


def test_the_first_frame_reads_the_same_look_from_the_file(tmp_path: Path) -> None:
    settings = Settings.load(tmp_path / SETTINGS)
    assert glance.appearance(glance.read(tmp_path / SETTINGS)) == Appearance()
    settings.set(THEME, "light")
    settings.set(SCALE, 125)
    settings.set(TEXT_SCALE, 110)
    settings.set(REDUCED_MOTION, True)
    settings.set(AHEAD, 2)
    settings.set(LANGUAGE, "de")
    seen = glance.read(tmp_path / SETTINGS)
    assert glance.appearance(seen) == Appearance(Scheme.LIGHT, 1.25, 1.1, reduced_motion=True)
    assert seen["language"] == "de"
    (tmp_path / SETTINGS).write_bytes(b"\xff[appearance]\n")
    assert glance.read(tmp_path / SETTINGS) == {}
    (tmp_path / SETTINGS).write_text('[appearance]\ntheme = "purple"\nscale = "big"\n')
    assert glance.appearance(glance.read(tmp_path / SETTINGS)) == Appearance()


def test_search_finds_settings_and_keys_anywhere_and_says_when_there_are_none(desk: Desk) -> None:
    desk.options.open()
    page = desk.options.page
    assert page is not None
    page.search.set_text("contrast")
    QTest.qWait(80)
    assert [key for key, row in page.rows.items() if row.isVisible()] == [CONTRAST.key]
    page.search.set_text("ctrl+enter")
    QTest.qWait(80)
    editor = desk.options._editor
    assert editor is not None
    assert [id_ for id_, row in editor.rows.items() if row.isVisible()] == ["generate"]
    page.search.set_text("no such thing")
    QTest.qWait(80)
    assert page.empty.isVisible()
    QTest.mouseClick(page.empty.button, Qt.MouseButton.LeftButton)
    assert not page.empty.isVisible()
    assert page.rows[THEME.key].isVisible()


def test_what_is_no_folder_is_said_at_once_and_not_taken(desk: Desk, tmp_path: Path) -> None:
    desk.options.open_at(OUTPUT_FOLDER)
    page = desk.options.page
    assert page is not None
    row = page.rows[OUTPUT_FOLDER.key]
    edit = row.editor.focusProxy()
    assert edit is not None
    file = tmp_path / "file"
    file.write_text("")
    QTest.keyClicks(edit, "pictures")
    assert row.message.isVisible()
    press(edit, Qt.Key.Key_A, CTRL)
    QTest.keyClicks(edit, str(file))
    assert "file" in row.message.text()
    press(edit, Qt.Key.Key_Return)
    assert desk.preferences.get(OUTPUT_FOLDER) == ""
    press(edit, Qt.Key.Key_A, CTRL)
    QTest.keyClicks(edit, str(tmp_path / "new"))
    press(edit, Qt.Key.Key_Return)
    assert not row.message.isVisible()
    assert desk.preferences.get(OUTPUT_FOLDER) == str(tmp_path / "new")


def test_a_restart_is_asked_for_where_one_is_needed(desk: Desk) -> None:
    desk.options.open_at(LANGUAGE)
    page = desk.options.page
    assert page is not None
    badge = page.rows[LANGUAGE.key]._restart
    assert badge is not None
    assert not badge.isVisible()
    page.rows[LANGUAGE.key].editor.value_changed.emit("de")
    assert badge.isVisible()
    page.rows[LANGUAGE.key].editor.value_changed.emit("system")
    assert not badge.isVisible()


def test_a_file_that_cannot_be_written_is_told_and_nothing_pretends(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).unlink(missing_ok=True)
    (tmp_path / FILE_NAME).mkdir()
    desk.options.open_at(AHEAD)
    page = desk.options.page
    assert page is not None
    page.rows[AHEAD.key].editor.value_changed.emit(4)
    assert [toast.stays for toast in desk.toasts.toasts()] == [True]
    assert page.rows[AHEAD.key].editor.value() == AHEAD.default


# --- Keys -------------------------------------------------------------------------------------------------------------


def test_our_own_keys_call_one_command_each() -> None:
    assert Keys({}).conflicts() == {}


def test_keys_are_recorded_conflicts_are_shown_and_all_can_be_undone(desk: Desk, tmp_path: Path) -> None:
    desk.options.open_keyboard()
    editor = desk.options._editor
    assert editor is not None
    row = editor.rows["outputs_folder"]
    QTest.mouseClick(row.field, Qt.MouseButton.LeftButton)
    assert row.field.text() == "Press keys"
    press(row.field, Qt.Key.Key_Control, CTRL)
    assert row.field.text() == "Press keys", "a modifier alone is not all"
    press(row.field, Qt.Key.Key_K, CTRL)
    assert desk.palette.popup is None, "what is recorded is not done"
    assert "Commands" in row.message.text()
    assert desk.actions["palette"].shortcut().toString() == "Ctrl+K"
    QTest.mouseClick(row.take, Qt.MouseButton.LeftButton)
    assert desk.actions["outputs_folder"].shortcut().toString() == "Ctrl+K"
    assert desk.actions["palette"].shortcut().isEmpty()
    kept = Settings.load(tmp_path / FILE_NAME).texts("shortcuts")
    assert kept == {"outputs_folder": "Ctrl+K", "palette": ""}
    QTest.mouseClick(editor.all, Qt.MouseButton.LeftButton)
    assert desk.actions["palette"].shortcut().toString() == "Ctrl+K"
    assert Settings.load(tmp_path / FILE_NAME).texts("shortcuts") == {}
    QTest.mouseClick(row.field, Qt.MouseButton.LeftButton)
    press(row.field, Qt.Key.Key_Escape)
    assert row.field.text() != "Press keys"
    assert current(desk) is desk.options.page, "Escape ended the recording and no more"


def test_the_cheat_sheet_shows_the_keys_in_force_and_closes_on_the_same_key(desk: Desk) -> None:
    desk.actions["shortcuts"].trigger()
    sheet = desk.options.sheet
    assert sheet is not None
    assert current(desk) is sheet
    QTest.mouseClick(sheet.change, Qt.MouseButton.LeftButton)
    assert current(desk) is desk.options.page
    desk.actions["shortcuts"].trigger()
    desk.actions["shortcuts"].trigger()
    assert current(desk) is None


# --- Palette ----------------------------------------------------------------------------------------------------------


def test_a_few_letters_find_a_command_and_enter_does_it(desk: Desk) -> None:
    press(desk.window, Qt.Key.Key_K, CTRL)
    popup = desk.palette.popup
    assert popup is not None
    assert popup.isVisible()
    QTest.keyClicks(popup.edit, "lib")
    assert popup.lines()[0].words == "Library"
    assert popup.lines()[0].keys == "Ctrl+2"
    press(popup.edit, Qt.Key.Key_Return)
    assert not popup.isVisible()
    assert desk.workspaces.current == "library"
    desk.actions["palette"].trigger()
    assert popup.lines()[0].words == "Library", "what was used last is on top"
    QTest.keyClicks(popup.edit, "zzzz")
    assert popup.empty.isVisible()
    press(popup.edit, Qt.Key.Key_Escape)
    assert not popup.isVisible()


def test_it_finds_what_others_pass_in_and_takes_nothing_that_cannot_be_done(desk: Desk) -> None:
    done: list[str] = []
    desk.palette.add_source(
        lambda: [
            Entry(PaletteLine("Flux portraits", "Workflow"), lambda: done.append("flux"), "woman, studio light"),
            Entry(PaletteLine("Not now", reason="Connect first"), lambda: done.append("never")),
        ]
    )
    desk.actions["palette"].trigger()
    popup = desk.palette.popup
    assert popup is not None
    QTest.keyClicks(popup.edit, "not now")
    press(popup.edit, Qt.Key.Key_Return)
    assert popup.isVisible()
    assert not done
    popup.edit.setText("woman")
    press(popup.edit, Qt.Key.Key_Return)
    assert done == ["flux"]


def test_settings_are_found_and_opened_at_their_place(desk: Desk) -> None:
    desk.actions["palette"].trigger()
    popup = desk.palette.popup
    assert popup is not None
    QTest.keyClicks(popup.edit, "jobs sent")
    press(popup.edit, Qt.Key.Key_Return)
    page = desk.options.page
    assert page is not None
    assert current(desk) is page
    assert page.rows[AHEAD.key].isVisible()
