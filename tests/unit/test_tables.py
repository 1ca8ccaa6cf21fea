"""Tables of a TOML file: bounded, looked into, changed as copies."""

import pytest

from comfydesk.tables import MAX_NESTING, copied, find, toml_of, with_value


def test_a_key_leads_through_tables() -> None:
    table = toml_of("[queue]\nahead = 2\n")
    assert find(table, "queue.ahead") == 2
    for key in ("queue.behind", "pods.default", "queue.ahead.more"):
        with pytest.raises(KeyError):
            find(table, key)


def test_a_change_is_a_copy_and_none_takes_away() -> None:
    table = {"queue": {"ahead": 1, "ours": 5}, "pods": 7}
    before = copied(table)
    assert with_value(table, "queue.ahead", 2) == {"queue": {"ahead": 2, "ours": 5}, "pods": 7}
    assert with_value(table, "queue.ahead", None) == {"queue": {"ours": 5}, "pods": 7}
    assert with_value(table, "pods.default", "demo") == {"queue": {"ahead": 1, "ours": 5}, "pods": {"default": "demo"}}
    assert table == before


@pytest.mark.parametrize("text", ["a = ", "a = [" * 2000, ".".join(["a"] * (MAX_NESTING + 1)) + " = 1"])
def test_what_is_none_or_too_deep_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"nested|Invalid|Expected|Unclosed"):
        toml_of(text)
