import wave
from pathlib import Path

from PIL import Image

from comfydesk.session.jobs.media import Measures, measure


def test_a_picture_has_pixels(tmp_path: Path) -> None:
    Image.new("RGB", (30, 20)).save(tmp_path / "a.png")
    assert measure(tmp_path / "a.png", "image") == Measures(30, 20)


def test_a_sound_has_seconds(tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "a.wav"), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(16000))
    assert measure(tmp_path / "a.wav", "audio") == Measures(duration=1.0)


def test_junk_has_neither_and_is_no_error(tmp_path: Path) -> None:
    for media in ("image", "video", "audio", "text", "other"):
        path = tmp_path / f"junk.{media}"
        path.write_bytes(b"junk" * 100)
        assert measure(path, media) == Measures()
