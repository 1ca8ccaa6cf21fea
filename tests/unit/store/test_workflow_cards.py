"""Remembered cards: by path, below a folder, for one version of the scanner."""

from pathlib import Path

import pytest

from comfydesk.store import workflow_cards
from comfydesk.store.database import Database
from comfydesk.store.workflow_cards import FileStamp, forget_cards, known_cards, remember_cards
from comfydesk.workflow.card import RequiredModel, WorkflowCard

CARD = WorkflowCard(
    id="c1",
    name="Größe",
    type="t2i",
    node_count=3,
    input_types=("text",),
    output_types=("image",),
    required_models=(RequiredModel("a.safetensors", "vae", "https://h/a", "ab"),),
    node_types=("A", "B"),
)
STAMP = FileStamp(10, 2**62)


def test_a_card_comes_back_as_it_was(db: Database, tmp_path: Path) -> None:
    remember_cards(db, [(tmp_path / "a.json", STAMP, CARD)])
    assert known_cards(db, tmp_path) == {tmp_path / "a.json": (STAMP, CARD)}


def test_a_folder_knows_what_is_below_it_at_any_depth_and_nothing_beside_it(db: Database, tmp_path: Path) -> None:
    inside = [tmp_path / "flows" / "a.json", tmp_path / "flows" / "x" / "y.json"]
    beside = [tmp_path / "flows2" / "a.json", tmp_path / "flows.json"]
    remember_cards(db, [(path, STAMP, CARD) for path in (*inside, *beside)])
    assert sorted(known_cards(db, tmp_path / "flows")) == inside


def test_a_newer_card_takes_the_place_of_the_old_one(db: Database, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    remember_cards(db, [(path, STAMP, CARD)])
    remember_cards(db, [(path, FileStamp(11, 5), WorkflowCard("c2", "new"))])
    assert known_cards(db, tmp_path) == {path: (FileStamp(11, 5), WorkflowCard("c2", "new"))}
    forget_cards(db, [path])
    assert known_cards(db, tmp_path) == {}


def test_cards_of_another_version_of_the_scanner_are_unknown(
    db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remember_cards(db, [(tmp_path / "a.json", STAMP, CARD)])
    monkeypatch.setattr(workflow_cards, "RULES", workflow_cards.RULES + 1)
    assert known_cards(db, tmp_path) == {}
