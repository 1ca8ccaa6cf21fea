"""A prompt in the details: nothing in it is markup, hits are marked, the rest is tinted."""

import pytest
from PySide6.QtGui import QTextDocument
from pytestqt.qtbot import QtBot

from comfydesk.qt.theme import Theme
from comfydesk.qt.widgets.gallery_prompt import PromptText, hits

BAIT = '<img src="/etc/hostname"> a (basalt cliff:1.2) & <lora:coast:0.7>\nfilm & grain'


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("film grain", ["film", "grain"]),
        ("gra", ["gra"]),
        ("rain", []),
        ("-film", []),
        ("FILM rating:>=4", ["film"]),
        ('"film & gr"', ["film & gr"]),
        ("negative:film", []),
    ],
)
def test_hits_are_what_the_search_found(query: str, found: list[str]) -> None:
    assert [BAIT[start : start + length] for start, length in sorted(hits(BAIT, query))] == found


def test_a_prompt_is_shown_letter_by_letter_whatever_it_says(theme: Theme, qtbot: QtBot) -> None:
    label = PromptText(theme)
    qtbot.addWidget(label)
    label.show_prompt(BAIT, "film")
    document = QTextDocument()
    document.setHtml(label.text())
    assert document.toPlainText() == BAIT
    assert f"background-color:{theme.color('mark').name()};" in label.text()
    assert f"color:{theme.color('lora').name()};" in label.text()
    assert f"color:{theme.color('weight').name()};" in label.text()
