"""The panel on the right: what is open, its form, and the button that makes it."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QApplication, QHBoxLayout, QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from comfydesk.errors import KnownError
from comfydesk.qt.docks.dock import Dock, Panel
from comfydesk.qt.docks.generation_footer import Footer
from comfydesk.qt.models.making import Making
from comfydesk.qt.models.words import made, models_missing, nodes_missing
from comfydesk.qt.theme import ColorName, Theme
from comfydesk.qt.theme.language import said, tr, why_and_advice
from comfydesk.qt.widgets.badge_label import BadgeLabel
from comfydesk.qt.widgets.badges import Badge
from comfydesk.qt.widgets.banner import Banner
from comfydesk.qt.widgets.buttons import Button, IconButton, Size
from comfydesk.qt.widgets.editors import Surroundings
from comfydesk.qt.widgets.empty_state import EmptyState
from comfydesk.qt.widgets.form_help import FormHelp
from comfydesk.qt.widgets.form_plan import arranged
from comfydesk.qt.widgets.form_view import FormView
from comfydesk.qt.widgets.labels import ElidedLabel, Label
from comfydesk.qt.widgets.menu import Menu
from comfydesk.qt.widgets.plain import Icon, Line, pad
from comfydesk.workflow.fields import Role
from comfydesk.workflow.masks import masked_inputs

if TYPE_CHECKING:
    from comfydesk.session.values import OpenWorkflow

MINIMUM_WIDTH = 320
LEAST_FORM = 36


class Head(QWidget):
    """Name of the workflow, and whether it can run."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.name = ElidedLabel(theme, font="title")
        self.icon = Icon(theme, "")
        self.word = Label(theme, font="small")
        self.rest = ElidedLabel(theme, font="small", color="text2")
        column = QVBoxLayout(self)
        pad(column, theme, 16, 0, 16, 12)
        column.setSpacing(0)
        line = QHBoxLayout()
        pad(line, theme, 0, 0, 0, 0, gap=4)
        for part in (self.icon, self.word, self.rest):
            line.addWidget(part)
        self.presets = Button(theme, tr("Presets"), icon="preset", menu=True)
        self.presets.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        first = QHBoxLayout()
        pad(first, theme, 0, 0, 0, 0, gap=8)
        first.addWidget(self.name, 1)
        first.addWidget(self.presets)
        column.addLayout(first)
        column.addLayout(line)

    def tell(self, name: str, word: str = "", rest: str = "", color: ColorName = "text2", icon: str = "") -> None:
        """`word` is what matters, in its colour; `rest` is quiet."""
        self.name.set_text(name)
        self.word.setText(word)
        self.word.set_color(color)
        self.word.setVisible(bool(word))
        self.rest.set_text(rest)
        self.icon.set_icon(icon, color)


