"""What went wrong with a job: what, why, what to do; which node, which inputs; the traceback folded away."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from comfydesk.qt.models.verbs import error_text
from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import said, tr
from comfydesk.qt.widgets.buttons import Button, Kind
from comfydesk.qt.widgets.labels import Label
from comfydesk.qt.widgets.page import Page, Scroller
from comfydesk.qt.widgets.plain import Icon, pad
from comfydesk.qt.widgets.section import Section
from comfydesk.store.records import Job, JobError
from comfydesk.workflow.fields import Form

TRACE_LINES = 14


class Facts(QWidget):
    """Two columns: names and what they are."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._grid = QGridLayout(self)
        pad(self._grid, theme, 0, 0, 0, 0, gap=8)
        self._grid.setColumnStretch(1, 1)

    def show_pairs(self, pairs: tuple[tuple[str, str], ...]) -> None:
        while (item := self._grid.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        top = Qt.AlignmentFlag.AlignTop
        for row, (name, words) in enumerate(pairs):
            self._grid.addWidget(Label(self._theme, name, color="text2"), row, 0, top)
            value = Label(self._theme, words, wrap=True)
            value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            self._grid.addWidget(value, row, 1, top)
        self.setVisible(bool(pairs))


class JobErrorPage(Page):
    """`edit_wanted` with the job whose workflow the user wants to see."""

    edit_wanted = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, tr("What went wrong"), parent)
        self._job: Job | None = None
        self.what = Label(theme, font="heading", wrap=True)
        self.why = Label(theme, wrap=True)
        self.advice = Label(theme, wrap=True, color="text2")
        self.facts = Facts(theme)
        self.trace = QPlainTextEdit()
        self.trace.setReadOnly(True)
        self.trace.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.trace.setAccessibleName(tr("Traceback"))
        self.fold = Section(theme, tr("Traceback"), self.trace)
        self.copy = Button(theme, tr("Copy"), icon="copy")
        self.open = Button(theme, tr("Open its workflow"), kind=Kind.PRIMARY)
        self._lay_out()
        self.copy.clicked.connect(self._copy)
        self.open.clicked.connect(lambda: self.edit_wanted.emit(self._job))
        theme.changed.connect(self._style)
        self._style()

    def show_job(self, job: Job, form: Form | None, *, is_open: bool) -> None:
        """`form`: of its workflow, where that is known: then inputs are called as on the form."""
        error = job.error or JobError(tr("Nothing is known of what went wrong"))
        self._job = job
        self.set_title(tr("{workflow} failed", workflow=job.workflow))
        self.what.setText(_sentence(said(error.what)))
        self.why.setText(_sentence(said(error.why)))
        self.advice.setText(_sentence(said(error.advice)))
        for label in (self.why, self.advice):
            label.setVisible(bool(label.text()))
        self.facts.show_pairs(_facts(job, error, form))
        self.trace.setPlainText(error.traceback.rstrip())
        self.fold.setVisible(bool(error.traceback.strip()))
        self.fold.set_open(False, animate=False)
        self.open.setText(tr("Back to its values") if is_open else tr("Open its workflow"))
        self.copy.setText(tr("Copy"))

    def first_focus(self) -> QWidget:
        return self.copy

    def _lay_out(self) -> None:
        theme = self.theme
        content = QWidget()
        column = QVBoxLayout(content)
        pad(column, theme, 20, 16, 20, 16, gap=12)
        head = QHBoxLayout()
        pad(head, theme, 0, 0, 0, 0, gap=8)
        head.addWidget(Icon(theme, "error", "danger"), 0, Qt.AlignmentFlag.AlignTop)
        words = QVBoxLayout()
        pad(words, theme, 0, 0, 0, 0, gap=4)
        for label in (self.what, self.why, self.advice):
            words.addWidget(label)
        head.addLayout(words, 1)
        column.addLayout(head)
        column.addWidget(self.facts)
        column.addWidget(self.fold)
        column.addStretch(1)
        self.body.addWidget(Scroller(theme, content))
        self.foot.addWidget(self.copy)
        self.foot.addStretch(1)
        self.foot.addWidget(self.open)

    def _style(self) -> None:
        self.trace.setFont(self.theme.font("mono"))
        self.trace.setFixedHeight(self.theme.metrics("mono").lineSpacing() * TRACE_LINES)
        self.theme.surface(self.trace, "field")

    def _copy(self) -> None:
        if self._job is not None:
            QGuiApplication.clipboard().setText(error_text(self._job))
            self.copy.setText(tr("Copied"))


def _sentence(words: str) -> str:
    """With a capital and a full stop: pods write as they like."""
    words = words.strip()
    return f"{words[:1].upper()}{words[1:].rstrip('.')}." if words else ""


def _facts(job: Job, error: JobError, form: Form | None) -> tuple[tuple[str, str], ...]:
    pairs: list[tuple[str, str]] = []
    if error.node_title or error.node:
        number = tr("node {id}", id=error.node) if error.node else ""
        pairs.append((tr("Node"), ", ".join(part for part in (error.node_title, number) if part)))
    for field, message in error.fields.items():
        known = form.by_id.get(field) if form is not None else None
        pairs.append((known.label if known is not None else field, message))
    for name, value in error.inputs.items():
        known = form.by_id.get(f"{error.node}.{name}") if form is not None else None
        pairs.append((known.label if known is not None else name, value or tr("empty")))
    if job.prompt and job.prompt[:100] not in " ".join(error.inputs.values()):
        pairs.append((tr("Prompt"), job.prompt[:400]))
    if job.seed is not None and str(job.seed) not in error.inputs.values():
        pairs.append((tr("Seed"), str(job.seed)))
    return tuple(pairs)
