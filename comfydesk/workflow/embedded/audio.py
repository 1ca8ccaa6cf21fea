"""Sounds: FLAC, Opus and Vorbis in Ogg (Vorbis comments), MP3 (ID3v2 TXXX)."""

from comfydesk.workflow.embedded.source import MAX_PARTS, MAX_TEXT, Broken, Found, Source, decoded


def read_flac(source: Source, found: Found) -> None:
    """Block 4 of the metadata in front of the samples."""
    offset, last = 4, False
    while not last and not found.complete:
        source.count_part()
        head = source.read(offset, 4)
        last, kind, length = bool(head[0] & 0x80), head[0] & 0x7F, int.from_bytes(head[1:], "big")
        if kind == 4:
            _read_comments(source.read(offset + 4, length), found)
        offset += 4 + length


def _read_comments(data: bytes, found: Found) -> None:
    """Vorbis comments: a vendor, a count, then NAME=value each, all with little-endian lengths."""

    def number(offset: int) -> int:
        if offset + 4 > len(data):
            raise Broken("its comments are cut off")
        return int.from_bytes(data[offset : offset + 4], "little")

    offset = 4 + number(0)
    count = number(offset)
    offset += 4
    for _ in range(min(count, MAX_PARTS)):
        length = number(offset)
        if offset + 4 + length > len(data):
            raise Broken("its comments are cut off")
        name, _, value = data[offset + 4 : offset + 4 + length].partition(b"=")
        found.offer(decoded(name), value)
        offset += 4 + length


_MAX_STREAMS = 64
_COMMENT_HEADS = (b"OpusTags", b"\x03vorbis", b"\x83theora")


def read_ogg(source: Source, found: Found) -> None:
    """The comment packet of each stream, put together from pages; it is the second packet, before any sound."""
    packets: dict[bytes, bytearray] = {}
    done: dict[bytes, int] = {}
    offset = total = 0
    while offset + 27 <= source.size and not found.complete:
        source.count_part()
        head = source.read(offset, 27)
        if head[:4] != b"OggS":
            raise Broken("an Ogg page does not begin where it should")
        table = source.read(offset + 27, head[26])
        serial, body = head[14:18], offset + 27 + len(table)
        packet = packets.setdefault(serial, bytearray())
        if len(packets) > _MAX_STREAMS:
            raise Broken("it has too many streams")
        at = body
        for lace in table:
            packet += source.read(at, lace)
            at += lace
            if lace < 255:
                _read_packet(bytes(packet), found)
                packet.clear()
                done[serial] = done.get(serial, 0) + 1
        total += at - body
        # Three header packets at most, FLAC's up to some more: then come samples.
        if total > MAX_TEXT or min(done.get(key, 0) for key in packets) > 8:
            return
        offset = at


def _read_packet(packet: bytes, found: Found) -> None:
    for head in _COMMENT_HEADS:
        if packet.startswith(head):
            _read_comments(packet[len(head) :], found)
            return
    if packet[:1] in (b"\x04", b"\x84") and int.from_bytes(packet[1:4], "big") == len(packet) - 4:  # FLAC in Ogg
        _read_comments(packet[4:], found)


def read_id3(source: Source, found: Found) -> None:
    """TXXX frames of ID3v2.2 to 2.4; a FLAC may stand behind the tag."""
    head = source.read(0, 10)
    version, flags, size = head[3], head[5], _syncsafe(head[6:10])
    tag = source.read(10, size)
    if flags & 0x80 and version < 4:
        tag = tag.replace(b"\xff\x00", b"\xff")
    offset = 0
    if flags & 0x40 and version == 3:
        offset = 4 + int.from_bytes(tag[:4], "big")
    elif flags & 0x40 and version == 4:
        offset = _syncsafe(tag[:4])
    _read_frames(source, tag[offset:], version, found)
    behind = 10 + size
    if not found.any and source.peek(behind, 4) == b"fLaC":
        read_flac(_Behind(source, behind), found)


class _Behind(Source):
    """The part of a source from an offset on."""

    def __init__(self, source: Source, offset: int) -> None:
        super().__init__(b"")
        self._outer = source
        self._offset = offset
        self.size = source.size - offset

    def peek(self, offset: int, size: int) -> bytes:
        return self._outer.peek(self._offset + offset, size)


def _read_frames(source: Source, tag: bytes, version: int, found: Found) -> None:
    name_size, head_size = (3, 6) if version == 2 else (4, 10)
    offset = 0
    while offset + head_size <= len(tag) and tag[offset] and not found.complete:
        source.count_part()
        name = tag[offset : offset + name_size]
        raw = tag[offset + name_size : offset + 2 * name_size]
        length = _syncsafe(raw) if version == 4 else int.from_bytes(raw, "big")
        data = tag[offset + head_size : offset + head_size + length]
        if len(data) < length:
            raise Broken("its ID3 tag is cut off")
        frame_flags = tag[offset + 9] if version == 4 else 0
        if frame_flags & 0x01:  # a data length in front
            data = data[4:]
        if frame_flags & 0x02:
            data = data.replace(b"\xff\x00", b"\xff")
        if name in (b"TXXX", b"TXX"):
            _read_text(data, found)
        elif name in (b"COMM", b"COM"):
            _read_text(data[:1] + data[4:], found)
        offset += head_size + length


def _read_text(data: bytes, found: Found) -> None:
    """An encoding byte, a description, a value."""
    encoding = {0: "latin-1", 1: "utf-16", 2: "utf-16-be", 3: "utf-8"}.get(data[0] if data else 0)
    if encoding is None:
        return
    text = data[1:].decode(encoding, "replace")
    name, _, value = text.partition("\0")
    found.offer(name, value.lstrip("\ufeff"))


def _syncsafe(data: bytes) -> int:
    number = 0
    for byte in data:
        number = number << 7 | (byte & 0x7F)
    return number


def read_bare(_source: Source, _found: Found) -> None:
    """MPEG audio without a tag carries nothing, which is no error."""
