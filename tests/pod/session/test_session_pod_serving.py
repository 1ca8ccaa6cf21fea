"""A language model set up on a pod: over a real SSH connection, with real curl and a stand-in for llama-server."""

import hashlib
import json
import shutil
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from comfydesk.credentials import HUB_TOKEN, Secret, SessionCredentials, llm_item
from comfydesk.demo.server import DemoPod
from comfydesk.errors import LlmError, UsageError
from comfydesk.llm.hub import Hub
from comfydesk.llm.models import CURATED, CuratedModel
from comfydesk.llm.pod_server import ServerState
from comfydesk.paths import Paths
from comfydesk.session.enhancement import pod_serving
from comfydesk.session.enhancement.pod_serving import PodServing
from comfydesk.session.enhancement.values import Choice, EnhanceRequest, Finished
from comfydesk.session.pods.profile_checks import checked
from comfydesk.session.pods.profiles import Place, PlaceKind, PodProfile, SshSettings, new_id
from comfydesk.session.pods.reach import Reach
from comfydesk.session.session import Session
from comfydesk.session.values import PodTarget
from comfydesk.settings import LLM_POD_FOLDER, LLM_POD_PORT, LLM_POD_PROGRAM, LLM_SERVERS, Settings
from tests.unit.hosts.ssh_pod import Keys, SshPod
from tests.unit.llm import fake_llama_server
from tests.unit.llm.model_hub import ModelHub

pytestmark = pytest.mark.skipif(not (shutil.which("curl") and shutil.which("sha256sum")), reason="no curl here")

REPLY = "A tabby cat sleeps on a red sofa in warm evening light."
MODEL = json.dumps({"reply": REPLY}).encode()
SMALL = replace(CURATED[0], size=len(MODEL), sha256=hashlib.sha256(MODEL).hexdigest())
OTHER = replace(SMALL, id=CURATED[1].id, file="other.gguf")


def find(model_id: str) -> CuratedModel:
    return {SMALL.id: SMALL, OTHER.id: OTHER}[model_id]


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshPod]:
    with SshPod(Keys(tmp_path_factory.mktemp("keys"))) as pod:
        yield pod


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A pod's folder, port and llama-server of this test's own."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    monkeypatch.setattr(pod_serving, "POLL", 0.05)
    monkeypatch.setattr(pod_serving, "GRACE", 0.1)
    made = Settings(tmp_path / "settings.toml")
    made.set(LLM_POD_FOLDER, str(tmp_path / "workspace"))
    made.set(LLM_POD_PROGRAM, str(fake_llama_server.install(tmp_path)))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        made.set(LLM_POD_PORT, int(taken.getsockname()[1]))
    return made


def profile_of(box: SshPod, port: int = 8188) -> PodProfile:
    shown = str(box.keys.shown(box.host_key))
    ssh = SshSettings("127.0.0.1", box.port, key_file=str(box.keys.user), host_key=shown)
    return checked(PodProfile(new_id(), "box", Place(PlaceKind.SSH, port=port), ssh=ssh))


@asynccontextmanager
async def serving_of(settings: Settings, hub: ModelHub, vault: SessionCredentials) -> AsyncIterator[PodServing]:
    async def place() -> Hub:
        return Hub(hub.url, await vault.get(HUB_TOKEN))

    made = PodServing(vault, settings, place, find=find)
    try:
        yield made
    finally:
        await made.close()


async def test_fetched_started_asked_and_stopped(box: SshPod, settings: Settings, paths: Paths, tmp_path: Path) -> None:
    vault, profile = SessionCredentials(), profile_of(box)
    async with ModelHub(MODEL) as hub, serving_of(settings, hub, vault) as serving:
        assert (await serving.status(profile, SMALL.id)).state is ServerState.ABSENT
        with pytest.raises(LlmError, match="Download it there first"):
            await serving.start(profile, SMALL.id)
        seen: list[tuple[int, int]] = []
        await serving.fetch(profile, SMALL.id, lambda done, total: seen.append((done, total)))
        assert all(total == len(MODEL) for _, total in seen)
        assert (tmp_path / "workspace" / SMALL.id / SMALL.file).read_bytes() == MODEL
        assert (await serving.status(profile, SMALL.id)).state is ServerState.STOPPED
        await serving.start(profile, SMALL.id)
        try:
            await serving.wait_ready(profile, 20)
            assert (await serving.status(profile, SMALL.id)).state is ServerState.RUNNING
            assert settings.texts(LLM_SERVERS) == {profile.id: SMALL.id}
            found = await serving.endpoint(profile)
            assert found is not None
            assert (found.name, found.model) == ("box", SMALL.id)
            key = await vault.get(f"{llm_item(profile.id)}-server")
            assert key is not None
            assert key.reveal() not in (tmp_path / "settings.toml").read_text()
        finally:
            await serving.stop(profile, SMALL.id)
        assert (await serving.status(profile, SMALL.id)).state is ServerState.STOPPED
        assert await serving.endpoint(profile) is None


