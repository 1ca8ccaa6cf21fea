"""Texts made when a graph is sent. The expected ones without chance or clock were taken from the frontend."""

import random
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from comfydesk.errors import GraphError
from comfydesk.workflow.textvalues import dynamic_prompt, format_date, js_json, js_number, js_text, replace_text
from comfydesk.workflow.widgets import UNDEFINED

NOW = datetime(2026, 3, 7, 9, 5, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("x // y\n/* z */ {only} \\{k\\} {a", "x \n only {k} a"),
        ("see http://example", "see http:"),
        ("/* over\nlines */b", "b"),
        ("{}", ""),
        ("a } b | c", "a } b | c"),
        ("{{deep}}", "deep"),
        ("\\|", "|"),
        ("C:\\new", "C:\\new"),
        ("ends with \\", "ends with \\"),
    ],
)
def test_dynamic_prompts_without_chance(text: str, expected: str) -> None:
    assert dynamic_prompt(text, random.Random(0)) == expected


def test_each_option_is_drawn() -> None:
    rng = random.Random(0)
    drawn = {dynamic_prompt("a {red|{dark|light} green|} car", rng) for _ in range(200)}
    assert drawn == {"a red car", "a dark green car", "a light green car", "a  car"}


def test_the_same_chance_draws_the_same() -> None:
    assert dynamic_prompt("{a|b|c}{a|b|c}", random.Random(3)) == dynamic_prompt("{a|b|c}{a|b|c}", random.Random(3))


@pytest.mark.parametrize("text", ["{" * 3000, "{a|" * 3000 + "}" * 3000, "\\" * 5001, "/*" * 5000])
def test_monstrous_prompts_end(text: str) -> None:
    assert isinstance(dynamic_prompt(text, random.Random(0)), str)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("yyyy-MM-dd hh:mm:ss", "2026-03-07 09:05:01"),
        ("yy M d h m s", "26 3 7 9 5 1"),
        ("yyy", "yyy"),
        ("ddd", "077"),
    ],
)
def test_dates(text: str, expected: str) -> None:
    assert format_date(text, NOW) == expected


def test_file_names_are_filled_in() -> None:
    values: dict[tuple[str, str], Any] = {("Loader", "name"): "a/b:c*.png", ("Sampler", "cfg"): 8.0}

    def found(node: str, widget: str) -> tuple[Any] | None:
        return (values[node, widget],) if (node, widget) in values else None

    text = "%date:yyyyMMdd%/%Loader.name%_%Sampler.cfg%_%width%_%Nobody.x%_%a.b.c%_100%"
    assert replace_text(text, NOW, found) == "20260307/a_b_c_.png_8_%width%_%Nobody.x%_%a.b.c%_100%"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1.0, "1"),
        (-0.0, "0"),
        (1e-7, "1e-7"),
        (1.5e-5, "0.000015"),
        (-0.000001, "-0.000001"),
        (1e21, "1e+21"),
        (123456789012345680000.0, "123456789012345680000"),
        (0.1, "0.1"),
        (2**64 - 1, "18446744073709551615"),
        (float("nan"), "NaN"),
        (float("-inf"), "-Infinity"),
    ],
)
def test_numbers_as_javascript_writes_them(value: float, expected: str) -> None:
    assert js_number(value) == expected


def test_other_values_in_texts() -> None:
    values = [None, UNDEFINED, True, False, [1, [2.0, "x"]], {"a": 1}]
    assert [js_text(value) for value in values] == ["", "", "true", "false", "1,2,x", "[object Object]"]


def test_json_as_javascript_writes_it() -> None:
    assert js_json({"a": [1.0, None, True, "ü\n"], "b": float("nan")}) == '{"a":[1,null,true,"ü\\n"],"b":null}'
    assert js_json(UNDEFINED) is UNDEFINED


@pytest.mark.parametrize("text", ["%a.b%" * 5000, "%c.d%"], ids=["many", "long"])
def test_a_file_name_takes_no_more_than_a_path_can_hold(text: str) -> None:
    values = {"a": "x" * 4000, "c": "x" * 2**22}
    with pytest.raises(GraphError, match="too long for a file name"):
        replace_text(text, NOW, lambda node, _: (values[node],))


def test_values_of_any_depth_are_spelled() -> None:
    deep: Any = 1
    for _ in range(100_000):
        deep = [deep, {"a": []}]
    assert js_json(deep).startswith("[[[[")
    assert js_text(deep).startswith("1,[object Object],")
    assert js_json([[], {}, {"a": [1.0, None, "\u00e9"], "b": {}}]) == '[[],{},{"a":[1,null,"\u00e9"],"b":{}}]'
    assert js_text([[], [None, [1.0, [True]]], {}]) == ",,1,true,[object Object]"
    assert js_json(10**400) == "1" + "0" * 400


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a/*b", "a/*b"), ("/*/*/ c", " c"), ("/*x//y*/z/*", "z/*"), ("//*/ x\n/*", "\n/*"), ("/*//", "/*"), ("/", "/")],
)
def test_comments_that_never_end_stay(text: str, expected: str) -> None:
    assert dynamic_prompt(text, random.Random(0)) == expected


def test_a_million_comments_that_never_end_take_no_time() -> None:
    start = time.perf_counter()
    assert dynamic_prompt("/* " * 500_000, random.Random(0)) == "/* " * 500_000
    assert time.perf_counter() - start < 4
