"""Everything else a workflow can be told: folded away, built when opened, searched by name."""

from collections.abc import Callable, Iterable

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout

from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets.form_part import FormPart
from comfydesk.qt.widgets.labels import Label
from comfydesk.qt.widgets.search_field import SearchField
from comfydesk.qt.widgets.section import Section
from comfydesk.workflow.fields import Field

FLAT = 16
"""So few inputs stand open at once; more are folded by group."""
FOUND = 40
"""A search shows at most this many rows."""


class AllInputs(Section):
    """`built` tells of each row as it is made, so that the form can wire it."""

    built = Signal(object)

    def __init__(self, theme: Theme, fields: tuple[Field, ...], make: Callable[[Field], FormPart]) -> None:
        super().__init__(theme, tr("All inputs"), detail=str(len(fields)))
        self._fields, self._make = fields, make
        self._rows: dict[str, FormPart] = {}
        self._groups: dict[str, _Group] = {}
        self.opening.connect(self._build)

    def set_changed(self, count: int) -> None:
        """How many values differ from the workflow's own."""
        self.header.set_note(tr("{count} changed", count=count) if count else tr("none changed"))

    def part(self, field_id: str) -> FormPart | None:
        """The row of that field, if it was built."""
        return self._rows.get(field_id)

    def reveal(self, field_id: str) -> FormPart | None:
        """Open what hides that field and return its row; None: it is not in here."""
        field = next((field for field in self._fields if field.id == field_id), None)
        if field is None:
            return None
        self.set_open(True, animate=False)
        self.search.clear()
        group = self._groups[field.group]
        group.set_open(True, animate=False)
        return self._rows.get(field_id)

    def _build(self) -> None:
        if self._groups:
            return
        column = QVBoxLayout(self.content)
        column.setContentsMargins(0, self._theme.px(4), 0, self._theme.px(8))
        column.setSpacing(self._theme.px(4))
        self.search = SearchField(self._theme, tr("Search inputs"))
        self.nothing = Label(self._theme, tr("No input matches."), font="small", color="text2")
        self.nothing.hide()
        column.addWidget(self.search)
        column.addWidget(self.nothing)
        flat = len(self._fields) <= FLAT
        for name, fields in _by_group(self._fields):
            group = _Group(self._theme, name or tr("Other"), fields, self._row)
            self._groups[name] = group
            column.addWidget(group)
            if flat:
                group.set_open(True, animate=False)
        self.search.setVisible(not flat)
        self.search.searched.connect(self._search)

    def _row(self, field: Field) -> FormPart:
        row = self._rows.get(field.id)
        if row is None:
            row = self._rows[field.id] = self._make(field)
            self.built.emit(row)
        return row

    def _search(self, words: str) -> None:
        parts = words.casefold().split()
        left = FOUND
        for group in self._groups.values():
            left -= group.filter(parts, left)
        self.nothing.setVisible(bool(parts) and left == FOUND)


class _Group(Section):
    """The inputs of one node or canvas group."""

    def __init__(self, theme: Theme, name: str, fields: tuple[Field, ...], row: Callable[[Field], FormPart]) -> None:
        super().__init__(theme, name, detail=str(len(fields)), quiet=True)
        self._fields, self._row = fields, row
        self._folded = True
        self._texts = {field.id: f"{name} {field.label} {field.id}".casefold() for field in fields}
        self._layout = QVBoxLayout(self.content)
        self._layout.setContentsMargins(0, theme.px(2), 0, theme.px(8))
        self._layout.setSpacing(theme.px(8))
        self._placed: set[str] = set()
        self.opening.connect(self._fill)

    def filter(self, parts: list[str], most: int) -> int:
        """Show only rows that contain all of `parts` (at most `most`); returns how many. No parts: as it was."""
        if not parts:
            for field in self._fields:
                if field.id in self._placed:
                    self._row(field).show()
            self.setVisible(True)
            if self._folded and self.is_open:
                self.set_open(False, animate=False)
            self._folded = True
            return 0
        found = [field for field in self._fields if all(part in self._texts[field.id] for part in parts)][:most]
        keep = {field.id for field in found}
        self.setVisible(bool(found))
        if not found:
            return 0
        was_open = self.is_open
        self._place(found)
        for field in self._fields:
            if field.id in self._placed:
                self._row(field).setVisible(field.id in keep)
        if not was_open:
            self._searching = True
            self.set_open(True, animate=False)
            self._searching = False
        else:
            self._folded = False
        return len(found)

    _searching = False

    def _fill(self) -> None:
        if not self._searching:
            self._place(self._fields)
            self._folded = False

    def _place(self, fields: Iterable[Field]) -> None:
        """Build rows that are not there yet, each at its place."""
        for field in fields:
            if field.id not in self._placed:
                self._placed.add(field.id)
                at = sum(1 for other in self._fields[: self._fields.index(field)] if other.id in self._placed)
                self._layout.insertWidget(at, self._row(field))


def _by_group(fields: tuple[Field, ...]) -> list[tuple[str, tuple[Field, ...]]]:
    groups: dict[str, list[Field]] = {}
    for field in fields:
        groups.setdefault(field.group, []).append(field)
    return [(name, tuple(members)) for name, members in groups.items()]
