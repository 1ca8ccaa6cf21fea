"""The batch sheet: lists, tables, folders and grids; what that makes, how long it takes, and the first jobs of it."""

from dataclasses import replace

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from comfydesk.errors import KnownError
from comfydesk.qt.models.batch_plan import (
    PREVIEWED,
    Part,
    Plan,
    Seeds,
    Table,
    Wishes,
    grid_fields,
    media_fields,
    read_table,
    sentences,
)
from comfydesk.qt.models.words import DOT
from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import tr, tr_n
from comfydesk.qt.widgets.batch_enhance import EachPart
from comfydesk.qt.widgets.batch_parts import Boxed, ColumnMap, FieldCombo, GridRows, PartFrame, PathRow, PromptList
from comfydesk.qt.widgets.buttons import Button, Kind
from comfydesk.qt.widgets.labels import ElidedLabel, Label
from comfydesk.qt.widgets.page import Page, Scroller
from comfydesk.qt.widgets.plain import Line, pad
from comfydesk.qt.widgets.segmented import Segment, Segmented
from comfydesk.qt.widgets.stepper import Stepper
from comfydesk.qt.widgets.text_line import TextLine
from comfydesk.workflow.fields import Form, Role

AFTER_MS = 120
"""After the last key the jobs are counted."""
_SEEDS = (Seeds.RANDOM, Seeds.INCREMENT, Seeds.LIST)


