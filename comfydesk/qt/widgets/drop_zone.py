"""A picture, video, sound or 3D file to work from: dropped, pasted, chosen, or one that the pod has."""

from collections.abc import Sequence
from pathlib import Path, PureWindowsPath
from typing import Any, Literal

import shiboken6
from PySide6.QtCore import QFileInfo, QMimeData, QObject, QRect, QSize, Qt, QThreadPool, Signal
from PySide6.QtGui import (
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QFocusEvent,
    QGuiApplication,
    QImage,
    QImageReader,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QBoxLayout, QFileDialog, QHBoxLayout, QSizePolicy, QStackedLayout, QVBoxLayout, QWidget

from comfydesk.qt.models.thumbnails import Thumbnails
from comfydesk.qt.models.tips import plain_tip
from comfydesk.qt.theme import ColorName, Theme
from comfydesk.qt.widgets import paint
from comfydesk.qt.widgets.buttons import Button, Kind, Size
from comfydesk.qt.widgets.editor import Editor
from comfydesk.qt.widgets.labels import ElidedLabel, Label
from comfydesk.qt.widgets.model_picker import size_text
from comfydesk.qt.widgets.popup_list import Entry, PopupList
from comfydesk.qt.widgets.thumbnail import paint_thumbnail
from comfydesk.store.records import LocalFile

Media = Literal["image", "video", "audio", "model3d"]
HEIGHT = 96
SUFFIXES: dict[Media, tuple[str, ...]] = {
    "image": ("png", "jpg", "jpeg", "webp", "gif", "bmp", "tif", "tiff", "avif"),
    "video": ("mp4", "webm", "mov", "mkv", "avi", "gif", "webp"),
    "audio": ("wav", "mp3", "flac", "ogg", "opus", "m4a", "aac"),
    "model3d": ("glb", "gltf", "obj", "fbx", "stl", "ply", "spz", "splat"),
}
_NOUNS: dict[Media, str] = {"image": "picture", "video": "video", "audio": "sound", "model3d": "3D file"}
_ICONS: dict[Media, str] = {"image": "image", "video": "video", "audio": "audio", "model3d": "cube"}


def refusal(path: Path, media: Media) -> str:
    """Why this file cannot be taken; "" when it can. Looks at name and size only."""
    if not path.is_file():
        return f"{path.name} is no longer there." if not path.exists() else f"{path.name} is a folder."
    if path.suffix.lower().lstrip(".") not in SUFFIXES[media]:
        kinds = ", ".join(ending.upper() for ending in SUFFIXES[media][:4])
        return f"{path.name} is no {_NOUNS[media]} that can be sent. Choose a file such as {kinds}."
    if path.stat().st_size == 0:
        return f"{path.name} is empty."
    return ""


class DropZone(Editor):
    """Its value is a Path: a file of this computer, that the user put in; or a str: a name in the pod's input folder.

    A str is never looked for on this computer, however much it looks like a path: the workflow may have brought it.
    "" is nothing yet; a LocalFile is taken as its path.

    `files` names the pod's own files on offer; `pasted` is the folder where pictures from the clipboard are kept.
    """

    fit_changed = Signal()

    def __init__(
        self,
        theme: Theme,
        media: Media = "image",
        value: Path | LocalFile | str | None = None,
        *,
        files: Sequence[str] = (),
        thumbnails: Thumbnails | None = None,
        pasted: Path | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(theme, parent)
        self._media, self._files, self._thumbnails, self._pasted = media, tuple(files), thumbnails, pasted
        self._value: Path | str = ""
        self._problem = ""
        self._wanted: Path | None = None
        """A pasted picture that is still being written: whatever is put in meanwhile is what the user wants."""
        self._kept = _Kept(self)
        self._kept.kept.connect(self._on_kept, Qt.ConnectionType.QueuedConnection)
        self._over = False
        self._popup: PopupList | None = None
        self._empty = _Empty(theme, media, bool(files))
        self._filled = _Filled(theme, media)
        self._stack = QStackedLayout()
        self._stack.addWidget(self._empty)
        self._stack.addWidget(self._filled)
        self.row.addLayout(self._stack)
        self.setAcceptDrops(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._empty.choose.clicked.connect(self.browse)
        self._empty.pod.clicked.connect(lambda: self._offer(self._empty.pod))
        self._filled.replace.clicked.connect(self.browse)
        if thumbnails is not None:
            thumbnails.ready.connect(self._ready)
            thumbnails.failed.connect(self._failed)
        theme.changed.connect(self._measure)
        self._measure()
        self.set_value(value)

    # --- Value ----------------------------------------------------------------------------------------------------

    def value(self) -> Path | str:
        return self._value

    def set_value(self, value: Any) -> None:
        self._value, self._wanted = _typed(value), None
        self._say("")
        self._show()

    def set_name(self, name: str) -> None:
        self.setAccessibleName(name)
        self._empty.choose.setAccessibleName(f"Choose {name}")
        self._filled.replace.setAccessibleName(f"Replace {name}")

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

    # --- Ways in --------------------------------------------------------------------------------------------------

    def browse(self) -> None:
        """Open a file dialog that blocks nothing."""
        endings = " ".join(f"*.{ending}" for ending in SUFFIXES[self._media])
        dialog = QFileDialog(self, f"Choose a {_NOUNS[self._media]}", "", f"{_NOUNS[self._media].title()} ({endings})")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(lambda chosen: self.offer(Path(chosen)))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def offer(self, path: Path) -> None:
        """Take `path`, or say why not and keep what is there."""
        why_not = refusal(path, self._media)
        self._say(why_not)
        if not why_not:
            self._take(path)

    def paste(self) -> None:
        """A file or a picture from the clipboard."""
        self._receive(QGuiApplication.clipboard().mimeData())

    def _receive(self, data: QMimeData) -> bool:
        local = [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]
        if local:
            self.offer(local[0])
            return True
        if self._media == "image" and data.hasImage() and self._pasted is not None:
            self._keep(QImage(data.imageData()))
            return True
        return False

    def _keep(self, image: QImage) -> None:
        """A picture that is no file yet becomes one; on a worker, for that takes half a second if it is large."""
        if image.isNull() or self._pasted is None:
            return
        self._pasted.mkdir(parents=True, exist_ok=True)
        taken = {path.name for path in self._pasted.iterdir()}
        name = next(name for n in range(1, len(taken) + 2) if (name := f"pasted_{n:04}.png") not in taken)
        path = self._pasted / name
        path.touch()  # the name is taken: another one may be pasted while this one is written
        self._wanted = path
        kept, thread = self._kept, QThreadPool.globalInstance()
        thread.start(lambda: _write(image, path, kept))

    def _on_kept(self, path: Path, written: bool) -> None:
        if path != self._wanted:
            return
        self._wanted = None
        if written:
            self._take(path)
        else:
            self._say("The picture could not be kept. Is the disk full?")

    def _take(self, value: Path | str) -> None:
        changed = value != self._value
        self._value, self._wanted = value, None
        self._say("")
        self._show()
        if changed:
            self.value_changed.emit(value)

    def _offer(self, anchor: QWidget) -> None:
        if self._popup is None:
            self._popup = PopupList(self.theme, "Files on the pod", self)
            self._popup.picked.connect(lambda at: self._take(self._files[at]))
        current = self._files.index(self._value) if isinstance(self._value, str) and self._value in self._files else -1
        self._popup.open_at(anchor, tuple(Entry(name) for name in self._files), current)

    # --- Showing --------------------------------------------------------------------------------------------------

    def _show(self) -> None:
        self._stack.setCurrentWidget(self._filled if self._value else self._empty)
        self._describe()
        if not self._value:
            return
        if isinstance(self._value, str):
            self._filled.tell(PureWindowsPath(self._value).name, "In the pod's input folder")
            self._load(None)
            return
        there = self._value.is_file()
        details = _describe(self._value, self._media) if there else "No longer on this computer"
        self._filled.tell(self._value.name, details)
        self._load(self._value if there else None)

    def _describe(self) -> None:
        """For screen readers: what is in it, or what is wrong with that."""
        words = str(self._value) if self._value else f"No {_NOUNS[self._media]} yet"
        self.setAccessibleDescription(f"{words}. {self._problem}" if self._problem else words)

    def _load(self, path: Path | None) -> None:
        picture = None
        if path is not None and self._thumbnails is not None and self._media in ("image", "video"):
            picture = self._thumbnails.get(str(path), self._media)
        self._filled.preview.show_picture(picture)

    def _ready(self, path: str) -> None:
        if self._is_mine(path):
            self._load(Path(path))

    def _failed(self, path: str, reason: str) -> None:
        if self._is_mine(path):
            self._filled.preview.show_broken(reason)
            self._say(f"{Path(path).name} cannot be read: {reason.rstrip('.')}.")

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


class _Kept(QObject):
    """From the worker to the zone."""

    kept = Signal(object, bool)


def _write(image: QImage, path: Path, kept: _Kept) -> None:
    """Write a pasted picture. For worker threads."""
    written = image.save(str(path), quality=100)  # 100: little compression, five times as fast
    if not written:
        path.unlink(missing_ok=True)
    if shiboken6.isValid(kept):  # else the form was closed meanwhile
        kept.kept.emit(path, written)


def _typed(value: Any) -> Path | str:
    if isinstance(value, LocalFile):
        return Path(value.path)
    return value if isinstance(value, Path) else "" if value is None else str(value)


def _describe(path: Path, media: Media) -> str:
    """What name and header say: "1920 by 1080, 3.1 MB". Reads no pixels."""
    parts = []
    if media == "image":
        size = QImageReader(str(path)).size()
        if size.isValid():
            parts.append(f"{size.width()} × {size.height()}")  # noqa: RUF001  # the sign people read
    parts.append(size_text(QFileInfo(str(path)).size()))
    return " · ".join(parts)


class _Empty(QWidget):
    def __init__(self, theme: Theme, media: Media, on_pod: bool) -> None:
        super().__init__()
        self._theme, self._media = theme, media
        self._label = Label(theme, f"Drop or paste a {_NOUNS[media]}", color="text2", wrap=True)
        self._label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.choose = Button(theme, "Choose…", size=Size.COMPACT)
        self.pod = Button(theme, "From the pod", kind=Kind.GHOST, size=Size.COMPACT, menu=True)
        self.pod.setVisible(on_pod)
        self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        center = Qt.AlignmentFlag.AlignHCenter
        self._row.addStretch(1)
        self._row.addWidget(self.choose, 0, center)
        self._row.addWidget(self.pod, 0, center)
        self._row.addStretch(1)
        column = QVBoxLayout(self)
        column.addStretch(1)
        column.addSpacing(theme.px(20))
        column.addWidget(self._label)
        column.addLayout(self._row)
        column.addStretch(1)
        theme.changed.connect(self._turn)
        self._turn()

    def _turn(self) -> None:
        """Large words stand below each other."""
        direction = QBoxLayout.Direction
        self._row.setDirection(direction.TopToBottom if self._theme.labels_above else direction.LeftToRight)

    def paintEvent(self, _event: QPaintEvent) -> None:
        side = self._theme.px(20)
        spot = QRect(0, self._label.geometry().top() - side - self._theme.px(4), self.width(), side)
        paint.icon_in(QPainter(self), self._theme, spot, _ICONS[self._media], "text2", 20)


class _Filled(QWidget):
    def __init__(self, theme: Theme, media: Media) -> None:
        super().__init__()
        self._theme = theme
        self.preview = _Preview(theme, media)
        self._name = ElidedLabel(theme, font="small_strong", middle=True)
        self._details = ElidedLabel(theme, font="caption", color="text2")
        self.fit = ElidedLabel(theme, font="caption", color="text2")
        self.replace = Button(theme, "Replace", size=Size.COMPACT)
        self._row = QHBoxLayout(self)
        self._row.addWidget(self.preview)
        self._column = QVBoxLayout()
        self._row.addLayout(self._column, 1)
        for part in (self._name, self._details, self.fit):
            self._column.addWidget(part)
        self._column.addStretch(1)
        self._column.addWidget(self.replace, 0, Qt.AlignmentFlag.AlignLeft)
        theme.changed.connect(self._measure)
        self._measure()

    def tell(self, name: str, details: str) -> None:
        self._name.set_text(name)
        self._details.set_text(details)

    def _measure(self) -> None:
        px = self._theme.px
        self._row.setContentsMargins(px(8), px(8), px(8), px(8))
        self._row.setSpacing(px(12))
        self._column.setSpacing(px(4))


class _Preview(QWidget):
    """The thumbnail: as high as the zone, 16:9."""

    def __init__(self, theme: Theme, media: Media) -> None:
        super().__init__()
        self._theme, self._media = theme, media
        self._picture: Any = None
        self._broken = False
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(132), self._theme.px(80))

    def show_picture(self, picture: Any) -> None:
        self._picture, self._broken = picture, False
        self.setToolTip("")
        self.update()

    def show_broken(self, reason: str) -> None:
        self._picture, self._broken = None, True
        self.setToolTip(plain_tip(reason))
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        icon = _ICONS[self._media]
        paint_thumbnail(
            QPainter(self), self._theme, self.rect(), self._picture, icon=icon, broken=self._broken, radius=2
        )
