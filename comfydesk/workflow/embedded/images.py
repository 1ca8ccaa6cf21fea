"""Pictures: PNG (also animated), WebP, JPEG, OpenEXR."""

import zlib

from comfydesk.workflow.embedded.exif import read_exif
from comfydesk.workflow.embedded.source import MAX_TEXT, Broken, Found, Source, decoded

_PNG_TEXT = (b"tEXt", b"zTXt", b"iTXt", b"comf", b"eXIf")


def read_png(source: Source, found: Found) -> None:
    """tEXt, zTXt and iTXt; animated PNGs keep theirs in private `comf` chunks behind the pixels; eXIf.

    Pixels are skipped by their length, never decompressed.
    """
    offset = 8
    while offset + 8 <= source.size and not found.complete:
        source.count_part()
        header = source.read(offset, 8)
        length, kind = int.from_bytes(header[:4], "big"), header[4:]
        if kind == b"IEND":
            return
        if kind in _PNG_TEXT:
            _png_text(source, kind, source.read(offset + 8, length), found)
        elif offset + 12 + length > source.size:
            raise Broken("it ends in the middle of the picture")
        offset += 12 + length


def _png_text(source: Source, kind: bytes, data: bytes, found: Found) -> None:
    if kind == b"eXIf":
        read_exif(data, found)
        return
    name, _, value = data.partition(b"\0")
    key = decoded(name)
    if kind == b"zTXt":
        value = _inflated(source, value[1:])
    elif kind == b"iTXt":
        compressed, rest = value[:1] == b"\x01", value[2:]
        _language, _, rest = rest.partition(b"\0")
        _translated, _, value = rest.partition(b"\0")
        if compressed:
            value = _inflated(source, value)
    found.offer(key, value)


def _inflated(source: Source, data: bytes) -> bytes:
    inflater = zlib.decompressobj()
    try:
        text = inflater.decompress(data, MAX_TEXT)
    except zlib.error:
        raise Broken("a compressed text in it is damaged") from None
    if inflater.unconsumed_tail:
        msg = f"a compressed text in it grows past {MAX_TEXT >> 20} MB"
        raise Broken(msg)
    source.count_work(len(text))
    return text


def read_webp(source: Source, found: Found) -> None:
    """The EXIF chunk of the RIFF."""
    offset = 12
    while offset + 8 <= source.size and not found.complete:
        source.count_part()
        kind = source.read(offset, 4)
        length = int.from_bytes(source.read(offset + 4, 4), "little")
        if kind == b"EXIF":
            read_exif(source.read(offset + 8, length), found)
        elif offset + 8 + length > source.size:
            raise Broken("it ends in the middle of the picture")
        offset += 8 + length + length % 2


def read_jpeg(source: Source, found: Found) -> None:
    """EXIF and comment segments, as custom nodes write them; ComfyUI itself saves no JPEG."""
    offset = 2
    while offset + 4 <= source.size and not found.complete:
        source.count_part()
        mark, kind = source.read(offset, 2)
        if mark != 0xFF:
            raise Broken("a JPEG segment does not begin where it should")
        if kind == 0xFF:  # fill byte
            offset += 1
            continue
        if kind == 0x01 or 0xD0 <= kind <= 0xD7:  # markers without a length
            offset += 2
            continue
        if kind in (0xD9, 0xDA):  # end, or the pixels
            return
        length = source.number(offset + 2, 2)
        data = source.read(offset + 4, max(length - 2, 0))
        if kind == 0xE1 and data.startswith(b"Exif\0\0"):
            read_exif(data, found)
        elif kind == 0xFE:
            found.offer_line(decoded(data))
        offset += 2 + max(length, 2)


def read_exr(source: Source, found: Found) -> None:
    """String attributes of the header: name, type, size (little-endian), value; an empty name ends it."""
    offset = 8
    while not found.complete:
        source.count_part()
        name, offset = _exr_name(source, offset)
        if not name:
            return
        kind, offset = _exr_name(source, offset)
        length = int.from_bytes(source.read(offset, 4), "little")
        if kind == "string":
            found.offer(name, source.read(offset + 4, length))
        offset += 4 + length


def _exr_name(source: Source, offset: int) -> tuple[str, int]:
    name, end, _ = source.peek(offset, 256).partition(b"\0")
    if not end:
        raise Broken("its EXR header is cut off")
    return decoded(name), offset + len(name) + 1
