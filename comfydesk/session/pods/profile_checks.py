"""What makes a profile one that can be stored and used: its stored form, what is wrong with it, what to beware of."""

import re
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import PurePath

from comfydesk.client.address import Address, Auth, clean_fingerprint
from comfydesk.errors import UsageError
from comfydesk.session.pods.places import COMFY_CLOUD, SERVERLESS_API, Place, PlaceKind
from comfydesk.session.pods.profiles import (
    MAX_IDLE_MINUTES,
    AuthKind,
    AuthSettings,
    PodProfile,
    Problem,
    ProfileError,
    SshSettings,
)

MAX_HEADERS = 20
RESERVED_NAMES = frozenset({"demo"})
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.:_-]{0,251}[A-Za-z0-9])?\Z")
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}\Z")
_HOST_KEY = re.compile(r"((ssh|ecdsa|sk-ssh|sk-ecdsa)-[a-z0-9@.-]{2,60} )?SHA256:[A-Za-z0-9+/]{43}\Z")
_RUNPOD_ID = re.compile(r"[a-z0-9][a-z0-9-]{2,62}\Z")
_VAST_ID = re.compile(r"[0-9]{1,18}\Z")
_ENDPOINT_ID = re.compile(r"[a-z0-9][a-z0-9-]{5,62}\Z")
_PARAMETER = re.compile(r"[A-Za-z0-9_.-]{1,60}\Z")


def normalised(profile: PodProfile) -> PodProfile:
    """The same profile as it is stored: trimmed, URLs in one form, digits of the certificate in one form.

    Values that cannot be read, or hold credentials, stay as they are; `problems` names them.
    """
    if profile.place.kind.engine:
        profile = _normalised_engine(profile)
    place, ssh = profile.place, profile.ssh
    if place.kind in (PlaceKind.URL, PlaceKind.LAN):
        place = Place(place.kind, _tidy(place.url, _plain_url))
    if ssh is not None:
        ssh = replace(ssh, host=ssh.host.strip(), user=ssh.user.strip(), key_file=ssh.key_file.strip())
    return replace(
        profile,
        name=" ".join(profile.name.split()),
        place=replace(place, pod=place.pod.strip()),
        colour=profile.colour.lower(),
        certificate=_tidy(profile.certificate, lambda pin: clean_fingerprint(pin) or ""),
        llm_url=_tidy(profile.llm_url, _plain_url),
        output_folder=profile.output_folder.strip(),
        ssh=ssh,
    )


def _normalised_engine(profile: PodProfile) -> PodProfile:
    """Comfy Cloud and a foreign API need a key of the profile's own; RunPod's endpoints that of the account."""
    place = profile.place
    url, kind = _tidy(place.url, _plain_url), profile.auth.kind
    if place.kind is PlaceKind.COMFY:
        url = url or COMFY_CLOUD
        kind = AuthKind.BEARER if url == COMFY_CLOUD else kind
    else:
        url = "" if url == SERVERLESS_API else url
        kind = AuthKind.BEARER if url else AuthKind.NONE
    place = Place(place.kind, url, pod=place.pod, nodes_of=place.nodes_of)
    auth = profile.auth if profile.auth.kind is kind else AuthSettings(kind)
    return replace(profile, place=place, auth=auth, ssh=None)


def _plain_url(url: str) -> str:
    parsed = Address.parse(url)
    return url if parsed.auth != Auth() or "@" in url else str(parsed)


def _tidy(value: str, clean: Callable[[str], str]) -> str:
    try:
        return clean(value) if value.strip() else ""
    except UsageError:
        return value


def problems(profile: PodProfile) -> tuple[Problem, ...]:
    """All that is wrong with it, in the order of a dialog; empty: it can be stored and used."""
    return tuple(_problems(profile))


def _problems(profile: PodProfile) -> Iterator[Problem]:
    if not _is_uuid(profile.id):
        yield Problem("id", "It has no proper id")
    if not profile.name or len(profile.name) > 60 or not profile.name.isprintable():
        yield Problem("name", "Give it a name of at most 60 characters")
    elif profile.name.lower() in RESERVED_NAMES or "://" in profile.name or profile.name.startswith("-"):
        yield Problem("name", f"{profile.name} cannot be the name of a profile: it means something else")
    if not re.fullmatch(r"#[0-9a-f]{6}", profile.colour):
        yield Problem("colour", "A colour is # and six hexadecimal digits")
    yield from _place_problems(profile)
    yield from _auth_problems(profile.auth)
    if profile.certificate and not re.fullmatch(r"[0-9a-f]{64}", profile.certificate):
        yield Problem("certificate", "A SHA-256 fingerprint has 64 hexadecimal digits")
    if profile.llm_url:
        yield from _url_problems("llm_url", profile.llm_url)
    folder = profile.output_folder
    if folder and ("\0" in folder or not (folder.startswith("~") or PurePath(folder).is_absolute())):
        yield Problem("output_folder", "Choose a folder by its full path")
    if profile.idle_minutes is not None:
        if not profile.place.kind.rented:
            yield Problem("idle_minutes", "Only pods of RunPod and Vast.ai can be stopped from here")
        elif not 1 <= profile.idle_minutes <= MAX_IDLE_MINUTES:
            yield Problem("idle_minutes", f"Between 1 and {MAX_IDLE_MINUTES} minutes, or never")
    if profile.ssh is not None:
        yield from _ssh_problems(profile, profile.ssh)


