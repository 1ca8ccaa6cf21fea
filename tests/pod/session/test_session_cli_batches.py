"""Batches of `comfydesk generate` on a demo pod, as a user or a script runs them."""

import json
import re
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image

from comfydesk import cli
from comfydesk.demo.process import DemoProcess
from comfydesk.session.library import FILE_NAME
from comfydesk.store import jobs, workflows
from comfydesk.store.database import Database
from comfydesk.store.records import ANY, Job, JobState
from tests.pod.session.graphs import picture

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def pod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A demo pod in a process of its own, for all tests here."""
    process = DemoProcess.launch(tmp_path_factory.mktemp("pod"), speed=20)
    yield process.url
    process.close()


@pytest.fixture
def run(tmp_path: Path, pod: str, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `generate` on the picture workflow with a library of this test's own: exit code, stdout, stderr."""
    workflow = tmp_path / "workflow.json"
    workflow.write_text(json.dumps(picture()))

    def call(*words: str) -> tuple[int, str, str]:
        common = ("--pod", pod, "--data-dir", str(tmp_path / "data"), "-o", str(tmp_path / "out"))
        code = cli.main(["generate", str(workflow), *words, *common])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


def test_prompts_by_a_grid_end_in_files_and_a_labelled_sheet_each(run: Run, tmp_path: Path) -> None:
    (tmp_path / "prompts.txt").write_text("a {red|red} cow\n# no\na __animal__\n")
    (tmp_path / "cards").mkdir()
    (tmp_path / "cards" / "animal.txt").write_text("horse\n")
    words = ("--prompts", str(tmp_path / "prompts.txt"), "--wildcards", str(tmp_path / "cards"))
    code, out, err = run(*words, "--grid", "steps=1,2", "--grid", "cfg=2,8", "--seed", "7", "--json")
    assert code == 0, err
    listed = json.loads(out)["jobs"]
    assert [job["seed"] for job in listed] == [7] * 4 + [8] * 4
    made = []
    for job in listed:
        (path,) = job["outputs"]
        with Image.open(path) as image:
            sent = json.loads(image.info["prompt"])
        made.append((sent["6"]["inputs"]["text"], sent["3"]["inputs"]["steps"], sent["3"]["inputs"]["cfg"]))
    assert made == [(text, steps, cfg) for text in ("a red cow", "a horse") for cfg in (2, 8) for steps in (1, 2)]
    assert "This makes 8 jobs: 2 prompts" in err
    sheets = sorted((tmp_path / "out").glob("contact sheet*.png"))
    assert len(sheets) == 2
    with Image.open(sheets[0]) as sheet:
        assert min(sheet.size) > 2 * 384


def test_a_table_and_a_dry_run_that_queues_nothing(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "table.csv").write_bytes('\ufeffprompt;cfg\n"a cow,\nasleep";7,5\na dog;\n'.encode())
    table = ("--csv", str(tmp_path / "table.csv"))
    code, out, err = run(*table, "--dry-run", "--json")
    assert code == 0, err
    assert json.loads(out)["total"] == 2
    assert not (tmp_path / "out").exists()
    assert cli.main(["jobs", "--json", "--data-dir", str(tmp_path / "data")]) == 0
    assert json.loads(capsys.readouterr().out) == {"jobs": []}

    code, out, err = run(*table, "--json")
    assert code == 0, err
    texts = []
    for job in json.loads(out)["jobs"]:
        with Image.open(job["outputs"][0]) as image:
            inputs = json.loads(image.info["prompt"])
        texts.append((inputs["6"]["inputs"]["text"], inputs["3"]["inputs"]["cfg"]))
    assert texts == [("a cow,\nasleep", 7.5), ("a dog", 8.0)]


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("--grid", "sampler=euler,eulr"), 1, "cannot be 'eulr'.*The pod offers euler"),
        (("--grid", "nothing=1"), 1, "no input 'nothing'"),
        (("--prompts", "nowhere.txt"), 1, "nowhere.txt cannot be read"),
        (("--seeds", "1-1000", "--count", "1000"), 1, "1,000,000 jobs"),
    ],
)
def test_what_cannot_be_made_queues_nothing(
    run: Run, tmp_path: Path, words: tuple[str, ...], code: int, says: str
) -> None:
    ended, out, err = run(*words)
    assert (ended, out) == (code, "")
    assert re.search(says, err), err
    assert not (tmp_path / "out").exists()


def test_files_are_named_as_the_call_says_and_a_bad_template_queues_nothing(run: Run, tmp_path: Path) -> None:
    code, out, err = run("--template", "{workflow}/{seed}_{n}", "--seed", "9", "--count", "2")
    assert code == 0, err
    assert [Path(line).relative_to(tmp_path / "out").as_posix() for line in out.splitlines()] == [
        "workflow/9_1.png",
        "workflow/10_1.png",
    ]
    code, out, err = run("--template", "{sed}")
    assert (code, out) == (2, "")
    assert "Did you mean {seed}?" in err


def test_any_pod_takes_what_no_pod_is_named_for(run: Run) -> None:
    code, out, err = run("--any-pod", "--seed", "3", "--count", "3", "--json")
    assert code == 0, err
    assert [job["status"] for job in json.loads(out)["jobs"]] == ["done"] * 3


def test_jobs_for_any_pod_go_on_with_resume(tmp_path: Path, pod: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What a session left behind that never had a pod for it."""
    graph = {
        "1": {"class_type": "EmptyImage", "inputs": {"width": 8, "height": 8, "batch_size": 1, "color": 5}},
        "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "left"}},
    }
    db = Database(tmp_path / "data" / FILE_NAME)
    key = workflows.put_document(db, graph)
    job = Job(str(uuid.uuid4()), JobState.QUEUED, "w", "", key, {}, "", None, 0, 1.0, owner="gone", target=ANY)
    jobs.add(db, [job])
    db.close()
    assert cli.main(["jobs", "--resume", "--data-dir", str(tmp_path / "data")]) == 3
    assert "Give --pod" in capsys.readouterr().err
    assert cli.main(["jobs", "--resume", "--json", "--pod", pod, "--data-dir", str(tmp_path / "data")]) == 0
    (done,) = json.loads(capsys.readouterr().out)["jobs"]
    assert (done["state"], len(done["outputs"])) == ("done", 1)
