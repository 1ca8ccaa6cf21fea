"""Values into graphs, field ids, and seeds from run to run."""

import random
from collections.abc import Callable
from typing import Any

import pytest

from comfydesk.errors import GraphError
from comfydesk.workflow.catalog import Catalog
from comfydesk.workflow.fields import Field, Kind
from comfydesk.workflow.graph import ApiGraph, ApiLink
from comfydesk.workflow.patch import SeedPolicy, apply_values, join_field, next_seed, plain_value, split_field


@pytest.fixture(scope="module")
def graph(api: Callable[..., ApiGraph]) -> ApiGraph:
    return api(
        {
            "103:44": ("CLIPTextEncode", {"text": "a cat", "clip": ["4", 1]}, "Prompt"),
            "7": (
                "ResizeImageMaskNode",
                {
                    "input": ["1", 0],
                    "resize_type": "match size",
                    "resize_type.match": ["1", 0],
                    "resize_type.crop": "disabled",
                    "scale_method": "area",
                },
            ),
            "v1.5": ("EmptyImage", {"width": 64}),
            "9": ("CurveEditor", {"curve": {"__value__": [[0, 0], [1, 1]], "__type__": "CURVE"}}),
        }
    )


def test_values_land_in_their_inputs_and_the_rest_is_shared(graph: ApiGraph) -> None:
    patched = apply_values(graph, {"103:44.text": "a dog"})
    assert patched.nodes["103:44"].inputs == {"text": "a dog", "clip": ApiLink("4", 1)}
    assert patched.nodes["103:44"].title == "Prompt"
    assert graph.nodes["103:44"].inputs["text"] == "a cat"
    assert all(patched.nodes[key] is graph.nodes[key] for key in ("7", "v1.5", "9"))
    assert list(patched.nodes) == list(graph.nodes)


def test_nothing_new_is_the_same_graph(graph: ApiGraph) -> None:
    assert apply_values(graph, {"103:44.text": "a cat"}) is graph
    assert apply_values(graph, {}) is graph


def test_true_is_not_one(graph: ApiGraph) -> None:
    one = apply_values(graph, {"v1.5.width": 1})
    assert apply_values(one, {"v1.5.width": True}).nodes["v1.5"].inputs["width"] is True


def test_a_list_is_wrapped_lest_it_be_a_link(graph: ApiGraph) -> None:
    patched = apply_values(graph, {"103:44.text": ["4", 1], "9.curve": [[0, 1]]})
    assert patched.nodes["103:44"].inputs["text"] == {"__value__": ["4", 1]}
    assert patched.nodes["9"].inputs["curve"] == {"__value__": [[0, 1]], "__type__": "CURVE"}
    assert plain_value(patched.nodes["9"].inputs["curve"]) == [[0, 1]]
    assert plain_value({"x": 1}) == {"x": 1}


@pytest.mark.parametrize("field", ["103:44.nope", "8.text", "text", "", ".text", "103:44."])
def test_an_unknown_field_is_named(graph: ApiGraph, field: str) -> None:
    with pytest.raises(GraphError) as caught:
        apply_values(graph, {field: 1})
    assert repr(field) in str(caught.value)


def test_a_linked_input_has_no_value_to_set(graph: ApiGraph) -> None:
    with pytest.raises(GraphError, match=r"'103:44\.clip' is linked to node 4"):
        apply_values(graph, {"103:44.clip": "x"})


@pytest.mark.parametrize(
    ("field", "parts"),
    [
        ("103:44.text", ("103:44", "text")),
        ("7.resize_type.crop", ("7", "resize_type.crop")),
        ("v1.5.width", ("v1.5", "width")),
    ],
)
def test_field_ids_split_at_the_node_they_name(graph: ApiGraph, field: str, parts: tuple[str, str]) -> None:
    assert split_field(field, graph) == parts
    assert join_field(*parts) == field


# --- Dynamic combos ---------------------------------------------------------------------------------------------


def test_a_new_choice_brings_its_inputs(graph: ApiGraph, catalog: Catalog) -> None:
    patched = apply_values(graph, {"7.resize_type": "scale dimensions", "7.resize_type.height": 7}, catalog)
    assert patched.nodes["7"].inputs == {
        "input": ApiLink("1", 0),
        "resize_type": "scale dimensions",
        "resize_type.crop": "disabled",
        "resize_type.width": 512,
        "resize_type.height": 7,
        "scale_method": "area",
    }


def test_the_same_choice_keeps_everything(graph: ApiGraph, catalog: Catalog) -> None:
    assert apply_values(graph, {"7.resize_type": "match size"}, catalog) is graph


def test_an_input_of_a_choice_not_taken_is_unknown(graph: ApiGraph, catalog: Catalog) -> None:
    with pytest.raises(GraphError, match=r"7\.resize_type\.height"):
        apply_values(graph, {"7.resize_type": "scale width", "7.resize_type.height": 7}, catalog)


@pytest.mark.parametrize("reverse", [False, True], ids=["choice first", "choice last"])
def test_what_only_the_old_choice_has_is_dropped_in_any_order(graph: ApiGraph, catalog: Catalog, reverse: bool) -> None:
    """A form of the old choice sends all its fields, whatever was chosen."""
    multiplied = apply_values(graph, {"7.resize_type": "scale by multiplier"}, catalog)
    values = [("7.resize_type", "scale width"), ("7.resize_type.multiplier", 3.0), ("7.scale_method", "lanczos")]
    patched = apply_values(multiplied, dict(reversed(values) if reverse else values), catalog)
    assert patched.nodes["7"].inputs == {
        "input": ApiLink("1", 0),
        "resize_type": "scale width",
        "resize_type.width": 512,
        "scale_method": "lanczos",
    }


