"""A tunnel to ComfyUI on a pod: one port on this computer, kept for as long as the Tunnel lives.

The listener is ours, not asyncssh's, and stays open while the SSH connection comes and goes: the port never changes,
and no other program can take it in between and receive what was meant for the pod. It is bound to loopback only.
"""

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import asyncssh

from comfydesk.errors import KnownError, PodError, PodUnreachableError
from comfydesk.events import Feed
from comfydesk.hosts.host_key import HostKey
from comfydesk.hosts.protocol import COMFYUI_PORT, CommandResult, SshEndpoint
from comfydesk.hosts.ssh import PortClosedError, SshLogin, connect, needs_user, unreachable

LOOPBACK = "127.0.0.1"
STEADY = 60.0
"""Seconds after which a connection counts as good, and the next failure starts with short waits again."""
PROBE_DEADLINE = 5.0
_CHUNK = 256 * 1024
_WINDOW = 8 * 1024 * 1024
"""Bytes in flight per forwarded connection: 8 MiB fill 600 Mbit/s at 100 ms."""


class TunnelState(StrEnum):
    CLOSED = "closed"
    CONNECTING = "connecting"
    ONLINE = "online"
    RECONNECTING = "reconnecting"
    BLOCKED = "blocked"
    """Until the user has done something (`error` says what) and `retry` or `trust` is called."""


@dataclass(frozen=True, slots=True)
class TunnelStatus:
    state: TunnelState
    error: KnownError | None = None
    retry_in: float | None = None
    """Seconds until the next try."""


def waits(rng: Callable[[], float] = random.random) -> Iterator[float]:
    """Seconds before each next try: 1, 2, 4 … 30, each shortened by up to a half so that pods are not hit in step."""
    seconds = 1.0
    while True:
        yield seconds * (0.5 + rng() / 2)
        seconds = min(seconds * 2, 30.0)


