"""A provider's JSON API over httpx: one origin, a byte cap, a deadline, no redirects, and words for each status.

The API key is put on each request here and goes nowhere else. There is no DELETE.
"""

import asyncio
import ipaddress
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import httpx

from comfydesk.credentials import Secret
from comfydesk.errors import (
    AnswerTooLargeError,
    AuthError,
    PodError,
    PodStatusError,
    PodUnreachableError,
    UsageError,
    one_line,
)
from comfydesk.hosts.protocol import BusyHostError, NoGpuError

MAX_ANSWER = 16 * 1024 * 1024
MAX_ERROR = 64 * 1024
DEADLINE = 30.0
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")
_THING = r"(gpu|capacity|instance|machine|resource)s?\b"
_NO_GPU = re.compile(
    rf"(?i)\bno\b.{{0,30}}\b{_THING}|(not enough|insufficient)( free| available)? {_THING}"
    rf"|out of (stock|capacity)|{_THING}.{{0,40}}\b(unavailable|not available)"
)


@dataclass(frozen=True, slots=True)
class Provider:
    """What stands in sentences: who it is, and where its keys are made."""

    label: str
    keys: str
    """Where the user finds the account's API keys."""
    trouble: str
    """Where it announces its own failures."""


class ApiClient:
    """One account at one origin. `base_url` must be https, except on this computer (tests)."""

    def __init__(
        self,
        provider: Provider,
        key: Secret,
        *,
        base_url: str,
        transport: httpx.AsyncBaseTransport | None = None,
        deadline: float = DEADLINE,
    ) -> None:
        if not _may_carry_a_key(httpx.URL(base_url)):
            what = f"The address of {provider.label}'s API must begin with https://"
            raise UsageError(what)
        if not key:
            what = f"There is no API key for {provider.label}"
            raise AuthError(what, "", f"Make one under {provider.keys}")
        if re.search(r"[^\x21-\x7e]", key.reveal()):
            what = f"That is no API key of {provider.label}: it has blanks or other characters that no key has"
            raise AuthError(what, "", f"Copy it again from {provider.keys}")
        self._provider = provider
        self._key = key
        self._deadline = deadline
        self._http = httpx.AsyncClient(
            base_url=base_url, transport=transport, follow_redirects=False, timeout=httpx.Timeout(deadline, connect=10)
        )

    def __repr__(self) -> str:
        return f"<ApiClient {self._provider.label}>"

    async def close(self) -> None:
        await self._http.aclose()

    async def get(self, path: str, query: Mapping[str, str] | None = None, *, about: str = "") -> Any:
        """The JSON at `path`. `about` names the pod in errors."""
        return await self._ask("GET", path, query=query, about=about)

    async def send(
        self, method: Literal["POST", "PUT"], path: str, body: Mapping[str, str], *, about: str, starts: bool = False
    ) -> Any:
        """The JSON that answers `body`. `about` names the pod in errors; `starts`: a refusal may mean "no GPU free"."""
        return await self._ask(method, path, body=body, about=about, starts=starts)

    async def _ask(
        self,
        method: Literal["GET", "POST", "PUT"],
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, str] | None = None,
        about: str = "",
        starts: bool = False,
    ) -> Any:
        label = self._provider.label
        headers = {"Authorization": f"Bearer {self._key.reveal()}", "Accept": "application/json"}
        request = self._http.build_request(method, path, params=query, json=body, headers=headers)
        try:
            async with asyncio.timeout(self._deadline):
                response = await self._http.send(request, stream=True)
                try:
                    failed = not response.is_success
                    data = await _read(response, MAX_ERROR if failed else MAX_ANSWER, label, cut=failed)
                finally:
                    await response.aclose()
        except (TimeoutError, httpx.TimeoutException):
            why = f"No whole answer came in {self._deadline:g} s"
            what = f"{label} does not answer"
            raise PodUnreachableError(what, why, "Check your network and try again") from None
        except httpx.HTTPError as error:
            what = f"{label} cannot be reached"
            raise PodUnreachableError(what, self._clean(str(error)), "Check your network and try again") from None
        if failed:
            raise self._refused(response, self._detail(data), about=about, starts=starts)
        try:
            return json.loads(data) if data.strip() else {}
        except (ValueError, RecursionError):
            what = f"{label} answered with something that is no JSON"
            raise PodError(what, advice="Try again later") from None

    def _refused(self, response: httpx.Response, detail: str, *, about: str, starts: bool) -> PodError:
        status, label, keys = response.status_code, self._provider.label, self._provider.keys
        if status == 401:
            return AuthError(
                f"{label} does not accept the API key", detail, f"Make a new one under {keys}, and paste it"
            )
        if status == 403:
            what = f"The API key may not do that at {label}"
            return AuthError(what, detail, f"Give it read and write access to pods under {keys}")
        if status == 429:
            wait = _seconds(response.headers.get("retry-after"))
            advice = f"Wait {wait:.0f} s and try again" if wait else "Wait a minute and try again"
            return BusyHostError(f"{label} was asked too often", detail, advice, wait)
        if starts and status in (400, 409, 422, 500, 503) and _NO_GPU.search(detail):
            return no_gpu(label, detail)
        what, advice = self._words(status, about)
        return PodStatusError(status, what, detail, advice)

    def _words(self, status: int, about: str) -> tuple[str, str]:
        label = self._provider.label
        if 300 <= status < 400:
            return (
                f"{label} redirected the request elsewhere ({status})",
                "The API key was not sent there. Try again later",
            )
        if status >= 500:
            return f"{label} is in trouble ({status})", f"Try again later; {self._provider.trouble} has its state"
        if status == 402:
            return f"The account at {label} has no credit left", f"Add credit at {label}"
        if status == 404:
            what = f"{label} knows no pod {about}" if about else f"{label} does not know that address"
            return what, "It was terminated, or belongs to another account: choose one from the list"
        if status == 409:
            return f"{label} cannot do that now with {about or 'this pod'}", "Look at its state and try again"
        return f"{label} refused the request ({status})", ""

    def _detail(self, data: bytes) -> str:
        """The provider's own sentence (RFC 9457 `detail` or `title`, `error`, `msg`), if it sent one."""
        try:
            document = json.loads(data)
        except (ValueError, RecursionError):
            return ""
        return self._clean(message_in(document))

    def _clean(self, text: str) -> str:
        return one_line(text.replace(self._key.reveal(), "…"))[:300]


