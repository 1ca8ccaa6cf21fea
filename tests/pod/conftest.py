"""Two servers to one contract: the demo pod always, a real ComfyUI where COMFYDESK_TEST_POD names one.

    COMFYDESK_TEST_POD=http://127.0.0.1:8188 pytest tests/pod

What differs between them is the demo pod's bug. The tests here speak raw HTTP and WebSocket, not our client.
"""

import asyncio
import json
import os
import threading
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets

from comfydesk.demo.server import DemoPod

REAL = os.environ.get("COMFYDESK_TEST_POD", "").rstrip("/")
Graph = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Server:
    """A server under test. `is_demo` where a test may only say what the demo pod can do."""

    url: str
    is_demo: bool


@dataclass
class Talk:
    """One client: HTTP, and a WebSocket whose messages gather in `heard`, decoded; binary ones as bytes."""

    http: httpx.AsyncClient
    client_id: str
    socket: websockets.ClientConnection
    heard: list[Any] = field(default_factory=list)

    async def post(self, graph: Graph, **more: Any) -> httpx.Response:
        body = {"prompt": graph, "client_id": self.client_id} | more
        return await self.http.post("/api/prompt", json=body)

    async def queue(self, graph: Graph, **more: Any) -> str:
        """Post a graph that must be accepted; answers its prompt id."""
        answer = await self.post(graph, **more)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["prompt_id"])

    async def hear(self, until: Callable[[Any], bool], seconds: float = 30) -> list[Any]:
        """Listen until a message that `until` likes; answers all up to it, from the last call on."""
        start = len(self.heard)
        async with asyncio.timeout(seconds):
            while True:
                raw = await self.socket.recv()
                message = raw if isinstance(raw, bytes) else json.loads(raw)
                self.heard.append(message)
                if until(message):
                    return self.heard[start:]

    async def over(self, prompt_id: str) -> list[Any]:
        """Listen until that prompt is over."""
        return await self.hear(lambda message: is_over(message, prompt_id))

    async def run(self, graph: Graph, **more: Any) -> list[Any]:
        return await self.over(await self.queue(graph, **more))

    async def finished(self, prompt_id: str, seconds: float = 30) -> dict[str, Any]:
        """Ask the history again and again, for those who cannot listen."""
        async with asyncio.timeout(seconds):
            while True:
                found = (await self.http.get(f"/history/{prompt_id}")).json()
                if found:
                    entry: dict[str, Any] = found[prompt_id]
                    return entry
                await asyncio.sleep(0.02)

    async def history(self, prompt_id: str) -> dict[str, Any]:
        """The finished prompt's entry."""
        entry: dict[str, Any] = (await self.http.get(f"/history/{prompt_id}")).json()[prompt_id]
        return entry


def is_over(message: Any, prompt_id: str) -> bool:
    return (
        isinstance(message, dict)
        and message["type"] == "executing"
        and message["data"].get("node") is None
        and message["data"].get("prompt_id") == prompt_id
    )


@asynccontextmanager
async def talking(url: str, *, metadata: bool = True, client_id: str | None = None) -> AsyncIterator[Talk]:
    """A client that has announced itself; with `metadata` it can take previews of the newer kind."""
    client_id = client_id or str(uuid.uuid4())
    address = f"{url.replace('http', 'ws', 1)}/ws?clientId={client_id}"
    async with (
        httpx.AsyncClient(base_url=url, timeout=30, verify=False) as http,
        websockets.connect(address, max_size=None) as socket,
    ):
        talk = Talk(http, client_id, socket)
        await talk.hear(lambda message: message["type"] == "status")
        if metadata:
            flags = {"type": "feature_flags", "data": {"supports_preview_metadata": True}}
            await socket.send(json.dumps(flags))
            await talk.hear(lambda message: message["type"] == "feature_flags")
        yield talk


Talking = Callable[..., AbstractAsyncContextManager[Talk]]


@pytest.fixture(scope="session")
def demo_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A demo pod on a thread of its own, shared by all contract tests."""
    folder = tmp_path_factory.mktemp("demo-pod")
    started: list[str] = []
    ready, over = threading.Event(), asyncio.Event()
    loops: list[asyncio.AbstractEventLoop] = []

    async def serve() -> None:
        async with DemoPod(folder=folder, speed=20) as pod:
            started.append(pod.url)
            loops.append(asyncio.get_running_loop())
            ready.set()
            await over.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), name="demo pod for the tests")
    thread.start()
    assert ready.wait(20)
    yield started[0]
    loops[0].call_soon_threadsafe(over.set)
    thread.join(20)
    assert not thread.is_alive()


@pytest.fixture(params=["demo", *(["real"] if REAL else [])])
def server(request: pytest.FixtureRequest) -> Server:
    """The demo pod, and the real server if there is one."""
    if request.param == "real":
        return Server(REAL, is_demo=False)
    return Server(request.getfixturevalue("demo_url"), is_demo=True)


@pytest.fixture
def talk(server: Server) -> Callable[..., AbstractAsyncContextManager[Talk]]:
    """`async with talk() as client:` - a client of the server under test."""
    return lambda **options: talking(server.url, **options)


@pytest.fixture
def pod_folder(tmp_path: Path) -> Path:
    """The disk of a demo pod that a test makes for itself."""
    return tmp_path / "pod"
