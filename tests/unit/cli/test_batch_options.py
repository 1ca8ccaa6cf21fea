import io
import json
from pathlib import Path

import pytest

from comfydesk.cli import build_parser
from comfydesk.cli.batch_options import batch_of, preview, read_sources
from comfydesk.cli.context import Context
from comfydesk.cli.generate import values_of
from comfydesk.errors import KnownError, UsageError
from comfydesk.paths import Paths
from comfydesk.settings import Settings
from comfydesk.workflow.batches import Batch
from comfydesk.workflow.field_text import BatchError
from comfydesk.workflow.fields import Field, Form, Kind, Role
from comfydesk.workflow.patch import SeedPolicy

FORM = Form(
    (
        Field("6.text", "Prompt", Kind.TEXT, "a sheep", Role.PROMPT),
        Field("3.seed", "Seed", Kind.SEED, 1, Role.SEED),
        Field("3.steps", "Steps", Kind.INT, 20, Role.STEPS),
        Field("3.cfg", "Guidance", Kind.FLOAT, 8.0, Role.CFG),
        Field("10.image", "Image", Kind.IMAGE, "a.png", Role.IMAGE, choices=("a.png",)),
    )
)


def batch(*words: str) -> Batch:
    args = build_parser("generate").parse_args(["generate", "w.json", *words])
    sources = read_sources(args)
    assert sources is not None
    return batch_of(args, sources, FORM, values_of(args, FORM))


def context(paths: Paths, *, as_json: bool = False) -> tuple[Context, io.StringIO, io.StringIO]:
    out, err = io.StringIO(), io.StringIO()
    return Context(paths, Settings(), out, err, json=as_json), out, err


def test_without_an_option_of_batches_there_is_none() -> None:
    args = build_parser("generate").parse_args(["generate", "w.json", "--count", "3", "--seed", "random"])
    assert read_sources(args) is None


def test_all_options_multiply(tmp_path: Path) -> None:
    (tmp_path / "prompts.txt").write_text("a __animal__\n# no\na {big|small} house\n")
    (tmp_path / "table.csv").write_text("steps\n4\n8\n")
    (tmp_path / "in").mkdir()
    for name in ("10.png", "9.png", "x.txt"):
        (tmp_path / "in" / name).write_bytes(b"")
    (tmp_path / "cards").mkdir()
    (tmp_path / "cards" / "animal.txt").write_text("cat\n")
    given = batch(
        *("--prompts", str(tmp_path / "prompts.txt"), "--csv", str(tmp_path / "table.csv"), "--count", "2"),
        *("--folder", f"image={tmp_path / 'in'}", "--grid", "cfg=1,7.5,9", "--wildcards", str(tmp_path / "cards")),
    )
    assert given.total == 2 * 2 * 2 * 2 * 3 == len(list(given.sets()))
    first = given.job(0).values
    assert first == {"6.text": "a cat", "3.steps": 4, "10.image": tmp_path / "in" / "9.png", "3.cfg": 1.0}
    assert {one.values["6.text"] for one in given.sets()} == {"a cat", "a big house", "a small house"}


@pytest.mark.parametrize(
    ("words", "seeds"),
    [
        (("--seeds", "increment", "--count", "3", "--seed", "7"), [7, 8, 9]),
        (("--seeds", "decrement", "--count", "2", "--seed", "7"), [7, 6]),
        (("--seeds", "5,9-11"), [5, 9, 10, 11]),
    ],
)
def test_seeds_count_or_are_listed(words: tuple[str, ...], seeds: list[int]) -> None:
    assert [one.values["3.seed"] for one in batch(*words).sets()] == seeds


def test_seeds_may_be_random() -> None:
    for words in (("--seeds", "random"), ("--seed", "random", "--grid", "cfg=1")):
        assert batch(*words).seeds is SeedPolicy.RANDOM


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--seeds", "1,2", "--seed", "3"), "exclude each other"),
        (("--seeds", "increment", "--seed", "random"), "exclude each other"),
        (("--grid", "cfg=1,2", "--set", "cfg=3"), "3.cfg is set twice"),
        (("--grid", "cfg=1", "--grid", "cfg=2"), "set twice"),
        (("--grid", "nothing=1"), "no input 'nothing'"),
        (("--grid", "steps=1,x"), "whole number"),
        (("--folder", "image=/no/such/folder"), "cannot be read"),
        (("--prompts", "/no/such/list"), "list cannot be read"),
    ],
)
def test_what_does_not_go_together_is_told(words: tuple[str, ...], says: str) -> None:
    with pytest.raises((UsageError, BatchError), match=says):
        batch(*words)


@pytest.mark.parametrize("words", [("--seeds", "many"), ("--grid", "cfg"), ("--folder", "=x")])
def test_impossible_words_are_usage_errors(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        batch(*words)
    assert end.value.code == 2
    assert words[0] in capsys.readouterr().err


def test_a_dry_run_counts_and_shows_the_first(paths: Paths) -> None:
    words, out, _ = context(paths)
    assert preview(batch("--grid", "cfg=1,2,3,4,5,6,7", "--dry-run"), words) == 0
    lines = out.getvalue().splitlines()
    assert lines[:2] == ["This makes 7 jobs: 7 values of Guidance.", "1: 3.cfg=1.0"]
    assert lines[-1] == "… and 2 more"
    document, out, _ = context(paths, as_json=True)
    assert preview(batch("--seeds", "4,5", "--dry-run"), document) == 0
    assert json.loads(out.getvalue()) == {
        "total": 2,
        "summary": "This makes 2 jobs: 2 seeds",
        "jobs": [{"number": n, "labels": [str(n + 4)], "values": {"3.seed": n + 4}} for n in range(2)],
    }


def test_too_much_is_told_by_the_dry_run_too(paths: Paths) -> None:
    words, _, _ = context(paths)
    with pytest.raises(KnownError, match="up to 100,000"):
        preview(batch("--seeds", "1-1000", "--count", "1000"), words)
