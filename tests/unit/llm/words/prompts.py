"""Prompts with every kind of protected span, and answers of models that mean no good."""

import random
import re
import string
from collections.abc import Callable

from hypothesis import strategies as st

WORDS = ["a", "fox", "in", "tall", "grass", "under", "soft", "light", "near", "an", "old", "barn", "by", "the", "sea"]
WORDS += ["where", "boats", "don't", "rest", "it's", "5", "o'clock", "50%", "fog", "dogs'", "bed", "a, b", "so. And"]
_name = st.text(string.ascii_letters + string.digits, min_size=2, max_size=8)
_inner = st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join)
_weight = st.floats(0.1, 2.0).map(lambda value: f"{value:.1f}")
KINDS: dict[str, st.SearchStrategy[str]] = {
    "lora": st.builds(lambda name, weight: f"<lora:{name}:{weight}>", _name, _weight),
    "hypernet": st.builds(lambda name: f"<hypernet:{name}:1>", _name),
    "weight": st.builds(lambda words, weight: f"({words}:{weight})", _name, _weight),
    "nested": st.builds(lambda words, name: f"(({words}:1.2) [{name}|x:0.5])", _name, _name),
    "escaped": st.builds(lambda name: f"\\({name} series\\)", _name),
    "edit": st.builds(lambda a, b: f"[{a}:{b}:0.4]", _name, _name),
    "choice": st.builds(lambda a, b, c: f"{{{a}|{{{b}|2::{c}}}}}", _name, _inner, _name),
    "wildcard": st.builds(lambda a, b: f"__{a}/{b}__", _name, _name),
    "embedding": st.builds(lambda name: f"embedding:{name}", _name),
    "structure": st.sampled_from(("BREAK", "AND")),
    "double": st.builds(lambda words, name: f'"{words} {name}"', _inner, _name),
    "curly": st.builds(lambda name: f"“{name}”", _name),
    "corner": st.builds(lambda name: f"「{name}」", _name),
    "single": st.builds(lambda name: f"'don't {name}'", _name),
    "variable": st.builds(lambda name: f"%date:{name}%", _name),
    "comment": st.builds(lambda name: f"/* {name} */", _name),
    "locked": st.sampled_from(("Anna Karenina", "teal-and-orange", "f/1.8")),
}
"""Kind of span → texts of it."""
LOCKED = ("anna karenina", "teal-and-orange", "f/1.8")


@st.composite
def prompts(draw: st.DrawFn) -> tuple[str, list[str]]:
    """A prompt, and its protected spans."""
    spans = [draw(KINDS[kind]) for kind in draw(st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=8))]
    parts: list[str] = [draw(_inner)]
    for span in spans:
        parts += (draw(st.sampled_from((" ", ", ", " \n"))), span, draw(st.sampled_from((", ", " "))), draw(_inner))
    return "".join(parts), spans


Spoiler = Callable[[str, random.Random], str]


def _placeholders(text: str) -> list[str]:
    return re.findall(r"<k\d+/>", text)


def _drop(text: str, rng: random.Random) -> str:
    for one in _placeholders(text):
        if rng.random() < 0.6:
            text = text.replace(one, "")
    return text


def _double(text: str, rng: random.Random) -> str:
    found = _placeholders(text)
    return " ".join([text, *(rng.choice(found) for _ in range(4))]) if found else text + text


def _reorder(text: str, rng: random.Random) -> str:
    words = text.split()
    rng.shuffle(words)
    return " ".join(words)


def _translate(text: str, rng: random.Random) -> str:
    return " ".join(word if word.startswith("<k") else "лиса в траве" for word in text.split())


def _cut(text: str, rng: random.Random) -> str:
    return text[: rng.randrange(len(text) + 1)]


def _leak(text: str, rng: random.Random) -> str:
    return f"<think>The user wants {text} and (more:1.3)</think>{text}" if rng.random() < 0.5 else f"<think>{text}"


def _syntax(text: str, rng: random.Random) -> str:
    made_up = [
        "(masterpiece:1.4)",
        "<lora:foo:1>",
        "{x|y}",
        "__z__",
        "embedding:bad",
        "BREAK",
        "AND",
        '"neon',
        "(",
        "]",
    ]
    made_up += ["'twas", "%seed%", "/*", "//", "\\(", "„", "<", "<k99/>", "</k1>", "k1", "[[", "```", "*bold*"]
    words = text.split()
    for _ in range(8):
        words.insert(rng.randrange(len(words) + 1), rng.choice(made_up))
    return " ".join(words)


def _spell(text: str, rng: random.Random) -> str:
    return text.replace("<k", "< K ").replace("/>", " / >")


def _stick(text: str, rng: random.Random) -> str:
    return text.replace(" ", "").replace(",", "")


def _quote(text: str, rng: random.Random) -> str:
    return text.replace("<k", '"<k').replace("/>", '/>"')


SPOILERS: dict[str, Spoiler] = {
    "faithful": lambda text, _: f"{text}, golden hour",
    "drops": _drop,
    "doubles": _double,
    "reorders": _reorder,
    "translates": _translate,
    "cuts off": _cut,
    "leaks its thoughts": _leak,
    "makes up syntax": _syntax,
    "spells placeholders its way": _spell,
    "leaves no blanks": _stick,
    "quotes placeholders": _quote,
    "is empty": lambda text, _: "",
    "says something else": lambda text, _: "I am a teapot (short:1.2)",
    "says a lot": lambda text, _: "word " * 3_000,
}
