"""Profiles and live pods: connected by name, side by side, found again elsewhere, rented, guarded. All on loopback."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from comfydesk.client.link import LinkState
from comfydesk.client.probe import Step
from comfydesk.credentials import CredentialsError, Secret, SessionCredentials, api_key_item, auth_item
from comfydesk.demo.faults import Basic, Bearer, Delay
from comfydesk.demo.server import DemoPod
from comfydesk.errors import UsageError
from comfydesk.events import PodsChanged
from comfydesk.hosts.host_key import HostKeyUnknownError
from comfydesk.hosts.protocol import Host, HostState
from comfydesk.hosts.vast import VastAi
from comfydesk.paths import Paths
from comfydesk.session.jobs.follow import Pace
from comfydesk.session.pods import guard
from comfydesk.session.pods.idle import Countdown, Kept, Off
from comfydesk.session.pods.profiles import (
    AuthKind,
    AuthSettings,
    MissingSecretError,
    Place,
    PlaceKind,
    PodProfile,
    ProfileError,
    SshSettings,
    new_id,
)
from comfydesk.session.pods.vault import Vault
from comfydesk.session.session import Session
from comfydesk.session.values import PodState, PodTarget
from comfydesk.settings import DEFAULT_POD, Settings
from comfydesk.store.records import JobState
from tests.pod.session.chaos import Gate
from tests.pod.session.graphs import as_json, flat, picture
from tests.unit.hosts.fake_apis import KEY, FakeVast
from tests.unit.hosts.ssh_pod import Keys, SshPod

VAST = "10441302"


def lan(url: str, name: str = "studio", auth: AuthSettings | None = None) -> PodProfile:
    return PodProfile(new_id(), name, Place(PlaceKind.LAN, url=url), auth=auth or AuthSettings())


@asynccontextmanager
async def opened(
    paths: Paths, keyring: SessionCredentials | None = None, *, vast: str = "", settings: Settings | None = None
) -> AsyncIterator[Session]:
    """A session with a keyring of its own, and Vast.ai's API at `vast`."""
    kept = keyring or SessionCredentials(note="")

    async def open_keyring() -> SessionCredentials:
        return kept

    def make_host(kind: PlaceKind, key: Secret) -> Host:
        assert kind is PlaceKind.VAST
        return VastAi(key, base_url=vast, transport=httpx.AsyncHTTPTransport(verify=False))

    session = Session(
        paths,
        settings or Settings(),
        pace=Pace(poll=0.3, look_again=0.3, may_arrive=1),
        vault=Vault(open_keyring),
        make_host=make_host,
    )
    async with session:
        yield session


async def until(session: Session, wanted: Callable[[PodState], bool], pod: str | None = None) -> PodState:
    """Until the (current) pod's state is as wanted."""
    news = asyncio.Event()
    unsubscribe = session.changes.subscribe(lambda change: news.set() if isinstance(change, PodsChanged) else None)
    try:
        async with asyncio.timeout(15):
            while True:
                states = {state.id: state for state in session.pods()}
                current = session.current_pod
                state = states.get(pod) if pod else current
                if state is not None and wanted(state):
                    return state
                await news.wait()
                news.clear()
    finally:
        unsubscribe()


def online(state: PodState) -> bool:
    return state.status.state is LinkState.ONLINE


async def run(session: Session, color: int) -> JobState:
    workflow = await session.open_workflow(as_json(flat(color)), name="x.json")
    jobs = await session.queue.enqueue(workflow, {})
    async with asyncio.timeout(15):
        (job,) = await session.queue.wait([job.id for job in jobs])
    return job.state


# --- Profiles -------------------------------------------------------------------------------------------------------


async def test_a_profile_is_connected_by_name_with_its_secret(paths: Paths, tmp_path: Path) -> None:
    async with DemoPod(folder=tmp_path / "pod", speed=50) as pod, opened(paths) as session:
        pod.script.auth = Basic("me", "s3cret")
        profile = lan(pod.url, auth=AuthSettings(AuthKind.BASIC, user="me"))
        await session.profiles.add(profile, {auth_item(profile.id): Secret("s3cret")})
        state = await session.connect("Studio")
        assert (state.id, state.name, state.profile) == (profile.id, "studio", profile)
        await session.wait_catalog(10)
        assert await run(session, 1) is JobState.DONE
        (job,) = await session.queue.jobs()
        assert job.pod == profile.id


