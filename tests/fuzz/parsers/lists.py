"""What batches are made of: CSV tables, lists of prompts, seeds, values of a grid, wildcards, and styles' files."""

import random
from pathlib import Path

from comfydesk.errors import KnownError
from comfydesk.llm.words.styles import own_style
from comfydesk.workflow import batch_sources
from comfydesk.workflow.fields import Field, Form, Kind, Role
from comfydesk.workflow.textvalues import dynamic_prompt
from comfydesk.workflow.wildcards import Wildcards, entries, strip_comments
from tests.fuzz.harness import Harness
from tests.fuzz.mutate import bytes_of, either, tokens

FORM = Form(
    (
        Field("6.text", "Prompt", Kind.TEXT, "a sheep", Role.PROMPT, multiline=True),
        Field("3.seed", "Seed", Kind.SEED, 5, Role.SEED, minimum=0, maximum=2**64 - 1),
        Field("3.steps", "Steps", Kind.INT, 20, Role.STEPS, minimum=1, maximum=100),
        Field("3.cfg", "Guidance", Kind.FLOAT, 8.0, Role.CFG, minimum=0.0, maximum=100.0),
        Field("3.sampler_name", "Sampler", Kind.CHOICE, "euler", Role.SAMPLER, choices=("euler", "ddim")),
        Field("9.on", "Enabled", Kind.BOOL, False),
        Field("11.other", "Other", Kind.OTHER, {}),
        Field("10.image", "Image", Kind.IMAGE, "pod.png", Role.IMAGE, choices=("pod.png",)),
    )
)


def take(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    lines = entries(text)
    book = Wildcards({f"w{number}": lines[number::3] for number in range(3)} | {"a/b": lines})
    refused: KnownError | None = None
    for read in (
        lambda: batch_sources.table(FORM, text, folder=Path("/nowhere")),
        lambda: batch_sources.prompts(FORM, text),
        lambda: batch_sources.seeds(FORM, batch_sources.seeds_of_text(text)),
        lambda: batch_sources.values_of_text(FORM, "cfg", text),
        lambda: batch_sources.values_of_text(FORM, text[:20], text),
        lambda: book.draw(text, random.Random(1)),
        lambda: Wildcards().draw(text, random.Random(1)),
        lambda: dynamic_prompt(text, random.Random(1)),
        lambda: own_style("a", text),
        lambda: strip_comments(text),
    ):
        try:
            read()
        except KnownError as error:
            refused = error
    batch_sources.natural_key(text)
    if refused is not None:
        raise refused


def seeds() -> list[bytes]:
    texts = (
        'prompt,seed,cfg\n"a, b",5,7.5\n\nc,6,\n',
        "sep=;\r\nPrompt;Guidance\r\na;7,5\r\n",
        "prompt\timage\nx\tpod.png\n",
        'steps,enabled,sampler,other\n20,true,euler,"{""a"": 1}"\n',
        "1, 5, 10-20",
        "7,7.5,8",
        "a {red|{2::dark |}blue} door __w0__ and __a/b__\n# no\n\\# yes\n{3::x|y}",
        "# What it does\nMake it bright.",
        "/* a */ b // c\n{a|b|{c|d}}",
    )
    return [text.encode() for text in texts]


HARNESS = Harness(
    take,
    seeds,
    either(
        bytes_of,
        tokens(
            "{",
            "|",
            "}",
            "{a|",
            "{" * 60,
            "}" * 60,
            "::",
            "0::",
            "999999999.999999999::",
            "__w0__",
            "__w1__",
            "__",
            "\\",
            "/*",
            "*/",
            "//",
            '"',
            '""',
            ",",
            ";",
            "\t",
            "\n",
            "\r",
            "sep=,\n",
            "prompt",
            "seed",
            "cfg",
            "-",
            "0-99999",
            "1e999",
            "inf",
            "²",
            "٣",
            "\u2028",
            "#",
            "\ufeff",
        ),
    ),
    longest=8 << 10,
    smoke=80,
)