async def test_another_model_takes_the_place_of_the_first(box: SshPod, settings: Settings) -> None:
    profile = profile_of(box)
    async with ModelHub(MODEL) as hub, serving_of(settings, hub, SessionCredentials()) as serving:
        for model in (SMALL, OTHER):
            await serving.fetch(profile, model.id)
        await serving.start(profile, SMALL.id)
        await serving.start(profile, OTHER.id)
        try:
            assert (await serving.status(profile, SMALL.id)).state is ServerState.STOPPED
            assert (await serving.status(profile, OTHER.id)).state is ServerState.RUNNING
            await serving.wait_ready(profile, 20)
        finally:
            await serving.stop(profile, OTHER.id)


async def test_another_key_is_told_at_once_and_a_new_start_mends_it(box: SshPod, settings: Settings) -> None:
    """The keyring was emptied, or another computer started the server."""
    profile, vault = profile_of(box), SessionCredentials()
    async with ModelHub(MODEL) as hub, serving_of(settings, hub, vault) as serving:
        await serving.fetch(profile, SMALL.id)
        await serving.start(profile, SMALL.id)
        try:
            await serving.wait_ready(profile, 20)
            await vault.set(f"{llm_item(profile.id)}-server", Secret("another"))
            with pytest.raises(LlmError, match="started with another key"):
                await serving.wait_ready(profile, 20)
            await serving.start(profile, SMALL.id)
            await serving.wait_ready(profile, 20)
        finally:
            await serving.stop(profile, SMALL.id)


async def test_the_token_goes_to_the_hub_in_no_command(box: SshPod, settings: Settings) -> None:
    vault = SessionCredentials({HUB_TOKEN: Secret("hf_of_the_user")})
    async with ModelHub(MODEL) as hub, serving_of(settings, hub, vault) as serving:
        await serving.fetch(profile_of(box), SMALL.id)
        assert {token for _, token in hub.asked} == {"Bearer hf_of_the_user"}


async def test_enhanced_by_what_was_set_up_also_by_the_next_start(
    box: SshPod, settings: Settings, paths: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The window is closed and opened again: the server still runs, and a new tunnel leads there."""
    monkeypatch.setattr(PodServing.__init__, "__kwdefaults__", {"find": find})
    async with DemoPod(folder=tmp_path / "pod", speed=50) as pod, ModelHub(MODEL) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        profile = profile_of(box, pod.port)
        secrets = SessionCredentials()
        for start in (True, False):
            async with Session(paths, settings) as session:
                await session.connect(PodTarget(profile.id, "box", None, profile, route=Reach(profile, secrets)))
                session.profiles.vault.lend(secrets_of(profile))
                if start:
                    await session.engines.serving.fetch(profile, SMALL.id)
                    await session.engines.serving.start(profile, SMALL.id)
                    await session.engines.serving.wait_ready(profile, 20)
                session.enhancer.choose(profile.id, Choice.ENDPOINT)
                offered = {one.choice: one for one in await session.enhancer.engines(profile.id)}
                assert offered[Choice.ENDPOINT].ready, offered[Choice.ENDPOINT].words
                request = EnhanceRequest("a cat", pod=profile.id)
                (done,) = [one async for one in session.enhancer.enhance(request) if isinstance(one, Finished)]
                assert (done.result.enhanced, done.result.engine, done.result.model) == (REPLY, "box", SMALL.id)
                if not start:
                    await session.engines.serving.stop(profile, SMALL.id)
                await session.disconnect(profile.id)


def secrets_of(profile: PodProfile) -> dict[str, Secret]:
    return {f"{llm_item(profile.id)}-server": Secret("the-key-of-this-test")}


async def test_without_ssh_it_says_what_to_do(settings: Settings) -> None:
    profile = PodProfile(new_id(), "web", Place(PlaceKind.URL, "https://pod.example"))
    async with ModelHub(MODEL) as hub, serving_of(settings, hub, SessionCredentials()) as serving:
        assert not serving.offered(profile)
        with pytest.raises(UsageError, match="no SSH access"):
            await serving.status(profile, SMALL.id)
        text = await serving.commands(SMALL.id)
        assert f"{hub.url}/{SMALL.path}" in text
        assert SMALL.sha256 in text
