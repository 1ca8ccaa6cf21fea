"""Where a pod is and how it knows us: what people paste, as a value.

All secrets of a connection live in an Address. They leave it in two ways only: `headers` and `query`, which
`client.origin` and `client.stream` put on requests to this very origin. No repr, str or error text shows them.
"""

import base64
import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from comfydesk.errors import UsageError

DEFAULT_PORT = 8188
RUNPOD_PROXY = ".proxy.runpod.net"
_HTTPS_ONLY = (RUNPOD_PROXY, ".trycloudflare.com", ".ngrok-free.app", ".ngrok.app", ".ngrok.io", ".gradio.live")
_TOKEN_PARAMETERS = frozenset({"token", "access_token", "api_key", "apikey", "key", "auth"})
_NOT_OURS_TO_SET = re.compile(
    r"(?i)(host|origin|connection|upgrade|content-.*|transfer-encoding|te|trailer|expect|accept-encoding|range"
    r"|if-range|sec-.*|proxy-.*|user-agent)\Z"
)
_HEADER_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,100}\Z")
_HOST = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*\Z")
_ROUTES = re.compile(
    r"/(api|ws|prompt|queue|history|view|object_info|system_stats|userdata|models|embeddings|templates|features"
    r"|extensions|upload|internal|index\.html)(/.*)?\Z"
)

Pairs = tuple[tuple[str, str], ...]


class AuthKind(StrEnum):
    NONE = "none"
    BASIC = "basic"
    BEARER = "bearer"
    HEADERS = "headers"
    COOKIE = "cookie"
    QUERY = "query"


@dataclass(frozen=True, slots=True, repr=False)
class Auth:
    """Headers and query parameters that prove who we are; the same on HTTP and on the WebSocket."""

    kind: AuthKind = AuthKind.NONE
    headers: Pairs = ()
    query: Pairs = ()

    @classmethod
    def basic(cls, user: str, password: str) -> "Auth":
        token = base64.b64encode(f"{user}:{password}".encode()).decode()
        return cls(AuthKind.BASIC, (("Authorization", f"Basic {token}"),))

    @classmethod
    def bearer(cls, token: str) -> "Auth":
        return cls(AuthKind.BEARER, (("Authorization", f"Bearer {_header_value(token)}"),))

    @classmethod
    def of_headers(cls, headers: Mapping[str, str]) -> "Auth":
        """Any headers, such as Cloudflare Access' CF-Access-Client-Id and -Secret."""
        for name in headers:
            if not _HEADER_NAME.match(name) or _NOT_OURS_TO_SET.match(name):
                msg = f"{ascii(name)[:60]} cannot be set as a header of a pod"
                raise UsageError(msg)
        return cls(AuthKind.HEADERS, tuple((name, _header_value(value)) for name, value in headers.items()))

    @classmethod
    def cookie(cls, cookie: str) -> "Auth":
        """`name=value; other=value`, as a browser's developer tools show it."""
        return cls(AuthKind.COOKIE, (("Cookie", _header_value(cookie)),))

    @classmethod
    def query_token(cls, token: str, name: str = "token") -> "Auth":
        return cls(AuthKind.QUERY, query=((name, token),))

    def __repr__(self) -> str:
        return f"<Auth {self.kind}>"


