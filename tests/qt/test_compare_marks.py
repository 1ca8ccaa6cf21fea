"""Two texts side by side: what differs is marked, nothing in them is markup, and no text holds the window."""

import re
import time

from PySide6.QtGui import QTextDocument

from comfydesk.qt.theme import Theme
from comfydesk.qt.widgets.compare_table import marked


def read(markup: str) -> str:
    """What a person reads, blanks aside."""
    document = QTextDocument()
    document.setHtml(markup)
    return re.sub(r"\s+", " ", document.toPlainText()).strip()


def test_what_differs_is_marked_and_the_rest_is_not(theme: Theme) -> None:
    markup = marked(theme, "a red door, at night", "a blue door, at noon")
    assert read(markup) == "a red blue door, at night noon"
    assert [re.sub("<[^>]*>", "", span).strip() for span in re.findall(r"<span.*?</span>", markup)] == [
        *("red", "blue", "night", "noon")
    ]
    assert "<span" not in marked(theme, "the same", "the same")


def test_nothing_in_them_is_markup(theme: Theme) -> None:
    bait = '<img src="/etc/hostname"> &amp; <b>bold</b>'
    assert bait in read(marked(theme, "", bait))


def test_texts_that_repeat_a_word_hold_nobody(theme: Theme) -> None:
    began = time.process_time()
    markup = marked(theme, "tag, " * 800, "other; tag, " * 330)
    assert time.process_time() - began < 1
    assert "tag" in read(markup)
