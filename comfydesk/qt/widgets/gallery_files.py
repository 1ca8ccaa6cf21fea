"""Files of the library on their way to other programs: dragged, or copied."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QMimeData, Qt, QUrl
from PySide6.QtGui import QDrag, QGuiApplication, QImageReader

from comfydesk.store.records import Output

if TYPE_CHECKING:
    from comfydesk.qt.widgets.gallery_base import TileView

MOST = 2000
"""Files that are dragged or copied at once."""
_COPIED_PIXELS = 4096
"""A picture on the clipboard is at most so many pixels wide or high; its file goes along whole."""


IDS = "application/x-comfydesk-outputs"
"""What a drag carries for our own albums: the ids of all that is selected, as JSON."""


def drag_out(view: "TileView", outputs: Iterable[Output], ids: Sequence[int]) -> None:
    """Drag files from `view`, and for places within the window the `ids`; returns when they were dropped."""
    files = tuple(outputs)
    if not files:
        return
    drag = QDrag(view)
    drag.setMimeData(mime_of(files, ids))
    first = files[0]
    picture = view.thumbnails.get(first.path, first.media, sha256=first.sha256, owner=view)
    if picture is not None:
        drag.setPixmap(picture.scaledToHeight(view.theme.px(96), Qt.TransformationMode.SmoothTransformation))
    drag.exec(Qt.DropAction.CopyAction)


def ids_of(data: QMimeData) -> tuple[int, ...]:
    """The outputs that a drag within the window carries; none if it comes from elsewhere."""
    try:
        found = json.loads(bytes(data.data(IDS).data()) or b"[]")
    except ValueError:
        return ()
    return tuple(each for each in found if isinstance(each, int)) if isinstance(found, list) else ()


def copy(outputs: Iterable[Output]) -> None:
    """Put files on the clipboard; of a single picture its pixels too, for programs that take no files."""
    files = tuple(outputs)
    data = mime_of(files)
    if len(files) == 1 and files[0].media == "image":
        reader = QImageReader(files[0].path)
        reader.setAutoTransform(True)
        size = reader.size()
        if size.isValid() and max(size.width(), size.height()) <= _COPIED_PIXELS:
            image = reader.read()
            if not image.isNull():
                data.setImageData(image)
    QGuiApplication.clipboard().setMimeData(data)


def mime_of(outputs: Iterable[Output], ids: Sequence[int] = ()) -> QMimeData:
    """Files as other programs take them from a drag or the clipboard; those that are gone are left out.

    `ids`: what places within the window get instead.
    """
    data = QMimeData()
    paths = [output.path for output in outputs if Path(output.path).exists()]
    data.setUrls([QUrl.fromLocalFile(path) for path in paths])
    data.setText("\n".join(paths))
    if ids:
        data.setData(IDS, QByteArray(json.dumps(list(ids)).encode()))
    return data
