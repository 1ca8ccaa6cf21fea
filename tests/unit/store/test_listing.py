import random
import time
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from comfydesk.events import OutputsChanged
from comfydesk.store import albums, deletions, marks, outputs, provenance
from comfydesk.store.database import Database
from comfydesk.store.facets import facets
from comfydesk.store.listing import Listing, OutputIndex, follow, listing
from comfydesk.store.outputs import Identity
from comfydesk.store.provenance import Reading
from comfydesk.store.records import Output
from comfydesk.store.search import EVERYTHING, Aspect, Grouping, Order, OutputFilter

Add = Callable[..., int]
NOON = time.mktime((2026, 3, 14, 12, 0, 0, 0, 0, -1))
DAY = 86_400.0


@pytest.fixture
def add(db: Database) -> Add:
    numbers = iter(range(1_000_000))

    def make(created: float = NOON, **given: object) -> int:
        number = next(numbers)
        path = str(given.pop("path", f"/o/{number}.png"))
        output = Output(0, path, "image", 3, f"{number:x}", created, **given)  # type: ignore[arg-type]
        return outputs.add(db, output, Identity(str(given.get("pod", "p")), "output", "", f"{number}", ""))[0].id

    return make


def found(db: Database, words: str = "", order: Order = Order.NEWEST, **fields: object) -> list[int]:
    wanted = OutputFilter(words=words, **fields)  # type: ignore[arg-type]
    return list(listing(db, OutputIndex(), wanted, order).ids)


# --- Which ----------------------------------------------------------------------------------------------------------


def test_words_are_looked_for_in_all_that_is_written(db: Database, add: Add) -> None:
    prompt = add(prompt="A Lighthouse in the fog")
    negative = add(negative="lighthouse")
    workflow = add(workflow="Lighthouse maker")
    name = add(path="/o/old_lighthouse_1.png")
    noted = add()
    marks.note(db, [noted], "The LIGHTHOUSE, again")
    tagged = add()
    marks.tag(db, [tagged], "lighthouse")
    add(prompt="a boat")
    assert set(found(db, "light")) == {prompt, negative, workflow, name, noted, tagged}
    assert found(db, "light fog") == [prompt]
    assert found(db, "prompt:lighthouse") == [prompt]
    assert found(db, "tag:lighthouse") == [tagged]
    assert prompt not in found(db, "light -fog")
    assert found(db, '"the fog"') == [prompt]
    assert found(db, '"in fog"') == []


def test_accents_case_and_signs_do_not_matter(db: Database, add: Add) -> None:
    cafe = add(prompt="Café crème, sd_xl")
    assert found(db, "CAFE creme") == [cafe]
    assert found(db, "xl") == [cafe]


def test_emoji_and_scripts_without_blanks_are_found_within(db: Database, add: Add) -> None:
    here = add(prompt="夕焼けの灯台 🌅 100%")
    add(prompt="昼の町")
    assert found(db, "灯台") == [here]
    assert found(db, "🌅") == [here]
    assert here not in found(db, "-灯台")
    assert found(db, "%") == [here]


def test_seeds_keep_64_bits(db: Database, add: Add) -> None:
    largest = add(seed=2**64 - 1)
    add(seed=2**64 - 2)
    assert found(db, f"seed:{2**64 - 1}") == [largest]
    assert outputs.many(db, [largest])[0].seed == 2**64 - 1


def test_fields_narrow_down(db: Database, add: Add) -> None:
    wide = add(NOON + DAY, width=16, height=9, workflow="A", batch="b")
    tall = add(width=9, height=16, pod="q")
    square = add(width=512, height=510, sampler="euler_ancestral", steps=30)
    unknown = add()
    marks.rate(db, [tall], 4)
    marks.favourite(db, [square], True)
    for wanted, ids in (
        ({"aspect": Aspect.LANDSCAPE}, [wide]),
        ({"aspect": Aspect.PORTRAIT}, [tall]),
        ({"aspect": Aspect.SQUARE}, [square]),
        ({"rating": 3}, [tall]),
        ({"favourite": True}, [square]),
        ({"since": NOON + 1}, [wide]),
        ({"until": NOON + 1}, [unknown, square, tall]),
        ({"pods": ("q",)}, [tall]),
        ({"workflows": ("A", "B")}, [wide]),
        ({"batch": "b"}, [wide]),
        ({"words": "sampler:euler steps:>20"}, [square]),
        ({"words": "date:2026-03-15"}, [wide]),
        ({"words": "rating:>0"}, [tall]),
        ({"words": "-is:favourite is:square"}, []),
    ):
        words = str(wanted.pop("words", ""))
        assert found(db, words, **wanted) == ids, (words, wanted)


