import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfydesk.store.search_text import MAX_TERMS, Comparison, Exact, Span, State, Words, parse, quoted


def test_words_stand_for_themselves() -> None:
    assert parse("red AND sheep") == (Words("red"), Words("AND"), Words("sheep"))
    assert parse('"red sky" -fog') == (Words("red sky", whole=True), Words("fog", negated=True))


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("seed:18446744073709551615", Exact("seed", "18446744073709551615")),
        ("model:flux", Words("flux", "models")),
        ('tag:"to print"', Words("to print", "tags", whole=True)),
        ("-tag:draft", Words("draft", "tags", negated=True)),
        ("rating:>=4", Comparison("rating", ">=", 4)),
        ("cfg:7.5", Comparison("cfg", "=", 7.5)),
        ("size:>10MB", Comparison("size", ">", 10 << 20)),
        ("IS:Favorite", State("favourite")),
        ("has:note", State("has-note")),
        ("album:Cats", Exact("album", "Cats")),
    ],
)
def test_terms_of_our_own(text: str, term: object) -> None:
    assert parse(text) == (term,)


@pytest.mark.parametrize("text", ["(masterpiece:1.2)", "rating:high", "date:2026-13-40", "is:blue", "http://x"])
def test_what_is_no_term_is_words(text: str) -> None:
    assert parse(text) == (Words(text),)


def test_a_date_is_all_of_its_days() -> None:
    def local(*date: int) -> float:
        year, month, day = date
        return time.mktime((year, month, day, 0, 0, 0, 0, 0, -1))

    assert parse("date:2026-03-14") == (Span(local(2026, 3, 14), local(2026, 3, 15)),)
    assert parse("date:2026-12") == (Span(local(2026, 12, 1), local(2027, 1, 1)),)
    assert parse("before:2026 after:2025-02") == (Span(None, local(2026, 1, 1)), Span(local(2025, 2, 1), None))


@pytest.mark.parametrize("text", ["", "   ", "-", "--", '"', '""', "*", "\x00\x01", "-\x00"])
def test_nothing_to_be_found_is_no_term(text: str) -> None:
    assert parse(text) == ()


def test_a_pasted_book_is_read_up_to_a_bound() -> None:
    assert len(parse("word " * 200_000)) == MAX_TERMS
    (word,) = parse("a" * 1_000_000)
    assert isinstance(word, Words)
    assert len(word.text) <= 200


@given(st.text())
def test_a_quoted_value_is_one_term(value: str) -> None:
    assert len(parse(f"tag:{quoted(value)}")) <= 1
