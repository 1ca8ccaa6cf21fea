"""Passwords, tokens and API keys: in the operating system's keyring, or in memory, and nowhere else.

Items of the keyring, all under the service `ComfyDesk`. A profile's items end with the profile:

| item | what it is |
|---|---|
| `pod/<profile id>/auth` | the profile's password, bearer token, API key, cookie value or query token |
| `pod/<profile id>/header/<Name>` | the value of one of the profile's own headers |
| `pod/<profile id>/ssh-password` | the password of the SSH account |
| `pod/<profile id>/ssh-passphrase` | the passphrase of the SSH key file |
| `pod/<profile id>/llm` | the key of the profile's LLM endpoint |
| `host/<runpod or vast>/api-key` | the API key of the account that rents the pods |

Values are `Secret`s from the moment they enter until they leave in a request: no log, repr, format or pickle shows
them.
"""

import asyncio
import contextlib
import hmac
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NoReturn, Protocol, TypeVar

from comfydesk.errors import KnownError

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

T = TypeVar("T")

SERVICE = "ComfyDesk"
KEYRING_DEADLINE = 120.0
"""Seconds. The keyring may ask the user for its own password meanwhile."""
NO_KEYRING = (
    "No keyring of the operating system answers, so passwords and keys are kept in memory only: "
    "you will be asked again after the next start"
)


class CredentialsError(KnownError):
    """The keyring refused, is locked, or does not answer."""


