"""SVG, GLB, safetensors (`.latent`): files with a text inside."""

import html
from collections.abc import Iterator

from comfydesk.workflow.embedded.source import MAX_TEXT, Broken, Found, Source, decoded, json_value


def read_svg(source: Source, found: Found) -> None:
    """`<metadata>` with a CDATA of one JSON object that has both keys."""
    if b"<svg" not in source.peek(0, 1 << 16).lower():
        raise Broken("it is markup, but no SVG")
    text = decoded(source.read(0, min(source.size, MAX_TEXT)))
    for element in _between(text, "<metadata", "</metadata"):
        raw = element.partition(">")[2]
        parts = list(_between(raw, "<![CDATA[", "]]>"))
        found.offer_line("".join(parts) if parts else html.unescape(raw))


def _between(text: str, start: str, end: str) -> Iterator[str]:
    """What stands between the marks, in one pass (a regular expression would take the square of it)."""
    at = text.find(start)
    while at >= 0:
        stop = text.find(end, at)
        if stop < 0:
            return
        yield text[at + len(start) : stop]
        at = text.find(start, stop)


def read_glb(source: Source, found: Found) -> None:
    """`asset.extras` of the JSON chunk, which is the first."""
    if source.read(16, 4) != b"JSON":
        raise Broken("its first GLB chunk is not JSON")
    length = int.from_bytes(source.read(12, 4), "little")
    document = json_value(source.read(20, length))
    asset = document.get("asset") if isinstance(document, dict) else None
    if isinstance(asset, dict):
        found.offer_document(asset.get("extras"))


def looks_like_safetensors(head: bytes) -> bool:
    """Eight bytes of length, then a JSON object."""
    return len(head) > 9 and head[8:9] == b"{" and 2 <= int.from_bytes(head[:8], "little") <= MAX_TEXT


def read_safetensors(source: Source, found: Found) -> None:
    """`__metadata__` of the header; `.latent` files are the same."""
    document = json_value(source.read(8, int.from_bytes(source.read(0, 8), "little")))
    if isinstance(document, dict):
        found.offer_document(document.get("__metadata__"))
