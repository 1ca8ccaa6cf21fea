"""Files that a form takes: which kinds, what is said of them, and where pasted pictures are kept."""

from pathlib import Path, PureWindowsPath
from typing import Any, Literal

import shiboken6
from PySide6.QtCore import QFileInfo, QObject, QThreadPool, Signal
from PySide6.QtGui import QImage, QImageReader

from comfydesk.qt.models.words import DOT
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets.model_picker import size_text
from comfydesk.store.records import LocalFile
from comfydesk.workflow.fields import Field, Kind

Media = Literal["image", "video", "audio", "model3d"]
MEDIA: dict[Kind, Media] = {
    Kind.IMAGE: "image",
    Kind.VIDEO: "video",
    Kind.AUDIO: "audio",
    Kind.MODEL3D: "model3d",
}
SUFFIXES: dict[Media, tuple[str, ...]] = {
    "image": ("png", "jpg", "jpeg", "webp", "gif", "bmp", "tif", "tiff", "avif"),
    "video": ("mp4", "webm", "mov", "mkv", "avi", "gif", "webp"),
    "audio": ("wav", "mp3", "flac", "ogg", "opus", "m4a", "aac"),
    "model3d": ("glb", "gltf", "obj", "fbx", "stl", "ply", "spz", "splat"),
}
ICONS: dict[Media, str] = {"image": "image", "video": "video", "audio": "audio", "model3d": "cube"}


def noun(media: Media) -> str:
    """What such a file is called."""
    return {"image": tr("picture"), "video": tr("video"), "audio": tr("sound"), "model3d": tr("3D file")}[media]


def refusal(path: Path, media: Media) -> str:
    """Why this file cannot be taken; "" when it can. Looks at name and size only."""
    try:
        if not path.is_file():
            gone = not path.exists()
            return (
                tr("{name} is no longer there.", name=path.name) if gone else tr("{name} is a folder.", name=path.name)
            )
        if path.suffix.lower().lstrip(".") not in SUFFIXES[media]:
            kinds = ", ".join(ending.upper() for ending in SUFFIXES[media][:4])
            return tr("{name} is no {noun} that can be sent. Choose a file such as {kinds}.",
                      name=path.name, noun=noun(media), kinds=kinds)  # fmt: skip
        if path.stat().st_size == 0:
            return tr("{name} is empty.", name=path.name)
    except OSError as error:
        return tr("{name} cannot be read: {why}.", name=path.name, why=error.strerror or str(error))
    return ""


def lacking(field: Field, value: Any) -> str:
    """Why a file field's value cannot be sent; "" when it can, and of other fields."""
    media = MEDIA.get(field.kind)
    if media is None:
        return ""
    given = typed(value)
    if not given:
        return tr("Choose a {noun} first.", noun=noun(media))
    return refusal(given, media) if isinstance(given, Path) else ""


def typed(value: Any) -> Path | str:
    """A Path is a file of this computer, a str one of the pod; "" is nothing."""
    if isinstance(value, LocalFile):
        return Path(value.path)
    return value if isinstance(value, Path) else "" if value is None else str(value)


def pod_name(value: str) -> str:
    """A file of the pod without its folders."""
    return PureWindowsPath(value).name


def details(path: Path, media: Media) -> str:
    """What name and header say: "1920 by 1080, 3.1 MB". Reads no pixels."""
    parts = []
    size = picture_size(path) if media == "image" else None
    if size is not None:
        parts.append(f"{size[0]} \N{MULTIPLICATION SIGN} {size[1]}")
    parts.append(size_text(QFileInfo(str(path)).size()))
    return f" {DOT} ".join(parts)


def picture_size(path: Path) -> tuple[int, int] | None:
    """Width and height of a picture as they are shown, from its header."""
    reader = QImageReader(str(path))
    size = reader.size()
    if not size.isValid():
        return None
    turned = reader.transformation() & reader.transformation().TransformationRotate90
    return (size.height(), size.width()) if turned else (size.width(), size.height())


class Keeper(QObject):
    """Makes files of pictures that are none yet, on a worker: that takes half a second if they are large."""

    kept = Signal(object, bool)
    """Path, and whether it was written."""

    def __init__(self, folder: Path | None, parent: QObject) -> None:
        super().__init__(parent)
        self._folder = folder

    @property
    def can_keep(self) -> bool:
        return self._folder is not None

    def keep(self, image: QImage) -> Path | None:
        """The name that the picture gets; `kept` follows. None: it cannot be kept."""
        if image.isNull() or self._folder is None:
            return None
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            taken = {path.name for path in self._folder.iterdir()}
            name = next(name for n in range(1, len(taken) + 2) if (name := f"pasted_{n:04}.png") not in taken)
            path = self._folder / name
            path.touch()  # the name is taken: another one may be pasted while this one is written
        except OSError:
            return None
        QThreadPool.globalInstance().start(lambda: _write(image, path, self))
        return path


def _write(image: QImage, path: Path, keeper: Keeper) -> None:
    """Write a pasted picture. For worker threads."""
    written = image.save(str(path), quality=100)  # 100: little compression, five times as fast
    if not written:
        path.unlink(missing_ok=True)
    if shiboken6.isValid(keeper):  # else the form was closed meanwhile
        keeper.kept.emit(path, written)
