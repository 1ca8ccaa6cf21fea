"""Contact sheets that are to be made when the jobs of their grid are over."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from comfydesk.events import Change, OutputsChanged
from comfydesk.store.database import Database


@dataclass(frozen=True, slots=True)
class WantedSheet:
    """One page of a batch's grid, and how it is labelled."""

    batch: str
    sheet: int
    page: int
    title: str
    columns: tuple[str, ...]
    rows: tuple[str, ...]
    folder: str
    """Where it goes; empty: beside the first result."""
    path: str | None = None
    """Its file, once that is decided."""
    output: int | None = None
    """It in the library, of one that was made before and is looked at anew."""
    drawn: float | None = None
    """When that was."""


@dataclass(frozen=True, slots=True)
class Filled:
    """What a job of the page left: its run, its place, its files."""

    run: str
    row: int
    column: int
    paths: tuple[str, ...]
    finished: float | None = None


def want(db: Database, sheets: Sequence[WantedSheet], owner: str) -> None:
    """Have these made by that session. The caller has a transaction open."""
    for one in sheets:
        labels = json.dumps(one.columns), json.dumps(one.rows)
        db.execute(
            "INSERT INTO sheets (batch, sheet, page, title, columns, rows, folder, owner)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (one.batch, one.sheet, one.page, one.title, *labels, one.folder, owner),
        )


def are_wanted(db: Database, owner: str, batch: str | None = None) -> bool:
    """Whether a session still has sheets to make, of that batch or of any."""
    row = db.first(
        "SELECT 1 FROM sheets WHERE made IS NULL AND owner = ? AND coalesce(?, batch) = batch LIMIT 1", (owner, batch)
    )
    return row is not None


def reopen(db: Database, batch: str, cell: Sequence[int], owner: str) -> None:
    """The page of that cell, if it is made, is looked at anew when the batch is over again."""
    with db.transaction():
        db.execute(
            "UPDATE sheets SET made = NULL, owner = ? WHERE made IS NOT NULL AND batch = ? AND sheet = ? AND page = ?",
            (owner, batch, cell[0], cell[1]),
        )


def due(db: Database, owner: str, batch: str | None = None) -> tuple[WantedSheet, ...]:
    """Those (of one batch, or of all) that the session is to make now: all jobs of their batch are over.

    A job of which it is not known how it ended leaves its cell empty: should it be found or run again, the page is
    reopened.
    """
    rows = db.query(
        """WITH over AS MATERIALIZED (
            SELECT batch FROM (SELECT DISTINCT batch FROM sheets WHERE made IS NULL AND owner = ?
                AND coalesce(?, batch) = batch) AS open
            WHERE NOT EXISTS (SELECT 1 FROM runs JOIN jobs ON jobs.id = runs.id WHERE runs.batch = open.batch
                AND jobs.finished IS NULL)
        ) SELECT sheets.*, outputs.created AS drawn FROM sheets LEFT JOIN outputs ON outputs.id = sheets.output
        WHERE made IS NULL AND sheets.batch IN (SELECT batch FROM over) ORDER BY sheets.batch, sheet, page""",
        (owner, batch),
    )
    return tuple(
        WantedSheet(
            row["batch"],
            row["sheet"],
            row["page"],
            row["title"],
            tuple(json.loads(row["columns"])),
            tuple(json.loads(row["rows"])),
            row["folder"],
            row["path"],
            row["output"],
            row["drawn"],
        )
        for row in rows
    )


def filled(db: Database, one: WantedSheet) -> tuple[Filled, ...]:
    """The jobs of a page with what they left, in their order; of several for one cell the latest last."""
    rows = db.query(
        """SELECT runs.id AS run, jobs.finished AS finished,
            json_extract(cell, '$[2]') AS line, json_extract(cell, '$[3]') AS place,
            (SELECT json_group_array(path) FROM (SELECT outputs.path AS path FROM job_files
                JOIN outputs ON outputs.id = job_files.output
                WHERE job_files.job = runs.id AND typeof(outputs.path) = 'text' ORDER BY number)) AS paths
        FROM runs LEFT JOIN jobs ON jobs.id = runs.id
        WHERE batch = ? AND json_extract(cell, '$[0]') = ? AND json_extract(cell, '$[1]') = ?
        ORDER BY line, place, jobs.number""",
        (one.batch, one.sheet, one.page),
    )
    return tuple(
        Filled(row["run"], row["line"], row["place"], tuple(json.loads(row["paths"])), row["finished"]) for row in rows
    )


def plan_sheet(db: Database, one: WantedSheet, path: str) -> bool:
    """Write down where it goes, before it is drawn. False: that place belongs to another file of the library.

    What was made of it before is a picture of its own from now on.
    """
    with db.transaction(durable=True):
        changed = db.execute(
            """UPDATE sheets SET path = :path, output = NULL WHERE batch = :batch AND sheet = :sheet AND page = :page
            AND NOT EXISTS (SELECT 1 FROM outputs WHERE path = :path)
            AND NOT EXISTS (SELECT 1 FROM job_files WHERE path = :path)
            AND NOT EXISTS (SELECT 1 FROM pod_fetches WHERE path = :path)
            AND NOT EXISTS (SELECT 1 FROM sheets WHERE path = :path)""",
            {"path": path, "batch": one.batch, "sheet": one.sheet, "page": one.page},
        )
    return changed > 0


def sheet_made(db: Database, one: WantedSheet, output: int | None, now: float) -> tuple[Change, ...]:
    """It is done with; `output` is it in the library, None if it could not be made."""
    with db.transaction():
        db.execute(
            "UPDATE sheets SET made = ?, output = ? WHERE batch = ? AND sheet = ? AND page = ?",
            (now, output, one.batch, one.sheet, one.page),
        )
    return (OutputsChanged(),) if output is None else (OutputsChanged(updated=(output,)),)


def sheets_of(db: Database, batch: str) -> tuple[str, ...]:
    """The files of a batch's sheets, as far as they are made."""
    rows = db.query(
        "SELECT outputs.path FROM sheets JOIN outputs ON outputs.id = sheets.output WHERE sheets.batch = ?"
        " ORDER BY sheet, page",
        (batch,),
    )
    return tuple(row["path"] for row in rows)
