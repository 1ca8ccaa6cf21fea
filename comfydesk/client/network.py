"""How to reach an origin: whom to trust over TLS, and through which proxy server. The same for HTTP and WebSocket."""

import errno
import hashlib
import hmac
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.request import getproxies, proxy_bypass

from comfydesk.client.address import Address
from comfydesk.errors import PodUnreachableError


@dataclass(frozen=True, slots=True)
class Network:
    """What both libraries need besides the URL. `proxy` may carry a password: no part of the repr."""

    tls: ssl.SSLContext | None
    """None for plain http."""
    proxy: str | None = field(default=None, repr=False)

    @classmethod
    def to(cls, address: Address) -> "Network":
        """For this address, on this computer, now. Reads the environment and the system's certificates (10 ms)."""
        return cls(tls_context(address.fingerprint) if address.secure else None, proxy_for(address))


def tls_context(fingerprint: str | None = None) -> ssl.SSLContext:
    """The system's trust, or one pinned certificate and nothing else."""
    if fingerprint is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        # A pinned certificate is mostly self-signed and in another name. The pin replaces both checks, before a byte
        # of ours is sent.
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.sslobject_class = _pinned(fingerprint)
        return context
    context = ssl.create_default_context()
    if not context.cert_store_stats()["x509_ca"] and not ssl.get_default_verify_paths().capath:
        # A bundled Python on a system whose store OpenSSL does not find.
        import certifi

        context.load_verify_locations(certifi.where())
    return context


def _pinned(fingerprint: str) -> type[ssl.SSLObject]:
    class PinnedTLS(ssl.SSLObject):
        """Ends the handshake unless the server shows the pinned certificate."""

        def do_handshake(self) -> None:
            super().do_handshake()
            shown = hashlib.sha256(self.getpeercert(binary_form=True) or b"").hexdigest()
            if not hmac.compare_digest(shown, fingerprint):
                raise PinMismatchError(shown)

    return PinnedTLS


class PinMismatchError(ssl.SSLCertVerificationError):
    """The server shows another certificate than the pinned one; `shown` is its SHA-256."""

    def __init__(self, shown: str) -> None:
        super().__init__(1, "the pinned certificate was not shown")
        self.shown = shown


def proxy_for(address: Address) -> str | None:
    """The proxy server of the environment or the system; none to this computer, its network, or a tunnel's end.

    Raises PodUnreachableError where only a SOCKS proxy is set: going around it in silence could surprise.
    """
    if address.is_local or proxy_bypass(address.host):
        return None
    proxies = getproxies()
    proxy = proxies.get(address.scheme) or proxies.get("all")
    if not proxy:
        return None
    proxy = proxy if "://" in proxy else f"http://{proxy}"
    if not proxy.startswith(("http://", "https://")):
        raise PodUnreachableError(
            "Your system's proxy server is of a kind that is not supported",
            f"only http and https proxies are, this one is {proxy.partition(':')[0]}",
            "Set https_proxy, or put the pod's host into no_proxy",
        )
    return proxy


def connection_error(error: BaseException, address: Address) -> PodUnreachableError:
    """Why no connection came about, from whatever a library raised (its causes are looked through)."""
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, ssl.SSLError):
            return tls_error(cause, address)
    host, port = address.host, address.port
    for cause in causes:
        if isinstance(cause, socket.gaierror):
            return PodUnreachableError(
                f"No computer is known by the name {host}",
                "",
                "Check the spelling and this computer's network; a stopped pod can lose its name",
            )
        if isinstance(cause, ConnectionRefusedError):
            return PodUnreachableError(
                f"{host} refuses connections on port {port}",
                "nothing listens there",
                "Start ComfyUI there (with --listen if it is on another computer), or correct the port",
            )
        if isinstance(cause, OSError) and cause.errno in _NO_WAY:
            return PodUnreachableError(
                f"There is no way to {host}", "", "Check this computer's network, VPN or firewall"
            )
    if any(isinstance(cause, TimeoutError) for cause in causes):
        return PodUnreachableError(
            f"{host} does not answer on port {port}",
            "the connection timed out",
            "Start the pod, and see that no firewall blocks this port",
        )
    return PodUnreachableError(f"No connection to {host} on port {port}", "", "See that the pod is running")


def tls_error(error: ssl.SSLError, address: Address) -> PodUnreachableError:
    """Why the TLS handshake failed."""
    if isinstance(error, PinMismatchError):
        return PodUnreachableError(
            f"{address.host} shows another certificate than the pinned one",
            f"its SHA-256 is {error.shown}",
            "If the pod was set up anew, pin that one; otherwise somebody stands in between",
        )
    if isinstance(error, ssl.SSLCertVerificationError):
        return PodUnreachableError(
            f"The certificate of {address.host} is not trusted",
            error.verify_message or "",
            "If it is your pod's own, pin its fingerprint",
        )
    plain = error.reason in ("WRONG_VERSION_NUMBER", "UNKNOWN_PROTOCOL", "HTTP_REQUEST", "RECORD_LAYER_FAILURE")
    return PodUnreachableError(
        f"No TLS connection to {address.host} on port {address.port}",
        "that port does not speak TLS"
        if plain
        else (error.reason or "the handshake broke off").lower().replace("_", " "),
        "Use http:// instead of https://, or another port" if plain else "",
    )


_NO_WAY = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL})


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The exception, what it was raised from, and the members of groups; each once."""
    todo, seen = [error], set[int]()
    while todo:
        cause = todo.pop()
        if id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        if isinstance(cause, BaseExceptionGroup):
            todo.extend(cause.exceptions)
        todo.extend(linked for linked in (cause.__context__, cause.__cause__) if linked is not None)
