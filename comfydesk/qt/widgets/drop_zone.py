"""A picture, video, sound or 3D file to work from: dropped, pasted, chosen, of the library, or one that the pod has."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import shiboken6
from PySide6.QtCore import QMimeData, QPoint, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QFocusEvent,
    QGuiApplication,
    QImage,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QFileDialog, QSizePolicy, QStackedLayout, QWidget

from comfydesk.qt.models.thumbnails import Thumbnails
from comfydesk.qt.theme import ColorName, Theme
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets import paint
from comfydesk.qt.widgets.drop_files import (
    SUFFIXES,
    Keeper,
    Media,
    details,
    noun,
    picture_size,
    pod_name,
    refusal,
    typed,
)
from comfydesk.qt.widgets.drop_parts import EmptyFace, FilledFace
from comfydesk.qt.widgets.editor import Editor
from comfydesk.qt.widgets.file_popup import FilePopup
from comfydesk.qt.widgets.form_help import FormHelp
from comfydesk.qt.widgets.menu import Menu
from comfydesk.qt.widgets.popup_list import Entry, PopupList
from comfydesk.store.records import LocalFile

HEIGHT = 96
PICTURED_PIXELS = 64_000_000
"""Pictures up to this size have a thumbnail; a larger one without is not broken."""


class DropZone(Editor):
    """Its value is a Path: a file of this computer, that the user put in; or a str: a name in the pod's input folder.

    A str is never looked for on this computer, however much it looks like a path: the workflow may have brought it.
    "" is nothing yet; a LocalFile is taken as its path.

    `files` names the pod's own files on offer; `pasted` is the folder where pictures from the clipboard are kept.
    """

    masking_changed = Signal(str)
    """Why nothing can be painted on what is in it; "" if something can."""

    def __init__(
        self,
        theme: Theme,
        media: Media = "image",
        value: Path | LocalFile | str | None = None,
        *,
        files: Sequence[str] = (),
        thumbnails: Thumbnails | None = None,
        pasted: Path | None = None,
        help_: FormHelp | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(theme, parent)
        self.media: Media = media
        self._files, self._thumbnails, self._help = tuple(files), thumbnails, help_
        self._value: Path | str = ""
        self._problem = ""
        self._wanted: Path | None = None
        """A pasted picture that is still being written: whatever is put in meanwhile is what the user wants."""
        self._keeper = Keeper(pasted, self)
        self._keeper.kept.connect(self._on_kept, Qt.ConnectionType.QueuedConnection)
        self._over = False
        self._popup: PopupList | None = None
        self._library: FilePopup | None = None
        self._empty = EmptyFace(theme, media, on_pod=bool(files), in_library=self._has_library)
        self._filled = FilledFace(theme, media)
        self._stack = QStackedLayout()
        self.row.addLayout(self._stack)  # first: a stack without a widget shows its pages as windows
        self._stack.addWidget(self._empty)
        self._stack.addWidget(self._filled)
        self.setAcceptDrops(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._join()
        theme.changed.connect(self._measure)
        self._measure()
        self.set_value(value)

    # --- Value ----------------------------------------------------------------------------------------------------

    def value(self) -> Path | str:
        return self._value

    def set_value(self, value: Any) -> None:
        self._value, self._wanted = typed(value), None
        self._say("")
        self._show()

    def set_name(self, name: str) -> None:
        self.setAccessibleName(name)
        self._empty.choose.setAccessibleName(tr("Choose {name}", name=name))
        self._filled.replace.setAccessibleName(tr("Replace {name}", name=name))
        self._filled.more.setAccessibleName(tr("Other ways to replace {name}", name=name))

    def problem(self) -> str:
        return self._problem

    def set_invalid(self, _invalid: bool) -> None:
        self.update()

    def set_fit(self, words: str) -> None:
        """How the file is fitted into the job: "Fits to 1280 by 720"."""
        self._filled.fit.set_text(words)

    def clear(self) -> None:
        """Take the file away again."""
        self._take("")

    def no_mask(self) -> str:
        """Why nothing can be painted on what is in it; "" if something can."""
        if not self._value:
            return tr("Choose a picture first")
        if isinstance(self._value, str):
            return tr("It is on the pod: choose a picture of this computer to paint on it")
        return tr("It is no longer on this computer") if not self._value.is_file() else self._problem

    # --- Ways in --------------------------------------------------------------------------------------------------

    def browse(self) -> None:
        """Open a file dialog that blocks nothing."""
        endings = " ".join(f"*.{ending}" for ending in SUFFIXES[self.media])
        kind = noun(self.media)
        dialog = QFileDialog(self, tr("Choose a {noun}", noun=kind), "", f"{kind.title()} ({endings})")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(lambda chosen: self.offer(Path(chosen)))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def offer(self, path: Path) -> None:
        """Take `path`, or say why not and keep what is there."""
        why_not = refusal(path, self.media)
        self._say(why_not)
        if not why_not:
            self._take(path)

    def paste(self) -> None:
        """A file or a picture from the clipboard."""
        data = QGuiApplication.clipboard().mimeData()
        if not self._receive(data):
            self._say(tr("There is no {noun} in the clipboard.", noun=noun(self.media)))

    def offer_library(self) -> None:
        """Let one of the newest outputs be chosen."""
        if self._help is not None:
            self._help.outputs_wanted.emit(self.media, self._show_library)

    def offer_pod(self) -> None:
        """Let one of the pod's own files be chosen."""
        if self._popup is None:
            self._popup = PopupList(self.theme, tr("Files on the pod"), self)
            self._popup.picked.connect(lambda at: self._take(self._files[at]))
        current = self._files.index(self._value) if isinstance(self._value, str) and self._value in self._files else -1
        self._popup.open_at(self, tuple(Entry(name) for name in self._files), current)

    @property
    def _has_library(self) -> bool:
        return self._help is not None and self.media != "model3d"

    def _show_library(self, files: object) -> None:
        if not shiboken6.isValid(self) or not isinstance(files, tuple):
            return
        if not files:
            self._say(tr("The library has no {noun} yet.", noun=noun(self.media)))
            return
        if self._library is None:
            self._library = FilePopup(self.theme, self._thumbnails, self)
            self._library.picked.connect(lambda path: self.offer(Path(path)))
        self._library.open_at(self, files, self.media)

    def _open_menu(self, at: QPoint) -> None:
        menu = Menu(self.theme, tr("Ways in"), parent=self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.add(tr("Choose a file\N{HORIZONTAL ELLIPSIS}"), "open").triggered.connect(lambda _=False: self.browse())
        menu.add(tr("Paste"), "copy", keys="Ctrl+V").triggered.connect(lambda _=False: self.paste())
        if self._has_library:
            menu.add(tr("From the library"), "grid").triggered.connect(lambda _=False: self.offer_library())
        if self._files:
            menu.add(tr("From the pod"), "pod").triggered.connect(lambda _=False: self.offer_pod())
        if self._value:
            menu.addSeparator()
            menu.add(tr("Take it away"), "close").triggered.connect(lambda _=False: self.clear())
        menu.popup(at)

    def _receive(self, data: QMimeData) -> bool:
        local = [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]
        if local:
            self.offer(local[0])
            return True
        if self.media == "image" and data.hasImage() and self._keeper.can_keep:
            self._wanted = self._keeper.keep(QImage(data.imageData()))
            if self._wanted is None:
                self._say(tr("The picture could not be kept. Is the disk full?"))
            return True
        return False

    def _on_kept(self, path: Path, written: bool) -> None:
        if path != self._wanted:
            return
        self._wanted = None
        if written:
            self._take(path)
        else:
            self._say(tr("The picture could not be kept. Is the disk full?"))

    def _take(self, value: Path | str) -> None:
        changed = value != self._value
        self._value, self._wanted = value, None
        self._say("")
        self._show()
        if changed:
            self.value_changed.emit(value)

    # --- Showing --------------------------------------------------------------------------------------------------

    def _show(self) -> None:
        self._stack.setCurrentWidget(self._filled if self._value else self._empty)
        self._describe()
        if isinstance(self._value, Path):
            there = self._value.is_file()
            words = details(self._value, self.media) if there else tr("No longer on this computer")
            self._filled.tell(self._value.name, words, doubtful=not there)
            self._load(self._value if there else None)
        elif self._value:
            # Names with a folder's mark, "x.png [output]", are in no list.
            known = not self._files or self._value in self._files or self._value.endswith("]")
            words = tr("In the pod's input folder") if known else tr("Not on the pod")
            self._filled.tell(pod_name(self._value), words, doubtful=not known)
            self._load(None)
        self.masking_changed.emit(self.no_mask())

    def _describe(self) -> None:
        """For screen readers: what is in it, or what is wrong with that."""
        words = str(self._value) if self._value else tr("No {noun} yet", noun=noun(self.media))
        self.setAccessibleDescription(f"{words}. {self._problem}" if self._problem else words)

    def _load(self, path: Path | None) -> None:
        picture = None
        if path is not None and self._thumbnails is not None and self.media in ("image", "video"):
            picture = self._thumbnails.get(str(path), self.media)
            reason = self._thumbnails.reason(str(path)) if picture is None else ""
            if reason:
                self._failed(str(path), reason)
                return
        self._filled.preview.show_picture(picture)

    def _ready(self, path: str) -> None:
        if self._is_mine(path):
            self._load(Path(path))

    def _failed(self, path: str, reason: str) -> None:
        if self._is_mine(path):
            self._filled.preview.show_broken(reason)
            size = picture_size(Path(path)) if self.media == "image" else None
            if size is None or size[0] * size[1] <= PICTURED_PIXELS:
                self._say(tr("{name} cannot be read: {why}.", name=Path(path).name, why=reason.rstrip(".")))

    def _is_mine(self, path: str) -> bool:
        return isinstance(self._value, Path) and str(self._value) == path

    def _say(self, problem: str) -> None:
        if problem != self._problem:
            self._problem = problem
            self._describe()
            self.problem_changed.emit(problem)
        self.update()

    def _measure(self) -> None:
        self.setMinimumHeight(max(self.theme.px(HEIGHT), self.theme.metrics("body").height() * 4 + self.theme.px(24)))

    def _join(self) -> None:
        self._empty.choose.clicked.connect(self.browse)
        self._empty.library.clicked.connect(self.offer_library)
        self._empty.pod.clicked.connect(self.offer_pod)
        self._filled.replace.clicked.connect(self.browse)
        more = self._filled.more
        more.clicked.connect(lambda: self._open_menu(more.mapToGlobal(more.rect().bottomLeft())))
        if self._thumbnails is not None:
            self._thumbnails.ready.connect(self._ready)
            self._thumbnails.failed.connect(self._failed)

    # --- Events ---------------------------------------------------------------------------------------------------

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme, painter = self.theme, QPainter(self)
        radius, width = theme.px(6), theme.px(2) if self._over or self.hasFocus() else 1
        outline: ColorName = "accent" if self._over or self.hasFocus() else "danger" if self._problem else "control"
        if self._value or self._over or self.hasFocus():
            fill: ColorName = "selection" if self._over else "field"
            paint.box(painter, self.rect(), radius, fill=theme.color(fill), outline=theme.color(outline), width=width)
            return
        paint.box(painter, self.rect(), radius, fill=theme.color("field"))
        painter.setPen(QPen(theme.color(outline), 1, Qt.PenStyle.DashLine))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(self.rect().adjusted(0, 0, -1, -1), radius, radius)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Paste):
            self.paste()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space) and not event.modifiers():
            self.browse()
        elif event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace) and self._value:
            self.clear()
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        super().mousePressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        self._open_menu(event.globalPos())

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.update()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasUrls() or event.mimeData().hasImage():
            event.acceptProposedAction()
            self._over = True
            self.update()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        super().dragLeaveEvent(event)
        self._over = False
        self.update()

    def dropEvent(self, event: QDropEvent) -> None:
        self._over = False
        if self._receive(event.mimeData()):
            event.acceptProposedAction()
        self.update()