def test_models_are_found_whole_and_by_their_words(db: Database, add: Add) -> None:
    one = add()
    other = add()
    models = (("flux/flux1-dev.safetensors", "checkpoint"), ("film_grain.safetensors", "lora"))
    provenance.note_readings(db, [Reading(one, models=models, model=models[0][0])], 1)
    assert found(db, models=("film_grain.safetensors",)) == [one]
    assert found(db, "model:flux1") == [one]
    assert other in found(db, "-lora:grain")
    assert provenance.models_of(db, one) == models


ODD = st.text(st.characters(codec="utf-8") | st.sampled_from("\"'*():^-+{}%_\\ \x00AND"))


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ODD)
@example('"a" OR "b')
@example("NEAR(a b)")
@example("{prompt}:x")
@example("a*b^2")
@example("\ud800 lone")
@example("' OR 1=1 --")
def test_whatever_is_typed_is_a_search(db: Database, text: str) -> None:
    found(db, text)
    outputs.recent(db, 5, search=text)
    facets(db, OutputFilter(words=text))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.from_regex(r"[a-z]{3,8}( [a-z]{3,8}){0,5}", fullmatch=True))
def test_what_was_written_is_found_by_each_of_its_words_and_their_beginnings(db: Database, prompt: str) -> None:
    path = f"/o/{outputs.count(db)}.png"
    stored = outputs.add(db, Output(0, path, "image", 3, path, NOON, prompt=prompt), Identity("p", "", "", "", ""))[0]
    for word in prompt.split():
        assert stored.id in found(db, word[:2])
        assert stored.id not in found(db, f"-{word}")


# --- In which order, in which groups --------------------------------------------------------------------------------


def test_orders(db: Database, add: Add) -> None:
    b = add(NOON, path="/o/B.png")
    a = add(NOON + 5, path="/o/a.png")
    c = add(NOON, path="/o/c.png")
    marks.rate(db, [c], 2)
    assert found(db) == [a, c, b]
    assert found(db, order=Order.OLDEST) == [b, c, a]
    assert found(db, order=Order.NAME) == [a, b, c]
    assert found(db, order=Order.RATING) == [c, a, b]
    album = albums.make(db, "Mine")[0]
    albums.add(db, album, [a, b, c])
    assert found(db, order=Order.ALBUM, album=album) == [a, b, c]


def rows(one: Listing) -> list[tuple[str, list[int]]]:
    """Every group with its ids; groups without gaps."""
    assert [group.start for group in one.groups] == [
        sum(group.count for group in one.groups[:n]) for n in range(len(one.groups))
    ]
    assert sum(group.count for group in one.groups) == len(one)
    return [(group.key, list(one.ids[group.start : group.start + group.count])) for group in one.groups]


def test_groups_by_day_batch_and_workflow(db: Database, add: Add) -> None:
    first = add(NOON, batch="x", workflow="W")
    alone = add(NOON + 1, batch="y", workflow="V")
    last = add(NOON + DAY, batch="x", workflow="W")

    def grouped(grouping: Grouping, order: Order = Order.NEWEST) -> list[tuple[str, list[int]]]:
        return rows(listing(db, OutputIndex(), EVERYTHING, order, grouping))

    assert grouped(Grouping.DAY) == [("2026-03-15", [last]), ("2026-03-14", [alone, first])]
    assert grouped(Grouping.DAY, Order.OLDEST) == [("2026-03-14", [first, alone]), ("2026-03-15", [last])]
    assert grouped(Grouping.BATCH) == [("x", [last, first]), ("2026-03-14", [alone])]
    assert grouped(Grouping.WORKFLOW) == [("W", [last, first]), ("V", [alone])]


