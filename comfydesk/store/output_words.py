"""The full-text index of many new outputs, written at once instead of by the trigger, row by row.

FTS5 keeps what it is told in memory until its statement ends, and then writes it as a segment, which others are merged
with: of 3,000 outputs that are added one by one that is two thirds of the time.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from comfydesk.store.database import Database

_FLAG = "words later"
"""As the trigger `output_words_new` knows it."""


class WordsLater:
    """Within `words_later`: the words of outputs that were added since."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._last = self.newest()

    def write(self) -> None:
        """Index what was added by now. To be called before one of these outputs is changed or removed."""
        self._db.execute(
            """INSERT INTO output_words (rowid, prompt, negative, note, models, workflow, name, tags)
                SELECT id, prompt, negative, note, models, workflow, name, tags FROM outputs WHERE id > ?""",
            (self._last,),
        )
        self._last = self.newest()

    def newest(self) -> int:
        """The last id that was given: later ones are greater, whatever was removed."""
        row = self._db.first("SELECT seq FROM sqlite_sequence WHERE name = 'outputs'")
        return int(row[0]) if row else 0


@contextmanager
def words_later(db: Database) -> Iterator[WordsLater]:
    """A transaction in which outputs are added: all is indexed at its end. Nobody else ever sees it otherwise."""
    with db.transaction():
        db.execute("INSERT OR IGNORE INTO flags (name) VALUES (?)", (_FLAG,))
        later = WordsLater(db)
        yield later
        later.write()
        db.execute("DELETE FROM flags WHERE name = ?", (_FLAG,))