def no_gpu(label: str, detail: str) -> NoGpuError:
    advice = "Try again later, or rent another pod on the same volume"
    return NoGpuError(f"{label} has no free GPU for this pod now", detail, advice)


def message_in(document: object) -> str:
    """The first sentence meant for people in an error document."""
    if not isinstance(document, Mapping):
        return ""
    for name in ("detail", "msg", "message", "error", "title"):
        value = document.get(name)
        if isinstance(value, Mapping):
            value = message_in(value)
        if isinstance(value, str) and value:
            return value
    return ""


def checked_id(pod_id: str, label: str) -> str:
    """`pod_id`, once it is sure that it cannot change the path of a request."""
    if not _ID.match(pod_id):
        what = f"{ascii(pod_id)[:80]} is no id of a pod at {label}"
        raise UsageError(what)
    return pod_id


def number(value: object, convert: Callable[[float], float] = float) -> float | None:
    """A finite number, also where it came as text; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        result = convert(float(value))
    except (ValueError, OverflowError):
        return None
    return result if abs(result) < 1e15 else None


def port_number(value: object) -> int | None:
    result = number(value)
    return int(result) if result is not None and 0 < result < 65536 else None


def text(value: object, limit: int = 200) -> str:
    """A string of the provider, on one line; numbers as text; empty for anything else."""
    return one_line(str(value))[:limit] if isinstance(value, (str, int)) and not isinstance(value, bool) else ""


async def _read(response: httpx.Response, cap: int, label: str, *, cut: bool) -> bytes:
    """The body after decompression. Beyond `cap`: cut off, or AnswerTooLargeError.

    What is over is read and dropped until the deadline: leaving httpx's nested generators halfway leaks their tasks.
    """
    data = bytearray()
    too_large = False
    async for chunk in response.aiter_bytes():
        too_large = too_large or len(data) + len(chunk) > cap
        if not too_large:
            data += chunk
    if too_large and not cut:
        what = f"{label} sent more than {cap // 2**20} MiB"
        raise AnswerTooLargeError(what, advice="Try again later")
    return bytes(data)


def _may_carry_a_key(url: httpx.URL) -> bool:
    if url.scheme == "https":
        return True
    try:
        return url.scheme == "http" and ipaddress.ip_address(url.host).is_loopback
    except ValueError:
        return False


def _seconds(header: str | None) -> float | None:
    seconds = number(header)
    return seconds if seconds is not None and 0 < seconds < 86400 else None
