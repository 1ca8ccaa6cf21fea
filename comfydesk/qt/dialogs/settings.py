"""Every setting, on one page that is made from their declarations; searched as one types. It blocks nothing."""

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from comfydesk.option import Option
from comfydesk.qt.dialogs.folder_option import FoldersOption
from comfydesk.qt.dialogs.option_row import OptionRow
from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets.buttons import Button
from comfydesk.qt.widgets.empty_state import EmptyState
from comfydesk.qt.widgets.labels import Label
from comfydesk.qt.widgets.nav_list import NavList
from comfydesk.qt.widgets.page import Page, Scroller
from comfydesk.qt.widgets.plain import Line, pad
from comfydesk.qt.widgets.search_field import SearchField
from comfydesk.settings import GROUPS, OPTIONS

KEYBOARD = "keyboard"
SEARCH_WIDTH = 220


class Group(QWidget):
    """A heading and what stands under it."""

    def __init__(self, theme: Theme, title: str) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        self.column = QVBoxLayout(self)
        pad(self.column, theme, 0, 0, 0, 12)
        self.column.setSpacing(0)
        self.column.addWidget(Label(theme, title, font="heading"))
        self.column.addSpacing(theme.px(4))


class SettingsPage(Page):
    """`chosen` with (Option, value), `reset_wanted` with the Option. Show the values with `show_value`."""

    chosen = Signal(object, object)
    reset_wanted = Signal(object)
    models_wanted = Signal()
    """The page of language models"""

    def __init__(
        self,
        theme: Theme,
        keyboard: QWidget | None = None,
        options: tuple[Option[Any], ...] = OPTIONS,
        parent: QWidget | None = None,
    ) -> None:
        """`keyboard` edits the shortcuts; it gets a page of its own, and has `search(words) -> bool`."""
        super().__init__(theme, tr("Settings"), parent)
        self.rows = {option.key: OptionRow(theme, option) for option in options}
        self._keyboard = keyboard
        self._groups: dict[str, Group] = {}
        self.search = SearchField(theme, tr("Search settings"))
        self.head.addWidget(self.search)
        self.empty = EmptyState(theme, "search", tr("No setting matches"), action=tr("Clear search"))
        self.empty.acted.connect(self.search.clear)
        self._lay_out(_grouped(options))
        self.search.searched.connect(self._search)
        for row in self.rows.values():
            row.chosen.connect(lambda value, row=row: self.chosen.emit(row.option, value))
            row.reset_wanted.connect(lambda row=row: self.reset_wanted.emit(row.option))
            row.browse.connect(lambda row=row: self._browse(row))
        theme.changed.connect(self._widen)
        self._widen()
        self.go(next(iter(self._groups)))

    def first_focus(self) -> QWidget:
        return self.search.edit

    def show_value(self, option: Option[Any], value: Any, *, default: bool, pending: bool = False) -> None:
        """What holds now."""
        row = self.rows.get(option.key)
        if row is not None:
            row.show_value(value, default=default, pending=pending)

    def go(self, group: str) -> None:
        """Show one group: the table's name, or KEYBOARD."""
        self.search.edit.clear()
        self.nav.go(list(self._groups).index(group))
        for name, each in self._groups.items():
            each.setVisible(name == group)
        self.scroller.verticalScrollBar().setValue(0)

    def reveal(self, option: Option[Any]) -> None:
        """Show the group of `option`, and give it the keyboard."""
        self.go(_group_of(option))
        row = self.rows[option.key]
        self.scroller.ensureWidgetVisible(row)
        row.editor.setFocus()

    # --- Inside ---------------------------------------------------------------------------------------------------

    def _widen(self) -> None:
        self.search.setMinimumWidth(self.theme.px(SEARCH_WIDTH))

    def _lay_out(self, grouped: Mapping[str, list[Option[Any]]]) -> None:
        theme = self.theme
        titles = {name: tr(GROUPS.get(name, name.capitalize())) for name in grouped}
        holder = QWidget()
        column = QVBoxLayout(holder)
        pad(column, theme, 20, 16, 16, 16)
        column.setSpacing(0)
        for name, options in grouped.items():
            group = self._groups[name] = Group(theme, titles[name])
            for at, option in enumerate(options):
                if at:
                    group.column.addWidget(Line(theme))
                group.column.addWidget(self.rows[option.key])
            if name in ("llm", "enhance"):
                group.column.addWidget(self._models_row())
            column.addWidget(group)
        if self._keyboard is not None:
            titles[KEYBOARD] = tr("Keyboard")
            group = self._groups[KEYBOARD] = Group(theme, titles[KEYBOARD])
            group.column.addWidget(self._keyboard)
            column.addWidget(group)
        column.addWidget(self.empty)
        column.addStretch(1)
        self.empty.hide()
        self.nav = NavList(theme, tr("Groups of settings"), tuple(titles.values()))
        self.nav.gone.connect(lambda at: self.go(list(self._groups)[at]) if at >= 0 else None)
        self.scroller = Scroller(theme, holder)
        row = QHBoxLayout()
        row.setSpacing(0)
        side = QVBoxLayout()
        pad(side, theme, 12, 12, 8, 12)
        side.addWidget(self.nav)
        row.addLayout(side)
        row.addWidget(Line(theme, upright=True))
        row.addWidget(self.scroller, 1)
        self.body.addLayout(row)
        self.hide_foot()

    def _models_row(self) -> QWidget:
        """The models themselves, and what runs where, have a page of their own."""
        holder = QWidget()
        row = QHBoxLayout(holder)
        pad(row, self.theme, 0, 12, 0, 4, gap=12)
        words = tr("Models to download, files of your own, and what runs where")
        row.addWidget(Label(self.theme, words, font="small", color="text2", wrap=True), 1)
        button = Button(self.theme, tr("Language models\N{HORIZONTAL ELLIPSIS}"), icon="enhance")
        button.clicked.connect(self.models_wanted)
        row.addWidget(button)
        return holder

    def _search(self, words: str) -> None:
        if not words.strip():
            if not any(group.isVisible() for group in self._groups.values()) or self._searched:
                self._searched = False
                self._show_all_rows()
                self.go(next(iter(self._groups)))
            return
        self._searched = True
        self.nav.go(-1)
        found = False
        for name, group in self._groups.items():
            if name == KEYBOARD:
                hit = self._keyboard is not None and bool(getattr(self._keyboard, "search", lambda _: False)(words))
            else:
                rows = [row for row in self.rows.values() if _group_of(row.option) == name]
                for row in rows:
                    row.setVisible(row.matches(words))
                hit = any(row.matches(words) for row in rows)
            group.setVisible(hit)
            found = found or hit
        self.empty.setVisible(not found)

    _searched = False

    def _show_all_rows(self) -> None:
        self.empty.hide()
        for row in self.rows.values():
            row.show()
        search = getattr(self._keyboard, "search", None)
        if search is not None:
            search("")

    def _browse(self, row: OptionRow) -> None:
        editor = row.editor
        several = isinstance(editor, FoldersOption)
        dialog = QFileDialog(self.window(), row.name, "" if several else str(editor.value()))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        if isinstance(editor, FoldersOption):
            dialog.fileSelected.connect(editor.add_folder)
        else:
            dialog.fileSelected.connect(lambda folder: self.chosen.emit(row.option, folder))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()


def _group_of(option: Option[Any]) -> str:
    return option.key.partition(".")[0]


def _grouped(options: tuple[Option[Any], ...]) -> dict[str, list[Option[Any]]]:
    """By table, the named ones first and in their order."""
    found: dict[str, list[Option[Any]]] = {name: [] for name in GROUPS}
    for option in options:
        found.setdefault(_group_of(option), []).append(option)
    return {name: each for name, each in found.items() if each}
