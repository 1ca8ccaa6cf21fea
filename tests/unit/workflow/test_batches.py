import random
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfydesk.workflow import batch_sources
from comfydesk.workflow.batch_sources import Axis
from comfydesk.workflow.batches import Batch, for_enqueue
from comfydesk.workflow.field_text import BatchError
from comfydesk.workflow.fields import Field, Form, Kind, Role
from comfydesk.workflow.form import sendable
from comfydesk.workflow.patch import SeedPolicy
from comfydesk.workflow.wildcards import Wildcards

PROMPT = Field("6.text", "Prompt", Kind.TEXT, "a {red|blue} sheep", Role.PROMPT, dynamic=True)
NEGATIVE = Field("7.text", "Negative prompt", Kind.TEXT, "", Role.NEGATIVE)
SEED = Field("3.seed", "Seed", Kind.SEED, 5, Role.SEED, minimum=0, maximum=2**64 - 1)
STEPS = Field("3.steps", "Steps", Kind.INT, 20, Role.STEPS)
CFG = Field("3.cfg", "Guidance", Kind.FLOAT, 8.0, Role.CFG)
WIDTH = Field("5.width", "Width", Kind.INT, 512, Role.WIDTH)
FORM = Form((PROMPT, NEGATIVE, SEED, STEPS, CFG, WIDTH))


def column(batch: Batch, field: str) -> list[Any]:
    return [one.values.get(field) for one in batch.sets()]


def axis(field: Field, count: int) -> Axis:
    return batch_sources.values(field, range(1, count + 1))


def test_nothing_varied_is_one_job_with_the_forms_values() -> None:
    batch = Batch(FORM, {"3.steps": 8}, wildcards=None)
    assert [dict(one.values) for one in batch.sets()] == [{"3.steps": 8}]
    assert batch.summary == "This makes 1 job"


def test_everything_multiplies_and_the_words_say_how() -> None:
    prompts = batch_sources.prompts(FORM, "cat\ndog\ncow")
    batch = Batch(FORM, {}, (prompts, batch_sources.seeds(FORM, (1, 2))), (axis(CFG, 4),), repeats=2)
    assert batch.total == 48
    assert batch.summary == "This makes 48 jobs: 3 prompts × 2 seeds × 2 times × 4 values of Guidance"  # noqa: RUF001


def test_the_first_list_varies_slowest_the_grids_columns_fastest() -> None:
    lists = (batch_sources.values(NEGATIVE, "ab"), batch_sources.seeds(FORM, (1, 2)))
    batch = Batch(FORM, {}, lists, (axis(CFG, 2), axis(WIDTH, 2)))
    found = [tuple(one.values[name] for name in ("7.text", "3.seed", "5.width", "3.cfg")) for one in batch.sets()]
    assert found == [(n, s, w, c) for n in "ab" for s in (1, 2) for w in (1, 2) for c in (1, 2)]
    assert next(batch.sets()).labels == ("a", "1", "1", "1")


# --- Seeds ---


def test_seeds_count_over_all_jobs_from_the_forms_own() -> None:
    prompts = batch_sources.prompts(FORM, "cat\ndog")
    batch = Batch(FORM, {"3.seed": 9}, (prompts,), repeats=2, seeds=SeedPolicy.INCREMENT)
    assert column(batch, "3.seed") == [9, 10, 11, 12]
    assert column(Batch(FORM, repeats=3, seeds=SeedPolicy.DECREMENT), "3.seed") == [None, 4, 3]
    assert column(Batch(FORM, repeats=3), "3.seed") == [None] * 3


def test_random_seeds_differ_from_job_to_job_but_not_from_one_reading_to_the_next() -> None:
    batch = Batch(FORM, repeats=50, seeds=SeedPolicy.RANDOM, entropy=1)
    assert len(set(column(batch, "3.seed"))) == 50
    assert column(batch, "3.seed") == column(batch, "3.seed")
    assert column(batch, "3.seed") != column(Batch(FORM, repeats=50, seeds=SeedPolicy.RANDOM, entropy=2), "3.seed")


@pytest.mark.parametrize("policy", [SeedPolicy.RANDOM, SeedPolicy.INCREMENT])
def test_the_cells_of_a_grid_differ_by_nothing_but_the_grid(policy: SeedPolicy) -> None:
    batch = Batch(FORM, {}, (), (axis(CFG, 3), axis(STEPS, 2)), repeats=4, seeds=policy)
    sheets: dict[int, set[tuple[Any, Any]]] = {}
    for one in batch.sets():
        assert one.cell is not None
        sheets.setdefault(one.cell.sheet, set()).add((one.values.get("3.seed"), one.values["6.text"]))
    assert [len(found) for found in sheets.values()] == [1, 1, 1, 1]
    assert len(set.union(*sheets.values())) == 4


def test_an_axis_that_sets_the_seed_goes_before_the_policy() -> None:
    batch = Batch(FORM, {}, (batch_sources.seeds(FORM, (7, 8)),), repeats=2, seeds=SeedPolicy.RANDOM)
    assert column(batch, "3.seed") == [7, 7, 8, 8]


def test_seeds_that_run_out_are_told_before_anything_is_made() -> None:
    full = Batch(FORM, {"3.seed": 2**64 - 2}, repeats=2, seeds=SeedPolicy.INCREMENT)
    assert column(full, "3.seed") == [2**64 - 2, 2**64 - 1]
    with pytest.raises(BatchError, match="seeds of Seed run out"):
        Batch(FORM, {"3.seed": 2**64 - 2}, repeats=3, seeds=SeedPolicy.INCREMENT).sets()


