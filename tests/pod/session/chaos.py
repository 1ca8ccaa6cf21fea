"""Pods on a line that breaks all the time: demo pods on a thread of their own, each behind a gate that a director
opens, shuts, moves and clogs. Real sockets; outages are short, and so is everyone's patience.
"""

import asyncio
import random
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from comfydesk.client.address import Address
from comfydesk.client.link import Timing
from comfydesk.client.pod import Pod
from comfydesk.demo.faults import Drop, Status, Truncate
from comfydesk.demo.queue import Ended, Item
from comfydesk.demo.server import DemoPod
from comfydesk.session.values import PodTarget

T = TypeVar("T")
COMPRESSED = 50
"""Outages of 1 to 30 s become so many times shorter."""
HURRIED = Timing(
    open_timeout=2,
    first_message=2,
    ping_interval=0.4,
    ping_timeout=0.6,
    close_timeout=0.1,
    poll_interval=0.2,
    answer_within=0.4,
    deaf_after=0.6,
    stale_after=2,
    retry_first=0.5 / COMPRESSED,
    retry_cap=0.4,
    retry_slow=0.1,
    retry_slow_cap=0.4,
    stable_after=0.5,
    look_delays=(0.02, 0.05, 0.1),
    lag_delays=(0.01, 0.02, 0.05, 0.1),
    fetch_delays=(0.01, 0.02, 0.05, 0.1),
)
"""A client's patience, compressed like the outages."""


class Gate:
    """A TCP proxy to one pod. Belongs to the loop that opens it."""

    def __init__(self) -> None:
        self.port = 0
        self.target = 0
        self._server: asyncio.Server | None = None
        self._lines: set[_Line] = set()

    async def open(self, port: int = 0) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def shut(self) -> None:
        """Nobody gets in, and everybody is thrown out."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
        self.drop()
        await asyncio.sleep(0)

    def drop(self) -> None:
        for line in tuple(self._lines):
            line.cut()

    def clog(self) -> "tuple[_Line, ...]":
        """Half-open: both ends think that they are connected, and nothing passes."""
        for line in self._lines:
            line.passing.clear()
        return tuple(self._lines)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = _Line([writer])
        self._lines.add(line)
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self.target)
            line.writers.append(back)
            ways = [asyncio.create_task(line.pump(reader, back)), asyncio.create_task(line.pump(there, writer))]
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
        except OSError:
            pass  # the pod is away
        finally:
            line.cut()
            self._lines.discard(line)


class _Line:
    """One connection through a gate."""

    def __init__(self, writers: list[asyncio.StreamWriter]) -> None:
        self.writers = writers
        self.passing = asyncio.Event()
        self.passing.set()

    async def pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await source.read(65536):
                await self.passing.wait()
                sink.write(data)
                await sink.drain()

    def cut(self) -> None:
        self.passing.set()
        for writer in self.writers:
            writer.transport.abort()


class Place:
    """A demo pod, its gate, and the pod's own record of what it was sent."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.gate = Gate()
        self.life = 1
        self.accepted: list[tuple[int, str]] = []
        """(life of the server, prompt id), as they came."""
        self.finished: list[tuple[int, str]] = []
        self.lost: set[str] = set()
        """Prompt ids that a restart threw away: what a real ComfyUI forgets, too."""
        self.restarted: list[float] = []
        """When it died, by time.time()."""
        self.pod = DemoPod(folder=folder / name, speed=50)
        self._record()

    async def start(self) -> None:
        await self.pod.start()
        self.gate.target = self.pod.port
        await self.gate.open()

    async def stop(self) -> None:
        await self.gate.shut()
        await self.pod.stop()

    async def restart(self) -> None:
        """The server dies and comes back elsewhere, its queue and its history gone."""
        await self.gate.shut()
        self.lost.update(prompt for life, prompt in self.accepted if life == self.life)
        await self.pod.restart()
        self.restarted.append(time.time())
        self.life += 1
        await self.gate.open()

    def route(self) -> "Way":
        return Way(self.gate)

    def _record(self) -> None:
        queue = self.pod.queue
        put, done = queue.put, queue.done

        def recorded_put(item: Item) -> None:
            self.accepted.append((self.life, item.prompt_id))
            put(item)

        def recorded_done(item: Item, ended: Ended) -> None:
            self.finished.append((self.life, item.prompt_id))
            done(item, ended)

        queue.put, queue.done = recorded_put, recorded_done  # type: ignore[method-assign]


