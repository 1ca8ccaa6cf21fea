"""What can be done about a step that failed, as a button. PURE: a step and a profile in, an offer out."""

import re
from dataclasses import dataclass, replace
from enum import StrEnum

from comfydesk.credentials import CredentialsError
from comfydesk.errors import AuthError, KnownError, UsageError
from comfydesk.qt.theme.language import mark, tr
from comfydesk.session.pods.profiles import MissingSecretError, Place, PlaceKind, PodProfile, SshSettings
from comfydesk.session.pods.terms import (
    COMFYUI_PORT,
    Address,
    HostKeyChangedError,
    HostKeyUnknownError,
    JupyterError,
    PodStoppedError,
    PortNotExposedError,
    ProbeStep,
    SpeaksTlsError,
    Step,
    UntrustedError,
)

TITLES = {
    Step.HOST: mark("Ask the provider"),
    Step.SSH: mark("Open the SSH tunnel"),
    Step.DNS: mark("Find the address"),
    Step.TCP: mark("Reach the host"),
    Step.TLS: mark("Secure the line"),
    Step.HTTP: mark("Get an answer"),
    Step.AUTH: mark("Sign in"),
    Step.COMFYUI: mark("Find ComfyUI"),
    Step.WEBSOCKET: mark("Live updates"),
    Step.CATALOG: mark("Read the node catalogue"),
}
COMMON = (Step.DNS, Step.TCP, Step.TLS, Step.HTTP, Step.AUTH, Step.COMFYUI, Step.WEBSOCKET, Step.CATALOG)
PORT_STEPS = frozenset({Step.HOST, Step.SSH, Step.TCP, Step.HTTP, Step.COMFYUI})
"""Those that may have failed because ComfyUI is on another port."""


class Action(StrEnum):
    """What a fix does, beyond another profile."""

    PROFILE = "profile"
    """Try the changed profile."""
    TRUST = "trust"
    """Pin the SSH host key that was offered."""
    SIGN_IN = "sign-in"
    """The user has to type something."""
    PIN = "pin"
    """Pin the certificate."""
    START = "start"
    """Start the pod at its provider."""


@dataclass(frozen=True, slots=True)
class Fix:
    """`words` are the button's; `field` is the one that is wrong, `remark` goes below it."""

    words: str
    action: Action
    profile: PodProfile | None = None
    value: str = ""
    field: str = ""
    remark: str = ""


def steps_of(profile: PodProfile) -> tuple[Step, ...]:
    """The steps that a test of it takes, in order."""
    if profile.place.kind.engine:
        return (Step.HTTP, Step.AUTH, Step.CATALOG)
    first: tuple[Step, ...] = (Step.HOST,) if profile.place.kind.rented else ()
    return first + ((Step.SSH,) if profile.through_ssh else ()) + COMMON


def fix_for(step: ProbeStep, profile: PodProfile, *, saved: bool) -> Fix | None:
    """The most likely remedy; None: there is none that a button could carry out.

    `saved`: the profile is stored, so that its pod can be started.
    """
    error = step.error
    if error is None or isinstance(error, HostKeyChangedError):
        return None  # a changed key is a hard stop: no button leads past it
    if isinstance(error, HostKeyUnknownError):
        return Fix(tr("Trust this key"), Action.TRUST)
    if isinstance(error, PodStoppedError) and profile.place.kind.rented:
        return Fix(tr("Start the pod"), Action.START) if saved else None
    if isinstance(error, MissingSecretError | CredentialsError):
        return Fix(tr("Type it"), Action.SIGN_IN)
    if step.step is Step.AUTH or (step.step is Step.SSH and isinstance(error, AuthError)):
        return _sign_in(step, profile)
    found = _another_scheme(error, profile) or _certificate(error)
    return found or (_another_port(error, profile) if step.step in PORT_STEPS else None)


def _sign_in(step: ProbeStep, profile: PodProfile) -> Fix:
    if step.step is Step.SSH:
        return Fix(
            tr("Choose another key"), Action.SIGN_IN, field="ssh.key_file", remark=tr("The server did not accept it")
        )
    asks = tr("Add a sign-in") if profile.auth.kind == "none" else tr("Type it again")
    return Fix(asks, Action.SIGN_IN)


def _certificate(error: KnownError) -> Fix | None:
    if not isinstance(error, UntrustedError):
        return None
    return Fix(tr("Trust this certificate only"), Action.PIN, value=error.fingerprint)


def _another_scheme(error: KnownError, profile: PodProfile) -> Fix | None:
    if not isinstance(error, SpeaksTlsError) or not profile.place.url:
        return None
    url = re.sub(r"\Ahttp://", "", profile.place.url)
    return Fix(tr("Use https"), Action.PROFILE, replace(profile, place=replace(profile.place, url=f"https://{url}")))


def _another_port(error: KnownError, profile: PodProfile) -> Fix | None:
    """ComfyUI's usual port, where another one was tried; the pod's SSH, where the usual one has no way out."""
    port, moved = _moved(profile)
    remark = (
        tr("JupyterLab answers on this port")
        if isinstance(error, JupyterError)
        else tr("Nothing of ComfyUI is on this port")
    )
    field = "port" if profile.place.kind.rented or profile.place.kind is PlaceKind.SSH else "url"
    if moved is not None and port != COMFYUI_PORT:
        return Fix(
            tr("Use port {port}", port=COMFYUI_PORT),
            Action.PROFILE,
            replace(profile, place=moved),
            field=field,
            remark=remark,
        )
    if isinstance(error, PortNotExposedError) and not profile.through_ssh:
        place = replace(profile.place, tunnel=True)
        return Fix(
            tr("Go through SSH"), Action.PROFILE, replace(profile, place=place, ssh=profile.ssh or SshSettings())
        )
    return None


def _moved(profile: PodProfile) -> tuple[int, Place | None]:
    """The port that was tried, and the same place with ComfyUI's."""
    place = profile.place
    if place.kind not in (PlaceKind.URL, PlaceKind.LAN):
        return place.port, replace(place, port=COMFYUI_PORT)
    try:
        found = Address.parse(place.url)
    except UsageError:
        return COMFYUI_PORT, None
    if not re.search(r":\d+(/|\Z)", place.url):
        return COMFYUI_PORT, None  # a name without a port is a proxy's business
    url = re.sub(r":\d+(?=/|\Z)", f":{COMFYUI_PORT}", place.url, count=1)
    return found.port, replace(place, url=url)