# --- Contradictions and bounds ---


def test_a_field_is_set_once() -> None:
    with pytest.raises(BatchError, match=r"Guidance \(3.cfg\) is set twice"):
        Batch(FORM, {}, (axis(CFG, 2),), (axis(CFG, 3),))


def test_a_grid_has_up_to_three_fields() -> None:
    with pytest.raises(BatchError, match="up to 3 inputs, not 4"):
        Batch(FORM, {}, (), (axis(CFG, 1), axis(STEPS, 1), axis(WIDTH, 1), axis(NEGATIVE, 1)))


def test_too_many_jobs_are_counted_at_once_and_none_is_built() -> None:
    batch = Batch(FORM, {}, (axis(CFG, 1000), axis(STEPS, 1000)), repeats=1000)
    assert batch.total == 10**9
    assert [one.number for one in batch.first(3)] == [0, 1, 2]
    with pytest.raises(BatchError, match=r"1,000,000,000 jobs.*up to 100,000"):
        batch.sets()


# --- Wildcards ---


def test_each_job_draws_its_own_words_and_records_what_they_were_drawn_from() -> None:
    batch = Batch(FORM, repeats=40, wildcards=Wildcards())
    sets = list(batch.sets())
    assert {one.values["6.text"] for one in sets} == {"a red sheep", "a blue sheep"}
    assert all(one.drawn == {"6.text": "a {red|blue} sheep"} for one in sets)


def test_a_preview_is_what_will_be_queued() -> None:
    batch = Batch(FORM, {"7.text": "{a|b|c|d}"}, repeats=20, seeds=SeedPolicy.RANDOM, entropy=5)
    assert batch.first(20) == tuple(batch.sets())


def test_without_wildcards_comfyuis_own_rule_is_left_to_draw() -> None:
    batch = Batch(FORM, {"7.text": "{a|b}"}, wildcards=None)
    one = next(batch.sets())
    assert (dict(one.values), dict(one.drawn)) == ({"7.text": "{a|b}"}, {})
    assert for_enqueue(FORM, one) == {"7.text": "{a|b}"}


def test_a_drawn_text_is_not_drawn_again_when_it_is_sent() -> None:
    wildcards = Wildcards({"odd": (r"\{x\|y\}",)})
    batch = Batch(FORM, {"6.text": '__odd__ {"a": {1|1}} // gone'}, repeats=30, wildcards=wildcards)
    for one in batch.sets():
        assert one.values["6.text"] == '{x|y} {"a": 1} '
        assert sendable(FORM, for_enqueue(FORM, one), random.Random(1))["6.text"] == one.values["6.text"]


PIECES = st.sampled_from(
    ["a ", "1", "{x|y}", "{a|{b|}}", "{", "}", "|", r"\{", r"\|", r"\}", "/", "//c\n", "/*d*/", "\n"]
)


@given(st.lists(PIECES, max_size=12), st.integers(0, 10))
def test_the_batch_wins_over_dynamic_prompts(pieces: list[str], entropy: int) -> None:
    # A lone backslash before a literal brace is left out: ComfyUI's syntax cannot say it.
    one = next(Batch(FORM, {"6.text": "{p|q}" + "".join(pieces)}, entropy=entropy).sets())
    assert sendable(FORM, for_enqueue(FORM, one), random.Random(entropy))["6.text"] == one.values["6.text"]


# --- Counts and labels, whatever the batch ---


@st.composite
def batches(draw: st.DrawFn) -> Batch:
    fields = draw(st.permutations([NEGATIVE, STEPS, CFG, WIDTH]))
    sizes = draw(st.lists(st.integers(1, 4), max_size=4))
    axes = [axis(field, size) for field, size in zip(fields, sizes, strict=False)]
    split = draw(st.integers(max(0, len(axes) - 3), len(axes)))
    return Batch(
        FORM,
        {},
        tuple(axes[:split]),
        tuple(axes[split:]),
        repeats=draw(st.integers(1, 3)),
        seeds=draw(st.sampled_from(SeedPolicy)),
        entropy=draw(st.integers(0, 9)),
    )


@given(batches())
def test_the_count_is_the_number_of_jobs(batch: Batch) -> None:
    if batch.seeds is SeedPolicy.DECREMENT and batch.total > 6:
        batch = Batch(FORM, {"3.seed": 1000}, batch.lists, batch.grid, batch.repeats, batch.seeds)
    sets = list(batch.sets())
    assert [one.number for one in sets] == list(range(batch.total))
    assert all(batch.job(one.number) == one for one in sets)


@given(batches())
def test_every_combination_comes_as_often_as_it_is_repeated(batch: Batch) -> None:
    ids = [field for part in (*batch.lists, *batch.grid) for field in part.fields]
    counts = Counter(tuple(batch.job(n).values[field] for field in ids) for n in range(batch.total))
    assert set(counts.values()) == {batch.repeats}
    for part in (*batch.lists, *batch.grid):
        for point in part.points:
            assert any(point.values.items() <= batch.job(n).values.items() for n in range(batch.total))


@given(batches())
def test_no_two_jobs_have_one_cell_and_all_cells_are_filled(batch: Batch) -> None:
    cells = [batch.job(n).cell for n in range(batch.total)]
    if not batch.grid:
        assert set(cells) == {None}
        return
    assert len(set(cells)) == batch.total
    places = {(cell.page, cell.row, cell.column) for cell in cells if cell is not None}
    assert len(places) == len(batch.pages) * len(batch.rows) * len(batch.columns)
    assert all(len(set(labels)) == len(labels) for labels in (batch.columns, batch.rows, batch.pages))
