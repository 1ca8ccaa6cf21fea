"""Marks, albums, saved searches, deletions, places."""

from collections.abc import Callable

import pytest

from comfydesk.errors import UsageError
from comfydesk.events import CollectionsChanged, OutputsChanged
from comfydesk.store import albums, deletions, marks, outputs, presence
from comfydesk.store.database import Database
from comfydesk.store.outputs import Identity
from comfydesk.store.records import Output
from comfydesk.store.search import EVERYTHING, Aspect, OutputFilter

Add = Callable[..., int]


@pytest.fixture
def add(db: Database) -> Add:
    def make(path: str = "", sha256: str = "") -> int:
        path = path or f"/o/{outputs.count(db)}.png"
        return outputs.add(db, Output(0, path, "image", 3, sha256 or path, 1.0), Identity("p", "", "", "", ""))[0].id

    return make


def one(db: Database, output: int) -> Output:
    return outputs.many(db, [output])[0]


def test_marks_tell_only_what_they_changed(db: Database, add: Add) -> None:
    a, b = add(), add()
    assert marks.rate(db, [a, b], 5) == (OutputsChanged(updated=(a, b)),)
    assert marks.rate(db, [a, 999], 5) == ()
    assert marks.favourite(db, [a], True) == (OutputsChanged(updated=(a,)),)
    assert marks.note(db, [a], "it\nis \ud800 good") == (OutputsChanged(updated=(a,)),)
    assert (one(db, a).rating, one(db, a).favourite, one(db, a).note) == (5, True, "it\nis ? good")
    with pytest.raises(UsageError, match="0 to 5"):
        marks.rate(db, [a], 6)


def test_tags_come_and_go_with_what_has_them(db: Database, add: Add) -> None:
    a, b = add(), add()
    assert marks.tag(db, [a, b], "  To\tprint ") == (OutputsChanged(updated=(a, b)), CollectionsChanged())
    assert marks.tag(db, [a], "to PRINT") == ()
    marks.tag(db, [a], "Best")
    assert one(db, a).tags == ("Best", "To print")
    marks.rename_tag(db, "best", "To print")
    assert one(db, a).tags == ("To print",)
    marks.untag(db, [a, b], "to print")
    assert (one(db, a).tags, db.query("SELECT * FROM tags")) == ((), [])
    for name in ("", " \n\x00", "x" * 101):
        with pytest.raises(UsageError):
            marks.tag(db, [a], name)


def test_an_album_keeps_its_order_and_loses_no_output(db: Database, add: Add) -> None:
    ids = [add() for _ in range(4)]
    album, _ = albums.make(db, "Cats")
    with pytest.raises(UsageError, match="already"):
        albums.make(db, "cats")
    assert albums.add(db, album, [*ids, ids[0], 999])[1] == CollectionsChanged((album,))
    assert albums.add(db, album, ids) == ()
    shown = [row["output"] for row in db.query("SELECT output FROM album_outputs ORDER BY position")]
    assert shown == ids
    (listed,) = albums.albums(db)
    assert (listed.count, listed.cover) == (4, ids[0])
    deletions.begin(db, [ids[0]])
    assert albums.albums(db)[0].count == 3
    albums.take_out(db, album, [ids[1]])
    albums.remove(db, album)
    assert (albums.albums(db), outputs.count(db)) == ((), 3)
    with pytest.raises(UsageError, match="no such album"):
        albums.add(db, album, ids)


def test_albums_stand_in_the_order_they_were_made_in_and_no_two_share_a_name(db: Database) -> None:
    a, b, c = (albums.make(db, name)[0] for name in "bac")
    assert [album.id for album in albums.albums(db)] == [a, b, c]
    albums.rename(db, b, "A2")
    with pytest.raises(UsageError, match="already"):
        albums.rename(db, b, "B")


def test_a_saved_search_comes_back_as_it_was(db: Database) -> None:
    wanted = OutputFilter("cat -dog", ("image",), rating=3, aspect=Aspect.SQUARE, since=1.5, tags=("x", "y"))
    key, _ = albums.save_search(db, "Cats", wanted)
    again, _ = albums.save_search(db, "CATS", EVERYTHING)
    assert again == key
    albums.save_search(db, "Good cats", wanted)
    assert [search.filter for search in albums.saved_searches(db)] == [EVERYTHING, wanted]
    albums.forget_search(db, key)
    assert [search.name for search in albums.saved_searches(db)] == ["Good cats"]


def test_a_search_of_a_newer_version_is_read_as_far_as_it_is_known() -> None:
    assert albums.filter_from({"rating": 2, "mood": "blue", "aspect": "hexagon"}) == OutputFilter(rating=2)
    assert albums.filter_from(["nonsense"]) == EVERYTHING


def test_a_deletion_hides_and_its_undo_brings_all_back(db: Database, add: Add) -> None:
    a, b = add(), add()
    marks.tag(db, [a], "good")
    marks.rate(db, [a], 3)
    key, changes = deletions.begin(db, [a, b])
    assert (changes, outputs.count(db)) == ((OutputsChanged(removed=(a, b)),), 0)
    assert deletions.begin(db, [a]) == (None, ())
    assert key is not None
    deletions.forget(db, b)  # its file is in the trash by now
    assert deletions.undo(db, key) == (OutputsChanged(added=(a,)),)
    assert (one(db, a).tags, one(db, a).rating, deletions.pending(db)) == (("good",), 3, ())


def test_an_output_saved_anew_is_no_longer_deleted(db: Database, add: Add) -> None:
    a = add("/o/a.png")
    deletions.begin(db, [a])
    assert add("/o/a.png") == a
    assert outputs.count(db) == 1


def test_a_file_found_elsewhere_moves_its_output_but_never_onto_another(db: Database, add: Add) -> None:
    a, b = add("/o/a.png"), add("/o/b.png")
    assert presence.note(db, [a], []) == (OutputsChanged(updated=(a,)),)
    assert presence.note(db, [a], []) == ()
    assert presence.moved(db, a, "/o/b.png", "b.png") == ()
    assert presence.moved(db, a, "/o/c.png", "c.png") == (OutputsChanged(updated=(a,)),)
    assert (one(db, a).path, one(db, a).missing) == ("/o/c.png", False)
    assert presence.moved(db, b, "/o/d.png", "d.png") == ()


def test_names_that_are_no_unicode_are_kept(db: Database, add: Add) -> None:
    odd = "/o/caf\udce9\n.png"
    a = add(odd, sha256="ab")
    assert one(db, a).path == odd
    assert add(odd, sha256="cd") != a
