"""Parts of the batch sheet: a labelled part with its message, a file or folder, a table's columns, a grid's rows."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QFileDialog, QFrame, QGridLayout, QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from comfydesk.qt.models.batch_plan import SHOWN_ROWS, Table
from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets import paint
from comfydesk.qt.widgets.buttons import Button, IconButton
from comfydesk.qt.widgets.choice_combo import Combo
from comfydesk.qt.widgets.labels import ElidedLabel, Label
from comfydesk.qt.widgets.plain import Icon, pad
from comfydesk.qt.widgets.text_line import TextLine
from comfydesk.workflow.batches import MAX_GRID
from comfydesk.workflow.fields import Field

PROMPT_LINES = 5
SHOWN_COLUMNS = 6


class PartFrame(QWidget):
    """A name, what it adds at the right, its content, and one line for what is wrong with it."""

    def __init__(self, theme: Theme, name: str, hint: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.name = Label(theme, name, font="label")
        self.note = Label(theme, font="small", color="text2")
        self._hint = ElidedLabel(theme, hint, font="small", color="text2")
        self._sign = Icon(theme, "error", "danger")
        self.problem = Label(theme, font="small", color="danger", wrap=True)
        head = QHBoxLayout()
        pad(head, theme, 0, 0, 0, 0, gap=8)
        head.addWidget(self.name)
        head.addWidget(self._hint, 1)
        head.addWidget(self.note)
        self.content = QVBoxLayout()
        pad(self.content, theme, 0, 0, 0, 0, gap=6)
        foot = QHBoxLayout()
        pad(foot, theme, 0, 0, 0, 0, gap=4)
        foot.addWidget(self._sign, 0, Qt.AlignmentFlag.AlignTop)
        foot.addWidget(self.problem, 1)
        column = QVBoxLayout(self)
        pad(column, theme, 0, 0, 0, 0, gap=6)
        column.addLayout(head)
        column.addLayout(self.content)
        column.addLayout(foot)
        self.tell("", "")

    def tell(self, note: str, problem: str) -> None:
        """What this part adds, and what is wrong with it."""
        self.note.setText(note)
        self.problem.setText(problem)
        self.problem.setVisible(bool(problem))
        self._sign.setVisible(bool(problem))


class PathRow(QWidget):
    """A file or folder of this computer: choose, its name, clear. `changed` when it is another."""

    changed = Signal()

    def __init__(
        self, theme: Theme, words: str, *, folder: bool = False, files: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._folder, self._files, self._words = folder, files, words
        self.path: Path | None = None
        self.choose = Button(theme, words, icon="folder" if folder else "open")
        self.name = ElidedLabel(theme, color="text2", middle=True)
        self.clear = IconButton(theme, "close", tr("Leave it out"))
        self.row = QHBoxLayout(self)
        pad(self.row, theme, 0, 0, 0, 0, gap=8)
        self.row.addWidget(self.choose)
        self.row.addWidget(self.name, 1)
        self.row.addWidget(self.clear)
        self.choose.clicked.connect(self._ask)
        self.clear.clicked.connect(lambda: self.take(None))
        self.take(None)

    def take(self, path: Path | None) -> None:
        """Another file, or none."""
        self.path = path
        self.name.set_text("" if path is None else path.name)
        self.clear.setVisible(path is not None)
        self.changed.emit()

    def _ask(self) -> None:
        dialog = QFileDialog(self.window(), self._words, "", self._files)
        mode = QFileDialog.FileMode.Directory if self._folder else QFileDialog.FileMode.ExistingFile
        dialog.setFileMode(mode)
        dialog.fileSelected.connect(lambda chosen: self.take(Path(chosen)))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()


class FieldCombo(Combo):
    """One of a form's fields, or none; `picked` when the user chose another."""

    picked = Signal()

    def __init__(self, theme: Theme, name: str, none: str = "", parent: QWidget | None = None) -> None:
        super().__init__(theme, parent=parent)
        self._ids: list[str] = []
        self._none = none
        self.setAccessibleName(name)
        self.activated.connect(lambda _: self.picked.emit())

    def offer(self, fields: Sequence[Field], current: str = "") -> None:
        """Those fields; two of one label are told apart by their node."""
        labels = [entry.label for entry in fields]
        self.clear()
        self._ids = [""] if self._none else []
        words = [self._none] if self._none else []
        for entry in fields:
            self._ids.append(entry.id)
            several = labels.count(entry.label) > 1
            words.append(f"{entry.label} ({entry.group or entry.id})" if several else entry.label)
        self.addItems(words)
        self.choose(current)

    def choose(self, field_id: str) -> None:
        """Emits nothing."""
        self.setCurrentIndex(self._ids.index(field_id) if field_id in self._ids else 0 if self._ids else -1)

    def field(self) -> str:
        """The id of the chosen field; "" for none."""
        at = self.currentIndex()
        return self._ids[at] if 0 <= at < len(self._ids) else ""


