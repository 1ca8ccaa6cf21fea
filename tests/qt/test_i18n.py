"""The catalogues know every text, and what they say fits into the same places."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QLocale
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from comfydesk.errors import DiskFullError, KnownError
from comfydesk.paths import Paths, resources
from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import said, said_error, tr, tr_n
from comfydesk.qt.theme.told import Told
from comfydesk.qt.theme.translator import Catalogue, install, languages, read_words, resolve
from comfydesk.qt.window.desk import furnish
from comfydesk.qt.window.shell import MainWindow
from comfydesk.settings import LANGUAGE
from tests import told, translations

FOLDER = resources() / "i18n"
NO_WORDS = {"http://127.0.0.1:11434/v1", "{} of {}", "VRAM", "LoRA {}", "{} \N{EN DASH} ComfyDesk"}
"""Shown as they are in every language."""
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


def test_the_window_has_no_words_that_cannot_be_translated() -> None:
    files = sorted((translations.ROOT / "comfydesk" / "qt").rglob("*.py"))
    found = {(file.name, line): text for file in files for line, text in translations.untranslated(file)}
    assert {place: text for place, text in found.items() if text not in NO_WORDS} == {}


@pytest.mark.parametrize("path", told.catalogues(), ids=lambda path: path.stem)
def test_the_catalogue_of_what_is_raised_below_has_exactly_its_templates(path: Path) -> None:
    has, wants = set(json.loads(path.read_text(encoding="utf-8"))), set(told.collect())
    assert (sorted(wants - has), sorted(has - wants)) == ([], []), "run python -m tests.told"


@pytest.mark.parametrize("path", told.catalogues(), ids=lambda path: path.stem)
def test_all_that_is_raised_below_is_translated(path: Path) -> None:
    """The measure of what a person still reads in English: nothing."""
    catalogue = json.loads(path.read_text(encoding="utf-8"))
    assert [template for template, text in catalogue.items() if not text] == []
    assert {
        template
        for template, text in catalogue.items()
        if sorted(PLACES.findall(template)) != sorted(PLACES.findall(text))
    } == set()


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
    catalogue = Catalogue(read_words(FOLDER / "de.json"), qapp, below=lambda: read_words(FOLDER / "told" / "de.json"))
    qapp.installTranslator(catalogue)
    yield
    qapp.removeTranslator(catalogue)


def test_words_are_german_and_those_without_a_translation_english(german: None) -> None:
    assert tr("Settings") == "Einstellungen"
    assert tr("Back to the default: {name}", name="Farben") == "Zur\u00fcck zur Vorgabe: Farben"
    assert tr("There is no such text") == "There is no such text"
    assert tr_n("{n} such text", "{n} such texts", 2) == "2 such texts"


def test_what_is_raised_below_the_window_is_known_by_its_template() -> None:
    words = {
        "{0} is full": "{0} ist voll",
        "the disk of {0}": "die Platte von {0}",
        "Free {0} or choose another folder": "Gib {0} frei oder w\u00e4hle einen anderen Ordner",
        "No answer": "Keine Antwort",
        "{0} from {1}": "von {1}: {0}",
        "Not yet": "",
    }
    known = Told(words)
    assert known.said("No answer") == "Keine Antwort"
    assert known.said("models/x {y} is full") == "models/x {y} ist voll", "a value may look like a place"
    assert known.said("the disk of atlas is full") == "die Platte von atlas ist voll", "a text of ours in another"
    assert known.said("No answer from atlas") == "von atlas: Keine Antwort", "places may change their order"
    assert known.said("/mnt is full. Free 240 MB or choose another folder.") == (
        "/mnt ist voll. Gib 240 MB frei oder w\u00e4hle einen anderen Ordner."
    ), "a whole message"
    for same in ("a lighthouse at dusk", "", "Not yet", "is full"):
        assert known.said(same) == same


def test_a_known_error_is_told_in_the_users_language(german: None) -> None:
    error = KnownError("No answer", "nothing like this is known", "neither is this")
    assert said_error(error) == "No answer. Nothing like this is known. Neither is this."
    full = DiskFullError("The disk is full")
    assert said(full.what) == json.loads((FOLDER / "told" / "de.json").read_text(encoding="utf-8"))[full.what]


def test_a_text_is_told_at_once_however_many_there_are(german: None) -> None:
    known = Told(json.loads((FOLDER / "told" / "de.json").read_text(encoding="utf-8")))
    known.said("warm up")
    began = time.process_time()
    for at in range(100):
        known.said(f"a text that none of them fits, number {at}, of /a/folder and a pod")
    assert time.process_time() - began < 0.5


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
