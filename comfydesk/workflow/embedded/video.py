"""Videos: ISO media (MP4, MOV; also AVIF pictures) and Matroska (WebM, MKV)."""

from collections.abc import Iterator

from comfydesk.workflow.embedded.exif import read_exif
from comfydesk.workflow.embedded.source import Broken, Found, Source, decoded

# --- ISO media: boxes of length and name -----------------------------------------------------------------------------

_MAX_EXTENTS = 64
"""Pieces of one item; real files have one to four. Pieces may overlap: many would multiply the file."""
_Box = tuple[bytes, int, int]
"""Name, offset of the body, offset behind it."""


def read_isobmff(source: Source, found: Found) -> None:
    """QuickTime metadata (`keys` + `ilst`, what ComfyUI writes), iTunes comments (VideoHelperSuite), AVIF's Exif item.

    `moov` may stand behind the samples: boxes are skipped by their length.
    """
    for name, start, end in _boxes(source, 0, source.size):
        if name == b"moov":
            for inner, inner_start, inner_end in _boxes(source, start, end):
                if inner == b"udta":
                    _read_user_data(source, inner_start, inner_end, found)
                elif inner == b"meta":
                    _read_meta(source, inner_start, inner_end, found)
        elif name == b"meta":
            _read_meta(source, start, end, found)
        if found.complete:
            return


def _boxes(source: Source, offset: int, end: int) -> Iterator[_Box]:
    while offset + 8 <= end:
        source.count_part()
        size, name, body = source.number(offset), source.read(offset + 4, 4), offset + 8
        if size == 1:
            size, body = source.number(offset + 8, 8), offset + 16
        elif size == 0:
            size = end - offset
        if size < body - offset or offset + size > end:
            msg = f"a box of it claims {size:,} bytes and has {end - offset:,}"
            raise Broken(msg)
        yield name, body, offset + size
        offset += size


def _read_user_data(source: Source, start: int, end: int, found: Found) -> None:
    for name, body, stop in _boxes(source, start, end):
        if name == b"meta":
            _read_meta(source, body, stop, found)
        elif name[:1] == b"\xa9" and stop - body > 4:  # QuickTime: a length, a language, the text
            found.offer_line(decoded(source.read(body + 4, min(source.number(body, 2), stop - body - 4))))


def _read_meta(source: Source, start: int, end: int, found: Found) -> None:
    # Four bytes of version stand in front in ISO files, not in QuickTime's: a box name tells.
    if source.peek(start + 4, 4) not in (b"hdlr", b"keys", b"ilst"):
        start += 4
    boxes = {name: (body, stop) for name, body, stop in _boxes(source, start, end)}
    keys = _read_keys(source, *boxes[b"keys"]) if b"keys" in boxes else []
    if b"ilst" in boxes:
        _read_items(source, *boxes[b"ilst"], keys, found)
    if b"iloc" in boxes and b"iinf" in boxes:
        idat = boxes.get(b"idat", (0, 0))[0]
        for item in _exif_items(source, *boxes[b"iinf"]):
            _read_exif_item(source, boxes[b"iloc"], idat, item, found)


def _read_keys(source: Source, start: int, end: int) -> list[str]:
    return [decoded(source.read(body, stop - body)) for _, body, stop in _boxes(source, start + 8, end)]


def _read_items(source: Source, start: int, end: int, keys: list[str], found: Found) -> None:
    for name, body, stop in _boxes(source, start, end):
        index = int.from_bytes(name, "big") - 1
        key = keys[index] if 0 <= index < len(keys) else ""
        if not key and name not in (b"\xa9cmt", b"\xa9des", b"desc", b"ldes", b"\xa9too", b"----"):
            continue
        for inner, value, value_end in _boxes(source, body, stop):
            if inner == b"data" and value_end - value > 8:
                text = source.read(value + 8, value_end - value - 8)
                if key:
                    found.offer(key.rpartition(".")[2], text)
                else:
                    found.offer_line(decoded(text))


