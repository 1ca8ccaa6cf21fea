"""The settings at work: what is chosen is written down and holds at once, and what concerns the look is applied."""

from typing import Any, TypeVar

from PySide6.QtCore import QObject, QTimer, Signal

from comfydesk.errors import KnownError
from comfydesk.option import Option
from comfydesk.qt.theme import Appearance, Scheme, Theme
from comfydesk.settings import COMPACT, CONTRAST, REDUCED_MOTION, SCALE, SHORTCUTS, TEXT_SCALE, THEME, Settings

T = TypeVar("T", bool, int, float, str)
LOOK = frozenset(option.key for option in (THEME, SCALE, TEXT_SCALE, CONTRAST, REDUCED_MOTION, COMPACT))
APPLY_MS = 120
"""A slider that is dragged changes the look this long after it stands still: each change measures every widget."""


class Preferences(QObject):
    """The window's hold on the settings. `changed` with the Option, also when somebody else's click changed it."""

    changed = Signal(object)
    shortcuts_changed = Signal()
    failed = Signal(object)
    """KnownError: the file could not be written, and all is as it was."""

    def __init__(self, settings: Settings, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.settings, self._theme = settings, theme
        self._late = QTimer(self, singleShot=True, interval=APPLY_MS)
        self._late.timeout.connect(self.apply_look)

    def get(self, option: Option[T]) -> T:
        return self.settings.get(option)

    def set(self, option: Option[T], value: T) -> None:
        """Take `value` from now on. Raises UsageError when it does not fit."""
        option.check(value)
        if value == self.settings.get(option):
            return
        self._write(lambda: self.settings.set(option, value))
        self._tell(option)

    def reset(self, option: Option[Any]) -> None:
        """Back to what it was at the first start."""
        self._write(lambda: self.settings.reset(option))
        self._tell(option)

    def is_default(self, option: Option[Any]) -> bool:
        return self.settings.is_default(option)

    def shortcuts(self) -> dict[str, str]:
        """Id of a command → its keys ("" for none), where the user chose others than ours."""
        return self.settings.texts(SHORTCUTS)

    def set_shortcuts(self, keys: dict[str, str]) -> None:
        self._write(lambda: self.settings.set_texts(SHORTCUTS, keys))
        self.shortcuts_changed.emit()

    def take_older(self, scheme: str) -> None:
        """What the window kept by itself before there were settings of the look."""
        if scheme in THEME.choices and self.is_default(THEME):
            self.set(THEME, scheme)

    def appearance(self) -> Appearance:
        """The look that is chosen."""
        get = self.settings.get
        return Appearance(
            Scheme(get(THEME)),
            get(SCALE) / 100,
            get(TEXT_SCALE) / 100,
            get(CONTRAST),
            get(REDUCED_MOTION),
            get(COMPACT),
        )

    def apply_look(self) -> None:
        """Let the window look as is chosen."""
        self._late.stop()
        wanted = self.appearance()
        if wanted != self._theme.appearance:
            self._theme.apply(wanted)

    # --- Inside ---------------------------------------------------------------------------------------------------

    def _tell(self, option: Option[Any]) -> None:
        if option.key in LOOK:
            if option.key in (SCALE.key, TEXT_SCALE.key):
                self._late.start()
            else:
                self.apply_look()
        self.changed.emit(option)

    def _write(self, change: Any) -> None:
        try:
            change()
        except KnownError as error:
            self.failed.emit(error)
