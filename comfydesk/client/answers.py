"""What an HTTP answer that is no success means, in words: one place for requests, the handshake and the probe.

Between a person and a rented ComfyUI stand Cloudflare, RunPod's proxy, Caddy, an SSO page or JupyterLab, and each says
"no" in its own way. Pure.
"""

import json
import re
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import urljoin, urlsplit

from comfydesk.client.address import Address
from comfydesk.errors import AuthError, NotComfyError, PodError, PodStatusError, one_line

_LOGIN_PATH = re.compile(r"(?i)(log-?in|sign-?in|auth|sso|oauth|saml|cdn-cgi/access)")
_LOGIN_PAGE = re.compile(rb"(?i)type\s*=\s*[\"']?password|<title>[^<]*(log\s?-?in|sign\s?-?in|access)[^<]*</title>")
_JUPYTER = re.compile(rb"(?i)jupyter")
_TITLE = re.compile(rb"(?is)<title[^<>]*>(.{0,200}?)</title>")
_TAGS = re.compile(r"(?s)<(script|style)\b.*?</\1>|<[^<>]*>")
_GATEWAY = {
    502: (
        "Bad gateway: the proxy got no answer from ComfyUI",
        "it is starting, has crashed, or listens on another port",
    ),
    504: ("Gateway timeout: ComfyUI did not answer the proxy in time", "it is busy, or hangs"),
    520: ("Cloudflare got no valid answer from the pod", "ComfyUI crashed or is restarting"),
    521: ("The pod refuses Cloudflare's connection", "the pod is stopped, or ComfyUI is not running"),
    522: ("The pod does not answer Cloudflare", "the pod is stopped or has lost its network"),
    523: ("Cloudflare does not reach the pod", "the pod is stopped or was moved"),
    524: ("ComfyUI did not answer within Cloudflare's 100 seconds", "it is busy loading models, or hangs"),
    525: ("The TLS handshake between Cloudflare and the pod failed", ""),
    526: ("The pod's certificate does not satisfy Cloudflare", ""),
    530: ("Cloudflare does not know the pod's address", "the pod or its tunnel is stopped"),
}


class JupyterError(NotComfyError):
    """The port is JupyterLab's: pods of the providers' templates have one beside ComfyUI's."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer. `body` may be cut. The body is no part of the repr: it can be anything."""

    status: int
    content_type: str = ""
    body: bytes = field(default=b"", repr=False)
    location: str = field(default="", repr=False)
    server: str = ""
    etag: str = ""
    length: int | None = None
    """Content-Length as stated; the whole of what a HEAD tells about a body."""

    @property
    def is_html(self) -> bool:
        start = self.body[:512].lstrip().lower()
        return start.startswith((b"<!doctype html", b"<html")) or (
            "html" in self.content_type and start[:1] in (b"<", b"")
        )

    @property
    def is_jupyter(self) -> bool:
        # Tornado alone is no proof, but neither ComfyUI nor a proxy in front of one runs on it.
        return "tornado" in self.server.lower() or (self.is_html and bool(_JUPYTER.search(self.body[:65536])))

    @property
    def is_login_page(self) -> bool:
        return self.is_html and bool(_LOGIN_PAGE.search(self.body[:65536]))


def refusal(answer: Answer, address: Address) -> PodError:
    """Why this answer is not what was asked for, and what to do. For every status but a usable success."""
    status = answer.status
    if 300 <= status < 400:
        return _redirected(answer, address)
    if answer.is_jupyter:
        return jupyter()
    if status in (401, 403, 407):
        return _forbidden(answer, address)
    if 200 <= status < 300:
        return _not_json(answer)
    if status == 404:
        return _not_found(answer, address)
    if status in _GATEWAY:
        what, why = _GATEWAY[status]
        return PodStatusError(status, f"{what} ({status})", why, "Look at the pod's page and log, or wait a moment")
    return _other(answer)


def handshake_refusal(answer: Answer, address: Address) -> PodError:
    """Why a WebSocket was not opened. HTTP may work all the same."""
    if answer.status in (200, 400, 404, 405, 426, 501) and not answer.is_jupyter and not answer.is_login_page:
        return PodStatusError(
            answer.status,
            f"The pod opens no WebSocket at /ws ({answer.status})",
            "a proxy in front of ComfyUI does not pass WebSockets on, or this is no ComfyUI",
            "Let the proxy forward Upgrade and Connection headers, or use another port",
        )
    return refusal(answer, address)


def jupyter() -> JupyterError:
    return JupyterError(
        "That port is JupyterLab's, not ComfyUI's",
        "",
        "Use the address of the port that ComfyUI listens on, usually 8188",
    )


