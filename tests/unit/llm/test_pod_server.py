"""An LLM server set up on a pod, over a real SSH connection, with real curl and a stand-in for llama-server."""

import asyncio
import hashlib
import json
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from comfydesk.credentials import Secret
from comfydesk.errors import LlmError, UsageError
from comfydesk.hosts.model_download import ModelDownload, download
from comfydesk.hosts.protocol import SshEndpoint
from comfydesk.hosts.ssh import SshLogin
from comfydesk.hosts.tunnel import Tunnel
from comfydesk.llm import pod_server
from comfydesk.llm.address import Endpoint
from comfydesk.llm.engine import ChatRequest
from comfydesk.llm.models import CURATED
from comfydesk.llm.openai import OpenAiEngine, Pace
from comfydesk.llm.pod_server import PodServer, ServerState
from tests.unit.hosts.ssh_pod import Keys, SshPod
from tests.unit.llm import fake_llama_server
from tests.unit.llm.model_hub import ModelHub

KEY = Secret("sk-of-the-pod")
MODEL = json.dumps({"reply": "A tabby cat."}).encode()
CURATED_MODEL = replace(CURATED[0], size=len(MODEL), sha256=hashlib.sha256(MODEL).hexdigest())

pytestmark = pytest.mark.skipif(not (shutil.which("curl") and shutil.which("sha256sum")), reason="no curl here")


@pytest.fixture(scope="module")
def pod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshPod]:
    with SshPod(Keys(tmp_path_factory.mktemp("keys"))) as pod:
        yield pod


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@asynccontextmanager
async def tunnel_to(pod: SshPod, port: int) -> AsyncIterator[Tunnel]:
    async def endpoint() -> SshEndpoint:
        return pod.endpoint

    async def login() -> SshLogin:
        return SshLogin(key_file=str(pod.keys.user))

    tunnel = Tunnel(endpoint, login, pinned=pod.keys.shown(pod.host_key), remote_port=port)
    await tunnel.open()
    try:
        await tunnel.wait_online(10)
        yield tunnel
    finally:
        await tunnel.close()


@pytest.fixture
def server(tmp_path: Path) -> PodServer:
    program = fake_llama_server.install(tmp_path)
    return PodServer(CURATED_MODEL, str(tmp_path / "workspace"), free_port(), str(program))


async def test_a_server_is_set_up_used_and_stopped(pod: SshPod, server: PodServer) -> None:
    async with tunnel_to(pod, server.port) as tunnel, ModelHub(MODEL) as hub:
        assert (await pod_server.status(tunnel, server)).state is ServerState.ABSENT
        await pod_server.prepare(tunnel, server)
        with pytest.raises(LlmError, match="model is not there"):
            await pod_server.start(tunnel, server, KEY)
        file = CURATED_MODEL.file
        await download(tunnel, ModelDownload(server.url(hub.url), server.model_folder, file, CURATED_MODEL.sha256))
        assert (await pod_server.status(tunnel, server)).state is ServerState.STOPPED
        await pod_server.start(tunnel, server, KEY, grace=0.1)
        assert (await pod_server.status(tunnel, server)).state is ServerState.RUNNING
        engine = OpenAiEngine(Endpoint(f"{tunnel.url}/v1", key=KEY), pace=Pace(first=10))
        try:
            await until_it_answers(engine)
            assert [piece async for piece in engine.stream(ChatRequest("", "a cat"))] == ["A", " tabby", " cat."]
        finally:
            await engine.close()
            await pod_server.stop(tunnel, server)
        assert (await pod_server.status(tunnel, server)).state is ServerState.STOPPED
        await pod_server.stop(tunnel, server)


async def until_it_answers(engine: OpenAiEngine) -> None:
    async with asyncio.timeout(20):
        while not (await engine.ready()).ok:  # noqa: ASYNC110 - a server on the other side
            await asyncio.sleep(0.05)


async def test_starting_twice_is_starting_once(pod: SshPod, server: PodServer) -> None:
    async with tunnel_to(pod, server.port) as tunnel:
        await pod_server.prepare(tunnel, server)
        model_file(server).write_bytes(MODEL)
        await pod_server.start(tunnel, server, KEY, grace=0.1)
        pid = pid_file(server).read_text()
        await pod_server.start(tunnel, server, KEY, grace=0.1)
        assert pid_file(server).read_text() == pid
        await pod_server.stop(tunnel, server)