def _exif_items(source: Source, start: int, end: int) -> Iterator[int]:
    """Ids of the items of type Exif in `iinf`."""
    count_size = 2 if source.number(start, 1) == 0 else 4
    for name, body, _ in _boxes(source, start + 4 + count_size, end):
        version = source.number(body, 1)
        if name != b"infe" or version < 2:
            continue
        id_size = 2 if version == 2 else 4
        if source.read(body + 4 + id_size + 2, 4) == b"Exif":
            yield source.number(body + 4, id_size)


def _read_exif_item(source: Source, iloc: tuple[int, int], idat: int, wanted: int, found: Found) -> None:
    """Follow `iloc` to the item `wanted` and read its EXIF."""
    at, end = iloc
    version, sizes = source.number(at, 1), source.number(at + 4, 2)
    offset_size, length_size, base_size = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15
    index_size = sizes & 15 if version in (1, 2) else 0
    id_size = 4 if version == 2 else 2
    at += 6

    def number(size: int) -> int:
        nonlocal at
        if at + size > end:
            raise Broken("its item table is cut off")
        at += size
        return source.number(at - size, size) if size else 0

    for _ in range(number(id_size)):
        source.count_part()
        item = number(id_size)
        method = number(2) & 15 if version in (1, 2) else 0
        number(2)
        base, extents = number(base_size), number(2)
        if item == wanted and extents > _MAX_EXTENTS:
            msg = f"its EXIF lies in {extents:,} pieces"
            raise Broken(msg)
        parts: list[bytes] = []
        for _ in range(extents):
            source.count_part()
            number(index_size)
            start, length = number(offset_size), number(length_size)
            if item == wanted and method in (0, 1):
                parts.append(source.read(base + start + (idat if method == 1 else 0), length))
        if item == wanted:
            data = b"".join(parts)
            read_exif(data[4 + int.from_bytes(data[:4], "big") :], found)
            return


# --- Matroska: elements of id and length -----------------------------------------------------------------------------

_SEGMENT, _CLUSTER, _TAGS, _TAG, _SIMPLE_TAG = 0x18538067, 0x1F43B675, 0x1254C367, 0x7373, 0x67C8
_TAG_NAME, _TAG_STRING = 0x45A3, 0x4487


def read_matroska(source: Source, found: Found) -> None:
    """Tags of the segment; their names come in upper case. Clusters are skipped by their length."""
    offset = 0
    while offset + 2 <= source.size and not found.complete:
        kind, body, end = _element(source, offset, source.size)
        if kind == _TAGS:
            for tag, tag_body, tag_end in _elements(source, body, end):
                if tag == _TAG:
                    _read_tag(source, tag_body, tag_end, found)
        # A segment is stepped into, and so is what has no length (a live stream's cluster).
        offset = body if kind == _SEGMENT or end < 0 else end


def _read_tag(source: Source, start: int, end: int, found: Found) -> None:
    for kind, body, stop in _elements(source, start, end):
        if kind != _SIMPLE_TAG:
            continue
        name, value = "", b""
        for part, part_body, part_end in _elements(source, body, stop):
            if part == _TAG_NAME:
                name = decoded(source.read(part_body, part_end - part_body))
            elif part == _TAG_STRING:
                value = source.read(part_body, part_end - part_body)
        found.offer(name, value)


def _elements(source: Source, offset: int, end: int) -> Iterator[tuple[int, int, int]]:
    while offset < end:
        kind, body, stop = _element(source, offset, end)
        if stop < 0:
            raise Broken("a tag of it has no length")
        yield kind, body, stop
        offset = stop


def _element(source: Source, offset: int, end: int) -> tuple[int, int, int]:
    """Id, offset of the body, offset behind it; -1 for an unknown length."""
    source.count_part()
    id_size = 9 - source.number(offset, 1).bit_length()
    if id_size > 4:
        raise Broken("an element of it does not begin where it should")
    first = source.number(offset + id_size, 1)
    length_size = 9 - first.bit_length()
    if length_size > 8:
        raise Broken("an element of it does not begin where it should")
    length = source.number(offset + id_size, length_size) & ((1 << 7 * length_size) - 1)
    body = offset + id_size + length_size
    if length == (1 << 7 * length_size) - 1:
        return source.number(offset, id_size), body, -1
    if body + length > end:
        msg = f"an element of it claims {length:,} bytes and has {end - body:,}"
        raise Broken(msg)
    return source.number(offset, id_size), body, body + length
