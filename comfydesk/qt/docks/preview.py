"""The middle: what a pod is painting now, or the last thing it made; below, how far it is."""

from pathlib import Path

from PySide6.QtCore import QSize, Signal, SignalInstance
from PySide6.QtGui import QImage, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from comfydesk.qt.docks.canvas import Canvas
from comfydesk.qt.docks.jobline import JobLine, Running
from comfydesk.qt.docks.running_strip import AtWork, RunningStrip
from comfydesk.qt.models.pictures import Picture, Pictures
from comfydesk.qt.models.words import DOT, TIMES, size_words
from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets.banner import Banner
from comfydesk.qt.widgets.buttons import Button, IconButton, Kind
from comfydesk.qt.widgets.empty_state import EmptyState
from comfydesk.qt.widgets.labels import ElidedLabel, Label
from comfydesk.qt.widgets.plain import Line, pad
from comfydesk.qt.widgets.progress_bar import ProgressBar
from comfydesk.qt.widgets.sound_card import SoundCard
from comfydesk.store.records import Output

LEAST_PICTURE = 80


class RunningBar(QWidget):
    """Node, steps, speed, time left, Cancel; and the bar. Above, which job that is, where several run."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.strip = RunningStrip(theme)
        self.line = JobLine(theme)
        self.bar = ProgressBar(theme, tr("Progress of the running job"))
        self.fit = IconButton(theme, "fit", tr("Show large"))
        self.hide_preview = IconButton(theme, "eye", tr("Hide the preview"), checkable=True)
        self.cancel = Button(theme, tr("Cancel"), kind=Kind.GHOST, danger=True, icon="stop")
        row = QHBoxLayout()
        pad(row, theme, 0, 0, 0, 0, gap=8)
        for part in (self.line, self.fit, self.hide_preview, self.cancel):
            row.addWidget(part)
        row.setStretch(0, 1)
        column = QVBoxLayout(self)
        pad(column, theme, 12, 6, 12, 10, gap=6)
        column.addWidget(self.strip)
        column.addLayout(row)
        column.addWidget(self.bar)


class IdleBar(QWidget):
    """Which file is shown, and what can be done with it."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.name = ElidedLabel(theme, font="label", middle=True)
        self.facts = Label(theme, font="small", color="text2")
        self.star = IconButton(theme, "star", tr("Add to favourites"))
        self.fit = IconButton(theme, "fit", tr("Show large"))
        self.use = Button(theme, tr("Use these settings"), kind=Kind.GHOST, icon="refresh")
        row = QHBoxLayout(self)
        pad(row, theme, 12, 8, 12, 8, gap=8)
        row.addWidget(self.name)
        row.addWidget(self.facts)
        row.addStretch(1)
        for part in (self.star, self.fit, self.use):
            row.addWidget(part)

    def minimumSizeHint(self) -> QSize:
        wide = 2 * self.fit.sizeHint().width() + self.name.minimumSizeHint().width() + 6 * self._theme.px(8)
        return QSize(wide, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def show_output(self, output: Output | None) -> None:
        """What the buttons are about."""
        liked = output is not None and output.favourite
        self.star.set_icon("star-filled" if liked else "star")
        self.star.set_name(tr("Remove from favourites") if liked else tr("Add to favourites"))

    def _fit(self) -> None:
        """Where it is narrow the facts give way first, then the button with words."""
        room = self.width() - 2 * self.fit.sizeHint().width() - 8 * self._theme.px(8)
        room -= min(self.name.sizeHint().width(), self._theme.px(140))
        self.use.setVisible(room >= self.use.sizeHint().width())
        room -= self.use.sizeHint().width()
        self.facts.setVisible(room >= self.facts.sizeHint().width())


class PreviewPanel(QWidget):
    """The central widget. `large` when the picture is to be shown large: the id of an output; `reuse` and `favoured`
    with the Output that is shown."""

    cancel = Signal()
    large = Signal(int)
    reuse = Signal(object)
    favoured = Signal(object, bool)
    job_chosen = Signal(str)
    """Of those that run, the one to be looked at."""
    start_wanted = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._running: Running | None = None
        self._preview = QImage()
        self._shape = QSize()
        self._output: Output | None = None
        self._known = False
        """Whether an empty middle means that nothing was made yet."""
        self._pictures = Pictures(self)
        self._pictures.loaded.connect(self._on_picture)
        self.banner = Banner(theme)
        self.canvas = Canvas(theme)
        self.empty = EmptyState(theme, "image", tr("Nothing made yet"), tr("Pick a workflow and press Generate."))
        self.card = SoundCard(theme)
        self.running_bar = RunningBar(theme)
        self.idle_bar = IdleBar(theme)
        self._stage = QStackedWidget()
        self._stage.addWidget(self.empty)
        self._stage.addWidget(self.canvas)
        self._stage.addWidget(self.card)
        self._bars = QStackedWidget()
        self._bars.addWidget(self.idle_bar)
        self._bars.addWidget(self.running_bar)
        theme.surface(self._stage, "canvas")
        theme.surface(self._bars, "panel")
        self._lay_out()
        self.running_bar.cancel.clicked.connect(self.cancel)
        self.running_bar.strip.chosen.connect(self.job_chosen)
        self.running_bar.hide_preview.toggled.connect(self._on_hide)
        for source in (self.canvas.activated, self.running_bar.fit.clicked, self.idle_bar.fit.clicked):
            source.connect(self._show_large)
        self.idle_bar.use.clicked.connect(lambda: self._tell(self.reuse))
        self.idle_bar.star.clicked.connect(self._favour)
        self._refresh()

    # --- What is shown --------------------------------------------------------------------------------------------

    def show_running(self, running: Running | None, shape: QSize | None = None) -> None:
        """The job at work, whose picture will be `shape` pixels large; None when there is none."""
        ended = running is None and self._running is not None
        self._running = running
        if running is not None:
            self.running_bar.line.show_running(running)
            self.running_bar.bar.set_fraction(running.fraction or 0)
            self._shape = shape or QSize()
        if ended:
            self._preview = QImage()
            self._show_output_again()
        self._refresh()

    def set_weights(self, weights: tuple[float, ...]) -> None:
        """How much of the whole each node is, in the order in which they run."""
        self.running_bar.bar.set_weights(weights)

    def show_at_work(self, jobs: tuple[AtWork, ...], current: str | None) -> None:
        """All jobs that run; `current` is the one that is looked at."""
        self.running_bar.strip.show_jobs(jobs, current)

    def show_preview(self, image: QImage) -> None:
        """The latest rough picture of the job at work; a null one: there is none yet."""
        if self._running is None:
            return
        had = self._shows_preview
        self._preview = image
        if self._shows_preview:
            self.canvas.show_preview(image, self._shape)
            if not had:
                self._refresh()
        elif had:
            self._show_output_again()
            self._refresh()

    def show_output(self, output: Output | None) -> None:
        """What to show while nothing runs."""
        self.idle_bar.show_output(output)
        if output is not None and self._output is not None and output.path == self._output.path:
            self._output = output  # another rating, or a favourite now
            return
        self._output = output
        if output is None:
            self.canvas.clear()
            self._refresh()
            return
        self._show_output_again()
        self._refresh()

    def mark_known(self) -> None:
        """What was made last has been looked for."""
        if not self._known:
            self._known = True
            self._refresh()

    @property
    def output(self) -> Output | None:
        """The finished output that is shown while nothing runs."""
        return self._output

    def release(self) -> None:
        """End the reading thread."""
        self._pictures.close()

    # --- Inside ---------------------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.banner)
        column.addWidget(self._stage, 1)
        column.addWidget(Line(self._theme))
        column.addWidget(self._bars)
        # In a low window the picture gives way, not the window's edge.
        self._stage.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Ignored)
        self._stage.setMinimumHeight(LEAST_PICTURE)
        self._bars.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    @property
    def _shows_preview(self) -> bool:
        hidden = self.running_bar.hide_preview.isChecked()
        return self._running is not None and not self._preview.isNull() and not hidden

    def _refresh(self) -> None:
        has_picture = not self.canvas.image.isNull()
        shows_card = self._shows_card and not self._shows_preview
        blank = self.empty if self._known and self._output is None else self.canvas
        self._stage.setCurrentWidget(self.card if shows_card else self.canvas if has_picture else blank)
        self._bars.setCurrentWidget(self.running_bar if self._running is not None else self.idle_bar)
        self._bars.setVisible(self._running is not None or has_picture)

    def _on_picture(self, picture: Picture) -> None:
        output = self._output
        if output is None or output.path != picture.path:
            return
        self.idle_bar.name.set_text(Path(picture.path).name)
        size = f"{picture.size.width()} {TIMES} {picture.size.height()}" if picture.size.isValid() else ""
        self.idle_bar.facts.setText(f" {DOT} ".join(part for part in (size, size_words(output.size)) if part))
        if not self._shows_preview:
            self.canvas.show_picture(picture.image, picture.size)
        self._refresh()

    def _on_hide(self, hidden: bool) -> None:
        button = self.running_bar.hide_preview
        button.set_icon("eye-off" if hidden else "eye")
        button.set_name(tr("Show the preview") if hidden else tr("Hide the preview"))
        if self._shows_preview:
            self.canvas.show_preview(self._preview, self._shape)
        else:
            self._show_output_again()
        self._refresh()

    @property
    def _shows_card(self) -> bool:
        """Whether what was made last is no picture."""
        return self._output is not None and self._output.media not in ("image", "video")

    def _show_output_again(self) -> None:
        if self._output is not None and self._shows_card:
            self.card.show_output(self._output)
            self.canvas.clear()
        elif self._output is not None:
            self._pictures.show(self._output.path, self._output.media, self._longest_edge())
        else:
            self.canvas.clear()

    def _tell(self, signal: SignalInstance) -> None:
        if self._output is not None:
            signal.emit(self._output)

    def _favour(self) -> None:
        if self._output is not None:
            self.favoured.emit(self._output, not self._output.favourite)

    def _show_large(self) -> None:
        if self._output is not None:
            self.large.emit(self._output.id)

    def _longest_edge(self) -> int:
        """No picture need be larger than the screen here."""
        screen = self.screen()
        size = screen.size() * screen.devicePixelRatio()
        return max(size.width(), size.height())
