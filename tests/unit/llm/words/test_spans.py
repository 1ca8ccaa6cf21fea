"""What of a prompt is protected."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfydesk.llm.words.spans import Kind, find


@pytest.mark.parametrize(
    ("text", "kind", "span"),
    [
        ("a fox <lora:ink:0.8>", Kind.TAG, "<lora:ink:0.8>"),
        ("<hypernet:style:1> a fox", Kind.TAG, "<hypernet:style:1>"),
        ("put <image1> beside it", Kind.TAG, "<image1>"),
        ("my own <k1/> marker", Kind.TAG, "<k1/>"),
        ("a (red fox:1.2) here", Kind.GROUP, "(red fox:1.2)"),
        ("((very (red:1.1) fox)) here", Kind.GROUP, "((very (red:1.1) fox))"),
        ("[day:night:0.4]", Kind.GROUP, "[day:night:0.4]"),
        (r"rei \(evangelion\), solo", Kind.GROUP, r"\(evangelion\)"),
        ("a {red|{blue|2::green}} fox", Kind.CHOICE, "{red|{blue|2::green}}"),
        ("a __animals/fox__ here", Kind.WILDCARD, "__animals/fox__"),
        ("embedding:EasyNegative, blurry", Kind.EMBEDDING, "embedding:EasyNegative"),
        ("bad hands, embedding:foo/bar.pt.", Kind.EMBEDDING, "embedding:foo/bar.pt"),
        ("a fox BREAK a hen", Kind.STRUCTURE, "BREAK"),
        ("a fox AND a hen", Kind.STRUCTURE, "AND"),
        ("a fox :0.6 AND a hen", Kind.STRUCTURE, ":0.6 AND"),
        ('a sign "WE ARE OPEN" here', Kind.QUOTE, '"WE ARE OPEN"'),
        ("a sign 'Don't walk' here", Kind.QUOTE, "'Don't walk'"),
        ("a sign “Offen” here", Kind.QUOTE, "“Offen”"),
        ("ein Schild „Offen“ hier", Kind.QUOTE, "„Offen“"),
        ('写着"你好"的牌子', Kind.QUOTE, '"你好"'),
        ("看板「営業中」", Kind.QUOTE, "「営業中」"),
        ("at %date:yyyy-MM-dd% here", Kind.VARIABLE, "%date:yyyy-MM-dd%"),
        ("a fox /* or a hen? */ here", Kind.COMMENT, "/* or a hen? */"),
        ("a fox // or a hen\nhere", Kind.COMMENT, "// or a hen\n"),
        ("portrait of anna karenina, old", Kind.LOCKED, "anna karenina"),
    ],
)
def test_it_is_found_as_it_is_written(text: str, kind: Kind, span: str) -> None:
    assert [(one.kind, one.text) for one in find(text, ["Anna  Karenina"])] == [(kind, span)]


@pytest.mark.parametrize(
    "text",
    [
        "a fox's den, the foxes' den, 5 o'clock, rock 'n roll",
        'a 5" nail, half open (like this',
        "50% grey and 20% white",
        "snake_case and a__b",
        "https://example.org/a",
        "Command and breakfast, SANDY",
        "a < b, c > d",
        "Annabel Karenina",
    ],
)
def test_plain_words_are_not_protected(text: str) -> None:
    assert find(text, ["Anna"]) == ()


def test_spans_within_each_other_are_one() -> None:
    (span,) = find('(a sign "OPEN" <lora:x:1> {a|b}:1.3)')
    assert span.kind is Kind.GROUP


@given(st.text(st.sampled_from("ab \"'()[]{}<>|_:%/*\\kK1,.\n“”„"), max_size=60))
def test_spans_are_in_order_and_never_overlap(text: str) -> None:
    end = 0
    for span in find(text, ["ab"]):
        assert end <= span.start < span.end
        assert text[span.start : span.end] == span.text
        end = span.end


@pytest.mark.parametrize("part", ["(", "(]", '"', "'", "__a", "/*", "%a", "<a", "embedding:", "{|", "\\(", "“"])
def test_no_text_takes_long(part: str) -> None:
    text = part * (20_000 // len(part))
    before = time.perf_counter()
    find(text, ["a"])
    assert time.perf_counter() - before < 1
