"""The colours are the design's, and every allowed pair can be read."""

import pytest

from comfydesk.qt.theme import DARK, LIGHT, ColorName, Tokens, contrast
from comfydesk.qt.theme.tokens import COLOR_NAMES

SURFACES: tuple[ColorName, ...] = (
    "canvas", "window", "panel", "raised", "hover", "pressed", "field", "popup", "selection",
)  # fmt: skip
INKS: tuple[ColorName, ...] = ("text", "text2", "accent", "success", "warning", "danger")
READ: tuple[ColorName, ...] = ("text", "text2")
TINTS: tuple[ColorName, ...] = ("success_tint", "warning_tint", "danger_tint", "info_tint")
PROMPT: tuple[ColorName, ...] = ("lora", "weight", "wildcard")
OUTLINED: tuple[ColorName, ...] = ("window", "panel", "field", "raised")
NOT_ALLOWED = {("disabled", "pressed"), ("disabled", "selection")}
ALLOWED: list[tuple[ColorName, ColorName]] = [
    *((ink, surface) for ink in INKS for surface in SURFACES),
    *(("disabled", surface) for surface in SURFACES if ("disabled", surface) not in NOT_ALLOWED),
    *((tint, surface) for tint in PROMPT for surface in SURFACES),
    ("on_accent", "accent"), ("on_accent", "accent_hover"), ("on_accent", "accent_pressed"),
    ("success", "success_tint"), ("warning", "warning_tint"), ("danger", "danger_tint"), ("accent", "info_tint"),
    *((ink, tint) for ink in READ for tint in TINTS),
    ("text2", "pressed"), ("text", "mark"), ("on_overlay", "overlay"),
]  # fmt: skip


@pytest.mark.parametrize("tokens", [DARK, LIGHT], ids=["dark", "light"])
def test_every_allowed_pair_has_contrast(tokens: Tokens) -> None:
    figures = {pair: contrast(tokens.value(pair[0]), tokens.value(pair[1])) for pair in ALLOWED}
    assert {pair: figure for pair, figure in figures.items() if figure < 4.5} == {}
    assert len(figures) > 90


MEASURED: tuple[tuple[Tokens, ColorName, ColorName, float], ...] = (
    (DARK, "text", "canvas", 15.4), (DARK, "text2", "pressed", 5.5), (DARK, "disabled", "hover", 4.6),
    (DARK, "accent", "selection", 5.3), (DARK, "danger", "pressed", 4.8), (DARK, "on_accent", "accent_pressed", 5.8),
    (DARK, "warning", "warning_tint", 7.5), (LIGHT, "text", "canvas", 13.8), (LIGHT, "accent", "pressed", 4.5),
    (LIGHT, "disabled", "canvas", 4.7), (LIGHT, "success", "hover", 5.1), (LIGHT, "text", "mark", 13.4),
    (LIGHT, "accent", "info_tint", 4.9),
)  # fmt: skip
"""From the table of the design."""


def test_contrast_is_what_the_design_measured() -> None:
    for tokens, ink, surface, figure in MEASURED:
        assert contrast(tokens.value(ink), tokens.value(surface)) == pytest.approx(figure, abs=0.06), (ink, surface)


def test_contrast_knows_black_on_white() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21.0)
    assert contrast("#777777", "#777777") == pytest.approx(1.0)


@pytest.mark.parametrize("tokens", [DARK, LIGHT], ids=["dark", "light"])
def test_increased_contrast_makes_outlines_visible(tokens: Tokens) -> None:
    strong = tokens.increased_contrast()
    for surface in OUTLINED:
        assert contrast(strong.control, strong.value(surface)) >= 3.1
    assert strong.text == tokens.text


@pytest.mark.parametrize("tokens", [DARK, LIGHT], ids=["dark", "light"])
def test_every_token_is_a_colour(tokens: Tokens) -> None:
    for name in COLOR_NAMES:
        value = tokens.value(name)
        assert value.startswith("#")
        assert len(value) in (7, 9)
        int(value[1:], 16)
