import tomllib
from pathlib import Path

import pytest

from comfydesk.errors import StoreError, UsageError
from comfydesk.option import Option
from comfydesk.settings import AHEAD, DEFAULT_POD, OPTIONS, Settings


def test_every_option_has_words_for_the_dialog_and_a_key_of_its_own() -> None:
    keys = [option.key for option in OPTIONS]
    assert len(set(keys)) == len(keys)
    for option in OPTIONS:
        assert option.label
        assert option.help.endswith(".")
        assert option.check(option.default) == option.default
        assert option.key.count(".") == 1


def test_without_a_file_the_defaults_hold_and_nothing_is_written(tmp_path: Path) -> None:
    settings = Settings.load(tmp_path / "settings.toml")
    assert settings.get(AHEAD) == AHEAD.default
    assert settings.problem == ""
    assert list(tmp_path.iterdir()) == []


def test_what_is_set_holds_at_once_and_at_the_next_start(tmp_path: Path) -> None:
    path = tmp_path / "new" / "settings.toml"
    settings = Settings.load(path)
    settings.set(AHEAD, 3)
    settings.set(DEFAULT_POD, 'Quote " and \u2603')
    for one in (settings, Settings.load(path)):
        assert one.get(AHEAD) == 3
        assert one.get(DEFAULT_POD) == 'Quote " and \u2603'
    assert [entry.name for entry in path.parent.iterdir()] == ["settings.toml"]


def test_what_a_newer_version_wrote_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text('[queue]\nahead = 2\nnew = "x"\n[future]\nlist = [1, 2]\n')
    Settings.load(path).set(AHEAD, 4)
    assert tomllib.loads(path.read_text()) == {"queue": {"ahead": 4, "new": "x"}, "future": {"list": [1, 2]}}


@pytest.mark.parametrize(
    "content",
    [
        *(b"queue = [", b"\xff\xfe", b"[queue]\nahead = 1\nahead = 2\n"),
        *(b"a = " + b"[" * 900 + b"]" * 900, b"a" + b".a" * 900 + b" = 1", b"a = " + b"[" * 60 + b"]" * 60),
    ],
    ids=["cut off", "no text", "twice", "a tower", "a long name", "too deep to be written"],
)
def test_a_broken_file_is_kept_aside_and_told(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "settings.toml"
    (tmp_path / "settings.toml.broken").write_bytes(b"an earlier one")
    path.write_bytes(content)
    settings = Settings.load(path)
    assert settings.get(AHEAD) == AHEAD.default
    assert "broken-2" in settings.problem
    assert (tmp_path / "settings.toml.broken-2").read_bytes() == content
    assert (tmp_path / "settings.toml.broken").read_bytes() == b"an earlier one"
    assert not path.exists()


@pytest.mark.parametrize("value", ['"three"', "true", "99", "-1", "2.5", "[1]"])
def test_a_value_that_does_not_fit_is_told_and_the_default_used(tmp_path: Path, value: str) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(f"[queue]\nahead = {value}\n")
    settings = Settings.load(path)
    assert settings.get(AHEAD) == AHEAD.default
    assert "queue.ahead" in settings.problem


def test_a_value_that_does_not_fit_is_not_set(tmp_path: Path) -> None:
    settings = Settings.load(tmp_path / "settings.toml")
    with pytest.raises(UsageError, match=r"between 0 and 16"):
        settings.set(AHEAD, 17)
    with pytest.raises(UsageError, match="Choose one of: a, b"):
        Option("x.y", "a", "", "", choices=("a", "b")).check("c")
    assert not (tmp_path / "settings.toml").exists()


def test_a_whole_number_will_do_for_a_fraction() -> None:
    assert Option("x.y", 0.5, "", "").check(2) == 2.0


def test_a_file_that_cannot_be_read_or_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be read"):
        Settings.load(tmp_path)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StoreError, match="cannot be saved"):
        Settings(tmp_path / "file" / "settings.toml").set(AHEAD, 2)