def _redirected(answer: Answer, address: Address) -> PodError:
    try:
        target = urlsplit(urljoin(address.http_url("/"), answer.location))
    except ValueError:  # a bracket that is not closed
        target = urlsplit("")
    where = (
        f"{target.scheme}://{target.netloc.rpartition('@')[2]}" if target.netloc else "an address that cannot be read"
    )
    where = one_line(where)[:120]
    if _LOGIN_PATH.search(target.path) or _LOGIN_PATH.search(target.hostname or ""):
        if answer.is_jupyter:
            return jupyter()
        return AuthError(
            "The pod sent us to a login page",
            f"it redirects to {where}",
            "Give this pod the token, password, header or cookie that its login wants",
        )
    if target.scheme == "https" and not address.secure and target.hostname == address.host:
        return PodStatusError(answer.status, "The pod wants https", "", f"Change its address to {where}")
    return PodStatusError(
        answer.status,
        "The pod redirects to another place, which is refused",
        f"it names {where}; credentials are never sent on",
        "If that is your pod, use that address",
    )


def _forbidden(answer: Answer, address: Address) -> PodError:
    if answer.status == 407:
        return AuthError("The proxy server of your network wants a login (407)", "", "Ask who runs your network")
    if answer.status == 403:
        return AuthError(
            "The pod refused access (403)",
            "the credentials do not suffice, or a firewall stands before it",
            "Check this pod's token, password or access headers",
        )
    sent = "the credentials were refused" if address.auth.headers or address.auth.query else "it wants a login"
    return AuthError(f"The pod wants other credentials ({answer.status})", sent, "Check this pod's token or password")


def _not_json(answer: Answer) -> PodError:
    if answer.is_login_page:
        return AuthError(
            "The pod answered with a login page",
            _title(answer),
            "Give this pod the token, password, header or cookie that its login wants",
        )
    if not answer.body.strip():
        return NotComfyError("The pod answered with nothing", "ComfyUI may still be starting", "Wait a moment")
    kind = "a web page" if answer.is_html else "something that is no JSON"
    return NotComfyError(
        f"Something answers at that address, but with {kind}",
        _title(answer),
        "Check the port: ComfyUI's own is 8188",
    )


def _not_found(answer: Answer, address: Address) -> PodError:
    # aiohttp, and so ComfyUI, says exactly this; RunPod's proxy has a page of its own.
    from_comfyui = answer.body.strip() in (b"", b"404: Not Found") or answer.body.lstrip()[:1] == b"{"
    if address.is_runpod and not from_comfyui:
        return PodStatusError(
            404,
            "RunPod's proxy knows no such pod and port (404)",
            "the pod is stopped or gone, or the port is not exposed",
            "Start the pod, and expose ComfyUI's port as an HTTP port",
        )
    return PodStatusError(404, "The pod has no such page (404)", server_words(answer), "")


def _other(answer: Answer) -> PodError:
    status, words = answer.status, server_words(answer)
    if status == 413:
        return PodStatusError(
            413,
            "That is more than the pod takes in one piece (413)",
            "ComfyUI takes 100 MB unless started with --max-upload-size; RunPod's proxy never takes more",
            "Use a smaller file, or put it on the pod by other means",
        )
    if status == 429:
        return PodStatusError(429, "The pod asks us to slow down (429)", words, "Wait a moment")
    if status == 503:
        return PodStatusError(
            503, "The pod is not ready (503)", words or "ComfyUI may still be starting", "Wait a moment"
        )
    if status >= 500:
        return PodStatusError(status, f"ComfyUI failed inside ({status})", words, "The pod's log says more")
    return PodStatusError(status, f"The pod refused the request ({status} {_phrase(status)})", words)


def server_words(answer: Answer) -> str:
    """What a body says, short enough for one line: JSON's own message, else text without its tags."""
    text = answer.body[:4096].decode("utf-8", errors="replace")
    try:
        document = json.loads(answer.body[:65536])
    except (ValueError, RecursionError):
        text = _TAGS.sub(" ", text) if answer.is_html else text
    else:
        document = document if isinstance(document, dict) else {}
        found = document.get("error", document.get("message"))
        found = found.get("message") if isinstance(found, dict) else found
        text = found if isinstance(found, str) else ""
    text = one_line(text)
    return text if len(text) <= 200 else text[:197] + "..."


def _title(answer: Answer) -> str:
    match = _TITLE.search(answer.body[:65536])
    title = one_line(match[1].decode("utf-8", errors="replace")) if match else ""
    return f'it calls itself "{title[:80]}"' if title else ""


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "unknown"
