"""The key that an SSH server proves itself with, and what is raised when it is not the one that is trusted."""

from dataclasses import dataclass

from comfydesk.errors import AuthError
from comfydesk.hosts.protocol import SshEndpoint


@dataclass(frozen=True, slots=True)
class HostKey:
    """A server's key as it is shown and pinned: `str()` is "ssh-ed25519 SHA256:…"."""

    algorithm: str
    fingerprint: str
    """"SHA256:" and 43 characters of base64, as ssh itself shows it."""

    def __str__(self) -> str:
        return f"{self.algorithm} {self.fingerprint}".strip()

    @classmethod
    def parse(cls, text: str) -> "HostKey":
        """The inverse of `str()`; the algorithm may be missing. See `profiles` for what a valid one is."""
        algorithm, _, fingerprint = text.strip().rpartition(" ")
        return cls(algorithm, fingerprint)

    def matches(self, other: "HostKey") -> bool:
        return self.fingerprint == other.fingerprint and self.algorithm in ("", other.algorithm)


class HostKeyUnknownError(AuthError):
    """No key is pinned yet. `offered` is what the server showed: the user compares it, and it is pinned or not."""

    def __init__(self, endpoint: SshEndpoint, offered: HostKey) -> None:
        what = f"{endpoint.host}:{endpoint.port} shows a key that this profile has not seen before: {offered}"
        super().__init__(
            what, "", "Compare it with the fingerprint that your provider or your machine shows, then trust it"
        )
        self.offered = offered


class HostKeyChangedError(AuthError):
    """The server's key is not the pinned one. Nothing was sent to it."""

    def __init__(self, endpoint: SshEndpoint, offered: HostKey, pinned: HostKey) -> None:
        what = f"{endpoint.host}:{endpoint.port} shows another key than before, so nothing was sent to it"
        why = f"It shows {offered}; this profile trusts {pinned}"
        advice = (
            "Someone may stand in between. If the pod was made anew or reset since then, its key is new, too: "
            "compare the fingerprint there, then trust the new key"
        )
        super().__init__(what, why, advice)
        self.offered = offered
        self.pinned = pinned