def _place_problems(profile: PodProfile) -> Iterator[Problem]:
    place = profile.place
    match place.kind:
        case PlaceKind.URL | PlaceKind.LAN:
            yield from _url_problems("url", place.url)
            if profile.certificate and place.url.startswith("http:"):
                yield Problem("certificate", "http has no certificate: the address must begin with https://")
        case PlaceKind.RUNPOD if not _RUNPOD_ID.match(place.pod):
            yield Problem("pod", "That is no id of a RunPod pod: it has small letters and digits, such as abc123xyz")
        case PlaceKind.VAST if not _VAST_ID.match(place.pod):
            yield Problem("pod", "That is no id of a Vast.ai instance: it has digits only")
        case PlaceKind.COMFY | PlaceKind.SERVERLESS:
            yield from _engine_problems(profile)
        case PlaceKind.VAST if profile.certificate and not place.tls:
            yield Problem("certificate", "Without TLS on its port there is no certificate: turn that on first")
    if not 0 < place.port < 65536:
        yield Problem("port", "A port lies between 1 and 65535")
    if profile.through_ssh and profile.ssh is None:
        yield Problem("ssh.host", "Say how to log in by SSH")


def _engine_problems(profile: PodProfile) -> Iterator[Problem]:
    place = profile.place
    if place.kind is PlaceKind.SERVERLESS and not _ENDPOINT_ID.match(place.pod):
        yield Problem("pod", "That is no id of a RunPod Serverless endpoint: it has small letters and digits")
    if place.url:
        found = tuple(_url_problems("url", place.url))
        yield from found
        if not found and not (where := Address.parse(place.url)).secure and not where.is_local:
            yield Problem("url", "A key would travel unencrypted: the address must begin with https://")
    if profile.auth.kind not in (AuthKind.NONE, AuthKind.BEARER):
        yield Problem("auth.kind", "It takes an API key (bearer) or nothing")


def _url_problems(name: str, url: str) -> Iterator[Problem]:
    try:
        parsed = Address.parse(url)
    except UsageError as error:
        yield Problem(name, str(error))
        return
    if parsed.auth != Auth() or "@" in url:
        yield Problem(
            name, "It contains a password or a token: those go into the fields for them, not into the address"
        )


def _auth_problems(auth: AuthSettings) -> Iterator[Problem]:
    if auth.kind is AuthKind.BASIC and (not auth.user or ":" in auth.user or not auth.user.isprintable()):
        yield Problem("auth.user", "Give a user name without a colon")
    if auth.kind is AuthKind.QUERY and not _PARAMETER.match(auth.name):
        yield Problem("auth.name", "Give the parameter's name, such as token")
    names = (auth.name,) if auth.kind is AuthKind.API_KEY else auth.headers if auth.kind is AuthKind.HEADERS else ()
    where = "auth.name" if auth.kind is AuthKind.API_KEY else "auth.headers"
    if auth.kind is AuthKind.HEADERS and not 0 < len(names) <= MAX_HEADERS:
        yield Problem(where, f"Give one header at least, and at most {MAX_HEADERS}")
    if len({name.lower() for name in names}) < len(names):
        yield Problem(where, "A header is named twice")
    for name in names:
        try:
            Auth.of_headers({name: "x"})
        except UsageError as error:
            yield Problem(where, str(error))


def _ssh_problems(profile: PodProfile, ssh: SshSettings) -> Iterator[Problem]:
    if ssh.host.lower() == "ssh.runpod.io":
        yield Problem("ssh.host", "ssh.runpod.io gives a shell only: take the address under SSH over exposed TCP")
    elif not _HOST.match(ssh.host) and (ssh.host or profile.place.kind is PlaceKind.SSH):
        yield Problem("ssh.host", "Give the name or the IP address of the SSH server")
    if not 0 < ssh.port < 65536:
        yield Problem("ssh.port", "A port lies between 1 and 65535")
    if not 0 <= ssh.local_port < 65536:
        yield Problem("ssh.local_port", "A port lies between 1 and 65535; 0 takes any")
    if not _USER.match(ssh.user):
        yield Problem("ssh.user", "Give the user to log in as, often root")
    if any(ord(character) < 32 for character in ssh.key_file) or len(ssh.key_file) > 4096:
        yield Problem("ssh.key_file", "Choose the file of your private key")
    if ssh.host_key and not _HOST_KEY.match(ssh.host_key):
        yield Problem("ssh.host_key", "A pinned host key looks like: ssh-ed25519 SHA256:… with 43 characters")


def warnings(profile: PodProfile) -> tuple[str, ...]:
    """What the user should know and may accept."""
    found = []
    if profile.place.kind in (PlaceKind.URL, PlaceKind.LAN, PlaceKind.COMFY):
        where = Address.parse(profile.place.url)
        if profile.auth.kind is not AuthKind.NONE and not where.secure and not where.is_local:
            found.append("The password or token travels unencrypted: use https:// or SSH if the pod offers it")
    direct = profile.place.kind is PlaceKind.VAST and not (profile.place.tls or profile.place.tunnel)
    if direct and profile.auth.kind is not AuthKind.NONE:
        found.append("The password or token travels unencrypted: turn on TLS or the SSH tunnel for this pod")
    if profile.place.kind is PlaceKind.RUNPOD and not profile.place.tunnel and profile.auth.kind is AuthKind.NONE:
        found.append("Everyone who knows the pod's address can use it: RunPod's proxy asks nobody for a password")
    return tuple(found)


def checked(profile: PodProfile) -> PodProfile:
    """`profile` in its stored form. Raises ProfileError that names every field to correct."""
    profile = normalised(profile)
    found = problems(profile)
    if found:
        why = "; ".join(f"{problem.field}: {problem.message}" for problem in found)
        what = f"The profile {profile.name or 'without a name'} cannot be used"
        raise ProfileError(what, why, problems=found)
    return profile


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False
