"""Presets, pins, locks and favourites: kept over a restart, shared as files that can do no harm."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfydesk.errors import UsageError
from comfydesk.session.shelves.presets import (
    Pins,
    Preset,
    PresetBook,
    PresetFile,
    export_preset,
    import_preset,
)
from comfydesk.workflow.fields import Field, Form, Kind, Role

FORM = Form((
    Field("1.text", "Prompt", Kind.TEXT, "", Role.PROMPT),
    Field("2.steps", "Steps", Kind.INT, 20, Role.STEPS),
    Field("3.image", "Image", Kind.IMAGE, "", Role.IMAGE),
    Field("4.turbo", "Turbo", Kind.BOOL, False),
    Field("5.boxes", "Boxes", Kind.OTHER, []),
))  # fmt: skip
COAST = Preset("Coastal set", {"1.text": "a lighthouse", "2.steps": 30}, ("5.seed",), 4)


def test_everything_is_there_after_a_restart(tmp_path: Path) -> None:
    book = PresetBook()
    book.put("w", COAST)
    book.put("w", Preset("with a file", {"3.image": tmp_path / "a.png"}))
    book.set_pins("w", Pins().with_("4.turbo", True).with_("2.steps", False))
    book.set_locks("w", "1.text", ("red fox",))
    book.favourites = frozenset({("loras", "film.safetensors")})
    file = PresetFile(tmp_path / "presets.json")
    file.save(book.dump())
    again = PresetBook()
    again.take(file.load())
    assert again.presets("w") == book.presets("w")
    assert again.presets("w")[1].values == {"3.image": tmp_path / "a.png"}, "one's own file is a path again"
    assert again.pins("w") == Pins(frozenset({"4.turbo"}), frozenset({"2.steps"}))
    assert again.locks("w") == {"1.text": ("red fox",)}
    assert again.favourites == book.favourites


def test_a_preset_is_renamed_and_removed_and_put_back() -> None:
    book = PresetBook()
    book.put("w", COAST)
    book.put("w", Preset("Other", {}))
    with pytest.raises(UsageError, match="There is a preset Other already"):
        book.rename("w", "Coastal set", "Other")
    book.rename("w", "Coastal set", " By  the sea\n")
    removed = book.remove("w", "By the sea")
    assert removed is not None
    assert removed.values == COAST.values
    assert [each.name for each in book.presets("w")] == ["Other"]
    book.put("w", removed)
    assert [each.name for each in book.presets("w")] == ["By the sea", "Other"]


def test_pins_of_a_workflow_are_its_own() -> None:
    book = PresetBook()
    book.set_pins("w", Pins().with_("1.x", True).with_("1.x", False))
    assert book.pins("w") == Pins(unpinned=frozenset({"1.x"}))
    assert book.pins("other") == Pins()


def test_a_shared_preset_comes_back(tmp_path: Path) -> None:
    shared = export_preset(COAST, "Flux text to image")
    preset, workflow = import_preset(shared, FORM)
    assert (preset.name, workflow, preset.values, preset.count) == (
        "Coastal set",
        "Flux text to image",
        COAST.values,
        4,
    )


def test_files_of_this_computer_are_not_shared(tmp_path: Path) -> None:
    shared = export_preset(Preset("x", {"3.image": tmp_path / "private.png", "2.steps": 3}), "w")
    assert b"private" not in shared


@pytest.mark.parametrize("value", [{"$path": "/etc/passwd"}, ["/etc/passwd"], 5, None])
def test_a_strangers_preset_names_no_file_of_this_computer(value: Any) -> None:
    data = json.dumps(
        {
            "comfydesk_preset": 1,
            "name": "x",
            "values": {"3.image": value, "5.boxes": [value, {"$path": "/x"}], "2.steps": 3},
        }
    ).encode()
    preset, _ = import_preset(data, FORM)
    assert preset.values == {"2.steps": 3}


def test_values_of_another_kind_are_left_out() -> None:
    values = {"1.text": 5, "2.steps": "many", "4.turbo": 1, "9.gone": 1, "3.image": "on_the_pod.png"}
    data = json.dumps({"comfydesk_preset": 1, "name": "x", "values": values}).encode()
    preset, _ = import_preset(data, FORM)
    assert preset.values == {"3.image": "on_the_pod.png"}


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "no preset"),
        (b"\xff\xfe", "no preset"),
        (b"[" * 100_000, "no preset"),
        (b'{"comfydesk_preset": 2}', "no preset"),
        (b'{"comfydesk_preset": 1, "name": "", "values": {}}', "damaged"),
        (b'{"comfydesk_preset": 1, "name": "x", "values": {"9.a": 1}}', "Nothing in x is for this workflow"),
        (b" " * 5_000_000, "too large"),
    ],
)
def test_a_file_that_is_no_preset_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        import_preset(data, FORM)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["workflows", "favourites", "presets", "name", "values", "pinned", "locks", "w"]), inner
    ),
)  # fmt: skip


@given(st.dictionaries(st.sampled_from(["workflows", "favourites", "x"]), JSON))
def test_any_file_of_another_shape_is_taken_as_far_as_it_goes(saved: dict[str, Any]) -> None:
    book = PresetBook()
    book.take(saved)
    again = PresetBook()
    again.take(book.dump())
    assert again.dump() == book.dump()