class Tunnel:
    """A supervised tunnel to `remote_port` on the pod's own loopback.

    `endpoint` and `login` are asked anew before each connection: providers change ports at a restart, and a passphrase
    may have been typed since. All methods belong to the loop that called `open`.
    """

    def __init__(
        self,
        endpoint: Callable[[], Awaitable[SshEndpoint]],
        login: Callable[[], Awaitable[SshLogin]],
        *,
        pinned: HostKey | None,
        remote_port: int = COMFYUI_PORT,
        local_port: int = 0,
        backoff: Callable[[], Iterator[float]] = waits,
    ) -> None:
        self.states: Feed[TunnelStatus] = Feed()
        self.status = TunnelStatus(TunnelState.CLOSED)
        self.local_port = local_port
        """0 until `open`, unless one was asked for."""
        self._endpoint = endpoint
        self._login = login
        self._pinned = pinned
        self._remote_port = remote_port
        self._backoff = backoff
        self._connection: asyncssh.SSHClientConnection | None = None
        self._server: asyncio.Server | None = None
        self._supervisor: asyncio.Task[None] | None = None
        self._forwards: set[asyncio.Task[None]] = set()
        self._again = asyncio.Event()
        self._lost = asyncio.Event()

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.local_port}"

    async def open(self) -> int:
        """Listen, and start to connect; returns the local port. PodUnreachableError: that port is taken here."""
        try:
            self._server = await asyncio.start_server(self._accept, LOOPBACK, self.local_port, limit=_CHUNK)
        except OSError as error:
            what = f"Port {self.local_port} of this computer cannot be used for the tunnel"
            raise PodUnreachableError(what, error.strerror or "", "Choose another local port, or 0 for any") from None
        self.local_port = self._server.sockets[0].getsockname()[1]
        self._supervisor = asyncio.create_task(self._supervise(), name=f"tunnel {self.local_port}")
        return self.local_port

    async def close(self) -> None:
        """End everything; again is fine."""
        supervisor, self._supervisor = self._supervisor, None
        if supervisor is not None:
            supervisor.cancel()
            await asyncio.wait({supervisor})
        if self._server is not None:
            self._server.close()
        for task in self._forwards:
            task.cancel()
        if self._forwards:
            await asyncio.wait(set(self._forwards))
        if self._server is not None:
            await self._server.wait_closed()
            self._server = None
        self._say(TunnelStatus(TunnelState.CLOSED))

    def retry(self) -> None:
        """Try again now: the user has mended something, the computer woke up, the network is another one."""
        self._again.set()
        if self.status.state is TunnelState.BLOCKED:
            self._say(TunnelStatus(TunnelState.CONNECTING))  # what blocked it is no news any more
        if self._connection is not None:
            task = asyncio.create_task(self._probe(self._connection))
            self._forwards.add(task)
            task.add_done_callback(self._forwards.discard)

    def trust(self, key: HostKey) -> None:
        """Pin `key` from now on, and try again. Call it only for a key that the user has compared."""
        self._pinned = key
        self.retry()

    async def wait_online(self, within: float) -> None:
        """Return once it stands. Raises what is in the way: at once if the user is needed, else after `within` s."""
        changed = asyncio.Event()
        unsubscribe = self.states.subscribe(lambda _: changed.set())
        try:
            async with asyncio.timeout(within):
                while self.status.state is not TunnelState.ONLINE:
                    if self.status.state is TunnelState.BLOCKED and self.status.error is not None:
                        raise self.status.error
                    changed.clear()
                    await changed.wait()
        except TimeoutError:
            error = self.status.error
            raise error or PodUnreachableError("The tunnel does not stand yet", f"No SSH after {within:g} s") from None
        finally:
            unsubscribe()

    async def run(self, command: str, *, stdin: str = "", within: float = 60, limit: int = 2**20) -> CommandResult:
        """Run `command` in the pod's shell. `limit`: bytes kept of each output.

        Secrets belong into `stdin`, never into `command`: command lines are visible to everyone on the pod.
        PodUnreachableError: not connected, cut off, or not done after `within` seconds (it may still go on there).
        """
        connection = self._connection
        if connection is None:
            raise self.status.error or PodUnreachableError("There is no SSH connection to the pod")
        try:
            async with asyncio.timeout(within):
                process: asyncssh.SSHClientProcess[bytes] = await connection.create_process(command, encoding=None)
                try:
                    # A command may be over before we come to that: it needed nothing, and its result counts.
                    with contextlib.suppress(BrokenPipeError):
                        process.stdin.write(stdin.encode())
                        process.stdin.write_eof()
                    out, err = await asyncio.gather(_capped(process.stdout, limit), _capped(process.stderr, limit))
                    await process.wait_closed()
                    if process.exit_status is None and process.exit_signal is None:
                        raise PodUnreachableError("The SSH connection broke while a command ran on the pod")
                finally:
                    process.close()
        except TimeoutError:
            what = "A command on the pod did not end in time"
            raise PodUnreachableError(what, f"It took more than {within:g} s") from None
        except (OSError, asyncssh.Error) as error:
            raise unreachable("the pod", error) from None
        status = process.exit_status if process.exit_signal is None else None
        return CommandResult(status, out.decode(errors="replace"), err.decode(errors="replace"))

    async def _supervise(self) -> None:
        """Connect, wait until it is lost, connect again; forever."""
        try:
            await self._connect_for_ever()
        except Exception:
            self._say(TunnelStatus(TunnelState.BLOCKED, PodError("The tunnel failed inside ComfyDesk")))
            raise

    async def _connect_for_ever(self) -> None:
        clock = asyncio.get_running_loop().time
        delays = self._backoff()
        self._say(TunnelStatus(TunnelState.CONNECTING))
        while True:
            self._again.clear()
            began = clock()
            try:
                error = await self._hold()
            except KnownError as caught:
                error = caught
            if needs_user(error):
                self._say(TunnelStatus(TunnelState.BLOCKED, error))
                await self._again.wait()
                self._say(TunnelStatus(TunnelState.CONNECTING))
                continue
            if clock() - began > STEADY:
                delays = self._backoff()
            delay = next(delays)
            self._say(TunnelStatus(TunnelState.RECONNECTING, error, delay))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(delay):
                    await self._again.wait()

    async def _hold(self) -> KnownError:
        """Connect and stay until the connection is lost; why it was."""
        self._lost.clear()
        endpoint = await self._endpoint()
        connection = await connect(endpoint, await self._login(), self._pinned, on_lost=self._lost.set)
        self._connection = connection
        try:
            self._say(TunnelStatus(TunnelState.ONLINE))
            await self._lost.wait()
            return PodUnreachableError(f"The SSH connection to {endpoint.host}:{endpoint.port} was lost")
        finally:
            self._connection = None
            connection.abort()
            await connection.wait_closed()

    async def _probe(self, connection: asyncssh.SSHClientConnection) -> None:
        """End a connection that only seems to live: after a sleep nobody tells us that the other side is gone."""
        try:
            async with asyncio.timeout(PROBE_DEADLINE):
                await connection.run(":", check=False)
        except asyncssh.ChannelOpenError:
            pass  # no shell there, but an answer
        except (TimeoutError, OSError, asyncssh.Error):
            connection.abort()

    def _say(self, status: TunnelStatus) -> None:
        if status != self.status:
            self.status = status
            self.states.publish(status)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._forward(reader, writer))
        self._forwards.add(task)
        task.add_done_callback(self._forwards.discard)

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of this computer, carried to the pod. A cut at one end is a reset at the other."""
        try:
            if self._connection is not None:
                await self._carry(self._connection, reader, writer)
        except asyncssh.ChannelOpenError as error:
            self._note_closed_port(error)
        except (OSError, asyncssh.Error):
            pass  # either side hung up; the reset below tells the other
        finally:
            writer.transport.abort()

    async def _carry(
        self, connection: asyncssh.SSHClientConnection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        peer = writer.get_extra_info("peername") or (LOOPBACK, 0)
        far_reader, far = await connection.open_connection(
            LOOPBACK, self._remote_port, peer[0], peer[1], window=_WINDOW
        )
        if self.status.error is not None and self.status.state is TunnelState.ONLINE:
            self._say(TunnelStatus(TunnelState.ONLINE))
        ways = {asyncio.create_task(_pump(reader, far)), asyncio.create_task(_pump(far_reader, writer))}
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_EXCEPTION)
            for way in ways:
                if way.done():
                    way.result()
            writer.close()
            await writer.wait_closed()
        finally:
            far.channel.abort()
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)

    def _note_closed_port(self, error: asyncssh.ChannelOpenError) -> None:
        if self.status.state is not TunnelState.ONLINE:
            return
        if error.code == asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED:
            what = "The pod's SSH server does not forward ports"
            advice = "Use the direct SSH address of the pod: a provider's gateway gives a shell only"
        else:
            what = f"Nothing answers on port {self._remote_port} of the pod"
            advice = "ComfyUI may still be starting; or it listens on another port"
        self._say(TunnelStatus(TunnelState.ONLINE, PortClosedError(what, error.reason, advice)))


async def _pump(source: Any, sink: Any) -> None:
    """Bytes from one stream to another until its end, never more than the sink takes; then the sink's end of file."""
    while data := await source.read(_CHUNK):
        sink.write(data)
        await sink.drain()
    if sink.can_write_eof():
        sink.write_eof()


async def _capped(reader: asyncssh.SSHReader[bytes], limit: int) -> bytes:
    """All that `reader` gives, of which `limit` bytes are kept."""
    kept = bytearray()
    while data := await reader.read(64 * 1024):
        kept += data[: limit - len(kept)]
    return bytes(kept)
