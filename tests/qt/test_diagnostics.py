"""What may be sent along with a report says what runs here, and nothing about the user."""

from pathlib import Path

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from comfydesk.qt.dialogs.about import AboutDialog
from comfydesk.qt.theme import Theme
from comfydesk.qt.window.diagnostics import diagnostics, versions
from comfydesk.settings import AHEAD, DEFAULT_POD, OUTPUT_FOLDER, Settings

LOG = """2026-01-02 03:04:05,678 W comfydesk.session.jobs.follow: pod https://secret.example:8188 is silent
2026-01-02 03:04:06,678 W comfydesk.session.jobs.follow: prompt "a naked mole rat"
2026-01-02 03:04:07,678 I comfydesk.app: nothing
Traceback of /home/someone/secret
2026-01-02 03:04:08,678 E comfydesk.qt.app.faults: token=hunter2
"""


def test_versions_and_counts_are_in_it_and_nothing_private(qtbot: QtBot, tmp_path: Path) -> None:
    log = tmp_path / "comfydesk.log"
    log.write_text(LOG)
    settings = Settings()
    settings.set(AHEAD, 4)
    settings.set(DEFAULT_POD, "https://secret.example")
    settings.set(OUTPUT_FOLDER, str(Path.home() / "private"))
    told = diagnostics(settings, log, {"Jobs done": 3}, ("demo, online",))
    for _, version in versions():
        assert version in told
    for expected in ("Jobs done: 3", "queue.ahead = 4", "W comfydesk.session.jobs.follow \N{MULTIPLICATION SIGN} 2"):
        assert expected in told
    for private in ("secret", "hunter2", "mole", str(Path.home()), "/home", "private", "example"):
        assert private not in told.lower(), private


def test_without_a_log_there_is_no_line_of_it(tmp_path: Path, qtbot: QtBot) -> None:
    assert "Log:" not in diagnostics(Settings(), tmp_path / "none", {}, ())


def test_it_is_copied_when_asked_for(qtbot: QtBot, theme: Theme) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    dialog = AboutDialog(theme, versions(), lambda: "the facts", parent)
    dialog.show()
    dialog.copy.click()
    assert QGuiApplication.clipboard().text() == "the facts"
    assert dialog.copy.text() == "Copied"
