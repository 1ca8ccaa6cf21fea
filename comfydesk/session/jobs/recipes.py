"""What is needed to open a job's workflow again as it was queued: to edit it and run it again."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from comfydesk.store.database import Database
from comfydesk.store.jobs import get
from comfydesk.store.records import Job, LocalFile
from comfydesk.store.workflows import get_document


@dataclass(frozen=True, slots=True)
class Recipe:
    """`session.open_workflow(recipe.source, name=recipe.name)`, then its form with `values`."""

    name: str
    workflow_id: str
    """WorkflowEntry.id, where it came from one; else empty."""
    source: bytes
    """The UI document, else the API graph, as JSON: exactly the version that was queued."""
    values: Mapping[str, Any]
    """Field id → value, as it was sent. pathlib.Path: a file of this computer."""
    drawn: Mapping[str, str]
    """Field id → the text with the wildcards that `values` has drawn: for who wants to draw anew."""


def recipe_of(db: Database, job_id: str) -> Recipe | None:
    """None if there is no such job. Raises StoreError if its workflow is lost."""
    job = get(db, job_id)
    return None if job is None else recipe(db, job)


def recipe(db: Database, job: Job) -> Recipe:
    """Of a job that was read. Raises StoreError if its workflow is lost."""
    document = get_document(db, job.document_hash or job.graph_hash)
    values = {name: Path(value.path) if isinstance(value, LocalFile) else value for name, value in job.values.items()}
    source = json.dumps(document, ensure_ascii=False).encode("utf-8", "surrogatepass")
    return Recipe(job.workflow, job.workflow_id, source, values, dict(job.drawn))
