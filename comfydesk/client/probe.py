"""Why a pod cannot be reached: one step after another, each timed, until the first that fails names itself.

dns → tcp → tls → http → auth → comfyui → websocket → catalog
"""

import asyncio
import json
import secrets
import socket
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from time import perf_counter
from typing import Any
from urllib.parse import urlsplit

from comfydesk.client import remote
from comfydesk.client.address import Address, AuthKind
from comfydesk.client.answers import Answer, refusal
from comfydesk.client.link import Timing
from comfydesk.client.network import Network, PinMismatchError, connection_error, tls_context
from comfydesk.client.origin import SMALL, AnswerLostError
from comfydesk.client.rest import Rest
from comfydesk.client.stream import greeting
from comfydesk.errors import AuthError, KnownError, NotComfyError, PodError, PodStatusError, PodUnreachableError
from comfydesk.events import QueueStatus


class Step(StrEnum):
    HOST = "host"
    """Of rented pods, told by session.pods.trial: what the provider says."""
    SSH = "ssh"
    """Of pods behind a tunnel, told by session.pods.trial."""
    DNS = "dns"
    TCP = "tcp"
    TLS = "tls"
    HTTP = "http"
    AUTH = "auth"
    COMFYUI = "comfyui"
    WEBSOCKET = "websocket"
    CATALOG = "catalog"


class SpeaksTlsError(NotComfyError):
    """The port wants https, and the address has http."""

    def __init__(self) -> None:
        super().__init__("That port speaks https, not http", "", "Put https:// before the address")


class UntrustedError(PodUnreachableError):
    """Nobody known vouches for the certificate. `fingerprint`: its SHA-256, which can be pinned."""

    def __init__(self, error: PodUnreachableError, fingerprint: str) -> None:
        advice = "If it is your pod's own, pin that fingerprint"
        super().__init__(error.what, f"{error.why}; SHA-256 {fingerprint}", advice)
        self.fingerprint = fingerprint


