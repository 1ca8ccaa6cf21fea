import tracemalloc
from pathlib import Path

import av
import pytest
from PIL import Image

from comfydesk.errors import MediaError
from comfydesk.session.jobs import contact_sheet
from comfydesk.session.jobs.contact_sheet import (
    BACKGROUND,
    EMPTY,
    GAP,
    MAX_PIXELS,
    MAX_SIDE,
    Sheet,
    draw_sheet,
    save_sheet,
)

RED, GREEN = (255, 0, 0), (0, 255, 0)


def plain(path: Path, colour: tuple[int, ...], size: tuple[int, int] = (64, 64), mode: str = "RGB") -> Path:
    Image.new(mode, size, colour).save(path)
    return path


def middle(picture: Image.Image, sheet: Sheet, row: int, column: int, cell: int) -> tuple[int, ...]:
    """The colour within a cell, beside its words, counted from the sheet's far corner: labels are at the other ends."""
    right = picture.width - (len(sheet.columns) - column) * (cell + GAP) + cell // 4
    bottom = picture.height - (len(sheet.rows) - row) * (cell + GAP) + cell // 8
    pixel = picture.getpixel((right, bottom))
    assert isinstance(pixel, tuple)
    return pixel


def one_cell(path: Path) -> tuple[int, ...]:
    sheet = Sheet(("",), ("",), ((path,),))
    return middle(draw_sheet(sheet, cell=64), sheet, 0, 0, 64)


def test_each_picture_stands_in_its_cell(tmp_path: Path) -> None:
    red, green = plain(tmp_path / "r.png", RED), plain(tmp_path / "g.png", GREEN)
    sheet = Sheet(("cfg: 1", "cfg: 2"), ("steps: 4", "steps: 8"), ((red, green), (green, None)))
    picture = draw_sheet(sheet, cell=64)
    found = [[middle(picture, sheet, row, column, 64) for column in range(2)] for row in range(2)]
    assert found == [[RED, GREEN], [GREEN, EMPTY]]


def test_labels_are_written_beside_and_above_the_cells(tmp_path: Path) -> None:
    cells = ((None,),)
    bare = draw_sheet(Sheet(("",), ("",), cells), cell=64)
    full = draw_sheet(Sheet(("column",), ("row",), cells, "title"), cell=64)
    assert full.width > bare.width
    assert full.height > bare.height
    for box in (
        (0, 0, full.width, 20),
        (full.width - 64 - GAP, 25, full.width, full.height - 64 - GAP),
        (0, full.height - 64, full.width - 64 - 2 * GAP, full.height),
    ):
        colours = full.crop(box).getcolors(10_000)
        assert colours is not None
        assert len(colours) > 1, box  # more than the background
    assert bare.getpixel((0, 0)) == BACKGROUND


@pytest.mark.parametrize("name", ["missing.png", "broken.png", "cut.jpg", "note.txt", "broken.mp4", "empty.png"])
def test_what_cannot_be_shown_is_a_marked_cell(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name == "cut.jpg":
        Image.effect_noise((300, 300), 90).convert("RGB").save(path)
        path.write_bytes(path.read_bytes()[:2000])
    elif name != "missing.png":
        path.write_bytes(b"" if name == "empty.png" else b"\x89PNG not at all")
    assert one_cell(path) == EMPTY


def test_pictures_of_every_sort_are_shown(tmp_path: Path) -> None:
    assert one_cell(plain(tmp_path / "alpha.png", (0, 0, 0, 0), mode="RGBA")) == BACKGROUND
    grey = tmp_path / "grey16.png"
    Image.new("I;16", (64, 64), 0x8000).save(grey)
    assert one_cell(grey) == (128, 128, 128)
    palette = tmp_path / "palette.gif"
    Image.new("RGB", (64, 64), RED).quantize(4).save(palette)
    assert one_cell(palette) == RED
    turned = tmp_path / "turned.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6  # shown turned by 90 degrees: wide becomes tall, and the cell's sides stay free
    Image.new("RGB", (640, 64), RED).save(turned, exif=exif)
    assert one_cell(turned) == BACKGROUND


def test_a_video_is_shown_by_its_first_frame(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=8)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        for colour in (RED, GREEN):
            frame = av.VideoFrame(64, 64, "rgb24")
            frame.planes[0].update(bytes(colour) * (frame.planes[0].buffer_size // 3))
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    red, green, blue = one_cell(path)
    assert red > 200 > 60 > max(green, blue)


def test_a_large_grid_shrinks_into_bounds_and_a_boundless_one_is_refused() -> None:
    sheet = Sheet(("",) * 60, tuple(f"row {n}" for n in range(40)), ((None,) * 60,) * 40)
    layout = contact_sheet._layout(sheet, 512)
    assert max(layout.size) <= MAX_SIDE
    assert layout.size[0] * layout.size[1] <= MAX_PIXELS
    assert 32 <= layout.cell < 512
    with pytest.raises(MediaError, match="1000 by 1000 pictures are too many"):
        draw_sheet(Sheet(("",) * 1000, ("",) * 1000, ((None,) * 1000,) * 1000))


def test_a_picture_too_large_to_read_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.png"
    Image.new("1", (9000, 9000)).save(path)
    tracemalloc.start()
    try:
        assert one_cell(path) == EMPTY
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(("name", "kind"), [("sheet.png", "PNG"), ("sheet.jpg", "JPEG")])
def test_a_sheet_is_saved_and_no_other_overwritten(tmp_path: Path, name: str, kind: str) -> None:
    sheet = Sheet(("a",), ("b",), ((plain(tmp_path / "r.png", RED),),))
    folder = tmp_path / "new" / "folder"
    saved = [save_sheet(sheet, folder / name, cell=64) for _ in range(2)]
    stem, _, suffix = name.partition(".")
    assert [path.name for path in saved] == [name, f"{stem} (2).{suffix}"]
    assert sorted(path.name for path in folder.iterdir()) == sorted(path.name for path in saved)
    with Image.open(saved[1]) as picture:
        assert picture.format == kind
        picture.load()


def test_what_cannot_be_saved_is_told(tmp_path: Path) -> None:
    sheet = Sheet(("",), ("",), ((None,),))
    with pytest.raises(MediaError, match=r"Choose \.png or \.jpg"):
        save_sheet(sheet, tmp_path / "sheet.bmp")
    (tmp_path / "file").write_text("")
    with pytest.raises(MediaError, match="cannot be saved"):
        save_sheet(sheet, tmp_path / "file" / "sheet.png")


def test_odd_labels_do_no_harm() -> None:
    labels = ("", "line\nbreak\x00", "猫 🐈 é", "x" * 5000)
    draw_sheet(Sheet(labels, labels, ((None,) * 4,) * 4, "\u202e" * 10), cell=32)
