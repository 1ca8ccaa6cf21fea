"""Which button a failed step offers. No widgets."""

from dataclasses import replace

import pytest

from comfydesk.client.answers import JupyterError
from comfydesk.client.probe import ProbeStep, SpeaksTlsError, Step, UntrustedError
from comfydesk.errors import AuthError, KnownError, PodUnreachableError
from comfydesk.hosts.host_key import HostKey, HostKeyChangedError, HostKeyUnknownError
from comfydesk.hosts.protocol import PodStoppedError, PortNotExposedError, SshEndpoint
from comfydesk.hosts.ssh import SshRefusedError
from comfydesk.qt.dialogs.pods.fixes import Action, Fix, fix_for, steps_of
from comfydesk.session.pods.profiles import (
    AuthKind,
    AuthSettings,
    MissingSecretError,
    Place,
    PlaceKind,
    PodProfile,
    SshSettings,
    new_id,
)

LAN = PodProfile(new_id(), "home", Place(PlaceKind.LAN, url="http://192.168.1.20:8888"))
RUNPOD = PodProfile(new_id(), "atlas", Place(PlaceKind.RUNPOD, pod="abc123", port=8188))
SSH = PodProfile(new_id(), "box", Place(PlaceKind.SSH), ssh=SshSettings("192.0.2.1"))
SERVER = SshEndpoint("192.0.2.1")
KEY, OTHER = HostKey("ssh-ed25519", "SHA256:" + "a" * 43), HostKey("ssh-ed25519", "SHA256:" + "b" * 43)
JUPYTER = JupyterError("That port is JupyterLab's, not ComfyUI's", "", "Use ComfyUI's port")


def fix(step: Step, error: KnownError, profile: PodProfile, *, saved: bool = False) -> Fix | None:
    return fix_for(ProbeStep(step, False, str(error), 1.0, error), profile, saved=saved)


def on_port(profile: PodProfile, port: int) -> PodProfile:
    return replace(profile, place=replace(profile.place, port=port))


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        (LAN, "http://192.168.1.20:8188"),
        (
            replace(LAN, place=replace(LAN.place, url="https://pod.example.org:8888/comfy")),
            "https://pod.example.org:8188/comfy",
        ),
    ],
)
def test_another_port_of_the_same_address(profile: PodProfile, expected: str) -> None:
    found = fix(Step.COMFYUI, JUPYTER, profile)
    assert found is not None
    assert (found.words, found.field, found.remark) == ("Use port 8188", "url", "JupyterLab answers on this port")
    assert found.profile is not None
    assert found.profile.place.url == expected


def test_another_port_of_a_rented_pod() -> None:
    found = fix(Step.COMFYUI, JUPYTER, on_port(RUNPOD, 8888))
    assert found is not None
    assert found.profile == on_port(RUNPOD, 8188)
    assert found.field == "port"


def test_the_usual_port_that_is_not_exposed_leads_through_ssh() -> None:
    found = fix(Step.HOST, PortNotExposedError("Port 8188 is not exposed on this pod"), RUNPOD)
    assert found is not None
    assert found.words == "Go through SSH"
    assert found.profile is not None
    assert found.profile.through_ssh
    assert found.profile.ssh == SshSettings()


def test_an_address_without_a_port_is_not_given_one() -> None:
    proxy = replace(LAN, place=Place(PlaceKind.URL, url="https://pod.example.org"))
    assert fix(Step.COMFYUI, JUPYTER, proxy) is None
    assert (
        fix(
            Step.TCP,
            PodUnreachableError("Nobody answers"),
            replace(LAN, place=Place(PlaceKind.LAN, url="http://h:8188")),
        )
        is None
    )


def test_https_instead_of_http() -> None:
    found = fix(Step.HTTP, SpeaksTlsError(), replace(LAN, place=replace(LAN.place, url="http://pod.example.org:8443")))
    assert found is not None
    assert found.profile is not None
    assert found.profile.place.url == "https://pod.example.org:8443"


def test_a_certificate_of_its_own_can_be_pinned() -> None:
    digits = "0f" * 32
    error = UntrustedError(PodUnreachableError("Its certificate is not trusted", "it is self-signed"), digits)
    found = fix(Step.TLS, error, LAN)
    assert found is not None
    assert (found.action, found.value) == (Action.PIN, digits)


def test_signing_in() -> None:
    refused = AuthError("The pod wants other credentials (401)")
    first = fix(Step.AUTH, refused, LAN)
    again = fix(Step.AUTH, refused, replace(LAN, auth=AuthSettings(AuthKind.BEARER)))
    assert first is not None
    assert again is not None
    assert (first.words, again.words) == ("Add a sign-in", "Type it again")
    missing = fix(Step.AUTH, MissingSecretError(LAN, "pod/x/auth"), LAN)
    assert missing is not None
    assert missing.action is Action.SIGN_IN
    key = fix(Step.SSH, SshRefusedError("Login refused"), SSH)
    assert key is not None
    assert key.field == "ssh.key_file"


def test_an_unknown_ssh_key_can_be_trusted_and_a_changed_one_cannot() -> None:
    unknown = fix(Step.SSH, HostKeyUnknownError(SERVER, KEY), SSH)
    assert unknown is not None
    assert unknown.action is Action.TRUST
    assert fix(Step.SSH, HostKeyChangedError(SERVER, OTHER, KEY), SSH) is None


def test_a_stopped_pod_is_started_if_it_is_saved() -> None:
    stopped = PodStoppedError("atlas is stopped")
    found = fix(Step.HOST, stopped, RUNPOD, saved=True)
    assert found is not None
    assert found.action is Action.START
    assert fix(Step.HOST, stopped, RUNPOD, saved=False) is None


def test_the_steps_of_each_kind_of_place() -> None:
    assert steps_of(LAN)[0] is Step.DNS
    assert steps_of(RUNPOD)[:2] == (Step.HOST, Step.DNS)
    assert steps_of(SSH)[:2] == (Step.SSH, Step.DNS)
    tunnelled = replace(RUNPOD, place=replace(RUNPOD.place, tunnel=True))
    assert steps_of(tunnelled)[:3] == (Step.HOST, Step.SSH, Step.DNS)
    assert len(steps_of(LAN)) == 8
