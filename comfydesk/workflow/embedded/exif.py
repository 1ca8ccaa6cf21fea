"""EXIF: a TIFF of tags. ComfyUI's WebP keeps `prompt:{…}` in Model (0x0110) and `workflow:{…}` in Make (0x010F)."""

from comfydesk.workflow.embedded.source import Broken, Found, decoded

_ASCII_TYPES = (1, 2, 7)
_EXIF_IFD = 0x8769
_USER_COMMENT = 0x9286
_MAX_ENTRIES = 1000


def read_exif(data: bytes, found: Found) -> None:
    """All texts of the main and the Exif directory of the TIFF in `data` (an `Exif\\0\\0` in front is fine)."""
    data = data.removeprefix(b"Exif\0\0")
    if data[:4] == b"II*\0":
        order = "little"
    elif data[:4] == b"MM\0*":
        order = "big"
    else:
        raise Broken("its EXIF part does not begin as a TIFF")
    _Tiff(data, order == "little", found).read_directory(_at(data, 4, 4, little=order == "little"))


def _at(data: bytes, offset: int, size: int, *, little: bool) -> int:
    if offset < 0 or offset + size > len(data):
        raise Broken("its EXIF part is cut off")
    return int.from_bytes(data[offset : offset + size], "little" if little else "big")


class _Tiff:
    def __init__(self, data: bytes, little: bool, found: Found) -> None:
        self._data = data
        self._little = little
        self._found = found
        self._taken = 0

    def read_directory(self, offset: int, *, nested: bool = False) -> None:
        """The entries at `offset`; the Exif directory is followed once."""
        count = min(self._number(offset, 2), _MAX_ENTRIES)
        below: int | None = None
        for index in range(count):
            entry = offset + 2 + 12 * index
            tag, kind, length = self._number(entry, 2), self._number(entry + 2, 2), self._number(entry + 4, 4)
            if tag == _EXIF_IFD and not nested:
                below = self._number(entry + 8, 4)
            elif kind in _ASCII_TYPES and length > 4:
                start = self._number(entry + 8, 4)
                value = self._data[start : start + length]
                self._taken += len(value)
                if self._taken > 2 * len(self._data):
                    raise Broken("its EXIF entries overlap")
                self._found.offer_line(self._comment(value) if tag == _USER_COMMENT else decoded(value))
        if below is not None:
            self.read_directory(below, nested=True)

    def _comment(self, value: bytes) -> str:
        """UserComment: eight bytes name the character set."""
        charset, text = value[:8], value[8:]
        if charset.startswith(b"UNICODE"):
            # The standard leaves the byte order open: ASCII is what our texts have most of.
            big = text[:2] == b"\xfe\xff" or text[0::2].count(0) > text[1::2].count(0)
            return text.decode("utf-16-be" if big else "utf-16-le", "replace").lstrip("\ufeff")
        if charset.strip(b"\0") in (b"ASCII", b"JIS", b""):
            return decoded(text)
        return decoded(value)

    def _number(self, offset: int, size: int) -> int:
        return _at(self._data, offset, size, little=self._little)
