"""A file of ours is the old one or the new one, whatever happens in between."""

import errno
import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from comfydesk.disk import STALE, not_written, replacing, set_aside, write_whole
from comfydesk.errors import DiskFullError, StoreError

posix = pytest.mark.skipif(sys.platform == "win32", reason="permissions and signals of POSIX")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_file_and_its_folder_are_made(tmp_path: Path) -> None:
    file = tmp_path / "new" / "folder" / "a.json"
    write_whole(file, b"one")
    assert file.read_bytes() == b"one"
    write_whole(file, (piece for piece in (b"t", b"wo")), durable=False)
    assert file.read_bytes() == b"two"
    assert list(file.parent.iterdir()) == [file]


def test_what_fails_in_the_middle_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    write_whole(file, b"old")

    def broken() -> None:
        with replacing(file) as out:
            out.write(b"half of it")
            raise KeyError("a fault of ours")

    with pytest.raises(KeyError):
        broken()
    assert file.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [file]


@posix
def test_a_process_killed_before_the_last_step_leaves_the_old_file_and_the_next_write_clears_up(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    write_whole(file, b"old")
    program = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from comfydesk.disk import replacing\n"
        "with replacing(Path(sys.argv[1])) as out:\n"
        "    out.write(b'new'); out.flush()\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run([sys.executable, "-c", program, file], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert file.read_bytes() == b"old"
    left = tmp_path / "a.json.part"
    assert left.read_bytes() == b"new"
    write_whole(file, b"newer")
    assert file.read_bytes() == b"newer"
    assert left.exists()  # it may be somebody's who is still writing
    os.utime(left, (left.stat().st_mtime - STALE - 1,) * 2)
    write_whole(file, b"newest")
    assert file.read_bytes() == b"newest"
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full")
def test_a_full_disk_is_told_as_one() -> None:
    def fill() -> None:
        with Path("/dev/full").open("wb") as full:
            full.write(b"x" * 65_536)

    with pytest.raises(OSError, match="No space left") as full:
        fill()
    assert full.value.errno == errno.ENOSPC
    told = not_written(Path("settings.toml"), full.value, "The settings cannot be saved")
    assert isinstance(told, DiskFullError)
    assert str(told).startswith("The settings cannot be saved. ")
    assert "Free some space" in str(told)


@posix
def test_a_disk_that_fills_up_meanwhile_keeps_the_old_file(tmp_path: Path) -> None:
    """A limit on the size of files stands for the disk's end: the kernel refuses in the middle of writing."""
    file = tmp_path / "a.json"
    write_whole(file, b"old")
    program = (
        "import resource, signal, sys\n"
        "from pathlib import Path\n"
        "from comfydesk.disk import write_whole\n"
        "from comfydesk.errors import DiskFullError\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try:\n"
        "    write_whole(Path(sys.argv[1]), bytes(5000))\n"
        "except DiskFullError as error:\n"
        "    print(error)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-B", "-c", program, file], check=True, capture_output=True, text=True, timeout=30
    )
    assert ended.stdout.startswith("a.json cannot be written. ")
    assert file.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [file]


@posix
def test_a_link_stays_one_and_what_it_leads_to_is_replaced(tmp_path: Path) -> None:
    real, link = tmp_path / "dotfiles" / "settings.toml", tmp_path / "settings.toml"
    write_whole(real, b"old")
    link.symlink_to(real)
    write_whole(link, b"new")
    assert link.is_symlink()
    assert real.read_bytes() == b"new"


@posix
def test_permissions_are_kept_and_a_private_file_is_the_users_alone(tmp_path: Path) -> None:
    file = tmp_path / "a"
    write_whole(file, b"one")
    file.chmod(0o640)
    write_whole(file, b"two")
    assert mode(file) == 0o640
    write_whole(file, b"three", private=True)
    assert mode(file) == 0o600
    write_whole(tmp_path / "b", b"", private=True)
    assert mode(tmp_path / "b") == 0o600


@posix
def test_a_link_in_the_parts_place_is_not_followed(tmp_path: Path) -> None:
    other, file = tmp_path / "other", tmp_path / "a"
    other.write_bytes(b"not ours")
    (tmp_path / "a.part").symlink_to(other)
    write_whole(file, b"ours")
    assert (file.read_bytes(), other.read_bytes()) == (b"ours", b"not ours")


def test_a_name_as_long_as_names_may_be(tmp_path: Path) -> None:
    file = tmp_path / ("n" * 255)
    write_whole(file, b"long")
    assert file.read_bytes() == b"long"


def test_many_writers_of_one_file_never_mix(tmp_path: Path) -> None:
    file = tmp_path / "a"
    written = [bytes([number]) * 100_000 for number in range(8)]
    threads = [threading.Thread(target=write_whole, args=(file, data)) for data in written]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert file.read_bytes() in written
    assert list(tmp_path.iterdir()) == [file]


def test_a_folder_in_the_way_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    with pytest.raises(StoreError, match=r"^It cannot be kept\. ") as told:
        write_whole(tmp_path / "a", b"", what="It cannot be kept")
    assert not isinstance(told.value, DiskFullError)
    with pytest.raises(StoreError, match="b cannot be written"):
        write_whole(tmp_path / "a" / "b", b"")
    assert [path.name for path in tmp_path.rglob("*")] == ["a", "b"]


def test_broken_files_are_set_aside_side_by_side(tmp_path: Path) -> None:
    kept = []
    for text in ("one", "two", "three"):
        (tmp_path / "a.toml").write_text(text)
        kept.append(set_aside(tmp_path / "a.toml", "It is broken"))
    assert [path.name for path in kept] == ["a.toml.broken", "a.toml.broken-2", "a.toml.broken-3"]
    assert [path.read_text() for path in kept] == ["one", "two", "three"]
    with pytest.raises(StoreError, match="It is broken"):
        set_aside(tmp_path / "a.toml", "It is broken")
