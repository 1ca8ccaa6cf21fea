"""RunPod's API, against a double in the documented shapes on loopback."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from comfydesk.credentials import Secret
from comfydesk.errors import PodError, PodStatusError, UsageError
from comfydesk.hosts.protocol import (
    ActionRefusedError,
    Host,
    HostPort,
    HostState,
    NoGpuError,
    PodStoppedError,
    PortNotExposedError,
    SshEndpoint,
    wait_until_running,
)
from comfydesk.hosts.runpod import RunPod, parse_pod
from tests.unit.hosts.fake_apis import KEY, FakeRunPod, document

POD = "abc123xyz"


@asynccontextmanager
async def account(fake: FakeRunPod | None = None) -> AsyncIterator[tuple[FakeRunPod, Host]]:
    async with fake or FakeRunPod() as api:
        host = RunPod(Secret(KEY), base_url=f"{api.url}/v2", transport=httpx.AsyncHTTPTransport(verify=False))
        try:
            yield api, host
        finally:
            await host.close()


async def test_the_list_says_what_each_pod_is_and_costs() -> None:
    async with account() as (_, host):
        (pod,) = await host.list()
    assert (pod.id, pod.name, pod.state, pod.detail) == (POD, "studio-4090", HostState.RUNNING, "RUNNING")
    assert (pod.gpu, pod.gpu_count, pod.cost_per_hour, pod.uptime) == ("NVIDIA GeForce RTX 4090", 1, 0.69, 4210)
    assert HostPort(22, 22022, "tcp", "194.26.196.10") in pod.ports
    assert pod.ssh == SshEndpoint("194.26.196.10", 22022, "root")
    assert pod.charged
    assert not pod.locked
    assert "the-users-own-secret" not in repr(pod)


async def test_a_long_list_is_read_page_by_page() -> None:
    fake = FakeRunPod()
    fake.page_size = 2
    fake.pods = {name: document("runpod_pod") | {"id": name} for name in "abcde"}
    async with account(fake) as (api, host):
        assert [pod.id for pod in await host.list()] == list("abcde")
    assert [path for _, path, _ in api.requests] == ["/v2/pods", "/v2/pods?cursor=2", "/v2/pods?cursor=4"]


async def test_the_proxy_is_the_address_of_an_http_port() -> None:
    async with account() as (_, host):
        assert await host.resolve(POD) == "https://abc123xyz-8188.proxy.runpod.net"


async def test_a_tcp_port_is_resolved_to_its_outside_address() -> None:
    async with account() as (api, host):
        api.pods[POD]["runtime"]["ports"].append(
            {"private": 9000, "public": 31999, "type": "tcp", "ip": "194.26.196.10"}
        )
        assert await host.resolve(POD, 9000) == "http://194.26.196.10:31999"
        assert await host.resolve(POD, 9000, tls=True) == "https://194.26.196.10:31999"


async def test_a_port_that_is_not_exposed_is_named_with_what_to_do() -> None:
    async with account() as (_, host):
        with pytest.raises(PortNotExposedError) as refused:
            await host.resolve(POD, 3000)
    assert str(refused.value) == (
        "Port 3000 is not exposed on the pod studio-4090. It shows 22/tcp, 8188/http, 8888/http. "
        "Add it as an HTTP port under Edit pod at RunPod, or connect by SSH."
    )


async def test_stop_start_and_wait_ends_on_new_ports() -> None:
    async with account() as (api, host):
        before = await host.resolve_ssh(POD)
        stopped = await host.stop(POD)
        assert (stopped.state, stopped.charged) == (HostState.STOPPED, False)
        with pytest.raises(PodStoppedError, match=r"studio-4090 is stopped.*Start it: that costs \$0\.69/h"):
            await host.resolve(POD)
        seen = []
        assert (await host.start(POD)).state is HostState.STARTING
        pod = await wait_until_running(host, POD, poll=0, on_state=lambda pod: seen.append(pod.state))
        assert (seen[0], seen[-1], pod.state) == (HostState.STARTING, HostState.RUNNING, HostState.RUNNING)
        after = await host.resolve_ssh(POD)
        assert (before.host, before.port != after.port) == (after.host, True)
    assert api.sent == [
        ("POST", f"/v2/pods/{POD}/action", {"action": "stop"}),
        ("POST", f"/v2/pods/{POD}/action", {"action": "start"}),
    ]


async def test_starting_a_running_pod_sends_nothing() -> None:
    async with account() as (api, host):
        assert (await host.start(POD)).state is HostState.RUNNING
        assert api.sent == []


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"locked": True}, "locked at the provider"),
        ({"actions": ["restart"]}, "allows restart while it is RUNNING"),
        ({"actions": []}, "allows nothing"),
        ({"status": "TERMINATED"}, "terminated"),
    ],
)
async def test_what_the_provider_forbids_is_not_sent(changes: dict[str, Any], why: str) -> None:
    async with account() as (api, host):
        api.pods[POD] |= changes
        with pytest.raises(ActionRefusedError, match=why):
            await host.stop(POD)
        assert api.sent == []


async def test_a_locked_pod_is_not_started() -> None:
    async with account() as (api, host):
        await host.stop(POD)
        api.pods[POD]["locked"] = True
        with pytest.raises(ActionRefusedError, match="locked"):
            await host.start(POD)
        assert len(api.sent) == 1


async def test_no_free_gpu_has_its_own_words() -> None:
    async with account() as (api, host):
        await host.stop(POD)
        api.no_gpu = True
        with pytest.raises(NoGpuError) as refused:
            await host.start(POD)
    assert "no free GPU for this pod now. There are no longer any instances available" in str(refused.value)


async def test_an_unknown_pod_is_404_in_words() -> None:
    async with account() as (_, host):
        with pytest.raises(PodStatusError, match="RunPod knows no pod gone1") as refused:
            await host.status("gone1")
    assert refused.value.status == 404


@pytest.mark.parametrize("evil", ["../pods", "a/action", "a?b", "", "a b", "x" * 65, "%2e%2e"])
async def test_an_id_cannot_change_the_request(evil: str) -> None:
    async with account() as (api, host):
        with pytest.raises(UsageError):
            await host.stop(evil)
        assert api.requests == []


async def test_a_shell_only_pod_says_how_to_get_ssh() -> None:
    async with account() as (api, host):
        api.pods[POD]["ssh"]["direct"] = None
        api.pods[POD]["runtime"]["ports"].pop()
        with pytest.raises(PortNotExposedError, match="a shell only"):
            await host.resolve_ssh(POD)


async def test_a_pod_that_stops_again_ends_the_wait() -> None:
    async with account() as (api, host):
        api.pods[POD] |= {"status": "STARTING"}
        api.begin(POD)
        with pytest.raises(PodStoppedError, match="did not start"):
            await wait_until_running(host, POD, poll=0, on_state=lambda _: api.pods[POD].update(status="EXITED"))


async def test_a_start_that_is_slow_to_show_is_waited_for() -> None:
    async with account() as (api, host):
        api.pods[POD] |= {"status": "EXITED", "runtime": None}

        def later(_: object) -> None:
            api.pods[POD] |= {"status": "RUNNING", "runtime": document("runpod_pod")["runtime"]}

        assert (await wait_until_running(host, POD, poll=0, on_state=later)).state is HostState.RUNNING


async def test_the_wait_ends_in_words_when_nothing_comes() -> None:
    async with account() as (api, host):
        api.pods[POD] |= {"status": "STARTING"}
        api.looks_to_start = 10**9
        api.begin(POD)
        with pytest.raises(PodStoppedError, match=r"does not run after 0 s\. RunPod says: STARTING"):
            await wait_until_running(host, POD, poll=0.01, within=0.1)


def test_running_without_a_container_is_starting_and_paid_for() -> None:
    pod = parse_pod(document("runpod_pod") | {"runtime": None})
    assert pod is not None
    assert (pod.state, pod.charged) == (HostState.STARTING, True)


def test_ssh_direct_may_be_a_command_line() -> None:
    sample = document("runpod_pod")
    sample["ssh"]["direct"] = "ssh root@194.26.196.10 -p 22022 -i ~/.ssh/id_ed25519"
    pod = parse_pod(sample)
    assert pod is not None
    assert pod.ssh == SshEndpoint("194.26.196.10", 22022, "root")


@pytest.mark.parametrize(
    "hostile",
    [
        [],
        None,
        {"id": "a"},
        {"id": "", "status": "RUNNING"},
        {"id": {"a": 1}, "status": "RUNNING"},
    ],
)
def test_what_is_no_pod_is_none(hostile: object) -> None:
    assert parse_pod(hostile) is None


def test_wrong_types_everywhere_are_harmless() -> None:
    pod = parse_pod(
        {
            "id": "a",
            "status": 7,
            "name": ["x"],
            "cost": "free",
            "gpu": "4090",
            "ports": [None, "x/y", "99999/http", 3],
            "runtime": {"uptime": "long", "ports": [{"private": "22"}, {"private": -1, "type": "tcp"}, 4]},
            "ssh": {"direct": {"host": 3, "port": 99999}},
            "actions": "stop",
            "locked": "no",
        }
    )
    assert pod is not None
    assert (pod.state, pod.name, pod.cost_per_hour, pod.uptime) == (HostState.UNKNOWN, "", None, None)
    assert (pod.ports, pod.ssh, pod.actions, pod.locked) == ((HostPort(22, None, ""),), None, None, False)


async def test_a_list_of_another_shape_is_said_so() -> None:
    async with account() as (api, host):
        from tests.unit.hosts.fake_apis import always

        api.fault = always(200, b'{"data": []}')
        with pytest.raises(PodError, match="shape"):
            await host.list()
