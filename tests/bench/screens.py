"""X servers, environments and processes for benches: everything outside of what they measure."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

SCREEN = "1600x1000x24"
WAIT_S = 10.0
_OTHERS = ("DISPLAY", "WAYLAND", "QT_QPA", "QT_SCALE", "XDG_", "DBUS_")


def environment() -> dict[str, str]:
    """Ours without a display, and without what a desktop session would add."""
    return {name: value for name, value in os.environ.items() if not name.startswith(_OTHERS)}


@contextmanager
def xvfb() -> Iterator[str | None]:
    """The name of an X server of our own (":99"), ended afterwards; None where there is no Xvfb.

    It keeps its state when its last window goes (-noreset): a server that resets itself costs the next window 100 ms.
    """
    program = shutil.which("Xvfb")
    if program is None:
        yield None
        return
    reader, writer = os.pipe()
    server = subprocess.Popen(
        [program, "-displayfd", str(writer), "-screen", "0", SCREEN, "-nolisten", "tcp", "-noreset"],
        pass_fds=(writer,),
        stderr=subprocess.DEVNULL,
    )
    os.close(writer)
    try:
        with os.fdopen(reader) as told:
            number = told.readline().strip()
        assert number, "Xvfb did not start"
        yield f":{number}"
    finally:
        server.terminate()
        server.wait()


def end(process: "subprocess.Popen[str]", *, group: bool = False) -> None:
    """Ask it to end, then make it. `group`: with all that it started, if it was started with a session of its own."""

    def send(number: signal.Signals) -> None:
        if group:
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)

    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is not None and not group:
            return
        try:
            send(number)
            process.wait(WAIT_S)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue


# --- What a process and its children take (Linux) ---------------------------------------------------------------------


def tree(pid: int) -> list[int]:
    """`pid` and all that it started, directly or not, as far as they run."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            # The name, in brackets, may have blanks and brackets in it.
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        children.setdefault(parent, []).append(int(stat.parent.name))
    found = [pid]
    for each in found:
        found += children.get(each, [])
    return found


def memory(pids: Iterable[int]) -> float:
    """MB of RAM: the sum of their PSS, in which a page that several share counts once."""
    total = 0
    for pid in pids:
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024


def worked(pids: Iterable[int]) -> float:
    """Seconds of processor time that they have used so far, with their children that have ended."""
    ticks = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        ticks += sum(int(field) for field in fields[11:15])
    return ticks / os.sysconf("SC_CLK_TCK")