class GenerationPanel(Panel):
    """Shows an OpenWorkflow. `generate` with what the user wants made, and how."""

    generate = Signal(object)
    """Making"""
    cancel = Signal()
    values_changed = Signal(object)
    connect_wanted = Signal()
    shown = Signal(object)
    """OpenWorkflow: its form is on the screen."""

    def __init__(self, theme: Theme, dock: Dock, around: Surroundings) -> None:
        super().__init__(theme, dock)
        self._workflow: OpenWorkflow | None = None
        self._pod = ""
        self.head = Head(theme)
        self.banner = Banner(theme)
        self.help = FormHelp(self)
        self.pins_of: Callable[[str], tuple[frozenset[str], frozenset[str]]] = lambda _id: (frozenset(), frozenset())
        """Workflow id → fields that the user pinned, and took away."""
        self.form = FormView(theme, around=replace(around, help=self.help))
        self.footer = Footer(theme)
        self.empty = EmptyState(
            theme, "create", tr("No workflow is open"), tr("Pick one on the left, or drop a file here.")
        )
        self._pages = QStackedWidget()
        self._pages.addWidget(self.empty)
        self._pages.addWidget(self.form)
        # In a low window the form scrolls; the window's edge stays on the screen.
        self._pages.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Ignored)
        self.menu = Menu(theme, parent=self)
        more = IconButton(theme, "more", tr("More on this workflow"), size=Size.COMPACT)
        more.clicked.connect(lambda: self.menu.popup(more.mapToGlobal(more.rect().bottomLeft())))
        self.title.add(more)
        self._waiting = BadgeLabel(theme)
        self.title.add_mark(self._waiting)
        self._lay_out()
        theme.changed.connect(self._measure)
        self._measure()
        self.empty.acted.connect(self.connect_wanted)
        self.form.values_changed.connect(self._on_values)
        self.footer.generate.clicked.connect(self.press)
        self.ways = self.footer.offer_ways(self.press)
        self.footer.count.changed.connect(lambda _: self._tell_what())
        self.footer.cancel.clicked.connect(self.cancel)
        self._unlock()

    # --- What is shown --------------------------------------------------------------------------------------------

    def show_opening(self, name: str) -> None:
        """Something is being opened; what is on the screen stays until it is there."""
        self._opening = True
        self.dock.raise_()  # it may share its place with the browser
        if self._workflow is None:
            self.head.tell(name, rest=tr("Opening"))

    def show_workflow(self, workflow: "OpenWorkflow", values: Mapping[str, Any], makes: str = "") -> None:
        """Another workflow, or the same one against another pod. `makes` is what comes out: image, video…"""
        same = self._workflow is not None and self._workflow.id == workflow.id
        self._workflow, self._makes, self._opening = workflow, makes, False
        self.help.no_lora = workflow.no_lora
        form = arranged(workflow.form, *self.pins_of(workflow.id))
        if not same or self.form.form() != form:
            locked = self.form.locked_seeds() if same else frozenset()
            self.form.media.set_masked(
                masked_inputs(workflow.form, workflow.api) if workflow.api is not None else frozenset()
            )
            self.form.set_form(form, values)
            for field_id in locked:
                self.form.set_locked(field_id, True)
        else:
            self.form.set_values(values)
        if not same:
            self.banner.clear()
        self._refresh()
        self.shown.emit(workflow)

    def show_error(self, error: KnownError, fields: Mapping[str, str] | None = None, *, action: str = "") -> None:
        """A line at the top with at most one `action`, and messages under the fields it is about."""
        self._opening = False
        self.banner.tell_error(error, action=action)
        self.form.set_errors(fields or {})

    def show_pod(self, name: str, *, usable: bool, trouble: str = "", borrowed: bool = False) -> None:
        """The pod that Generate goes to; "" if there is none. `trouble` says why it is of no use now.

        `borrowed`: it has no list of nodes to give, so that the form is made from another's.
        """
        self._pod, self._usable, self._trouble, self._borrowed = name, usable, trouble, borrowed
        self._refresh()

    def show_running(self, running: bool) -> None:
        self.footer.cancel.setVisible(running)

    def show_queue(self, waiting: int, seconds: float | None, *, paused: bool = False) -> None:
        """What stands before the next job."""
        self.footer.show_when(self._pod, waiting, seconds, usable=self._usable, paused=paused)

    def show_waiting(self, number: int) -> None:
        """How many jobs have not ended, beside the panel's name."""
        self._waiting.set_badge(Badge(f"{number:,}", "info") if number else None)

    def tell_count(self) -> None:
        """The number beside the button was set by somebody else than the user."""
        self._tell_what()

    def show_last_seed(self, seed: int | None) -> None:
        """The seed that "last" brings back."""
        for field in self.form.form().with_role(Role.SEED):
            self.form.set_last_seed(field.id, seed)

    @property
    def workflow(self) -> "OpenWorkflow | None":
        return self._workflow

    @property
    def opening(self) -> bool:
        """Another workflow was asked for and is not on the screen yet."""
        return self._opening

    # --- What the user does ---------------------------------------------------------------------------------------

    def press(
        self,
        *_: object,
        count: int | None = None,
        keep_seed: bool | None = None,
        front: bool = False,
        held: bool = False,
    ) -> None:
        """Generate, as the button and Ctrl+Enter do; says why not if it cannot.

        `count` and `keep_seed` in place of what the panel says, for this once; `front`: before all that waits;
        `held`: into the queue, but not sent until released.
        """
        values = self.take_values()
        if values is None:
            return
        keep = bool(self.form.locked_seeds()) if keep_seed is None else keep_seed
        number = self.footer.count.value() if count is None else count
        self.generate.emit(Making(values, number, keep, front=front, held=held))

    def take_values(self) -> Mapping[str, Any] | None:
        """What is to be made, if it can be: else the form shows why not."""
        if self._workflow is None or not self.footer.generate.main.isEnabled():
            return None
        # Asked before `values`, which ends what is being typed and so forgets what was wrong with it.
        problems = self.form.problems()
        if problems:
            wrong = self.form.part(next(iter(problems)))
            focused = QApplication.focusWidget()
            if wrong is None or focused is None or not wrong.isAncestorOf(focused):
                self.form.reveal(next(iter(problems)))
            return None
        missing = self.form.missing_files()
        if missing:
            self.form.set_errors(missing)
            return None
        self.banner.clear()
        self.form.set_errors({})
        return self.form.values()

    def go_to_prompt(self) -> None:
        """Give the keyboard to the prompt."""
        self.dock.bring()
        self.form.focus_prompt()

    def add_actions(self, *actions: QAction) -> None:
        """Into the menu behind the three dots."""
        self.menu.addActions(actions)

    # --- Inside ---------------------------------------------------------------------------------------------------

    _usable = False
    _borrowed = False
    _opening = False
    _trouble = ""
    _makes = ""

    def _lay_out(self) -> None:
        top = QWidget()
        messages = QVBoxLayout(top)
        pad(messages, self.theme, 12, 0, 12, 0)
        messages.addWidget(self.banner)
        self.body.addWidget(self.head)
        self.body.addWidget(top)
        self.body.addWidget(self._pages, 1)
        self.body.addWidget(Line(self.theme))
        self.body.addWidget(self.footer)

    def _measure(self) -> None:
        self.setMinimumWidth(self.theme.px(MINIMUM_WIDTH))
        self._pages.setMinimumHeight(self.theme.px(LEAST_FORM))

    def _on_values(self) -> None:
        self._tell_what()
        self.values_changed.emit(self.form.values())

    def _refresh(self) -> None:
        workflow = self._workflow
        shows_form = workflow is not None and bool(workflow.form.fields)
        self._pages.setCurrentWidget(self.form if shows_form else self.empty)
        if workflow is not None:
            self.head.tell(workflow.name, *self._state(workflow))
            if not shows_form:
                self._tell_empty(workflow)
        self.head.setVisible(workflow is not None)
        self._unlock()
        self._tell_what()

    def _state(self, workflow: "OpenWorkflow") -> tuple[str, str, ColorName, str]:
        """(word, rest, colour, icon)"""
        if workflow.problem is not None:
            return "", said(workflow.problem.what), "danger", "error"
        if not self._pod:
            return "", tr("No pod connected"), "text2", "cloud-off"
        if workflow.needs is None:
            return "", tr("Waiting for {pod}", pod=self._pod), "text2", "clock"
        if self._borrowed and self._usable:
            words = tr("{pod} lists no nodes: the form is by another pod's list", pod=self._pod)
            return tr("Not checked"), words, "text2", "info"
        nodes, models = workflow.needs.missing_nodes, workflow.needs.missing_models
        if nodes:
            return nodes_missing(len(nodes)), self._on(", ".join(nodes)), "danger", "error"
        if models:
            names = ", ".join(model.name for model in models)
            return models_missing(len(models)), self._on(names), "warning", "warning"
        if not self._usable:
            return "", tr("{pod} is not connected", pod=self._pod), "text2", "cloud-off"
        return tr("Ready"), tr("on {pod}", pod=self._pod), "success", "check-small"

    def _on(self, names: str) -> str:
        return tr("on {pod}: {names}", pod=self._pod, names=names)

    def _tell_empty(self, workflow: "OpenWorkflow") -> None:
        if workflow.problem is not None:
            self.empty.tell("warning", said(workflow.problem.what), why_and_advice(workflow.problem))
        elif not self._pod:
            self.empty.tell(
                "plug",
                tr("No pod connected"),
                tr("A pod says which inputs this workflow has."),
                action=tr("Connect to a pod"),
            )
        elif self._trouble:
            self.empty.tell(
                "cloud-off", tr("{pod} cannot be reached", pod=self._pod), self._trouble, action=tr("Connect to a pod")
            )
        else:
            self.empty.tell(
                "clock", tr("Asking {pod} what it can do", pod=self._pod), tr("The form appears when it has answered.")
            )

    def _unlock(self) -> None:
        self.footer.set_blocked(self._blocked())

    def _blocked(self) -> str:
        workflow = self._workflow
        if workflow is None:
            return tr("Pick a workflow first")
        if workflow.problem is not None:
            return said(workflow.problem.what)
        if not self._pod:
            return tr("Connect to a pod first")
        if workflow.needs is None or not workflow.form.fields:
            return tr("{pod} has not told yet what it can do", pod=self._pod)
        if workflow.needs.missing_nodes:
            return tr("{pod} lacks nodes of this workflow", pod=self._pod)
        return ""

    def _tell_what(self) -> None:
        if self._workflow is None:
            self.footer.what.set_text("")
            return
        count = self.footer.count.value()
        self.footer.what.set_text(made(count, self._makes))