class Boxed(QWidget):
    """A field around a text of several lines: its outline tells the focus."""

    def __init__(self, theme: Theme, edit: QPlainTextEdit, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._edit = theme, edit
        edit.setFrameShape(QFrame.Shape.NoFrame)
        edit.installEventFilter(self)
        column = QVBoxLayout(self)
        pad(column, theme, 6, 4, 4, 4)
        column.addWidget(edit)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.FocusIn, QEvent.Type.FocusOut):
            self.update()
        return super().eventFilter(watched, event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme, focused = self._theme, self._edit.hasFocus()
        outline = theme.color("accent" if focused else "control")
        width = theme.px(2) if focused else 1
        fill = theme.color("field")
        paint.box(QPainter(self), self.rect(), theme.px(6), fill=fill, outline=outline, width=width)


class PromptList(QPlainTextEdit):
    """A prompt a line."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setAccessibleName(tr("Prompts, one a line"))
        self.setPlaceholderText(tr("One prompt a line. Empty: the prompt of the form."))
        self.setTabChangesFocus(True)
        theme.surface(self, "field")
        theme.changed.connect(self._measure)
        self._measure()

    def _measure(self) -> None:
        self.setFont(self._theme.font("body"))
        self.setFixedHeight(self._theme.metrics("body").lineSpacing() * PROMPT_LINES + self._theme.px(16))


class ColumnMap(QWidget):
    """The head and first rows of a table; above each column, the input that it is for."""

    changed = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._grid = QGridLayout(self)
        pad(self._grid, theme, 0, 0, 0, 0, gap=6)
        self.combos: list[FieldCombo] = []
        self.hide()

    def show_table(self, table: Table | None, fields: Sequence[Field]) -> None:
        """None: nothing."""
        while (item := self._grid.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        self.combos = []
        self.setVisible(table is not None)
        if table is None:
            return
        theme = self._theme
        for column, name in enumerate(table.header):
            combo = FieldCombo(theme, tr("Input of column {name}", name=name), tr("Leave out"))
            combo.offer(fields, table.fields[column])
            combo.picked.connect(self.changed)
            self.combos.append(combo)
            if column >= SHOWN_COLUMNS:
                continue  # more columns than fit: matched by their names
            self._grid.addWidget(ElidedLabel(theme, name, font="small_strong"), 0, column)
            self._grid.addWidget(combo, 1, column)
            for number, row in enumerate(table.rows[:SHOWN_ROWS]):
                cell = row[column] if column < len(row) else ""
                self._grid.addWidget(ElidedLabel(theme, cell, font="small", color="text2"), 2 + number, column)
            self._grid.setColumnStretch(column, 1)

    def fields(self) -> tuple[str, ...]:
        """Of each column the id of its field, or ""."""
        return tuple(combo.field() for combo in self.combos)


class GridRows(QWidget):
    """Up to three fields with the values to be compared."""

    changed = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.rows: list[tuple[FieldCombo, TextLine]] = []
        self._column = QVBoxLayout(self)
        pad(self._column, theme, 0, 0, 0, 0, gap=6)
        for name in (tr("Columns"), tr("Rows"), tr("Pages"))[:MAX_GRID]:
            self._add(name)

    def offer(self, fields: Sequence[Field]) -> None:
        """What can be compared."""
        for combo, _ in self.rows:
            combo.offer(fields, combo.field())

    def values(self) -> tuple[tuple[str, str], ...]:
        """(field id, values) of the rows in use."""
        return tuple((combo.field(), line.value()) for combo, line in self.rows if combo.field())

    def _add(self, name: str) -> None:
        theme = self._theme
        holder = QWidget()
        row = QHBoxLayout(holder)
        pad(row, theme, 0, 0, 0, 0, gap=8)
        label = Label(theme, name, color="text2")
        label.setMinimumWidth(theme.px(64))
        combo = FieldCombo(theme, tr("{place} compare", place=name), tr("Nothing"))
        line = TextLine(theme, placeholder=tr("Values, with commas between them"))
        line.set_name(tr("Values of {place}", place=name))
        row.addWidget(label)
        row.addWidget(combo, 2)
        row.addWidget(line, 3)
        self._column.addWidget(holder)
        self.rows.append((combo, line))
        line.setEnabled(False)
        combo.picked.connect(lambda: self._on_field(combo, line))
        line.value_changed.connect(lambda _: self.changed.emit())

    def _on_field(self, combo: FieldCombo, line: TextLine) -> None:
        line.setEnabled(bool(combo.field()))
        self.changed.emit()
