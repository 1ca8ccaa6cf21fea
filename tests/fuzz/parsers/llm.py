"""What language models' servers say: the event stream, answers and errors, and the prompt that is made of an answer."""

import json

from comfydesk.errors import KnownError
from comfydesk.llm import answers
from comfydesk.llm.reasoning import ReasoningFilter
from comfydesk.llm.sse import EventStream
from comfydesk.llm.words.compose import Task
from comfydesk.llm.words.diff import accept, compare
from comfydesk.llm.words.judge import judge
from comfydesk.llm.words.masking import mask, restore, verify
from comfydesk.llm.words.styles import STYLES
from tests.fuzz.harness import Harness
from tests.fuzz.mutate import bytes_of, either, json_after_first, tokens

_ORIGINAL = "a (red:1.2) door, <lora:x:0.8>, embedding:y, {a|b} __w__ BREAK at night"


def take(data: bytes) -> None:
    size = 1 + (data[:1] or b"\0")[0] % 40
    stream, finish, shown = EventStream(), answers.Finish(), ReasoningFilter()
    text, refused = "", None
    try:
        for start in range(1, len(data), size):
            for event in stream.feed(data[start : start + size]):
                text += shown.feed(answers.delta("x", event, finish))
        for event in stream.end():
            text += shown.feed(answers.delta("x", event, finish))
        text += shown.end()
    except KnownError as error:
        refused = error
    for read in (answers.message, answers.models):
        try:
            read("x", data[1:])
        except KnownError as error:
            refused = error
    answers.refused("x", 400 + size, data[1:])
    answers.redirected("x", data[1:200].decode("latin-1"))
    _made_of(text or data[1:3000].decode("utf-8", "replace"))
    if refused is not None:
        raise refused


def _made_of(answer: str) -> None:
    masked = mask(_ORIGINAL, ["at night"])
    task = Task(masked, STYLES[len(answer) % len(STYLES)])
    judged = judge(task, answer)
    if judged.text is not None:
        restored = restore(masked, judged.text).text
        if restored is not None:
            assert verify(masked, restored)
            accept(compare(_ORIGINAL, restored), range(3))
    mask(answer[:2000])


def seeds() -> list[bytes]:
    def event(text: str) -> str:
        return "data: " + json.dumps({"choices": [{"delta": {"content": text}, "finish_reason": None}]}) + "\n\n"

    asked = mask(_ORIGINAL, ["at night"]).words
    streams = [
        "".join(event(f"{word} ") for word in ("<think>", "no", "</think>", "A", "bright", asked)) + "data: [DONE]\n\n",
        ": ping\r\nevent: x\r\nid: 1\r\n" + event("a").replace("\n", "\r\n"),
        'data: {"error": {"message": "broken"}}\n\n',
        json.dumps({"choices": [{"message": {"content": asked}, "finish_reason": "length"}]}),
        json.dumps({"data": [{"id": "m1"}, {"id": "m2"}]}),
        json.dumps({"error": {"message": {"detail": "x"}}}),
        f'Sure! Here is the prompt:\n\n**Prompt:** "{asked}"\n\n1. one\n2. two',
        asked,
    ]
    return [b"\x10" + text.encode() for text in streams]


HARNESS = Harness(
    take,
    seeds,
    either(
        bytes_of,
        json_after_first,
        tokens(
            "data: ",
            "\n\n",
            "\r\n",
            "data:\n",
            "[DONE]",
            '{"choices": [',
            "<think>",
            "</think>",
            "<|channel>thought",
            "⟦1⟧",
            "⟦2⟧",
            "((",
            "))",
            "{",
            "}",
            "<lora:",
            "**",
            "```",
            '"',
            "1. ",
            "\n- ",
            "A: ",
            "x " * 400,
            "。",
            "{" * 1500,
        ),
    ),
    longest=8 << 10,
    smoke=60,
)