class BatchPage(Page):
    """`changed` when it describes another batch: its owner answers with `show_plan`. `queue_wanted`: queue that."""

    changed = Signal()
    queue_wanted = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, tr("Batch"), parent)
        self._form = Form()
        self._table: Table | None = None
        self._table_problem = ""
        self._timer = QTimer(self, singleShot=True, interval=AFTER_MS)
        self._timer.timeout.connect(self.changed)
        self.repeats = Stepper(theme, tr("Times each"), maximum=9_999, height=28)
        self.seeds = Segmented(
            theme,
            (Segment(tr("Random")), Segment(tr("Counting up")), Segment(tr("List"))),
            name=tr("Seeds"),
        )
        self.seed_list = TextLine(theme, placeholder="1, 5, 10-20")
        self.seed_list.set_name(tr("Seeds"))
        self.prompts = PromptList(theme)
        self.prompt_file = PathRow(
            theme, tr("From a file\N{HORIZONTAL ELLIPSIS}"), files=tr("Text (*.txt);;All files (*)")
        )
        self.each = EachPart(theme)
        self.table = PathRow(theme, tr("Choose a table\N{HORIZONTAL ELLIPSIS}"), files=tr("Tables (*.csv *.tsv *.txt)"))
        self.columns = ColumnMap(theme)
        self.folder = PathRow(theme, tr("Choose a folder\N{HORIZONTAL ELLIPSIS}"), folder=True)
        self.folder_field = FieldCombo(theme, tr("Input that takes the files"))
        self.grid = GridRows(theme)
        self.wildcards = PathRow(theme, tr("Choose a folder\N{HORIZONTAL ELLIPSIS}"), folder=True)
        self.target = Segmented(theme, (Segment(tr("This pod")), Segment(tr("Any pod"))), name=tr("Where"))
        self.summary = ElidedLabel(theme, font="label")
        self.cost = ElidedLabel(theme, font="small", color="text2")
        self.queue = Button(theme, tr("Queue"), kind=Kind.PRIMARY, keys="Alt+Enter")
        self.accept_with(self.queue)
        self.parts: dict[Part, PartFrame] = {}
        self._first = [ElidedLabel(theme, font="small") for _ in range(PREVIEWED)]
        self._lay_out()
        self._join()

    # --- What is shown --------------------------------------------------------------------------------------------

    def show_form(self, name: str, form: Form, *, pods: int) -> None:
        """What the batch is of. What was typed stays, as far as the form has the inputs."""
        self.set_title(tr("Batch of {workflow}", workflow=name))
        if form != self._form:
            self._form = form
            self.grid.offer(grid_fields(form))
            self.folder_field.offer(media_fields(form), self.folder_field.field())
            self._read_table()
        self.parts[Part.FOLDER].setVisible(bool(media_fields(form)))
        for part in (Part.PROMPTS, Part.ENHANCE):
            self.parts[part].setVisible(bool(form.with_role(Role.PROMPT)))
        self.target.setVisible(pods > 1)
        self.queue.set_blocked(tr("The jobs are being counted"))
        self.changed.emit()

    def show_plan(self, plan: Plan) -> None:
        """What the wishes make."""
        for part, frame in self.parts.items():
            problem = plan.problems.get(part, "")
            if part is Part.TABLE:
                problem = self._table_problem or problem
            frame.tell(plan.notes.get(part, ""), problem)
        if plan.prompts or plan.batch is not None:
            self.each.show_prompts(plan.prompts)
        total = plan.total
        whole = plan.problems.get(Part.WHOLE, "")
        if whole:
            self.summary.set_text(whole)
        elif plan.batch is None:
            self.summary.set_text(tr("Something above needs another look"))
        else:
            self.summary.set_text(plan.batch.summary)
        self.summary.set_color("danger" if whole else "text")
        self.show_estimate(())
        self.queue.setText(tr_n("Queue {n} job", "Queue {n} jobs", total) if total else tr("Queue"))
        self.queue.set_blocked("" if total else whole or tr("Something above needs another look"))
        for at, label in enumerate(self._first):
            shown = at < len(plan.preview)
            label.setVisible(shown)
            label.set_text(f"{at + 1}   {plan.preview[at]}" if shown else "")
        more = total - len(plan.preview)
        self._more.setText(tr("and {n} more", n=f"{more:,}") if more > 0 and plan.preview else "")
        self._more.setVisible(bool(self._more.text()))

    def show_estimate(self, words: tuple[str, ...]) -> None:
        """Time, pods, money: as far as they are known."""
        self.cost.set_text(f" {DOT} ".join(words))
        self.cost.setVisible(bool(words))

    def wishes(self) -> Wishes:
        """All that the sheet says."""
        table = self._table
        if table is not None:
            table = replace(table, fields=self.columns.fields())
        return Wishes(
            self.repeats.value(),
            _SEEDS[max(0, self.seeds.current())],
            self.seed_list.value(),
            self.prompts.toPlainText(),
            table,
            self.folder.path,
            self.folder_field.field(),
            self.grid.values(),
            self.wildcards.path,
            self.target.current() == 1,
            self.each.taken(),
        )

    def first_focus(self) -> QWidget:
        return self.prompts if self.parts[Part.PROMPTS].isVisibleTo(self) else self.repeats.edit

    # --- Inside ---------------------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        theme = self.theme
        content = QWidget()
        column = QVBoxLayout(content)
        pad(column, theme, 20, 16, 20, 16, gap=16)
        seeds = self._part(column, Part.SEEDS, tr("Times each, and their seeds"))
        row = QHBoxLayout()
        pad(row, theme, 0, 0, 0, 0, gap=8)
        row.addWidget(self.repeats)
        row.addWidget(self.seeds, 1)
        row.addWidget(self.seed_list, 1)
        seeds.content.addLayout(row)
        prompts = self._part(column, Part.PROMPTS, tr("Prompts"), tr("# begins a comment"))
        prompts.content.addWidget(Boxed(theme, self.prompts))
        prompts.content.addWidget(self.prompt_file)
        table = self._part(column, Part.TABLE, tr("Table"), tr("CSV, a job a row; the first row names the inputs"))
        table.content.addWidget(self.table)
        table.content.addWidget(self.columns)
        folder = self._part(column, Part.FOLDER, tr("Folder of files"), tr("A job a file"))
        folder.content.addWidget(self.folder)
        self.folder.row.insertWidget(1, self.folder_field, 1)
        grid = self._part(column, Part.GRID, tr("Grid"), tr("Every combination, with a labelled contact sheet"))
        grid.content.addWidget(self.grid)
        wild = self._part(
            column, Part.WILDCARDS, tr("Wildcards"), tr("__name__ is drawn from name.txt; {a|b} needs none")
        )
        wild.content.addWidget(self.wildcards)
        each = self._part(
            column, Part.ENHANCE, tr("Enhance each prompt"), tr("Your words stay above, and go along with each job")
        )
        each.content.addWidget(self.each)
        column.addWidget(Line(theme))
        column.addWidget(Label(theme, tr("The first jobs"), font="label"))
        for label in self._first:
            column.addWidget(label)
        self._more = Label(theme, font="small", color="text2")
        column.addWidget(self._more)
        column.addStretch(1)
        self.body.addWidget(Scroller(theme, content))
        words = QVBoxLayout()
        pad(words, theme, 0, 0, 0, 0, gap=2)
        words.addWidget(self.summary)
        words.addWidget(self.cost)
        self.foot.addLayout(words, 1)
        self.foot.addWidget(self.target)
        self.foot.addWidget(self.queue)

    def _part(self, column: QVBoxLayout, part: Part, name: str, hint: str = "") -> PartFrame:
        frame = self.parts[part] = PartFrame(self.theme, name, hint)
        column.addWidget(frame)
        return frame

    def _join(self) -> None:
        later = self._timer.start
        self.repeats.changed.connect(lambda _: later())
        self.seeds.picked.connect(self._on_seeds)
        self.seed_list.value_changed.connect(lambda _: later())
        self.prompts.textChanged.connect(later)
        self.prompt_file.changed.connect(self._take_prompts)
        self.each.changed.connect(later)
        self.table.changed.connect(self._read_table)
        self.columns.changed.connect(later)
        for row in (self.folder, self.wildcards):
            row.changed.connect(later)
        self.folder_field.picked.connect(later)
        self.grid.changed.connect(later)
        self.target.picked.connect(lambda _: later())
        self.queue.clicked.connect(self.queue_wanted)
        self._on_seeds()

    def _on_seeds(self) -> None:
        self.seed_list.setVisible(_SEEDS[max(0, self.seeds.current())] is Seeds.LIST)
        self._timer.start()

    def _take_prompts(self) -> None:
        """The lines of a file, to be looked over and changed."""
        from comfydesk.session.jobs.batch_files import read_text

        path = self.prompt_file.path
        if path is None:
            return
        try:
            self.prompts.setPlainText(read_text(path))
        except KnownError as error:
            self.parts[Part.PROMPTS].tell("", sentences(error))

    def _read_table(self) -> None:
        path, self._table, self._table_problem = self.table.path, None, ""
        if path is not None:
            try:
                self._table = read_table(self._form, path)
            except KnownError as error:
                self._table_problem = sentences(error)
        self.columns.show_table(self._table, grid_fields(self._form))
        self.parts[Part.TABLE].tell("", self._table_problem)
        self._timer.start()
