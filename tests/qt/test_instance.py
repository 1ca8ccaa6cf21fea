"""A second start hands its wish to the window that is open on the same folder."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtNetwork import QLocalSocket
from pytestqt.qtbot import QtBot

from comfydesk.paths import Paths
from comfydesk.qt.app.claim import Claim, is_claimed
from comfydesk.qt.app.instance import MARK, MOST, Instance
from comfydesk.wishes import Wish, wish_of_link

SECOND = """
import sys
from pathlib import Path
from PySide6.QtCore import QCoreApplication
from comfydesk.paths import Paths
from comfydesk.qt.app.instance import hand_over
from comfydesk.wishes import Wish
app = QCoreApplication([])
sys.exit(0 if hand_over(Paths.under(Path(sys.argv[1])), Wish(file=sys.argv[2])) else 7)
"""

START = """
import sys
from pathlib import Path
from PySide6.QtCore import QCoreApplication
from comfydesk.paths import Paths
from comfydesk.qt.app.claim import Claim
from comfydesk.qt.app.instance import Instance, hand_over
from comfydesk.wishes import Wish
app = QCoreApplication([])
paths = Paths.under(Path(sys.argv[1]))
print("here", flush=True)
sys.stdin.readline()
claim = Claim.take(paths.data)
if claim is None:
    print("handed over" if hand_over(paths, Wish(file=sys.argv[2])) else "alone", flush=True)
    sys.exit()
instance = Instance(paths, claim=claim)
assert instance.listen()
print("window", flush=True)
instance.wished.connect(lambda wish: print(wish.file, flush=True))
app.exec()
"""


@pytest.fixture
def paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Paths:
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    return Paths.under(tmp_path)


@pytest.fixture
def first(paths: Paths, qapp: object) -> Iterator[Instance]:
    instance = Instance(paths)
    assert instance.listen()
    yield instance
    instance.close()


def second(paths: Paths, file: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-c", SECOND, str(paths.data), file], env=os.environ)


def test_the_open_window_gets_the_wish_and_the_second_start_knows_it(
    qtbot: QtBot, paths: Paths, first: Instance
) -> None:
    with qtbot.waitSignal(first.wished, timeout=20_000) as heard:
        other = second(paths, "/a/ä b.json")
    qtbot.waitUntil(lambda: other.poll() is not None, timeout=20_000)
    assert heard.args == [Wish(file="/a/ä b.json")]
    assert other.returncode == 0


def test_a_folder_without_a_window_has_no_mark(paths: Paths) -> None:
    assert not (paths.data / MARK).exists()


def test_what_a_crash_left_behind_is_no_window(paths: Paths, first: Instance, qapp: object) -> None:
    mark = paths.data / MARK
    name = mark.read_text()
    first.close()
    mark.write_text(name)
    assert mark.exists()
    with second(paths, "/a.json") as other:
        assert other.wait(20) == 7
    again = Instance(paths)
    assert again.listen()
    again.close()
    assert not mark.exists()


def test_a_folder_has_one_window(paths: Paths, first: Instance, qapp: object) -> None:
    other = Instance(paths)
    assert not other.listen()
    other.close()
    assert (paths.data / MARK).exists()
    assert is_claimed(paths.data)
    first.close()
    assert not is_claimed(paths.data)


def test_of_starts_at_the_same_moment_one_is_the_window_and_the_others_wishes_reach_it(paths: Paths) -> None:
    files = {f"/{number}.json" for number in range(4)}
    starts = {
        file: subprocess.Popen(
            [sys.executable, "-c", START, paths.data, file], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for file in files
    }
    try:
        for start in starts.values():
            assert said(start) == "here"
        for start in starts.values():  # all are at the line before the claim
            assert start.stdin is not None
            start.stdin.write("\n")
            start.stdin.flush()
        words = {file: said(start) for file, start in starts.items()}
        assert sorted(words.values()) == ["handed over"] * 3 + ["window"]
        (own,) = [file for file, word in words.items() if word == "window"]
        assert {said(starts[own]) for _ in range(3)} == files - {own}
    finally:
        for start in starts.values():
            start.kill()
            start.communicate()
    # The window was killed: its lock and its mark stop nobody.
    assert (paths.data / MARK).exists()
    claim = Claim.take(paths.data)
    assert claim is not None
    claim.release()


def said(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().rstrip()


def test_a_folder_that_cannot_be_written_keeps_no_window_from_opening(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    claim = Claim.take(tmp_path / "file" / "data")
    assert claim is not None
    claim.release()


@pytest.mark.parametrize("message", [b"no json\n", b"[]\n", b'{"file": 1}\n', b'{"run": "x"}\n', b"x" * (MOST + 1)])
def test_nonsense_is_not_answered(qtbot: QtBot, paths: Paths, first: Instance, message: bytes) -> None:
    socket = QLocalSocket()
    socket.connectToServer((paths.data / MARK).read_text())
    assert socket.waitForConnected(2000)
    socket.write(message)
    with qtbot.assertNotEmitted(first.wished):
        qtbot.waitUntil(lambda: socket.state() == QLocalSocket.LocalSocketState.UnconnectedState, timeout=5000)
    assert socket.readAll().data() == b""


@pytest.mark.parametrize(
    ("link", "wish"),
    [
        (
            "comfydesk://pod?address=https%3A%2F%2Fa-8188.proxy.runpod.net",
            Wish(add_pod="https://a-8188.proxy.runpod.net"),
        ),
        ("comfydesk://say?words=a+red+bicycle", Wish(words="a red bicycle")),
        ("comfydesk:say?words=hello", Wish(words="hello")),
        ("file:///home/me/my%20work.json", Wish(file="/home/me/my work.json")),
        ("/home/me/work.json", Wish(file="/home/me/work.json")),
    ],
)
def test_links_that_are_understood(link: str, wish: Wish) -> None:
    assert wish_of_link(link) == wish


@pytest.mark.parametrize(
    "link",
    [
        "comfydesk://generate?words=x",
        "comfydesk://connect?pod=http://evil",
        "comfydesk://say?words=" + "x" * 5000,
        "comfydesk://say?words=%00%1b[31m",
        "comfydesk://say?" + "&".join("a=1" for _ in range(100)),
        "file://server/share/x.json",
        "comfydesk://[",
    ],
)
def test_links_do_nothing_else(link: str) -> None:
    wish = wish_of_link(link)
    assert (wish.file, wish.pod, wish.add_pod) == ("", "", "")
    assert wish.words in ("", "[31m")
