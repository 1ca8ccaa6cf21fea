"""Small pictures of files that anybody may have made: posters, strips of frames, waveforms. For worker threads.

Each is made in bounded memory and time, whatever the file claims of itself; what cannot be shown raises a MediaError
with the reason. Results are encoded: JPEG, or PNG where there is something to see through.
"""

import time
from array import array
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from comfydesk.errors import MediaError

if TYPE_CHECKING:
    from PIL.Image import Image

LARGEST = 64_000_000
"""Pixels that are decoded for a thumbnail (some 250 MB); a JPEG is decoded at an eighth of its size, if need be."""
PROGRESSIVE = 100_000_000
"""Pixels of a progressive JPEG: at whatever size it is wanted, all of it is kept while it is read (some 300 MB)."""
WIDEST = 3
"""A thumbnail is at most so many times longer than wide; the rest is cropped about the middle."""
SECONDS = 4.0
"""What a video or a sound may take to be looked through."""
FRAMES = 12
"""In a strip, side by side."""
QUALITY = 80
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "ICO", "TGA", "PSD", "PPM", "DDS", "QOI", "JPEG2000")
"""What Pillow reads by itself. Not EPS, which would start Ghostscript."""
_PICTURE_CHUNKS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
_MOST_PACKED = 256 << 20
_SHORT = 30.0
"""Seconds of video that are decoded from end to end; in longer ones every frame is looked for."""
_PACKETS = 400
_SOUND_RATE = 8000
_COLUMNS = 96
_WAVE = (127, 139, 151, 255)
"""Seen on dark and on light."""


def poster(path: Path, media: str, edge: int) -> bytes:
    """A picture of the file whose shorter side is `edge` pixels, or its own if that is less.

    Of a sound it is its waveform, two by one. Raises MediaError.
    """
    return _guarded(path, lambda: _encoded(_waveform(path, edge) if media == "audio" else _picture(path, media, edge)))


def strip(path: Path, edge: int) -> bytes:
    """FRAMES frames of a video, evenly over its length, side by side. Raises MediaError."""
    return _guarded(path, lambda: _encoded(_strip(path, edge)))


def unreadable(path: Path, why: str) -> MediaError:
    """What is said of a file without a picture."""
    return MediaError(f"No picture of {path.name}", why)


def _guarded(path: Path, make: Any) -> bytes:
    """Whatever a library makes of a strange file becomes a reason."""
    import struct
    import zlib

    try:
        made: bytes = make()
        return made
    except FileNotFoundError:
        raise unreadable(path, "The file is no longer there") from None
    except MemoryError:
        raise unreadable(path, "It needs more memory than there is") from None
    except (OSError, ValueError, SyntaxError, TypeError, LookupError, EOFError, ArithmeticError, struct.error) as error:
        why = "The file ends too early" if "truncated" in str(error) or isinstance(error, EOFError) else _words(error)
        raise unreadable(path, why) from error
    except (zlib.error, RuntimeError, AttributeError, AssertionError, NotImplementedError) as error:
        raise unreadable(path, _words(error)) from error


def _words(error: Exception) -> str:
    text = " ".join(str(error).split())[:120]
    return f"It cannot be read: {text}" if text else f"It cannot be read ({type(error).__name__})"


# --- Pictures -------------------------------------------------------------------------------------------------------


def _picture(path: Path, media: str, edge: int) -> "Image":
    """What the file holds decides, not its name: a video called .png is shown all the same."""
    with path.open("rb") as file:
        found = None if media == "video" else _opened(file)
        if found is not None:
            return _small(found, edge, path)
    try:
        return _frame(path, edge)
    except OSError as error:  # PyAV's own errors are OSErrors and ValueErrors
        if media == "image" and not isinstance(error, FileNotFoundError):
            raise unreadable(path, "It holds no picture that can be read") from error
        raise


def _opened(file: BinaryIO) -> "Image | None":
    """The picture in `file`, its pixels not read yet; None if it is of no kind that Pillow knows.

    As Image.open, without its limit on pixels: ours counts what would be decoded.
    """
    import struct

    from PIL import Image

    Image.init()
    head = file.read(32)
    for name in _FORMATS:
        factory, accepts = Image.OPEN.get(name, (None, None))
        if factory is None or (accepts is not None and accepts(head) is not True):
            continue
        file.seek(0)
        try:
            return factory(file, "")
        except (SyntaxError, IndexError, TypeError, ValueError, struct.error):
            # Pillow gives up on words that are long when they are unpacked; FFmpeg unpacks them, however long.
            if name == "PNG" and (bare := _without_words(file)) is not None:
                return _opened(bare)
    return None


