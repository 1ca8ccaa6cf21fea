"""ComfyUI's HTTP routes, one module per family; each has `routes(pod)`.

Core routes exist bare and under /api, as on the real server.
"""

from dataclasses import dataclass

from aiohttp import web

from comfydesk.demo.executor import Executor, Shared


@dataclass(slots=True)
class PodParts:
    """What the routes work on. `number` counts the prompts."""

    shared: Shared
    executor: Executor
    number: int = 0


def doubled(routes: list[web.RouteDef]) -> list[web.RouteDef]:
    """Each route bare and under /api. The bare ones come last: they are the older ones."""
    return [web.RouteDef(entry.method, f"/api{entry.path}", entry.handler, entry.kwargs) for entry in routes] + routes
