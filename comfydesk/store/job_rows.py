"""Rows of the view job_rows as jobs."""

import json
import sqlite3
from collections.abc import Sequence

from comfydesk.store.database import Database, Value, listed
from comfydesk.store.packing import unpack_error, unpack_values, unpack_verdict
from comfydesk.store.records import ANY, Job, JobState


def read_jobs(db: Database, sql: str, values: Sequence[Value]) -> tuple[Job, ...]:
    """The jobs of a SELECT on the view job_rows, with the paths of their outputs."""
    rows = db.query(sql, values)
    files = db.query(
        "SELECT job_files.job, outputs.path FROM job_files JOIN outputs ON outputs.id = job_files.output"
        " WHERE job_files.job IN (SELECT value FROM json_each(?)) ORDER BY job_files.job, job_files.number",
        (listed(row["id"] for row in rows),),
    )
    paths: dict[str, list[str]] = {}
    for file in files:
        paths.setdefault(file["job"], []).append(file["path"])
    return tuple(_job(row, tuple(dict.fromkeys(paths.get(row["id"], ())))) for row in rows)


def _job(row: sqlite3.Row, outputs: tuple[str, ...]) -> Job:
    return Job(
        id=row["id"],
        state=JobState(row["state"]),
        workflow=row["workflow"],
        pod=row["pod"] or ("" if row["target"] == ANY else row["target"]),
        target=row["target"],
        workflow_id=row["workflow_id"],
        batch=row["batch"],
        graph_hash=row["graph_hash"],
        values=unpack_values(row["field_values"]),
        prompt=row["prompt"],
        seed=None if row["seed"] is None else int(row["seed"]),
        position=row["position"],
        created=row["created"],
        posted=row["posted"],
        sent=row["sent"],
        started=row["started"],
        finished=row["finished"],
        error=unpack_error(row["error"]),
        warning=unpack_error(row["warning"]),
        outputs=outputs,
        document_hash=row["document_hash"],
        owner=row["owner"],
        remote_id=row["remote_id"],
        folder=row["folder"],
        texts=tuple(json.loads(row["texts"])),
        drawn=json.loads(row["drawn"]),
        cell=_cell(row["cell"]),
        originals=json.loads(row["originals"]),
        template=row["template"],
        verdict=unpack_verdict(row["verdict"]),
    )


def _cell(text: str | None) -> tuple[int, int, int, int] | None:
    if text is None:
        return None
    sheet, page, row, column = json.loads(text)
    return sheet, page, row, column
