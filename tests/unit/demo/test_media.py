"""Sound and video, written and read again; what they carry."""

import math
from array import array
from pathlib import Path

import av
import pytest
from PIL import Image

from comfydesk.demo.media import load_audio, load_video, save_audio, save_video
from comfydesk.demo.tune import RATE, compose, mood_of
from comfydesk.demo.values import Audio, Video

METADATA = {"prompt": '{"1": {"class_type": "X"}}', "workflow": '{"note": "grüße 日本"}'}


def tone(seconds: float = 0.5, rate: int = 44100) -> Audio:
    samples = array("h", [round(9000 * math.sin(i * 440 * math.tau / rate)) for i in range(round(seconds * rate))])
    both = array("h", bytes(4 * len(samples)))
    both[0::2] = both[1::2] = samples
    return Audio(both.tobytes(), rate)


def frames(count: int, size: tuple[int, int] = (66, 34)) -> tuple[Image.Image, ...]:
    return tuple(Image.new("RGB", size, (250 * index // count, 90, 160)) for index in range(count))


@pytest.mark.parametrize(("kind", "quality"), [("flac", ""), ("mp3", "V0"), ("mp3", "128k"), ("opus", "96k")])
def test_sound(tmp_path: Path, kind: str, quality: str) -> None:
    path = tmp_path / f"x.{kind}"
    save_audio(path, tone(), kind, quality, METADATA)
    with av.open(str(path)) as file:
        tags = dict(file.metadata) | dict(file.streams.audio[0].metadata)
        assert {name: tags[name] for name in METADATA} == METADATA
    back = load_audio(path)
    assert back.seconds == pytest.approx(0.5, abs=0.06)
    if kind == "flac":
        assert back.pcm == tone().pcm, "FLAC loses nothing"


@pytest.mark.parametrize(("container", "codec"), [("mp4", "h264"), ("mkv", "auto"), ("webm", "auto"), ("mp4", "av1")])
def test_video(tmp_path: Path, container: str, codec: str) -> None:
    path = tmp_path / f"x.{container}"
    save_video(path, Video(frames(6), 12, tone()), container, codec, METADATA)
    with av.open(str(path)) as file:
        tags = {name.lower(): text for name, text in file.metadata.items()}
        assert {name: tags[name] for name in METADATA} == METADATA
    back = load_video(path)
    assert (len(back.frames), back.fps, back.frames[0].size) == (6, 12, (66, 34))
    pixel = back.frames[3].getpixel((10, 10))
    assert isinstance(pixel, tuple)
    assert all(abs(one - other) < 14 for one, other in zip(pixel, (125, 90, 160), strict=True))
    assert back.audio is not None
    assert back.audio.seconds == pytest.approx(0.5, abs=0.1)


def test_odd_sides_lose_a_line(tmp_path: Path) -> None:
    save_video(tmp_path / "x.mp4", Video(frames(2, (33, 21)), 24.5), "mp4", "auto", {})
    back = load_video(tmp_path / "x.mp4")
    assert back.frames[0].size == (32, 20)
    assert back.fps == pytest.approx(24.5)
    assert back.audio is None


def test_what_has_no_sound_or_picture_says_so(tmp_path: Path) -> None:
    save_video(tmp_path / "x.mp4", Video(frames(2), 8), "mp4", "auto", {})
    with pytest.raises(ValueError, match=r"no sound in x\.mp4"):
        load_audio(tmp_path / "x.mp4")
    save_audio(tmp_path / "x.flac", tone(), "flac", "", {})
    with pytest.raises(ValueError, match=r"no picture in x\.flac"):
        load_video(tmp_path / "x.flac")


def test_a_tune_is_as_long_as_asked_and_never_silent_or_cut() -> None:
    heard: list[float] = []
    tune = compose("calm piano", 3, 1.5, heard.append)
    assert tune.seconds == pytest.approx(1.5)
    assert heard[-1] == 1.0
    samples = array("h", tune.pcm)
    assert 8000 < max(samples) < 32767
    assert tune.pcm == compose("calm piano", 3, 1.5).pcm
    assert tune.pcm != compose("calm piano", 4, 1.5).pcm
    assert abs(samples[0]) < 400
    assert abs(samples[-1]) < 400


def test_words_set_the_mood() -> None:
    import random

    rng = random.Random(1)
    assert mood_of("fast techno", rng).beats_per_minute > mood_of("slow ballad", rng).beats_per_minute
    assert mood_of("a sad song", rng).scale == "minor"
    assert mood_of("ambient drone", rng).beat is False
    assert mood_of("house, 133bpm", rng).beats_per_minute == 133
    assert RATE == 44100
