"""ComfyUI's own frontend in Chromium against this program: same machine, same run, same ComfyUI, by turns.

    COMFYDESK_CHROMIUM=/usr/bin/chromium COMFYDESK_REAL_COMFYUI=…/main.py COMFYDESK_REAL_PYTHON=…/python \\
        pytest tests/bench/test_frontend.py -s

Cold load: a fresh profile for the browser, a fresh data folder for the program; the system's cache of files is warm
for both. The frontend counts from the navigation (the browser is open already) to the moment when its graph, canvas and
node definitions are there and no spinner turns; the program counts from the start of its process to the moment when it
is on the pod, knows its nodes, shows a workflow's form, and Generate can be pressed. Memory: PSS of all processes, the
same workflow open. Opening: the frontend until loadGraphData returns, without a frame; the program until the form in
its panel is painted. Then the graph that is sent is made: graphToPrompt, and to_api.
"""

import asyncio
import json
import lzma
import os
import statistics
import subprocess
import sys
import time
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from tests.bench import frontend
from tests.bench.figures import record
from tests.bench.screens import memory, tree
from tests.bench.test_app import window

ROOT = Path(__file__).parents[2]
COMMAND = "pytest tests/bench/test_frontend.py -s"
ROUNDS = 3
SETTLE_S = 8.0
JOBS = 100
MOST_S = 75.0
"""For the frontend's way through the templates: what it has not opened by then, the program need not either."""

pytestmark = pytest.mark.skipif(
    not {frontend.CHROMIUM, frontend.SERVER} <= set(os.environ),
    reason=f"{frontend.CHROMIUM} and {frontend.SERVER} name no browser and no ComfyUI",
)


def simple() -> dict[str, Any]:
    """A workflow that every ComfyUI runs without a model, each job another colour."""
    control = {"name": "value", "type": "INT", "link": None, "widget": {"name": "value"}}
    color = {"name": "color", "type": "INT", "link": 1, "widget": {"name": "color"}}
    nodes = [
        {"id": 1, "type": "PrimitiveInt", "inputs": [control], "widgets_values": [1, "increment"],
         "outputs": [{"name": "INT", "type": "INT", "links": [1]}]},
        {"id": 2, "type": "EmptyImage", "inputs": [color], "widgets_values": [64, 64, 1, 0],
         "outputs": [{"name": "IMAGE", "type": "IMAGE", "links": [2]}]},
        {"id": 3, "type": "SaveImage", "inputs": [{"name": "images", "type": "IMAGE", "link": 2}],
         "widgets_values": ["bench"], "outputs": []},
    ]  # fmt: skip
    for number, node in enumerate(nodes):
        node |= {
            "pos": [number * 350, 0],
            "size": [300, 150],
            "flags": {},
            "order": number,
            "mode": 0,
            "properties": {},
        }
    links = [[1, 1, 0, 2, 0, "INT"], [2, 2, 0, 3, 0, "IMAGE"]]
    return {"last_node_id": 3, "last_link_id": 2, "nodes": nodes, "links": links, "groups": [], "version": 0.4}


def write_templates(folder: Path) -> list[Path]:
    """The official templates that the conversion is judged by, as files."""
    cases = json.loads(lzma.decompress((ROOT / "tests" / "data" / "convert_templates.json.xz").read_bytes()))
    folder.mkdir()
    with resources.as_file(resources.files("comfyui_workflow_templates_json") / "templates") as source:
        for name in cases:
            (folder / f"{name}.json").write_bytes((source / f"{name}.json").read_bytes())
    return sorted(folder.glob("*.json"))


async def theirs(url: str, folder: Path, files: list[Path]) -> dict[str, Any]:
    """The frontend: templates, then the simple workflow many times; times in seconds."""
    async with frontend.chromium(folder / "profile") as page:
        await page.load(url)
        await asyncio.sleep(3)
        await page.open(json.dumps(simple()))
        queued = await page.queue(JOBS)
        opened: dict[str, dict[str, Any]] = {}
        until = time.monotonic() + MOST_S
        for path in files:
            if time.monotonic() > until:
                break
            opened[path.stem] = await page.open(path.read_text(encoding="utf-8"))
        return {"opened": opened, "queued": queued}


async def their_start(url: str, folder: Path, *, measure: bool) -> tuple[float, float, float]:
    """Seconds of the navigation, seconds from the browser's start, and MB if that is to be measured."""
    async with frontend.chromium(folder) as page:
        begun = time.monotonic() - page.spawned
        took = await page.load(url)
        taken = 0.0
        if measure:
            await page.open(json.dumps(simple()))
            await asyncio.sleep(SETTLE_S)
            taken = memory(tree(page.pid))
        return took, begun + took, taken


