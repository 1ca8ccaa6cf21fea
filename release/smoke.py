"""Whether the build works where nothing else is: `python release/smoke.py dist/comfydesk`.

The frozen program runs with an empty environment (no PATH, a HOME of its own, nothing of Python's) from a folder that
nobody may write. It makes a picture on the demo pod by command line, offscreen in the window, and on an X display where
Xvfb is there. The log must be without a warning, and the screenshot must be built like the one of the program run from
source. Also prints how long both take to show their window, and how large the build is.
"""

import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image, ImageChops, ImageStat

ROOT = Path(__file__).parent.parent
SIZE = (1440, 900)
QUIET = {"browser": (0, 96, 272, 860), "panel": (1088, 96, 1440, 860), "status": (0, 872, 900, 900)}
"""Parts of the screenshot that hang on no picture: left, top, right, bottom."""
ALIKE = 10.0
"""Mean difference of a part, of 255, up to which it counts as the same: text renders alike, numbers may differ."""
STARTS = 5
SECONDS = 180
PATIENCE = 60.0


def fail(what: str) -> None:
    """End with a reason."""
    sys.exit(f"smoke: {what}")


def source_path(command: Sequence[str | Path]) -> dict[str, str]:
    """What the program needs to be run from this checkout; nothing for the build."""
    return {"PYTHONPATH": str(ROOT)} if command[0] == sys.executable else {}


def run(command: Sequence[str | Path], home: Path, *more: str, **extra: str) -> str:
    """Standard output of a run in a bare environment; ends the program if it fails or complains."""
    environment = {"HOME": str(home), "LANG": "C.UTF-8", **source_path(command), **extra}
    ended = subprocess.run(
        [*command, *more], env=environment, capture_output=True, text=True, timeout=SECONDS, cwd=home, check=False
    )
    if ended.returncode:
        fail(f"{more}: exit code {ended.returncode}\n{ended.stdout}{ended.stderr}")
    return ended.stdout


def value(text: str, name: str) -> Path:
    """The path after "name: "."""
    for line in text.splitlines():
        if line.startswith(f"{name}: "):
            return Path(line.removeprefix(f"{name}: "))
    fail(f"no {name} in {text!r}")
    raise AssertionError


def check_picture(path: Path) -> None:
    """Opens, and is more than one colour."""
    with Image.open(path) as picture:
        picture.load()
        if len(picture.convert("RGB").getcolors(1 << 24) or ()) < 16:
            fail(f"{path} is empty")


def check_log(data: Path) -> None:
    """No warning, no error."""
    for log in (data / "logs").glob("*"):
        bad = [line for line in log.read_text().splitlines() if "WARNING" in line or "ERROR" in line]
        if bad:
            fail(f"the log has {bad[:3]}")


def compare(ours: Path, theirs: Path) -> None:
    """The parts of two screenshots that hang on no picture look alike."""
    with Image.open(ours) as one, Image.open(theirs) as other:
        if one.size != other.size or one.size != SIZE:
            fail(f"screenshots of {one.size} and {other.size}")
        for name, box in QUIET.items():
            pair = [image.convert("RGB").crop(box).resize((90, 90)) for image in (one, other)]
            apart = statistics.mean(ImageStat.Stat(ImageChops.difference(*pair)).mean)
            sys.stdout.write(f"  {name}: differs by {apart:.2f} of 255\n")
            if apart > ALIKE:
                fail(f"the {name} looks different: {ours} {theirs}")


def window_once(command: Sequence[str | Path], home: Path, data: str) -> Path:
    """A picture by the window without a display; its screenshot."""
    said = run(command, home, "--demo", "--data-dir", data)
    check_picture(value(said, "picture"))
    check_log(home / data)
    return value(said, "screenshot")


@contextmanager
def display() -> Iterator[str]:
    """An X server of our own."""
    reading, writing = os.pipe()
    with subprocess.Popen(
        ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1600x1000x24", "-nolisten", "tcp", "-noreset"],
        pass_fds=[writing],
        stderr=subprocess.DEVNULL,
    ) as server:
        os.close(writing)
        try:
            yield f":{os.read(reading, 16).decode().strip()}"
        finally:
            os.close(reading)
            server.terminate()


def seconds_to_window(command: Sequence[str | Path], home: Path, screen: str) -> float:
    """From the start of the program until its window can be seen; a look takes some 5 ms."""
    environment = {"HOME": str(home), "LANG": "C.UTF-8", "DISPLAY": screen, **source_path(command)}
    look = ["xdotool", "search", "--onlyvisible", "--name", "ComfyDesk"]
    begun = time.monotonic()
    with subprocess.Popen(
        [*command, "--data-dir", "x"], env=environment, cwd=home, stderr=subprocess.DEVNULL
    ) as program:
        try:
            while time.monotonic() - begun < PATIENCE:
                if not subprocess.run(
                    look, env={**os.environ, "DISPLAY": screen}, check=False, capture_output=True
                ).returncode:
                    return time.monotonic() - begun
            fail("no window")
            raise AssertionError
        finally:
            program.terminate()


def compare_starts(frozen: Sequence[str | Path], source: Sequence[str | Path], home: Path) -> None:
    """Prints the medians, one after the other so that a busy machine troubles both."""
    with display() as screen:
        times: tuple[list[float], list[float]] = ([], [])
        for turn in range(STARTS + 1):
            for into, command in zip(times, (frozen, source), strict=True):
                took = seconds_to_window(command, home, screen)
                if turn:  # the first fills the disk's cache
                    into.append(took)
    ours, theirs = map(statistics.median, times)
    sys.stdout.write(
        f"window after {ours:.2f} s frozen, {theirs:.2f} s from source: {ours / theirs:.2f} times (goal 1.3)\n"
    )


def main(build: Path) -> None:
    """All of it."""
    source = [sys.executable, "-m", "comfydesk"]
    size = sum(file.stat().st_size for file in build.rglob("*") if file.is_file() and not file.is_symlink())
    sys.stdout.write(f"build: {size / 1e6:.0f} MB in {build}\n")
    with TemporaryDirectory() as folder:
        home, place = Path(folder) / "home", Path(folder) / "program"
        home.mkdir()
        shutil.copytree(build, place, symlinks=True)
        subprocess.run(["chmod", "-R", "a-w", place], check=True)
        try:
            frozen = [place / "comfydesk"]
            sys.stdout.write(run(frozen, home, "--version"))
            workflow = place / "_internal/resources/workflows/text_to_image.json"
            made = run(frozen, home, "generate", str(workflow), "--pod", "demo", "--data-dir", "cli", "-o", "out")
            check_picture(home / made.splitlines()[-1])
            sys.stdout.write("command line: a picture\n")
            ours = window_once(frozen, home, "frozen")
            sys.stdout.write("window, offscreen: a picture\n")
            compare(ours, window_once(source, home, "source"))
            if shutil.which("Xvfb") and shutil.which("xdotool"):
                compare_starts(frozen, source, home)
            else:
                sys.stdout.write("no Xvfb and xdotool here: the start on a display is not measured\n")
        finally:
            subprocess.run(["chmod", "-R", "u+w", place], check=True)
    sys.stdout.write("smoke: well\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]).absolute())
