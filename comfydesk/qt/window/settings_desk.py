"""Settings, shortcuts and the palette: the pages, what they change, and the keys in force."""

from collections.abc import Iterable
from functools import partial
from typing import Any

from PySide6.QtCore import QObject

from comfydesk.errors import KnownError
from comfydesk.option import Option
from comfydesk.qt.dialogs.settings import KEYBOARD, SettingsPage
from comfydesk.qt.dialogs.shortcuts import Bound, CheatSheet, ShortcutsEditor
from comfydesk.qt.theme.language import said, tr
from comfydesk.qt.widgets.palette_popup import PaletteLine
from comfydesk.qt.widgets.toast import ToastHost
from comfydesk.qt.window.actions import Actions
from comfydesk.qt.window.pages import Pages
from comfydesk.qt.window.palette import Entry, Palette, action_entries
from comfydesk.qt.window.preferences import Preferences
from comfydesk.qt.window.shell import MainWindow
from comfydesk.qt.window.shortcuts import FIXED, Keys
from comfydesk.settings import OPTIONS, THEME


class SettingsDesk(QObject):
    """Made once actions and pages are there; its pages are made when they are first opened."""

    def __init__(
        self, window: MainWindow, actions: Actions, pages: Pages, preferences: Preferences, toasts: ToastHost
    ) -> None:
        super().__init__(window)
        self._theme, self._actions, self._pages, self._toasts = window.theme, actions, pages, toasts
        self.preferences = preferences
        self.keys = Keys(preferences.shortcuts(), actions.commands)
        self.palette = Palette(window.theme, window)
        self.page: SettingsPage | None = None
        self.sheet: CheatSheet | None = None
        self._editor: ShortcutsEditor | None = None
        self._at_start = {option.key: preferences.get(option) for option in OPTIONS if option.restart}
        self.palette.add_source(lambda: action_entries(actions))
        self.palette.add_source(self._setting_entries)
        self._join()

    def open(self) -> None:
        """The settings."""
        self._pages.open(self._made_page())

    def open_keyboard(self) -> None:
        """The settings, at the keys."""
        page = self._made_page()
        self._pages.open(page)
        page.go(KEYBOARD)

    def open_at(self, option: Option[Any]) -> None:
        """The settings, at one of them."""
        page = self._made_page()
        self._pages.open(page)
        page.reveal(option)

    def open_sheet(self) -> None:
        """All keys, to be looked up; once more closes it."""
        if self.sheet is None:
            sheet = self.sheet = CheatSheet(self._theme)
            sheet.hide()
            sheet.change_wanted.connect(self.open_keyboard)
            self._theme.changed.connect(self._show_sheet)
        if self._pages.current is self.sheet:
            self._pages.close(self.sheet)
            return
        self._show_sheet()
        self._pages.open(self.sheet)

    def bound(self) -> tuple[Bound, ...]:
        """Every command with the keys in force."""
        return tuple(
            Bound(
                command.id,
                self._actions[command.id].text().replace("&", ""),
                self._actions.menu_words(command.menu),
                self.keys.of(command.id),
                self.keys.is_own(command.id),
                command.id in FIXED,
            )
            for command in self._actions.commands
        )

    # --- Inside ---------------------------------------------------------------------------------------------------

    def _join(self) -> None:
        for command, slot in (
            ("settings", self.open),
            ("shortcuts", self.open_sheet),
            ("palette", self.palette.open),
        ):
            self._actions[command].triggered.connect(lambda _=False, slot=slot: slot())
        for scheme in THEME.choices:
            action = self._actions[f"scheme_{scheme}"]
            action.triggered.connect(lambda _=False, scheme=scheme: self.preferences.set(THEME, scheme))
        self.preferences.changed.connect(self._on_changed)
        self.preferences.failed.connect(self._on_failed)
        self._apply_keys()
        self._tick_scheme()

    def _show_sheet(self) -> None:
        if self.sheet is not None:
            self.sheet.show_bound(self.bound())

    def _made_page(self) -> SettingsPage:
        if self.page is None:
            editor = self._editor = ShortcutsEditor(self._theme, self.bound())
            editor.recorded.connect(self._on_recorded)
            editor.taken.connect(lambda id_, keys: self._use_keys(self.keys.with_keys(id_, keys)))
            editor.reset_wanted.connect(lambda id_: self._use_keys(self.keys.without(id_)))
            editor.reset_all.connect(lambda: self._use_keys(Keys({}, self._actions.commands)))
            page = self.page = SettingsPage(self._theme, editor)
            page.hide()
            page.chosen.connect(self._on_chosen)
            page.reset_wanted.connect(self.preferences.reset)
            page.models_wanted.connect(self._actions["language_models"].trigger)
            for option in OPTIONS:
                self._show(option)
            editor.show_bound(self.bound())
        return self.page

    def _show(self, option: Option[Any]) -> None:
        if self.page is None:
            return
        value = self.preferences.get(option)
        pending = option.key in self._at_start and value != self._at_start[option.key]
        self.page.show_value(option, value, default=self.preferences.is_default(option), pending=pending)

    def _on_chosen(self, option: Option[Any], value: Any) -> None:
        try:
            self.preferences.set(option, value)
        except KnownError as error:
            if self.page is not None:
                self.page.rows[option.key].editor.problem_changed.emit(said(error.what))

    def _on_changed(self, option: Option[Any]) -> None:
        self._show(option)
        if option.key == THEME.key:
            self._tick_scheme()

    def _on_failed(self, error: KnownError) -> None:
        self._toasts.tell_error(error)
        for option in OPTIONS:
            self._show(option)

    def _tick_scheme(self) -> None:
        chosen = self.preferences.get(THEME)
        for scheme in THEME.choices:
            self._actions[f"scheme_{scheme}"].setChecked(scheme == chosen)

    def _on_recorded(self, command: str, keys: str) -> None:
        other = self.keys.holder(keys, command) if keys else ""
        if other and self._editor is not None:
            row = self._editor.rows[command]
            row.show_bound(row.bound)
            row.ask(keys, self._actions[other].text().replace("&", ""))
            row.take.setVisible(other not in FIXED)
            return
        self._use_keys(self.keys.with_keys(command, keys))

    def _use_keys(self, keys: Keys) -> None:
        self.keys = keys
        self.preferences.set_shortcuts(keys.chosen())
        self._apply_keys()
        if self._editor is not None:
            self._editor.show_bound(self.bound())

    def _apply_keys(self) -> None:
        for command in self._actions.commands:
            self._actions.set_keys(command.id, self.keys.of(command.id))

    def _setting_entries(self) -> Iterable[Entry]:
        for option in OPTIONS:
            line = PaletteLine(tr(option.label), tr("Setting"), "settings")
            yield Entry(line, partial(self.open_at, option), f"{tr(option.help)} {option.key}")
