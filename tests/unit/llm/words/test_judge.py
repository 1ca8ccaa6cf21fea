"""What is made of a model's answer, and what is refused."""

import time

import pytest

from comfydesk.llm.words.compose import Task
from comfydesk.llm.words.families import BY_ID
from comfydesk.llm.words.judge import judge
from comfydesk.llm.words.masking import mask
from comfydesk.llm.words.styles import DETAILED, MINIMAL

FOX = Task(mask('a fox in the snow near an old barn, "OPEN" sign <lora:ink:1>'), DETAILED)
GIRL = Task(mask("1girl, umbrella, rain, <lora:x:1>"), DETAILED, BY_ID["illustrious"])
GOOD = "A red fox stands in fresh snow by an old barn, its sign reads <k1/>. <k2/> Low sun edges its fur with gold."


@pytest.mark.parametrize(
    "answer",
    [
        GOOD,
        f'Sure! Here is the enhanced prompt:\n\n"{GOOD}"\n\nLet me know if you want more!',
        f"Certainly! {GOOD}",
        f"<think>hmm (x:1.2)</think>\n**Enhanced Prompt:** {GOOD}",
        f"thinking aloud</think>{GOOD}",
        f"```text\n{GOOD}\n```",
        '{"prompt": "' + GOOD + '"}',
        f"Option 1:\n{GOOD}\n\nOption 2:\nAnother fox.",
        f"Original: a fox\nEnhanced: {GOOD}",
        f"{FOX.masked.text}\n\n{GOOD}",
        f"### Prompt\n{GOOD}\n\nNote: I kept the markers.",
        f"<answer>{GOOD}</answer><|im_end|>",
        f"{GOOD} {GOOD}",
        f"{GOOD} The light falls on the",
        f"{GOOD} I hope this helps!",
    ],
)
def test_the_prompt_is_found_in_what_is_around_it(answer: str) -> None:
    assert judge(FOX, answer).text == GOOD


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (
            "1girl, solo, umbrella, rain, Rain, wet street, <k1/>, 1girl",
            "1girl, solo, umbrella, rain, wet street, <k1/>",
        ),
        ("- 1girl\n- rain\n- <k1/>", "1girl, rain, <k1/>"),
        ("1. 1girl,\n2. umbrella\n<k1/>", "1girl, umbrella, <k1/>"),
        ("Tags: 1girl, umbrella, <k1/>", "Tags: 1girl, umbrella, <k1/>"),
    ],
)
def test_lists_become_tags(answer: str, text: str) -> None:
    assert judge(GIRL, answer).text == text


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ("", "nothing"),
        (" \n ", "nothing"),
        ("<think>" + GOOD, "nothing"),
        ("I cannot create that.", "declined"),
        ("As an AI model, I do not.", "declined"),
        ("the fox runs and " * 60, "circles"),
        ("лиса в снегу около сарая", "another language"),
        ("A teapot on a table with flowers.", "something else"),
        ("word and other " + " ".join(f"term{number}" for number in range(900)), "broke off"),
    ],
)
def test_what_is_no_prompt_is_refused(answer: str, why: str) -> None:
    judged = judge(FOX, answer)
    assert judged.text is None
    assert why in judged.why


def test_too_many_words_are_cut_at_the_end_of_a_sentence() -> None:
    long = " ".join(f"The fox number {number} walks through snow by the barn." for number in range(60))
    judged = judge(FOX, long)
    assert judged.text is not None
    assert judged.text.endswith("barn.")
    assert len(judged.text.split()) <= FOX.limit
    assert judged.notes


def test_what_broke_off_ends_with_its_last_whole_sentence() -> None:
    judged = judge(FOX, "A red fox stands in the snow. Behind it the old bar", cut_off=True)
    assert judged.text == "A red fox stands in the snow."


def test_one_that_was_only_to_correct_may_not_add() -> None:
    task = Task(mask("a fox in the snwo"), MINIMAL)
    assert judge(task, "a fox in the snow").text == "a fox in the snow"
    assert judge(task, GOOD.replace("<k1/>", "").replace("<k2/>", "") + " And more of it in every corner.").text is None


def test_a_translation_must_be_one() -> None:
    task = Task(mask("лиса в снегу"), MINIMAL, translate=True)
    assert judge(task, "a fox in the snow").text == "a fox in the snow"
    assert "translate" in judge(task, "лиса в снегу").why


@pytest.mark.parametrize(
    "part",
    ["a,", ". ", "prompt: ", "<think>", "**a", "\n", "((", "enhanced ", '"', "- ", "Option 1", "here is ", "`", "_a"],
)
def test_no_answer_takes_long(part: str) -> None:
    before = time.perf_counter()
    for task in (FOX, GIRL):
        judge(task, part * (1_000_000 // len(part)))
    assert time.perf_counter() - before < 2
