"""The WebSocket that stays: connects, reconnects, and hands over what the pod says. The only user of websockets.

One connection at a time, the old one closed before the new one opens (see link.Silence for why). Redirects are refused
and credentials go to this origin only. The reader never waits for anybody.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidMessage,
    InvalidStatus,
    ProxyError,
    WebSocketException,
)
from websockets.http11 import Response

from comfydesk.client.address import Address
from comfydesk.client.answers import Answer, handshake_refusal
from comfydesk.client.link import Link, LinkState, LinkStatus, Silence, Timing
from comfydesk.client.network import Network, connection_error
from comfydesk.client.origin import USER_AGENT
from comfydesk.client.protocol import ProtocolError, decode, hello
from comfydesk.errors import NotComfyError, PodError, PodUnreachableError
from comfydesk.events import (
    ExecutionFailed,
    ExecutionInterrupted,
    ExecutionSucceeded,
    NodeExecuting,
    PodEvent,
    PreviewFrame,
    QueueStatus,
)

MAX_MESSAGE = 256 << 20
"""Full pictures come through the socket; the library's 1 MiB would end the connection."""
PREVIEW_PERIOD = 0.04
"""Seconds: more than 25 previews a second are not looked at."""
MAX_DAMAGED = 100
"""Unreadable messages in a row that show it is no ComfyUI."""


class _SilentLogger(logging.Logger):
    """The library's log at debug level holds headers and URLs, and so credentials: nothing of it is ever written."""

    def isEnabledFor(self, level: int) -> bool:  # noqa: N802, ARG002 (the name and the parameter are logging's)
        return False


class _Connect(connect):
    def process_redirect(self, exc: Exception) -> Exception:
        return exc  # a redirect is a refusal: credentials are not sent on


async def dial(address: Address, client_id: str, network: Network, timing: Timing) -> ClientConnection:
    """An open WebSocket, nothing said yet. Raises PodError."""
    extra: dict[str, Any] = {} if network.tls is None else {"ssl": network.tls}
    try:
        return await _Connect(
            address.ws_url(client_id),
            additional_headers=list(address.headers),
            user_agent_header=USER_AGENT,
            compression=None,  # pictures do not get smaller
            max_size=MAX_MESSAGE,
            max_queue=16,
            open_timeout=timing.open_timeout,
            ping_interval=timing.ping_interval,
            ping_timeout=timing.ping_timeout,
            close_timeout=timing.close_timeout,
            proxy=network.proxy,
            logger=_SilentLogger("comfydesk.wire"),
            **extra,
        )
    except InvalidStatus as error:
        raise handshake_refusal(_answer(error.response), address) from error
    except ProxyError as error:
        raise PodUnreachableError("Your network's proxy server does not let the WebSocket through") from error
    except InvalidMessage as error:
        if isinstance(error.__cause__, EOFError | OSError):
            what = f"{address.host} ended the connection in the middle"
            raise PodUnreachableError(what, "it starts, stops or restarts", "Wait a moment") from error
        if "HTTP/" in str(error.__cause__):  # a server of HTTP/1.0, say
            raise NotComfyError(
                "Something answers at that address, but it is not ComfyUI", "", "Check the port: ComfyUI's own is 8188"
            ) from error
        raise NotComfyError("That port does not speak HTTP", "", "Check the port: ComfyUI's own is 8188") from error
    except InvalidHandshake as error:
        raise NotComfyError("Something answers at that address, but with no WebSocket of ComfyUI's") from error
    except TimeoutError as error:
        what = f"{address.host} did not open the WebSocket in time"
        raise PodUnreachableError(what, "it is busy, or a proxy holds it back", "Try again in a moment") from error
    except (OSError, EOFError, WebSocketException) as error:
        raise connection_error(error, address) from error


async def greeting(address: Address, client_id: str, network: Network, timing: Timing) -> PodEvent:
    """Connect, say hello, take the first event, and hang up. Raises PodError: the probe's way in."""
    connection = await dial(address, client_id, network, timing)
    try:
        await connection.send(hello())
        async with asyncio.timeout(timing.first_message):
            return decode(await connection.recv())
    except TimeoutError as error:
        raise _mute() from error
    except ProtocolError as error:
        raise NotComfyError("The pod's WebSocket is not ComfyUI's", error.why) from error
    except ConnectionClosed as error:
        raise _farewell(error) from error
    finally:
        await connection.close()


