import math

import pytest

from comfydesk.errors import StoreError
from comfydesk.store import workflows
from comfydesk.store.database import Database
from comfydesk.store.workflows import Timing


def test_equal_documents_are_stored_once_and_come_back_in_their_own_order(db: Database) -> None:
    first = workflows.put_document(db, {"b": 1, "a": [2**64 - 1, 0.5, "\u2603", None]})
    second = workflows.put_document(db, {"a": [2**64 - 1, 0.5, "\u2603", None], "b": 1})
    assert first == second == workflows.document_hash({"b": 1, "a": [2**64 - 1, 0.5, "\u2603", None]})
    assert len(db.query("SELECT * FROM documents")) == 1
    assert list(workflows.get_document(db, first)) == ["b", "a"]


def test_nan_and_broken_unicode_survive(db: Database) -> None:
    key = workflows.put_document(db, {"x": math.nan, "y": "\ud800"})
    found = workflows.get_document(db, key)
    assert math.isnan(found["x"])
    assert found["y"] == "\ud800"


def test_a_missing_document_is_told(db: Database) -> None:
    with pytest.raises(StoreError, match="lost the workflow"):
        workflows.get_document(db, "f" * 64)


def test_uploads_are_remembered_per_pod_until_forgotten(db: Database) -> None:
    workflows.remember_upload(db, "p", "ff", "x (1).png")
    assert workflows.uploaded(db, "p", "ff") == "x (1).png"
    assert workflows.uploaded(db, "q", "ff") is None
    workflows.remember_upload(db, "p", "ff", "y.png")
    assert workflows.uploaded(db, "p", "ff") == "y.png"
    workflows.forget_upload(db, "p", "ff")
    assert workflows.uploaded(db, "p", "ff") is None


def test_timings_average_with_half_the_weight_on_the_newest(db: Database) -> None:
    workflows.learn_timings(db, "p", "s", {"1": Timing(10.0), "2": Timing(1.0)})
    workflows.learn_timings(db, "p", "s", {"1": Timing(20.0)})
    assert workflows.timings(db, "p", "s") == {"1": Timing(15.0), "2": Timing(1.0)}
    assert workflows.timings(db, "q", "s") == {}


def test_timings_of_another_number_of_steps_are_scaled_before_they_count(db: Database) -> None:
    workflows.learn_timings(db, "p", "s", {"1": Timing(10.0, steps=20)})
    workflows.learn_timings(db, "p", "s", {"1": Timing(20.0, steps=40)})
    assert workflows.timings(db, "p", "s") == {"1": Timing(20.0, steps=40)}
