"""`kill -9` of the program in the middle of a batch, again and again; and what must be true in the end."""

import json
import random
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.request
from contextlib import closing
from pathlib import Path
from typing import Any

from comfydesk.demo.process import DemoProcess
from tests.pod.session.graphs import picture

# The real command line. Nothing is under way for long on loopback: so an unanswered POST is soon believed lost.
LAUNCH = """
import sys
from functools import partial
from comfydesk.session import session
session.Pace = partial(session.Pace, may_arrive=2.0)
from comfydesk.cli import main
sys.exit(main(sys.argv[1:]))
"""
PREFIX = "sub/pic"


class Batch:
    """One batch of jobs on a demo pod in a process of its own, all in `folder`."""

    def __init__(self, folder: Path, jobs: int, speed: float) -> None:
        self.folder = folder
        self.jobs = jobs
        self.data = folder / "data"
        self.killed_at: list[dict[str, int]] = []
        """For each kill before the batch was over: how many jobs were in which state."""
        self._pod = DemoProcess.launch(folder / "pod", speed=speed)
        self._workflow = folder / "workflow.json"
        self._workflow.write_text(json.dumps(picture(steps=2)))

    def close(self) -> None:
        self._pod.close()

    def run(self, points: int, rng: random.Random) -> None:
        """Begin it, kill it at `points` random moments, and bring it to its end."""
        words = ["generate", str(self._workflow), "--pod", self._pod.url, "--seed", "1", "--count", str(self.jobs)]
        first = self._start(*words)
        while not self.states():  # the batch exists from when it is on disk
            assert first.poll() is None, "it ended before the batch was queued"
            time.sleep(0.01)
        self._kill(first, rng.uniform(0, 0.6))
        for _ in range(points - 1):
            before = self.states()
            resumed = self._start("jobs", "--resume")
            # A quarter of them while it starts; the rest while it sends, follows and saves.
            if rng.random() < 0.75:
                while self.states() == before and resumed.poll() is None:
                    time.sleep(0.01)
            self._kill(resumed, rng.uniform(0, 0.8))
        last = self._start("jobs", "--resume", "--json")
        out, err = last.communicate(timeout=100)
        assert last.returncode == 0, err
        self.found = json.loads(out)["jobs"]

    def states(self) -> dict[str, int]:
        """What the library says now; empty as long as there is none."""
        path = self.data / "library.sqlite"
        if not path.exists():
            return {}
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as library:
            try:
                return dict(library.execute("SELECT state, count(*) FROM jobs GROUP BY state").fetchall())
            except sqlite3.OperationalError:  # it is just being made
                return {}

    def check(self) -> None:
        """Every picture is here once, equal to the pod's; each job ran once, and in its order."""
        assert [job["state"] for job in self.found] == ["done"] * self.jobs
        paths = {job["seed"]: job["outputs"] for job in self.found}
        assert sorted(paths) == list(range(1, self.jobs + 1))
        assert [len(made) for made in paths.values()] == [1] * self.jobs
        ours = sorted(path for path in (self.data / "outputs").rglob("*") if path.is_file())
        assert ours == sorted(Path(made[0]) for made in paths.values()), "nothing else, and nothing half-written"
        theirs = sorted((self.folder / "pod" / "output").rglob("*.png"))
        assert [path.read_bytes() for path in ours] == [path.read_bytes() for path in theirs]
        ran = [entry["prompt"][2]["3"]["inputs"]["seed"] for entry in self._history().values()]
        assert ran == list(range(1, self.jobs + 1)), "each once, in order"

    def _history(self) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self._pod.url}/history") as answer:
            found: dict[str, Any] = json.load(answer)
        return found

    def _start(self, *words: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-c", LAUNCH, *words, "--data-dir", str(self.data)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def _kill(self, process: "subprocess.Popen[str]", after: float) -> None:
        try:
            _, err = process.communicate(timeout=after)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            _, err = process.communicate()
            states = self.states()
            if states != {"done": self.jobs}:
                self.killed_at.append(states)
        assert "Traceback" not in err, err


class TakenUnsaid:
    """A pod and the program, both killed when the pod has taken three jobs of which two are not written down yet."""

    # That they are short is known at once; how long their note may wait is stretched, to be killed within it.
    PATIENT = LAUNCH.replace(
        "from comfydesk.cli import main",
        "from comfydesk.session.jobs import follow\n"
        "from comfydesk.session.jobs.timings import Stopwatch\n"
        "follow.NOTED_WITHIN = 3600.0\n"
        "Stopwatch.whole = lambda _: 0.01\n"
        "session.Pace = partial(session.Pace, poll=3600.0)\n"
        "from comfydesk.cli import main",
    )

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._library = folder / "data" / "library.sqlite"
        self._pod = DemoProcess.launch(folder / "pod", speed=1)
        self._url = self._pod.url

    def close(self) -> None:
        self._pod.close()

    def kill_when_taken(self) -> dict[str, int]:
        """States in the library when both are gone."""
        assert self._start(LAUNCH, *self._generate(steps=1)).wait(60) == 0
        running = self._start(self.PATIENT, *self._generate(steps=400), "--count", "3")
        try:
            while len(self.on_pod()) < 3 or "running" not in self.states():
                assert running.poll() is None
                time.sleep(0.01)
        finally:
            running.kill()
            running.wait()
        self._pod.kill()
        return self.states()

    def states_after_resume(self) -> dict[str, int]:
        """The pod is started anew, and the program takes up what it knows of."""
        self._pod = DemoProcess.launch(self.folder / "pod", speed=20, port=int(self._url.rpartition(":")[2]))
        resumed = self._start(LAUNCH, "jobs", "--resume")
        resumed.wait(60)
        return self.states()

    def on_pod(self) -> list[str]:
        """Ids of what runs and waits there."""
        with urllib.request.urlopen(f"{self._url}/queue") as answer:
            found = json.load(answer)
        return [entry[1] for entry in (*found["queue_running"], *found["queue_pending"])]

    def states(self) -> dict[str, int]:
        """What the library says now."""
        with closing(sqlite3.connect(f"file:{self._library}?mode=ro", uri=True)) as library:
            return dict(library.execute("SELECT state, count(*) FROM jobs GROUP BY state").fetchall())

    def _generate(self, *, steps: int) -> tuple[str, ...]:
        workflow = self.folder / f"{steps}.json"
        workflow.write_text(json.dumps(picture(steps=steps)))
        return ("generate", str(workflow), "--pod", self._url)

    def _start(self, launch: str, *words: str) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-c", launch, *words, "--data-dir", str(self.folder / "data")]
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
