"""How much longer parsing and converting takes than reading the JSON alone. Run by `make bench`."""

import json
import lzma
import statistics
import time
from collections.abc import Callable
from importlib import resources
from pathlib import Path

from comfydesk.workflow.catalog import Catalog
from comfydesk.workflow.convert import to_api
from comfydesk.workflow.parse import parse_workflow
from tests.bench.figures import record

DATA = Path(__file__).parents[1] / "data"
ROUNDS = 7
GOAL = 6.0
COMMAND = "pytest tests/bench/test_convert_speed.py -s"


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def test_parse_and_convert_all_templates_within_six_times_json_loads() -> None:
    catalog = Catalog.from_object_info(json.loads(lzma.decompress((DATA / "object_info.json.xz").read_bytes())))
    with resources.as_file(resources.files("comfyui_workflow_templates_json") / "templates") as folder:
        paths = [path for path in sorted(folder.glob("*.json")) if not path.name.startswith(("index", "fuse_options"))]
        texts = [path.read_bytes() for path in paths]
    read, parse, both = [], [], []
    cold = seconds(lambda: [to_api(parse_workflow(text), catalog) for text in texts])
    for _ in range(ROUNDS):  # in turns, so that a busy machine slows all alike
        read.append(seconds(lambda: [json.loads(text) for text in texts]))
        parse.append(seconds(lambda: [parse_workflow(text) for text in texts]))
        both.append(seconds(lambda: [to_api(parse_workflow(text), catalog) for text in texts]))
    loads, parsed, total = (statistics.median(times) for times in (read, parse, both))
    note = (
        f"{len(texts)} templates, {sum(map(len, texts)) / 2**20:.1f} MiB: json.loads {loads * 1e3:.0f} ms, parse "
        f"{parsed * 1e3:.0f} ms, both {total * 1e3:.0f} ms, the first time {cold * 1e3:.0f} ms; {ROUNDS} rounds"
    )
    name = "all templates parsed and converted, against json.loads of them"
    assert record(name, total / loads, "times", f"≤ {GOAL}", COMMAND, note).met
