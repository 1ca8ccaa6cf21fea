"""Protected spans behind placeholders and back, whatever a model does to them."""

import random
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from comfydesk.llm.words.masking import Unmasker, mask, restore, verify
from tests.unit.llm.words.prompts import LOCKED, SPOILERS, prompts

PROMPT = 'a cafe with a neon sign saying "OPEN", (red hair:1.2) girl BREAK (blue:1.1) sky, __mood__ <lora:ink:0.8>'


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(prompts(), st.sampled_from(sorted(SPOILERS)), st.integers(0, 10**6))
def test_every_span_is_back_exactly_as_often_as_it_was(prompt: tuple[str, list[str]], spoiler: str, seed: int) -> None:
    text, spans = prompt
    masked = mask(text, LOCKED)
    assert not any(span in masked.text for span in spans)
    restored = restore(masked, SPOILERS[spoiler](masked.text, random.Random(seed)))
    assert restored.text is not None
    for span in spans:
        assert restored.text.count(span) == text.count(span)
    assert verify(masked, restored.text)


@pytest.mark.parametrize("spoiler", sorted(SPOILERS))
def test_what_was_lost_is_told(spoiler: str) -> None:
    masked = mask(PROMPT)
    answer = SPOILERS[spoiler](masked.text, random.Random(1))
    restored = restore(masked, answer)
    missing = [group.text for number, group in enumerate(masked.groups) if f"<k{number + 1}/>" not in answer]
    if spoiler in ("is empty", "says something else", "says a lot"):
        assert [span.text for span in restored.lost] == missing
        assert len(missing) == len(masked.groups)
    if spoiler in ("faithful", "translates", "quotes placeholders", "spells placeholders its way"):
        assert restored.faithful


def test_a_faithful_answer_is_taken_as_it_is() -> None:
    restored = restore(mask(PROMPT), "At dusk <k1/> glows, a <k2/> girl <k3/> <k4/> sky, <k5/> <k6/>.")
    assert restored.faithful
    assert restored.text == (
        'At dusk "OPEN" glows, a (red hair:1.2) girl BREAK (blue:1.1) sky, __mood__ <lora:ink:0.8>.'
    )


def test_spans_spelt_out_are_taken_for_their_placeholders() -> None:
    restored = restore(mask("a fox <lora:ink:0.8> (red:1.2)"), "a fine fox, (red:1.2), <lora:ink:0.8>")
    assert restored.faithful
    assert restored.text == "a fine fox, (red:1.2), <lora:ink:0.8>"


def test_syntax_of_its_own_is_taken_out() -> None:
    restored = restore(mask("a fox <lora:ink:0.8>"), "a (fine:1.4) fox <lora:more:1> {red|blue} __x__ BREAK <k1/>")
    assert restored.text == "a fine fox red x <lora:ink:0.8>"
    assert restored.invented == ("(fine:1.4)", "<lora:more:1>", "{red|blue}", "__x__", "BREAK")


def test_a_lost_quote_comes_back_with_the_words_that_led_to_it() -> None:
    restored = restore(mask('a cafe at night, a neon sign saying "OPEN", rain'), "A cosy cafe at night. Rain falls.")
    assert restored.text == 'A cosy cafe at night. Rain falls. A neon sign saying "OPEN".'


def test_a_weight_that_moved_behind_a_break_goes_back() -> None:
    restored = restore(mask("(red:1.2) hat BREAK (blue:1.1) coat"), "hat <k2/> coat <k3/> <k1/>")
    assert restored.text is not None
    assert restored.text.index("(red:1.2)") < restored.text.index("BREAK") < restored.text.index("(blue:1.1)")
    assert [span.text for span in restored.lost] == ["(red:1.2)"]


def test_a_prompt_may_hold_placeholders_of_its_own() -> None:
    masked = mask("keep <k1/> and <k7/>, a fox")
    restored = restore(masked, "a fox, <k2/> and <k1/>")
    assert restored.text == "a fox, <k7/> and <k1/>"


def test_the_eye_sees_spans_while_they_stream() -> None:
    masked = mask("a fox <lora:ink:0.8>, rain")
    for size in (1, 2, 3, 7, 50):
        unmasker = Unmasker(masked)
        answer = "A red fox <k1/> in heavy rain < 5"
        shown = [unmasker.feed(answer[start : start + size]) for start in range(0, len(answer), size)]
        assert "".join([*shown, unmasker.end()]) == "A red fox <lora:ink:0.8> in heavy rain < 5"
        assert not any("<k" in piece for piece in shown)


@pytest.mark.parametrize("blank", ["\t", " ", "\n", "\u2003", " \n"])
def test_an_answer_of_blanks_takes_no_time(blank: str) -> None:
    masked = mask("a (red:1.2) door", ["door"])
    began = time.process_time()
    restored = restore(masked, f"a {masked.text}{blank * 12_000}x(")
    assert time.process_time() - began < 1, "it took seconds"
    assert restored.text is not None
    assert len(restored.text) < 100
