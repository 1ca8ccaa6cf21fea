"""Vast.ai's API, against a double in the documented shapes on loopback."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from comfydesk.credentials import Secret
from comfydesk.errors import PodError, PodStatusError
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
from comfydesk.hosts.vast import VastAi, parse_instance
from tests.unit.hosts.fake_apis import KEY, FakeVast, always, document

POD = "10441302"


@asynccontextmanager
async def account(fake: FakeVast | None = None) -> AsyncIterator[tuple[FakeVast, Host]]:
    async with fake or FakeVast() as api:
        host = VastAi(Secret(KEY), base_url=api.url, transport=httpx.AsyncHTTPTransport(verify=False))
        try:
            yield api, host
        finally:
            await host.close()


async def test_the_list_says_what_each_instance_is_and_costs() -> None:
    async with account() as (_, host):
        (pod,) = await host.list()
    assert (pod.id, pod.name, pod.state, pod.charged) == (POD, "flux box", HostState.RUNNING, True)
    assert (pod.gpu, pod.gpu_count, pod.cost_per_hour, pod.uptime) == ("RTX 4090", 1, 0.4213, 750)
    assert pod.ports == (HostPort(22, 41000, "tcp", "70.69.192.6"), HostPort(8188, 41001, "tcp", "70.69.192.6"))
    assert pod.ssh == SshEndpoint("70.69.192.6", 41000)
    assert "secret" not in repr(pod)
    assert "df77e270" not in repr(pod)


async def test_a_long_list_is_read_page_by_page() -> None:
    fake = FakeVast()
    fake.page_size = 2
    fake.pods = {str(number): document("vast_instance") | {"id": number} for number in range(5)}
    async with account(fake) as (_, host):
        assert [pod.id for pod in await host.list()] == ["0", "1", "2", "3", "4"]
        assert (await host.status("4")).id == "4"


async def test_the_address_is_the_outside_port_of_now() -> None:
    async with account() as (api, host):
        assert await host.resolve(POD) == "http://70.69.192.6:41001"
        assert await host.resolve(POD, tls=True) == "https://70.69.192.6:41001"
        await host.stop(POD)
        with pytest.raises(PodStoppedError, match=r"Start it: that costs \$0\.42/h"):
            await host.resolve(POD)
        await host.start(POD)
        await wait_until_running(host, POD, poll=0)
        assert await host.resolve(POD) not in ("http://70.69.192.6:41001", "")
    assert api.sent == [
        ("PUT", f"/api/v0/instances/{POD}/", {"state": "stopped"}),
        ("PUT", f"/api/v0/instances/{POD}/", {"state": "running"}),
    ]


async def test_a_port_that_is_not_open_is_named_with_what_to_do() -> None:
    async with account() as (_, host):
        with pytest.raises(PortNotExposedError, match=r"Port 3000 is not open.*It shows 22, 8188.*-p 3000:3000"):
            await host.resolve(POD, 3000)


async def test_without_its_own_ssh_port_the_providers_proxy_serves() -> None:
    async with account() as (api, host):
        del api.pods[POD]["ports"]["22/tcp"]
        assert await host.resolve_ssh(POD) == SshEndpoint("ssh6.vast.ai", 19878)
        api.pods[POD] |= {"ssh_host": None}
        with pytest.raises(PortNotExposedError, match="no SSH server"):
            await host.resolve_ssh(POD)


async def test_a_queued_start_warns_that_it_may_cost_later_and_can_be_withdrawn() -> None:
    async with account() as (api, host):
        await host.stop(POD)
        api.no_gpu = True
        with pytest.raises(NoGpuError) as refused:
            await host.start(POD)
        assert "as soon as its GPU is free: stop it" in str(refused.value)
        assert (await host.status(POD)).state is HostState.STARTING
        assert (await host.stop(POD)).state is HostState.STOPPED


async def test_a_refusal_inside_a_200_is_an_error() -> None:
    async with account() as (api, host):
        api.lost = True
        with pytest.raises(ActionRefusedError, match=r"did not stop the instance flux box. No such instance"):
            await host.stop(POD)


async def test_an_unknown_instance_is_404_in_words() -> None:
    async with account() as (api, host):
        with pytest.raises(PodStatusError, match="knows no instance 5") as refused:
            await host.start("5")
        assert (refused.value.status, api.sent) == (404, [])


@pytest.mark.parametrize(
    ("actual", "intended", "state", "charged"),
    [
        (None, "running", HostState.STARTING, False),
        ("created", "stopped", HostState.STOPPED, False),
        ("loading", "running", HostState.STARTING, False),
        ("running", "running", HostState.RUNNING, True),
        ("running", "stopped", HostState.STOPPING, True),
        ("exited", "stopped", HostState.STOPPED, False),
        ("stopped", "running", HostState.STARTING, False),
        ("frozen", "frozen", HostState.UNKNOWN, True),
        ("offline", "running", HostState.UNKNOWN, False),
        ("unknown", "running", HostState.UNKNOWN, False),
    ],
)
def test_states(actual: str | None, intended: str, state: HostState, charged: bool) -> None:
    pod = parse_instance(document("vast_instance") | {"actual_status": actual, "intended_status": intended})
    assert pod is not None
    assert (pod.state, pod.charged) == (state, charged)


@pytest.mark.parametrize("ports", [None, [8080, 8081], {"8188/tcp": []}, {"8188/tcp": [None]}, {"x": [{}]}, "none"])
def test_ports_of_other_shapes_are_no_ports(ports: Any) -> None:
    pod = parse_instance(document("vast_instance") | {"ports": ports})
    assert pod is not None
    assert pod.ports == ()


async def test_a_list_of_another_shape_is_said_so() -> None:
    async with account() as (api, host):
        api.fault = always(200, b"[]")
        with pytest.raises(PodError, match="shape"):
            await host.list()