async def test_a_pods_results_go_where_its_profile_says(paths: Paths, tmp_path: Path) -> None:
    async with DemoPod(folder=tmp_path / "pod", speed=50) as pod, opened(paths) as session:
        await session.profiles.add(replace(lan(pod.url), output_folder=str(tmp_path / "here")))
        await session.connect("studio")
        await session.wait_catalog(10)
        assert await run(session, 1) is JobState.DONE
        (output,) = await session.outputs()
        assert Path(output.path).is_relative_to(tmp_path / "here")


async def test_several_pods_work_side_by_side(paths: Paths, tmp_path: Path) -> None:
    async with (
        DemoPod(folder=tmp_path / "a", speed=50) as first,
        DemoPod(folder=tmp_path / "b", speed=50) as second,
        opened(paths) as session,
    ):
        for name, pod in (("one", first), ("two", second)):
            await session.profiles.add(lan(pod.url, name))
            await session.connect(name)
            await session.wait_catalog(10)
            assert await run(session, len(name)) is JobState.DONE
        assert [state.name for state in session.pods()] == ["one", "two"]
        session.select(session.pods()[0].id)
        assert session.current_pod is not None
        assert session.current_pod.name == "one"
        assert len({job.pod for job in await session.queue.jobs()}) == 2


async def test_a_secret_that_is_missing_is_named_and_once_given_it_connects(paths: Paths, tmp_path: Path) -> None:
    async with DemoPod(folder=tmp_path / "pod") as pod, opened(paths) as session:
        pod.script.auth = Bearer("t0ken")
        profile = await session.profiles.add(lan(pod.url, auth=AuthSettings(AuthKind.BEARER)))
        assert await session.profiles.missing(profile) == (auth_item(profile.id),)
        await session.connect(profile.id)
        state = await until(session, lambda state: state.status.state is LinkState.AUTH_FAILED)
        assert isinstance(state.status.error, MissingSecretError)
        await session.profiles.edit(profile, {auth_item(profile.id): Secret("t0ken")})
        await until(session, online)
        assert await session.profiles.missing(profile) == ()


async def test_a_secret_for_this_session_only_never_meets_the_keyring(paths: Paths, tmp_path: Path) -> None:
    keyring = SessionCredentials(note="")
    async with DemoPod(folder=tmp_path / "pod") as pod, opened(paths, keyring) as session:
        pod.script.auth = Bearer("t0ken")
        profile = lan(pod.url, auth=AuthSettings(AuthKind.BEARER))
        await session.profiles.add(profile, {auth_item(profile.id): Secret("t0ken")}, keep=False)
        await session.connect("studio")
        await until(session, online)
        assert await keyring.get(auth_item(profile.id)) is None


async def test_a_keyring_that_refuses_adds_nothing_and_offers_the_session(paths: Paths) -> None:
    class Locked(SessionCredentials):
        async def set(self, item: str, secret: Secret) -> None:
            raise CredentialsError("The keyring is locked", advice="Unlock it, and try again")

    async with opened(paths, Locked()) as session:
        profile = lan("http://127.0.0.1:1", auth=AuthSettings(AuthKind.BEARER))
        with pytest.raises(CredentialsError, match="for this session only"):
            await session.profiles.add(profile, {auth_item(profile.id): Secret("x")})
        assert (await session.profiles.load()).profiles == ()


async def test_an_edit_that_names_another_machine_takes_the_old_secret_away(paths: Paths) -> None:
    keyring = SessionCredentials(note="")
    async with opened(paths, keyring) as session:
        profile = lan("http://10.0.0.1:8188", auth=AuthSettings(AuthKind.BEARER))
        await session.profiles.add(profile, {auth_item(profile.id): Secret("x")})
        await session.profiles.edit(replace(profile, name="other name"))
        assert await keyring.get(auth_item(profile.id))
        await session.profiles.edit(replace(profile, place=Place(PlaceKind.LAN, url="http://10.0.0.2:8188")))
        assert await keyring.get(auth_item(profile.id)) is None


