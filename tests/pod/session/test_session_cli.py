"""The same, headless: `comfydesk generate` and `jobs --resume`, as a user or a script runs them."""

import http.server
import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from comfydesk import cli
from comfydesk.demo.process import DemoProcess
from comfydesk.session.jobs.follow import Pace
from comfydesk.workflow.parse import parse_workflow
from tests.pod.session.graphs import flat, picture, template


@pytest.fixture(scope="module")
def pod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A demo pod in a process of its own, for all tests here."""
    process = DemoProcess.launch(tmp_path_factory.mktemp("pod"), speed=20)
    yield process.url
    process.close()


@pytest.fixture
def write(tmp_path: Path) -> Any:
    """Puts a workflow into a file."""

    def put(graph: dict[str, Any] | bytes, name: str = "workflow.json") -> str:
        path = tmp_path / name
        path.write_bytes(graph if isinstance(graph, bytes) else json.dumps(graph).encode())
        return str(path)

    return put


class Result:
    """What a command left: exit code, stdout, stderr."""

    def __init__(self, code: int, captured: Any) -> None:
        self.code = code
        self.out: str = captured.out
        self.err: str = captured.err

    @property
    def document(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs a command in this process, with a library of this test's own."""
    # Nothing is under way for long on loopback.
    monkeypatch.setattr("comfydesk.session.session.Pace", partial(Pace, may_arrive=2.0))

    def call(*words: str) -> Result:
        code = cli.main([*words, "--data-dir", str(tmp_path / "data")])
        return Result(code, capsys.readouterr())

    return call


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def one_line(result: Result) -> str:
    """The only line on stderr that is no progress; and no traceback anywhere."""
    assert "Traceback" not in result.err + result.out
    (line,) = [line for line in result.err.splitlines() if line.startswith("comfydesk: ")]
    return line


# --- The main job ---------------------------------------------------------------------------------------------------


def test_a_workflow_ends_in_files_whose_paths_are_printed(run: Any, write: Any, pod: str, tmp_path: Path) -> None:
    done = run(
        "generate", write(picture()), "--pod", pod, "--prompt", "a cow", "--seed", "7", "-o", str(tmp_path / "out")
    )
    assert done.code == 0, done.err
    (path,) = [Path(line) for line in done.out.splitlines()]
    assert path.parent == tmp_path / "out" / "sub"
    with Image.open(path) as opened:
        embedded = parse_workflow(opened.info["prompt"])
    text = json.dumps(embedded.to_json() if hasattr(embedded, "to_json") else {})
    assert '"a cow"' in text
    assert '"seed": 7' in text
    assert "100%" in done.err or "%" in done.err


def test_a_batch_as_json(run: Any, write: Any, pod: str) -> None:
    done = run("generate", write(picture()), "--pod", pod, "--seed", "7", "--count", "3", "--json")
    assert done.code == 0, done.err
    jobs = done.document["jobs"]
    assert [job["seed"] for job in jobs] == [7, 8, 9]
    for job in jobs:
        assert set(job) == {"id", "status", "seed", "outputs", "error", "seconds"}
        assert (job["status"], job["error"]) == ("done", None)
        assert Path(job["outputs"][0]).is_file()
        assert job["seconds"] >= 0
    listed = run("outputs", "--json").document["outputs"]
    assert {output["path"] for output in listed} == {path for job in jobs for path in job["outputs"]}
    assert {output["seed"] for output in listed} == {7, 8, 9}


def test_a_local_file_goes_into_an_input(run: Any, write: Any, pod: str, tmp_path: Path) -> None:
    Image.new("RGB", (8, 8), (10, 20, 30)).save(tmp_path / "mine.png")
    graph = {
        "1": {"class_type": "LoadImage", "inputs": {"image": "example.png"}},
        "2": {"class_type": "ImageInvert", "inputs": {"image": ["1", 0]}},
        "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": "inv"}},
    }
    done = run("generate", write(graph), "--pod", pod, "--file", f"1.image={tmp_path / 'mine.png'}")
    assert done.code == 0, done.err
    with Image.open(done.out.strip()) as opened:
        assert opened.convert("RGB").getpixel((0, 0)) == (245, 235, 225)


