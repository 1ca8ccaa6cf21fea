"""Copies of files without what they say of their making: prompt, workflow, EXIF, XMP, tags. Nothing is compressed anew.

Only what is needed to show a file is taken over, so that what nobody thought of stays behind as well; the copy is
searched for leftovers afterwards all the same.
"""

import shutil
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from comfydesk.disk import NO_ROOM
from comfydesk.errors import MediaError

BLOCK = 1 << 20
PNG_KEPT = frozenset(
    b"IHDR PLTE IDAT IEND tRNS gAMA cHRM sRGB iCCP sBIT bKGD pHYs hIST cICP mDCV cLLI acTL fcTL fdAT".split()
)
WEBP_KEPT = frozenset({b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP"})
TELLTALES = (b'"class_type"', b'\\"class_type\\"', b"last_node_id", b"Steps: ", b"Negative prompt:")
"""What every API graph, UI workflow or A1111 text has in it."""
PLAIN = frozenset({".txt", ".md", ".csv", ".srt", ".vtt"})
"""Files that are nothing but their text."""
_STREAMS = frozenset(
    {".mp4", ".m4v", ".mov", ".webm", ".mkv", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".wav", ".m4a"}
)
_CONTAINERS = {".m4v": "mp4", ".m4a": "ipod", ".mkv": "matroska", ".oga": "ogg"}


def strip(source: Path, target: Path, suffix: str = "") -> None:
    """Write a copy of `source` without metadata as `target`. `suffix`: the kind of file, default the source's.

    Raises MediaError for what cannot be read, and for kinds of files that cannot be rid of their metadata with
    certainty; OSError for what the disk does. What stands in `target` then is of no use.
    """
    suffix = (suffix or source.suffix).lower()
    if suffix in PLAIN:
        shutil.copyfile(source, target)
        return
    if suffix in _STREAMS:
        _remux(source, target, _CONTAINERS.get(suffix, suffix[1:]))
    else:
        with source.open("rb") as file, target.open("wb") as out:
            copy = _copier(file.read(12))
            if copy is None:
                raise _unfit(source, "Files of this kind cannot be rid of what they carry with certainty")
            file.seek(0)
            try:
                copy(file, out)
            except (struct.error, EOFError, ValueError) as error:
                raise _unfit(source, f"It is damaged ({error})" if str(error) else "It is cut off") from error
    check_clean(target, source.name)


def check_clean(path: Path, name: str, secrets: tuple[str, ...] = ()) -> None:
    """Raises MediaError if a file still has something in it that only metadata has. `secrets`: more to look for."""
    wanted = [*TELLTALES, *(secret.encode("utf-8", "replace") for secret in secrets if secret)]
    overlap = max(map(len, wanted))
    with path.open("rb") as file:
        tail = b""
        while block := file.read(BLOCK):
            window = tail + block
            if any(telltale in window for telltale in wanted):
                what = f"{name} was not exported: its metadata could not be removed"
                raise MediaError(what, "Something of the workflow is left in it")
            tail = window[-overlap:]


def _copier(head: bytes) -> Callable[[BinaryIO, BinaryIO], None] | None:
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return _png
    if head.startswith(b"\xff\xd8"):
        return _jpeg
    return _webp if head[:4] == b"RIFF" and head[8:12] == b"WEBP" else None


def _exactly(file: BinaryIO, count: int) -> bytes:
    data = file.read(count)
    if len(data) != count:
        raise EOFError
    return data


def _pass_on(file: BinaryIO, out: BinaryIO, count: int) -> None:
    while count:
        block = _exactly(file, min(count, BLOCK))
        out.write(block)
        count -= len(block)


# --- Pictures ---------------------------------------------------------------------------------------------------------


def _png(file: BinaryIO, out: BinaryIO) -> None:
    out.write(_exactly(file, 8))
    kind = b""
    while kind != b"IEND":
        header = _exactly(file, 8)
        length, kind = struct.unpack(">I4s", header)
        if kind in PNG_KEPT:
            out.write(header)
            _pass_on(file, out, length + 4)
        else:
            file.seek(length + 4, 1)


def _jpeg(file: BinaryIO, out: BinaryIO) -> None:
    out.write(_exactly(file, 2))
    while True:
        marker = _marker(file)
        if marker == 0xD9:
            out.write(b"\xff\xd9")
            return
        (length,) = struct.unpack(">H", _exactly(file, 2))
        data = _exactly(file, length - 2)
        if _is_needed(marker, data):
            out.write(bytes((0xFF, marker)) + struct.pack(">H", length) + data)
        if marker == 0xDA:
            out.writelines(_scan(file))


def _marker(file: BinaryIO) -> int:
    if _exactly(file, 1) != b"\xff":
        raise ValueError("no marker where one belongs")
    marker = 0xFF
    while marker == 0xFF:
        marker = _exactly(file, 1)[0]
    return marker


def _is_needed(marker: int, data: bytes) -> bool:
    """Tables, frames and scans; of application data JFIF, ICC profiles, Adobe's colours."""
    if 0xE0 <= marker <= 0xEF:
        return (
            (marker == 0xE0 and data.startswith(b"JFIF\0"))
            or (marker == 0xE2 and data.startswith(b"ICC_PROFILE\0"))
            or (marker == 0xEE and data.startswith(b"Adobe"))
        )
    return marker != 0xFE


def _scan(file: BinaryIO) -> Iterator[bytes]:
    """The coded data up to the next marker, which is left in `file`."""
    while True:
        block = _exactly_some(file)
        start = 0
        while True:
            at = block.find(b"\xff", start)
            if at < 0:
                yield block
                break
            if at + 1 == len(block):  # the next byte says what it is
                yield block[:at]
                file.seek(-1, 1)
                if len(_exactly(file, 2)) == 2:
                    file.seek(-2, 1)
                break
            if block[at + 1] == 0 or 0xD0 <= block[at + 1] <= 0xD7:
                start = at + 2
                continue
            yield block[:at]
            file.seek(at - len(block), 1)
            return


def _exactly_some(file: BinaryIO) -> bytes:
    block = file.read(BLOCK)
    if not block:
        raise EOFError
    return block


def _webp(file: BinaryIO, out: BinaryIO) -> None:
    header = _exactly(file, 12)
    (left,) = struct.unpack("<I", header[4:8])
    left -= 4
    out.write(header)
    written = 4
    while left >= 8:
        kind, length = struct.unpack("<4sI", _exactly(file, 8))
        padded = length + length % 2
        left -= 8 + padded
        if kind not in WEBP_KEPT:
            file.seek(padded, 1)
            continue
        out.write(kind + struct.pack("<I", length))
        if kind == b"VP8X":
            flags, rest = struct.unpack("<B", _exactly(file, 1))[0], _exactly(file, padded - 1)
            out.write(bytes((flags & ~0x0C,)) + rest)  # neither EXIF nor XMP
        else:
            _pass_on(file, out, padded)
        written += 8 + padded
    out.seek(4)
    out.write(struct.pack("<I", written))
    out.seek(0, 2)


# --- Recordings -------------------------------------------------------------------------------------------------------


def _remux(source: Path, target: Path, container: str) -> None:
    """The same packets in a new container that says nothing."""
    import av

    try:
        with (
            av.open(str(source)) as old,
            av.open(str(target), "w", format=container, options={"fflags": "+bitexact"}) as new,
        ):
            kept = [
                stream
                for stream in (*old.streams.video, *old.streams.audio)
                if not stream.disposition & av.stream.Disposition.attached_pic
            ]
            if not kept:
                raise _unfit(source, "It has neither picture nor sound")
            streams = {stream.index: new.add_stream_from_template(stream) for stream in kept}
            for stream in streams.values():
                stream.metadata.clear()
            new.metadata.clear()
            for packet in old.demux(kept):
                if packet.dts is not None:
                    packet.stream = streams[packet.stream.index]
                    new.mux(packet)
    except (av.FFmpegError, ValueError) as error:
        if isinstance(error, OSError) and error.errno in NO_ROOM:  # the caller says so
            raise
        raise _unfit(source, f"It cannot be read ({error})") from error


def _unfit(source: Path, why: str) -> MediaError:
    what = f"{source.name} cannot be exported without its metadata"
    return MediaError(what, why, "Leave it out, or export it as it is")
