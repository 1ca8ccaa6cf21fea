"""What is right or wrong: the tests that hold it, run once, counted. Nothing here is a time.

pytest tests/bench/test_must_show.py -s
"""

import json
import lzma
import subprocess
import sys
from importlib import resources
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from comfydesk.intent.match import understand
from comfydesk.workflow.catalog import Catalog
from comfydesk.workflow.fields import Role
from comfydesk.workflow.form import build_form
from comfydesk.workflow.parse import parse_workflow
from tests.bench.figures import record
from tests.bench.screens import environment

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests" / "data"
COMMAND = "pytest tests/bench/test_must_show.py -s"
LIMIT_S = 90

HELD = {
    "templates, blueprints and edge cases convert as in the frontend": "tests/unit/workflow/test_convert.py",
    "generated graphs: never anything but a GraphError": "tests/unit/workflow/test_generated.py",
    "inputs, main output and models agree with the official index": "tests/unit/workflow/test_scan.py",
    "workflows that mean harm end in one line": "tests/unit/workflow/test_parse.py",
    "faults of the line cost no job and send none twice": "tests/pod/session/test_session_soak.py",
    "no secret in any file, log, report or export": "tests/pod/session/test_session_secrets.py",
    "probe names the step that fails": "tests/unit/client/test_probe.py",
    "imports, thumbnails and fetching killed with -9 go on": "tests/pod/session/test_session_kill_import.py",
    "every file that a pod saves gives back its values": "tests/pod/session/test_session_round_trip.py",
    "protected spans come back from an engine that drops them": "tests/unit/llm/words/test_masking.py",
    "models: cut at 20 points, killed at 5, hashes, redirects, disk": "tests/unit/llm/test_fetch.py",
    "threats: every test that the page names exists": "tests/unit/test_threats.py",
    "what README and docs tell people to type": "tests/unit/test_docs_commands.py",
}


@pytest.mark.timeout(LIMIT_S + 10)
@pytest.mark.parametrize("words", HELD)
def test_held(words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = tmp_path / "found.xml"
    command = [sys.executable, "-m", "pytest", HELD[words], "-q", "-p", "no:cacheprovider", f"--junitxml={found}"]
    if not (ROOT / HELD[words]).exists():
        pytest.skip(f"there is no {HELD[words]}")
    ended = subprocess.run(
        [*command, f"--basetemp={tmp_path}/t"],
        cwd=ROOT,
        env=environment() | {"QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    suite = ET.parse(found).getroot()[0]
    ran, skipped = int(suite.attrib["tests"]), int(suite.attrib["skipped"])
    bad = int(suite.attrib["failures"]) + int(suite.attrib["errors"])
    with capsys.disabled():
        note = f"{ran - skipped - bad} of {ran - skipped} tests" + (f", {skipped} skipped" if skipped else "")
        right = record(words, (ran - skipped - bad) / max(1, ran - skipped) * 100, "%", "≥ 100", COMMAND, note)
    assert right.met, ended.stdout[-1500:]


def test_the_prompt_field_of_official_templates(capsys: pytest.CaptureFixture[str]) -> None:
    catalog = Catalog.from_object_info(json.loads(_data("object_info.json.xz")))
    wanted: dict[str, dict[str, str]] = json.loads(_data("prompts.json.xz"))
    right, longest = 0, 0
    with resources.as_file(resources.files("comfyui_workflow_templates_json") / "templates") as folder:
        for name, each in wanted.items():
            form = build_form(parse_workflow((folder / f"{name}.json").read_bytes()), catalog)
            right += each["text"] in [str(field.default or "")[:70] for field in form.with_role(Role.PROMPT)]
            longest = max(longest, sum(field.pinned for field in form.fields))
    with capsys.disabled():
        share = right / len(wanted) * 100
        found = [
            record("forms: the prompt a person would edit", share, "%", "≥ 95", COMMAND, f"of {len(wanted)}"),
            record("forms: fields on the first screen, at most", longest, "fields", "≤ 12", COMMAND),
        ]
    assert all(figure.met for figure in found)


def test_sentences_are_understood(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [json.loads(line) for line in (DATA / "intents.jsonl").read_text(encoding="utf-8").splitlines()]
    right = sum(understand(row["text"]).task == row["type"] for row in rows)
    with capsys.disabled():
        assert record("sentences: the right task", right / len(rows) * 100, "%", "≥ 95", COMMAND, f"of {len(rows)}").met


def _data(name: str) -> bytes:
    return lzma.decompress((DATA / name).read_bytes())