def ours(display: dict[str, str], work: list[str], data: Path, url: str, workflow: Path) -> dict[str, Any]:
    """What app_child found."""
    command = [sys.executable, "-m", "tests.bench.app_child", *work, "--data-dir", str(data), "--pod", url]
    done = subprocess.run(
        [*command, str(workflow)], cwd=ROOT, env=display, capture_output=True, text=True, timeout=200, check=False
    )
    assert done.returncode == 0, done.stderr[-1000:]
    found: dict[str, Any] = {}
    for line in done.stdout.splitlines():
        found |= json.loads(line)
    return found


@pytest.mark.timeout(400)
def test_against_the_official_frontend(
    display: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workflow = tmp_path / "simple.json"
    workflow.write_text(json.dumps(simple()), encoding="utf-8")
    files = write_templates(tmp_path / "templates")
    with frontend.server(tmp_path / "comfy") as url:
        starts = [start_both(display, tmp_path / str(number), url, workflow, number) for number in range(ROUNDS)]
        own, navigated, spawned = (statistics.median(column[at] for column in starts) for at in range(3))
        met = []
        with capsys.disabled():
            note = f"program {own:.2f} s; frontend {navigated:.2f} s ({spawned:.2f} s with its browser's start)"
            name = "frontend: cold load to usable, ours / theirs"
            met.append(record(name, own / navigated, "times", "≤ 0.15", COMMAND, f"{note}; {ROUNDS} rounds"))
            mine, browser = (max(column[at] for column in starts) for at in (3, 4))
            note = f"program {mine:.0f} MB, Chromium with the frontend {browser:.0f} MB, all processes, same workflow"
            met.append(record("frontend: memory, ours / theirs", mine / browser, "times", "≤ 0.25", COMMAND, note))
            told = queue_both(display, tmp_path, url, workflow, files)
            met += told
    assert all(figure.met for figure in met)


def start_both(
    display: dict[str, str], folder: Path, url: str, workflow: Path, number: int
) -> tuple[float, float, float, float, float]:
    """Seconds of ours, theirs, theirs with the browser; MB of ours and theirs in the last round, else 0."""
    measure = number == ROUNDS - 1
    with window(display, folder / "data", "--pod", url, str(workflow)) as (process, moments):
        if measure:
            time.sleep(SETTLE_S)
        mine = memory(tree(process.pid)) if measure else 0.0
    took, spawned, taken = asyncio.run(their_start(url, folder / "profile", measure=measure))
    return moments["ready"], took, spawned, mine, taken


def queue_both(display: dict[str, str], folder: Path, url: str, workflow: Path, files: list[Path]) -> list[Any]:
    """Many jobs, then all templates; what has a goal."""
    mine = ours(display, ["queue", str(JOBS)], folder / "queue", url, workflow)
    their = asyncio.run(theirs(url, folder, files))
    for moment, words in (("listed", "in the queue"), ("done", "done")):
        note = f"program {mine[moment]:.2f} s, frontend {their['queued'][moment]:.2f} s"
        note += "; ours on the disk, each result fetched" if moment == "done" else ""
        name = f"frontend: {JOBS} jobs by one press, {words}, ours / theirs"
        record(name, mine[moment] / their["queued"][moment], "times", "", COMMAND, note)
    opened = {name: found for name, found in their["opened"].items() if "error" not in found}
    chosen = folder / "chosen"
    chosen.mkdir()
    for name in opened:
        (chosen / f"{name}.json").write_bytes((folder / "templates" / f"{name}.json").read_bytes())
    found = ours(display, ["templates", str(chosen)], folder / "open", url, workflow)
    sums = [sum(found[key]) for key in ("opened", "converted")]
    their_sums = [sum(each[key] for each in opened.values()) for key in ("opened", "converted")]
    median, their_median = (
        statistics.median(times) * 1000 for times in (found["opened"], [each["opened"] for each in opened.values()])
    )
    note = (
        f"{len(opened)} of {len(files)} templates: program {sums[0]:.1f} + {sums[1]:.1f} s "
        f"(median {median:.0f} ms), frontend {their_sums[0]:.1f} + "
        f"{their_sums[1]:.1f} s (median {their_median:.0f} ms); "
        f"{len(found['failed'])} not opened by the program"
    )
    name = "frontend: all templates opened and converted, ours / theirs"
    return [
        record(name, sum(sums) / sum(their_sums), "times", "≤ 1", COMMAND, note),
        record("frontend: templates that only the frontend opens", len(found["failed"]), "files", "≤ 0", COMMAND),
    ]