def test_the_demo_pod_is_started_for_the_call_and_ends_with_it(run: Any, write: Any, tmp_path: Path) -> None:
    model = "demo-painter.safetensors"
    name = write(template("sd3.5_simple_example"))
    done = run("generate", name, "--pod", "demo", "--set", f"checkpoint={model}", "--set", "steps=2", "--json")
    assert done.code == 0, done.err
    (path,) = done.document["jobs"][0]["outputs"]
    again = run("inspect", path, "--json")
    assert again.code == 0, again.err
    assert again.document[0]["format"] == "ui"
    log = (tmp_path / "data" / "demo-pod" / "demo-pod.log").read_text()
    assert "Traceback" not in log


def test_a_workflow_that_makes_text_prints_it_and_one_that_saves_nothing_says_so(
    run: Any, write: Any, pod: str
) -> None:
    words = {"class_type": "PrimitiveString", "inputs": {"value": "a red sheep"}}
    said = run("generate", write({"1": words, "2": preview("PreviewAny", "source")}), "--pod", pod)
    assert (said.code, said.out) == (0, "a red sheep\n")
    shown = run("generate", write({"1": flat()["1"], "2": preview("PreviewImage", "images")}), "--pod", pod)
    assert (shown.code, shown.out) == (0, "")
    assert "saves nothing" in shown.err


def preview(kind: str, name: str) -> dict[str, Any]:
    return {"class_type": kind, "inputs": {name: ["1", 0]}}


# --- Bad input ------------------------------------------------------------------------------------------------------


def test_nobody_answers(run: Any, write: Any) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        done = run("generate", write(flat()), "--pod", url)
    assert done.code == 3
    assert "127.0.0.1" in one_line(done)
    assert run("jobs", "--json").document == {"jobs": []}


class Html(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b"<!doctype html><html><title>Welcome</title></html>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class' own name
        pass


def test_a_web_page_instead_of_a_pod(run: Any, write: Any) -> None:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Html)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        done = run("generate", write(flat()), "--pod", f"http://127.0.0.1:{server.server_port}")
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert done.code == 3
    one_line(done)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe\x00", b"[1, 2]", b'{"nodes": 5}', b'{"a": {"b": 1}}'])
def test_a_broken_workflow_file_is_told_before_any_pod_is_asked(run: Any, write: Any, content: bytes) -> None:
    done = run("generate", write(content), "--pod", "http://127.0.0.1:9")
    assert done.code == 1
    one_line(done)


def test_a_missing_file_a_missing_input_and_no_pod(run: Any, write: Any, pod: str) -> None:
    missing = run("generate", "nowhere.json", "--pod", pod)
    assert missing.code == 1
    assert "nowhere.json cannot be read" in one_line(missing)
    wrong = run("generate", write(flat()), "--pod", pod, "--set", "99.nothing=1")
    assert wrong.code == 2
    assert "no input 99.nothing" in one_line(wrong)
    assert run("generate", write(flat())).code == 2


def test_what_the_pod_lacks_is_named(run: Any, write: Any, pod: str) -> None:
    graph = flat() | {"3": {"class_type": "NoSuchNode", "inputs": {"images": ["1", 0]}}}
    done = run("generate", write(graph), "--pod", pod)
    assert done.code == 1
    assert "NoSuchNode" in one_line(done)


def test_a_value_that_the_pod_refuses_is_told_with_its_field(run: Any, write: Any, pod: str) -> None:
    done = run("generate", write(picture(width=99999)), "--pod", pod, "--json")
    assert done.code == 1
    assert "5.width" in one_line(done)
    (job,) = done.document["jobs"]
    assert job["status"] == "failed"
    assert "5.width" in job["error"]
    (kept,) = run("jobs", "--json").document["jobs"]
    assert kept["state"] == "failed"


# --- Ends before its time -------------------------------------------------------------------------------------------


def start(folder: Path, *words: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "comfydesk", *words, "--data-dir", str(folder / "data")]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for_progress(process: "subprocess.Popen[str]") -> None:
    assert process.stderr is not None
    line = process.stderr.readline()
    assert "%" in line, line + process.stderr.read()


def test_ctrl_c_cancels_the_job_on_the_pod(run: Any, write: Any, tmp_path: Path) -> None:
    process = DemoProcess.launch(tmp_path / "pod", speed=1)
    try:
        with start(tmp_path, "generate", write(picture(steps=400)), "--pod", process.url) as command:
            wait_for_progress(command)
            command.send_signal(signal.SIGINT)
            out, err = command.communicate(timeout=20)
        assert command.returncode == 130, err
        assert "Traceback" not in err
        assert out == ""
        (job,) = run("jobs", "--json").document["jobs"]
        assert job["state"] == "cancelled"
    finally:
        process.close()


