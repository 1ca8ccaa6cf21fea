"""Which mmproj file goes with a model: the chosen one, else its own, else the only one beside it."""

from pathlib import Path

from comfydesk.session.enhancement.engines import _projector


def test_the_chosen_one_goes_first_then_its_own_then_the_only_one(tmp_path: Path) -> None:
    model = tmp_path / "qwen.gguf"
    assert _projector("", model) is None
    assert _projector("", None) is None
    (tmp_path / "mmproj-F16.gguf").touch()
    assert _projector("", model) == tmp_path / "mmproj-F16.gguf"
    (tmp_path / "mmproj-Q8.gguf").touch()
    assert _projector("", model) is None, "whose is which cannot be known"
    (tmp_path / "qwen.mmproj.gguf").touch()
    assert _projector("", model) == tmp_path / "qwen.mmproj.gguf"
    assert _projector(str(tmp_path / "other.gguf"), model) == tmp_path / "other.gguf"
