import os
from pathlib import Path

import pytest

from comfydesk.session.jobs import wildcards as loading
from comfydesk.session.jobs.batch_files import decoded, files_in, read_text
from comfydesk.session.jobs.wildcards import load_wildcards
from comfydesk.workflow.field_text import BatchError


def put(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def test_every_text_file_is_a_wildcard_named_by_its_place(tmp_path: Path) -> None:
    put(
        tmp_path,
        {"animals.txt": "\ufeffcat\n# no\n\ndog\n", "places/Sea.TXT": "beach", "readme.md": "x", ".x.txt": "y"},
    )
    assert load_wildcards(tmp_path).files == {"animals": ("cat", "dog"), "places/Sea": ("beach",)}


def test_nothing_outside_of_the_folder_is_read(tmp_path: Path) -> None:
    put(tmp_path, {"secret.txt": "key", "elsewhere/a.txt": "x", "in/own.txt": "mine"})
    (tmp_path / "in" / "link.txt").symlink_to(tmp_path / "secret.txt")
    (tmp_path / "in" / "folder").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "in" / "same.txt").symlink_to("own.txt")
    (tmp_path / "in" / "gone.txt").symlink_to("nowhere.txt")
    os.mkfifo(tmp_path / "in" / "pipe.txt")
    assert load_wildcards(tmp_path / "in").files == {"own": ("mine",), "same": ("mine",)}


def test_names_that_differ_by_case_only_are_told(tmp_path: Path) -> None:
    put(tmp_path, {"Cat.txt": "x", "cat.txt": "y"})
    if len(list(tmp_path.iterdir())) == 1:
        pytest.skip("this file system does not tell them apart")
    with pytest.raises(BatchError, match="differ by case"):
        load_wildcards(tmp_path)


def test_a_folder_that_is_none_or_holds_too_much_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BatchError, match="missing cannot be read"):
        load_wildcards(tmp_path / "missing")
    put(tmp_path, {"a.txt": "x" * 20, "b.txt": "x" * 20})
    monkeypatch.setattr(loading, "MAX_BYTES", 30)
    with pytest.raises(BatchError, match="too large"):
        load_wildcards(tmp_path)
    monkeypatch.setattr(loading, "MAX_FILES", 1)
    with pytest.raises(BatchError, match="too many"):
        load_wildcards(tmp_path)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ("prompt\n".encode("utf-16"), "UTF-16"),
        ("prompt\n".encode("utf-16-le"), "UTF-16"),
        ("ok\nä".encode("latin-1"), "Line 2 is not in UTF-8"),
    ],
)
def test_texts_in_other_encodings_are_refused_in_words(data: bytes, says: str) -> None:
    with pytest.raises(BatchError, match=says):
        decoded(data, "list.csv")


def test_lists_are_read_with_and_without_a_mark(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_bytes(b"\xef\xbb\xbfa\r\nb")
    assert read_text(path) == "a\r\nb"
    with pytest.raises(BatchError, match=r"nothing\.txt cannot be read"):
        read_text(tmp_path / "nothing.txt")


def test_a_folder_gives_its_own_files_only(tmp_path: Path) -> None:
    put(tmp_path, {"a.png": "", "b/c.png": ""})
    assert files_in(tmp_path) == (tmp_path / "a.png",)
    with pytest.raises(BatchError, match="cannot be read"):
        files_in(tmp_path / "a.png")
