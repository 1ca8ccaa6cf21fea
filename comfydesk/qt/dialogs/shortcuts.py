"""The keys of every command: an editor in the settings, and a sheet to look them up."""

from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from comfydesk.qt.models.keys import key_words
from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets.buttons import Button, IconButton, Kind, Size
from comfydesk.qt.widgets.form_part import Message
from comfydesk.qt.widgets.key_field import KeyField
from comfydesk.qt.widgets.key_hint import KeyHint
from comfydesk.qt.widgets.labels import Label
from comfydesk.qt.widgets.page import Page, Scroller
from comfydesk.qt.widgets.plain import pad


@dataclass(frozen=True, slots=True)
class Bound:
    """A command as it stands: its words, its menu, its keys; `own` while nobody changed them, `fixed` for ever."""

    id: str
    words: str
    menu: str
    keys: tuple[str, ...]
    own: bool = True
    fixed: bool = False


class ShortcutRow(QWidget):
    """`recorded` with new keys; `taken` when they are to be taken from the command that has them."""

    recorded = Signal(str)
    taken = Signal(str)
    reset_wanted = Signal()

    def __init__(self, theme: Theme, bound: Bound) -> None:
        super().__init__()
        self.bound, self._asked = bound, ""
        self.field = KeyField(theme, bound.words)
        self.undo = IconButton(theme, "undo", tr("Back to the default: {name}", name=bound.words), size=Size.COMPACT)
        policy = self.undo.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.undo.setSizePolicy(policy)
        self.message = Message(theme, "")
        self.take = Button(theme, tr("Use it here"), kind=Kind.LINK, size=Size.COMPACT)
        row = QHBoxLayout()
        row.setSpacing(theme.px(8))
        row.addWidget(Label(theme, bound.words), 1)
        row.addWidget(self.field)
        row.addWidget(self.undo)
        problem = QHBoxLayout()
        problem.addWidget(self.message, 1)
        problem.addWidget(self.take, 0, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout(self)
        pad(column, theme, 0, 2, 0, 2)
        column.setSpacing(theme.px(2))
        column.addLayout(row)
        column.addLayout(problem)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        self.field.recorded.connect(self.recorded)
        self.undo.clicked.connect(self.reset_wanted)
        self.take.clicked.connect(lambda: self.taken.emit(self._asked))
        self.show_bound(bound)

    def show_bound(self, bound: Bound) -> None:
        """How it stands now."""
        self.bound = bound
        self.field.set_keys(bound.keys[0] if bound.keys else "")
        self.field.set_blocked(tr("These keys are the same everywhere") if bound.fixed else "")
        self.undo.setVisible(not bound.own)
        self.ask("", "")

    def ask(self, keys: str, holder: str) -> None:
        """`keys` belong to the command called `holder`; "" when there is nothing to ask."""
        self._asked = keys
        shown = key_words(keys)
        self.message.set_text(tr("{keys} belongs to \u201c{name}\u201d.", keys=shown, name=holder) if holder else "")
        self.message.setVisible(bool(holder))
        self.take.setVisible(bool(holder))


class ShortcutsEditor(QWidget):
    """`recorded` with (command, keys), `taken` likewise when another command loses them, `reset_wanted`."""

    recorded = Signal(str, str)
    taken = Signal(str, str)
    reset_wanted = Signal(str)
    reset_all = Signal()

    def __init__(self, theme: Theme, bound: tuple[Bound, ...]) -> None:
        super().__init__()
        self.rows = {each.id: ShortcutRow(theme, each) for each in bound}
        self._heads: dict[str, Label] = {}
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        words = tr("Press keys to change them. Backspace takes them away.")
        column.addWidget(Label(theme, words, font="small", color="text2", wrap=True))
        for each in bound:
            if each.menu not in self._heads:
                head = self._heads[each.menu] = Label(theme, each.menu, font="small_strong", color="text2")
                head.setContentsMargins(0, theme.px(12), 0, theme.px(4))
                column.addWidget(head)
            column.addWidget(self.rows[each.id])
        self.all = Button(theme, tr("Reset all keys"), icon="undo")
        column.addSpacing(theme.px(12))
        column.addWidget(self.all, 0, Qt.AlignmentFlag.AlignLeft)
        self.all.clicked.connect(self.reset_all)
        for id_, row in self.rows.items():
            row.recorded.connect(lambda keys, id_=id_: self.recorded.emit(id_, keys))
            row.taken.connect(lambda keys, id_=id_: self.taken.emit(id_, keys))
            row.reset_wanted.connect(lambda id_=id_: self.reset_wanted.emit(id_))

    def show_bound(self, bound: tuple[Bound, ...]) -> None:
        """How all of them stand now."""
        for each in bound:
            self.rows[each.id].show_bound(each)
        self.all.set_blocked("" if any(not each.own for each in bound) else tr("All keys are as they came"))

    def search(self, words: str) -> bool:
        """Keep the commands that have every word in their name, menu or keys; whether there are any."""
        parts = words.casefold().split()
        shown: set[str] = set()
        for row in self.rows.values():
            bound = row.bound
            text = f"{bound.words} {bound.menu} {' '.join(bound.keys)}".casefold()
            hit = all(part in text for part in parts)
            row.setVisible(hit)
            if hit:
                shown.add(bound.menu)
        for menu, head in self._heads.items():
            head.setVisible(menu in shown)
        return bool(shown)


class CheatSheet(Page):
    """Every command that has keys, by menu. `change_wanted` when the user wants others."""

    change_wanted = Signal()
    COLUMNS = 2

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, tr("Keyboard shortcuts"), parent)
        self._holder: QWidget | None = None
        self.change = Button(theme, tr("Change\N{HORIZONTAL ELLIPSIS}"), icon="keyboard")
        self.head.addWidget(self.change)
        self.change.clicked.connect(self.change_wanted)
        self.scroller = Scroller(theme, QWidget())
        self.body.addWidget(self.scroller)
        self.hide_foot()

    def first_focus(self) -> QWidget:
        return self.change

    def show_bound(self, bound: tuple[Bound, ...]) -> None:
        """The keys as they stand."""
        theme = self.theme
        menus: dict[str, list[Bound]] = {}
        for each in bound:
            if each.keys:
                menus.setdefault(each.menu, []).append(each)
        holder = QWidget()
        columns = QHBoxLayout(holder)
        pad(columns, theme, 20, 16, 20, 16, gap=40)
        total, done, wide = sum(len(each) + 2 for each in menus.values()), 0, 1 if theme.labels_above else self.COLUMNS
        stacks = [QVBoxLayout() for _ in range(wide)]
        for stack in stacks:
            columns.addLayout(stack, 1)
            stack.setSpacing(theme.px(8))  # or it takes the columns' gap for its own
        for menu, entries in menus.items():
            stack = stacks[min(wide - 1, done * wide // max(1, total))]
            stack.addWidget(Label(theme, menu, font="heading"))
            stack.addLayout(self._grid(entries))
            stack.addSpacing(theme.px(16))
            done += len(entries) + 2
        for stack in stacks:
            stack.addStretch(1)
        self.scroller.setWidget(holder)
        holder.setAutoFillBackground(False)

    def _grid(self, entries: list[Bound]) -> QGridLayout:
        theme, grid = self.theme, QGridLayout()
        grid.setHorizontalSpacing(theme.px(24))
        grid.setVerticalSpacing(theme.px(6))
        grid.setColumnStretch(0, 1)
        for row, each in enumerate(entries):
            grid.addWidget(Label(theme, each.words, color="text2", wrap=True), row, 0)
            line = QHBoxLayout()
            line.setSpacing(theme.px(4))
            for keys in _distinct(each.keys):
                shown = key_words(keys)
                line.addWidget(KeyHint(theme, shown))
            grid.addLayout(line, row, 1, Qt.AlignmentFlag.AlignRight)
        return grid


def _distinct(keys: tuple[str, ...]) -> tuple[str, ...]:
    """Enter and Return are one key to a reader."""
    return tuple(each for each in keys if each.replace("Return", "Enter") not in keys or "Return" not in each)