def test_a_pod_that_dies_mid_job(run: Any, write: Any, tmp_path: Path) -> None:
    process = DemoProcess.launch(tmp_path / "pod", speed=1)
    words = (
        "generate",
        write(picture(steps=400)),
        "--pod",
        process.url,
        "--patience",
        "1",
        "-o",
        str(tmp_path / "out"),
    )
    try:
        with start(tmp_path, *words) as command:
            wait_for_progress(command)
            process.close()
            _, err = command.communicate(timeout=30)
    finally:
        process.close()
    assert command.returncode == 3
    lines = [line for line in err.splitlines() if line.startswith("comfydesk: ")]
    assert len(lines) == 1
    assert "no longer answers" in lines[0]
    assert "jobs --resume" in lines[0]
    (job,) = run("jobs", "--json").document["jobs"]
    assert job["state"] in ("running", "sent", "sending")
    assert files(tmp_path / "out") == []


def test_json_lists_the_jobs_also_when_the_pod_dies(run: Any, write: Any, tmp_path: Path) -> None:
    process = DemoProcess.launch(tmp_path / "pod", speed=1)
    words = ("generate", write(picture(steps=400)), "--pod", process.url, "--patience", "1", "--count", "2", "--json")
    try:
        with start(tmp_path, *words) as command:
            wait_for_progress(command)
            process.close()
            out, err = command.communicate(timeout=30)
    finally:
        process.close()
    assert command.returncode == 3
    assert "no longer answers" in err
    listed = json.loads(out)["jobs"]
    assert len(listed) == 2
    assert {job["status"] for job in listed} <= {"running", "sent", "sending", "queued"}
    # Nobody looks after them any more: what waited is cancelled at once.
    waiting = [job["id"] for job in listed if job["status"] == "queued"]
    after = run("jobs", "--json", *(["--cancel", *waiting] if waiting else []))
    assert {job["state"] for job in after.document["jobs"] if job["id"] in waiting} <= {"cancelled"}


def test_after_a_kill_resume_brings_everything_to_its_end(run: Any, write: Any, tmp_path: Path) -> None:
    process = DemoProcess.launch(tmp_path / "pod", speed=4)
    try:
        words = ("generate", write(picture(steps=20)), "--pod", process.url, "--seed", "1", "--count", "4")
        with start(tmp_path, *words) as command:
            wait_for_progress(command)
            command.kill()
            command.wait()
        resumed = run("jobs", "--resume", "--json")
        assert resumed.code == 0, resumed.err
        jobs = resumed.document["jobs"]
        assert {job["state"] for job in jobs} == {"done"}
        assert sorted(job["seed"] for job in jobs) == [1, 2, 3, 4]
        made = {path for job in jobs for path in job["outputs"]}
        assert len(made) == 4
        outputs = tmp_path / "data" / "outputs"
        assert {str(outputs / name) for name in files(outputs)} == made
        assert len(list((tmp_path / "pod" / "output" / "sub").iterdir())) == 4
    finally:
        process.close()


def test_resume_without_the_pod_says_so_and_keeps_the_job(run: Any, write: Any, tmp_path: Path) -> None:
    process = DemoProcess.launch(tmp_path / "pod", speed=1)
    try:
        with start(tmp_path, "generate", write(picture(steps=400)), "--pod", process.url) as command:
            wait_for_progress(command)
            command.kill()
            command.wait()
    finally:
        process.close()
    resumed = run("jobs", "--resume", "--patience", "0.5")
    assert resumed.code == 3
    assert "jobs --resume" in one_line(resumed)
    (job,) = run("jobs", "--json").document["jobs"]
    assert job["state"] in ("running", "sent", "sending")


# --- The queue, by hand ---------------------------------------------------------------------------------------------


