"""What people type, and the task they mean. tests/data/intents.jsonl: a sentence and its task a line, null for none."""

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfydesk.intent.match import Task, understand

SENTENCES = Path(__file__).parents[2] / "data" / "intents.jsonl"


def rows() -> list[tuple[str, str | None]]:
    return [(row["text"], row["type"]) for row in map(json.loads, SENTENCES.read_text().splitlines())]


@pytest.mark.parametrize(
    ("sentence", "task"),
    [
        ("I want to create a video from text", Task.T2V),
        ("turn this image into a video", Task.I2V),
        ("hello world", None),
        ("delete the person from the photo", Task.I2I),
        ("delete this image", None),
        ("a photo of a film set", Task.T2I),
        ("movie poster for a space opera", Task.T2I),
        ("background music for a video game", Task.AUDIO),
        ("make the portrait move", Task.I2V),
    ],
)
def test_tells_apart_what_sounds_alike(sentence: str, task: Task | None) -> None:
    assert understand(sentence).task is task


def test_understands_at_least_95_percent_of_the_sentences() -> None:
    wrong = [(text, want, understand(text).task) for text, want in rows() if understand(text).task != want]
    assert len(wrong) <= 0.05 * len(rows()), wrong


def test_word_order_and_politeness_do_not_matter() -> None:
    sentences = ["video from a photo", "from a photo make a video", "Could you please turn a photo into a video?"]
    assert {understand(sentence).task for sentence in sentences} == {Task.I2V}


@pytest.mark.parametrize(
    ("sentence", "subject"),
    [
        ("a picture of a red bicycle", "a red bicycle"),
        ("Create a video of a Dog surfing", "a Dog surfing"),
        ("turn this photo of a valley into a video", "a valley"),
        ("paint a lighthouse at dusk", "a lighthouse at dusk"),
        ("paint me a cat", "a cat"),
        ("text to image", ""),
        ("upscale", ""),
        ("change the sky in this picture to pink", "change the sky in this picture to pink"),
    ],
)
def test_the_subject_goes_into_the_prompt(sentence: str, subject: str) -> None:
    assert understand(sentence).subject == subject


def test_says_what_goes_in_and_out() -> None:
    intent = understand("turn this image into a video")
    assert (intent.input_types, intent.output_types) == (("image",), ("video",))
    assert understand("upscale my clip").output_types == ("video",)


@given(st.text(max_size=300))
def test_any_text_has_an_answer(text: str) -> None:
    intent = understand(text)
    assert intent.matched == (intent.task is not None)
    assert 0 <= intent.confidence <= 1


def test_an_essay_takes_no_longer_than_a_page() -> None:
    start = time.perf_counter()
    understand("turn this image into a video " * 1000)
    page = time.perf_counter() - start
    start = time.perf_counter()
    understand("turn this image into a video " * 40_000)
    assert time.perf_counter() - start < 20 * page + 0.05


@pytest.mark.parametrize(
    ("sentence", "subject"),
    [
        ("sketch me a dragon over a castle", "a dragon over a castle"),
        ("render an isometric room, cozy", "an isometric room, cozy"),
        ("t2v of a storm", "a storm"),
        ("turn this sketch into a photo", ""),
        ("render this image", ""),
    ],
)
def test_the_subject_is_found_where_the_verb_looks_like_a_picture(sentence: str, subject: str) -> None:
    assert understand(sentence).subject == subject


@pytest.mark.parametrize(
    ("sentence", "prompt"),
    [
        ("a cat wearing a hat", "a cat wearing a hat"),
        ("make a lighthouse swim in jelly", "a lighthouse swim in jelly"),
        ("Please make me a Lighthouse, in jelly", "a Lighthouse, in jelly"),
        ("red car", "red car"),
        ("cyberpunk city night neon", "cyberpunk city night neon"),
        ("an old phone on a table", "an old phone on a table"),
        ("a cat at a window", "a cat at a window"),
        ("a sign with the word hello", "a sign with the word hello"),
        ("a woman in a red dress, highly detailed, sharp, 4k", "a woman in a red dress, highly detailed, sharp, 4k"),
        ("eine Katze mit Hut", "eine Katze mit Hut"),
        (f"a cat and {'a very old ' * 300}hat", f"a cat and {'a very old ' * 300}hat"),
    ],
)
def test_what_only_describes_is_the_prompt_of_a_picture_with_less_confidence(sentence: str, prompt: str) -> None:
    intent = understand(sentence)
    assert (intent.task, intent.subject, intent.output_types) == (Task.T2I, prompt, ("image",))
    assert intent.guessed
    assert intent.confidence < understand("a hat, animated").confidence, "any word of a task says more"


@pytest.mark.parametrize(
    "sentence",
    ["", "  ", "a", "flux", "flux dev fp8", "make", "tell me a joke", "a new pod", "the queue is stuck", "make dinner",
     "I am bored", "good morning", "an article about rain", "add sparkles", "please make me a"],
)  # fmt: skip
def test_talk_names_and_what_is_no_picture_are_never_guessed_at(sentence: str) -> None:
    assert understand(sentence).task is None


def test_a_word_for_another_medium_is_no_guess() -> None:
    assert understand("a song about a cat wearing a hat").task is Task.AUDIO
    assert understand("a film about a cat wearing a hat").task is Task.T2V
    assert not understand("a picture of a cat").guessed
