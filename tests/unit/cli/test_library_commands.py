"""`jobs` and `outputs` on a library that is there already."""

import json
from pathlib import Path

import pytest

from comfydesk import cli
from comfydesk.cli import outputs as command
from comfydesk.errors import DiskFullError, KnownError
from comfydesk.paths import Paths
from comfydesk.session.library import FILE_NAME
from comfydesk.store import jobs, outputs, workflows
from comfydesk.store.database import Database
from comfydesk.store.outputs import Identity
from comfydesk.store.records import Job, JobError, JobState, Output


@pytest.fixture
def library(paths: Paths) -> Paths:
    """One failed job, and two pictures of the same name in different folders."""
    db = Database(paths.data / FILE_NAME)
    graph = workflows.put_document(db, {})
    jobs.add(db, [Job("j", JobState.QUEUED, "Text to image", "http://p:1", graph, {}, "a sheep", 2**63, 0, 1.0)])
    jobs.transition(db, "j", JobState.FAILED, 2.0, error=JobError("KSampler failed", "boom"))
    for number, folder in enumerate(("one", "two")):
        path = paths.outputs / folder / "a.png"
        path.parent.mkdir(parents=True)
        path.write_bytes(folder.encode())
        output = Output(0, str(path), "image", 3, "ff", float(number), prompt=f"sheep {folder}", width=8, height=4)
        outputs.add(db, output, Identity("p", "output", folder, "a.png", "e"))
    db.close()
    return paths


def run(paths: Paths, *words: str) -> int:
    return cli.main([*words, "--data-dir", str(paths.data)])


def test_the_queue_as_stored(library: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(library, "jobs", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {
        "jobs": [
            {
                "id": "j",
                "state": "failed",
                "pod": "http://p:1",
                "workflow": "Text to image",
                "seed": 2**63,
                "outputs": [],
                "error": str(KnownError("KSampler failed", "boom")),
            }
        ]
    }
    assert run(library, "jobs") == 0
    assert "KSampler failed" in capsys.readouterr().out


def test_the_library_as_stored_newest_first(library: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(library, "outputs", "--json") == 0
    listed = json.loads(capsys.readouterr().out)["outputs"]
    assert [output["prompt"] for output in listed] == ["sheep two", "sheep one"]
    assert set(listed[0]) == {
        "path", "sha256", "media", "width", "height", "prompt", "seed", "workflow", "pod", "created"
    }  # fmt: skip


def test_a_search_finds_words_of_the_prompt(library: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(library, "outputs", "--search", "ONE sheep") == 0
    assert capsys.readouterr().out.splitlines() == [str(library.outputs / "one" / "a.png")]


def test_an_export_keeps_both_of_one_name_and_may_be_repeated(library: Paths, tmp_path: Path) -> None:
    for _ in range(2):
        assert run(library, "outputs", "--export", str(tmp_path / "export")) == 0
        found = {path.name: path.read_text() for path in (tmp_path / "export").iterdir()}
        assert found == {"a.png": "two", "a (2).png": "one"}


def test_a_full_disk_leaves_nothing_half_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "a.png"
    source.write_bytes(bytes(100_000))

    def full(_: object, target: Path) -> None:
        with target.open("wb") as file:
            file.write(bytes(10))
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("shutil.copy2", full)
    with pytest.raises(DiskFullError, match="cannot be copied"):
        command.export((Output(1, str(source), "image", 100_000, "", 0),), tmp_path / "export")
    assert list((tmp_path / "export").iterdir()) == []
