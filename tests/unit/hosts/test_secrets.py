"""Nothing of the room writes a secret down: not at the loudest level of any library's log, and in no error."""

import logging
from pathlib import Path

import asyncssh
import httpx
import pytest

from comfydesk.credentials import Secret
from comfydesk.errors import KnownError
from comfydesk.hosts.model_download import ModelDownload
from comfydesk.hosts.protocol import SshEndpoint
from comfydesk.hosts.runpod import RunPod
from comfydesk.hosts.ssh import SshLogin
from comfydesk.hosts.tunnel import Tunnel
from tests.unit.hosts.fake_apis import KEY, FakeRunPod
from tests.unit.hosts.ssh_pod import PASSPHRASE, Keys, SshPod

PASSWORD, TOKEN = "passw0rd-of-the-pod", "t0ken-of-the-model"


async def test_no_log_has_a_secret(keys: Keys, home: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    asyncssh.set_debug_level(3)
    said: list[str] = []
    try:
        async with FakeRunPod() as api:
            host = RunPod(Secret(KEY), base_url=f"{api.url}/v2", transport=httpx.AsyncHTTPTransport(verify=False))
            await host.list()
            for pod_id in ("gone1", "x/y"):
                try:
                    await host.stop(pod_id)
                except KnownError as error:
                    said.append(repr(error) + str(error))
            said.append(repr(host) + repr(vars(host)))
            await host.close()
        with SshPod(keys, password=PASSWORD) as pod:
            logins = (
                SshLogin(str(keys.protected), Secret(PASSPHRASE)),
                SshLogin(str(keys.stranger), password=Secret(PASSWORD)),
                SshLogin(str(keys.protected), Secret("wr0ng-passphrase")),
                SshLogin(password=Secret("wr0ng-password")),
            )
            said += [await use(pod, login, home) for login in logins]
    finally:
        asyncssh.set_debug_level(1)
    everything = caplog.text + "".join(said)
    assert "asyncssh" in caplog.text
    for secret in (KEY, PASSWORD, PASSPHRASE, TOKEN, "wr0ng-passphrase", "wr0ng-password"):
        assert secret not in everything


async def use(pod: SshPod, login: SshLogin, folder: Path) -> str:
    """Log in, and run what takes a token; all that was said about it."""

    async def endpoint() -> SshEndpoint:
        return pod.endpoint

    async def who() -> SshLogin:
        return login

    tunnel = Tunnel(endpoint, who, pinned=pod.keys.shown(pod.host_key))
    model = ModelDownload("https://127.0.0.1:1/m", str(folder / "missing"), "m.safetensors", token=Secret(TOKEN))
    said = repr(login) + repr(model) + model.command()
    await tunnel.open()
    try:
        await tunnel.wait_online(10)
        result = await tunnel.run(model.command(), stdin=model.stdin())
        said += repr(result)
    except KnownError as error:
        said += str(error)
    finally:
        said += repr(tunnel.status)
        await tunnel.close()
    return said
