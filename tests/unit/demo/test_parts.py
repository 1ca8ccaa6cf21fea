"""Folders, queue, order, dynamic inputs, the rewriter: the pod's smaller parts."""

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from comfydesk.demo.folders import Folders, inside, split_tag
from comfydesk.demo.nodes import all_nodes
from comfydesk.demo.order import Order
from comfydesk.demo.queue import Ended, Item, PromptQueue
from comfydesk.demo.rewriter import rewrite, subject_of
from comfydesk.demo.schema import expand, nest
from comfydesk.llm.words.compose import Task, compose
from comfydesk.llm.words.judge import judge
from comfydesk.llm.words.masking import mask
from comfydesk.llm.words.styles import STYLES, Style

ENDED = Ended({}, {}, success=True, messages=[])


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    made = Folders(tmp_path)
    made.create()
    return made


# --- Folders


def test_names_of_inputs(folders: Folders) -> None:
    assert split_tag("a.png [output]") == ("a.png", "output")
    assert split_tag("a.png") == ("a.png", None)
    assert folders.find("sub/a.png") == folders.root / "input" / "sub" / "a.png"
    assert folders.find("a.png [temp]") == folders.root / "temp" / "a.png"
    for name in ("../a.png", "/etc/passwd", "sub/../../a.png"):
        with pytest.raises(ValueError, match="outside"):
            folders.find(name)
        assert not folders.exists(name)


def test_the_example_picture_is_drawn_when_it_is_wanted(folders: Folders) -> None:
    assert folders.inputs("image") == ["example.png"]
    assert folders.exists("example.png")
    assert not (folders.root / "input" / "example.png").exists()
    assert folders.find("example.png").is_file()


def test_saved_files_count_on(folders: Folders) -> None:
    saving = folders.next_file("sub/demo", "output")
    assert (saving.name("png"), saving.name("png", 1), saving.subfolder) == (
        "demo_00001_.png",
        "demo_00002_.png",
        "sub",
    )
    for name in ("demo_00007_.png", "demo_9.txt", "demon_00040_.png", "demo_x_.png"):
        (saving.folder / name).touch()
    assert folders.next_file("sub/demo", "output").name("png") == "demo_00010_.png"
    assert folders.next_file("%width%x%height%_%batch_num%", "output", 3, 4).name("png", 2) == "3x4_2_00003_.png"
    with pytest.raises(ValueError, match="outside"):
        folders.next_file("../x", "output")


def test_models_are_the_demos_own_and_those_on_the_disk(folders: Folders) -> None:
    own = folders.root / "models" / "loras" / "style" / "mine.safetensors"
    own.parent.mkdir(parents=True)
    own.touch()
    own.with_suffix(".txt").touch()
    assert folders.models("loras") == [
        "demo-ink-lines.safetensors",
        "demo-warm-light.safetensors",
        "style/mine.safetensors",
    ]


def test_a_link_that_leads_out_of_a_folder_is_no_way_out(tmp_path: Path) -> None:
    assert inside(tmp_path, tmp_path / "a" / ".." / "b") == tmp_path / "b"
    with pytest.raises(ValueError, match="outside"):
        inside(tmp_path / "a", tmp_path / "ab")


# --- Queue


def item(number: float, prompt_id: str) -> Item:
    return Item(number, prompt_id, {}, {}, [])


def test_the_lowest_number_runs_first() -> None:
    changes: list[int] = []
    queue = PromptQueue(lambda: changes.append(1))
    for number, name in ((2, "c"), (1, "b"), (-3, "a")):
        queue.put(item(number, name))
    assert queue.remaining == 3
    taken = [queue.take() for _ in range(3)]
    assert [entry.prompt_id for entry in taken if entry] == ["a", "b", "c"]
    assert len(changes) == 6


def test_cancel_finds_what_waits_and_what_runs() -> None:
    queue = PromptQueue(lambda: None)
    queue.put(item(1, "a"))
    queue.put(item(2, "b"))
    running = queue.take()
    assert running
    assert queue.cancel("b")
    assert not queue.is_interrupted()
    assert queue.cancel("a")
    assert queue.is_interrupted()
    assert not queue.cancel("b")
    queue.done(running, ENDED)
    assert not queue.cancel("a")
    assert list(queue.history()) == ["a"]
    assert queue.history("b") == {}


def test_closing_wakes_the_worker_and_forgets_what_ran() -> None:
    queue = PromptQueue(lambda: None)
    taken: list[Item | None] = []
    worker = threading.Thread(target=lambda: taken.append(queue.take()))
    worker.start()
    time.sleep(0.01)
    queue.close()
    worker.join(5)
    assert taken == [None]
    queue.reopen(keep_history=True)
    queue.put(item(1, "a"))
    running = queue.take()
    assert running
    queue.close()
    assert queue.is_interrupted()
    queue.done(running, ENDED)
    assert queue.history() == {}


