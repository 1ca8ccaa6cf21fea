"""The catalogues know every text, and what they say fits into the same places."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QLocale
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from comfydesk.paths import Paths, resources
from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import tr, tr_n
from comfydesk.qt.theme.translator import Catalogue, install, languages, read_words, resolve
from comfydesk.qt.window.desk import furnish
from comfydesk.qt.window.shell import MainWindow
from comfydesk.settings import LANGUAGE
from tests import translations

FOLDER = resources() / "i18n"
SWEPT = (
    "app/*", "theme/*", "docks/top.py", "docks/dock.py", "dialogs/about.py", "dialogs/report.py", "dialogs/sheet.py",
    "dialogs/settings.py", "dialogs/shortcuts.py", "dialogs/option_row.py", "dialogs/name.py", "widgets/toast.py",
    "widgets/page.py", "widgets/menu.py", "widgets/segmented.py", "widgets/switch.py", "widgets/buttons.py",
    "widgets/key_field.py", "widgets/palette_popup.py", "widgets/nav_list.py", "window/shell.py", "window/layout.py",
    "window/actions.py", "window/desk.py", "window/pages.py", "window/workspaces.py", "window/view.py",
    "window/palette.py", "window/shortcuts.py", "window/settings_desk.py", "window/preferences.py",
    "window/system.py", "window/finds.py", "window/memory.py", "window/diagnostics.py",
)  # fmt: skip
"""Of comfydesk/qt: modules in which every word can be translated. Add yours when it is done."""
PLACES = re.compile(r"\{\w*\}")


@pytest.mark.parametrize("path", translations.catalogues(), ids=lambda path: path.stem)
def test_a_catalogue_has_exactly_the_texts_of_the_code(path: Path) -> None:
    has, wants = set(json.loads(path.read_text(encoding="utf-8"))), set(translations.collect())
    assert (sorted(wants - has), sorted(has - wants)) == ([], []), "run python -m tests.translations"


@pytest.mark.parametrize("path", translations.catalogues(), ids=lambda path: path.stem)
def test_every_text_is_translated(path: Path) -> None:
    empty = [english for english, other in json.loads(path.read_text(encoding="utf-8")).items() if not other]
    assert empty == [], "new texts want their translation in the same commit"


@pytest.mark.parametrize("path", translations.catalogues(), ids=lambda path: path.stem)
def test_translations_name_the_same_values_and_end_alike(path: Path) -> None:
    for english, other in json.loads(path.read_text(encoding="utf-8")).items():
        if other:
            assert sorted(PLACES.findall(other)) == sorted(PLACES.findall(english)), english
            assert other.strip() == other
            assert other.endswith(("\N{HORIZONTAL ELLIPSIS}", ".")) == english.endswith(
                ("\N{HORIZONTAL ELLIPSIS}", ".")
            ), english


def test_every_language_is_offered_in_the_settings() -> None:
    assert set(LANGUAGE.choices) == {"system", *languages(FOLDER)}


@pytest.mark.parametrize("pattern", SWEPT)
def test_swept_modules_have_no_words_that_cannot_be_translated(pattern: str) -> None:
    files = [path for path in (translations.ROOT / "comfydesk" / "qt").glob(pattern) if path.suffix == ".py"]
    assert files
    assert {file.name: found for file in files if (found := translations.untranslated(file))} == {}


def test_the_sweep_finds_words_and_leaves_names_alone(tmp_path: Path) -> None:
    file = tmp_path / "module.py"
    file.write_text(
        'label.setText("Not yet")\nlabel.setText(tr("Done"))\nButton(theme, "Go on", icon="plus", kind=Kind.LINK)\n'
        'IconButton(theme, "close", tr("Close"))\nlabel.setText(f"{n} jobs")\nx.tell("Gone" if y else "Here")\n'
        'Label(theme, "", font="small")\nedit.setText("")\n'
    )
    assert [text for _, text in translations.untranslated(file)] == ["Not yet", "Go on", "{} jobs", "Gone", "Here"]


@pytest.fixture
def german(qapp: QApplication) -> Iterator[None]:
    catalogue = Catalogue(read_words(FOLDER / "de.json"), qapp)
    qapp.installTranslator(catalogue)
    yield
    qapp.removeTranslator(catalogue)


def test_words_are_german_and_those_without_a_translation_english(german: None) -> None:
    assert tr("Settings") == "Einstellungen"
    assert tr("Back to the default: {name}", name="Farben") == "Zur\u00fcck zur Vorgabe: Farben"
    assert tr("There is no such text") == "There is no such text"
    assert tr_n("{n} such text", "{n} such texts", 2) == "2 such texts"


def test_a_german_window_says_so_everywhere_that_was_swept(
    german: None, qtbot: QtBot, theme: Theme, tmp_path: Path
) -> None:
    window = MainWindow(theme, Paths.under(tmp_path))
    desk = furnish(window)
    try:
        titles = [action.text() for action in window.top.bar.actions()]
        assert titles[:3] == ["&Datei", "&Bearbeiten", "&Ansicht"]
        assert desk.actions["settings"].text() == "Einstellungen\N{HORIZONTAL ELLIPSIS}"
        desk.options.open()
        assert desk.options.page is not None
        assert desk.options.page.title.text() == "Einstellungen"
        assert desk.options.page.rows["appearance.theme"].name == "Farben"
    finally:
        desk.release()
        window.deleteLater()


def test_the_language_is_the_chosen_one_or_the_desktops_or_english(
    qapp: QApplication, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert resolve("de", FOLDER) == "de"
    for desktop, code in (("de_AT", "de"), ("fr_FR", "en"), ("C", "en"), ("en_GB", "en")):
        monkeypatch.setattr(QLocale, "system", lambda desktop=desktop: QLocale(desktop))
        assert resolve("system", FOLDER) == code
    assert install(qapp, "xx", FOLDER) == "en", "a language that is gone"
    (tmp_path / "xx.json").write_text("{")
    assert read_words(tmp_path / "xx.json") == {}
