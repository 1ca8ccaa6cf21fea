"""What was typed survives: one file, replaced in one step, and read with distrust."""

from pathlib import Path

import pytest

from comfydesk.errors import StoreError
from comfydesk.session.shelves.drafts import DraftFile


def test_values_come_back_as_they_were(tmp_path: Path) -> None:
    file = DraftFile(tmp_path / "data" / "drafts.json")
    drafts = {
        "bundled/a.json": {
            "values": {
                "6.text": "ein Fuchs \U0001f98a",
                "3.seed": 2**64 - 1,
                "3.cfg": 7.5,
                "1.image": tmp_path / "a.png",
            },
            "locked": ["3.seed"],
            "count": 4,
        }
    }
    file.save(drafts)
    assert file.load() == drafts
    assert [path.name for path in file.path.parent.iterdir()] == ["drafts.json"]


def test_a_text_that_looks_like_a_path_stays_a_text(tmp_path: Path) -> None:
    file = DraftFile(tmp_path / "drafts.json")
    file.save({"w": {"values": {"1.text": "/etc/passwd"}}})
    assert file.load()["w"]["values"]["1.text"] == "/etc/passwd"
    assert isinstance(file.load()["w"]["values"]["1.text"], str)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"version": 99, "drafts": {}}', '{"version": 1, "drafts": 3}', "[" * 9999]
)
def test_a_file_that_is_none_of_ours_is_no_reason_to_stop(tmp_path: Path, text: str) -> None:
    path = tmp_path / "drafts.json"
    path.write_text(text)
    assert DraftFile(path).load() == {}


def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "drafts.json").mkdir()
    with pytest.raises(StoreError, match="cannot be kept"):
        DraftFile(tmp_path / "drafts.json").save({"w": {"values": {"a": 2}}})