@dataclass
class Way:
    """What a provider's API is to a session: it knows today's port."""

    gate: Gate
    asked: int = 0

    async def address(self) -> Address:
        self.asked += 1
        return Address.parse(f"http://127.0.0.1:{self.gate.port}")

    def wake(self) -> None:
        """Nothing stands in between."""

    async def close(self) -> None:
        """Nothing stands in between."""


def hurried_pod(target: PodTarget, client_id: str) -> Pod:
    """A session's pod factory."""
    assert target.route is not None
    return Pod(None, client_id=client_id, locate=target.route.address, identity=target.id, timing=HURRIED)


@dataclass
class Director:
    """Injects `total` faults, one after the other; `injected` says how far it is, so that jobs can keep step."""

    places: list[Place]
    rng: random.Random
    total: int
    done: Counter[str] = field(default_factory=Counter)

    @property
    def injected(self) -> int:
        return self.done.total()

    async def run(self) -> None:
        kinds: list[tuple[Callable[[Place], Awaitable[None]], int]] = [
            (self._drop, 5),
            (self._half_open, 4),
            (self._bad_gateway, 5),
            (self._timeout_524, 4),
            (self._deaf, 4),
            (self._outage, 4),
            (self._other_port, 4),
            (self._restart, 1),
            (self._answer_lost, 5),
            (self._cut_download, 3),
        ]
        faults, weights = zip(*kinds, strict=True)
        for _ in range(self.total):
            fault = self.rng.choices(faults, weights)[0]
            await fault(self.rng.choice(self.places))
            self.done[fault.__name__.strip("_")] += 1
            await asyncio.sleep(self.rng.uniform(0.005, 0.06))

    def _seconds(self) -> float:
        return self.rng.uniform(1, 30) / COMPRESSED

    async def _drop(self, place: Place) -> None:
        place.gate.drop()

    async def _half_open(self, place: Place) -> None:
        lines = place.gate.clog()
        await asyncio.sleep(self._seconds())
        for line in lines:
            line.cut()

    async def _bad_gateway(self, place: Place) -> None:
        page = "<html><h1>502 Bad Gateway</h1></html>"
        self._answer(place, Status(502, page, "text/html"))

    async def _timeout_524(self, place: Place) -> None:
        self._answer(place, Status(524, "<html>524: A timeout occurred</html>", "text/html"))

    def _answer(self, place: Place, status: Status) -> None:
        path = self.rng.choice(["/prompt", "/jobs/*", "/view", "/ws", "*"])
        place.pod.script.add(status, path=path, times=self.rng.randint(1, 2))
        if path == "/ws":
            place.gate.drop()

    async def _deaf(self, place: Place) -> None:
        place.pod.hub.deafen()

    async def _outage(self, place: Place) -> None:
        port = place.gate.port
        await place.gate.shut()
        await asyncio.sleep(self._seconds())
        await place.gate.open(port)

    async def _other_port(self, place: Place) -> None:
        await place.gate.shut()
        await asyncio.sleep(self._seconds() / 4)
        await place.gate.open()

    async def _restart(self, place: Place) -> None:
        await place.restart()

    async def _answer_lost(self, place: Place) -> None:
        place.pod.script.add(Drop(after=True), method="POST", path="/prompt")

    async def _cut_download(self, place: Place) -> None:
        place.pod.script.add(Truncate(self.rng.randint(0, 60)), path="/view")


class Elsewhere:
    """A loop on a thread of its own, so that pods and session share no turn."""

    def __enter__(self) -> "Elsewhere":
        running = threading.Event()

        async def main() -> None:
            self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
            running.set()
            await self._over.wait()

        self._thread = threading.Thread(target=lambda: asyncio.run(main()), name="pods")
        self._thread.start()
        running.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()

    async def do(self, work: Coroutine[Any, Any, T]) -> T:
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))
