"""Pictures that move: how long each frame of a GIF, an animated WebP or an animated PNG is shown.

Only the files' own structure is read, chunk by chunk; no frame is decoded.
"""

import struct
from pathlib import Path
from typing import BinaryIO

MOST_FRAMES = 20_000
"""More are not counted: an hour and more at the usual speed, or a hostile file."""
_UNSTATED = 0.1
"""Seconds of a frame that states none, or less than a screen can show, as browsers take it."""
_LEAST = 0.011


def frame_times(path: Path) -> tuple[float, ...]:
    """Seconds of each frame; empty for whatever does not move. Raises OSError."""
    with path.open("rb") as file:
        return frame_times_in(file)


def frame_times_in(file: BinaryIO) -> tuple[float, ...]:
    """The same of an open file, which stands at its beginning."""
    head = file.read(12)
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        file.seek(8)
        times = _of_png(file)
    elif head[:4] == b"RIFF" and head[8:] == b"WEBP":
        times = _of_webp(file)
    elif head[:6] in (b"GIF87a", b"GIF89a"):
        file.seek(6)
        times = _of_gif(file)
    else:
        times = []
    return tuple(_UNSTATED if time < _LEAST else time for time in times) if len(times) > 1 else ()


def _of_png(file: BinaryIO) -> list[float]:
    """Animated ones say so (acTL) before their first pixels."""
    times: list[float] = []
    moves = False
    while len(times) < MOST_FRAMES:
        start = file.read(8)
        if len(start) < 8:
            break
        length, kind = struct.unpack(">I4s", start)
        if kind == b"IEND" or (kind == b"IDAT" and not moves):
            break
        moves = moves or kind == b"acTL"
        if kind == b"fcTL" and length >= 26:
            shown = file.read(24)
            if len(shown) < 24:
                break
            part, whole = struct.unpack(">20xHH", shown)
            times.append(part / (whole or 100))
            length -= 24
        file.seek(length + 4, 1)
    return times


def _of_webp(file: BinaryIO) -> list[float]:
    times: list[float] = []
    moves = False
    while len(times) < MOST_FRAMES:
        start = file.read(8)
        if len(start) < 8:
            break
        kind, length = struct.unpack("<4sI", start)
        if not moves and kind in (b"VP8 ", b"VP8L", b"ALPH"):
            break
        moves = moves or kind in (b"ANIM", b"ANMF")
        padded = length + (length & 1)
        if kind == b"ANMF" and length >= 16:
            shown = file.read(16)
            if len(shown) < 16:
                break
            times.append(int.from_bytes(shown[12:15], "little") / 1000)
            padded -= 16
        file.seek(padded, 1)
    return times


def _of_gif(file: BinaryIO) -> list[float]:
    times: list[float] = []
    time = 0.0
    screen = file.read(7)
    if len(screen) < 7:
        return times
    if screen[4] & 0x80:
        file.seek(3 << ((screen[4] & 7) + 1), 1)
    while len(times) < MOST_FRAMES:
        match file.read(1):
            case b"!":
                if file.read(1) == b"\xf9":
                    block = file.read(6)
                    time = int.from_bytes(block[2:4], "little") / 100
                    if not block.endswith(b"\0"):
                        _skip_blocks(file)
                else:
                    _skip_blocks(file)
            case b",":
                about = file.read(9)
                if len(about) < 9:
                    break
                if about[8] & 0x80:
                    file.seek(3 << ((about[8] & 7) + 1), 1)
                file.seek(1, 1)
                _skip_blocks(file)
                times.append(time)
                time = 0.0
            case _:
                break
    return times


def _skip_blocks(file: BinaryIO) -> None:
    while size := file.read(1):
        if size == b"\0":
            return
        file.seek(size[0], 1)