@dataclass(frozen=True, slots=True, repr=False)
class Address:
    """One origin (and path prefix, where a reverse proxy has one), how to authenticate, and whom to trust.

    `fingerprint` pins the server's certificate: SHA-256 of its DER form, 64 lowercase hex digits. None means the
    system's trust. There is no third way: verification is never off.
    """

    scheme: str
    host: str
    """Lower case, IDNA-encoded, IPv6 without brackets."""
    port: int
    prefix: str = ""
    """Path before ComfyUI's routes: empty, or "/comfy" without a slash at the end."""
    auth: Auth = Auth()
    fingerprint: str | None = None

    @classmethod
    def parse(cls, text: str, *, auth: Auth | None = None, fingerprint: str | None = None) -> "Address":
        """What people paste: `host`, `host:port`, or any URL of a ComfyUI page, RunPod's proxy included.

        `user:password@` moves into Basic auth and `?token=` into a query token, unless `auth` is given; other
        queries, fragments and ComfyUI's own paths are dropped. Raises UsageError, which never quotes credentials.
        """
        text = text.strip().strip("<>\"'").strip()
        if not text or len(text) > 4096 or re.search(r"[\s\x00-\x1f\x7f\ud800-\udfff]", text):
            raise UsageError("That is no address of a pod", "", "Give host:port, or a URL such as http://host:8188")
        scheme, rest = _split_scheme(text)
        try:
            parts = urlsplit(f"//{_bracketed(rest)}")
            given_port = parts.port
        except ValueError as error:
            raise UsageError("That is no address of a pod", "its host or port cannot be read") from error
        host = _clean_host(parts.hostname or "")
        scheme, port = _scheme_and_port(scheme, host, given_port)
        if auth is None or auth.kind is AuthKind.NONE:
            auth = _pasted_auth(parts.username, parts.password, parts.query)
        prefix = _ROUTES.sub("", quote(unquote(parts.path), safe="/-._~")).rstrip("/")
        return cls(scheme, host, port, prefix, auth, clean_fingerprint(fingerprint))

    def with_auth(self, auth: Auth) -> "Address":
        return replace(self, auth=auth)

    def pinned(self, fingerprint: str | None) -> "Address":
        return replace(self, fingerprint=clean_fingerprint(fingerprint))

    @property
    def secure(self) -> bool:
        return self.scheme == "https"

    @property
    def netloc(self) -> str:
        """host[:port] as it stands in a URL, the scheme's own port left out."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.secure else 80) else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        return f"{self.scheme}://{self.netloc}"

    @property
    def headers(self) -> Pairs:
        """Secret: for requests to this origin only."""
        return self.auth.headers

    @property
    def query(self) -> Pairs:
        """Secret: for requests to this origin only."""
        return self.auth.query

    def http_url(self, path: str = "/") -> str:
        """The URL of a route, without the secret query."""
        return f"{self.origin}{self.prefix}{path}"

    def ws_url(self, client_id: str) -> str:
        """Where the WebSocket is. Secret: it carries the query token and the client id."""
        query = urlencode([("clientId", client_id), *self.query])
        return f"{'wss' if self.secure else 'ws'}://{self.netloc}{self.prefix}/ws?{query}"

    @property
    def is_local(self) -> bool:
        """On this computer or its network (tunnels end here, too): no proxy server stands between."""
        try:
            address = ipaddress.ip_address(self.host)
        except ValueError:
            return self.host.endswith(("localhost", ".local", ".lan", ".internal")) or "." not in self.host
        return address.is_loopback or address.is_private or address.is_link_local

    @property
    def is_runpod(self) -> bool:
        return self.host.endswith(RUNPOD_PROXY)

    def __str__(self) -> str:
        return self.origin + self.prefix

    def __repr__(self) -> str:
        pin = ", pinned" if self.fingerprint else ""
        return f"<Address {self} auth={self.auth.kind}{pin}>"


def clean_fingerprint(fingerprint: str | None) -> str | None:
    """SHA-256 as people paste it (colons, blanks, any case, `sha256:` or `SHA256 Fingerprint=` before it)."""
    if not fingerprint:
        return None
    digits = re.sub(r"(?i)^\s*sha-?256(?:\s*fingerprint)?\s*[:=]", "", fingerprint)
    digits = re.sub(r"[\s:]", "", digits).lower()
    if not re.fullmatch(r"[0-9a-f]{64}", digits):
        raise UsageError("That is no SHA-256 fingerprint of a certificate", "it has 64 hexadecimal digits")
    return digits


def _split_scheme(text: str) -> tuple[str | None, str]:
    match = re.match(r"(?i)([a-z][a-z0-9+.-]*)://", text)
    if match is None:
        return None, text
    scheme = {"ws": "http", "wss": "https"}.get(match[1].lower(), match[1].lower())
    if scheme not in ("http", "https"):
        msg = f"A pod is reached by http or https, not by {scheme[:20]}"
        raise UsageError(msg)
    return scheme, text[match.end() :]


def _bracketed(rest: str) -> str:
    """A bare IPv6 address needs its brackets before a URL parser sees it."""
    try:
        ipaddress.IPv6Address(rest)
    except ValueError:
        return rest
    return f"[{rest}]"


def _clean_host(host: str) -> str:
    host = host.rstrip(".").lower()
    if ":" in host:
        try:
            return str(ipaddress.IPv6Address(host))
        except ValueError as error:
            raise UsageError("That is no address of a pod", "its host cannot be read") from error
    try:
        host = host.encode("idna").decode() if not host.isascii() else host
    except UnicodeError as error:
        raise UsageError("That is no address of a pod", "its host cannot be read") from error
    if not _HOST.match(host) or len(host) > 253:
        raise UsageError("That is no address of a pod", "its host cannot be read", "Give host:port or a URL")
    return host


def _scheme_and_port(scheme: str | None, host: str, port: int | None) -> tuple[str, int]:
    if port == 0:
        raise UsageError("That is no address of a pod", "port 0 cannot be reached")
    # These answer plain http with a redirect, which we never follow.
    if host.endswith(_HTTPS_ONLY) and port in (None, 80, 443):
        return "https", 443
    if scheme is None:
        scheme = "https" if port in (443, 8443) else "http"
        return scheme, port or DEFAULT_PORT
    return scheme, port or (443 if scheme == "https" else 80)


def _pasted_auth(user: str | None, password: str | None, query: str) -> Auth:
    if user or password:
        return Auth.basic(unquote(user or ""), unquote(password or ""))
    tokens = [(name, value) for name, value in parse_qsl(query) if name.lower() in _TOKEN_PARAMETERS and value]
    return Auth(AuthKind.QUERY, query=tuple(tokens)) if tokens else Auth()


def _header_value(value: str) -> str:
    value = value.strip()
    if not value or not value.isascii() or not value.isprintable():
        raise UsageError("That secret cannot be sent", "it is empty or has characters that no HTTP header takes")
    return value