@dataclass(frozen=True, slots=True)
class ProbeStep:
    """What one step found. `detail` is one line; of a failed step it says what to do. `ms` is how long it took."""

    step: Step
    ok: bool
    detail: str
    ms: float
    error: KnownError | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class ProbeReport:
    steps: tuple[ProbeStep, ...]
    """In order; nothing comes after a failed one."""

    @property
    def ok(self) -> bool:
        return all(step.ok for step in self.steps)

    @property
    def failed(self) -> ProbeStep | None:
        return next((step for step in self.steps if not step.ok), None)

    def to_json(self) -> dict[str, Any]:
        """The document of `comfydesk probe --json`."""
        steps = [{"step": step.step.value, "ok": step.ok, "detail": step.detail, "ms": step.ms} for step in self.steps]
        return {"ok": self.ok, "steps": steps}


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds that a step may take."""

    connect: float = 10
    http: float = 30
    websocket: float = 15
    catalog: float = 180


async def probe(
    address: Address, *, patience: Patience | None = None, on_step: Callable[[ProbeStep], None] | None = None
) -> ProbeReport:
    """Try all steps in order, and stop at the first that fails. Never raises for the world's faults.

    `on_step` hears of each step as it ends. Nothing on the pod is changed.
    """
    attempt = _Attempt(address, patience or Patience())
    steps: list[ProbeStep] = []
    try:
        for step, run in attempt.steps():
            start = perf_counter()
            error: KnownError | None = None
            try:
                detail = await run()
            except KnownError as known:
                error, detail = known, str(known)
            steps.append(ProbeStep(step, error is None, detail, round((perf_counter() - start) * 1000, 1), error))
            if on_step is not None:
                on_step(steps[-1])
            if error is not None:
                break
    finally:
        await attempt.close()
    return ProbeReport(tuple(steps))


def step_of(answer: Answer, error: PodError) -> Step:
    """Which step an answer to GET /system_stats failed at, given what it means."""
    if isinstance(error, AuthError):
        return Step.AUTH
    if isinstance(error, NotComfyError):
        return Step.COMFYUI
    status = answer.status
    from_a_proxy = 300 <= status < 400 or status in (429, 502, 504) or 520 <= status <= 530
    if from_a_proxy or (status == 404 and "proxy" in error.what):
        return Step.HTTP
    return Step.COMFYUI


class _Attempt:
    """The steps of one probe, and what each leaves for the next. A step returns its detail or raises KnownError."""

    def __init__(self, address: Address, patience: Patience) -> None:
        self._address = address
        self._patience = patience
        self._network: Network | None = None
        self._rest: Rest | None = None
        self._failure: tuple[Step, PodError] | None = None
        self._stats = remote.SystemStats()

    def steps(self) -> tuple[tuple[Step, Callable[[], Awaitable[str]]], ...]:
        return (
            (Step.DNS, self._dns),
            (Step.TCP, self._tcp),
            (Step.TLS, self._tls),
            (Step.HTTP, self._http),
            (Step.AUTH, self._auth),
            (Step.COMFYUI, self._comfyui),
            (Step.WEBSOCKET, self._websocket),
            (Step.CATALOG, self._catalog),
        )

    async def close(self) -> None:
        if self._rest is not None:
            await self._rest.close()

    def _peer(self) -> tuple[str, int, str]:
        """Host and port that a connection goes to, and a word on it: the proxy server's, where there is one."""
        if self._network is None:
            self._network = Network.to(self._address)
        if self._network.proxy is None:
            return self._address.host, self._address.port, ""
        proxy = urlsplit(self._network.proxy)
        return proxy.hostname or "", proxy.port or 8080, "your network's proxy server "

    async def _dns(self) -> str:
        host, port, whose = self._peer()
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._patience.connect):
                found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise connection_error(error, self._address) from error
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        return f"{whose}{host} is {', '.join(addresses[:4])}"

    async def _tcp(self) -> str:
        host, port, whose = self._peer()
        await self._connect(host, port)
        return f"{whose or host + ' '}answers on port {port}"

    async def _connect(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> ssl.SSLObject | None:
        """Connect and hang up; the TLS session if there was one."""
        try:
            async with asyncio.timeout(self._patience.connect):
                _, writer = await asyncio.open_connection(
                    host, port, ssl=tls, server_hostname=host if tls is not None else None
                )
        except (OSError, UnicodeError) as error:
            raise connection_error(error, self._address) from error
        session = writer.get_extra_info("ssl_object")
        writer.transport.abort()
        with suppress(OSError):
            await writer.wait_closed()
        return session if isinstance(session, ssl.SSLObject) else None

    async def _tls(self) -> str:
        network = self._network
        if network is None or network.tls is None:
            return "not used: plain http"
        if network.proxy is not None:
            return "through the proxy server, with the next step"
        try:
            session = await self._connect(self._address.host, self._address.port, network.tls)
        except PodUnreachableError as error:
            if not isinstance(error.__cause__, ssl.SSLCertVerificationError) or self._address.fingerprint:
                raise
            shown = await self._shown_certificate()
            raise (UntrustedError(error, shown) if shown else error) from error
        how = "the pinned certificate" if self._address.fingerprint else "a trusted certificate"
        return f"{session.version() if session is not None else 'TLS'} with {how}"

    async def _shown_certificate(self) -> str:
        """The SHA-256 of a certificate that is not trusted. The handshake is ended before anything is sent."""
        try:
            await self._connect(self._address.host, self._address.port, tls_context("0" * 64))
        except PodUnreachableError as error:
            if isinstance(error.__cause__, PinMismatchError):
                return error.__cause__.shown
        return ""

    async def _http(self) -> str:
        self._rest = Rest(self._address, network=self._network)
        try:
            limit = SMALL._replace(deadline=self._patience.http)
            answer = await self._rest.raw("/api/system_stats", limit=limit)
        except PodError as error:
            raise await self._better_named(error) from error
        self._judge(answer)
        return self._passed(Step.HTTP, f"answers with status {answer.status}")

    async def _better_named(self, error: PodError) -> PodError:
        """What else listens on that port, if it can be told; `error` itself if not."""
        if not self._address.secure:
            if await self._speaks_tls():
                return SpeaksTlsError()
            if await self._greets_as_ssh():
                what = "That port is the pod's SSH, not ComfyUI"
                return NotComfyError(what, "", "Use ComfyUI's own port, usually 8188, or a tunnel")
        return error

    async def _speaks_tls(self) -> bool:
        if self._network is None or self._network.proxy is not None:
            return False
        return bool(await self._shown_certificate())

    async def _greets_as_ssh(self) -> bool:
        """Whether whoever listens speaks first, as SSH does and HTTP never."""
        host, port, _ = self._peer()
        with suppress(OSError):
            async with asyncio.timeout(min(2, self._patience.connect)):
                reader, writer = await asyncio.open_connection(host, port)
                try:
                    return await reader.read(4) == b"SSH-"
                finally:
                    writer.transport.abort()
        return False

    def _judge(self, answer: Answer) -> None:
        """What the answer means for this and the next two steps."""
        if 200 <= answer.status < 300:
            try:
                self._stats = remote.system_stats(json.loads(answer.body))
            except NotComfyError as other:
                self._failure = Step.COMFYUI, other
                return
            except (ValueError, RecursionError):
                pass  # no JSON: the words for that are refusal's
            else:
                return
        error = refusal(answer, self._address)
        step = step_of(answer, error)
        if answer.status == 400 and b"HTTPS" in answer.body:  # nginx' words for http on an https port
            step = Step.HTTP
            error = SpeaksTlsError()
        elif answer.status == 404 and step is Step.COMFYUI and isinstance(error, PodStatusError):
            what = "Something answers at that address, but it is not ComfyUI (404)"
            error = NotComfyError(what, "", "Check the port, and the path if a proxy needs one")
        self._failure = step, error

    def _passed(self, step: Step, detail: str) -> str:
        if self._failure is not None and self._failure[0] is step:
            raise self._failure[1]
        return detail

    async def _auth(self) -> str:
        kind = self._address.auth.kind
        return self._passed(Step.AUTH, "no login is asked for" if kind is AuthKind.NONE else f"{kind} was let in")

    async def _comfyui(self) -> str:
        stats = self._stats
        devices = ", ".join(_described(device) for device in stats.devices)
        return self._passed(
            Step.COMFYUI, f"ComfyUI {stats.version or 'of unknown version'} on {devices or 'no device'}"
        )

    async def _websocket(self) -> str:
        patience = self._patience.websocket
        timing = Timing(open_timeout=patience, first_message=patience, close_timeout=2)
        network = self._network or Network.to(self._address)
        event = await greeting(self._address, secrets.token_hex(16), network, timing)
        return f"open, {event.remaining} in the queue" if isinstance(event, QueueStatus) else "open"

    async def _catalog(self) -> str:
        rest = self._rest or Rest(self._address, network=self._network)
        try:
            info = await rest.object_info(deadline=self._patience.catalog)
        except AnswerLostError as error:
            msg = f"The list of nodes did not come whole within {self._patience.catalog:.0f} s"
            raise AnswerLostError(
                msg,
                error.what,
                "A busy pod takes long for it: wait until it is idle, or look for a hanging custom node in its log",
            ) from error
        except PodStatusError as error:
            raise PodStatusError(
                error.status,
                f"ComfyUI cannot list its nodes ({error.status})",
                error.why,
                "A custom node is probably broken: the pod's log names it",
            ) from error
        if not isinstance(info, dict) or not info or not all(isinstance(entry, dict) for entry in info.values()):
            raise NotComfyError("The pod's list of nodes cannot be read", "it is empty or damaged", "See the pod's log")
        return f"{len(info)} node types"


def _described(device: remote.Device) -> str:
    gigabytes = device.vram_total / 2**30
    return f"{device.name} with {gigabytes:.0f} GB" if gigabytes >= 0.5 else device.name
