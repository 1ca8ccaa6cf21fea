"""A few letters find the name that was meant, before others that merely have these letters."""

from time import perf_counter

import pytest

from comfydesk.qt.models.fuzzy import score

NAMES = (
    "Text to image", "Image to video", "Cancel the running job", "Clear finished jobs", "Library", "Save layout",
    "Default layout", "Generate", "Flux.2 dev: text to image", "Keyboard shortcuts", "Show outputs folder",
)  # fmt: skip


def best(query: str) -> str:
    ranked = [(found, name) for name in NAMES if (found := score(query, name)) is not None]
    return max(ranked)[1] if ranked else ""


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("gen", "Generate"),
        ("itv", "Image to video"),
        ("video image", "Image to video"),
        ("cnl", "Cancel the running job"),
        ("flux image", "Flux.2 dev: text to image"),
        ("sof", "Show outputs folder"),
        ("KEYB", "Keyboard shortcuts"),
        ("sl", "Save layout"),
        ("xyz", ""),
    ],
)
def test_the_best_fit_comes_first(query: str, name: str) -> None:
    assert best(query) == name


def test_nothing_typed_fits_everything() -> None:
    assert score("", "Anything") == score("  ", "Else") == 0


def test_five_thousand_names_take_a_few_milliseconds() -> None:
    names = [f"Workflow {number}: text to image with a model" for number in range(5000)]
    begin = perf_counter()
    for query in ("wtim", "model 4999", "zz"):
        for name in names:
            score(query, name)
    assert (perf_counter() - begin) / 3 < 0.15  # 10 ms on a quiet machine
