"""Bodies of answers: decompressed under a cap, and parsed without holding up the loop."""

import asyncio
import json
import zlib
from typing import Any

from comfydesk.errors import AnswerTooLargeError, NotComfyError

OFF_LOOP = 200 << 10
"""Bytes from which JSON is parsed in a worker thread; that much takes about 2 ms."""


class Inflate:
    """Collects a body of at most `cap` bytes after decompression; a bomb costs no more than that.

    Over the cap it raises AnswerTooLargeError, or with `cut` keeps the first `cap` bytes and says `full`.
    """

    def __init__(self, encoding: str, cap: int, *, cut: bool = False) -> None:
        self._cap = cap
        self._cut = cut
        self._body = bytearray()
        encoding = encoding.strip().lower()
        if encoding in ("", "identity"):
            self._zip = None
        elif encoding in ("gzip", "x-gzip", "deflate"):
            self._zip = zlib.decompressobj(zlib.MAX_WBITS | 32)  # either header
        else:
            raise NotComfyError("The pod's answer is compressed in a way nobody asked for", encoding[:40])

    @property
    def full(self) -> bool:
        return self._cut and len(self._body) >= self._cap

    def feed(self, data: bytes) -> None:
        if self._zip is None:
            self._add(data)
            return
        try:
            while data and not self.full:
                # One byte over the cap is enough to know.
                self._add(self._zip.decompress(data, self._cap - len(self._body) + 1))
                data = self._zip.unconsumed_tail
        except zlib.error as error:
            raise NotComfyError("The pod's answer is damaged", "it cannot be decompressed") from error

    def finish(self) -> bytes:
        return bytes(self._body)

    def _add(self, data: bytes) -> None:
        room = self._cap - len(self._body)
        if len(data) > room and not self._cut:
            raise AnswerTooLargeError(
                "The pod sent far more than that answer can be", f"over {self._cap >> 20} MB", "Check the address"
            )
        self._body += data[:room]


async def parse_json(body: bytes) -> Any:
    """JSON with everything ComfyUI puts into it: NaN, integers of any size. ValueError when it is none.

    Large documents are parsed in a worker thread.
    """
    return await asyncio.to_thread(_parse_in_thread, body) if len(body) > OFF_LOOP else _parse(body)


def _parse(body: bytes) -> Any:
    try:
        return json.loads(body)
    except RecursionError as error:
        msg = "nested too deeply"
        raise ValueError(msg) from error


def _parse_in_thread(body: bytes) -> Any:
    # The C parser holds the interpreter lock from end to end. A Python hook per object lets other threads, the loop's
    # among them, take their turn: 10 MB stalled the loop for 194 ms without it, for 14 with it (collector off, as it
    # is in the window; a collection in between stops everybody).
    try:
        return json.loads(body, object_hook=_same)
    except RecursionError as error:
        msg = "nested too deeply"
        raise ValueError(msg) from error


def _same(document: dict[str, Any]) -> dict[str, Any]:
    return document
