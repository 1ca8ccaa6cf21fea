"""Cards: filtered by task, by what comes out and by words; in an order that holds still."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from time import perf_counter, time
from typing import Any

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from comfydesk.events import JobProgress, RunState
from comfydesk.qt.models.rate import StepRate
from comfydesk.qt.models.rows import THUMBNAIL
from comfydesk.qt.models.thumbnails import Thumbnails
from comfydesk.qt.models.words import clock, made, models_missing, nodes_missing, size_words, speed
from comfydesk.qt.models.workflow_filter import Ready, Sort, WorkflowFilter
from comfydesk.qt.models.workflows import WorkflowModel, in_and_out, readiness
from comfydesk.session.values import WorkflowEntry
from comfydesk.store.records import Output
from comfydesk.store.workflow_marks import Mark
from comfydesk.workflow.card import RequiredModel, WorkflowCard
from comfydesk.workflow.needs import MissingModel, Needs


def entry(name: str, type_: str = "t2i", output: str = "image", **card: Any) -> WorkflowEntry:
    made = WorkflowCard(id=name, name=name, type=type_, input_types=("text",), output_types=(output,), **card)
    return WorkflowEntry(f"bundled/{name}", name, "bundled", made, Path(f"/{name}.json"))


ENTRIES = (
    entry("Portrait", required_models=(RequiredModel("sdxl_base.safetensors", "checkpoints"),)),
    entry("Animate", "i2v", "video", description="Brings a picture to life"),
    entry("Song", "audio", "audio", node_types=("KSampler", "SaveAudio")),
    entry("Upscale it", "upscale"),
)


@pytest.fixture
def model(qapp: object) -> WorkflowModel:
    made = WorkflowModel()
    made.set_entries(ENTRIES)
    return made


def names(model: WorkflowModel) -> list[str]:
    return [row.entry.name for row in model.rows()]


def test_all_stand_by_name(model: WorkflowModel) -> None:
    assert names(model) == ["Animate", "Portrait", "Song", "Upscale it"]
    assert model.total == 4


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (WorkflowFilter(text="port"), ["Portrait"]),
        (WorkflowFilter(text="LIFE picture"), ["Animate"]),
        (WorkflowFilter(text="sdxl"), ["Portrait"]),
        (WorkflowFilter(text="saveaudio"), ["Song"]),
        (WorkflowFilter(text="  "), ["Animate", "Portrait", "Song", "Upscale it"]),
        (WorkflowFilter(text="port nothing"), []),
        (WorkflowFilter(output="image"), ["Portrait", "Upscale it"]),
        (WorkflowFilter(types=frozenset({"i2v", "audio"})), ["Animate", "Song"]),
        (WorkflowFilter(output="image", types=frozenset({"upscale"})), ["Upscale it"]),
    ],
)
def test_filters_combine(model: WorkflowModel, wanted: WorkflowFilter, found: list[str], qtbot: QtBot) -> None:
    counts: list[tuple[int, int]] = []
    model.counted.connect(lambda shown, total: counts.append((shown, total)))
    model.set_filter(wanted)
    assert names(model) == found
    assert model.filter == wanted
    assert counts == [(len(found), 4)]


def test_a_new_list_touches_only_what_changed(model: WorkflowModel, qtbot: QtBot) -> None:
    kept = model.index_of("bundled/Portrait")
    with qtbot.assertNotEmitted(model.modelReset), qtbot.assertNotEmitted(model.dataChanged):
        model.set_entries((*ENTRIES[:3], entry("Zebra")))
    assert names(model) == ["Animate", "Portrait", "Song", "Zebra"]
    assert model.index(kept.row()).data() == "Portrait"
    with qtbot.waitSignal(model.dataChanged):
        model.set_entries((replace(ENTRIES[0], source="pod:x"), *ENTRIES[1:3], entry("Zebra")))


def test_what_a_pod_lacks_is_on_the_card_and_survives_the_filter(model: WorkflowModel) -> None:
    lacking = Needs(ready=False, missing_models=(MissingModel("a", "vae"), MissingModel("b", "vae")))
    model.set_filter(WorkflowFilter(text="song"))
    model.set_needs({"bundled/Animate": lacking, "bundled/Song": Needs(ready=True)}, "atlas")
    assert names(model) == ["Song"]
    assert readiness(model.rows()[0]) == "Ready"
    model.set_filter(WorkflowFilter())
    assert [readiness(row) for row in model.rows()] == ["2 models missing", "", "Ready", ""]
    words = model.index(0).data(Qt.ItemDataRole.AccessibleTextRole)
    assert words == "Animate, Text \N{RIGHTWARDS ARROW} video, 2 models missing"
    assert in_and_out(model.rows()[0]).startswith("Text")


@pytest.fixture
def thumbnails(qtbot: QtBot) -> Iterator[Thumbnails]:
    made = Thumbnails()
    yield made
    made.close()


def test_a_card_shows_what_it_made_last_and_does_not_move_while_one_looks(
    thumbnails: Thumbnails, tmp_path: Path, qtbot: QtBot
) -> None:
    from PySide6.QtGui import QImage

    path = tmp_path / "song.png"
    QImage(8, 8, QImage.Format.Format_RGB32).save(str(path))
    model = WorkflowModel(thumbnails)
    model.set_entries(ENTRIES)
    model.set_used({"bundled/Song": time() - 3600})
    order = names(model)
    assert order == ["Song", "Animate", "Portrait", "Upscale it"], "what was used last, then by name"
    now = Output(2, str(path), "image", 1, "", time() + 1, workflow="Upscale", workflow_id="bundled/Upscale it")
    model.put_outputs((now,))
    assert names(model) == order
    index = model.index_of("bundled/Upscale it")
    assert index.data(THUMBNAIL) is None
    with qtbot.waitSignal(model.dataChanged):
        pass
    assert model.index_of("bundled/Upscale it").data(THUMBNAIL).width() == 8


def test_the_order_is_by_use_then_by_place_then_by_name_or_as_chosen() -> None:
    model = WorkflowModel()
    saved = replace(ENTRIES[3], id="pod:a/Zoo", name="Zoo", source="pod:a", modified=5.0, size=9)
    template = replace(ENTRIES[0], id="templates/a", name="A template", source="templates", modified=9.0, size=3)
    model.set_entries((template, *ENTRIES, saved))
    assert names(model)[:2] == ["Zoo", "Animate"]
    assert names(model)[-1] == "A template"
    model.set_used({"templates/a": 7.0})
    assert names(model)[0] == "A template"
    model.set_sort(Sort.NEWEST)
    assert names(model)[:2] == ["A template", "Zoo"]
    model.set_sort(Sort.SMALLEST)
    assert names(model)[:2] == ["A template", "Zoo"]
    model.set_sort(Sort.NAME)
    assert names(model) == sorted(names(model), key=str.casefold)


def test_filters_by_place_readiness_favourites_tags_and_folder(model: WorkflowModel) -> None:
    deep = replace(ENTRIES[0], id="pod:a/portraits/x.json", name="X", source="pod:a", place="portraits/x.json")
    model.set_entries((*ENTRIES, deep))
    model.set_needs({"bundled/Song": Needs(ready=True), "bundled/Animate": Needs(ready=False)}, "atlas")
    model.set_marks({"bundled/Song": Mark(favourite=True), deep.id: Mark(tags=("Film",))})

    def found(**parts: Any) -> list[str]:
        model.set_filter(WorkflowFilter(**parts))
        return names(model)

    assert found(source="pod") == ["X"]
    assert found(ready=Ready.READY) == ["Song"]
    assert found(ready=Ready.MISSING) == ["Animate"]
    assert found(favourites=True) == ["Song"]
    assert found(tag="Film") == ["X"]
    assert found(text="film") == ["X"], "the user's tags are words to find it by"
    assert found(folder="portraits") == ["X"]
    assert found(input="text", output="audio") == ["Song"]


def test_a_workflow_is_known_by_its_id_not_by_its_name(thumbnails: Thumbnails) -> None:
    model = WorkflowModel(thumbnails)
    twin = replace(ENTRIES[0], id="pod:a/Portrait", source="pod:a")
    model.set_entries((ENTRIES[0], twin))
    model.put_outputs((Output(1, "/x.png", "image", 1, "", 1.0, workflow="Portrait", workflow_id=twin.id),))
    assert model.made((1,))
    assert set(model._made) == {twin.id}


def test_its_own_picture_is_asked_for_once_and_shown_before_what_it_made(qtbot: QtBot, thumbnails: Thumbnails) -> None:
    model = WorkflowModel(thumbnails)
    model.set_entries((replace(ENTRIES[0], source="templates", picture="a-1.webp"),))
    asked: list[str] = []
    model.picture_wanted.connect(lambda wanted: asked.append(wanted.picture))
    for _ in range(3):
        model.index(0).data(THUMBNAIL)
    assert asked == ["a-1.webp"]
    model.ask_pictures_again()
    model.index(0).data(THUMBNAIL)
    assert asked == ["a-1.webp"] * 2


def test_it_is_a_proper_list_model(qtmodeltester: Any, model: WorkflowModel) -> None:
    qtmodeltester.check(model, force_py=True)
    qtmodeltester.check(model)


def test_five_thousand_cards_are_searched_within_a_frame_or_two(qapp: object) -> None:
    model = WorkflowModel()
    many = [entry(f"Workflow {number}", description="some words to search in " * 4) for number in range(5000)]
    model.set_entries(many)
    start = perf_counter()
    model.set_filter(WorkflowFilter(text="workflow 49"))
    taken = perf_counter() - start
    assert model.rowCount() == sum("49" in str(number) for number in range(5000))
    assert taken < 0.1, f"{taken * 1000:.0f} ms"


# --- Words ----------------------------------------------------------------------------------------------------------


def test_numbers_read_as_people_say_them() -> None:
    assert [clock(seconds) for seconds in (0.4, 5, 112, 7390)] == ["0:00", "0:05", "1:52", "2:03:10"]
    assert [models_missing(number) for number in (1, 2)] == ["1 model missing", "2 models missing"]
    assert [nodes_missing(number) for number in (1, 3)] == ["1 node missing", "3 nodes missing"]
    assert [made(2, media) for media in ("image", "video", "audio", "")] == ["2 images", "2 videos", "2 jobs", "2 jobs"]
    assert [size_words(size) for size in (812, 1900, 1_900_000, 24e9)] == ["812 B", "1.9 KB", "1.9 MB", "24.0 GB"]
    assert (speed(3.417), speed(0.5)) == ("3.42 it/s", "2.00 s/it")


def test_speed_is_that_of_the_node_at_work() -> None:
    rate = StepRate()

    def seen(value: float, now: float, node: str = "sampler") -> float | None:
        return rate.take(JobProgress("job", RunState.RUNNING, node, value, 20), now)

    assert seen(0, 0.0) is None
    assert seen(2, 1.0) == pytest.approx(2)
    assert seen(2, 1.5) == pytest.approx(2), "no step, no news"
    assert seen(8, 4.0) == pytest.approx(2)
    assert seen(1, 5.0, "decoder") is None
    rates = [seen(1 + second * 4, 5.0 + second, "decoder") for second in range(30)]
    assert rates[-1] == pytest.approx(4), "what was long ago no longer counts"
