"""Loopback doubles of the providers' APIs, in their documented shapes. They keep state: a start takes some looks
until the pod runs, and the outside ports are new after each start. Every request is recorded.
"""

import asyncio
import copy
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiohttp import web

DATA = Path(__file__).parents[2] / "data" / "hosts"
KEY = "rpa_k3y_of_the_account"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def document(name: str) -> dict[str, Any]:
    loaded = json.loads((DATA / f"{name}.json").read_text())
    assert isinstance(loaded, dict)
    return loaded


def problem(status: int, detail: str) -> web.Response:
    """RFC 9457."""
    return web.json_response({"title": "Error", "status": status, "detail": detail}, status=status)


class FakeApi:
    """An API on port 0 of loopback that wants `KEY`. `fault` answers in place of everything else."""

    def __init__(self) -> None:
        self.pods: dict[str, dict[str, Any]] = {}
        self.requests: list[tuple[str, str, Any]] = []
        self.looks_to_start = 2
        self.page_size = 25
        self.fault: Handler | None = None
        self._starting: dict[str, int] = {}
        self._outside = 0
        self._runner: web.AppRunner | None = None
        self.url = ""

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._any)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    @property
    def sent(self) -> list[tuple[str, str, Any]]:
        """What changed something."""
        return [request for request in self.requests if request[0] != "GET"]

    async def _any(self, request: web.Request) -> web.StreamResponse:
        body = await request.json() if request.can_read_body else None
        self.requests.append((request.method, request.path_qs, body))
        if self.fault is not None:
            return await self.fault(request)
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            return problem(401, "invalid api key")
        return await self.answer(request, body)

    async def answer(self, request: web.Request, body: Any) -> web.StreamResponse:
        raise NotImplementedError

    def begin(self, pod_id: str) -> None:
        self._starting[pod_id] = self.looks_to_start
        self._outside += 1000

    def looked_at(self, pod_id: str) -> bool:
        """Whether the pod, which is starting, runs now."""
        self._starting[pod_id] -= 1
        return self._starting[pod_id] <= 0


class FakeRunPod(FakeApi):
    """`https://api.runpod.io/v2`."""

    def __init__(self) -> None:
        super().__init__()
        pod = document("runpod_pod")
        self.pods[pod["id"]] = pod
        self.no_gpu = False

    async def answer(self, request: web.Request, body: Any) -> web.StreamResponse:
        parts = request.path.strip("/").split("/")
        if parts == ["v2", "pods"] and request.method == "GET":
            return self._list(request)
        pod = self.pods.get(parts[2]) if len(parts) in (3, 4) and parts[:2] == ["v2", "pods"] else None
        if pod is None:
            return problem(404, "pod not found")
        if len(parts) == 3 and request.method == "GET":
            return web.json_response(self._seen(pod))
        if parts[3:] == ["action"] and request.method == "POST":
            return self._act(pod, body["action"])
        return problem(405, "method not allowed")

    def _list(self, request: web.Request) -> web.Response:
        first = int(request.query.get("cursor", "0"))
        pods = list(self.pods.values())[first : first + self.page_size]
        last = first + self.page_size >= len(self.pods)
        pagination = {"nextCursor": None if last else str(first + self.page_size), "hasNextPage": not last}
        return web.json_response({"pods": pods, "pagination": pagination})

    def _seen(self, pod: dict[str, Any]) -> dict[str, Any]:
        if pod["status"] == "STARTING" and self.looked_at(pod["id"]):
            fresh = document("runpod_pod")["runtime"]
            for port in fresh["ports"]:
                port["public"] += self._outside
            pod |= {"status": "RUNNING", "actions": ["stop", "restart"], "runtime": fresh | {"uptime": 1}}
            pod["ssh"]["direct"]["port"] = fresh["ports"][2]["public"]
        return copy.deepcopy(pod)

    def _act(self, pod: dict[str, Any], action: str) -> web.Response:
        if pod["locked"]:
            return problem(409, "pod is locked")
        if action not in pod["actions"]:
            return problem(409, f"cannot {action} a pod that is {pod['status']}")
        if action == "start" and self.no_gpu:
            return problem(400, "There are no longer any instances available with the requested specifications")
        if action == "start":
            self.begin(pod["id"])
            pod |= {"status": "STARTING", "actions": ["stop"]}
        else:
            pod |= {"status": "EXITED", "actions": ["start"], "runtime": None, "cost": 0.69}
        return web.json_response({"id": pod["id"], "status": pod["status"]})


class FakeVast(FakeApi):
    """`https://console.vast.ai`."""

    def __init__(self) -> None:
        super().__init__()
        instance = document("vast_instance")
        self.pods[str(instance["id"])] = instance
        self.no_gpu = False
        self.lost = False
        """It lists instances that it then does not find."""

    async def answer(self, request: web.Request, body: Any) -> web.StreamResponse:
        parts = request.path.strip("/").split("/")
        if parts == ["api", "v1", "instances"] and request.method == "GET":
            first = int(request.query.get("after_token", "0"))
            following = str(first + self.page_size) if first + self.page_size < len(self.pods) else None
            page = [self._seen(pod) for pod in list(self.pods.values())[first : first + self.page_size]]
            return web.json_response({"success": True, "instances": page, "next_token": following})
        if parts[:3] == ["api", "v0", "instances"] and len(parts) == 4 and request.method == "PUT":
            return self._set(None if self.lost else self.pods.get(parts[3]), body["state"])
        return problem(404, "no such route")

    def _seen(self, instance: dict[str, Any]) -> dict[str, Any]:
        if instance["actual_status"] == "loading" and self.looked_at(str(instance["id"])):
            fresh = document("vast_instance")["ports"]
            for bindings in filter(None, fresh.values()):
                for binding in bindings:
                    binding["HostPort"] = str(int(binding["HostPort"]) + self._outside)
            instance |= {"actual_status": "running", "ports": fresh, "uptime_mins": 0.1}
        return copy.deepcopy(instance)

    def _set(self, instance: dict[str, Any] | None, state: str) -> web.Response:
        if instance is None:
            return web.json_response({"success": False, "error": "no_such_instance", "msg": "No such instance."})
        instance["intended_status"] = state
        if state == "running" and self.no_gpu:
            msg = "Required resources are currently unavailable, state change queued."
            return web.json_response({"success": False, "error": "resources_unavailable", "msg": msg})
        if state == "running":
            self.begin(str(instance["id"]))
            instance |= {"actual_status": "loading"}
        else:
            instance |= {"actual_status": "exited", "ports": None, "uptime_mins": None}
        return web.json_response({"success": True})


async def never(_: web.Request) -> web.StreamResponse:
    """A server that accepts and never answers."""
    await asyncio.sleep(3600)
    raise AssertionError


def always(status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> Handler:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(status=status, body=body, headers=headers)

    return answer
