"""From a profile to an address: providers' doubles, a real SSH server, real keys."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from aiohttp import web

from comfydesk.credentials import (
    Secret,
    SessionCredentials,
    api_key_item,
    auth_item,
    header_item,
    ssh_passphrase_item,
)
from comfydesk.hosts.host_key import HostKeyUnknownError
from comfydesk.hosts.protocol import (
    Host,
    HostPod,
    HostPort,
    HostState,
    PodStoppedError,
    SshEndpoint,
    wait_until_running,
)
from comfydesk.hosts.runpod import RunPod
from comfydesk.hosts.ssh import PassphraseError
from comfydesk.hosts.vast import VastAi
from comfydesk.session.pods.profile_checks import checked
from comfydesk.session.pods.profile_file import ProfileBook
from comfydesk.session.pods.profiles import (
    AuthKind,
    AuthSettings,
    MissingSecretError,
    Place,
    PlaceKind,
    PodProfile,
    SshSettings,
    new_id,
    secret_items,
)
from comfydesk.session.pods.reach import Reach, forget, make_host, suggest_from_host
from tests.unit.hosts.fake_apis import KEY, FakeRunPod, FakeVast
from tests.unit.hosts.ssh_pod import PASSPHRASE, Keys, SshPod

OPEN = AuthSettings()
RUNPOD_POD, VAST_POD = "abc123xyz", "10441302"


def profile(place: Place, auth: AuthSettings = OPEN, ssh: SshSettings | None = None) -> PodProfile:
    return checked(PodProfile(new_id(), "studio", place, auth=auth, ssh=ssh))


@asynccontextmanager
async def reaching(pod: PodProfile, kept: SessionCredentials | None = None, url: str = "") -> AsyncIterator[Reach]:
    def on_loopback(kind: PlaceKind, key: Secret) -> Host:
        transport = httpx.AsyncHTTPTransport(verify=False)
        if kind is PlaceKind.RUNPOD:
            return RunPod(key, base_url=f"{url}/v2", transport=transport)
        return VastAi(key, base_url=url, transport=transport)

    reach = Reach(pod, kept or SessionCredentials(), make_host=on_loopback)
    try:
        yield reach
    finally:
        await reach.close()


async def test_a_url_with_its_secret() -> None:
    pod = profile(Place(PlaceKind.URL, url="https://pod.example.com"), AuthSettings(AuthKind.BEARER))
    kept = SessionCredentials({auth_item(pod.id): Secret("t0ken")})
    async with reaching(pod, kept) as reach:
        found = await reach.address()
        assert (found.origin, found.headers) == ("https://pod.example.com", (("Authorization", "Bearer t0ken"),))
        assert await reach.host() is None


async def test_a_missing_secret_is_named() -> None:
    auth = AuthSettings(AuthKind.HEADERS, headers=("X-A",))
    pod = profile(Place(PlaceKind.LAN, url="http://10.0.0.7:8188"), auth)
    async with reaching(pod) as reach:
        with pytest.raises(MissingSecretError) as missing:
            await reach.address()
    assert missing.value.item == header_item(pod.id, "X-A")


async def test_runpods_proxy_needs_no_api_key() -> None:
    async with reaching(profile(Place(PlaceKind.RUNPOD, pod=RUNPOD_POD))) as reach:
        assert (await reach.address()).origin == f"https://{RUNPOD_POD}-8188.proxy.runpod.net"


async def test_with_an_api_key_a_stopped_pod_is_known_to_be_stopped() -> None:
    kept = SessionCredentials({api_key_item("runpod"): Secret(KEY)})
    async with FakeRunPod() as api, reaching(profile(Place(PlaceKind.RUNPOD, pod=RUNPOD_POD)), kept, api.url) as reach:
        assert (await reach.address()).origin == f"https://{RUNPOD_POD}-8188.proxy.runpod.net"
        host = await reach.host()
        assert host is not None
        await host.stop(RUNPOD_POD)
        with pytest.raises(PodStoppedError, match="studio-4090 is stopped"):
            await reach.address()


async def test_vasts_port_is_asked_for_each_time() -> None:
    kept = SessionCredentials({api_key_item("vast"): Secret(KEY)})
    async with FakeVast() as api, reaching(profile(Place(PlaceKind.VAST, pod=VAST_POD)), kept, api.url) as reach:
        before = await reach.address()
        host = await reach.host()
        assert host is not None
        await host.stop(VAST_POD)
        await host.start(VAST_POD)
        await wait_until_running(host, VAST_POD, poll=0)
        after = await reach.address()
        assert (before.host, before.port) == ("70.69.192.6", 41001)
        assert after.port == 42001


async def test_vast_without_an_api_key_says_what_is_missing() -> None:
    async with reaching(profile(Place(PlaceKind.VAST, pod=VAST_POD))) as reach:
        with pytest.raises(MissingSecretError) as missing:
            await reach.address()
    assert missing.value.item == "host/vast/api-key"


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return Keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def pod(keys: Keys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SshPod]:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    with SshPod(keys) as pod:
        yield pod


@asynccontextmanager
async def comfy() -> AsyncIterator[int]:
    """Something that speaks http on the pod; its port."""

    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(text=request.headers.get("Authorization", ""))

    app = web.Application()
    app.router.add_get("/", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


async def test_ssh_from_first_trust_to_an_answer(pod: SshPod) -> None:
    async with comfy() as port:
        ssh = SshSettings("127.0.0.1", pod.port, key_file=str(pod.keys.protected))
        wanted = profile(Place(PlaceKind.SSH, port=port), AuthSettings(AuthKind.BASIC, user="me"), ssh)
        kept = SessionCredentials({auth_item(wanted.id): Secret("pw")})
        async with reaching(wanted, kept) as reach:
            with pytest.raises(PassphraseError):
                await reach.address()
            await kept.set(ssh_passphrase_item(wanted.id), Secret(PASSPHRASE))
            assert reach.tunnel is not None
            reach.tunnel.retry()
            with pytest.raises(HostKeyUnknownError) as unknown:
                await reach.address()
            trusted = reach.trust(unknown.value.offered)
            assert checked(trusted).ssh == replace(ssh, host_key=str(pod.keys.shown(pod.host_key)))
            found = (await reach.address()).origin
            async with httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(verify=False)) as client:
                answer = await client.get(found, headers={"Authorization": "Basic bWU6cHc="})
            assert answer.text == "Basic bWU6cHc="
            assert (await reach.address()).headers == (("Authorization", "Basic bWU6cHc="),)


async def test_a_rented_pods_ssh_is_asked_of_the_provider(pod: SshPod) -> None:
    async with comfy() as port, FakeRunPod() as api:
        api.pods[RUNPOD_POD]["ssh"]["direct"] = {"host": "127.0.0.1", "port": pod.port, "user": "root"}
        ssh = SshSettings(key_file=str(pod.keys.user), host_key=str(pod.keys.shown(pod.host_key)))
        wanted = profile(Place(PlaceKind.RUNPOD, pod=RUNPOD_POD, port=port, tunnel=True), ssh=ssh)
        kept = SessionCredentials({api_key_item("runpod"): Secret(KEY)})
        async with reaching(wanted, kept, api.url) as reach:
            first = await reach.address()
            assert first.host == "127.0.0.1"
            assert (await reach.address()) == first


def shown(ports: tuple[HostPort, ...], ssh: SshEndpoint | None = None) -> HostPod:
    return HostPod("abc123xyz", "studio", HostState.RUNNING, "RUNNING", "RTX 4090", 2, 1.38, ports=ports, ssh=ssh)


def test_a_pod_of_the_list_becomes_a_profile() -> None:
    book = ProfileBook().add(profile(Place(PlaceKind.LAN, url="http://10.0.0.7")))
    found = suggest_from_host(PlaceKind.RUNPOD, shown((HostPort(8188, None, "http"),)), book)
    assert found.profile is not None
    assert found.recognised == "studio, running, 2x RTX 4090, $1.38/h"
    assert (found.profile.name, found.profile.place.port, found.notes) == ("studio 2", 8188, ())
    assert checked(found.profile) == found.profile


def test_another_usual_port_or_ssh_is_taken_where_8188_is_not_shown() -> None:
    other = suggest_from_host(PlaceKind.VAST, replace(shown((HostPort(18188, 41001, "tcp"),)), id="7"), ProfileBook())
    assert other.profile is not None
    assert (other.profile.place.port, other.profile.place.tunnel) == (18188, False)
    by_ssh = suggest_from_host(PlaceKind.RUNPOD, shown((), SshEndpoint("1.2.3.4", 22022)), ProfileBook())
    assert by_ssh.profile is not None
    assert by_ssh.profile.through_ssh
    assert "SSH server" in by_ssh.notes[0]
    none = suggest_from_host(PlaceKind.RUNPOD, shown(()), ProfileBook())
    assert "add it at the provider" in none.notes[0]


async def test_a_removed_profile_leaves_no_secret() -> None:
    pod = profile(Place(PlaceKind.LAN, url="http://10.0.0.7"), AuthSettings(AuthKind.HEADERS, headers=("X-A",)))
    kept = SessionCredentials({item: Secret("x") for item in secret_items(pod)})
    await forget(pod, kept)
    assert [await kept.get(item) for item in secret_items(pod)] == [None] * 5


async def test_the_real_clients_are_those_of_the_providers() -> None:
    for kind, label in ((PlaceKind.RUNPOD, "RunPod"), (PlaceKind.VAST, "Vast.ai")):
        host = make_host(kind, Secret(KEY))
        assert host.label == label
        await host.close()
