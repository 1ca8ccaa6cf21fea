"""The long soak: a hundred jobs over two hundred faults, and nobody has to wait for the loop meanwhile."""

from pathlib import Path

import pytest

from comfydesk.paths import Paths
from tests.bench.figures import record
from tests.pod.session.test_session_soak import FACTOR, STALL, soak

COMMAND = "pytest -s tests/bench/test_soak.py"


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="counts sockets in /proc")
@pytest.mark.timeout(300 * FACTOR)
async def test_two_hundred_faults_cost_no_job_and_send_none_twice(
    paths: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heart = await soak(paths, tmp_path, monkeypatch, 100 * FACTOR)
    note = f"{100 * FACTOR} jobs, {200 * FACTOR} faults of the line: no job lost, none sent twice"
    computed = record("Soak: most computing in one turn of the loop", heart.computed, "s", f"≤ {STALL}", COMMAND, note)
    waited = record("Soak: longest time between two turns of the loop", heart.wall, "s", "≤ 0.5", COMMAND)
    assert computed.met
    assert waited.met
