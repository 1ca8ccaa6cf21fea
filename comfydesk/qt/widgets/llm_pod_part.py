"""A language model on a pod: which, how far its download is, whether it is served, and what can be done about it."""

from collections.abc import Mapping

from PySide6.QtCore import Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from comfydesk.llm.models import CURATED
from comfydesk.llm.pod_server import ServerState, ServerStatus
from comfydesk.qt.models.words import DOT, size_words
from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets.badge_label import BadgeLabel
from comfydesk.qt.widgets.badges import Badge
from comfydesk.qt.widgets.buttons import Button, Kind
from comfydesk.qt.widgets.choice_combo import Combo
from comfydesk.qt.widgets.labels import ElidedLabel, Label
from comfydesk.qt.widgets.plain import pad
from comfydesk.qt.widgets.progress_bar import ProgressBar
from comfydesk.session.enhancement.values import Choice

CHOICES = tuple(Choice)


class LlmPodPart(QWidget):
    """Each signal is a wish; the first of most is the id of a model."""

    look = Signal()
    fetch, pause, start, stop, copy = Signal(str), Signal(str), Signal(str), Signal(str), Signal(str)
    engine_chosen = Signal(object)
    """Choice"""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._states: Mapping[str, ServerStatus] = {}
        self._busy = ""
        self._shell = False
        self.about = Label(theme, font="small", color="text2", wrap=True)
        self.engine = Combo(theme)
        self.engine.setAccessibleName(tr("Engine of this pod's prompts"))
        self.engine.addItems([tr("Automatic"), tr("This computer"), tr("The pod"), tr("Endpoint")])
        self.model = Combo(theme)
        self.model.setAccessibleName(tr("Language model for the pod"))
        self.model.addItems([model.title for model in CURATED])
        self.badge = BadgeLabel(theme)
        self.told = ElidedLabel(theme, font="small", color="text2")
        self.bar = ProgressBar(theme, tr("Download to the pod"))
        self.get = Button(theme, tr("Download to the pod"))
        self.rest = Button(theme, tr("Pause"))
        self.serve = Button(theme, tr("Start"), icon="play")
        self.end = Button(theme, tr("Stop"), icon="stop")
        self.again = Button(theme, tr("Look again"), kind=Kind.GHOST, icon="refresh")
        self.commands = Button(theme, tr("Copy the commands"), kind=Kind.GHOST, icon="copy")
        self._lay_out(theme)
        self._join()
        self.show_pod("", shell=False, choice=Choice.AUTOMATIC)

    # --- What is shown ----------------------------------------------------------------------------------------------

    def show_pod(self, name: str, *, shell: bool, choice: Choice) -> None:
        """The current pod; "": none. `shell`: its profile has SSH."""
        self._shell = shell
        self.setVisible(bool(name))
        self.about.setText(
            tr("{pod} has SSH: a model can be fetched onto its volume and served there.", pod=name)
            if shell
            else tr("The profile of {pod} has no SSH: copy the commands into a shell on the pod.", pod=name)
        )
        self.engine.setCurrentIndex(CHOICES.index(choice))
        self._show()

    def show_states(self, states: Mapping[str, ServerStatus]) -> None:
        """What there is, by id of the model."""
        self._states = states
        self._show()

    def show_progress(self, model: str, done: int, total: int) -> None:
        """Of a download."""
        if model == self.model_id():
            self.bar.show()
            self.bar.set_fraction(done / total if total else 0.0)
            self.told.set_text(tr("{done} of {total}", done=size_words(done), total=size_words(total)))

    def set_busy(self, what: str, words: str = "") -> None:
        """`what`: "fetch", or another step that is under way; "" none."""
        self._busy = what
        self._show()
        if words:
            self.told.set_text(words)

    def model_id(self) -> str:
        return CURATED[max(0, self.model.currentIndex())].id

    def choose(self, model_id: str) -> None:
        """Show that model."""
        at = next((at for at, model in enumerate(CURATED) if model.id == model_id), 0)
        self.model.setCurrentIndex(at)
        self._show()

    # --- Inside -----------------------------------------------------------------------------------------------------

    def _lay_out(self, theme: Theme) -> None:
        column = QVBoxLayout(self)
        pad(column, theme, 0, 0, 0, 0, gap=8)
        column.addWidget(self.about)
        first, second = QHBoxLayout(), QHBoxLayout()
        for row in (first, second):
            pad(row, theme, 0, 0, 0, 0, gap=8)
        first.addWidget(Label(theme, tr("Its prompts are enhanced by"), color="text2"))
        first.addWidget(self.engine, 1)
        first.addStretch(1)
        second.addWidget(self.model, 1)
        for part in (self.badge, self.get, self.rest, self.serve, self.end, self.again, self.commands):
            second.addWidget(part)
        column.addLayout(first)
        column.addLayout(second)
        column.addWidget(self.bar)
        column.addWidget(self.told)

    def _join(self) -> None:
        self.engine.activated.connect(lambda at: self.engine_chosen.emit(CHOICES[at]))
        self.model.activated.connect(lambda _: self._show())
        self.again.clicked.connect(self.look)
        for button, signal in (
            (self.get, self.fetch),
            (self.rest, self.pause),
            (self.serve, self.start),
            (self.end, self.stop),
            (self.commands, self.copy),
        ):
            button.clicked.connect(lambda _=False, signal=signal: signal.emit(self.model_id()))

    def _show(self) -> None:
        status = self._states.get(self.model_id())
        state = None if status is None else status.state
        idle = self._shell and not self._busy
        self.get.setVisible(idle and state in (ServerState.ABSENT, ServerState.PARTIAL))
        self.get.setText(tr("Resume") if state is ServerState.PARTIAL else tr("Download to the pod"))
        self.rest.setVisible(self._busy == "fetch")
        self.serve.setVisible(idle and state is ServerState.STOPPED)
        self.end.setVisible(idle and state is ServerState.RUNNING)
        self.again.setVisible(idle)
        self.model.setEnabled(not self._busy)
        self.bar.setVisible(self._busy == "fetch")
        self.badge.set_badge(_badge(state))
        if status is None or self._busy:
            self.told.set_text("")
            return
        done = tr("{done} are there", done=size_words(status.done)) if state is ServerState.PARTIAL else ""
        self.told.set_text(f" {DOT} ".join(part for part in (done, status.words) if part))


def copy_text(text: str) -> None:
    """Into the clipboard."""
    QGuiApplication.clipboard().setText(text)


def _badge(state: ServerState | None) -> Badge | None:
    return {
        ServerState.RUNNING: Badge(tr("Running"), "success", "check"),
        ServerState.STOPPED: Badge(tr("Ready"), "neutral", "check"),
        ServerState.PARTIAL: Badge(tr("Paused"), "neutral", "pause"),
        ServerState.ABSENT: Badge(tr("Not there"), "neutral", "ring-dashed"),
        None: None,
    }[state]
