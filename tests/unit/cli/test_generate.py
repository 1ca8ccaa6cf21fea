from pathlib import Path
from typing import Any

import pytest

from comfydesk.cli import build_parser
from comfydesk.cli.generate import find_field, read_value, values_of
from comfydesk.errors import UsageError
from comfydesk.workflow.fields import Field, Form, Kind, Role

FORM = Form(
    (
        Field("6.text", "Prompt", Kind.TEXT, "a sheep", Role.PROMPT),
        Field("7.text", "Negative prompt", Kind.TEXT, "", Role.NEGATIVE),
        Field("3.seed", "Seed", Kind.SEED, 1, Role.SEED),
        Field("3.steps", "Steps", Kind.INT, 20, Role.STEPS),
        Field("3.cfg", "Guidance", Kind.FLOAT, 8.0, Role.CFG),
        Field("3.scheduler", "Scheduler", Kind.CHOICE, "normal", Role.SCHEDULER, choices=("normal", 2, True)),
        Field("9.flag", "Flag", Kind.BOOL, False),
        Field("10.image", "Image", Kind.IMAGE, "a.png", Role.IMAGE),
        Field("5.width", "Width", Kind.INT, 512, Role.WIDTH),
        Field("15.width", "Width", Kind.INT, 512, Role.WIDTH),
        Field("11.curve", "Curve", Kind.OTHER, []),
    )
)


def given(*words: str) -> dict[str, Any]:
    args = build_parser("generate").parse_args(["generate", "w.json", *words])
    return values_of(args, FORM)


def test_words_find_their_fields() -> None:
    values = given("--prompt", "a cow", "--negative", "text", "--seed", str(2**64 - 1), "--set", "3.steps=8")
    assert values == {"6.text": "a cow", "7.text": "text", "3.seed": 2**64 - 1, "3.steps": 8}


def test_nothing_said_changes_nothing() -> None:
    assert given() == {}
    assert given("--seed", "random") == {}


def test_a_role_names_the_only_field_that_has_it() -> None:
    assert given("--set", "cfg=2.5", "--file", "image=/tmp/x.png") == {"3.cfg": 2.5, "10.image": Path("/tmp/x.png")}


def test_text_may_hold_equals_signs_and_be_empty() -> None:
    assert given("--set", "6.text=a=b=c", "--set", "7.text=") == {"6.text": "a=b=c", "7.text": ""}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--set", "99.x=1"), "no input 99.x"),
        (("--set", "width=1"), "5.width, 15.width"),
        (("--set", "3.steps=many"), "3.steps cannot be 'many'"),
        (("--set", "9.flag=perhaps"), "(?i)it takes bool"),
        (("--set", "11.curve=["), "11.curve cannot be"),
        (("--file", "3.steps=x.png"), "takes no file"),
    ],
)
def test_what_does_not_fit_is_told(words: tuple[str, ...], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        given(*words)


def test_a_form_without_a_prompt_says_so() -> None:
    args = build_parser("generate").parse_args(["generate", "w.json", "--prompt", "x"])
    with pytest.raises(UsageError, match="no prompt"):
        values_of(args, Form())


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("3.seed", "18446744073709551615", 18446744073709551615),
        ("9.flag", "True", True),
        ("9.flag", "no", False),
        ("3.scheduler", "2", 2),
        ("3.scheduler", "True", True),
        ("3.scheduler", "not offered", "not offered"),
        ("11.curve", '[{"x": 1}]', [{"x": 1}]),
    ],
)
def test_values_take_the_fields_own_type(name: str, text: str, value: Any) -> None:
    read = read_value(find_field(FORM, name), text)
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    "words", [("--seed", "-1"), ("--seed", "18446744073709551616"), ("--count", "0"), ("--set", "x")]
)
def test_impossible_words_are_usage_errors(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        given(*words)
    assert end.value.code == 2
    assert words[0] in capsys.readouterr().err
