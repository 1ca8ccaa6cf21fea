"""The library with damage anywhere in it: opened, read and written, it answers or says that it is damaged."""

import contextlib
import dataclasses
import functools

from comfydesk.errors import KnownError
from comfydesk.session.library import _opened
from comfydesk.store import (
    albums,
    deletions,
    enhancements,
    facets,
    imports,
    jobs,
    marks,
    outputs,
    prompts,
    provenance,
    sheets,
    staging,
    workflow_marks,
    workflows,
)
from comfydesk.store.database import Database
from comfydesk.store.listing import OutputIndex, listing
from comfydesk.store.outputs import Identity
from comfydesk.store.records import Job, JobError, JobState, Output
from comfydesk.store.search import Grouping, Order, OutputFilter
from comfydesk.store.workflow_cards import known_cards
from tests.fuzz import material
from tests.fuzz.harness import Harness
from tests.fuzz.mutate import bytes_of, either, tokens


def take(data: bytes) -> None:
    folder = material.folder() / "library"
    folder.mkdir(exist_ok=True)
    for file in folder.iterdir():
        file.unlink()
    path = folder / "library.sqlite"
    path.write_bytes(data)
    refused: list[KnownError] = []
    with contextlib.suppress(KnownError):
        _opened(path).close()
    db = Database(path)  # a large library is not read through before
    try:
        for work in _READS:
            try:
                with db.diagnosed():  # as Library does
                    work(db)
            except KnownError as error:
                refused.append(error)
    finally:
        db.close()
    if refused:
        raise refused[0]


_KEY = workflows.document_hash(material.GRAPH)
_READS = (
    lambda db: jobs.recent(db, 50),
    lambda db: jobs.get(db, "a0"),
    lambda db: jobs.live(db, "me"),
    lambda db: outputs.recent(db, 50),
    lambda db: listing(db, OutputIndex(), OutputFilter(), Order.NEWEST, Grouping.DAY),
    lambda db: listing(db, OutputIndex(), OutputFilter("red door"), Order.RATING),
    lambda db: facets.facets(db, OutputFilter()),
    lambda db: albums.albums(db),
    lambda db: albums.saved_searches(db),
    lambda db: workflow_marks.marks(db),
    lambda db: workflow_marks.last_made(db),
    lambda db: known_cards(db, material.folder()),
    lambda db: provenance.of_outputs(db, [1, 2, 3]),
    lambda db: sheets.due(db, "me"),
    lambda db: staging.sweep(db, "me"),
    lambda db: imports.under_way(db),
    lambda db: imports.pending(db, 10),
    lambda db: deletions.pending(db),
    lambda db: prompts.recent_texts(db, "prompt", 10),
    lambda db: enhancements.recent(db, 10),
    lambda db: workflows.all_timings(db, ["p"]),
    lambda db: workflows.put_document(db, {"a": 1}),
    lambda db: workflows.get_document(db, _KEY),
    lambda db: jobs.request_cancel(db, ["a0", "a1"], 5.0),
)


@functools.cache
def _whole() -> bytes:
    """A small library with something in most of its tables."""
    path = material.folder() / "whole.sqlite"
    db = Database(path)
    graph = workflows.put_document(db, material.GRAPH)
    for number, state in enumerate((JobState.QUEUED, JobState.RUNNING, JobState.DONE, JobState.UNKNOWN)):
        job = Job(f"a{number}", state, "w", "p", graph, {"6.text": "x"}, "a red door", 7, 0, 1.0, owner="me")
        jobs.add(db, [dataclasses.replace(job, error=JobError("e"), texts=("t",), drawn={"6.text": "{a|b}"})])
        made = Output(
            0, f"/o/{number}.png", "image", 3, f"{number:064x}", 1.0 + number, f"a{number}", "w", "p", "a red door"
        )
        outputs.add(db, made, Identity("p", "output", "", f"{number}", ""))
    albums.add(db, albums.make(db, "best")[0], [1, 2])
    albums.save_search(db, "red", OutputFilter("red", media=("image",)))
    workflow_marks.set_mark(db, "w", workflow_marks.Mark(True, 5.0, ("t",)))
    marks.tag(db, [1], "door")
    marks.note(db, [2], "a note")
    deletions.begin(db, [4])
    workflows.learn_timings(db, "p", "s", {"KSampler": workflows.Timing(1.0, 3)})
    imports.begin(db, "/x", copy=False)
    db.check()
    db.query("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    return path.read_bytes()


def seeds() -> list[bytes]:
    return [_whole()]


HARNESS = Harness(
    take, seeds, either(bytes_of, tokens("{", "null", "[]", "\0", "x", "\xff")), longest=1 << 20, smoke=10
)
