"""How long pictures that move take, as Pillow wrote them; and what does not move, or is no picture at all."""

from pathlib import Path

import pytest
from PIL import Image

from comfydesk.session.gallery.reading import FileReader
from comfydesk.session.jobs.animation import MOST_FRAMES, frame_times
from comfydesk.session.jobs.media import look

TIMES = (100, 250, 40, 500)


def moving(path: Path, count: int = 4) -> Path:
    frames = [Image.new("RGB", (40, 30), (number * 60, 20, 90)) for number in range(count)]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=TIMES[:count], loop=0)
    return path


@pytest.mark.parametrize("kind", ["gif", "webp", "png"])
def test_each_frames_time_is_read(tmp_path: Path, kind: str) -> None:
    path = moving(tmp_path / f"a.{kind}")
    assert frame_times(path) == pytest.approx([time / 1000 for time in TIMES])
    assert look(path, "image").measures.duration == pytest.approx(0.89)
    assert FileReader().read(path).duration == pytest.approx(0.89), "so it is for what is imported"


@pytest.mark.parametrize("kind", ["gif", "webp", "png", "jpg"])
def test_what_stands_still_has_none(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"a.{kind}"
    Image.new("RGB", (40, 30)).save(path)
    assert frame_times(path) == ()
    assert look(path, "image").measures.duration is None


def test_a_file_that_ends_anywhere_ends_its_frames(tmp_path: Path) -> None:
    for kind in ("gif", "webp", "png"):
        data = moving(tmp_path / f"a.{kind}").read_bytes()
        cut = tmp_path / f"cut.{kind}"
        for length in range(0, len(data), 7):
            cut.write_bytes(data[:length])
            assert len(frame_times(cut)) <= len(TIMES)


def test_as_many_frames_as_somebody_claims_are_not_counted(tmp_path: Path) -> None:
    path = tmp_path / "a.gif"
    frame = b"\x2c" + bytes(8) + b"\0" + b"\2" + b"\0"
    path.write_bytes(b"GIF89a" + bytes(7) + frame * (MOST_FRAMES + 50))
    assert len(frame_times(path)) == MOST_FRAMES
