"""The language models: what runs where, which models there are, what is on this computer, and the endpoint."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QVBoxLayout, QWidget

from comfydesk.llm.downloads import DownloadState, DownloadStatus
from comfydesk.llm.local import LocalState, LocalStatus
from comfydesk.llm.models import CURATED, CuratedModel, Fit, Memory, Speed, fit
from comfydesk.llm.shelf import LocalModel
from comfydesk.qt.models.words import DOT, clock, size_words
from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets.badge_label import BadgeLabel
from comfydesk.qt.widgets.badges import Badge
from comfydesk.qt.widgets.banner import Banner
from comfydesk.qt.widgets.buttons import Button, Kind
from comfydesk.qt.widgets.labels import ElidedLabel, Label
from comfydesk.qt.widgets.llm_pod_part import LlmPodPart
from comfydesk.qt.widgets.page import Page, Scroller
from comfydesk.qt.widgets.plain import Line, pad
from comfydesk.qt.widgets.progress_bar import ProgressBar
from comfydesk.qt.widgets.secret_line import SecretLine
from comfydesk.qt.widgets.switch import Switch
from comfydesk.qt.widgets.text_line import TextLine


class ModelLine(QWidget):
    """A model: what it is, and what can be done with it. Each signal is a wish."""

    fetch = Signal()
    pause = Signal()
    drop = Signal()
    use = Signal()

    def __init__(self, theme: Theme, title: str, detail: str) -> None:
        super().__init__()
        self.name = ElidedLabel(theme, title, font="label")
        self.detail = ElidedLabel(theme, detail, font="small", color="text2")
        self._detail = detail
        self.badge = BadgeLabel(theme)
        self.bar = ProgressBar(theme, tr("Download of {name}", name=title))
        self.get = Button(theme, tr("Download"))
        self.get.setAccessibleName(tr("Download {name}", name=title))
        self.rest = Button(theme, tr("Pause"))
        self.choose = Button(theme, tr("Use"))
        self.choose.setAccessibleName(tr("Use {name}", name=title))
        self.remove = Button(theme, tr("Delete"), kind=Kind.GHOST, danger=True)
        self.remove.setAccessibleName(tr("Delete {name}", name=title))
        words = QVBoxLayout()
        pad(words, theme, 0, 0, 0, 0, gap=2)
        for part in (self.name, self.detail, self.bar):
            words.addWidget(part)
        row = QHBoxLayout(self)
        pad(row, theme, 0, 8, 0, 8, gap=8)
        row.addLayout(words, 1)
        for each in (self.badge, self.get, self.rest, self.choose, self.remove):
            row.addWidget(each)
        self.get.clicked.connect(self.fetch)
        self.rest.clicked.connect(self.pause)
        self.remove.clicked.connect(self.drop)
        self.choose.clicked.connect(self.use)

    def set_detail(self, words: str) -> None:
        """What it is, when nothing else is to be told."""
        self._detail = words
        self.detail.set_text(words)

    def show_status(self, status: DownloadStatus, *, used: bool) -> None:
        """How far it is."""
        state, progress = status.state, status.progress
        running, ready = state is DownloadState.RUNNING, state is DownloadState.READY
        begun = state in (DownloadState.PAUSED, DownloadState.FAILED) and progress.done > 0
        self.get.setVisible(not running and not ready)
        self.get.setText(tr("Resume") if begun else tr("Download"))
        self.rest.setVisible(running)
        self.choose.setVisible(ready and not used)
        self.remove.setVisible(running or ready or begun)
        self.remove.setText(tr("Cancel") if not ready else tr("Delete"))
        self.bar.setVisible(running or begun)
        self.bar.set_fraction(progress.done / progress.total if progress.total else 0.0)
        self.detail.set_text(str(status.error) if status.error is not None else self._progress_words(status))
        self.detail.set_color("danger" if status.error is not None else "text2")
        self.badge.set_badge(_badge(state, used=used))

    def show_there(self, *, used: bool) -> None:
        """It is a file of the user's."""
        for part in (self.get, self.rest, self.bar):
            part.hide()
        self.choose.setVisible(not used)
        self.remove.setText(tr("Forget"))
        self.badge.set_badge(_badge(DownloadState.READY, used=used))

    def _progress_words(self, status: DownloadStatus) -> str:
        progress = status.progress
        if status.state not in (DownloadState.RUNNING, DownloadState.PAUSED) or not progress.done:
            return self._detail
        parts = [tr("{done} of {total}", done=size_words(progress.done), total=size_words(progress.total))]
        if status.state is DownloadState.RUNNING:
            parts += [tr("{size}/s", size=size_words(progress.speed))] if progress.speed else []
            parts += [tr("{time} left", time=clock(progress.left))] if progress.left is not None else []
        return f" {DOT} ".join(parts)


