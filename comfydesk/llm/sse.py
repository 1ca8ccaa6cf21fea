"""Server-sent events: bytes in, `data` out. PURE, and bounded: no line may be longer than MAX_LINE."""

from collections.abc import Iterator

from comfydesk.errors import LlmAnswerError

MAX_LINE = 1024 * 1024
"""Bytes. A piece of text is some hundred; some servers repeat the whole answer in the last event."""
_SURPRISE = "The server sent a line that has no end"


class EventStream:
    """Lines of `text/event-stream`, cut out of pieces of any size. Comments, ids and event names are skipped."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._data: list[str] = []
        self._size = 0

    def feed(self, chunk: bytes) -> Iterator[str]:
        """The data of each event that `chunk` completes. Raises LlmAnswerError."""
        self._rest += chunk
        *lines, last = self._rest.split(b"\n")
        self._rest = last
        if len(last) > MAX_LINE:
            raise LlmAnswerError(_SURPRISE, f"more than {MAX_LINE} bytes")
        for line in lines:
            yield from self._line(line.removesuffix(b"\r"))

    def end(self) -> Iterator[str]:
        """The last event, if the stream ended without the empty line that should follow it."""
        rest, self._rest = bytes(self._rest), bytearray()
        yield from self._line(rest.removesuffix(b"\r"))
        yield from self._line(b"")

    def _line(self, line: bytes | bytearray) -> Iterator[str]:
        if not line:
            if self._data:
                data, self._data, self._size = "\n".join(self._data), [], 0
                yield data
            return
        if line.startswith(b"data:"):
            self._data.append(line[5:].decode(errors="replace").removeprefix(" "))
            self._size += len(line)
            if self._size > MAX_LINE:
                raise LlmAnswerError("The server sent an event that has no end", f"more than {MAX_LINE} bytes")
