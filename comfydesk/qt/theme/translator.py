"""The words of a language, from resources/i18n/<code>.json: an object of English text → translation.

Those that are raised below the window are in resources/i18n/told/<code>.json, by their templates.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QObject, QTranslator

from comfydesk.qt.theme.language import CONTEXT, TOLD_CONTEXT
from comfydesk.qt.theme.told import Told

ENGLISH, SYSTEM = "en", "system"


class Catalogue(QTranslator):
    """Translates what goes through `tr` and `said`. What it does not know stays English."""

    def __init__(
        self, words: Mapping[str, str], parent: QObject | None = None, *, below: Callable[[], Mapping[str, str]] = dict
    ) -> None:
        """`below`: the templates of what is raised below the window; read when the first of them is shown."""
        super().__init__(parent)
        self._words, self._below = words, below
        self._told: Told | None = None

    def translate(self, context: str, source: str, disambiguation: str | None = None, n: int = -1) -> str:
        del disambiguation, n
        if context == TOLD_CONTEXT:
            if self._told is None:
                self._told = Told(self._below())
            return self._told.said(source)
        if context != CONTEXT:
            return None  # type: ignore[return-value]  # "not mine": the stub knows no null string
        return self._words.get(source) or None  # type: ignore[return-value]

    def isEmpty(self) -> bool:  # noqa: N802  # Qt's name
        return not self._words


def languages(folder: Path) -> tuple[str, ...]:
    """Codes of the languages there are, English first: it needs no file."""
    return (ENGLISH, *sorted(path.stem for path in folder.glob("*.json")))


def resolve(choice: str, folder: Path) -> str:
    """The code of the language that `choice` means: itself, or the first of the desktop's that there is."""
    if choice not in ("", SYSTEM):
        return choice
    for name in QLocale.system().uiLanguages():
        code = name.replace("_", "-").partition("-")[0].lower()
        if code in (ENGLISH, "c"):
            break
        if (folder / f"{code}.json").is_file():
            return code
    return ENGLISH


def read_words(file: Path) -> dict[str, str]:
    """What a catalogue holds; nothing when it cannot be read: English is better than no window."""
    try:
        found = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return {}
    return {key: text for key, text in found.items() if isinstance(text, str)} if isinstance(found, dict) else {}


def install(app: QCoreApplication, choice: str, folder: Path) -> str:
    """Let the application speak the language of `choice`; the code of it. To be called before any widget is made."""
    code = resolve(choice, folder)
    file = folder / f"{code}.json"
    if code == ENGLISH or not file.is_file():
        return ENGLISH
    own = Catalogue(read_words(file), app, below=lambda: read_words(folder / "told" / f"{code}.json"))
    app.installTranslator(own)
    # The desktop's file dialog and the text fields' menus, in Qt's own words.
    qt = QTranslator(app)
    if qt.load(f"qtbase_{code}", QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)):
        app.installTranslator(qt)
    QLocale.setDefault(QLocale(code))
    return code
