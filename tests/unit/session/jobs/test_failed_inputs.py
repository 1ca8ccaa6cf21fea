"""What a node was given that failed: readable, short, and without anybody's keys."""

import pytest

from comfydesk.session.jobs.failed_inputs import HIDDEN, LONGEST, secrets_of, shown_inputs, without

GRAPH = {
    "3": {
        "class_type": "KSampler",
        "inputs": {"seed": 7, "cfg": 8.0, "model": ["4", 0], "text": ["6", 0], "on": True, "label": ""},
    },
}
TITLES = {"4": "Load Checkpoint", "6": ""}


def test_each_input_is_named_with_its_value_or_where_it_came_from() -> None:
    given = {"text": "a sheep", "seed": 7, "model": "<comfy.model_patcher.ModelPatcher object at 0x7f>"}
    assert shown_inputs(GRAPH, "3", given, TITLES) == {
        "seed": "7",
        "cfg": "8.0",
        "model": "from Load Checkpoint",
        "text": "a sheep (from 6)",
        "on": "true",
        "label": "",
    }


def test_of_a_node_that_the_graph_does_not_have_nothing_is_shown() -> None:
    assert shown_inputs(GRAPH, "99", {}, {}) == {}
    assert shown_inputs({"3": {"inputs": 5}}, "3", {}, {}) == {}
    assert shown_inputs({}, None, {}, {}) == {}


def test_what_is_long_is_cut_and_stands_on_one_line() -> None:
    shown = shown_inputs({"1": {"inputs": {"text": "many\nwords " * 100, "list": [1, 2, 3]}}}, "1", {}, {})
    assert len(shown["text"]) == LONGEST + 1
    assert "\n" not in shown["text"]
    assert shown["list"] == "[1, 2, 3]"


@pytest.mark.parametrize(
    "name", ["api_key", "apiKey", "HF_TOKEN", "password", "client_secret", "Authorization", "auth_token_comfy_org"]
)
def test_a_secret_is_known_by_the_name_of_its_input(name: str) -> None:
    inputs = {name: "abcd-1234", "steps": 5}
    assert shown_inputs({"1": {"inputs": inputs}}, "1", {}, {}) == {name: HIDDEN, "steps": "5"}
    assert without(secrets_of(inputs), "401 for abcd-1234") == f"401 for {HIDDEN}"


@pytest.mark.parametrize("name", ["max_tokens", "max_new_tokens", "token_count", "num_tokens", "tokenizer"])
def test_a_number_of_tokens_is_none(name: str) -> None:
    assert shown_inputs({"1": {"inputs": {name: 256}}}, "1", {}, {}) == {name: "256"}


@pytest.mark.parametrize(
    "text",
    [
        "https://me:hunter22@host/file",
        "key sk-abcdefghij0123456789",
        "hf_abcdefghijklmnopqrst is mine",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc",
    ],
)
def test_a_secret_is_known_by_its_look_in_any_text(text: str) -> None:
    (shown,) = shown_inputs({"1": {"inputs": {"url": text}}}, "1", {}, {}).values()
    assert HIDDEN in shown
    for part in ("hunter22", "abcdefghij", "eyJzdWI"):
        assert part not in shown
    assert HIDDEN in without((), f"Traceback: {text}")
