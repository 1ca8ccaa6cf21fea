"""Strange inputs out of good ones: bytes, text and JSON, changed at random."""

import json
from collections.abc import Sequence
from random import Random
from typing import Any

_DEEP = "\x01deep\x01"
"""Stands for a value that is nested too deeply for json.dumps; replaced in the text."""
_LONG = "\x01long\x01"
ODD: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 1.5, -0.0, 1e308, float("nan"), float("inf"), -float("inf")),
    *(2**31, 2**53, 2**63, 2**64 - 1, -(2**63), 10**400, -(10**400)),
    *("", " ", "\0", "\ud800", "²", "٣", "٢٣", "nan", "1e999", "../../x", "C:\\x", "__proto__", "\x1b[2J", "￿"),
    *("{a|{b|c}}", "%date:yyyy%", "__x__", "[" * 40, "x" * 300, "<lora:x:1>", "(a:1.2)", "data:;base64,AA"),
    *([], {}, [[]], [None], [[], {}], {"": ""}, {"a": None}, ["1", 0], [0] * 50, [[1, 2]] * 20, _DEEP, _LONG),
)
PIECES: tuple[bytes, ...] = (
    *(b"", b"\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\x80\0\0\0", b"\0\0\0\0\0\0\0\0", b"\xff" * 8),
    *(
        b"\r\n",
        b"\n\n",
        b"\r",
        b"\n",
        b"\t",
        b'"',
        b"'",
        b"\\",
        b"{",
        b"}",
        b"[",
        b"]",
        b"|",
        b"__",
        b",",
        b";",
        b":",
        b"=",
    ),
    *(b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\xed\xa0\x80", b"\xc3", "²٣".encode(), "\u2028".encode()),
    *(b"-1", b"0", b"1e999", b"nan", b"99999999999999999999", b"/*", b"*/", b"//", b"#", b"%", b"../", b"[" * 300),
)


def bytes_of(data: bytes, rng: Random) -> bytes:
    """Some bytes changed, cut, doubled, moved, or put in."""
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 3, 5, 8))):
        at, length = rng.randrange(len(out) + 1), rng.choice((1, 2, 4, 8, 64, 512))
        match rng.randrange(9):
            case 0 if at < len(out):
                out[at] ^= 1 << rng.randrange(8)
            case 1 if at < len(out):
                out[at] = rng.randrange(256)
            case 2:
                del out[at : at + length]
            case 3:
                out[at:at] = out[at : at + length]
            case 4:
                out[at:at] = rng.choice(PIECES)
            case 5:
                piece = rng.choice(PIECES)
                out[at : at + len(piece)] = piece
            case 6:
                out[at : at + length] = rng.randbytes(min(length, 8))
            case 7 if rng.randrange(4) == 0:
                del out[at:]
            case _ if at + 4 <= len(out):  # a number a little off
                order = rng.choice(("big", "little"))
                value = int.from_bytes(out[at : at + 4], "big" if order == "big" else "little") + rng.randrange(-9, 10)
                out[at : at + 4] = (value % (1 << 32)).to_bytes(4, "big" if order == "big" else "little")
    return bytes(out)


def json_of(data: bytes, rng: Random) -> bytes:
    """A value somewhere changed for an odd one, taken away, moved or repeated; now and then the text itself."""
    try:
        document = json.loads(data) if rng.randrange(6) else None
    except (ValueError, RecursionError):
        document = None
    if document is None:
        return bytes_of(data, rng)
    for _ in range(rng.choice((1, 1, 2, 3, 6))):
        document = edited(document, rng)
    try:
        text = json.dumps(document)
    except (RecursionError, ValueError):
        return bytes_of(data, rng)
    return filled(text, rng).encode("utf-8", "surrogatepass")


def json_after_first(data: bytes, rng: Random) -> bytes:
    """The same behind a first byte that says how the rest is to be taken."""
    return data[:1] + json_of(data[1:], rng)


def filled(text: str, rng: Random) -> str:
    """With what stands for deep and for long values."""
    if json.dumps(_DEEP) in text:
        depth = rng.choice((40, 300, 2000, 20_000))
        opening, closing = rng.choice((("[", "]"), ('{"a":', "}")))
        inside = "0" if opening != "[" else ""
        text = text.replace(json.dumps(_DEEP), opening * depth + inside + closing * depth)
    return text.replace(json.dumps(_LONG), json.dumps(rng.choice(("a ", "{", "\\", "(", "__a__", "\n")) * 5000))


def edited(document: Any, rng: Random) -> Any:
    """One change at a random place. The document itself may be changed."""
    holder: Any = None
    key: Any = None
    value = document
    while isinstance(value, dict | list) and value and rng.random() < 0.85:
        holder, key = value, rng.choice(list(value)) if isinstance(value, dict) else rng.randrange(len(value))
        value = holder[key]
    changed = _instead(value, document, rng)
    if holder is None:
        return changed
    match rng.randrange(6):
        case 0:
            del holder[key]
        case 1 if isinstance(holder, list):
            holder.insert(key, value)
        case 2 if isinstance(holder, dict):
            del holder[key]
            holder[_name(key, holder, rng)] = value
        case _:
            holder[key] = changed
    return document


def _instead(value: Any, document: Any, rng: Random) -> Any:
    match rng.randrange(8):
        case 0:
            return [value]
        case 1:
            return {"a": value}
        case 2:
            return _some(document, rng)
        case 3 if isinstance(value, int | float):
            return rng.choice((-value, value * 2, str(value), value + 1, float(value) if abs(value) < 1e300 else 0))
        case 3 if isinstance(value, str):
            return bytes_of(value.encode("utf-8", "surrogatepass"), rng).decode("utf-8", "replace")
        case _:
            return rng.choice(ODD)


def _some(document: Any, rng: Random) -> Any:
    """A value out of the document, copied, so that it does not hold itself."""
    value = document
    while isinstance(value, dict | list) and value and rng.random() < 0.8:
        value = rng.choice(list(value.values()) if isinstance(value, dict) else value)
    try:
        return json.loads(json.dumps(value))
    except (ValueError, RecursionError):
        return None


def _name(key: str, holder: dict[str, Any], rng: Random) -> str:
    return rng.choice((*holder, key + "x", "", "id", "type", "nodes", "\ud800", "__proto__", key[:1]))


def either(*ways: Any) -> Any:
    """One of several mutators each time."""

    def mutate(data: bytes, rng: Random) -> bytes:
        made: bytes = rng.choice(ways)(data, rng)
        return made

    return mutate


def tokens(*words: str) -> Any:
    """Bytes changed, and words of the format put in."""
    known: Sequence[bytes] = [word.encode() for word in words]

    def mutate(data: bytes, rng: Random) -> bytes:
        out = bytearray(bytes_of(data, rng) if rng.randrange(3) else data)
        for _ in range(rng.randrange(1, 4)):
            at = rng.randrange(len(out) + 1)
            out[at : at + rng.choice((0, 0, 4))] = rng.choice(known)
        return bytes(out)

    return mutate
