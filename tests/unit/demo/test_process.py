"""The demo pod as a child process: it starts, answers, and ends with its parent."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from comfydesk.demo.process import DemoProcess
from comfydesk.errors import PodError


async def test_it_answers_and_ends(tmp_path: Path) -> None:
    pod = await DemoProcess.start(tmp_path)
    try:
        async with httpx.AsyncClient() as client:
            answer = await client.get(f"{pod.url}/system_stats")
        assert "draws" in answer.json()["devices"][0]["name"]
        assert pod.is_running()
    finally:
        await pod.stop()
    assert not pod.is_running()
    await pod.stop()


PARENT = """
import sys, time
from pathlib import Path
from comfydesk.demo.process import DemoProcess
pod = DemoProcess.launch(Path(sys.argv[1]))
print(pod._process.pid, flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks the child up in /proc")
def test_it_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path)], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        child = int(parent.stdout.readline())
        assert alive(child)
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait()
    deadline = time.monotonic() + 10
    while alive(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not alive(child)


def test_a_child_that_cannot_start_is_an_error_with_the_place_of_its_log(tmp_path: Path) -> None:
    folder = tmp_path / "pod"
    folder.mkdir()
    (folder / "input").write_text("a file where the folder should be")
    with pytest.raises(PodError, match=r"did not start.*demo-pod\.log"):
        DemoProcess.launch(folder)


def alive(pid: int) -> bool:
    """Runs; a zombie waiting for init counts as dead."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in ("Z", "X")


def command(*arguments: str, folder: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "comfydesk", "demo", "--data-dir", str(folder), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.skipif(sys.platform == "win32", reason="SIGINT")
def test_the_command_prints_its_address_until_it_is_interrupted(tmp_path: Path) -> None:
    with command("--json", folder=tmp_path) as running:
        assert running.stdout
        assert running.stderr
        line = running.stdout.readline() + running.stdout.readline() + running.stdout.readline()
        url = json.loads(line)["url"]
        assert httpx.get(f"{url}/prompt").json() == {"exec_info": {"queue_remaining": 0}}
        with command("--port", url.rsplit(":", 1)[1], folder=tmp_path / "other") as second:
            said = second.communicate(timeout=20)[1]
        assert second.returncode == 1
        assert said.startswith("comfydesk: The demo pod cannot listen on 127.0.0.1:")
        assert said.count("\n") == 1
        running.send_signal(signal.SIGINT)
        rest, notes = running.communicate(timeout=20)
    assert rest == ""
    assert "no AI" in notes
    assert "Traceback" not in notes
    assert running.returncode == 130
