from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from comfydesk.store import jobs, workflows
from comfydesk.store.database import Database
from comfydesk.store.records import Job, JobState


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / "library.sqlite")
    yield database
    database.close()


@pytest.fixture
def new_job(db: Database) -> Callable[..., Job]:
    """Stores a job and returns it as read back."""

    def make(job: str = "a", state: JobState = JobState.QUEUED, **given: Any) -> Job:
        graph = workflows.put_document(db, {"1": {"class_type": "EmptyImage", "inputs": {}}})
        fields: dict[str, Any] = {
            "id": job,
            "state": state,
            "workflow": "w",
            "pod": "p",
            "graph_hash": graph,
            "values": {},
            "prompt": "",
            "seed": None,
            "position": 0,
            "created": 1.0,
            "owner": "me",
        }
        jobs.add(db, [Job(**(fields | given))])
        stored = jobs.get(db, job)
        assert stored is not None
        return stored

    return make