@pytest.mark.parametrize("reverse", [False, True], ids=["outer first", "inner first"])
def test_choices_within_a_new_choice_can_be_set_at_once(
    api: Callable[..., ApiGraph], catalog: Catalog, reverse: bool
) -> None:
    graph = api({"1": ("SaveVideo", {"filename_prefix": "x", "format": "webm"})})
    wanted: dict[str, Any] = {"1.format": "mp4", "1.format.codec": "h264", "1.format.codec.encoding": "re-encode"}
    wanted["1.format.codec.encoding.crf"] = 11
    values = dict(reversed(wanted.items())) if reverse else wanted
    inputs = apply_values(graph, values, catalog).nodes["1"].inputs
    assert {f"1.{name}": inputs[name] for name in inputs if f"1.{name}" in wanted} == wanted


def test_what_an_outer_choice_took_and_an_inner_one_brings_back_is_set(
    api: Callable[..., ApiGraph], catalog: Catalog
) -> None:
    before: dict[str, Any] = {"1.format": "mp4", "1.format.codec": "h264", "1.format.codec.encoding": "re-encode"}
    before["1.format.codec.encoding.crf"] = 11
    graph = apply_values(api({"1": ("SaveVideo", {"format": "auto"})}), before, catalog)
    after = {**before, "1.format": "mkv", "1.format.codec.encoding.crf": 12}
    patched = apply_values(graph, after, catalog)
    inputs = patched.nodes["1"].inputs
    assert {f"1.{name}": inputs[name] for name in inputs if f"1.{name}" in after} == after
    assert apply_values(graph, {"1.format": "mkv"}, catalog).nodes["1"].inputs["format.codec.encoding.crf"] == 11
    assert apply_values(graph, {"1.format": "webm"}, catalog).nodes["1"].inputs == {
        "format": "webm",
        "format.codec": "auto",
    }


# --- Seeds ------------------------------------------------------------------------------------------------------


def seed_field(minimum: Any = 0, maximum: Any = 2**64 - 1, step: Any = None) -> Field:
    return Field("1.seed", "Seed", Kind.SEED, 0, minimum=minimum, maximum=maximum, step=step)


@pytest.mark.parametrize(
    ("policy", "last", "expected"),
    [
        (SeedPolicy.FIXED, 5, 5),
        (SeedPolicy.FIXED, -5, -5),
        (SeedPolicy.INCREMENT, 5, 6),
        (SeedPolicy.DECREMENT, 5, 4),
        (SeedPolicy.DECREMENT, 0, 0),
        (SeedPolicy.INCREMENT, 2**63, 2**63 + 1),
        (SeedPolicy.INCREMENT, 2**64 - 1, 2**64 - 1),
    ],
)
def test_counting_is_exact_and_stays_in_range(policy: SeedPolicy, last: int, expected: int) -> None:
    assert next_seed(policy, last, seed_field(), random.Random(0)) == expected


def test_counting_goes_by_the_step() -> None:
    assert next_seed(SeedPolicy.INCREMENT, 8, seed_field(step=8), random.Random(0)) == 16


@pytest.mark.parametrize(
    ("minimum", "maximum"), [(0, 2**64 - 1), (-(2**63), 2**63 - 1), (0, 100), (3, 3), (None, None)]
)
def test_drawn_seeds_survive_javascript(minimum: int | None, maximum: int | None) -> None:
    rng = random.Random(1)
    field = seed_field(minimum, maximum)
    drawn = [next_seed(SeedPolicy.RANDOM, 0, field, rng) for _ in range(200)]
    low = max(0 if minimum is None else minimum, -(2**50))
    high = min(2**50 if maximum is None else maximum, 2**50)
    assert all(low <= seed <= high for seed in drawn)
    assert len(set(drawn)) > 90 or high - low < 101


def test_drawn_values_keep_to_the_step() -> None:
    rng = random.Random(1)
    assert {next_seed(SeedPolicy.RANDOM, 0, seed_field(16, 64, 16), rng) for _ in range(100)} == {16, 32, 48}


@pytest.mark.parametrize("policy", list(SeedPolicy))
@pytest.mark.parametrize("odd", [float("inf"), float("-inf"), float("nan"), 10**400])
def test_bounds_and_steps_that_are_no_numbers_count_as_none(policy: SeedPolicy, odd: float) -> None:
    for field in (seed_field(maximum=odd), seed_field(minimum=-odd), seed_field(step=odd)):
        assert type(next_seed(policy, 5, field, random.Random(1))) is int


@pytest.mark.parametrize("seed", ["5", None, True, float("nan"), [5]])
def test_nothing_is_counted_from_what_is_no_number(seed: Any) -> None:
    assert next_seed(SeedPolicy.FIXED, seed, seed_field(), random.Random(0)) is seed
    assert type(next_seed(SeedPolicy.RANDOM, seed, seed_field(), random.Random(0))) is int
    with pytest.raises(GraphError, match="is no number"):
        next_seed(SeedPolicy.INCREMENT, seed, seed_field(), random.Random(0))