@pytest.mark.parametrize("change", ["key", "port", "context"])
async def test_a_server_that_runs_otherwise_makes_room(pod: SshPod, server: PodServer, change: str) -> None:
    wanted = {"port": replace(server, port=free_port()), "context": replace(server, context=512)}.get(change, server)
    key = Secret("sk-of-another-computer") if change == "key" else KEY
    async with tunnel_to(pod, wanted.port) as tunnel:
        await pod_server.prepare(tunnel, server)
        model_file(server).write_bytes(MODEL)
        await pod_server.start(tunnel, server, KEY, grace=0.1)
        before = pid_file(server).read_text()
        await pod_server.start(tunnel, wanted, key, grace=0.1)
        engine = OpenAiEngine(Endpoint(f"{tunnel.url}/v1", key=key), pace=Pace(first=10))
        try:
            assert pid_file(server).read_text() != before
            assert not still_runs(before.strip())
            await until_it_answers(engine)
            assert "".join([piece async for piece in engine.stream(ChatRequest("", "a cat"))]) == "A tabby cat."
        finally:
            await engine.close()
            await pod_server.stop(tunnel, wanted)


def still_runs(pid: str) -> bool:
    """A zombie has no command line."""
    try:
        return bool(Path(f"/proc/{pid}/cmdline").read_bytes())
    except (FileNotFoundError, ProcessLookupError):
        return False


def is_zombie(pid: str) -> bool:
    return "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text()


async def test_a_server_that_nobody_reaps_is_stopped_all_the_same(pod: SshPod, server: PodServer) -> None:
    """As in a container whose process 1 is `sleep infinity`."""
    async with tunnel_to(pod, server.port) as tunnel:
        await pod_server.prepare(tunnel, server)
        model_file(server).write_bytes(MODEL)
        arguments = (server.program, "--model", str(model_file(server)), "--host", "127.0.0.1", "--port")
        script = '"$@" & echo $! >"$0"; exec sleep 60'
        parent = await asyncio.create_subprocess_exec(
            "sh", "-c", script, str(pid_file(server)), *arguments, str(server.port), env={"LLAMA_API_KEY": "any"}
        )
        try:
            async with asyncio.timeout(10):
                while (await pod_server.status(tunnel, server)).state is not ServerState.RUNNING:  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
                pid = pid_file(server).read_text().strip()
                await pod_server.stop(tunnel, server)
            assert is_zombie(pid)
            assert (await pod_server.status(tunnel, server)).state is ServerState.STOPPED
        finally:
            parent.kill()
            await parent.wait()


def model_file(server: PodServer) -> Path:
    return Path(server.model_folder) / server.model.file


def pid_file(server: PodServer) -> Path:
    return Path(server.model_folder) / "server.pid"


async def test_the_key_is_in_no_command(server: PodServer) -> None:
    commands = (server.start_command(), server.stop_command(), server.status_command(), server.commands_to_copy())
    assert not any(KEY.reveal() in command for command in commands)


async def test_a_server_that_dies_at_once_is_told(pod: SshPod, server: PodServer) -> None:
    async with tunnel_to(pod, server.port) as tunnel:
        await pod_server.prepare(tunnel, server)
        model_file(server).write_text("<html>")
        with pytest.raises(LlmError, match="invalid magic"):
            await pod_server.start(tunnel, server, KEY, grace=4)


async def test_a_pod_without_the_program_says_what_to_do(pod: SshPod, server: PodServer) -> None:
    bare = replace(server, program="")
    async with tunnel_to(pod, server.port) as tunnel:
        await pod_server.prepare(tunnel, bare)
        model_file(bare).write_bytes(MODEL)
        with pytest.raises(LlmError, match="no llama-server"):
            await pod_server.start(tunnel, bare, KEY)


async def test_half_a_model_is_shown_as_that(pod: SshPod, server: PodServer) -> None:
    async with tunnel_to(pod, server.port) as tunnel:
        await pod_server.prepare(tunnel, server)
        model_file(server).with_name(f"{server.model.file}.part").write_bytes(b"12345")
        status = await pod_server.status(tunnel, server)
        assert (status.state, status.done) == (ServerState.PARTIAL, 5)


async def test_another_process_with_an_old_number_is_not_ours(pod: SshPod, server: PodServer) -> None:
    async with tunnel_to(pod, server.port) as tunnel:
        await pod_server.prepare(tunnel, server)
        stranger = await asyncio.create_subprocess_exec("sleep", "60")
        try:
            pid_file(server).write_text(str(stranger.pid))
            await pod_server.stop(tunnel, server)
            assert stranger.returncode is None
        finally:
            stranger.kill()
            await stranger.wait()


def test_the_commands_to_copy_are_a_script(server: PodServer) -> None:
    text = server.commands_to_copy()
    subprocess.run(["sh", "-n", "-c", text], check=True)
    assert "-C -" in text
    assert CURATED_MODEL.sha256 in text


@pytest.mark.parametrize("folder", ["relative", "/a/../b", "/a b", "/$(x)", ""])
def test_folders_that_are_none(folder: str) -> None:
    with pytest.raises(UsageError):
        PodServer(CURATED_MODEL, folder)
