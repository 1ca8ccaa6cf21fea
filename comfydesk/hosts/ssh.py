"""SSH to a pod: who it must be, who we are, and the errors in words.

Trust: the first connection of a profile fails with HostKeyUnknownError, which carries the key's fingerprint for the
user to compare; once it is stored in the profile, only a server with that very key is spoken to, and any other ends
with HostKeyChangedError. ~/.ssh/config and ~/.ssh/known_hosts are neither read nor written: a `Host *` with a proxy
command or another machine's key must not decide here. Nothing secret is sent before the key has been checked.
"""

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import asyncssh

from comfydesk.credentials import CredentialsError, Secret
from comfydesk.errors import AuthError, KnownError, PodError, PodUnreachableError
from comfydesk.hosts.host_key import HostKey, HostKeyChangedError, HostKeyUnknownError
from comfydesk.hosts.protocol import SshEndpoint

KEEPALIVE = 15.0
"""Seconds between signs of life; three missed ones end the connection."""
MISSED_KEEPALIVES = 3
CONNECT_DEADLINE = 20.0
LOGIN_DEADLINE = 30.0
_RSA = ("rsa-sha2-512", "rsa-sha2-256")
_HOST_KEY_ALGORITHMS = ("ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", *_RSA)


@dataclass(frozen=True, slots=True)
class SshLogin:
    """Who we are. With a `key_file` only that key is offered; without, the agent's keys and ~/.ssh's usual ones."""

    key_file: str = ""
    passphrase: Secret | None = None
    password: Secret | None = None


class PassphraseError(AuthError):
    """The key file wants a passphrase; `wrong`: one was given, and it does not fit."""

    def __init__(self, key_file: str, *, wrong: bool) -> None:
        what = f"The passphrase does not open the key file {key_file}" if wrong else f"{key_file} needs its passphrase"
        super().__init__(what, "", "Type the passphrase of the key, or load the key into your SSH agent")
        self.wrong = wrong


class KeyFileError(AuthError):
    """The key file cannot be used."""


class SshRefusedError(AuthError):
    """The server is the right one, and does not let us in."""


class PortClosedError(PodError):
    """The tunnel stands, but nothing answers at its far end."""


def needs_user(error: KnownError) -> bool:
    """Whether trying again is pointless, or harmful, until the user has done something."""
    return isinstance(error, AuthError | CredentialsError)


async def connect(
    endpoint: SshEndpoint,
    login: SshLogin,
    pinned: HostKey | None,
    *,
    on_lost: Callable[[], None] = lambda: None,
) -> asyncssh.SSHClientConnection:
    """A connection to the server that has the key `pinned`. `on_lost` is called once when it has ended.

    Raises HostKeyUnknownError, HostKeyChangedError, PassphraseError, KeyFileError, SshRefusedError (see needs_user)
    and PodUnreachableError.
    """
    keys = [await asyncio.to_thread(read_key, login)] if login.key_file else None
    expected = _algorithms(pinned)
    try:
        return await _connect(endpoint, login, keys, pinned, expected, on_lost)
    except _NoHostKeyError as error:
        if expected == _HOST_KEY_ALGORITHMS:
            raise error.translated from None
    # The server has no key of the pinned kind, or hung up for another reason. Look what it has; the pinned kind first,
    # so that a server with several keys shows that one.
    others = tuple(name for name in _HOST_KEY_ALGORITHMS if name not in expected)
    try:
        return await _connect(endpoint, login, keys, pinned, expected + others, on_lost)
    except _NoHostKeyError as error:
        raise error.translated from None


class _NoHostKeyError(Exception):
    """The server was reached, and ended the conversation before it showed a key. `translated` is for the user."""

    def __init__(self, translated: KnownError) -> None:
        super().__init__(str(translated))
        self.translated = translated


async def _connect(
    endpoint: SshEndpoint,
    login: SshLogin,
    keys: list[asyncssh.SSHKey] | None,
    pinned: HostKey | None,
    algorithms: tuple[str, ...],
    on_lost: Callable[[], None],
) -> asyncssh.SSHClientConnection:
    client = _Client(pinned, on_lost)
    # Agent and usual keys only where no key file is named: servers hang up after a few keys that do not fit.
    identity = {} if keys is None else {"client_keys": keys, "agent_path": None}
    try:
        connection = await asyncssh.connect(
            endpoint.host,
            endpoint.port,
            username=endpoint.user,
            password=login.password.reveal() if login.password else None,
            client_factory=lambda: client,
            known_hosts=([], [], []),  # none is trusted beforehand, so each is asked of _Client; never None
            server_host_key_algs=list(algorithms),
            config=None,
            gss_host=None,
            preferred_auth=["publickey", "keyboard-interactive", "password"],
            compression_algs=["none"],
            keepalive_interval=KEEPALIVE,
            keepalive_count_max=MISSED_KEEPALIVES,
            connect_timeout=CONNECT_DEADLINE,
            login_timeout=LOGIN_DEADLINE,
            **identity,
        )
    except (OSError, TimeoutError, UnicodeError, asyncssh.Error) as error:
        raise _translated(error, endpoint, login, client) from None
    client.established = True
    return connection


