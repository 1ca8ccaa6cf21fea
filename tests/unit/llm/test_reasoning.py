"""Reasoning is taken out however the text is cut into pieces, and nothing else is."""

import pytest

from comfydesk.llm.reasoning import ReasoningFilter


def filtered(*pieces: str) -> str:
    reasoning = ReasoningFilter()
    return "".join([*map(reasoning.feed, pieces), reasoning.end()])


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a cat", "a cat"),
        ("<think>first</think> a cat", "a cat"),
        ("a < b <THINK>x</Think>c", "a < b c"),
        ("<thinking>no</thinking>a<reasoning>n</reasoning>b", "ab"),
        ("<|channel>thought hm<channel|>a cat", "a cat"),
        ("a <lora:ink:0.8> <<think>x</think>cat <thi", "a <lora:ink:0.8> <cat <thi"),
        ("a cat <think>never closed", "a cat "),
    ],
)
def test_whole_and_in_any_two_or_three_pieces(text: str, shown: str) -> None:
    assert filtered(text) == shown
    assert filtered(*text) == shown
    for at in range(len(text)):
        assert filtered(text[:at], text[at:]) == shown
        for later in range(at, len(text), 3):
            assert filtered(text[:at], text[at:later], text[later:]) == shown


def test_what_cannot_be_a_mark_is_shown_at_once() -> None:
    reasoning = ReasoningFilter()
    assert reasoning.feed("a cat <lora") == "a cat <lora"
    assert reasoning.feed(" <thin") == " "
    assert reasoning.feed("g>") == "<thing>"
