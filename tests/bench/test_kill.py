"""Fifty `kill -9` at random points of batches of 30 jobs: pytest tests/bench/test_kill.py -s (some minutes)."""

import os
import random
from collections import Counter
from pathlib import Path

import pytest

from tests.bench.figures import record
from tests.pod.session.killing import Batch

POINTS = int(os.environ.get("COMFYDESK_KILLS", "50"))
PER_BATCH = 8
COMMAND = "pytest tests/bench/test_kill.py -s"


@pytest.mark.timeout(1800)
def test_fifty_kills_lose_nothing_and_make_nothing_twice(tmp_path: Path) -> None:
    rng = random.Random(2026)
    caught: Counter[str] = Counter()
    number = kills = 0
    while kills < POINTS:
        number += 1
        folder = tmp_path / str(number)
        folder.mkdir()
        # Slow enough that the batch is not over before the last kill.
        batch = Batch(folder, jobs=30, speed=2)
        try:
            batch.run(PER_BATCH, rng)
            batch.check()
        finally:
            batch.close()
        kills += len(batch.killed_at)
        for states in batch.killed_at:
            caught.update(states.keys())
    note = f"{number} batches of 30, each output once, in order, as on the pod; jobs were found in: {dict(caught)}"
    record("kill -9 of the program in a batch", kills, "kills", "", f"COMFYDESK_KILLS={POINTS} {COMMAND}", note)