class Secret:
    """A string that does not show itself. `reveal()` is the only way to it, and stands next to the request's code."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value. Never log it, format it, or put it on a command line."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(…)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._value.encode(), other.reveal().encode())

    def __hash__(self) -> int:
        return hash(self._value)

    def __copy__(self) -> "Secret":
        return self

    def __deepcopy__(self, memo: object) -> "Secret":
        return self

    def __reduce__(self) -> NoReturn:
        msg = "a Secret is not written anywhere"
        raise TypeError(msg)


def auth_item(profile_id: str) -> str:
    return f"pod/{profile_id}/auth"


def header_item(profile_id: str, name: str) -> str:
    return f"pod/{profile_id}/header/{name}"


def ssh_password_item(profile_id: str) -> str:
    return f"pod/{profile_id}/ssh-password"


def ssh_passphrase_item(profile_id: str) -> str:
    return f"pod/{profile_id}/ssh-passphrase"


def llm_item(profile_id: str) -> str:
    return f"pod/{profile_id}/llm"


HUB_TOKEN = "hub/token"  # noqa: S105 - an item's name
"""Item of the token for the place that language models are downloaded from."""


def api_key_item(host: str) -> str:
    """`host` is "runpod" or "vast"."""
    return f"host/{host}/api-key"


class Credentials(Protocol):
    """Where secrets are kept. All calls may wait for the user and raise CredentialsError."""

    @property
    def note(self) -> str:
        """What the user must know about this place; empty where secrets survive a restart safely."""

    async def get(self, item: str) -> Secret | None:
        """The secret of `item`, or None."""

    async def set(self, item: str, secret: Secret) -> None:
        """Keep `secret` as `item`, in place of what was there."""

    async def delete(self, item: str) -> None:
        """Forget `item`; it is no error if there is none."""


class SessionCredentials:
    """Secrets in memory, gone when the program ends. `given` are some to start with (from an environment variable)."""

    def __init__(self, given: Mapping[str, Secret] | None = None, *, note: str = NO_KEYRING) -> None:
        self._secrets = dict(given or {})
        self.note = note

    async def get(self, item: str) -> Secret | None:
        return self._secrets.get(item)

    async def set(self, item: str, secret: Secret) -> None:
        self._secrets[item] = secret

    async def delete(self, item: str) -> None:
        self._secrets.pop(item, None)


class KeyringCredentials:
    """Secrets in the operating system's keyring (Secret Service, KWallet, macOS Keychain, Windows Credential Locker).

    Calls run in a daemon thread of their own, one at a time: they talk to D-Bus or open a dialog, and one that never
    returns must block neither the loop nor the end of the program.
    """

    note = ""

    def __init__(self, backend: "KeyringBackend", *, deadline: float = KEYRING_DEADLINE) -> None:
        self._backend = backend
        self._deadline = deadline
        self._one_at_a_time = threading.Lock()

    async def get(self, item: str) -> Secret | None:
        value = await self._ask(lambda: self._backend.get_password(SERVICE, item))
        return None if value is None else Secret(value)

    async def set(self, item: str, secret: Secret) -> None:
        await self._ask(lambda: self._backend.set_password(SERVICE, item, secret.reveal()))

    async def delete(self, item: str) -> None:
        def delete() -> None:
            # Backends tell a missing item in several ways, some of which also mean that deleting failed: look first.
            if self._backend.get_password(SERVICE, item) is not None:
                self._backend.delete_password(SERVICE, item)

        await self._ask(delete)

    async def _ask(self, question: Callable[[], T]) -> T:
        from keyring.errors import KeyringLocked

        def alone() -> T:
            with self._one_at_a_time:
                return question()

        try:
            async with asyncio.timeout(self._deadline):
                return await _in_daemon_thread(alone)
        except TimeoutError:
            why = f"Nothing came back in {self._deadline:g} s"
            advice = "Look for a window of the keyring that asks for its password, and try again"
            raise CredentialsError("The keyring does not answer", why, advice) from None
        except KeyringLocked:
            raise CredentialsError("The keyring is locked", advice="Unlock it, and try again") from None
        except Exception as error:
            # Backends raise KeyringError, but also whatever D-Bus or the platform throws at them. The words of the
            # exception are not shown: they may quote what was to be stored.
            why = f"It answered with {type(error).__name__}"
            raise CredentialsError("The keyring refused", why, "Check your system's password manager") from None


async def system_credentials() -> Credentials:
    """The keyring if the system has a real one, memory otherwise (its `note` says so)."""
    backend = await _in_daemon_thread(_find_backend)
    return SessionCredentials() if backend is None else KeyringCredentials(backend)


def _find_backend() -> "KeyringBackend | None":
    import keyring
    from keyring.backends.chainer import ChainerBackend

    try:
        found = keyring.get_keyring()
    except Exception:  # it asks every backend that is installed, and one may break down
        return None
    if isinstance(found, ChainerBackend):
        # The chain falls back from one member to the next, so a secret could end in a member that is none.
        return next((member for member in found.backends if is_safe(member)), None)
    return found if is_safe(found) else None


def is_safe(backend: "KeyringBackend") -> bool:
    """Whether `backend` keeps secrets for the user alone: not "fail", not "null", no file with the text in it.

    The third-party `keyrings.alt` family consists of such files (or asks for a password on a terminal); and keyring
    itself calls a priority below 1 "not recommended".
    """
    module = type(backend).__module__
    if module.startswith(("keyring.backends.fail", "keyring.backends.null", "keyrings.alt", "keyrings.cryptfile")):
        return False
    try:
        return backend.priority >= 1
    except Exception:  # priority is computed, and raises where the backend's service is missing
        return False


async def _in_daemon_thread(work: Callable[[], T]) -> T:
    """`work()` off the loop. Unlike asyncio's own workers, the thread may outlive the program's wish to end."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[T] = loop.create_future()

    def succeed(value: T) -> None:
        if not answer.cancelled():
            answer.set_result(value)

    def fail(error: Exception) -> None:
        if not answer.cancelled():
            answer.set_exception(error)

    def run() -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            try:
                value = work()
            except Exception as error:
                loop.call_soon_threadsafe(fail, error)
            else:
                loop.call_soon_threadsafe(succeed, value)

    threading.Thread(target=run, name="keyring", daemon=True).start()
    return await answer
