"""Whether a file opens, and what it measures."""

import random
import wave
from pathlib import Path

import av
import pytest
from PIL import Image

from comfydesk.session.jobs.media import Looked, Measures, look


def test_a_picture_has_pixels(tmp_path: Path) -> None:
    Image.new("RGB", (30, 20)).save(tmp_path / "a.png")
    assert look(tmp_path / "a.png", "image") == Looked(Measures(30, 20))


def test_a_sound_has_seconds(tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "a.wav"), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(16000))
    assert look(tmp_path / "a.wav", "audio") == Looked(Measures(duration=1.0))


def film(path: Path) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=8)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(8):
            frame = av.VideoFrame(64, 48, "yuv420p")
            for plane in frame.planes:
                plane.update(bytes([number * 30]) * plane.buffer_size)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def test_a_video_has_both(tmp_path: Path) -> None:
    film(tmp_path / "a.mp4")
    looked = look(tmp_path / "a.mp4", "video")
    assert (looked.measures.width, looked.measures.height, looked.problem) == (64, 48, "")
    assert looked.measures.duration == pytest.approx(1.0)


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "gif", "bmp", "tiff"])
def test_a_picture_that_is_cut_does_not_open(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    Image.frombytes("RGB", (200, 200), random.Random(1).randbytes(200 * 200 * 3)).save(path)
    assert look(path, "image").problem == ""
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 2 // 3])
    looked = look(path, "image")
    assert "cannot be decoded" in looked.problem
    assert str(tmp_path) not in looked.problem


def test_a_bit_that_is_wrong_is_found_in_a_png(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.new("RGB", (64, 64), (1, 2, 3)).save(path)
    data = bytearray(path.read_bytes())
    data[60] ^= 1
    path.write_bytes(data)
    assert "cannot be decoded" in look(path, "image").problem


def test_a_video_that_is_cut_does_not_open(tmp_path: Path) -> None:
    film(tmp_path / "a.mp4")
    data = (tmp_path / "a.mp4").read_bytes()
    (tmp_path / "a.mp4").write_bytes(data[: len(data) // 2])
    assert look(tmp_path / "a.mp4", "video").problem != ""


@pytest.mark.parametrize("name", ["a.png", "a.mp4", "a.wav"])
def test_junk_and_nothing_do_not_open_and_are_no_error(tmp_path: Path, name: str) -> None:
    media = {"png": "image", "mp4": "video", "wav": "audio"}[name[-3:]]
    for data in (b"junk" * 100, b""):
        (tmp_path / name).write_bytes(data)
        assert look(tmp_path / name, media).problem != ""


def test_of_formats_that_nobody_here_reads_nothing_is_said(tmp_path: Path) -> None:
    for name, media in (("a.exr", "image"), ("a.svg", "image"), ("a.glb", "model3d"), ("a.zip", "other")):
        (tmp_path / name).write_bytes(b"whatever")
        assert look(tmp_path / name, media) == Looked()
