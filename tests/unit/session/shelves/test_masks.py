"""Masks are saved as ComfyUI reads them: mask = 1 - alpha, the colours below as they were, the source untouched."""

import random
from itertools import pairwise
from pathlib import Path

import pytest
from PIL import Image, ImageChops

from comfydesk.errors import MediaError
from comfydesk.session.shelves.masks import mask_size, open_picture, write_masked


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "valley.png"
    noise = random.Random(5).randbytes(300 * 200 * 3)
    Image.frombytes("RGB", (300, 200), noise).save(path)
    return path


def masked(size: tuple[int, int], box: tuple[int, int, int, int], value: int = 255) -> bytes:
    mask = Image.new("L", size, 0)
    mask.paste(value, box)
    return mask.tobytes()


def test_what_is_masked_is_transparent_and_keeps_its_colours(picture: Path, tmp_path: Path) -> None:
    before = picture.read_bytes()
    path = write_masked(picture, masked((300, 200), (10, 20, 110, 120)), (300, 200), tmp_path / "masks")
    with Image.open(path) as made, Image.open(picture) as source:
        assert made.mode == "RGBA"
        assert ImageChops.difference(made.convert("RGB"), source.convert("RGB")).getbbox() is None
        alpha = made.getchannel("A")
        assert ImageChops.invert(alpha).getbbox() == (10, 20, 110, 120)
        # As LoadImage does it: 1 - alpha / 255.
        values = alpha.tobytes()
        assert (1 - values[50 * 300 + 50] / 255, 1 - values[10 * 300 + 200] / 255) == (1, 0)
    assert picture.read_bytes() == before


def test_a_mask_can_be_painted_on_again(picture: Path, tmp_path: Path) -> None:
    mask = masked((300, 200), (10, 20, 110, 120), 128)
    first = write_masked(picture, mask, (300, 200), tmp_path)
    again = open_picture(first, 150)
    assert (again.size, again.shown) == ((300, 200), (150, 100))
    assert again.mask == mask
    second = write_masked(first, again.mask, (300, 200), tmp_path)
    assert (first.name, second.name) == ("valley_masked_0001.png", "valley_masked_0002.png")
    with Image.open(first) as one, Image.open(second) as other:
        assert one.tobytes() == other.tobytes()


def test_a_small_mask_is_enlarged_without_seams(tmp_path: Path) -> None:
    source = tmp_path / "wide.png"
    Image.new("RGB", (9000, 700), "#336699").save(source)
    size = mask_size((9000, 700))
    assert size == (4096, 319)
    ramp = Image.linear_gradient("L").resize(size)
    with Image.open(write_masked(source, ramp.tobytes(), size, tmp_path)) as made:
        column = [255 - alpha for alpha in made.getchannel("A").crop((4000, 0, 4001, 700)).tobytes()]
    assert column == sorted(column)
    assert max(b - a for a, b in pairwise(column)) <= 2


def test_the_picture_is_upright_as_pods_take_it(tmp_path: Path) -> None:
    source = tmp_path / "phone.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (64, 32), "#336699").save(source, exif=exif)
    opened = open_picture(source, 64)
    assert opened.size == (32, 64)
    with Image.open(write_masked(source, bytes(32 * 64), (32, 64), tmp_path)) as made:
        assert made.size == (32, 64)
        assert made.getexif().get(0x0112) is None


@pytest.mark.parametrize("data", [b"", b"not a picture", b"\x89PNG\r\n\x1a\n and then nothing"])
def test_a_broken_file_says_so(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "broken.png"
    path.write_bytes(data)
    with pytest.raises(MediaError, match=r"broken\.png cannot be painted on"):
        open_picture(path, 64)


def test_one_that_is_too_large_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "huge.png"
    Image.new("1", (32_000, 8_000)).save(path)
    with pytest.raises(MediaError, match=r"huge\.png is too large to paint on"):
        open_picture(path, 64)


def test_a_full_disk_leaves_nothing_behind(picture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("comfydesk.session.shelves.masks._write_png", full)
    with pytest.raises(MediaError, match="No space left"):
        write_masked(picture, bytes(300 * 200), (300, 200), tmp_path / "masks")
    assert list((tmp_path / "masks").iterdir()) == []
