"""The program is killed, nothing is lost, nothing is made twice. Fifty points: tests/bench/test_kill.py."""

import random
from pathlib import Path

from tests.pod.session.killing import Batch


def test_a_batch_survives_six_kills(tmp_path: Path) -> None:
    batch = Batch(tmp_path, jobs=30, speed=10)
    try:
        batch.run(6, random.Random(16))
        batch.check()
    finally:
        batch.close()
