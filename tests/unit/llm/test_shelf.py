"""The curated list, this computer's memory, and the shelf of models."""

from pathlib import Path

import pytest

from comfydesk.errors import LlmModelError, UsageError
from comfydesk.llm.models import CURATED, DEFAULT, Fit, Memory, Speed, curated, fit, memory_of_this_computer
from comfydesk.llm.shelf import Shelf
from tests.unit.llm.tiny_gguf import container, entry, write


def test_the_curated_list_is_complete_and_pinned() -> None:
    assert len({model.id for model in CURATED}) == len(CURATED) >= 7
    for model in CURATED:
        assert len(model.sha256) == 64
        assert int(model.sha256, 16)
        assert model.licence
        assert model.context >= 4096
        assert model.path == f"{model.repo}/resolve/{model.revision}/{model.file}"
    assert DEFAULT.id == "qwen3.5-4b"
    assert curated("QWEN3.5-4B") is DEFAULT
    with pytest.raises(UsageError, match=r"qwen3\.5-2b"):
        curated("gpt-9")


def test_speed_follows_size() -> None:
    assert {model.speed for model in CURATED} == set(Speed)
    assert curated("qwen-2.5-1.5b").speed is Speed.QUICK


@pytest.mark.parametrize(
    ("needed", "memory", "expected"),
    [
        (5, Memory(16, 8), Fit.FITS),
        (9, Memory(16, 8), Fit.TIGHT),
        (17, Memory(16, 8), Fit.TOO_LARGE),
        (5, Memory(0, 0), Fit.UNKNOWN),
        (5, Memory(16, 0), Fit.FITS),
    ],
)
def test_what_fits(needed: int, memory: Memory, expected: Fit) -> None:
    assert fit(needed, memory) is expected


def test_memory_is_more_than_the_file_and_grows_with_the_context() -> None:
    assert DEFAULT.size < DEFAULT.memory(4096) < DEFAULT.memory(32768)
    assert memory_of_this_computer().total > 1 << 28


def test_an_empty_shelf(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "none")
    assert shelf.models() == ()
    assert shelf.find("") is None
    assert shelf.remove(DEFAULT.id) is None
    assert not shelf.folder.exists(), "looking makes nothing"


def test_added_files_get_ids_of_their_own(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "shelf")
    paths = [write(tmp_path / name, "A cat.", width=16) for name in ("Qwen3.5-4B.gguf", "ä.gguf", "My Cat.gguf")]
    ids = [shelf.add(path).id for path in paths]
    assert ids == ["my-qwen3.5-4b", "model", "my-cat"]
    assert shelf.add(paths[2]).id == "my-cat", "again is the same"
    assert [model.id for model in Shelf(shelf.folder).models()] == ids
    paths[1].unlink()
    assert [model.id for model in shelf.models()] == ["my-qwen3.5-4b", "my-cat"], "what is gone is not offered"


def test_a_downloaded_model_comes_first_and_goes_with_its_parts(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    shelf.add(write(tmp_path / "mine.gguf", "A cat.", width=16))
    shelf.target(DEFAULT).write_bytes(b"whole")
    shelf.part(DEFAULT).write_bytes(b"part")
    found = shelf.find("")
    assert found is not None
    assert found.curated is DEFAULT
    assert shelf.remove(DEFAULT.id) is not None
    assert not shelf.target(DEFAULT).exists()
    assert not shelf.part(DEFAULT).exists()


def test_a_projector_is_not_taken_for_a_model(tmp_path: Path) -> None:
    path = tmp_path / "mmproj.gguf"
    path.write_bytes(container([entry("general.architecture", 8, "clip")], []))
    with pytest.raises(LlmModelError, match="clip file"):
        Shelf(tmp_path).add(path)


@pytest.mark.parametrize("content", ["", "[]", "{nonsense", '{"a": 1}', "[" * 100_000])
def test_a_broken_list_is_an_empty_one(tmp_path: Path, content: str) -> None:
    (tmp_path / "added.json").write_text(content)
    assert Shelf(tmp_path).models() == ()
