"""The place that models are downloaded from: one GET, redirects followed by hand, the token for one origin only."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

import httpx

from comfydesk.credentials import Secret
from comfydesk.errors import LlmModelError, LlmUnreachableError, UsageError, one_line
from comfydesk.llm.address import proxy_for

HUGGING_FACE = "https://huggingface.co"
_HOPS = 10
_TIMEOUT = httpx.Timeout(connect=15, read=60, write=30, pool=None)


@dataclass(frozen=True, slots=True)
class Hub:
    """`endpoint` as HF_ENDPOINT has it; `token` goes to that origin and no other."""

    endpoint: str = HUGGING_FACE
    token: Secret | None = None

    @classmethod
    def of_environment(cls, environment: Mapping[str, str], token: Secret | None = None) -> "Hub":
        """HF_ENDPOINT and HF_TOKEN; a `token` that is given (from the keyring) goes first. Raises UsageError."""
        endpoint = environment.get("HF_ENDPOINT", "").strip().rstrip("/") or HUGGING_FACE
        if urlsplit(endpoint).scheme not in ("http", "https") or not urlsplit(endpoint).hostname:
            raise UsageError("HF_ENDPOINT is no address", "", f"Unset it, or give one such as {HUGGING_FACE}")
        named = environment.get("HF_TOKEN", "").strip()
        return cls(endpoint, token or (Secret(named) if named else None))

    @asynccontextmanager
    async def open(
        self, path: str, start: int = 0, *, transport: httpx.AsyncBaseTransport | None = None
    ) -> AsyncIterator[httpx.Response]:
        """The answer that is no redirect, from byte `start` on if the server can. Raises httpx.HTTPError, too."""
        url = f"{self.endpoint}/{path}"
        for _ in range(_HOPS):
            proxy = None if transport else proxy_for(url)
            async with (
                httpx.AsyncClient(timeout=_TIMEOUT, trust_env=False, transport=transport, proxy=proxy) as client,
                client.stream("GET", url, headers=self._headers(url, start)) as response,
            ):
                if not response.is_redirect:
                    yield response
                    return
                url = self._next(url, response.headers.get("location", ""))
        raise LlmModelError(f"{self.name} sends us in circles", "", "Try again later")  # noqa: EM102 - short

    @property
    def name(self) -> str:
        return urlsplit(self.endpoint).netloc

    def _headers(self, url: str, start: int) -> dict[str, str]:
        headers = {"Accept-Encoding": "identity", "User-Agent": "ComfyDesk"}
        if start:
            headers["Range"] = f"bytes={start}-"
        if self.token and origin(url) == origin(self.endpoint):
            headers["Authorization"] = f"Bearer {self.token.reveal()}"
        return headers

    def _next(self, url: str, location: str) -> str:
        try:
            target = urljoin(url, location)
            parts = urlsplit(target)
            fine = parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.username
            origin(target)
        except ValueError:
            fine, parts, target = False, urlsplit(""), ""
        if not fine or not location:
            raise LlmModelError(f"{self.name} sends us nowhere", one_line(location)[:100])  # noqa: EM102 - short
        if urlsplit(url).scheme == "https" and parts.scheme != "https":
            what = f"{self.name} sends us to an unencrypted address"
            raise LlmModelError(what, parts.hostname or "", "Nothing was downloaded from there")
        return target


def origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port: what a token belongs to."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)


def unreachable(hub: Hub, why: str) -> LlmUnreachableError:
    """No way there, or it broke off again and again."""
    what = f"The download from {hub.name} broke off"
    return LlmUnreachableError(what, why, "Try again: it goes on where it stopped")
