"""A pod's files on this computer: fetched once, followed, never outside their folder."""

from pathlib import Path

import pytest

from comfydesk.errors import PodStatusError, PodUnreachableError
from comfydesk.session.shelves.mirror import Mirror


class Shelf:
    """Files by name; counts what is read."""

    def __init__(self, **files: bytes) -> None:
        self.files = files
        self.read_names: list[str] = []
        self.broken_from = 99

    async def read(self, name: str) -> bytes:
        if len(self.read_names) >= self.broken_from:
            raise PodUnreachableError("gone")
        self.read_names.append(name)
        if name not in self.files:
            raise PodStatusError(404, "gone")
        return self.files[name]


def contents(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in folder.rglob("*") if path.is_file()]


async def test_only_what_is_new_is_read(tmp_path: Path) -> None:
    mirror, shelf = Mirror(tmp_path / "m"), Shelf(a=b"1", b=b"2")
    await mirror.sync({"a": "s1", "b": "s1"}, shelf.read)
    await mirror.sync({"a": "s1", "b": "s2"}, shelf.read)
    assert sorted(shelf.read_names) == ["a", "b", "b"]
    await Mirror(tmp_path / "m").sync({"b": "s2"}, shelf.read)
    assert len(shelf.read_names) == 3
    assert not (tmp_path / "m" / "a").exists()
    assert (tmp_path / "m" / "b").read_bytes() == b"2"


async def test_a_file_without_a_stamp_is_read_each_time_and_one_that_is_gone_is_no_fault(tmp_path: Path) -> None:
    mirror, shelf = Mirror(tmp_path / "m"), Shelf(a=b"1")
    await mirror.sync({"a": "", "lost": "s"}, shelf.read)
    await mirror.sync({"a": ""}, shelf.read)
    assert shelf.read_names.count("a") == 2


async def test_what_came_before_the_line_was_cut_is_kept(tmp_path: Path) -> None:
    mirror, shelf = Mirror(tmp_path / "m"), Shelf(**{f"f{n}": b"x" for n in range(9)})
    shelf.broken_from = 3
    with pytest.raises(PodUnreachableError):
        await mirror.sync({f"f{n}": "s" for n in range(9)}, shelf.read)
    shelf.broken_from = 99
    await mirror.sync({f"f{n}": "s" for n in range(9)}, shelf.read)
    assert len(set(shelf.read_names)) == 9
    assert len(await mirror.stamps()) == 9


@pytest.mark.parametrize("name", ["../x.json", "a/../../x.json", "/etc/x.json", "C:x.json", "a/\0.json"])
async def test_names_that_lead_elsewhere_are_not_written(tmp_path: Path, name: str) -> None:
    mirror, shelf = Mirror(tmp_path / "m"), Shelf(**{name: b"evil"})
    await mirror.sync({name: "s"}, shelf.read)
    assert b"evil" not in contents(tmp_path)