def _without_words(file: BinaryIO) -> BinaryIO | None:
    """A PNG with nothing in it but its picture; None where something was wrong with that, or nothing was left out."""
    import struct

    file.seek(0)
    kept = [file.read(8)]
    size, left_out = 0, False
    while len(start := file.read(8)) == 8:
        length, kind = struct.unpack(">I4s", start)
        if kind in _PICTURE_CHUNKS and (size := size + length) <= _MOST_PACKED:
            kept += [start, file.read(length + 4)]
        else:
            left_out = True
            file.seek(length + 4, 1)
    return BytesIO(b"".join(kept)) if left_out and size <= _MOST_PACKED else None


def _small(image: "Image", edge: int, path: Path) -> "Image":
    from PIL import Image

    width, height = _size_for(*image.size, edge)
    waits = bool(image.info.get("progressive")) and image.size[0] * image.size[1] > PROGRESSIVE
    if not waits:
        image.draft("RGB", (width, height))
    pixels = image.size[0] * image.size[1]
    if pixels > LARGEST:
        size = f"{image.size[0]:,} \N{MULTIPLICATION SIGN} {image.size[1]:,} pixels"
        raise unreadable(path, f"It claims {size}: too many for a thumbnail")
    turn = _turn(image)
    if image.mode.startswith(("I", "F")):
        image = _eight_bits(image)
    elif image.mode not in ("RGB", "L"):
        image = image.convert("RGBA" if _see_through(image) else "RGB")
    box = _crop(*image.size)
    small = image.resize((width, height), Image.Resampling.BICUBIC, box=box, reducing_gap=2.0)
    return small if turn is None else small.transpose(turn)


def _see_through(image: "Image") -> bool:
    return image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info


def _eight_bits(image: "Image") -> "Image":
    """16-bit grey at an eighth of its depth; of floats, 0 to 1."""
    if image.mode == "F":
        return image.point(lambda value: value * 255).convert("L")
    return image.convert("I").point(lambda value: value * (1 / 257)).convert("L")


def _turn(image: "Image") -> Any:
    """How a camera was held, as Pillow's transpose."""
    from PIL import Image

    kinds = Image.Transpose
    ways = {2: kinds.FLIP_LEFT_RIGHT, 3: kinds.ROTATE_180, 4: kinds.FLIP_TOP_BOTTOM, 5: kinds.TRANSPOSE,
            6: kinds.ROTATE_270, 7: kinds.TRANSVERSE, 8: kinds.ROTATE_90}  # fmt: skip
    try:
        return ways.get(image.getexif().get(0x0112, 1))
    except Exception:  # noqa: BLE001, RUF100 - broken tags are no reason to show no picture
        return None


def _size_for(width: int, height: int, edge: int) -> tuple[int, int]:
    """The thumbnail's size: the crop's shorter side is `edge`; never larger than the picture."""
    wide, high = min(width, height * WIDEST), min(height, width * WIDEST)
    scale = min(1.0, edge / max(1, min(wide, high)))
    return max(1, round(wide * scale)), max(1, round(high * scale))


def _crop(width: int, height: int) -> tuple[float, float, float, float]:
    wide, high = min(width, height * WIDEST), min(height, width * WIDEST)
    left, top = (width - wide) / 2, (height - high) / 2
    return left, top, left + wide, top + high


def _encoded(image: "Image") -> bytes:
    out = BytesIO()
    if image.mode == "RGBA" and image.getchannel("A").histogram()[255] < image.size[0] * image.size[1]:
        image.save(out, "PNG", compress_level=1)
    else:
        image.convert("RGB").save(out, "JPEG", quality=QUALITY)
    return out.getvalue()


# --- Videos ---------------------------------------------------------------------------------------------------------


def _container(path: Path) -> Any:
    # 98 ms to import, and only needed here. Tags in another encoding than UTF-8 are no reason to show no picture.
    import av

    return av.open(str(path), metadata_errors="replace", timeout=SECONDS)


def _video_stream(container: Any, path: Path) -> Any:
    stream = next(iter(container.streams.video), None)
    if stream is None:
        raise unreadable(path, "It has no picture in it")
    stream.codec_context.thread_count = 1
    if stream.codec_context.width * stream.codec_context.height > LARGEST:
        raise unreadable(path, "It claims too many pixels for a thumbnail")
    return stream


