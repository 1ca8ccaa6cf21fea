"""A folder of 2,000 workflows: cold in the background while the loop never stalls over 50 ms, warm in under a tenth."""

import asyncio
import json
import time
from importlib import resources
from pathlib import Path

import pytest

from comfydesk.events import Feed
from comfydesk.session.library import FILE_NAME, Library
from comfydesk.session.shelves.scan import WorkflowScan
from tests.bench.figures import record

FILES = 2000
COMMAND = "pytest tests/bench/test_scan.py -s"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """2,000 different files, made from the official templates in turn."""
    target = tmp_path_factory.mktemp("workflows")
    with resources.as_file(resources.files("comfyui_workflow_templates_json") / "templates") as source:
        index = json.loads((source / "index.json").read_bytes())
        originals = [source / f"{entry['name']}.json" for category in index for entry in category["templates"]]
        for number in range(FILES):
            text = originals[number % len(originals)].read_text(encoding="utf-8")
            place = target / f"{number // 200:02}"
            place.mkdir(exist_ok=True)
            (place / f"{number:04}.json").write_text(f"{text}{' ' * (number // len(originals))}", encoding="utf-8")
    return target


async def watch_the_loop(stalls: list[float]) -> None:
    """Note how late the loop is, every 5 ms."""
    while True:
        before = time.perf_counter()
        await asyncio.sleep(0.005)
        stalls.append(time.perf_counter() - before - 0.005)


@pytest.mark.timeout(180)
def test_two_thousand_workflows(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # Without asyncio's debug mode, which the other tests run in: it is the loop itself that is measured here.
    cold, warm, stalls = asyncio.run(measured(folder, tmp_path))
    plain = parse_time(folder)
    with capsys.disabled():
        note = f"cold {cold:.2f} s (json.loads alone {plain:.2f} s), warm {warm * 1000:.0f} ms"
        found = [
            record(f"scan of {FILES:,} workflows: warm against cold", warm / cold, "times", "≤ 0.1", COMMAND, note),
            record(f"scan of {FILES:,}: longest stall of the loop", max(stalls) * 1000, "ms", "≤ 50", COMMAND),
        ]
    assert all(figure.met for figure in found)


async def measured(folder: Path, tmp_path: Path) -> tuple[float, float, list[float]]:
    library = Library(tmp_path / FILE_NAME, Feed())
    await library.open()
    stalls: list[float] = []
    watch = asyncio.create_task(watch_the_loop(stalls))
    try:
        scan = WorkflowScan(library)
        times = []
        for _ in range(2):
            started = time.perf_counter()
            entries = await scan.entries(folder, "folder")
            times.append(time.perf_counter() - started)
            assert len(entries) == FILES
            assert not [entry.name for entry in entries if entry.card.error]
        return times[0], times[1], stalls
    finally:
        watch.cancel()
        await library.close()


def parse_time(folder: Path) -> float:
    """Seconds that json.loads takes for the same files."""
    texts = [path.read_bytes() for path in folder.rglob("*.json")]
    started = time.perf_counter()
    for text in texts:
        json.loads(text)
    return time.perf_counter() - started
