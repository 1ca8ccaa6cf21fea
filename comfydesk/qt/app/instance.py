"""One window per data folder: a second start hands over what it was asked for, and ends.

A mark in the data folder says that a window may be there; only then the second start asks it, so that an ordinary start
pays one look at the disk. The socket is the user's own: others can neither read nor write it.
"""

import contextlib
import hashlib
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QEvent, QObject, Signal
from PySide6.QtGui import QFileOpenEvent
from PySide6.QtNetwork import QLocalServer, QLocalSocket

from comfydesk.wishes import MARK, Wish

if TYPE_CHECKING:
    from comfydesk.paths import Paths

MOST = 64 * 1024
"""Bytes that a message may have."""
PATIENCE_MS = 1500
TAKEN = b"taken\n"
_PATH_LIMIT = 100
"""Of a Unix socket's path, with some room."""


def hand_over(paths: "Paths", wish: Wish) -> bool:
    """Whether the window that is open on this folder has taken the wish."""
    try:
        name = (paths.data / MARK).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return False
    if not name or not _is_ours(name):
        return False
    socket = QLocalSocket()
    socket.connectToServer(name)
    if not socket.waitForConnected(PATIENCE_MS):
        return False
    socket.write(wish.to_json().encode() + b"\n")
    socket.flush()
    heard = b""
    while not heard.endswith(b"\n") and socket.waitForReadyRead(PATIENCE_MS):
        heard += bytes(socket.readAll().data())
    socket.abort()
    return heard == TAKEN


class Instance(QObject):
    """The open window's ear."""

    wished = Signal(object)
    """A Wish of a second start."""

    def __init__(self, paths: "Paths", parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._mark = paths.data / MARK
        self._name = _name_of(paths.data)
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._on_connection)

    def listen(self) -> bool:
        """Whether this is the folder's window from now on. False: another one answers there."""
        # Asked first: with access options a Unix socket replaces another of its name without a word.
        if self._mark.exists() and _answers(self._name):
            return False
        QLocalServer.removeServer(self._name)  # left behind by a crash
        if not self._server.listen(self._name):
            return False
        try:
            self._mark.parent.mkdir(parents=True, exist_ok=True)
            self._mark.write_text(self._name, encoding="utf-8")
        except OSError:
            self._server.close()
            return False
        return True

    def close(self) -> None:
        """Answer no more."""
        if self._server.isListening():
            self._server.close()
            with contextlib.suppress(OSError):
                self._mark.unlink()

    def _on_connection(self) -> None:
        socket = self._server.nextPendingConnection()
        socket.setReadBufferSize(MOST)
        socket.disconnected.connect(socket.deleteLater)
        socket.readyRead.connect(lambda: self._on_bytes(socket))
        if socket.bytesAvailable():
            self._on_bytes(socket)

    def _on_bytes(self, socket: QLocalSocket) -> None:
        if not socket.canReadLine():
            if socket.bytesAvailable() >= MOST:
                socket.abort()
            return
        line = bytes(socket.readLine(MOST).data())
        try:
            wish = Wish.from_json(line)
        except (ValueError, TypeError, json.JSONDecodeError, RecursionError):
            socket.abort()
            return
        socket.write(TAKEN)
        socket.flush()
        socket.disconnectFromServer()
        self.wished.emit(wish)


class Openings(QObject):
    """Files and links that the system opens with a program that runs already (macOS sends events for that)."""

    asked = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        app = QCoreApplication.instance()
        if app is not None:
            app.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.FileOpen and isinstance(event, QFileOpenEvent):
            self.asked.emit(event.file() or event.url().toString())
            return True
        return super().eventFilter(watched, event)


def _name_of(folder: Path) -> str:
    """Where the window of a data folder listens."""
    short = "comfydesk-" + hashlib.sha256(str(folder.absolute()).encode()).hexdigest()[:16]
    if sys.platform == "win32":
        return short
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    for place in (Path(runtime) / short if runtime else None, folder.absolute() / "window.socket"):
        if place is not None and place.parent.is_dir() and len(os.fsencode(place)) <= _PATH_LIMIT:
            return str(place)
    return short


def _answers(name: str) -> bool:
    socket = QLocalSocket()
    socket.connectToServer(name)
    answers = socket.waitForConnected(PATIENCE_MS)
    socket.abort()
    return answers


def _is_ours(name: str) -> bool:
    """Whether what listens there belongs to this user: a stranger learns no paths."""
    if sys.platform == "win32" or not Path(name).is_absolute():
        return True
    try:
        return Path(name).stat().st_uid == os.getuid()
    except OSError:
        return False
