"""Profiles: how to reach a pod, without its secrets.

A profile names the items of the keyring that it needs (`secret_items`); values of secrets are never part of it, of its
file, or of an export. `address` makes the client's Address once the pod's URL of now and the secrets are known.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from comfydesk import credentials
from comfydesk.client.address import Address, Auth
from comfydesk.credentials import Secret
from comfydesk.errors import AuthError, KnownError, UsageError
from comfydesk.session.pods.places import Place as Place
from comfydesk.session.pods.places import PlaceKind as PlaceKind

COLOURS = ("#4c8bf5", "#2aa876", "#e0a030", "#d9534f", "#9b6bdf", "#1fa3b5", "#d4679a", "#7a8794")
"""Offered for profiles, told apart in both themes."""
MAX_IDLE_MINUTES = 24 * 60


class AuthKind(StrEnum):
    NONE = "none"
    BASIC = "basic"
    BEARER = "bearer"
    API_KEY = "api-key"
    HEADERS = "headers"
    COOKIE = "cookie"
    QUERY = "query"


@dataclass(frozen=True, slots=True)
class AuthSettings:
    """How we prove who we are, without the proof."""

    kind: AuthKind = AuthKind.NONE
    user: str = ""
    """BASIC."""
    name: str = ""
    """API_KEY: the header; QUERY: the parameter."""
    headers: tuple[str, ...] = ()
    """HEADERS: their names, such as CF-Access-Client-Id."""


@dataclass(frozen=True, slots=True)
class SshSettings:
    """How to log in on the pod. RUNPOD and VAST leave `host` empty: it is asked of the provider at each connect."""

    host: str = ""
    port: int = 22
    user: str = "root"
    key_file: str = ""
    """Path on this computer; empty: the SSH agent and ~/.ssh's usual keys."""
    host_key: str = ""
    """Pinned: "ssh-ed25519 SHA256:…"; empty until the user has trusted one."""
    local_port: int = 0
    """Of the tunnel's end here; 0: any."""


@dataclass(frozen=True, slots=True)
class PodProfile:
    """One pod as the user knows it. `extra` is what its file says and this version does not know."""

    id: str
    name: str
    place: Place
    colour: str = COLOURS[0]
    auth: AuthSettings = AuthSettings()
    certificate: str = ""
    """SHA-256 of the pinned certificate, 64 hex digits; empty: the system's trust. Verification is never off."""
    llm_url: str = ""
    """An OpenAI-compatible endpoint on or near this pod."""
    output_folder: str = ""
    """Where this pod's results go; empty: where all go."""
    idle_minutes: int | None = None
    """The idle guard stops the pod after so many; None: never."""
    ssh: SshSettings | None = None
    extra: Mapping[str, Any] = field(default_factory=dict, hash=False, repr=False)

    @property
    def through_ssh(self) -> bool:
        return self.place.kind is PlaceKind.SSH or self.place.tunnel


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a profile cannot be used; `field` is the one to correct ("ssh.port")."""

    field: str
    message: str


class ProfileError(KnownError):
    """A profile that cannot be stored or found. `problems` name the fields, where it is about fields."""

    exit_code = 2

    def __init__(self, what: str, why: str = "", advice: str = "", problems: tuple[Problem, ...] = ()) -> None:
        super().__init__(what, why, advice)
        self.problems = problems


class MissingSecretError(AuthError):
    """The profile needs a secret that is not kept here. `item` is its name in the keyring."""

    def __init__(self, profile: PodProfile, item: str) -> None:
        what = f"The password or key of {profile.name} is not stored on this computer"
        super().__init__(what, "", "Open the pod's profile and type it there")
        self.item = item


def new_id() -> str:
    return str(uuid.uuid4())


def secret_items(profile: PodProfile) -> tuple[str, ...]:
    """The items of the keyring that belong to the profile, whether they are set or not."""
    items = [credentials.auth_item(profile.id), credentials.llm_item(profile.id)]
    items += [credentials.ssh_password_item(profile.id), credentials.ssh_passphrase_item(profile.id)]
    items += [credentials.header_item(profile.id, name) for name in profile.auth.headers]
    return tuple(items)


def auth_items(profile: PodProfile) -> tuple[str, ...]:
    """Those without which `address` raises MissingSecretError."""
    if profile.place.kind is PlaceKind.SERVERLESS and not profile.place.url:
        return (credentials.api_key_item(profile.place.kind.account),)
    if profile.auth.kind is AuthKind.NONE:
        return ()
    if profile.auth.kind is AuthKind.HEADERS:
        return tuple(credentials.header_item(profile.id, name) for name in profile.auth.headers)
    return (credentials.auth_item(profile.id),)


def address(profile: PodProfile, url: str, secrets: Mapping[str, Secret]) -> Address:
    """The client's Address: `url` is where the pod is now, `secrets` by item. Raises MissingSecretError, UsageError."""
    values = {}
    for item in auth_items(profile):
        if not secrets.get(item):
            raise MissingSecretError(profile, item)
        values[item] = secrets[item].reveal()
    # Inside a tunnel the host key vouches for the pod, and ComfyUI speaks plain http.
    pin = profile.certificate if profile.certificate and not profile.through_ssh else None
    found = Address.parse(url, fingerprint=pin)
    return found.with_auth(_auth(profile, values))


def _auth(profile: PodProfile, values: Mapping[str, str]) -> Auth:
    settings = profile.auth
    if settings.kind is AuthKind.HEADERS:
        names = {credentials.header_item(profile.id, name): name for name in settings.headers}
        return Auth.of_headers({names[item]: value for item, value in values.items()})
    value = next(iter(values.values()), "")
    if profile.place.kind is PlaceKind.SERVERLESS:
        return Auth.bearer(value)
    match settings.kind:
        case AuthKind.BASIC:
            return Auth.basic(settings.user, value)
        case AuthKind.BEARER:
            return Auth.bearer(value)
        case AuthKind.API_KEY:
            return Auth.of_headers({settings.name: value})
        case AuthKind.COOKIE:
            return Auth.cookie(value)
        case AuthKind.QUERY:
            return Auth.query_token(value, settings.name)
        case _:
            return Auth()


def way_of(profile: PodProfile) -> tuple[object, ...]:
    """What a connection depends on, besides secrets. Another one: connect anew."""
    ssh = profile.ssh and replace(profile.ssh, host_key="")  # pinned while the tunnel stands
    return profile.place, profile.auth, profile.certificate, ssh


def to_forget(old: PodProfile, new: PodProfile) -> tuple[str, ...]:
    """Items whose secrets would now travel to another machine than the one they were given for."""
    items: tuple[str, ...] = ()
    where = [(_origin(profile.place.url), profile.place.kind, profile.place.pod) for profile in (old, new)]
    servers = [(profile.ssh.host, profile.ssh.user) if profile.ssh else ("", "") for profile in (old, new)]
    if where[0] != where[1] or (new.through_ssh and servers[0] != servers[1]):
        mine = set(secret_items(old)) | set(secret_items(new))  # the account's key stays: others use it, too
        items += tuple(item for item in dict.fromkeys((*auth_items(old), *auth_items(new))) if item in mine)
    if where[0] != where[1] or servers[0] != servers[1]:
        items += (credentials.ssh_password_item(new.id),)
    if _origin(old.llm_url) != _origin(new.llm_url):
        items += (credentials.llm_item(new.id),)
    return items


def _origin(url: str) -> str:
    try:
        return Address.parse(url).origin if url else ""
    except UsageError:
        return url
