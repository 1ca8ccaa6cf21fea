import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from comfydesk.errors import StoreError
from comfydesk.session.lease import Lease


def test_a_session_is_alive_until_it_is_closed(tmp_path: Path) -> None:
    one, two = Lease(tmp_path), Lease(tmp_path)
    assert one.owner != two.owner
    assert one.dead([two.owner, one.owner]) == ()
    two.close()
    two.close()
    assert one.dead([two.owner]) == (two.owner,)
    one.close()
    assert list(tmp_path.iterdir()) == []


def test_a_session_nobody_heard_of_is_dead(tmp_path: Path) -> None:
    lease = Lease(tmp_path)
    assert lease.dead(["nobody"]) == ("nobody",)
    lease.close()


def test_a_killed_process_leaves_no_living_session(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib; from comfydesk.session.lease import Lease;"
        "print(Lease(pathlib.Path(sys.argv[1])).owner, flush=True); sys.stdin.read()"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with child:
        assert child.stdout is not None
        owner = child.stdout.readline().strip()
        lease = Lease(tmp_path)
        assert lease.dead([owner]) == ()
        child.kill()
        child.wait()
        assert lease.dead([owner]) == (owner,)
    lease.close()


def test_a_dead_sessions_name_can_be_taken_over_a_living_ones_cannot(tmp_path: Path) -> None:
    living, dead = Lease(tmp_path), Lease(tmp_path)
    dead.close()
    successor = Lease(tmp_path, [living.owner, dead.owner])
    assert successor.owner == dead.owner
    assert living.dead([dead.owner]) == ()
    third = Lease(tmp_path, [living.owner, dead.owner])
    assert third.owner not in (living.owner, dead.owner)
    for lease in (living, successor, third):
        lease.close()


def test_only_one_of_many_at_once_takes_over(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        leases = list(pool.map(lambda _: Lease(tmp_path, ["gone"]), range(24)))
    assert [lease.owner for lease in leases].count("gone") == 1
    for lease in leases:
        lease.close()


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StoreError, match="cannot be written"):
        Lease(tmp_path / "file")
