"""What the library brings along from the last run: what was searched for, order, grouping, and how it was laid out."""

from typing import TYPE_CHECKING, Any

from comfydesk.qt.window.memory import Memory
from comfydesk.store.albums import filter_from, filter_to
from comfydesk.store.search import EVERYTHING, Aspect, Grouping, Order, OutputFilter

if TYPE_CHECKING:
    from comfydesk.qt.window.library import LibraryDesk

_MAYBE = {"album": int, "since": float, "until": float, "aspect": Aspect, "missing": bool}
"""What these are where they are not None."""


def remember_library(memory: Memory, library: "LibraryDesk") -> None:
    """Add it to what is kept while one works. It is no secret riddle: what narrows the library is seen above it."""
    toolbar, view = library.page.toolbar, library.page.view

    def kept() -> dict[str, Any]:
        return {
            "filter": filter_to(toolbar.filter),
            "order": toolbar.order.value,
            "grouping": toolbar.grouping.value,
            "size": view.row_height,
            "squares": view.squares,
        }

    def put(value: Any) -> bool:
        if isinstance(value, dict):
            size, order, grouping = value.get("size"), value.get("order"), value.get("grouping")
            if isinstance(size, int):
                view.set_size(size)
            toolbar.shape.setChecked(value.get("squares") is True)
            view.set_squares(value.get("squares") is True)
            toolbar.restore(
                wanted_of(value.get("filter")),
                Order(order) if order in {each.value for each in Order} else Order.NEWEST,
                Grouping(grouping) if grouping in {each.value for each in Grouping} else Grouping.DAY,
            )
        return True

    memory.add("library", kept, put)


def wanted_of(value: Any) -> OutputFilter:
    """The filter that was kept; parts of another shape let everything pass."""
    found = value if isinstance(value, dict) else {}
    return filter_from({name: part for name, part in found.items() if _fits(name, part)})


def _fits(name: str, part: Any) -> bool:
    if name in _MAYBE:
        wanted = _MAYBE[name]
        return (
            isinstance(part, int | float) if wanted is float else isinstance(part, str if wanted is Aspect else wanted)
        )
    empty = getattr(EVERYTHING, name, None)
    if isinstance(empty, tuple):
        return isinstance(part, list) and all(isinstance(one, str) for one in part)
    return empty is not None and type(part) is type(empty)