def _frames(container: Any, stream: Any) -> Iterator[Any]:
    """Decoded frames; gives up after so many packets without one."""
    idle = 0
    for packet in container.demux(stream):
        idle += 1
        for frame in packet.decode():
            idle = 0
            yield frame
        if idle > _PACKETS:
            return


def _frame(path: Path, edge: int) -> "Image":
    with _container(path) as container:
        stream = _video_stream(container, path)
        frame = next(_frames(container, stream), None)
        if frame is None:
            raise unreadable(path, "None of its frames can be read")
        return _image_of(frame, edge)


def _image_of(frame: Any, edge: int) -> "Image":
    """A frame as a thumbnail, upright."""
    width, height = _scaled(frame.width, frame.height, edge)
    image: Image = frame.to_image(width=width, height=height)
    turn = round(getattr(frame, "rotation", 0)) % 360
    if turn in (90, 180, 270):
        image = image.rotate(turn, expand=True)
    if max(image.size) > WIDEST * min(image.size):
        image = image.crop(tuple(round(side) for side in _crop(*image.size)))  # type: ignore[arg-type]  # four of them
    return image


def _scaled(width: int, height: int, edge: int) -> tuple[int, int]:
    scale = min(1.0, edge / max(1, min(width, height)))
    return max(1, round(width * scale)), max(1, round(height * scale))


def _strip(path: Path, edge: int) -> "Image":
    from PIL import Image

    shots: list[Image.Image] = []
    with _container(path) as container:
        stream = _video_stream(container, path)
        seconds = _length(container, stream)
        for frame in _spread(container, stream, seconds):
            shots.append(_image_of(frame, edge))  # noqa: PERF401 - the frames before a broken one count
    if not shots:
        raise unreadable(path, "None of its frames can be read")
    width, height = shots[0].size
    whole = Image.new("RGB", (width * FRAMES, height))
    for place in range(FRAMES):
        whole.paste(shots[min(place, len(shots) - 1)].resize((width, height)), (place * width, 0))
    return whole


def _length(container: Any, stream: Any) -> float:
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    return container.duration / 1_000_000 if container.duration else 0.0


def _spread(container: Any, stream: Any, seconds: float) -> Iterator[Any]:
    """FRAMES frames, or as many as there is time for."""
    until = time.monotonic() + SECONDS
    if seconds > _SHORT:
        for place in range(FRAMES):
            container.seek(int((place + 0.5) / FRAMES * seconds * 1_000_000))
            frame = next(_frames(container, stream), None)
            if frame is None or time.monotonic() > until:
                return
            yield frame
        return
    place = 0
    for number, frame in enumerate(_frames(container, stream)):
        at = frame.time if frame.time is not None else number / 24
        if at >= place / FRAMES * seconds:
            yield frame
            place += 1
        if place == FRAMES or time.monotonic() > until:
            return


# --- Sounds ---------------------------------------------------------------------------------------------------------


def _waveform(path: Path, edge: int) -> "Image":
    from PIL import Image, ImageDraw

    peaks = _peaks(path)
    width, height = edge * 2, edge
    image = Image.new("RGBA", (width, height), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    step, loudest = width / len(peaks), max(peaks) or 1
    for at, peak in enumerate(peaks):
        half = max(1.0, peak / loudest * height * 0.34)
        left = at * step
        box = (left, height / 2 - half, left + max(1.0, step * 0.6), height / 2 + half)
        draw.rounded_rectangle(box, radius=step * 0.3, fill=_WAVE)
    return image


def _peaks(path: Path) -> list[int]:
    """The loudest sample of each of _COLUMNS parts, 0 to 32,768."""
    import av

    heard: list[int] = []
    until = time.monotonic() + SECONDS
    with _container(path) as container:
        stream = next(iter(container.streams.audio), None)
        if stream is None:
            raise unreadable(path, "It has no sound in it")
        resampler = av.AudioResampler(format="s16", layout="mono", rate=_SOUND_RATE)
        for frame in container.decode(stream):
            for piece in resampler.resample(frame):
                samples = array("h", bytes(piece.planes[0])[: piece.samples * 2])
                if samples:
                    loud, low = max(samples), min(samples)
                    heard.append(max(loud, -low))
            if time.monotonic() > until:
                break
    if not heard:
        raise unreadable(path, "None of it can be read")
    return [
        max(
            heard[at * len(heard) // _COLUMNS : max(at * len(heard) // _COLUMNS + 1, (at + 1) * len(heard) // _COLUMNS)]
        )
        for at in range(_COLUMNS)
    ]
