"""Comparing two wordings, and taking parts of the new one."""

import random
import time

from hypothesis import given
from hypothesis import strategies as st

from comfydesk.llm.words.diff import Change, accept, accept_sentences, compare

OLD = 'a fox in the snow, "OPEN" sign <lora:ink:0.8>'
NEW = 'A red fox stands in deep snow. <lora:ink:0.8> A wooden sign says "OPEN". Low sun from the left.'


def test_equal_words_stay_and_others_are_told() -> None:
    diff = compare("a fox in the snow", "a red fox in the deep snow")
    assert [(part.change, part.old, part.new) for part in diff.parts] == [
        (Change.EQUAL, "a ", "a "),
        (Change.INSERT, "", "red "),
        (Change.EQUAL, "fox in the ", "fox in the "),
        (Change.INSERT, "", "deep "),
        (Change.EQUAL, "snow", "snow"),
    ]


def test_a_word_is_taken_and_another_is_not() -> None:
    diff = compare("a fox in the snow", "a red fox in the deep snow")
    first, second = diff.changes
    assert accept(diff, {first}) == "a red fox in the snow"
    assert accept(diff, {second}) == "a fox in the deep snow"


def test_sentences_are_taken_one_by_one() -> None:
    diff = compare("A fox.", "A fox. Snow falls. The sun is low.")
    assert accept_sentences(diff, {1}) == "A fox. Snow falls."
    assert accept_sentences(diff, {2}) == "A fox. The sun is low."
    assert accept_sentences(diff, {0, 1, 2}) == "A fox. Snow falls. The sun is low."


def test_lists_are_taken_entry_by_entry() -> None:
    diff = compare("fox, snow", "fox, red fur, snow, low sun")
    assert len(diff.sentences) == 4
    assert accept_sentences(diff, {1}) == "fox, red fur, snow"


def test_a_protected_span_that_has_moved_is_there_once_whatever_is_taken() -> None:
    diff = compare(OLD, NEW)
    for number in range(1 << min(len(diff.changes), 8)):
        taken = {change for bit, change in enumerate(diff.changes) if number >> bit & 1}
        text = accept(diff, taken)
        assert text.count('"OPEN"') == 1, (taken, text)
        assert text.count("<lora:ink:0.8>") == 1, (taken, text)


def test_words_that_come_a_thousand_times_are_compared_in_no_time() -> None:
    old = "a door, " + "tag, " * 900 + "the end"
    new = "a door, " + "tag; other, " * 900 + "the end"
    began = time.process_time()
    diff = compare(old, new)
    assert time.process_time() - began < 1, "it took minutes"
    assert [part.change for part in diff.parts if part.change is Change.EQUAL] == [Change.EQUAL, Change.EQUAL]
    assert (diff.parts[0].old, diff.parts[-1].old[-7:]) == ("a door, tag", "the end")
    assert accept(diff, {part.number for part in diff.parts}) == new
    assert accept(diff, ()) == old
    assert compare(old, old).changes == ()


def test_texts_beyond_measure_are_one_replacement() -> None:
    diff = compare("a " * 5000, "b " * 10)
    assert [part.change for part in diff.parts] == [Change.REPLACE]


words = st.lists(
    st.sampled_from(["a", "fox", "snow,", "red.", "in", "the", "<lora:a:1>", "(b:1.2)", '"OPEN"', "\n", "low!"]),
    max_size=30,
).map(" ".join)


@given(words, words, st.integers(0, 10**6))
def test_nothing_is_lost_and_nothing_doubled(old: str, new: str, seed: int) -> None:
    diff = compare(old, new)
    assert "".join(part.old for part in diff.parts) == old
    assert "".join(part.new for part in diff.parts) == new
    assert accept(diff, ()) == old
    assert accept(diff, diff.changes) == (new if diff.changes else old)
    assert sorted(number for sentence in diff.sentences for number in sentence) == list(diff.changes)
    taken = {change for change in diff.changes if random.Random(seed).random() < 0.5}
    if taken != set(diff.changes):
        text = accept(diff, taken)
        for span in ("<lora:a:1>", "(b:1.2)", '"OPEN"'):
            if old.count(span) == new.count(span):
                assert text.count(span) == old.count(span), (taken, text)
