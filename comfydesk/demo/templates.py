"""The bundled workflows, offered as the pod's templates."""

import json
from typing import Any

from comfydesk.paths import resources


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


def thumbnail(name: str) -> bytes | None:
    """A small picture for the card (WebP), drawn by the demo pod's painter beforehand."""
    for path in (resources() / "workflows").glob("*.webp"):
        if path.stem == name:
            return path.read_bytes()
    return None
