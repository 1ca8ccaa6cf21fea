"""`jobs` and `outputs` on a library that is there already."""

import json
import zipfile
from pathlib import Path

import pytest

from comfydesk import cli
from comfydesk.errors import KnownError
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


def test_jobs_are_held_released_cancelled_and_cleared_by_the_beginning_of_their_ids(
    library: Paths, capsys: pytest.CaptureFixture[str]
) -> None:
    db = Database(library.data / FILE_NAME)
    graph = workflows.put_document(db, {})
    for name in ("abc1", "abd2"):
        jobs.add(db, [Job(name, JobState.QUEUED, "w", "http://p:1", graph, {}, "", None, 0, 1.0)])
    db.close()

    def states(*words: str) -> dict[str, str]:
        assert run(library, "jobs", *words, "--json") == 0
        return {job["id"]: job["state"] for job in json.loads(capsys.readouterr().out)["jobs"]}

    assert states("--hold", "abc", "abd2") == {"abc1": "held", "abd2": "held", "j": "failed"}
    assert states("--release", "ABC") == {"abc1": "queued", "abd2": "held", "j": "failed"}
    assert states("--cancel", "abc1") == {"abc1": "cancelled", "abd2": "held", "j": "failed"}
    again = states("--retry", "j")
    assert sorted(again.values()) == ["cancelled", "failed", "held", "queued"]
    assert "j" not in states("--remove", "j")
    assert sorted(states("--clear").values()) == ["held", "queued"]


@pytest.mark.parametrize(("name", "says"), [("zzz", "No job has the id zzz"), ("ab", "fits 2 jobs")])
def test_an_id_that_fits_no_job_or_several_changes_nothing(
    library: Paths, capsys: pytest.CaptureFixture[str], name: str, says: str
) -> None:
    db = Database(library.data / FILE_NAME)
    graph = workflows.put_document(db, {})
    for job in ("abc1", "abd2"):
        jobs.add(db, [Job(job, JobState.QUEUED, "w", "http://p:1", graph, {}, "", None, 0, 1.0)])
    db.close()
    assert run(library, "jobs", "--cancel", "abc1", name) == 2
    assert says in capsys.readouterr().err
    assert run(library, "jobs", "--json") == 0
    assert {job["state"] for job in json.loads(capsys.readouterr().out)["jobs"]} == {"queued", "failed"}


def test_a_pod_is_shown_by_its_profiles_name(library: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(library, "pods", "add", "http://127.0.0.1:9", "--name", "Old workstation") == 0
    capsys.readouterr()
    assert run(library, "pods", "list", "--json") == 0
    (profile,) = [one for one in json.loads(capsys.readouterr().out)["pods"] if one["name"] == "Old workstation"]
    db = Database(library.data / FILE_NAME)
    graph = workflows.put_document(db, {})
    jobs.add(db, [Job("k", JobState.QUEUED, "w", profile["id"], graph, {}, "", None, 0, 1.0)])
    db.close()
    assert run(library, "jobs") == 0
    assert "Old workstation" in capsys.readouterr().out


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


def test_filters_and_copies_of_what_they_find(library: Paths, tmp_path: Path) -> None:
    assert run(library, "outputs", "--zip", str(tmp_path / "all"), "--limit", "1", "--template", "{prompt}") == 0
    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {"sheep two.png": b"two"}


def test_what_cannot_be_stripped_is_said_and_stays_behind(
    library: Paths, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(library, "outputs", "--strip", "--export", str(tmp_path / "export")) == 1
    assert "cannot be exported without its metadata" in capsys.readouterr().err
    assert list((tmp_path / "export").iterdir()) == []


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--strip"], "Say where to"),
        (["--album", "Cats"], "no album called Cats"),
        (["--export", "x", "--zip", "y"], "cannot both"),
        (["--export", "x", "--template", "{sed}"], "Did you mean {seed}"),
    ],
)
def test_what_cannot_be_meant_is_usage(
    library: Paths, words: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(library, "outputs", *words) == 2
    assert says in capsys.readouterr().err
