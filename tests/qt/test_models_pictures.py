"""Pictures of files that anybody may have made: what cannot be read is a reason, never a fault of the window."""

from pathlib import Path

import av
import pytest
from pytestqt.qtbot import QtBot

from comfydesk.qt.models import pictures, thumbnails
from comfydesk.qt.models.pictures import Picture, Pictures, load_video
from comfydesk.qt.models.thumbnails import Thumbnails


@pytest.fixture
def latin(tmp_path: Path) -> Path:
    """A video whose title is not UTF-8, as older programs write them."""
    path = tmp_path / "latin.mp4"
    with av.open(str(path), "w") as container:
        container.metadata["title"] = "Gr\u00fc\u00dfe"
        stream = container.add_stream("mpeg4", rate=1)
        stream.width, stream.height = 64, 48
        for packet in (*stream.encode(av.VideoFrame(64, 48, "yuv420p")), *stream.encode()):
            container.mux(packet)
    data = path.read_bytes()
    assert "Gr\u00fc\u00dfe".encode() in data
    path.write_bytes(data.replace("Gr\u00fc\u00dfe".encode(), b"Gr\xfc\xdf  e"))
    return path


def test_a_video_whose_tags_are_no_utf_8_has_a_picture(latin: Path, qapp: object) -> None:
    frame = load_video(str(latin))
    assert not isinstance(frame, str), frame
    assert frame.size().toTuple() == (64, 48)


def test_a_reader_that_breaks_down_is_a_reason_and_the_next_file_is_read(
    latin: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def breaks(*_: object) -> None:
        raise ValueError("inside a library")

    small, large = Thumbnails(), Pictures()
    seen: list[Picture] = []
    large.loaded.connect(seen.append)
    monkeypatch.setattr(thumbnails, "decode", breaks)
    monkeypatch.setattr(pictures, "load_video", breaks)
    with qtbot.waitSignal(small.failed) as failed:
        small.get(str(latin), "video")
    assert failed.args == [str(latin), "It cannot be read (ValueError)."]
    large.show(str(latin), "video")
    qtbot.waitUntil(lambda: len(seen) == 1)
    assert seen[0].reason == "It cannot be read (ValueError)."
    monkeypatch.undo()
    large.show(str(latin), "video")
    qtbot.waitUntil(lambda: len(seen) == 2)
    assert seen[1].size.toTuple() == (64, 48)
    small.close()
    large.close()
