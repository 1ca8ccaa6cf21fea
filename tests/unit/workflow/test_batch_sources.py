import csv
import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfydesk.workflow import batch_sources
from comfydesk.workflow.batch_sources import natural_key
from comfydesk.workflow.field_text import BatchError, fields_named, value_of
from comfydesk.workflow.fields import Field, Form, Kind, Role

PROMPT = Field("6.text", "Prompt", Kind.TEXT, "a sheep", Role.PROMPT, multiline=True)
NEGATIVE = Field("7.text", "Negative prompt", Kind.TEXT, "", Role.NEGATIVE)
SEED = Field("3.seed", "Seed", Kind.SEED, 5, Role.SEED, minimum=0, maximum=2**64 - 1)
STEPS = Field("3.steps", "Steps", Kind.INT, 20, Role.STEPS, minimum=1, maximum=100)
CFG = Field("3.cfg", "Guidance", Kind.FLOAT, 8.0, Role.CFG, minimum=0.0, maximum=100.0)
SAMPLER = Field("3.sampler_name", "Sampler", Kind.CHOICE, "euler", Role.SAMPLER, choices=("euler", "dpmpp_2m", "ddim"))
MODEL = Field(
    "4.ckpt_name", "Model", Kind.MODEL, "a.safetensors", Role.CHECKPOINT, choices=("a.safetensors", "xl/B.safetensors")
)
FLAG = Field("9.on", "Enabled", Kind.BOOL, False)
IMAGE = Field("10.image", "Image", Kind.IMAGE, "pod.png", Role.IMAGE, choices=("pod.png",))
WIDTHS = (Field("5.width", "Width", Kind.INT, 512, Role.WIDTH), Field("15.width", "Width", Kind.INT, 512, Role.WIDTH))
FORM = Form((PROMPT, NEGATIVE, SEED, STEPS, CFG, SAMPLER, MODEL, FLAG, IMAGE, *WIDTHS))


def rows(text: str, folder: Path | None = None) -> list[dict[str, Any]]:
    return [dict(point.values) for point in batch_sources.table(FORM, text, folder=folder).points]


# --- Names and values ---


@pytest.mark.parametrize(
    ("name", "field"),
    [("3.cfg", CFG), ("CFG", CFG), (" guidance ", CFG), ("Negative Prompt", NEGATIVE), ("sampler", SAMPLER)],
)
def test_a_field_is_named_by_id_role_or_label(name: str, field: Field) -> None:
    assert fields_named(FORM, name) == (field,)


def test_all_seeds_are_the_seed() -> None:
    second = Field("33.noise_seed", "Seed", Kind.SEED, 1, Role.SEED)
    assert fields_named(Form((SEED, second)), "seed") == (SEED, second)


@pytest.mark.parametrize(
    ("name", "says"), [("stepps", "Did you mean steps"), ("nonsense", "It has prompt"), ("width", "5.width.*15.width")]
)
def test_a_name_that_fits_none_or_several_is_told_with_candidates(name: str, says: str) -> None:
    with pytest.raises(BatchError, match=says):
        fields_named(FORM, name)


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        (SEED, "18446744073709551615", 2**64 - 1),
        (STEPS, " 20.0 ", 20),
        (CFG, "7", 7.0),
        (CFG, "1e1", 10.0),
        (FLAG, "Yes", True),
        (SAMPLER, "DPMPP_2M", "dpmpp_2m"),
        (MODEL, "b", "xl/B.safetensors"),
        (MODEL, "xl\\b.safetensors", "xl/B.safetensors"),
        (PROMPT, " kept as it is ", " kept as it is "),
    ],
)
def test_a_text_becomes_the_fields_own_value(field: Field, text: str, value: Any) -> None:
    read = value_of(field, text)
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ("field", "text", "says"),
    [
        (STEPS, "many", "whole number"),
        (STEPS, "0", "1 or more"),
        (STEPS, "20.5", "whole number"),
        (SEED, "1,000", "whole number"),
        (SEED, "1.000", "whole number"),
        (CFG, "nan", "a number"),
        (CFG, "7,5", "a number"),
        (SEED, "1.84467E+19", "shortened this number"),
        (SEED, str(2**64), "18446744073709551615 or less"),
        (SAMPLER, "dpmp_2m", "The pod offers dpmpp_2m"),
        (FLAG, "perhaps", "yes or no"),
    ],
)
def test_what_is_no_value_is_told(field: Field, text: str, says: str) -> None:
    with pytest.raises(BatchError, match=says):
        value_of(field, text)


# --- Lists ---


def test_prompts_come_a_line_each() -> None:
    axis = batch_sources.prompts(FORM, "a cat\n\n# no\na dog, a bird\n")
    assert [dict(point.values) for point in axis.points] == [{"6.text": "a cat"}, {"6.text": "a dog, a bird"}]
    with pytest.raises(BatchError, match="empty"):
        batch_sources.prompts(FORM, "# nothing\n")


def test_seeds_are_lists_and_ranges() -> None:
    assert batch_sources.seeds_of_text("7, 1-3,18446744073709551615") == (7, 1, 2, 3, 2**64 - 1)
    assert batch_sources.seeds(FORM, (7,)).points[0].values == {"3.seed": 7}
    for text, says in (("x", "no seed"), ("3-1", "backwards"), ("0-18446744073709551615", "over 100,000")):
        with pytest.raises(BatchError, match=says):
            batch_sources.seeds_of_text(text)


