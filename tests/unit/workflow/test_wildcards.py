import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comfydesk.workflow.field_text import BatchError
from comfydesk.workflow.wildcards import MAX_LENGTH, Wildcards, entries, strip_comments

ANIMALS = Wildcards({"Animals": ("cat", "dog"), "scenes/sea": ("a __animals__ by the sea",), "none": ()})


def drawn(text: str, wildcards: Wildcards = ANIMALS, times: int = 200) -> set[str]:
    rng = random.Random(1)
    return {wildcards.draw(text, rng) for _ in range(times)}


@pytest.mark.parametrize(
    ("text", "possible"),
    [
        ("a {red|blue} hat", {"a red hat", "a blue hat"}),
        ("{a|{b|c}d}", {"a", "bd", "cd"}),
        ("{a|}", {"a", ""}),
        ("{a}", {"{a}"}),
        ('{"sky": "{red|blue}"}', {'{"sky": "red"}', '{"sky": "blue"}'}),
        (r"\{a\|b\}", {"{a|b}"}),
        (r"{a\|b|c}", {"a|b", "c"}),
        (r"(red:1.2) \(x\)", {r"(red:1.2) \(x\)"}),
        ("open { a | b", {"open { a | b"}),
        ("a } b | c", {"a } b | c"}),
        ("__animals__", {"cat", "dog"}),
        ("__ANIMALS__s", {"cats", "dogs"}),
        ("__scenes/sea__", {"a cat by the sea", "a dog by the sea"}),
        ("{__animals__|{1|2} mice}", {"cat", "dog", "1 mice", "2 mice"}),
        (r"\__animals__", {"__animals__"}),
        ("__animals____animals__", {"catcat", "catdog", "dogcat", "dogdog"}),
        ("____", {"____"}),
        ("snake_case and _x_", {"snake_case and _x_"}),
        ("{0::a|b}", {"b"}),
        ("ends with \\", {"ends with \\"}),
    ],
)
def test_what_a_text_may_become(text: str, possible: set[str]) -> None:
    assert drawn(text) == possible


def test_a_weight_is_how_much_likelier_an_option_is() -> None:
    rng = random.Random(2)
    counts = Counter(ANIMALS.draw("{8::a|b|0.5 :: c|1::d}", rng) for _ in range(5000))
    assert 3500 < counts["a"] < 3770  # 8 of 11
    assert set(counts) == {"a", "b", "0.5 :: c", "d"}  # a weight has no blank before its colons


def test_without_a_folder_names_are_text_like_any_other() -> None:
    assert drawn("__init__ {a|b}", Wildcards()) == {"__init__ a", "__init__ b"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("__animal__", "no wildcard __animal__.*mean __animals__"),
        ("__zebra/crossing__", "no wildcard"),
        ("__none__", "no lines"),
        ("{0::a|0::b}", "weigh nothing"),
    ],
)
def test_what_cannot_be_drawn_is_told(text: str, says: str) -> None:
    with pytest.raises(BatchError, match=says):
        ANIMALS.draw(text, random.Random(1))


def test_wildcards_that_lead_back_to_themselves_are_told_by_name() -> None:
    loop = Wildcards({"a": ("x __b__",), "b": ("{__a__|__a__}",)})
    with pytest.raises(BatchError, match=r"back to itself.*__a__ → __b__ → __a__"):
        loop.draw("__a__", random.Random(1))


def test_texts_that_grow_without_bounds_end_in_words() -> None:
    empty = Wildcards({f"w{n}": (f"__w{n + 1}__" * 10,) for n in range(30)} | {"w30": ("{|}",)})
    with pytest.raises(BatchError, match="too many"):
        empty.draw("__w0__", random.Random(1))
    bomb = Wildcards({f"w{n}": (f"__w{n + 1}__" * 10,) for n in range(30)} | {"w30": ("boom",)})
    with pytest.raises(BatchError, match=r"too (?:long|many)"):
        bomb.draw("__w0__", random.Random(1))
    assert len(Wildcards().draw("{" * 100_000 + "a|b", random.Random(1))) == 100_003 < MAX_LENGTH


@given(st.text(alphabet="ab{}|\\_:1/ "), st.integers())
def test_the_same_seed_draws_the_same_and_no_text_is_too_odd(text: str, seed: int) -> None:
    assert ANIMALS.draw(text.replace("__", "_"), random.Random(seed)) == ANIMALS.draw(
        text.replace("__", "_"), random.Random(seed)
    )


@given(st.lists(st.text(alphabet="abc ", min_size=1), min_size=2, max_size=6), st.integers())
def test_a_draw_is_one_of_the_options(options: list[str], seed: int) -> None:
    assert Wildcards().draw("{" + "|".join(options) + "}", random.Random(seed)) in options


@settings(max_examples=30)
@given(st.lists(st.text(alphabet="xyz", min_size=1), min_size=2, max_size=5, unique=True))
def test_every_option_comes_sooner_or_later(options: list[str]) -> None:
    assert drawn("{" + "|".join(options) + "}", times=400) == set(options)


def test_a_list_has_an_entry_a_line() -> None:
    text = "# comment\r\n first \r\n\r\n\\# second\nthird # with a hash\u2028still third\n   #x\n"
    assert entries(text) == ("first", "# second", "third # with a hash\u2028still third")


def test_comments_go_until_none_is_left() -> None:
    assert strip_comments("a /* b */ c // d\ne") == "a  c \ne"
