"""Many files, asked for in groups: each is answered once, and one that ends its reader costs that file only."""

import io
import sys
from pathlib import Path

import pytest
from PIL import Image

from comfydesk.errors import KnownError
from comfydesk.session.gallery import reading_children
from comfydesk.session.gallery.reading_children import Depth, ReadingChildren

DEADLY = """
import sys
from comfydesk.session.gallery import reading, reading_stream
read = reading_stream.answer
def answer(reader, path, **how):
    if "deadly" in path.name:
        sys.exit(7)
    return read(reader, path, **how)
reading_stream.answer = answer
reading_stream.main()
"""


def _read_all(paths: list[Path], number: int | None, *, here: bool) -> dict[Path, str]:
    children = ReadingChildren([(path, Depth.QUICK) for path in paths], number, here=here)
    found: list[tuple[Path, str]] = []
    try:
        while batch := children.batch(50, 0.2):
            found += [(path, one.why if isinstance(one, KnownError) else "") for path, one in batch]
    finally:
        children.close()
    assert len(found) == len(paths)
    return dict(found)


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("deadly", [(), (0,), (3, 4, 199)], ids=["none", "the first", "some, and the last"])
def test_who_ends_its_reader_costs_itself_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, deadly: tuple[int, ...]
) -> None:
    monkeypatch.setattr(reading_children, "program", lambda: [sys.executable, "-c", DEADLY])
    gif = b"GIF89a\x02\0\x02\0\0\0\0;"
    paths = [tmp_path / f"{at:03}{' deadly' if at in deadly else ''}.gif" for at in range(200)]
    for path in paths:
        path.write_bytes(gif)
    found = _read_all(paths, number, here=False)
    assert {path for path, why in found.items() if why} == {paths[at] for at in deadly}
    assert all("reader ended" in found[paths[at]] for at in deadly)


@pytest.mark.parametrize("many", [1, 64, 3000])
def test_each_is_read_once_whoever_reads_it(tmp_path: Path, many: int) -> None:
    """The thread here begins, and the children go on."""
    buffer = io.BytesIO()
    Image.new("RGB", (2, 2)).save(buffer, "PNG")
    paths = [tmp_path / f"{at:04}.png" for at in range(many)]
    for path in paths:
        path.write_bytes(buffer.getvalue() if path.stem != "0000" else b"nothing")
    found = _read_all(paths, None, here=True)
    assert {path for path, why in found.items() if why} == {paths[0]}