def _translated(
    error: Exception, endpoint: SshEndpoint, login: SshLogin, client: "_Client"
) -> KnownError | _NoHostKeyError:
    """Why there is no connection, in words."""
    where = f"{endpoint.host}:{endpoint.port}"
    match error:
        case asyncssh.HostKeyNotVerifiable():
            if client.offered is None:
                return SshRefusedError(f"The key of {where} cannot be read", error.reason)
            if client.pinned is None:
                return HostKeyUnknownError(endpoint, client.offered)
            return HostKeyChangedError(endpoint, client.offered, client.pinned)
        case asyncssh.PermissionDenied():
            return _refused(endpoint, login)
        case asyncssh.KeyExchangeFailed():
            what = f"{where} and ComfyDesk share no encryption"
            return _NoHostKeyError(SshRefusedError(what, error.reason, "Update the SSH server on the pod"))
        case asyncssh.ProtocolError() | asyncssh.ProtocolNotSupported():
            what = f"What answers at {where} is no SSH server"
            return PodUnreachableError(what, error.reason, "Check the host and the port of SSH")
        case _ if client.reached and client.offered is None:
            return _NoHostKeyError(unreachable(where, error))
        case _:
            return unreachable(where, error)


class _Client(asyncssh.SSHClient):
    def __init__(self, pinned: HostKey | None, on_lost: Callable[[], None]) -> None:
        self.offered: HostKey | None = None
        self.reached = False
        self.established = False
        self.pinned = pinned
        self._on_lost = on_lost

    def connection_made(self, _conn: asyncssh.SSHClientConnection) -> None:
        self.reached = True

    def validate_host_public_key(self, _host: str, _addr: str, _port: int, key: asyncssh.SSHKey) -> bool:
        self.offered = HostKey(key.get_algorithm(), key.get_fingerprint())
        return self.pinned is not None and self.pinned.matches(self.offered)

    def connection_lost(self, _exc: Exception | None) -> None:
        if self.established:
            self._on_lost()


def read_key(login: SshLogin) -> asyncssh.SSHKey:
    """The private key of `login.key_file`. Blocks: opening a protected one takes up to a second of CPU."""
    path = Path(login.key_file).expanduser()
    try:
        data = path.read_bytes()
    except OSError as error:
        what = f"The key file {login.key_file} cannot be read"
        raise KeyFileError(what, error.strerror or "", "Choose another key file, or correct its path") from None
    if data.startswith((b"ssh-", b"ecdsa-")):
        what = f"{login.key_file} is the public half of a key"
        raise KeyFileError(what, "", f"Choose {login.key_file.removesuffix('.pub')} instead")
    passphrase = login.passphrase.reveal() if login.passphrase else None
    try:
        return asyncssh.import_private_key(data, passphrase)
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError) as error:
        if passphrase is None and "assphrase must be" in str(error):
            raise PassphraseError(login.key_file, wrong=False) from None
        if passphrase is not None and ("passphrase" in str(error).lower() or "decrypt" in str(error).lower()):
            raise PassphraseError(login.key_file, wrong=True) from None
        what = f"{login.key_file} is no private key that ComfyDesk can read"
        raise KeyFileError(what, str(error), "Choose a key that ssh-keygen made") from None


def unreachable(where: str, error: BaseException) -> PodUnreachableError:
    """The error of a connection that could not be made, or ended, in words."""
    advice = "Check that the pod runs, and its SSH host and port: providers change them at each start"
    if isinstance(error, TimeoutError):
        return PodUnreachableError(f"{where} does not answer", "No answer in time", advice)
    if isinstance(error, socket.gaierror):
        return PodUnreachableError(f"The name {where.rpartition(':')[0]} is not known", "", advice)
    if isinstance(error, ConnectionRefusedError):
        return PodUnreachableError(f"Nothing answers at {where}", "", advice)
    why = error.reason if isinstance(error, asyncssh.Error) else getattr(error, "strerror", None) or str(error)
    return PodUnreachableError(f"The SSH connection to {where} failed", why, advice)


def _refused(endpoint: SshEndpoint, login: SshLogin) -> SshRefusedError:
    offered = f"the key {login.key_file}" if login.key_file else "the keys of your SSH agent and of ~/.ssh"
    if login.password:
        offered += " and the password"
    what = f"{endpoint.host} does not let {endpoint.user} in"
    advice = "Add your public key to the pod or to your account at the provider, or choose another key file or user"
    return SshRefusedError(what, f"It accepted none of: {offered}", advice)


def _algorithms(pinned: HostKey | None) -> tuple[str, ...]:
    """Only what the pinned key can answer: a server with several keys must show the same one each time."""
    if pinned is None or not pinned.algorithm:
        return _HOST_KEY_ALGORITHMS
    return _RSA if pinned.algorithm == "ssh-rsa" else (pinned.algorithm,)