# --- Order


def order_of(prompt: dict[str, Any], outputs: list[str], cached: frozenset[str] = frozenset()) -> list[str]:
    order = Order(prompt, all_nodes(), outputs, cached)
    found = []
    while (node := order.next()) is not None:
        found.append(node)
        order.done(node)
    return found


def node(class_type: str, *sources: str) -> dict[str, Any]:
    return {"class_type": class_type, "inputs": {f"i{index}": [source, 0] for index, source in enumerate(sources)}}


def test_what_shows_something_soonest_runs_first() -> None:
    prompt = {
        "1": node("EmptyImage"),
        "2": node("ImageInvert", "1"),
        "3": node("ImageInvert", "2"),
        "4": node("PreviewImage", "1"),
        "5": node("SaveImage", "3"),
        "6": node("ImageInvert", "1"),
    }
    assert order_of(prompt, ["4", "5"]) == ["1", "4", "2", "3", "5"], "6 leads nowhere"


def test_behind_a_cached_node_nothing_runs() -> None:
    prompt = {"1": node("EmptyImage"), "2": node("ImageInvert", "1"), "3": node("SaveImage", "2")}
    assert order_of(prompt, ["3"], frozenset("12")) == ["3"]
    assert order_of(prompt, ["3"], frozenset("123")) == ["3"], "a cached output still shows what it showed"


# --- Dynamic inputs


def test_a_growing_input(folders: Folders) -> None:
    inputs = all_nodes()["BatchImagesNode"].inputs(folders)
    flat = expand(inputs, {})
    assert list(flat["required"]) == ["images.image0"]
    assert len(flat["optional"]) == 49
    assert nest(inputs, {"images.image0": "a", "images.image4": "b"}) == {"images": {"image0": "a", "image4": "b"}}
    assert nest(inputs, {}) == {"images": {}}


def test_a_choice_with_inputs_of_its_own(folders: Folders) -> None:
    inputs = all_nodes()["SaveVideo"].inputs(folders)
    given = {"video": 1, "format": "webm", "format.codec": "av1", "format.codec.encoding": "auto", "codec": "auto"}
    flat = expand(inputs, given)
    assert list(flat["required"]) == ["video", "filename_prefix", "format.codec", "format"]
    assert nest(inputs, given) == {
        "video": 1,
        "format": {"format": "webm", "codec": {"codec": "av1", "encoding": {"encoding": "auto"}}},
        "codec": {"codec": "auto"},
    }


# --- The rewriter


@pytest.mark.parametrize(
    ("request_text", "subject"),
    [
        ("a red bicycle", "a red bicycle"),
        ("Rewrite the prompt with more detail.\n\nPrompt: a red bicycle", "a red bicycle"),
        ('You are a helper. Improve "a red bicycle" please.', "a red bicycle"),
        ("<|im_start|>user\na red bicycle<|im_end|>\n<|im_start|>assistant\n", "a red bicycle"),
        ("", ""),
    ],
)
def test_the_words_to_rewrite_are_found(request_text: str, subject: str) -> None:
    assert subject_of(request_text) == subject


def test_rewriting_keeps_the_subject_and_depends_on_the_seed() -> None:
    one, same, other = (rewrite("a red bicycle", seed, 100) for seed in (1, 1, 2))
    assert one == same != other
    assert one.startswith("a red bicycle, ")
    assert len(rewrite("a red bicycle", 1, 5).split()) == 5
    assert rewrite("", 1, 50).startswith("a quiet scene")


@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.id)
@pytest.mark.parametrize("negative", [False, True])
@pytest.mark.parametrize("text", ['a fox, <lora:ink:0.8>, "OPEN"', "ein Fuchs im Schnee", "a {red|blue} boat"])
def test_text_generation_answers_what_the_app_asks_and_never_echoes_the_instruction(
    style: Style, negative: bool, text: str
) -> None:
    task = Task(mask(text), style, negative=negative)
    request = compose(task, 1)
    instruction = f"{request.system}\n\n{request.user}"
    answer = rewrite(instruction, 1, 200)
    assert subject_of(instruction) == " ".join(task.masked.text.split())
    judged = judge(task, answer)
    assert judged.text is not None, judged.why
    for word in ("prompt", "material", "Answer", "marker", "Example", "instruction"):
        assert word not in answer


def test_a_picture_that_is_described_has_no_words_of_the_question_in_it() -> None:
    request = compose(Task(mask(""), STYLES[0], image=b"picture"), 1)
    assert rewrite(f"{request.system}\n\n{request.user}", 1, 200).startswith("a quiet scene")
