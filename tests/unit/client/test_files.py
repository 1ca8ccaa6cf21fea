"""A pod names its files; nothing it says leads outside the user's folder."""

import errno
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfydesk.client.files import claim, inside, media_kind, numbered, safe_name, safe_relative_path
from comfydesk.errors import PodError


@pytest.mark.parametrize(
    ("filename", "kind"),
    [
        ("ComfyUI_00001_.png", "image"),
        ("a.WEBP", "image"),
        ("clip.mp4", "video"),
        ("clip.webm", "video"),
        ("song.flac", "audio"),
        ("note.txt", "text"),
        ("mesh.glb", "model3d"),
        ("x.latent", "other"),
        ("png", "other"),
        ("", "other"),
    ],
)
def test_the_extension_decides_what_a_file_is(filename: str, kind: str) -> None:
    assert media_kind(filename) == kind


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("ComfyUI_00001_.png", "ComfyUI_00001_.png"),
        ("grüße 日本.png", "grüße 日本.png"),
        ("CON.png", "_CON.png"),
        ("lpt1", "_lpt1"),
        ("nul .txt", "_nul .txt"),
        ("a<b>|c?.png", "a_b__c_.png"),
        ("trailing. . ", "trailing"),
        (".bashrc", "_bashrc"),
        ("...", "_"),
        ("cr\r\nlf.png", "cr__lf.png"),
        ("photo\u202egnp.exe", "photo_gnp.exe"),
        ("tab\x1b[31m.png", "tab_[31m.png"),
    ],
)
def test_names_are_made_fit_for_every_platform(name: str, safe: str) -> None:
    assert safe_name(name) == safe


@pytest.mark.parametrize("name", ["", ".", "..", "a/b.png", "a\\b.png", "C:x.png", "c:", "nul\0.png"])
def test_what_no_honest_pod_calls_a_file_is_refused(name: str) -> None:
    with pytest.raises(PodError):
        safe_name(name)


def test_long_names_keep_their_extension() -> None:
    name = safe_name("语" * 400 + ".webp")
    assert name.endswith(".webp")
    assert len(name.encode()) <= 180


@pytest.mark.parametrize(
    ("subfolder", "path"),
    [
        ("", "x.png"),
        ("oracle", "oracle/x.png"),
        ("a/b", "a/b/x.png"),
        ("a\\b\\", "a/b/x.png"),
        ("./a//b", "a/b/x.png"),
    ],
)
def test_subfolders_keep_their_place(subfolder: str, path: str) -> None:
    assert safe_relative_path(subfolder, "x.png") == PurePosixPath(path)


@pytest.mark.parametrize(
    "subfolder", ["..", "a/../..", "/etc", "\\\\server\\share", "C:\\x", "c:x", "/".join("abcdefghij")]
)
def test_subfolders_that_lead_away_are_refused(subfolder: str) -> None:
    with pytest.raises(PodError):
        safe_relative_path(subfolder, "x.png")


def test_a_link_inside_the_folder_does_not_lead_out(tmp_path: Path) -> None:
    folder = tmp_path / "outputs"
    folder.mkdir()
    (folder / "away").symlink_to(tmp_path)
    with pytest.raises(PodError):
        inside(folder, "away/x.png")
    assert inside(folder, "here/x.png") == folder.resolve() / "here" / "x.png"


def test_numbers_go_before_the_extension() -> None:
    assert numbered(Path("/o/name.png"), 1) == Path("/o/name.png")
    assert numbered(Path("/o/name.png"), 2) == Path("/o/name (2).png")


@given(st.text(), st.text())
def test_no_name_whatever_escapes(subfolder: str, filename: str) -> None:
    try:
        path = safe_relative_path(subfolder, filename)
    except PodError:
        return
    windows = PureWindowsPath(str(path))
    assert not path.is_absolute()
    assert not windows.is_absolute()
    assert not windows.drive
    assert not windows.is_reserved()
    assert ".." not in path.parts
    assert all(len(part.encode()) <= 180 and part == part.rstrip(". ") for part in path.parts)
    assert safe_name(path.name) == path.name


def _no_links(*_: object) -> None:
    raise OSError(errno.EPERM, "no hard links here")


@pytest.fixture(params=["hard links", "none"])
def _disk(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "none":
        monkeypatch.setattr(os, "link", _no_links)


@pytest.mark.usefixtures("_disk")
def test_of_many_that_want_a_name_at_once_one_gets_it_and_the_others_keep_their_files(tmp_path: Path) -> None:
    parts = [tmp_path / f"{number}.part" for number in range(8)]
    for part in parts:
        part.write_text(part.name)
    with ThreadPoolExecutor(8) as workers:
        won = list(workers.map(lambda part: claim(part, tmp_path / "x.png"), parts))
    assert sum(won) == 1
    assert (tmp_path / "x.png").read_text() == parts[won.index(True)].name
    assert [part.exists() for part in parts] == [not one for one in won]


@pytest.mark.usefixtures("_disk")
def test_what_has_the_name_stays_even_a_link_that_leads_nowhere(tmp_path: Path) -> None:
    (tmp_path / "part").write_text("new")
    (tmp_path / "link.png").symlink_to(tmp_path / "nowhere")
    assert not claim(tmp_path / "part", tmp_path / "link.png")
    assert (tmp_path / "link.png").is_symlink()
    assert (tmp_path / "part").read_text() == "new"
