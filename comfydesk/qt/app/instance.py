"""One window per data folder: a second start hands over what it was asked for, and ends.

Who has the folder's lock has its window (see `claim`); a mark beside it says where that window listens. Only who does
not get the lock asks, so that an ordinary start pays one open file. The socket is the user's own: others can neither
read nor write it.
"""

import contextlib
import hashlib
import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QEvent, QObject, Signal
from PySide6.QtGui import QFileOpenEvent
from PySide6.QtNetwork import QLocalServer, QLocalSocket

from comfydesk.disk import write_whole
from comfydesk.errors import StoreError
from comfydesk.qt.app.claim import Claim, is_claimed
from comfydesk.wishes import Wish

if TYPE_CHECKING:
    from comfydesk.paths import Paths

MARK = "window.socket-name"
"""In the data folder, as long as a window is open on it: what it listens on."""
MOST = 64 * 1024
"""Bytes that a message may have."""
PATIENCE_MS = 1500
STARTING_S = 5.0
"""How long a window may take from its claim to its ear, before a second start opens one of its own."""
TAKEN = b"taken\n"
_PATH_LIMIT = 100
"""Of a Unix socket's path, with some room."""


def hand_over(paths: "Paths", wish: Wish) -> bool:
    """Whether the window that is open on this folder, or just being opened, has taken the wish."""
    deadline = time.monotonic() + STARTING_S
    while not (taken := _deliver(paths, wish)):
        if time.monotonic() > deadline or not is_claimed(paths.data):
            break
        time.sleep(0.02)
    return taken


def _deliver(paths: "Paths", wish: Wish) -> bool:
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

    def __init__(self, paths: "Paths", parent: QObject | None = None, claim: Claim | None = None) -> None:
        """`claim` on the folder's window; without one, `listen` tries to get it."""
        super().__init__(parent)
        self._folder, self._claim = paths.data, claim
        self._mark = paths.data / MARK
        self._name = _name_of(paths.data)
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._on_connection)

    def listen(self) -> bool:
        """Whether this is the folder's window from now on. False: another one is."""
        self._claim = self._claim or Claim.take(self._folder)
        if self._claim is None:
            return False
        # Where there are no locks. With access options a Unix socket replaces another of its name without a word.
        if self._mark.exists() and _answers(self._name):
            return False
        QLocalServer.removeServer(self._name)  # left behind by a crash
        if not self._server.listen(self._name):
            return False
        try:
            write_whole(self._mark, self._name.encode(), durable=False, private=True)
        except StoreError:
            self._server.close()
            return False
        return True

    def close(self) -> None:
        """Answer no more."""
        if self._server.isListening():
            self._server.close()
            with contextlib.suppress(OSError):
                self._mark.unlink()
        if self._claim is not None:
            self._claim.release()

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
