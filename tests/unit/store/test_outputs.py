from comfydesk.events import OutputsChanged
from comfydesk.store import outputs
from comfydesk.store.database import Database
from comfydesk.store.outputs import Identity
from comfydesk.store.records import Output


def add(
    db: Database, path: str, created: float = 1.0, prompt: str = "", etag: str = "e", name: str = "x.png"
) -> Output:
    output = Output(0, path, "image", 3, "ff", created, prompt=prompt, workflow="Text to image", seed=2**64 - 1)
    return outputs.add(db, output, Identity("p", "output", "", name, etag))[0]


def test_an_output_comes_back_as_it_was_stored(db: Database) -> None:
    stored = add(db, "/o/a.png")
    assert outputs.many(db, [stored.id]) == (stored,)
    assert stored.seed == 2**64 - 1


def test_the_newest_comes_first(db: Database) -> None:
    ids = [add(db, f"/o/{number}.png", float(number)).id for number in range(5)]
    assert [output.id for output in outputs.recent(db, 2, 1)] == [ids[3], ids[2]]
    assert outputs.count(db) == 5


def test_every_word_must_occur_and_signs_part_words(db: Database) -> None:
    sheep = add(db, "/o/a.png", prompt="A red Sheep, 100% wool")
    add(db, "/o/b.png", prompt="A red cow_boy")
    found = [output.id for output in outputs.recent(db, 9, search="sheep RED")]
    assert found == [sheep.id]
    assert [output.id for output in outputs.recent(db, 9, search="100%")] == [sheep.id]
    assert [output.prompt for output in outputs.recent(db, 9, search="cow%boy")] == ["A red cow_boy"]
    assert len(outputs.recent(db, 9, search="cow_boy")) == 1
    assert len(outputs.recent(db, 9, search="image")) == 2
    assert len(outputs.recent(db, 9, search="b.png")) == 1


def test_one_name_on_a_pod_may_have_been_many_files(db: Database) -> None:
    old = add(db, "/o/a.png", etag="1")
    new = add(db, "/o/a (2).png", etag="2")
    add(db, "/o/b.png", name="y.png")
    assert outputs.named(db, "p", "output", "", "x.png") == ((new, "2"), (old, "1"))
    assert outputs.named(db, "q", "output", "", "x.png") == ()
    assert outputs.named(db, "p", "temp", "", "x.png") == ()


def test_forgetting_tells_what_is_gone(db: Database) -> None:
    stored = add(db, "/o/a.png")
    assert outputs.remove(db, [stored.id, 999]) == (OutputsChanged(removed=(stored.id,)),)
    assert outputs.remove(db, [stored.id]) == ()


def test_one_place_is_one_output(db: Database) -> None:
    stored = add(db, "/o/a.png", etag="")
    again = Output(0, "/o/a.png", "image", 3, "ff", 2.0)
    assert outputs.add(db, again, Identity("p", "output", "", "x.png", "e")) == (stored, ())
    assert outputs.named(db, "p", "output", "", "x.png") == ((stored, "e"),)
    other = Output(0, "/o/a.png", "image", 3, "00", 2.0)
    new, changes = outputs.add(db, other, Identity("p", "output", "", "x.png", "e2"))
    assert changes == (OutputsChanged(added=(new.id,), removed=(stored.id,)),)
    assert outputs.count(db) == 1
