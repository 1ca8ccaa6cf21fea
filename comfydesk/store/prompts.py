"""Texts that outputs were made with, for the prompt's history."""

from typing import Literal

from comfydesk.store.database import Database

LOOKED_AT = 4000
"""Outputs of which the texts are taken: many have the same."""


def recent_texts(db: Database, column: Literal["prompt", "negative"], limit: int) -> tuple[str, ...]:
    """Different ones, the last used first."""
    assert column in ("prompt", "negative")
    rows = db.tuples(
        f"SELECT {column} FROM outputs WHERE deletion IS NULL ORDER BY created DESC, id DESC LIMIT ?",  # noqa: S608  # no value
        (LOOKED_AT,),
    )
    texts = dict.fromkeys(text for (text,) in rows if isinstance(text, str) and text.strip())
    return tuple(texts)[:limit]
