"""What a start of the program asks for: a file, a pod, or a link of the scheme comfydesk.

Links come from web pages, so they do nothing by themselves: they fill in what the user then looks at.

    comfydesk://pod?address=https://abc-8188.proxy.runpod.net    the page "Add a pod", filled in
    comfydesk://say?words=a+picture+of+a+red+bicycle             the intent bar, filled in
"""

from pathlib import Path
from typing import NamedTuple

SCHEME = "comfydesk"
MOST_CHARACTERS = 2000
"""Of what a link fills in."""


class Wish(NamedTuple):
    """All empty: just show the window."""

    file: str = ""
    """Absolute path of a workflow, or of a file that carries one."""
    pod: str = ""
    """A profile's name, an address, or "demo": to connect to. Never from a link."""
    add_pod: str = ""
    """An address to fill in where pods are added."""
    words: str = ""
    """A sentence for the intent bar."""

    def __bool__(self) -> bool:
        return any(self)

    def to_json(self) -> str:
        import json

        return json.dumps(self._asdict())

    @classmethod
    def from_json(cls, data: bytes | str) -> "Wish":
        """Raises ValueError or TypeError for what is no wish."""
        import json

        document = json.loads(data)
        if not isinstance(document, dict) or not all(isinstance(value, str) for value in document.values()):
            raise ValueError("no wish")
        return cls(**document)


def wish_of_link(text: str) -> Wish:
    """What a comfydesk:// or file:// link, or a path, asks for. What is unknown or makes no sense: an empty wish."""
    from urllib.parse import parse_qs, unquote, urlsplit

    try:
        parts = urlsplit(text)
    except ValueError:
        return Wish()
    if parts.scheme == "file":
        return Wish(file=str(Path(unquote(parts.path)))) if parts.netloc in ("", "localhost") else Wish()
    if parts.scheme != SCHEME:
        return Wish(file=str(Path(text).absolute()))
    try:
        query = parse_qs(parts.query, max_num_fields=8, errors="strict")
    except ValueError:
        return Wish()

    def one(name: str) -> str:
        value = query.get(name, [""])[0]
        return "" if len(value) > MOST_CHARACTERS else "".join(char for char in value if char.isprintable()).strip()

    action = parts.netloc or parts.path.strip("/")
    if action == "pod":
        return Wish(add_pod=one("address"))
    return Wish(words=one("words")) if action == "say" else Wish()
