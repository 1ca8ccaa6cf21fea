"""A setting of several folders: added by choosing, taken away one by one."""

from pathlib import Path

from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from comfydesk.qt.dialogs.folder_option import FoldersOption, folders_of
from comfydesk.qt.dialogs.option_row import OptionRow
from comfydesk.qt.theme import Theme
from comfydesk.settings import WORKFLOW_FOLDERS


def test_folders_come_and_go_one_by_one(qtbot: QtBot, theme: Theme, tmp_path: Path) -> None:
    row = OptionRow(theme, WORKFLOW_FOLDERS)
    qtbot.addWidget(row)
    editor = row.editor
    assert isinstance(editor, FoldersOption)
    told: list[str] = []
    row.chosen.connect(told.append)
    row.show_value("", default=True)
    assert editor.lines == []
    editor.add_folder(str(tmp_path))
    editor.add_folder("/gone")
    editor.add_folder("/gone")
    assert told == [str(tmp_path), f"{tmp_path};/gone"]
    remove = editor.lines[0].findChildren(QPushButton) or editor.lines[0].findChildren(type(row.undo))
    assert remove[0].accessibleName() == f"Remove {tmp_path}"
    remove[0].click()
    assert told[-1] == editor.value() == "/gone"


def test_a_folder_that_the_list_cannot_hold_is_refused_in_words(qtbot: QtBot, theme: Theme) -> None:
    row = OptionRow(theme, WORKFLOW_FOLDERS)
    qtbot.addWidget(row)
    assert isinstance(row.editor, FoldersOption)
    row.editor.add_folder("/a;b")
    assert row.editor.value() == ""
    assert "; in its name" in row.message.text()


def test_what_a_file_says_is_read_kindly() -> None:
    assert folders_of(" /a ;; /b;/a;") == ("/a", "/b")
