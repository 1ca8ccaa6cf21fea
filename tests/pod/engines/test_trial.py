"""The check of an engine before it is stored: what answers, whether the key is good, whose list of nodes it will be."""

from pathlib import Path

from comfydesk.client.probe import ProbeStep
from comfydesk.credentials import Secret, SessionCredentials, auth_item
from comfydesk.session.pods.profile_file import ProfileStore
from comfydesk.session.pods.profiles import MissingSecretError, Place, PlaceKind, PodProfile, new_id
from comfydesk.session.pods.roster import Roster
from comfydesk.session.pods.vault import Vault
from comfydesk.settings import Settings
from tests.pod.engines import conftest
from tests.pod.engines.conftest import Staging, serving
from tests.pod.engines.endpoint_double import ENDPOINT, KEY, FakeEndpoint


async def in_memory() -> SessionCredentials:
    """Tests leave the computer's own keyring alone."""
    return SessionCredentials(note="")


async def steps(folder: Path, profile: PodProfile, key: str) -> list[ProbeStep]:
    roster = Roster(ProfileStore(folder / "pods.toml"), Vault(in_memory), Settings())
    secrets = {auth_item(profile.id): Secret(key)}
    return [step async for step in roster.test(profile, secrets)]


async def test_comfy_api(stage: Staging, tmp_path: Path) -> None:
    async with stage() as on:
        found = await steps(tmp_path, on.profile, conftest.KEY)
        assert [(str(step.step), step.ok) for step in found] == [("http", True), ("auth", True), ("catalog", True)]
        assert "forms use another pod's list" in found[-1].detail
        refused = await steps(tmp_path, on.profile, "wrong")
        assert [(str(step.step), step.ok) for step in refused] == [("http", True), ("auth", False)]


async def test_an_endpoint(tmp_path: Path) -> None:
    async with serving(FakeEndpoint().app()) as url:
        profile = PodProfile(new_id(), "burst", Place(PlaceKind.SERVERLESS, url=f"{url}/v2", pod=ENDPOINT))
        found = await steps(tmp_path, profile, KEY)
        assert [step.ok for step in found] == [True, True, True]
        assert found[1].detail == "1 worker ready, 1 starting, 2 jobs waiting"
        refused = await steps(tmp_path, profile, "wrong")
        assert [(str(step.step), step.ok) for step in refused] == [("http", True), ("auth", False)]


async def test_nobody_there(tmp_path: Path) -> None:
    profile = PodProfile(new_id(), "gone", Place(PlaceKind.COMFY, url="http://127.0.0.1:1"))
    (step,) = await steps(tmp_path, profile, "")
    assert (str(step.step), step.ok) == ("http", False)


async def test_a_key_that_is_nowhere_is_asked_for(tmp_path: Path) -> None:
    profile = PodProfile(new_id(), "cloud", Place(PlaceKind.COMFY))
    (step,) = await steps(tmp_path, profile, "")
    assert isinstance(step.error, MissingSecretError)
