"""What a file is, by its content, and how large its picture is, by its header. No pixel is decoded; no I/O.

Who reads files of unknown origin asks here first: libraries are only given what looks like something they know.
"""

from comfydesk.errors import MediaError

MOST_PIXELS = 1 << 31
"""What a header may claim; the largest pictures that can be shown have half of it."""
_SHAPELESS = frozenset({"svg", "exr"})
_BRANDS = {b"avif": "avif", b"avis": "avif", b"heic": "heic", b"heix": "heic", b"mif1": "heic", b"M4A ": "m4a"}
_MEDIA = {
    "image": frozenset("png jpeg webp gif bmp tiff avif heic exr svg jxl psd ico qoi".split()),  # noqa: SIM905
    "video": frozenset(("mp4", "matroska", "avi")),
    "audio": frozenset(("flac", "ogg", "mp3", "wav", "m4a", "aiff")),
    "model3d": frozenset(("glb", "ply")),
}
_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"BM", "bmp"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
    (b"8BPS", "psd"),
    (b"qoif", "qoi"),
    (b"\0\0\1\0", "ico"),
    (b"\xff\x0a", "jxl"),
    (b"\0\0\0\x0cJXL ", "jxl"),
    (b"\x76\x2f\x31\x01", "exr"),
    (b"\x1a\x45\xdf\xa3", "matroska"),
    (b"fLaC", "flac"),
    (b"OggS", "ogg"),
    (b"ID3", "mp3"),
    (b"FORM", "aiff"),
    (b"glTF", "glb"),
    (b"ply\n", "ply"),
    (b"ply\r", "ply"),
)


def kind_of(head: bytes) -> str:
    """The format of a file that begins with `head` (64 bytes are enough); "" if it is none that is known."""
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    if head[:4] == b"RIFF":
        return {b"WEBP": "webp", b"WAVE": "wav", b"AVI ": "avi"}.get(head[8:12], "")
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12], "mp4")
    if head[4:8] in (b"moov", b"mdat", b"free", b"skip", b"wide"):
        return "mp4"
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0 and head[1] & 0x06:
        return "mp3"
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    return "svg" if text.startswith((b"<svg", b"<?xml", b"<!doctype svg")) else ""


def media_of(kind: str, name_says: str) -> str:
    """image, video, audio or model3d. Ogg and Matroska hold both: there the name decides."""
    if name_says in ("audio", "video") and kind in ("ogg", "matroska", "mp4"):
        return name_says
    return next((media for media, kinds in _MEDIA.items() if kind in kinds), "other")


def size_of(kind: str, data: memoryview, tail: bytes, length: int) -> tuple[int, int] | None:
    """Width and height of a picture that begins with `data`, ends with `tail` and has `length` bytes.

    None: neither these bytes nor this module can tell. Raises MediaError for a picture that is cut off, and for one
    that claims more than MOST_PIXELS.
    """
    found = None
    whole = len(data) == length
    if kind == "png":
        found = _png(data, walk=not tail.endswith(b"IEND\xaeB`\x82"), whole=whole)
    elif kind == "jpeg":
        found = _jpeg(data, ended=tail.endswith(b"\xff\xd9"), whole=whole)
    elif kind == "gif" and len(data) >= 10:
        found = _little(data, 6, 2), _little(data, 8, 2)
    elif kind == "webp":
        found = _webp(data, length)
    if found is not None:
        check_size(*found)
    return found


def check_size(width: int, height: int) -> None:
    """Raises MediaError for what no picture is."""
    if width * height > MOST_PIXELS:
        why = f"It claims {width:,} \N{MULTIPLICATION SIGN} {height:,} pixels"
        raise MediaError("The picture is not taken", why, "It would fill the memory of this computer")


def has_shape(kind: str) -> bool:
    """Whether a library may be asked for its size."""
    return kind not in _SHAPELESS


def _png(data: memoryview, *, walk: bool, whole: bool) -> tuple[int, int] | None:
    """The header; and with `walk` every chunk, to see that it has its end."""
    if len(data) < 33 or bytes(data[12:16]) != b"IHDR":
        raise _cut_off()
    size = _big(data, 16, 4), _big(data, 20, 4)
    if not all(size):
        raise MediaError("The picture is damaged", "Its header claims no pixels")
    if not walk:
        return size
    if not whole:
        return None
    at, parts = 8, 0
    while at + 12 <= len(data) and parts < 100_000:
        if bytes(data[at + 4 : at + 8]) == b"IEND":
            return size
        at += 12 + _big(data, at, 4)
        parts += 1
    raise _cut_off()


def _jpeg(data: memoryview, *, ended: bool, whole: bool) -> tuple[int, int] | None:
    at = 2
    size = None
    for _ in range(10_000):
        while at + 1 < len(data) and data[at] == 0xFF and data[at + 1] == 0xFF:
            at += 1
        if at + 9 > len(data) or data[at] != 0xFF:
            break
        mark = data[at + 1]
        if mark == 0xDA:
            if ended or not whole:
                return size if ended else None
            if bytes(data[at:]).rfind(b"\xff\xd9") < 0:
                break
            return size
        if 0xC0 <= mark <= 0xCF and mark not in (0xC4, 0xC8, 0xCC):
            size = _big(data, at + 7, 2), _big(data, at + 5, 2)
        at += 2 if mark == 0x01 or 0xD0 <= mark <= 0xD8 else 2 + _big(data, at + 2, 2)
    if not whole:
        return None
    raise _cut_off()


def _webp(data: memoryview, length: int) -> tuple[int, int] | None:
    if len(data) < 30 or _little(data, 4, 4) + 8 > length + 1:
        raise _cut_off()
    match bytes(data[12:16]):
        case b"VP8X":
            return _little(data, 24, 3) + 1, _little(data, 27, 3) + 1
        case b"VP8L":
            bits = _little(data, 21, 4)
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8 ":
            return _little(data, 26, 2) & 0x3FFF, _little(data, 28, 2) & 0x3FFF
    return None


def _cut_off() -> MediaError:
    return MediaError("The picture is damaged", "The file ends too early")


def _big(data: memoryview, at: int, size: int) -> int:
    return int.from_bytes(data[at : at + size], "big")


def _little(data: memoryview, at: int, size: int) -> int:
    return int.from_bytes(data[at : at + size], "little")