async def test_a_new_name_needs_no_new_connection_and_another_address_does(paths: Paths, tmp_path: Path) -> None:
    async with (
        DemoPod(folder=tmp_path / "a") as first,
        DemoPod(folder=tmp_path / "b") as second,
        opened(paths) as session,
    ):
        profile = await session.profiles.add(lan(first.url))
        await session.profiles.set_default("studio")
        await session.connect("studio")
        await until(session, online)
        profile = await session.profiles.edit(replace(profile, name="atelier"))
        state = session.current_pod
        assert state is not None
        assert (state.name, state.status.state) == ("atelier", LinkState.ONLINE)
        assert session.profiles.default == profile
        await session.profiles.edit(replace(profile, place=Place(PlaceKind.LAN, url=second.url)))
        state = await until(session, online)
        assert state.url == second.url


async def test_a_removed_profile_leaves_nothing_but_its_results(paths: Paths, tmp_path: Path) -> None:
    keyring = SessionCredentials(note="")
    async with DemoPod(folder=tmp_path / "pod", speed=50) as pod, opened(paths, keyring) as session:
        profile = lan(pod.url, auth=AuthSettings(AuthKind.BEARER))
        pod.script.auth = Bearer("t0ken")
        await session.profiles.add(profile, {auth_item(profile.id): Secret("t0ken")})
        await session.profiles.set_default("studio")
        await session.connect("studio")
        await session.wait_catalog(10, fresh=True)
        await run(session, 7)
        await session.profiles.remove(profile.id)
        assert session.pods() == ()
        assert await keyring.get(auth_item(profile.id)) is None
        assert session.settings.get(DEFAULT_POD) == ""
        assert list((paths.cache / "pods").iterdir()) == []
        assert len(await session.outputs()) == 1


async def test_two_profiles_of_one_name_are_refused(paths: Paths) -> None:
    async with opened(paths) as session:
        await session.profiles.add(lan("http://10.0.0.1:8188"))
        with pytest.raises(ProfileError, match="already"):
            await session.profiles.add(lan("http://10.0.0.2:8188", "STUDIO"))


async def test_what_is_exported_comes_in_elsewhere_without_secrets(paths: Paths, tmp_path: Path) -> None:
    async with opened(paths) as session:
        profile = lan("http://10.0.0.1:8188", auth=AuthSettings(AuthKind.BEARER))
        await session.profiles.add(profile, {auth_item(profile.id): Secret("t0ken")})
        text = session.profiles.export([profile.id])
    assert "t0ken" not in text
    async with opened(Paths.under(tmp_path / "other")) as session:
        found = await session.profiles.import_text(text)
        assert [profile.name for profile in session.profiles.book.profiles] == ["studio"]
        assert await session.profiles.missing(found.profiles[0])


# --- Trying a profile -----------------------------------------------------------------------------------------------


async def test_an_unsaved_profile_is_tried_step_by_step_and_not_stored(paths: Paths, tmp_path: Path) -> None:
    keyring = SessionCredentials(note="")
    async with DemoPod(folder=tmp_path / "pod") as pod, opened(paths, keyring) as session:
        pod.script.auth = Bearer("t0ken")
        profile = lan(pod.url, auth=AuthSettings(AuthKind.BEARER))
        item = auth_item(profile.id)
        steps = [step async for step in session.profiles.test(profile, {item: Secret("t0ken")})]
        assert [step.step for step in steps] == [step for step in Step if step not in (Step.HOST, Step.SSH)]
        assert all(step.ok for step in steps)
        steps = [step async for step in session.profiles.test(profile, {item: Secret("wrong")})]
        assert (steps[-1].step, steps[-1].ok) == (Step.AUTH, False)
        steps = [step async for step in session.profiles.test(profile)]
        assert [(step.step, step.ok) for step in steps] == [(Step.AUTH, False)]
        assert (await session.profiles.load()).profiles == ()
        assert await keyring.get(item) is None


async def test_a_try_may_be_broken_off(paths: Paths, tmp_path: Path) -> None:
    async with DemoPod(folder=tmp_path / "pod") as pod, opened(paths) as session:
        pod.script.add(Delay(5), path="/system_stats")
        steps = session.profiles.test(lan(pod.url))
        assert (await anext(steps)).step is Step.DNS
        await steps.aclose()


# --- SSH ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return Keys(tmp_path_factory.mktemp("keys"))


