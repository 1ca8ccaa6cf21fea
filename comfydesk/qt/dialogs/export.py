"""The export sheet: where copies of outputs go, as what and under which names; how far it is, and what came of it."""

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from comfydesk.errors import KnownError
from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import tr, tr_n
from comfydesk.qt.widgets.banner import Banner
from comfydesk.qt.widgets.batch_parts import PartFrame, PathRow
from comfydesk.qt.widgets.buttons import Button, Kind
from comfydesk.qt.widgets.labels import ElidedLabel
from comfydesk.qt.widgets.number_row import NumberRow
from comfydesk.qt.widgets.numbers import Range
from comfydesk.qt.widgets.page import Page, Scroller
from comfydesk.qt.widgets.plain import pad
from comfydesk.qt.widgets.progress_bar import ProgressBar
from comfydesk.qt.widgets.segmented import Segment, Segmented
from comfydesk.qt.widgets.switch import Switch
from comfydesk.qt.widgets.text_line import TextLine
from comfydesk.session.gallery.export import safe_name
from comfydesk.workflow import filenames

FORMATS = ("", "png", "jpg", "webp")
LOSSY = ("jpg", "webp")
QUALITY = 92
TEMPLATE = "{name}"


class Kept(Enum):
    """What is made."""

    FOLDER = 0
    ZIP = 1
    SHEET = 2
    """One picture of all of them."""


@dataclass(frozen=True, slots=True)
class ExportWishes:
    """All that the sheet says."""

    kept: Kept
    target: Path
    """The folder, or the file to be made."""
    metadata: bool
    picture_format: str
    """"" for as they are."""
    quality: int
    template: str