class Stream:
    """Runs until cancelled. `on_event` and `on_status` are called on the loop and must not block.

    `locate` is asked before each connection: a pod may have another port after a restart. It raises PodError.
    """

    def __init__(
        self,
        locate: Callable[[], Awaitable[Address]],
        client_id: str,
        *,
        network: Callable[[], Network],
        http_works: Callable[[], Awaitable[bool]],
        on_event: Callable[[PodEvent], None],
        on_status: Callable[[LinkStatus], None],
        timing: Timing | None = None,
    ) -> None:
        self._locate = locate
        self._located = False
        self._client_id = client_id
        self._network = network
        self._http_works = http_works
        self._on_status = on_status
        self._timing = timing or Timing()
        self._link = Link(self._timing)
        self._gate = _PreviewGate(on_event)
        self._connection: ClientConnection | None = None
        self._silence: Silence | None = None
        self._woken = asyncio.Event()
        self._refreshing = False

    @property
    def status(self) -> LinkStatus:
        return self._link.status

    @property
    def silence(self) -> Silence | None:
        """For whoever asks over HTTP whether we are deaf; None while not connected."""
        return self._silence

    def wake(self) -> None:
        """The computer slept or the network changed: try now, or have the connection prove itself."""
        self._link.hurry()
        self._woken.set()

    async def refresh(self) -> None:
        """Make the connection anew, because it seems deaf. The link stays online if that works."""
        if self._connection is not None:
            self._refreshing = True
            await self._connection.close()

    async def run(self) -> None:
        """Connect and stay connected. Returns never; ends clean when cancelled."""
        try:
            while True:
                self._publish(self._link.connecting())
                error = await self._connected()
                if self._refreshing:
                    self._refreshing = False
                    continue
                hopeless = not self._located or isinstance(error, PodUnreachableError)
                http_works = not hopeless and await self._http_works()
                status = self._link.lost(error, self._now(), http_works=http_works)
                self._publish(status)
                await self._pause(status.retry_in or 0)
        finally:
            self._gate.clear()
            self._publish(self._link.closed())

    async def _connected(self) -> PodError:
        """One connection from beginning to end; why it ended."""
        self._located = False
        try:
            address = await self._locate()
            self._located = True
            connection = await dial(address, self._client_id, self._network(), self._timing)
        except PodError as error:
            self._refreshing = False
            return error
        keeper = asyncio.create_task(self._keep(connection), name="comfydesk link keeper")
        self._connection = connection
        self._silence = Silence(self._timing, self._now())
        try:
            return await self._listen(connection)
        finally:
            self._connection = self._silence = None
            keeper.cancel()
            await asyncio.gather(keeper, return_exceptions=True)
            # Ends within close_timeout, answer or not. Only then may the next one open.
            await connection.close()

    async def _listen(self, connection: ClientConnection) -> PodError:
        damaged, greeted = 0, False
        try:
            await connection.send(hello())
            async with asyncio.timeout(self._timing.first_message):
                frame = await connection.recv()
            while True:
                try:
                    event = decode(frame)
                except ProtocolError as error:
                    damaged += 1
                    if not greeted or damaged >= MAX_DAMAGED:
                        return NotComfyError("The pod's WebSocket is not ComfyUI's", error.why)
                else:
                    damaged, greeted = 0, True
                    self._hear(event)
                frame = await connection.recv()
        except TimeoutError:
            return _mute()
        except ConnectionClosed as error:
            return _farewell(error)

    def _hear(self, event: PodEvent) -> None:
        if self._silence is not None:
            self._silence.heard(self._now(), event.remaining if isinstance(event, QueueStatus) else None)
        if self._link.status.state is not LinkState.ONLINE:
            self._publish(self._link.opened(self._now()))
        self._gate.take(event)

    async def _keep(self, connection: ClientConnection) -> None:
        """Measure the latency, at once and then with the library's pings; prove the connection after a sleep."""
        limit = self._timing.ping_timeout
        with suppress(ConnectionClosed):
            while True:
                try:
                    async with asyncio.timeout(limit):
                        latency = await (await connection.ping())
                except TimeoutError:
                    connection.transport.abort()
                    return
                self._measured(latency)
                limit = await self._next_ping(connection)

    async def _next_ping(self, connection: ClientConnection) -> float:
        """Wait until somebody doubts the connection; the seconds it then has to prove itself."""
        while True:
            try:
                async with asyncio.timeout(self._timing.ping_interval):
                    await self._woken.wait()
            except TimeoutError:
                self._measured(connection.latency)
            else:
                self._woken.clear()
                return self._timing.wake_timeout

    def _measured(self, seconds: float) -> None:
        if self._link.status.state is LinkState.ONLINE and seconds > 0:
            self._publish(self._link.measured(round(seconds * 1000, 1)))

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        self._woken.clear()

    def _publish(self, status: LinkStatus) -> None:
        self._on_status(status)

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


class _PreviewGate:
    """Lets events through in order, and of previews the latest: a stale one is never shown after its job's end."""

    def __init__(self, on_event: Callable[[PodEvent], None]) -> None:
        self._on_event = on_event
        self._waiting: PreviewFrame | None = None
        self._timer: asyncio.TimerHandle | None = None

    def take(self, event: PodEvent) -> None:
        # The old kind of preview in PNG may be the result itself (SaveImageWebsocket): each counts.
        if isinstance(event, PreviewFrame) and (event.format != "png" or event.prompt_id is not None):
            if self._timer is not None:
                self._waiting = event
                return
            self._timer = asyncio.get_running_loop().call_later(PREVIEW_PERIOD, self._due)
        elif _is_end(event):
            self._waiting = None
        self._on_event(event)

    def clear(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._waiting = None

    def _due(self) -> None:
        self._timer = None
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            self.take(waiting)


def _is_end(event: PodEvent) -> bool:
    return isinstance(event, ExecutionSucceeded | ExecutionFailed | ExecutionInterrupted) or (
        isinstance(event, NodeExecuting) and event.node is None
    )


def _answer(response: Response) -> Answer:
    headers = response.headers
    return Answer(
        response.status_code,
        headers.get("Content-Type", ""),
        bytes(response.body or b"")[: 64 << 10],
        headers.get("Location", ""),
        headers.get("Server", ""),
    )


def _mute() -> NotComfyError:
    return NotComfyError(
        "The pod's WebSocket says nothing", "ComfyUI greets at once", "See that no proxy holds messages back"
    )


def _farewell(closed: ConnectionClosed) -> PodError:
    """Why the WebSocket ended, by its close code."""
    received, sent = closed.rcvd, closed.sent
    if sent is not None and received is None and sent.code == 1009:
        return PodError("The pod sent a message of over 256 MB")
    if sent is not None and received is None and sent.code == 1011:
        return PodUnreachableError("The pod has not answered for a while", "no answer to a ping")
    if received is not None and received.code in (1000, 1001, 1012):
        return PodUnreachableError("The pod closed the connection", "it stops or restarts")
    if received is not None:
        return PodUnreachableError(f"The pod closed the connection ({received.code})")
    return PodUnreachableError("The connection was cut")
