"""Thumbnails of what anybody may have saved, and the folder that keeps them."""

import os
import struct
import time
import tracemalloc
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import av
import pytest
from PIL import Image, PngImagePlugin

from comfydesk.errors import MediaError
from comfydesk.session.gallery import posters
from comfydesk.session.gallery.thumbnails import Source, ThumbnailCache, edge_for


def saved(path: Path, size: tuple[int, int] = (640, 360), mode: str = "RGB", **options: object) -> Path:
    Image.linear_gradient("L").resize(size).convert(mode).save(path, **options)  # type: ignore[arg-type]  # any option
    return path


def film(path: Path, frames: int = 24, codec: str = "mpeg4") -> Path:
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=12)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(frames):
            picture = Image.new("RGB", (64, 48), (number * 10, 0, 255 - number * 10))
            frame = av.VideoFrame(64, 48, "rgb24")
            frame.planes[0].update(picture.tobytes())
            container.mux(stream.encode(frame.reformat(format="yuv420p")))
        container.mux(stream.encode())
    return path


def sound(path: Path) -> Path:
    """A second of silence, then a second of noise."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        for samples in (bytes(16_000), b"\x00\x40\x00\xc0" * 4_000):
            frame = av.AudioFrame(format="s16", layout="mono", samples=8000)
            frame.planes[0].update(samples)
            frame.sample_rate = 8000
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def read(data: bytes) -> Image.Image:
    image = Image.open(BytesIO(data))
    image.load()
    return image


def png_header(width: int, height: int, rest: bytes = b"") -> bytes:
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header)) + rest


# --- What becomes of a file -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp", "a.gif", "a.bmp", "a.tiff"])
def test_a_picture_has_its_shorter_side_at_the_edge(tmp_path: Path, name: str) -> None:
    assert read(posters.poster(saved(tmp_path / name), "image", 128)).size == (228, 128)


def test_a_small_picture_is_not_enlarged_and_a_panorama_is_cropped(tmp_path: Path) -> None:
    assert read(posters.poster(saved(tmp_path / "s.png", (40, 30)), "image", 128)).size == (40, 30)
    assert read(posters.poster(saved(tmp_path / "p.png", (2000, 100)), "image", 64)).size == (192, 64)


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGBA", "CMYK", "1", "I;16"])
def test_every_kind_of_pixel_is_shown(tmp_path: Path, mode: str) -> None:
    path = tmp_path / ("a.tiff" if mode == "CMYK" else "a.png")
    if mode == "I;16":
        Image.new("I;16", (200, 200), 65_535).save(path)
        assert read(posters.poster(path, "image", 64)).convert("L").getpixel((5, 5)) == 255
    else:
        assert read(posters.poster(saved(path, (200, 200), mode), "image", 64)).size == (64, 64)


def test_what_is_transparent_stays_so_and_what_is_not_becomes_a_jpeg(tmp_path: Path) -> None:
    Image.new("RGBA", (100, 100), (255, 0, 0, 40)).save(tmp_path / "glass.png")
    Image.new("RGBA", (100, 100), (255, 0, 0, 255)).save(tmp_path / "solid.png")
    assert read(posters.poster(tmp_path / "glass.png", "image", 64)).getpixel((1, 1)) == (255, 0, 0, 40)
    assert read(posters.poster(tmp_path / "solid.png", "image", 64)).format == "JPEG"


def test_a_photograph_stands_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    path = saved(tmp_path / "turned.jpg", (640, 320), exif=exif)
    assert read(posters.poster(path, "image", 100)).size == (100, 200)


def test_a_video_has_a_poster_and_a_strip_of_frames_in_order(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4")
    assert read(posters.poster(path, "video", 128)).size == (64, 48)
    strip = read(posters.strip(path, 128)).convert("RGB")
    assert strip.size == (64 * posters.FRAMES, 48)
    reds = [strip.getpixel((64 * at + 32, 24))[0] for at in range(posters.FRAMES)]  # type: ignore[index]  # a tuple
    assert reds == sorted(reds)
    assert reds[-1] - reds[0] > 150


def test_a_sound_has_its_waveform(tmp_path: Path) -> None:
    wave = read(posters.poster(sound(tmp_path / "a.wav"), "audio", 96))
    assert wave.size == (192, 96)
    alpha = wave.getchannel("A")
    quiet, loud = (alpha.crop(box).histogram()[255] for box in ((0, 0, 90, 96), (102, 0, 192, 96)))
    assert loud > 5 * quiet > 0


def test_the_content_counts_and_not_the_name(tmp_path: Path) -> None:
    moving = film(tmp_path / "a.mp4").rename(tmp_path / "a.png")
    assert read(posters.poster(moving, "image", 128)).size == (64, 48)
    still = saved(tmp_path / "b.jpg").rename(tmp_path / "b.mp4")
    assert read(posters.poster(still, "video", 128)).size == (228, 128)


# --- Hostile files --------------------------------------------------------------------------------------------------


def test_a_cut_picture_says_so(tmp_path: Path) -> None:
    whole = saved(tmp_path / "a.png", (800, 800)).read_bytes()
    (tmp_path / "a.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(MediaError, match="ends too early"):
        posters.poster(tmp_path / "a.png", "image", 128)


@pytest.mark.parametrize("kind", [b"zTXt", b"iTXt", b"iCCP"])
def test_words_that_are_a_bomb_are_not_unpacked(tmp_path: Path, kind: bytes) -> None:
    picture = BytesIO()
    Image.new("RGB", (40, 30), "teal").save(picture, "PNG")
    data = picture.getvalue()
    packed = zlib.compress(bytes(200 << 20))
    head = b"prompt\0\0" if kind != b"iTXt" else b"prompt\0\1\0\0\0"
    body = kind + head + packed
    bomb = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    path = tmp_path / "bomb.png"
    path.write_bytes(data[:33] + bomb + data[33:])
    tracemalloc.start()
    made = posters.poster(path, "image", 30)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    with Image.open(BytesIO(made)) as small:
        assert small.size == (40, 30)
    assert peak < 20 << 20


def test_a_progressive_jpeg_that_would_have_to_be_kept_whole_is_a_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posters, "PROGRESSIVE", 50_000)
    monkeypatch.setattr(posters, "LARGEST", 50_000)
    path = tmp_path / "a.jpg"
    picture = Image.effect_noise((400, 300), 50)
    picture.save(path, progressive=True)
    with pytest.raises(MediaError, match="too many"):
        posters.poster(path, "image", 64)
    picture.save(path)  # of others only what is wanted is decoded
    assert posters.poster(path, "image", 64)


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    data = b"IDAT" + zlib.compress(bytes(50_000_000), 9)
    chunk = struct.pack(">I", len(data) - 4) + data + struct.pack(">I", zlib.crc32(data))
    path.write_bytes(png_header(60_000, 60_000, chunk))
    tracemalloc.start()
    began = time.perf_counter()
    with pytest.raises(MediaError, match=r"60,000 . 60,000 pixels"):
        posters.poster(path, "image", 128)
    assert time.perf_counter() - began < 2
    assert tracemalloc.get_traced_memory()[1] < 20_000_000
    tracemalloc.stop()


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "tiff", "gif"])
def test_a_header_that_claims_65535_squared_is_a_reason(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"huge.{suffix}"
    small = saved(path, (64, 64)).read_bytes()
    match suffix:
        case "png":
            path.write_bytes(png_header(65_535, 65_535, small[33:]))
        case "jpg":
            at = small.index(b"\xff\xc0") + 5
            path.write_bytes(small[:at] + b"\xff\xff\xff\xff" + small[at + 4 :])
        case "gif":
            path.write_bytes(small[:6] + b"\xff\xff\xff\xff" + small[10:])
        case _:
            path.write_bytes(small[:20] + b"\xff" * 40 + small[60:])
    with pytest.raises(MediaError):
        posters.poster(path, "image", 128)


def test_ten_megabytes_of_metadata_are_no_reason_to_show_nothing(tmp_path: Path) -> None:
    told = PngImagePlugin.PngInfo()
    for at in range(12):
        told.add_text(f"workflow{at}", "x" * 900_000, zip=True)
    path = saved(tmp_path / "a.png", pnginfo=told)
    assert read(posters.poster(path, "image", 128)).size == (228, 128)
    told = PngImagePlugin.PngInfo()
    told.add_text("prompt", "y" * 10_000_000, zip=True)
    path = saved(tmp_path / "b.png", pnginfo=told)
    assert read(posters.poster(path, "image", 128)).size == (228, 128)


@pytest.mark.parametrize("media", ["image", "video", "audio"])
@pytest.mark.parametrize(
    "data", [b"", b"\x00" * 4096, b"\x89PNG\r\n\x1a\n", b"<html>no</html>", b"RIFF\xff\xff\xff\xffWEBP"]
)
def test_what_is_no_media_is_a_reason(tmp_path: Path, data: bytes, media: str) -> None:
    (tmp_path / "a").write_bytes(data)
    with pytest.raises(MediaError):
        posters.poster(tmp_path / "a", media, 128)
    with pytest.raises(MediaError, match="no longer there"):
        posters.poster(tmp_path / "gone", media, 128)


# --- The folder -----------------------------------------------------------------------------------------------------


@pytest.fixture
def cache(tmp_path: Path) -> ThumbnailCache:
    return ThumbnailCache(tmp_path / "kept")


def test_what_is_kept_is_not_made_again(cache: ThumbnailCache, tmp_path: Path) -> None:
    source = Source(str(saved(tmp_path / "a.png")), "image", "ab" * 32)
    made = cache.poster(source, 128)
    (tmp_path / "a.png").unlink()
    assert cache.poster(source, 128) == made
    assert cache.poster(source, 256) == made, "a file that is gone is shown as it was, in the size there is"
    cache.forget(source)
    with pytest.raises(MediaError, match="no longer there"):
        cache.poster(source, 128)


def test_without_a_hash_a_changed_file_is_another(cache: ThumbnailCache, tmp_path: Path) -> None:
    source = Source(str(saved(tmp_path / "a.png", (640, 360))), "image")
    assert read(cache.poster(source, 128)).size == (228, 128)
    saved(tmp_path / "a.png", (360, 640))
    assert read(cache.poster(source, 128)).size == (128, 228)


@pytest.mark.parametrize("damage", [b"", b"\xff\xd8\xff half a picture", None])
def test_a_damaged_entry_is_made_again(cache: ThumbnailCache, tmp_path: Path, damage: bytes | None) -> None:
    source = Source(str(saved(tmp_path / "a.png")), "image", "cd" * 32)
    made = cache.poster(source, 128)
    (entry,) = (tmp_path / "kept").glob("*/*")
    entry.write_bytes(made[: len(made) // 2] if damage is None else damage)
    assert cache.poster(source, 128) == made
    assert entry.read_bytes() == made


def test_the_least_recently_used_go_first_and_leftovers_with_them(tmp_path: Path) -> None:
    cache = ThumbnailCache(tmp_path / "kept", limit=1)
    picture = saved(tmp_path / "a.png")
    for at in range(8):
        cache.poster(Source(str(picture), "image", f"{at:064}"), 128)
    entries = sorted((tmp_path / "kept").glob("*/*"))
    size = entries[0].stat().st_size
    for age, entry in enumerate(entries):
        os.utime(entry, (1_000_000 + age, 1_000_000 + age))
    (entries[0].parent / "half.part").write_bytes(b"x")
    os.utime(entries[0].parent / "half.part", (1, 1))
    cache.limit = size * 5
    assert cache.sweep(pause=0) <= size * 5
    assert sorted((tmp_path / "kept").glob("*/*")) == entries[-4:]
    assert not cache.swollen


def test_a_folder_that_cannot_be_written_shows_the_picture_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("a file in the way")
    source = Source(str(saved(tmp_path / "a.png")), "image", "ef" * 32)
    assert read(ThumbnailCache(tmp_path / "kept").poster(source, 128)).size == (228, 128)


def test_a_tile_gets_the_next_larger_size() -> None:
    assert [edge_for(pixels) for pixels in (1, 128, 129, 300, 5_000)] == [128, 128, 192, 384, 768]
