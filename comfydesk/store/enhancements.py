"""What was enhanced: the latest some hundred, so that a wording can be found again."""

from dataclasses import dataclass

from comfydesk.store.database import Database

KEPT = 500


@dataclass(frozen=True, slots=True)
class Enhancement:
    """A prompt before and after. `created`: seconds since the epoch."""

    created: float
    original: str
    enhanced: str
    style: str
    family: str
    engine: str
    model: str


def add(db: Database, one: Enhancement) -> None:
    """Remember it; the oldest go."""
    with db.transaction():
        db.execute(
            "INSERT INTO enhancements (created, original, enhanced, style, family, engine, model)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (one.created, one.original, one.enhanced, one.style, one.family, one.engine, one.model),
        )
        db.execute("DELETE FROM enhancements WHERE id <= (SELECT max(id) FROM enhancements) - ?", (KEPT,))


def recent(db: Database, limit: int) -> tuple[Enhancement, ...]:
    """The latest first."""
    rows = db.query("SELECT * FROM enhancements ORDER BY id DESC LIMIT ?", (limit,))
    return tuple(
        Enhancement(
            row["created"],
            row["original"],
            row["enhanced"],
            row["style"],
            row["family"],
            row["engine"],
            row["model"],
        )
        for row in rows
    )


def clear(db: Database) -> None:
    """Forget all of them."""
    with db.transaction():
        db.execute("DELETE FROM enhancements")
