"""What the browser and the intent bar bring along from the last run: sentences, grid or list, order and filters."""

from dataclasses import asdict
from typing import Any

from comfydesk.qt.models.workflow_filter import Ready, Sort, Source, WorkflowFilter
from comfydesk.qt.window.desk import Desk
from comfydesk.qt.window.memory import Memory


def remember(memory: Memory, desk: Desk) -> None:
    """Add them to what is kept while one works."""
    intent, browser, model = desk.intent, desk.browser, desk.workflows

    def put_said(value: Any) -> bool:
        said = [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
        intent.set_history([*said, *(one for one in intent.history() if one not in said)])
        return True

    def shown() -> dict[str, Any]:
        wanted = asdict(model.filter) | {"types": sorted(model.filter.types)}
        wanted.pop("text")  # a search is over with the run; a list that is narrowed by words nobody sees is a riddle
        return {
            "grid": browser.list.grid,
            "folders": browser.as_folders.isChecked(),
            "order": model.order.value,
            "filter": wanted,
        }

    def put_shown(value: Any) -> bool:
        if isinstance(value, dict):
            browser.restore(
                filter_of(value.get("filter")),
                _order_of(value.get("order")),
                grid=bool(value.get("grid")),
                folders=bool(value.get("folders")),
            )
        return True

    memory.add("sentences", lambda: list(intent.history()) or None, put_said)
    memory.add("browser", shown, put_shown)


def filter_of(value: Any) -> WorkflowFilter:
    """What `asdict` made of a filter; parts of another shape let everything pass."""
    found = value if isinstance(value, dict) else {}

    def text(name: str) -> str:
        part = found.get(name)
        return part if isinstance(part, str) else ""

    types = found.get("types")
    source, ready = text("source"), text("ready")
    return WorkflowFilter(
        output=text("output"),
        types=frozenset(one for one in types if isinstance(one, str)) if isinstance(types, list) else frozenset(),
        input=text("input") if text("input") in ("text", "image", "video", "audio", "3d") else "",
        source=source if source in {each.value for each in Source} else "",
        ready=Ready(ready) if ready in {each.value for each in Ready} else Ready.ANY,
        favourites=found.get("favourites") is True,
        recent=found.get("recent") is True,
        tag=text("tag"),
        folder=text("folder"),
    )


def _order_of(value: Any) -> Sort:
    return Sort(value) if value in {each.value for each in Sort} else Sort.USED