def test_days_are_local_and_never_empty_over_many_years_and_changes_of_the_clock(db: Database, add: Add) -> None:
    rng = random.Random(3)
    for _ in range(400):
        add(rng.uniform(0.0, 4e9))
    one = listing(db, OutputIndex(), EVERYTHING, Order.NEWEST, Grouping.DAY)
    for group in one.groups:
        days = {
            time.strftime("%Y-%m-%d", time.localtime(when))
            for when in one.times[group.start : group.start + group.count]
        }
        assert days == {group.key}
    assert len({group.key for group in one.groups}) == len(one.groups)


# --- As it changes --------------------------------------------------------------------------------------------------


class Follower:
    """A listing kept up to date step by step, compared with one made anew."""

    def __init__(self, db: Database, wanted: OutputFilter = EVERYTHING) -> None:
        self.db, self.index = db, OutputIndex()
        self.listing = listing(db, self.index, wanted, Order.NEWEST, Grouping.DAY)

    def take(self, change: object) -> None:
        assert isinstance(change, OutputsChanged)
        step = follow(self.db, self.index, self.listing, change)
        assert step is not None
        kept = [key for row, key in enumerate(self.listing.ids) if row not in step.removed]
        for row in step.inserted:
            kept.insert(row, step.listing.ids[row])
        self.listing = step.listing
        anew = listing(self.db, OutputIndex(), self.listing.filter, Order.NEWEST, Grouping.DAY)
        assert kept == list(self.listing.ids) == list(anew.ids)
        assert self.listing.times == anew.times
        assert list(self.listing.aspects) == pytest.approx(list(anew.aspects))
        assert self.listing.groups == anew.groups


def test_a_listing_follows_whatever_happens(db: Database, add: Add) -> None:
    rng = random.Random(7)
    ids = [add(NOON + rng.randint(-9, 9) * 3600, width=3, height=2) for _ in range(30)]
    everything, rated = Follower(db), Follower(db, OutputFilter(rating=3))
    hidden: list[int] = []
    for _ in range(150):
        match rng.randrange(5):
            case 0:
                ids.append(add(NOON + rng.randint(-20, 20) * 3600, width=2, height=3))
                changes: tuple[object, ...] = (OutputsChanged(added=(ids[-1],)),)
            case 1:
                changes = marks.rate(db, [rng.choice(ids)], rng.randrange(6))
            case 2:
                key, changes = deletions.begin(db, [rng.choice(ids)])
                hidden += [key] if key is not None else []
            case 3 if hidden:
                changes = deletions.undo(db, hidden.pop())
            case _:
                gone = ids.pop(rng.randrange(len(ids)))
                changes = outputs.remove(db, [gone])
        for change in changes:
            everything.take(change)
            rated.take(change)


def test_what_cannot_be_followed_is_to_be_read_anew(db: Database, add: Add) -> None:
    first = add()
    index = OutputIndex()
    by_name = listing(db, index, EVERYTHING, Order.NAME)
    assert follow(db, index, by_name, OutputsChanged(updated=(first,))) is None
    newest = listing(db, index, EVERYTHING, Order.NEWEST)
    assert follow(db, index, newest, OutputsChanged(added=tuple(range(5000)))) is None


def test_facets_count_what_is_shown(db: Database, add: Add) -> None:
    one, two, gone = add(workflow="A"), add(workflow="A", pod="q"), add(workflow="B")
    marks.tag(db, [one, gone], "good")
    marks.rate(db, [two], 5)
    provenance.note_readings(db, [Reading(one, models=(("m.ckpt", "checkpoint"),), model="m.ckpt")], 1)
    deletions.begin(db, [gone])
    counted = facets(db, EVERYTHING)
    assert (counted.total, counted.workflows, counted.tags) == (2, {"A": 2}, {"good": 1})
    assert (counted.models, counted.ratings, counted.pods) == ({"m.ckpt": 1}, {5: 1}, {"p": 1, "q": 1})
    assert facets(db, OutputFilter(tags=("good",))).total == 1