class LlmModelsPage(Page):
    """Each signal is a wish; the window's side fulfils it and shows what came of it."""

    enabled = Signal(bool)
    fetch, pause, drop, use = Signal(str), Signal(str), Signal(str), Signal(str)
    """Id of a model."""
    added = Signal(object)
    """Path of a GGUF file"""
    program_chosen = Signal(str)
    unload = Signal()
    endpoint_saved = Signal(str, object)
    """Address, and the key that was typed (Secret) or None"""

    token_saved = Signal(object)
    """Secret, or None: forget it"""

    def __init__(self, theme: Theme, place: str = "huggingface.co", parent: QWidget | None = None) -> None:
        """`place`: where models are downloaded from."""
        super().__init__(theme, tr("Language models"), parent)
        self.switch = Switch(theme, tr("Enhance prompts"))
        self.banner = Banner(theme)
        self.status = ElidedLabel(theme, font="small", color="text2")
        self.free = Button(theme, tr("Unload now"))
        self.program = Button(theme, tr("Choose llama-server\N{HORIZONTAL ELLIPSIS}"))
        self.add = Button(theme, tr("Add a GGUF file\N{HORIZONTAL ELLIPSIS}"), icon="plus")
        self.memory = Label(theme, font="small", color="text2", wrap=True)
        self.address = TextLine(theme, placeholder="http://127.0.0.1:11434/v1")
        self.address.edit.setAccessibleName(tr("Address of the endpoint"))
        self.key = SecretLine(theme, placeholder=tr("Key, if it wants one"))
        self.key.edit.setAccessibleName(tr("Key of the endpoint"))
        self.save = Button(theme, tr("Save"))
        self._place, self._token_stored = place, False
        self.token = SecretLine(theme, placeholder=tr("Only some models want one"))
        self.token.edit.setAccessibleName(tr("Token for downloads"))
        self.keep_token = Button(theme, tr("Save"))
        self.keep_token.setAccessibleName(tr("Save the token"))
        self.pod = LlmPodPart(theme)
        self.no_pod = Label(
            theme, tr("Connect a pod to set up a language model on it."), font="small", color="text2", wrap=True
        )
        self.lines: dict[str, ModelLine] = {}
        self.own: dict[str, ModelLine] = {}
        self._lay_out()
        self._join()
        self.hide_foot()

    # --- What is shown ----------------------------------------------------------------------------------------------

    def show_enabled(self, on: bool) -> None:
        self.switch.setChecked(on)

    def show_memory(self, memory: Memory, context: int) -> None:
        """What each model needs of it."""
        total = size_words(memory.total) if memory.total else tr("unknown")
        self.memory.setText(tr("This computer has {total} of memory, {free} of it free.", total=total,
                               free=size_words(memory.available)))  # fmt: skip
        for model in CURATED:
            line = self.lines[model.id]
            line.set_detail(_about(model, memory, context))

    def show_download(self, status: DownloadStatus, *, used: bool) -> None:
        self.lines[status.id].show_status(status, used=used)

    def show_own(self, models: tuple[LocalModel, ...], used: str) -> None:
        """The files that the user added."""
        for line in self.own.values():
            self._own.removeWidget(line)
            line.hide()
            line.deleteLater()
        self.own = {}
        for model in models:
            line = self.own[model.id] = ModelLine(
                self.theme, model.title, f"{size_words(model.size)} {DOT} {model.path}"
            )
            self._bind(line, model.id)
            line.show_there(used=model.id == used)
            self._own.addWidget(line)

    def show_engine(self, status: LocalStatus, resident: int, program: str) -> None:
        """What the process of this computer does."""
        words = [status.words, size_words(resident) if resident else "", program]
        self.status.set_text(f" {DOT} ".join(word for word in words if word))
        self.status.set_color("danger" if status.state is LocalState.FAILED else "text2")
        loaded = status.state in (LocalState.ON, LocalState.LOADING)
        self.free.set_blocked("" if loaded else tr("It is not loaded"))

    def show_token(self, *, stored: bool) -> None:
        self._token_stored = stored
        self.token.fill(None)
        self.token.set_stored(stored)
        self._name_token_button()

    def _name_token_button(self) -> None:
        forget = self._token_stored and self.token.secret() is None
        self.keep_token.setText(tr("Forget") if forget else tr("Save"))
        self.keep_token.set_blocked("" if forget or self.token.secret() else tr("Type a token first"))

    def show_endpoint(self, address: str, *, stored: bool) -> None:
        self.address.edit.setText(address)
        self.key.fill(None)
        self.key.set_stored(stored)

    def first_focus(self) -> QWidget:
        return self.switch

    # --- Inside -----------------------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        theme = self.theme
        self.head.addWidget(self.switch)
        content = QWidget()
        column = QVBoxLayout(content)
        pad(column, theme, 20, 12, 20, 16, gap=8)
        column.addWidget(self.banner)
        for words in (
            tr("On this computer: nothing leaves it, nothing is paid. It runs beside the window, and only when asked."),
            tr("On the pod: the prompt goes where your workflows go; the pod's own text encoder writes."),
            tr("An endpoint: the prompt, and a picture you have described, are sent to the address below."),
        ):
            column.addWidget(Label(theme, words, font="small", color="text2", wrap=True))
        column.addWidget(Line(theme))
        column.addLayout(self._headed(tr("This computer"), self.program, self.free))
        column.addWidget(self.status)
        column.addWidget(self.memory)
        for model in CURATED:
            line = self.lines[model.id] = ModelLine(theme, model.title, "")
            self._bind(line, model.id)
            column.addWidget(line)
        self._own = QVBoxLayout()
        pad(self._own, theme, 0, 0, 0, 0, gap=0)
        column.addLayout(self._own)
        adding = QHBoxLayout()
        adding.addWidget(self.add)
        adding.addStretch(1)
        column.addLayout(adding)
        self._token_row(column)
        column.addWidget(Line(theme))
        column.addWidget(Label(theme, tr("The pod"), font="heading"))
        column.addWidget(self.pod)
        column.addWidget(self.no_pod)
        column.addWidget(Line(theme))
        column.addWidget(Label(theme, tr("Endpoint"), font="heading"))
        column.addWidget(Label(theme, tr("llama-server, Ollama, vLLM, LM Studio or any OpenAI-compatible server. "
                                         "The key is kept in the keyring."),
                               font="small", color="text2", wrap=True))  # fmt: skip
        row = QHBoxLayout()
        pad(row, theme, 0, 0, 0, 0, gap=8)
        row.addWidget(self.address, 2)
        row.addWidget(self.key, 1)
        row.addWidget(self.save)
        column.addLayout(row)
        column.addStretch(1)
        self.body.addWidget(Scroller(theme, content))

    def _token_row(self, column: QVBoxLayout) -> None:
        row = QHBoxLayout()
        pad(row, self.theme, 0, 4, 0, 4, gap=8)
        words = tr("Token for downloads. It is kept in the keyring, and sent to {place} only.", place=self._place)
        row.addWidget(Label(self.theme, words, font="small", color="text2", wrap=True), 2)
        row.addWidget(self.token, 1)
        row.addWidget(self.keep_token)
        column.addLayout(row)

    def _headed(self, words: str, *buttons: Button) -> QHBoxLayout:
        row = QHBoxLayout()
        pad(row, self.theme, 0, 0, 0, 0, gap=8)
        row.addWidget(Label(self.theme, words, font="heading"))
        row.addStretch(1)
        for button in buttons:
            row.addWidget(button)
        return row

    def _join(self) -> None:
        self.switch.clicked.connect(self.enabled)
        self.free.clicked.connect(self.unload)
        self.add.clicked.connect(
            lambda: self._ask(
                tr("Add a GGUF file"), tr("GGUF models (*.gguf)"), lambda path: self.added.emit(Path(path))
            )
        )
        self.program.clicked.connect(
            lambda: self._ask(tr("Choose llama-server"), tr("All files (*)"), self.program_chosen.emit)
        )
        self.token.edit.textChanged.connect(lambda _: self._name_token_button())
        self.keep_token.clicked.connect(lambda: self.token_saved.emit(self.token.secret()))
        self.save.clicked.connect(lambda: self.endpoint_saved.emit(self.address.edit.text().strip(), self.key.secret()))

    def _bind(self, line: ModelLine, model: str) -> None:
        line.fetch.connect(lambda: self.fetch.emit(model))
        line.pause.connect(lambda: self.pause.emit(model))
        line.drop.connect(lambda: self.drop.emit(model))
        line.use.connect(lambda: self.use.emit(model))

    def _ask(self, title: str, names: str, answer: Callable[[str], object]) -> None:
        dialog = QFileDialog(self.window(), title)
        dialog.setNameFilter(names)
        dialog.fileSelected.connect(answer)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()


def _badge(state: DownloadState, *, used: bool) -> Badge | None:
    if state is DownloadState.READY:
        return Badge(tr("In use"), "success", "check") if used else Badge(tr("Ready"), "neutral", "check")
    if state is DownloadState.FAILED:
        return Badge(tr("Not fetched"), "danger", "error")
    return Badge(tr("Paused"), "neutral", "pause") if state is DownloadState.PAUSED else None


def _about(model: CuratedModel, memory: Memory, context: int) -> str:
    needed = model.memory(context)
    fits = {
        Fit.FITS: tr("fits"),
        Fit.TIGHT: tr("tight now"),
        Fit.TOO_LARGE: tr("too large for this computer"),
        Fit.UNKNOWN: "",
    }[fit(needed, memory)]
    speeds = {Speed.QUICK: tr("quick"), Speed.MEDIUM: tr("medium"), Speed.SLOW: tr("slow without a graphics card")}
    needs = tr("needs {size} of memory", size=size_words(needed))
    parts = (size_words(model.size), model.licence, f"{needs} ({fits})" if fits else needs, speeds[model.speed])
    return f" {DOT} ".join(part for part in (*parts, tr(model.words) if model.words else "") if part)
