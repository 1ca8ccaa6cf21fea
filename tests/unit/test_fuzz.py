"""A little of `python -m tests.fuzz`, the same each time: nothing but KnownError comes out of any parser."""

from itertools import islice
from random import Random

import pytest

from tests.fuzz.harness import Harness, Watch, load, names, peak
from tests.fuzz.mutate import bytes_of


@pytest.mark.parametrize("name", names())
def test_whatever_is_read_ends_well_or_in_a_known_error(name: str) -> None:
    harness = load(name)
    watch, rng = Watch(harness), Random(name)
    examples = list(harness.seeds())
    for data in islice(examples, 20):
        watch.judge(data)
    for _ in range(harness.smoke):
        watch.judge(harness.mutate(rng.choice(examples), rng)[: harness.longest])
    assert not watch.findings, "\n\n".join(f"{one.data!r}\n{one.text}" for one in watch.findings.values())


@pytest.mark.parametrize("name", names())
def test_most_of_its_examples_are_good_ones(name: str) -> None:
    """A harness whose examples are all refused at the door would find nothing."""
    harness = load(name)
    taken = 0
    examples = list(harness.seeds())[:30]
    for data in examples:
        try:
            harness.take(data)
        except harness.allowed:
            continue
        taken += 1
    assert taken or name in ("lists", "links", "llm", "kept", "jobs", "hosts"), f"0 of {len(examples)}"


@pytest.mark.parametrize(
    ("fault", "where"),
    [
        (lambda: dict[str, str]()["x"], "KeyError"),
        (lambda: all(iter(lambda: True, False)), "TooSlow"),
        (lambda: b"x" * (peak() + (8 << 20)), "memory"),
        (lambda: int("x"), "ValueError"),
    ],
)
def test_a_fault_is_found(fault: object, where: str) -> None:
    assert callable(fault)
    watch = Watch(Harness(lambda _: fault(), lambda: [b""], bytes_of, slow=0.2, memory=4 << 20))
    watch.judge(b"x")
    (found,) = watch.findings.values()
    assert found.where.startswith(where)
    assert found.data == b"x"
