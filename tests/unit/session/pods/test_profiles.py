"""Profiles: what makes one valid, which secrets it needs, and that it holds none of them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from comfydesk import credentials
from comfydesk.credentials import Secret
from comfydesk.session.pods.places import COMFY_CLOUD
from comfydesk.session.pods.profile_checks import checked, normalised, problems, warnings
from comfydesk.session.pods.profiles import (
    AuthKind,
    AuthSettings,
    MissingSecretError,
    Place,
    PlaceKind,
    PodProfile,
    ProfileError,
    SshSettings,
    address,
    auth_items,
    new_id,
    secret_items,
    to_forget,
)

ID = "0b5e8c1e-8f0f-4b53-9d3c-3f2a6f9a2c11"
TOKEN = "t0ken"
PIN = "ab" * 32
HOST_KEY = "ssh-ed25519 SHA256:" + "A" * 43


def a_profile(**changes: Any) -> PodProfile:
    return replace(PodProfile(ID, "studio", Place(PlaceKind.URL, url="https://pod.example.com")), **changes)


@pytest.mark.parametrize(
    "profile",
    [
        a_profile(),
        a_profile(place=Place(PlaceKind.LAN, url="http://192.168.1.20:8188")),
        a_profile(place=Place(PlaceKind.RUNPOD, pod="abc123xyz"), idle_minutes=30),
        a_profile(place=Place(PlaceKind.RUNPOD, pod="abc123xyz", tunnel=True), ssh=SshSettings(key_file="~/.ssh/id")),
        a_profile(place=Place(PlaceKind.VAST, pod="10441302", port=18188, tls=True), certificate=PIN),
        a_profile(place=Place(PlaceKind.SSH), ssh=SshSettings("10.0.0.7", 2222, "ubuntu", "~/.ssh/id", HOST_KEY)),
        a_profile(place=Place(PlaceKind.COMFY, url=COMFY_CLOUD), auth=AuthSettings(AuthKind.BEARER)),
        a_profile(place=Place(PlaceKind.COMFY, url="http://127.0.0.1:8189", nodes_of=ID)),
        a_profile(place=Place(PlaceKind.SERVERLESS, pod="abc123xyz456")),
        a_profile(auth=AuthSettings(AuthKind.HEADERS, headers=("CF-Access-Client-Id", "CF-Access-Client-Secret"))),
        a_profile(llm_url="http://192.168.1.20:11434/v1", output_folder="~/Pictures"),
    ],
)
def test_valid_profiles(profile: PodProfile) -> None:
    assert problems(profile) == ()
    assert checked(profile) == profile


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 61}, "name"),
        ({"name": "demo"}, "name"),
        ({"name": "Demo"}, "name"),
        ({"name": "http://x"}, "name"),
        ({"name": "-p"}, "name"),
        ({"name": "a\x1b[31m"}, "name"),
        ({"colour": "red"}, "colour"),
        ({"place": Place(PlaceKind.URL, url="")}, "url"),
        ({"place": Place(PlaceKind.URL, url="ftp://pod")}, "url"),
        ({"place": Place(PlaceKind.URL, url="https://me:pass@pod.example.com")}, "url"),
        ({"place": Place(PlaceKind.URL, url="https://pod.example.com/?token=abc")}, "url"),
        ({"place": Place(PlaceKind.URL, url="http://pod.example.com"), "certificate": PIN}, "certificate"),
        ({"place": Place(PlaceKind.RUNPOD, pod="")}, "pod"),
        ({"place": Place(PlaceKind.RUNPOD, pod="ABC/..")}, "pod"),
        ({"place": Place(PlaceKind.VAST, pod="abc")}, "pod"),
        ({"place": Place(PlaceKind.RUNPOD, pod="abc123", port=0)}, "port"),
        ({"place": Place(PlaceKind.RUNPOD, pod="abc123", tunnel=True)}, "ssh.host"),
        ({"place": Place(PlaceKind.SSH)}, "ssh.host"),
        ({"place": Place(PlaceKind.SSH), "ssh": SshSettings()}, "ssh.host"),
        ({"ssh": SshSettings("-oProxyCommand=x")}, "ssh.host"),
        ({"ssh": SshSettings("ssh.runpod.io")}, "ssh.host"),
        ({"ssh": SshSettings("a", 70000)}, "ssh.port"),
        ({"ssh": SshSettings("a", local_port=-1)}, "ssh.local_port"),
        ({"ssh": SshSettings("a", user="-l")}, "ssh.user"),
        ({"ssh": SshSettings("a", key_file="a\nb")}, "ssh.key_file"),
        ({"ssh": SshSettings("a", host_key="SHA256:short")}, "ssh.host_key"),
        ({"auth": AuthSettings(AuthKind.BASIC)}, "auth.user"),
        ({"auth": AuthSettings(AuthKind.BASIC, user="a:b")}, "auth.user"),
        ({"auth": AuthSettings(AuthKind.QUERY, name="a&b")}, "auth.name"),
        ({"auth": AuthSettings(AuthKind.API_KEY, name="Host")}, "auth.name"),
        ({"auth": AuthSettings(AuthKind.API_KEY)}, "auth.name"),
        ({"auth": AuthSettings(AuthKind.HEADERS)}, "auth.headers"),
        ({"auth": AuthSettings(AuthKind.HEADERS, headers=("X-A", "x-a"))}, "auth.headers"),
        ({"auth": AuthSettings(AuthKind.HEADERS, headers=("X A",))}, "auth.headers"),
        ({"certificate": "abc"}, "certificate"),
        ({"llm_url": "gopher://x"}, "llm_url"),
        ({"llm_url": "https://me:pass@x"}, "llm_url"),
        ({"output_folder": "relative"}, "output_folder"),
        ({"idle_minutes": 30}, "idle_minutes"),
        ({"place": Place(PlaceKind.RUNPOD, pod="abc123"), "idle_minutes": 0}, "idle_minutes"),
        ({"id": "not a uuid"}, "id"),
    ],
)
def test_each_mistake_names_its_field(changes: Mapping[str, Any], field: str) -> None:
    wrong = replace(a_profile(), **changes)
    assert field in [problem.field for problem in problems(wrong)]
    with pytest.raises(ProfileError) as refused:
        checked(wrong)
    assert field in [problem.field for problem in refused.value.problems]


def test_stored_form() -> None:
    profile = normalised(
        a_profile(
            name="  my \n pod ",
            place=Place(PlaceKind.URL, url=" HTTPS://Pod.Example.com:443/comfy/api/prompt ", port=1, pod="x"),
            colour="#4C8BF5",
            certificate=":".join(["AB"] * 32),
            ssh=SshSettings(" host ", user=" root "),
        )
    )
    assert (profile.name, profile.place) == ("my pod", Place(PlaceKind.URL, url="https://pod.example.com/comfy"))
    assert (profile.colour, profile.certificate) == ("#4c8bf5", PIN)
    assert profile.ssh == SshSettings("host")


@pytest.mark.parametrize(
    ("auth", "headers", "query"),
    [
        (AuthSettings(), (), ()),
        (AuthSettings(AuthKind.BASIC, user="me"), (("Authorization", "Basic bWU6dDBrZW4="),), ()),
        (AuthSettings(AuthKind.BEARER), (("Authorization", f"Bearer {TOKEN}"),), ()),
        (AuthSettings(AuthKind.API_KEY, name="X-API-Key"), (("X-API-Key", TOKEN),), ()),
        (AuthSettings(AuthKind.COOKIE), (("Cookie", TOKEN),), ()),
        (AuthSettings(AuthKind.QUERY, name="token"), (), (("token", TOKEN),)),
        (AuthSettings(AuthKind.HEADERS, headers=("X-A", "X-B")), (("X-A", TOKEN), ("X-B", TOKEN)), ()),
    ],
)
def test_the_clients_address(auth: AuthSettings, headers: object, query: object) -> None:
    profile = a_profile(auth=auth, certificate=PIN)
    secrets = {item: Secret(TOKEN) for item in auth_items(profile)}
    found = address(profile, "https://10.0.0.7:41001", secrets)
    assert (found.origin, found.headers, found.query) == ("https://10.0.0.7:41001", headers, query)
    assert found.fingerprint == PIN
    assert TOKEN not in repr(found) + repr(profile)


def test_a_secret_that_is_not_there_is_named() -> None:
    profile = a_profile(auth=AuthSettings(AuthKind.HEADERS, headers=("X-A", "X-B")))
    with pytest.raises(MissingSecretError, match="studio is not stored") as missing:
        address(profile, profile.place.url, {credentials.header_item(ID, "X-A"): Secret(TOKEN)})
    assert missing.value.item == credentials.header_item(ID, "X-B")


def test_all_that_must_go_with_a_removed_profile() -> None:
    profile = a_profile(auth=AuthSettings(AuthKind.HEADERS, headers=("X-A",)))
    assert set(secret_items(profile)) == {
        f"pod/{ID}/auth",
        f"pod/{ID}/llm",
        f"pod/{ID}/ssh-password",
        f"pod/{ID}/ssh-passphrase",
        f"pod/{ID}/header/X-A",
    }


def test_a_secret_does_not_move_to_another_machine() -> None:
    old = a_profile(auth=AuthSettings(AuthKind.BEARER), llm_url="http://10.0.0.1:11434")
    assert to_forget(old, replace(old, name="other", colour="#000000")) == ()
    assert to_forget(old, replace(old, place=Place(PlaceKind.URL, url="https://pod.example.com/comfy"))) == ()
    elsewhere = replace(old, place=Place(PlaceKind.URL, url="https://evil.example.com"))
    assert to_forget(old, elsewhere) == (credentials.auth_item(ID), credentials.ssh_password_item(ID))
    assert to_forget(old, replace(old, llm_url="http://10.0.0.2:11434")) == (credentials.llm_item(ID),)


def test_an_ssh_password_does_not_move_to_another_server() -> None:
    old = a_profile(place=Place(PlaceKind.SSH), ssh=SshSettings("a"), auth=AuthSettings(AuthKind.BEARER))
    assert to_forget(old, replace(old, ssh=SshSettings("a", 2222, key_file="k"))) == ()
    moved = to_forget(old, replace(old, ssh=SshSettings("b")))
    assert moved == (credentials.auth_item(ID), credentials.ssh_password_item(ID))


@pytest.mark.parametrize(
    ("place", "words"),
    [
        (Place(PlaceKind.URL, url="http://pod.example.com"), "unencrypted"),
        (Place(PlaceKind.VAST, pod="1"), "unencrypted"),
    ],
)
def test_a_token_in_the_clear_is_warned_of(place: Place, words: str) -> None:
    profile = a_profile(place=place, auth=AuthSettings(AuthKind.BEARER))
    assert words in " ".join(warnings(profile))


def test_no_warning_where_none_is_due() -> None:
    bearer = AuthSettings(AuthKind.BEARER)
    assert warnings(a_profile(auth=bearer)) == ()
    assert warnings(a_profile(place=Place(PlaceKind.LAN, url="http://192.168.1.20:8188"), auth=bearer)) == ()
    assert warnings(a_profile(place=Place(PlaceKind.VAST, pod="1", tls=True), auth=bearer)) == ()


def test_an_open_runpod_proxy_is_warned_of() -> None:
    assert "asks nobody for a password" in " ".join(warnings(a_profile(place=Place(PlaceKind.RUNPOD, pod="abc123"))))


def test_ids_are_canonical_uuids() -> None:
    assert new_id() != new_id()
    assert problems(replace(a_profile(), id=new_id())) == ()


def test_an_endpoint_gets_the_accounts_key_and_an_api_elsewhere_never_does() -> None:
    endpoint = checked(a_profile(place=Place(PlaceKind.SERVERLESS, pod="abc123xyz456")))
    stranger = checked(a_profile(place=Place(PlaceKind.SERVERLESS, pod="abc123xyz456", url="https://evil.example/v2")))
    assert auth_items(endpoint) == ("host/runpod/api-key",)
    assert endpoint.place.own_url == "https://api.runpod.ai/v2/abc123xyz456"
    assert auth_items(stranger) == (f"pod/{ID}/auth",)
    assert f"pod/{ID}/auth" in to_forget(endpoint, stranger)
    assert "host/runpod/api-key" not in to_forget(endpoint, stranger), "other profiles use it, too"


def test_comfy_cloud_wants_a_key_and_a_key_wants_https() -> None:
    cloud = checked(a_profile(place=Place(PlaceKind.COMFY)))
    assert (cloud.place.url, cloud.auth.kind) == (COMFY_CLOUD, AuthKind.BEARER)
    plain = a_profile(place=Place(PlaceKind.COMFY, url="http://proxy.example.org"))
    assert [problem.field for problem in problems(plain)] == ["url"]