def test_a_folder_gives_its_files_of_the_fields_kind_in_natural_order() -> None:
    names = ["10.png", "2.PNG", "a.txt", "clip.mp4", ".hidden.png", "1.webp", "B.jpg", "a.jpg", "noext"]
    axis = batch_sources.files(IMAGE, [Path("/in") / name for name in names])
    assert [point.values["10.image"] for point in axis.points] == [
        Path("/in") / name for name in ("1.webp", "2.PNG", "10.png", "a.jpg", "B.jpg")
    ]
    with pytest.raises(BatchError, match="no files for Image"):
        batch_sources.files(IMAGE, [Path("a.mp4")])
    with pytest.raises(BatchError, match="takes no files"):
        batch_sources.files(STEPS, [Path("a.png")])


@given(st.lists(st.text(max_size=8), max_size=8))
def test_all_names_have_one_order(names: list[str]) -> None:
    backwards = names[::-1]
    assert sorted(names, key=natural_key) == sorted(backwards, key=natural_key)


def test_values_of_a_grid_may_hold_commas_in_quotes() -> None:
    axis = batch_sources.values_of_text(FORM, "prompt", 'a, "b, c",d')
    assert [point.values["6.text"] for point in axis.points] == ["a", "b, c", "d"]
    assert batch_sources.values_of_text(FORM, "cfg", "1,2.50").labels == ("1", "2.5")
    assert batch_sources.values_of_text(FORM, "model", "a,b").labels == ("a", "B")
    with pytest.raises(BatchError, match="No values"):
        batch_sources.values_of_text(FORM, "cfg", "")


@given(st.lists(st.sampled_from(["a", "a (2)", "b" * 80, "b" * 79 + "c", "x/m.safetensors", "y/m.safetensors", ""])))
def test_labels_are_unique_and_every_value_stays(values: list[str]) -> None:
    if not values:
        return
    axis = batch_sources.values(PROMPT, values)
    assert [point.values["6.text"] for point in axis.points] == values
    assert len(set(axis.labels)) == len(values)
    assert all(axis.labels)


# --- Tables ---


def test_columns_find_their_fields_and_cells_their_types() -> None:
    text = '\ufeffPrompt,3.steps,GUIDANCE,sampler,enabled\r\n"a cat,\r\nasleep",8,2.5,DDIM,no\r\n\r\na dog,,,,\r\n'
    assert rows(text) == [
        {"6.text": "a cat,\r\nasleep", "3.steps": 8, "3.cfg": 2.5, "3.sampler_name": "ddim", "9.on": False},
        {"6.text": "a dog"},
    ]


@pytest.mark.parametrize(
    "text",
    ["prompt;cfg\na, b;7,5\n", "prompt\tcfg\na, b\t7.5\n", "sep=;\nprompt;cfg\na, b;7.5\n", '"prompt";"cfg"\na, b;7,5'],
)
def test_semicolons_and_tabs_part_cells_too(text: str) -> None:
    assert rows(text) == [{"6.text": "a, b", "3.cfg": 7.5}]


def test_commas_in_numbers_are_decimals_only_where_semicolons_part_cells() -> None:
    assert rows("steps;cfg\n8,0;0,5\n") == [{"3.steps": 8, "3.cfg": 0.5}]
    for text in ('steps,cfg\n"8,0",1\n', 'steps,cfg\n8,"0,5"\n', "steps;cfg\n1,000;1\n"):
        with pytest.raises(BatchError, match="number"):
            rows(text)


def test_one_column_needs_no_delimiter() -> None:
    assert rows("prompt\na cat\n") == [{"6.text": "a cat"}]


def test_a_file_is_the_pods_if_the_pod_has_it_else_one_beside_the_table() -> None:
    assert rows("image\npod.png\nmine/b.png\n/abs/c.png\n", Path("/tables")) == [
        {"10.image": "pod.png"},
        {"10.image": Path("/tables/mine/b.png")},
        {"10.image": Path("/abs/c.png")},
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no first row"),
        ("prompt\n", "no rows"),
        ("promt\nx\n", "Column 'promt'.*Did you mean prompt"),
        ("width\n1\n", "Column 'width'.*Several inputs.*5.width"),
        ("prompt,6.text\na,b\n", "Two columns.*6.text"),
        ("prompt,steps\na,8\nb,many\n", "row 3, column steps.*'many'.*whole number"),
        ("prompt,steps\n\na,0\n", "row 3, column steps.*1 or more"),
        ("prompt,steps\na,8,9\n", "row 2 has a cell that belongs to no column"),
        ("prompt,\na,b\n", "row 2 has a cell that belongs to no column.*Name the column"),
        ('prompt\n"a\n', "cannot be read.*line"),
    ],
)
def test_what_is_wrong_in_a_table_is_told_with_its_place(text: str, says: str) -> None:
    with pytest.raises(BatchError, match=says):
        rows(text)


CELLS = st.text(
    alphabet=st.characters(exclude_categories=("Cs", "Cc")) | st.sampled_from('\n,;\t"'), min_size=1
).filter(lambda text: bool(text.strip()))


@given(st.lists(st.tuples(CELLS, st.integers(1, 100)), min_size=1, max_size=8), st.sampled_from(",;\t"))
def test_whatever_a_spreadsheet_writes_comes_back(table: list[tuple[str, int]], delimiter: str) -> None:
    file = io.StringIO(newline="")
    csv.writer(file, delimiter=delimiter).writerows([("prompt", "steps"), *table])
    assert rows(file.getvalue()) == [{"6.text": text, "3.steps": steps} for text, steps in table]
