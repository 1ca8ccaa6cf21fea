"""Where an OpenAI-compatible server answers, from whatever the user typed."""

from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit, urlunsplit
from urllib.request import getproxies, proxy_bypass

from comfydesk.credentials import Secret
from comfydesk.errors import UsageError

_ROUTES = ("/chat/completions", "/completions", "/models")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One server. `url` as `endpoint_url` makes it; `model` empty: the first that the server names."""

    url: str
    model: str = ""
    key: Secret | None = None
    label: str = ""
    """What people call it; empty: its host."""
    vision: bool = False
    """Its model looks at pictures. No server says so of itself."""
    parallel: int = 4

    @property
    def name(self) -> str:
        return self.label or urlsplit(self.url).netloc

    @property
    def leaks(self) -> bool:
        """Whether key and prompts travel unencrypted through a network."""
        return urlsplit(self.url).scheme == "http" and not is_local(self.url)


def endpoint_url(text: str) -> str:
    """The base to which "/chat/completions" is put: "localhost:11434" → "http://localhost:11434/v1".

    A path is kept (".../api/v1"); routes that were copied along are cut off. Raises UsageError; it never quotes the
    text, which may hold a key.
    """
    text = text.strip()
    if "://" not in text:
        text = f"{'http' if is_local(f'http://{text}') else 'https'}://{text}"
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if not host or parts.scheme not in ("http", "https") or any(c.isspace() or not c.isprintable() for c in text):
        raise UsageError("That is no address of an LLM server", "", "It looks like http://127.0.0.1:8080/v1")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise UsageError("The address of an LLM server holds no key", "", "Give the key on its own: it is kept safe")
    path = parts.path.rstrip("/")
    for route in _ROUTES:
        path = path.removesuffix(route)
    return urlunsplit((parts.scheme, parts.netloc, path or "/v1", "", ""))


def is_local(url: str) -> bool:
    """Whether `url` is on this computer."""
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def proxy_for(url: str) -> str | None:
    """The system's proxy server on the way to `url`, if there is one."""
    parts = urlsplit(url)
    if is_local(url) or proxy_bypass(parts.hostname or ""):
        return None
    proxies = getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    return proxy if not proxy or "://" in proxy else f"http://{proxy}"