async def test_a_host_key_is_shown_first_then_pinned_and_the_tunnel_follows_a_moved_server(
    paths: Paths, tmp_path: Path, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    async with DemoPod(folder=tmp_path / "pod", speed=50) as pod, opened(paths) as session:
        with SshPod(keys) as server:
            ssh = SshSettings("127.0.0.1", server.port, key_file=str(keys.user))
            place = Place(PlaceKind.SSH, port=pod.port)
            profile = await session.profiles.add(PodProfile(new_id(), "box", place, ssh=ssh))
            steps = [step async for step in session.profiles.test(profile)]
            assert [step.step for step in steps] == [Step.SSH]
            offered = steps[0].error
            assert isinstance(offered, HostKeyUnknownError)
            steps = [step async for step in session.profiles.test(profile, trust=offered.offered)]
            assert steps[-1].ok
            await session.connect("box")
            state = await until(session, lambda state: isinstance(state.status.error, HostKeyUnknownError))
            assert isinstance(state.status.error, HostKeyUnknownError)
            await session.trust(profile.id, state.status.error.offered)
            state = await until(session, online)
            await session.wait_catalog(10)
            assert await run(session, 3) is JobState.DONE
            assert (await session.profiles.load()).get("box").ssh == replace(ssh, host_key=str(keys.shown(keys.host)))
            local = state.url
            server.kill()
            server.start()
            await until(session, lambda state: not online(state))
            session.wake()
            assert (await until(session, online)).url == local


# --- Reconnecting ---------------------------------------------------------------------------------------------------


async def test_a_restart_on_another_port_is_found_and_the_job_comes_home(paths: Paths, tmp_path: Path) -> None:
    async with FakeVast() as api, DemoPod(folder=tmp_path / "pod", speed=2) as pod:
        api_says(api, pod)
        keyring = SessionCredentials({api_key_item("vast"): Secret(KEY)}, note="")
        async with opened(paths, keyring, vast=api.url) as session:
            await session.profiles.add(PodProfile(new_id(), "rented", Place(PlaceKind.VAST, pod=VAST)))
            await session.connect("rented")
            await session.wait_catalog(10)
            assert await run(session, 1) is JobState.DONE
            async with DemoPod(folder=tmp_path / "pod", speed=2) as elsewhere:
                await pod.stop()
                api_says(api, elsewhere)
                state = await until(session, lambda state: online(state) and state.url == elsewhere.url)
                assert state.url != pod.url
                assert await run(session, 2) is JobState.DONE


async def test_wake_tries_again_at_once(paths: Paths, tmp_path: Path) -> None:
    async with DemoPod(folder=tmp_path / "pod") as pod, opened(paths) as session:
        gate = Gate()
        gate.target = pod.port
        await gate.open()
        await session.connect(PodTarget.demo(f"http://127.0.0.1:{gate.port}"))
        await until(session, online)
        await gate.shut()
        await until(session, lambda state: (state.status.retry_in or 0) > 2)
        await gate.open(gate.port)
        began = time.monotonic()
        session.wake()
        await until(session, online)
        assert time.monotonic() - began < 1.5
        await session.disconnect("demo")
        await gate.shut()


# --- What a pod told last time --------------------------------------------------------------------------------------


async def test_a_known_pod_is_usable_at_once_and_asked_again_behind(paths: Paths, tmp_path: Path) -> None:
    async with DemoPod(folder=tmp_path / "pod", speed=50) as pod:
        async with opened(paths) as session:
            await session.connect(PodTarget.demo(pod.url))
            await session.wait_catalog(10, fresh=True)
            async with asyncio.timeout(10):  # a worker is writing it
                while not (found := list((paths.cache / "pods").rglob("object_info.json"))):  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
        (cached,) = found
        document = json.loads(cached.read_bytes())
        document["OnlyInTheCache"] = next(iter(document.values()))
        cached.write_text(json.dumps(document))
        slow = pod.script.add(Delay(1), path="/object_info")
        async with opened(paths) as session:
            await session.connect(PodTarget.demo(pod.url))
            await session.wait_catalog(10)
            assert session.catalog is not None
            assert "OnlyInTheCache" in session.catalog.nodes
            assert session.current_pod is not None
            before = session.current_pod.catalog_version
            assert await run(session, 5) is JobState.DONE
            await session.wait_catalog(10, fresh=True)
            assert slow.hits == 1
            assert "OnlyInTheCache" not in session.catalog.nodes
            assert session.current_pod.catalog_version == before + 1


async def test_the_official_templates_are_kept_too(paths: Paths, tmp_path: Path) -> None:
    async with DemoPod(folder=tmp_path / "pod") as pod, opened(paths) as session:
        await session.connect(PodTarget.demo(pod.url))
        await until(session, online)
        index = await session.templates_index()
        assert await session.templates_index() == index


# --- Rented ---------------------------------------------------------------------------------------------------------


def api_says(api: FakeVast, pod: DemoPod) -> None:
    """The provider's word on where the demo pod answers."""
    instance = api.pods[VAST]
    instance["public_ipaddr"] = "127.0.0.1"
    instance["ports"]["8188/tcp"] = [{"HostIp": "0.0.0.0", "HostPort": str(pod.port)}]


@asynccontextmanager
async def rented(
    paths: Paths, tmp_path: Path, minutes: int | None = None
) -> AsyncIterator[tuple[Session, FakeVast, str, DemoPod]]:
    """A session on a rented pod, the provider's double, the profile's id, and the pod."""
    async with FakeVast() as api, DemoPod(folder=tmp_path / "pod", speed=50) as pod:
        api_says(api, pod)
        keyring = SessionCredentials({api_key_item("vast"): Secret(KEY)}, note="")
        async with opened(paths, keyring, vast=api.url) as session:
            place = Place(PlaceKind.VAST, pod=VAST)
            profile = await session.profiles.add(PodProfile(new_id(), "rented", place, idle_minutes=minutes))
            await session.connect("rented")
            await until(session, online)
            yield session, api, profile.id, pod


async def test_a_rented_pod_tells_its_gpu_price_and_what_it_has_cost(paths: Paths, tmp_path: Path) -> None:
    async with rented(paths, tmp_path) as (session, _, profile, _):
        pod = await session.rented.status(profile)
        assert (pod.state, pod.gpu) == (HostState.RUNNING, "RTX 4090")
        state = session.current_pod
        assert state is not None
        assert state.rented is not None
        assert state.rented.cost.words(time.time() + 3600) == "$0.42/h · $0.42 this session"


async def test_start_and_stop(paths: Paths, tmp_path: Path) -> None:
    async with rented(paths, tmp_path) as (session, api, profile, pod):
        await session.rented.stop(profile)
        await until(session, lambda state: _host_state(state) is HostState.STOPPED)
        await session.rented.start(profile)
        api.looks_to_start = 0
        await until(session, lambda state: _host_state(state) is HostState.RUNNING)
        assert [change[2]["state"] for change in api.sent] == ["stopped", "running"]
        assert pod.url


def _host_state(state: PodState) -> HostState | None:
    return None if state.rented is None or state.rented.host is None else state.rented.host.state


async def test_what_nobody_rents_cannot_be_stopped(paths: Paths) -> None:
    async with opened(paths) as session:
        profile = await session.profiles.add(lan("http://10.0.0.1:8188"))
        with pytest.raises(UsageError, match="cannot be started or stopped"):
            await session.rented.stop(profile.id)


async def test_the_accounts_pods_become_profiles_and_a_key_that_works_is_kept(paths: Paths) -> None:
    keyring = SessionCredentials(note="")
    async with FakeVast() as api, opened(paths, keyring, vast=api.url) as session:
        with pytest.raises(MissingSecretError):
            await session.profiles.account_pods(PlaceKind.VAST)
        (pod,) = await session.profiles.account_pods(PlaceKind.VAST, Secret(KEY))
        assert await keyring.get(api_key_item("vast"))
        suggestion = session.profiles.suggest_from_host(PlaceKind.VAST, pod)
        assert suggestion.profile is not None
        await session.profiles.add(suggestion.profile)
        assert session.profiles.book.profiles[0].name == "flux box"


# --- The idle guard -------------------------------------------------------------------------------------------------


class Clock:
    """time.time() that a test moves on."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


class Hours:
    """The guard's looks, one after the other, while its clock runs."""

    def __init__(self, session: Session, pod: str) -> None:
        self.session, self.pod = session, pod
        self.clock = Clock()
        pods = session._pods
        pods.activity._clock = self.clock
        pods.rented._clock = self.clock
        self.guard = guard.Guard(pods.links, session._library, pods.rented, session._tasks, pods.activity, self.clock)

    async def pass_by(self, minutes: float) -> None:
        """A look at once, and one each minute."""
        await self.guard.round()
        for _ in range(int(minutes)):
            self.clock.ahead += 60
            await self.guard.round()

    def is_in(self, kind: type) -> bool:
        """Which state the guard is in."""
        state = self.session.rented.state(self.pod)
        return state is not None and isinstance(state.idle, kind)


async def test_a_forgotten_pod_is_stopped_after_a_countdown(paths: Paths, tmp_path: Path) -> None:
    async with rented(paths, tmp_path, minutes=10) as (session, api, profile, _):
        hours = Hours(session, profile)
        await hours.pass_by(9)
        assert not hours.is_in(Countdown)
        await hours.pass_by(2)
        assert hours.is_in(Countdown)
        assert api.sent == []
        await hours.pass_by(6)
        assert [change[2]["state"] for change in api.sent] == ["stopped"]
        await hours.pass_by(1)
        assert hours.is_in(Off)


async def test_a_pod_that_another_client_uses_is_never_stopped(paths: Paths, tmp_path: Path) -> None:
    async with rented(paths, tmp_path, minutes=10) as (session, api, profile, pod):
        hours = Hours(session, profile)
        async with httpx.AsyncClient() as other:
            body = {"prompt": picture(steps=1000), "client_id": "other"}
            assert (await other.post(f"{pod.url}/prompt", json=body)).status_code == 200
            await hours.pass_by(40)
            assert pod.queue.remaining == 1
            assert api.sent == []


async def test_keep_running_cancel_and_activity_hold_it_back(paths: Paths, tmp_path: Path) -> None:
    async with rented(paths, tmp_path, minutes=10) as (session, api, profile, _):
        hours = Hours(session, profile)
        await hours.pass_by(12)
        session.rented.keep_running(profile)
        assert hours.is_in(Kept)
        await hours.pass_by(59)
        assert api.sent == []
        await hours.pass_by(2)
        assert hours.is_in(Countdown)
        session.rented.cancel_countdown(profile)
        await hours.pass_by(9)
        assert not hours.is_in(Countdown)
        session.active()
        await hours.pass_by(9)
        assert not hours.is_in(Countdown)
        assert api.sent == []


async def test_an_open_job_of_any_session_holds_it_back(paths: Paths, tmp_path: Path) -> None:
    async with rented(paths, tmp_path, minutes=10) as (session, api, profile, pod):
        await session.wait_catalog(10)
        hours = Hours(session, profile)
        pod.script.add(Delay(0), path="/view", times=None)
        workflow = await session.open_workflow(as_json(flat(9)), name="x.json")
        (job,) = await session.queue.enqueue(workflow, {})
        await session.queue.wait([job.id])
        # The row of a session that has crashed before its results were here.
        db = session._library
        await db.call(lambda base: base.execute("UPDATE jobs SET state = 'saving', finished = NULL, owner = 'dead'"))
        await hours.pass_by(30)
        assert api.sent == []
        await db.call(lambda base: base.execute("UPDATE jobs SET state = 'done', finished = 1"))
        await hours.pass_by(17)
        assert len(api.sent) == 1


async def test_a_provider_that_does_not_answer_leaves_the_pod_alone(paths: Paths, tmp_path: Path) -> None:
    async with rented(paths, tmp_path, minutes=10) as (session, api, profile, _):
        hours = Hours(session, profile)
        await hours.pass_by(5)

        async def down(_: object) -> object:
            from aiohttp import web

            return web.Response(status=503)

        api.fault = down  # type: ignore[assignment]
        await hours.pass_by(30)
        assert api.sent == []
        state = session.rented.state(profile)
        assert state is not None
        assert "503" in state.problem


# --- The system panel -----------------------------------------------------------------------------------------------


async def test_statistics_free_and_log(paths: Paths, tmp_path: Path) -> None:
    async with DemoPod(folder=tmp_path / "pod") as pod, opened(paths) as session:
        state = await session.connect(PodTarget.demo(pod.url))
        await until(session, online)
        stats = await session.refresh_stats(state.id)
        assert stats.devices
        assert session.pods()[0].stats == stats
        freed = pod.script.add(Delay(0), path="/free")
        await session.free(state.id)
        assert freed.hits == 1
        assert len((await session.log_tail(state.id, 3)).splitlines()) <= 3