def test_the_queue_is_held_reordered_doubled_and_let_go_by_hand(run: Any, write: Any, tmp_path: Path) -> None:
    process = DemoProcess.launch(tmp_path / "pod", speed=0.3)
    try:
        words = ("generate", write(picture(steps=60)), "--pod", process.url, "--seed", "1", "--count", "4")
        with start(tmp_path, *words) as command:
            wait_for_progress(command)
            command.kill()
            command.wait()

        def queue() -> list[tuple[int, str]]:
            return [(job["seed"], job["state"]) for job in run("jobs", "--json").document["jobs"]]

        def named(seed: int) -> str:
            return next(str(job["id"])[:13] for job in run("jobs", "--json").document["jobs"] if job["seed"] == seed)

        assert run("jobs", "--hold", "all").code == 0
        held = [seed for seed, state in queue() if state == "held"]
        assert held[-2:] == [3, 4]
        run("jobs", "--front", named(4))
        assert next(seed for seed, state in queue() if state == "held") == 4
        run("jobs", "--duplicate", named(4), "--release", named(3))
        assert sorted(queue())[-3:] == [(3, "queued"), (4, "held"), (4, "queued")]
        run("jobs", "--pause")
        run("jobs", "--release", "all")
        assert "held" not in dict(queue()).values()
        assert run("jobs", "--unpause").code == 0
        assert "nothing to look for" in run("jobs", "--look", named(3)).err
    finally:
        process.close()
    url, port = process.url, int(process.url.rpartition(":")[2])
    process = DemoProcess.launch(tmp_path / "pod", speed=1000, port=port)
    try:
        assert run("jobs", "--resume").code != 0, "what the pod has lost is unknown"
        (lost,) = [job["id"] for job in run("jobs", "--json").document["jobs"] if job["state"] == "unknown"][:1]
        looked = run("jobs", "--look", lost[:13], "--pod", url)
        assert looked.code == 0
        assert "still nothing" in looked.err
    finally:
        process.close()
    assert run("jobs", "--look", lost[:13], "--patience", "0.5").code == 3


# --- A full disk ----------------------------------------------------------------------------------------------------


MOUNT = 'mount -t tmpfs -o size={size} none "$1" && shift && exec "$@"'


def on_a_small_disk(folder: Path, size: str, *words: str) -> "subprocess.CompletedProcess[str]":
    """Run with `folder` on a disk of that size: a tmpfs in a mount namespace of its own; needs no rights."""
    folder.mkdir(exist_ok=True)
    command = [
        "unshare",
        "--user",
        "--map-root-user",
        "--mount",
        "sh",
        "-c",
        MOUNT.format(size=size),
        "sh",
        str(folder),
    ]
    return subprocess.run([*command, *words], capture_output=True, text=True, check=False, timeout=50)


def test_no_room_for_the_result(run: Any, write: Any, pod: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    if on_a_small_disk(out, "1m", "true").returncode:
        pytest.skip("no mount namespaces here")
    words = ("generate", write(picture()), "--pod", pod, "-o", str(out), "--data-dir", str(tmp_path / "data"))
    listing = ("sh", "-c", f'"$@"; code=$?; find {out} -type f >&2; exit $code', "sh")
    done = on_a_small_disk(out, "1m", *listing, sys.executable, "-m", "comfydesk", *words)
    assert done.returncode == 1
    lines = [line for line in done.stderr.splitlines() if line.startswith(("comfydesk: ", str(out)))]
    assert len(lines) == 1, "one line, and nothing half-written"
    assert "No room on the disk" in lines[0]
    (job,) = run("jobs", "--json").document["jobs"]
    assert job["state"] == "saving"
    assert "No room" in job["error"]
    # There is room now, and the result is still on the pod.
    resumed = run("jobs", "--resume")
    assert resumed.code == 0, resumed.err
    assert [Path(line).parent.parent for line in resumed.out.splitlines()] == [out]


def test_no_room_for_the_library(write: Any, pod: str, tmp_path: Path) -> None:
    data = tmp_path / "data"
    if on_a_small_disk(data, "1m", "true").returncode:
        pytest.skip("no mount namespaces here")
    words = ("generate", write(picture()), "--pod", pod, "--data-dir", str(data))
    done = on_a_small_disk(data, "40k", sys.executable, "-m", "comfydesk", *words)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("comfydesk: ")]
    assert len(lines) == 1
    assert "Make room" in lines[0]


def test_a_command_is_quick_to_start(tmp_path: Path) -> None:
    began = time.monotonic()
    subprocess.run([sys.executable, "-m", "comfydesk", "jobs", "--data-dir", str(tmp_path)], check=True)
    took = time.monotonic() - began
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", "import asyncio, sqlite3, argparse, json"], check=True)
    assert took < 8 * (time.monotonic() - began) + 0.5
