"""The bundled workflows, offered as the pod's templates."""

import functools
import io
import json
from typing import Any

from comfydesk.demo.painter import paint
from comfydesk.paths import resources

_PICTURES = {
    "text_to_image": "a lighthouse by the sea at sunset",
    "image_to_image": "a forest lake with mountains in autumn",
    "text_to_video": "sailing boats on the sea under drifting clouds",
    "text_to_audio": "abstract waves of sound, blue and gold",
}


def index() -> list[dict[str, Any]]:
    """As the official index is built: groups with their templates."""
    entries = []
    for path in sorted((resources() / "workflows").glob("*.json")):
        about = json.loads(path.read_text("utf-8")).get("extra", {}).get("comfydesk", {})
        entries.append(
            {
                "name": path.stem,
                "title": about.get("title", path.stem),
                "description": about.get("description", ""),
                "mediaType": "image",
                "mediaSubtype": "webp",
                "tags": about.get("tags", []),
                "models": [],
                "openSource": True,
                "io": about.get("io", {}),
            }
        )
    group = {"moduleName": "default", "category": "DEMO POD", "title": "Demo pod", "type": "image"}
    return [{**group, "templates": entries}]


def template(name: str) -> str | None:
    """The text of a workflow, None if there is none of that name."""
    for path in (resources() / "workflows").glob("*.json"):
        if path.stem == name:
            return path.read_text("utf-8")
    return None


@functools.cache
def thumbnail(name: str) -> bytes | None:
    """A small picture for the card (WebP), drawn once."""
    if name not in _PICTURES:
        return None
    buffer = io.BytesIO()
    paint(_PICTURES[name], seed=7, width=384, height=384).save(buffer, "WEBP", quality=85)
    return buffer.getvalue()