class ExportPage(Page):
    """`wanted` with ExportWishes; `stopped` when what is under way shall end."""

    wanted = Signal(object)
    stopped = Signal()
    revealed = Signal(object)
    """A Path whose folder is to be shown."""

    def __init__(self, theme: Theme, folder: Path, parent: QWidget | None = None) -> None:
        """`folder`: proposed as the target."""
        super().__init__(theme, tr("Export"), parent)
        self._made: Path | None = None
        self.banner = Banner(theme)
        self.banner.hide()
        self.kept = Segmented(
            theme,
            (Segment(tr("Folder"), "folder"), Segment(tr("Zip file"), "file"), Segment(tr("Contact sheet"), "grid")),
            name=tr("Make"),
        )
        self.folder = PathRow(theme, tr("Choose a folder\N{HORIZONTAL ELLIPSIS}"), folder=True)
        self.folder.take(folder)
        self.name = TextLine(theme, tr("Export"))
        self.name.set_name(tr("Name of the file"))
        words = (tr("As they are"), "PNG", "JPEG", "WebP")
        self.format = Segmented(theme, [Segment(word) for word in words], name=tr("Pictures"))
        self.quality = NumberRow(theme, Range(True, 1, 100), QUALITY, span=(1, 100))
        self.quality.set_name(tr("Quality"))
        self.metadata = Switch(theme, tr("Keep prompt and workflow in the files"))
        self.metadata.setChecked(True)
        self.template = TextLine(theme, TEMPLATE)
        self.template.set_name(tr("Names of the files"))
        self.bar = ProgressBar(theme, tr("Progress of the export"))
        self.words = ElidedLabel(theme, font="small", color="text2", middle=True)
        self.show_folder = Button(theme, tr("Show in its folder"), icon="open")
        self.stop = Button(theme, tr("Stop"), icon="stop", danger=True)
        self.export = Button(theme, tr("Export"), kind=Kind.PRIMARY, keys="Alt+Enter")
        self.accept_with(self.export)
        self._parts: list[PartFrame] = []
        self._lay_out()
        self._join()
        self.show_count(0)

    # --- What it shows ----------------------------------------------------------------------------------------------

    def show_count(self, count: int) -> None:
        """So many outputs are to be exported."""
        self.set_title(tr_n("Export {n} output", "Export {n} outputs", count).replace(str(count), f"{count:,}"))
        self.banner.hide()
        self._rest()
        self._look()

    def show_progress(self, done: int, total: int, name: str) -> None:
        self.bar.set_fraction(done / max(1, total))
        self.words.set_text(tr("{n} of {many}: {name}", n=f"{done:,}", many=f"{total:,}", name=name))

    def show_begun(self) -> None:
        """It is under way."""
        self.banner.hide()
        self.bar.set_fraction(0)
        self.words.set_text(tr("Exporting"))
        for widget in (self.bar, self.stop):
            widget.show()
        self.show_folder.hide()
        self.export.set_blocked(tr("An export is under way"))

    def show_done(self, made: Path | None, files: int, skipped: tuple[str, ...]) -> None:
        """What came of it; `skipped`: a line for each output that could not be exported."""
        self._rest()
        self._made = made
        self.show_folder.setVisible(made is not None)
        self.words.set_text(tr_n("{n} file exported", "{n} files exported", files))
        if skipped:
            what = tr_n("{n} output could not be exported", "{n} outputs could not be exported", len(skipped))
            self.banner.tell(what, "\n".join(skipped[:5]), tone="warning")

    def show_stopped(self) -> None:
        self._rest()
        self.words.set_text(tr("Stopped. What is exported stays."))

    def show_problem(self, error: KnownError) -> None:
        self._rest()
        self.banner.tell_error(error)

    def wishes(self) -> ExportWishes | None:
        """None while something is missing."""
        folder = self.folder.path
        if folder is None or self.problem():
            return None
        kept = Kept(self.kept.current())
        ending = {Kept.FOLDER: "", Kept.ZIP: ".zip", Kept.SHEET: ".png"}[kept]
        target = folder / f"{safe_name(str(self.name.value()).strip())}{ending}" if ending else folder
        return ExportWishes(
            kept,
            target,
            self.metadata.isChecked(),
            FORMATS[max(0, self.format.current())],
            int(self.quality.value()),
            str(self.template.value()).strip() or TEMPLATE,
        )

    def problem(self) -> str:
        """Why it cannot begin; "" if it can."""
        if self.folder.path is None:
            return tr("Choose where it goes")
        if self._named and not str(self.name.value()).strip():
            return tr("Type a name first")
        return filenames.problem(str(self.template.value()).strip() or TEMPLATE)

    def first_focus(self) -> QWidget:
        return self.export

    # --- Inside -----------------------------------------------------------------------------------------------------

    @property
    def _named(self) -> bool:
        return Kept(self.kept.current()) is not Kept.FOLDER

    def _lay_out(self) -> None:
        theme = self.theme
        content = QWidget()
        column = QVBoxLayout(content)
        pad(column, theme, 20, 16, 20, 16, gap=16)
        column.addWidget(self.banner)
        rows: tuple[tuple[str, str, tuple[QWidget, ...]], ...] = (
            (tr("Make"), "", (self.kept,)),
            (tr("Where"), "", (self.folder,)),
            (tr("Name"), tr("a number is added if it is taken"), (self.name,)),
            (tr("Pictures"), tr("videos and sounds stay what they are"), (self.format, self.quality)),
            (tr("Metadata"), tr("for sharing, take it out"), (self.metadata,)),
            (tr("Names"), "{name} {date} {workflow} {prompt} {seed} {model}", (self.template,)),
        )
        for name, hint, widgets in rows:
            part = PartFrame(theme, name, hint)
            for widget in widgets:
                part.content.addWidget(widget)
            column.addWidget(part)
            self._parts.append(part)
        column.addStretch(1)
        self.body.addWidget(Scroller(theme, content))
        words = QVBoxLayout()
        pad(words, theme, 0, 0, 0, 0, gap=6)
        words.addWidget(self.words)
        words.addWidget(self.bar)
        self.foot.addLayout(words, 1)
        for button in (self.show_folder, self.stop, self.export):
            self.foot.addWidget(button)

    def _join(self) -> None:
        self.kept.picked.connect(lambda _: self._look())
        self.format.picked.connect(lambda _: self._look())
        self.folder.changed.connect(self._look)
        for line in (self.name, self.template):
            line.value_changed.connect(lambda _: self._look())
        self.export.clicked.connect(self._start)
        self.stop.clicked.connect(self.stopped)
        self.show_folder.clicked.connect(lambda: self.revealed.emit(self._made))

    def _look(self) -> None:
        """Show what the choices need, and say what is wrong."""
        kept = Kept(self.kept.current())
        _make, _where, name, pictures, metadata, names = self._parts
        name.setVisible(self._named)
        for part in (pictures, metadata, names):
            part.setVisible(kept is not Kept.SHEET)
        self.quality.setVisible(FORMATS[max(0, self.format.current())] in LOSSY)
        template = str(self.template.value()).strip() or TEMPLATE
        wrong = filenames.problem(template)
        names.tell("" if wrong else filenames.example(template, safe_name), wrong)
        if not self.stop.isVisibleTo(self):
            self.export.set_blocked(self.problem())

    def _rest(self) -> None:
        for widget in (self.bar, self.stop, self.show_folder):
            widget.hide()
        self.words.set_text("")
        self.export.set_blocked(self.problem())

    def _start(self) -> None:
        wishes = self.wishes()
        if wishes is not None:
            self.wanted.emit(wishes)
