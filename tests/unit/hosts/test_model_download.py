"""Models fetched on a pod over SSH: the script runs in a real shell with real curl, from a server that misbehaves."""

import asyncio
import hashlib
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from comfydesk.credentials import Secret
from comfydesk.errors import PodUnreachableError, UsageError
from comfydesk.hosts.model_download import ModelDownload, ModelDownloadError, download, failure, size_of
from comfydesk.hosts.protocol import CommandResult, SshEndpoint
from comfydesk.hosts.ssh import SshLogin
from comfydesk.hosts.tunnel import Tunnel
from tests.unit.hosts.ssh_pod import SshPod

MODEL = os.urandom(600_000)
SHA256 = hashlib.sha256(MODEL).hexdigest()
TOKEN = "hf_s3cret"

pytestmark = pytest.mark.skipif(not (shutil.which("curl") and shutil.which("sha256sum")), reason="no curl here")


class Shelf:
    """Serves MODEL in ranges. `cuts`: so many answers break off halfway. `status`: the next answers, before files."""

    def __init__(self) -> None:
        self.url = ""
        self.cuts = 0
        self.statuses: list[int] = []
        self.page = False
        self.ranges = True
        self.slow = False
        self.asked: list[tuple[str | None, str | None]] = []

    async def __aenter__(self) -> "Shelf":
        app = web.Application()
        app.router.add_get("/model.safetensors", self._serve)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/model.safetensors?a=1&b='2'$(x)"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        self.asked.append((request.headers.get("Range"), request.headers.get("Authorization")))
        if self.statuses:
            return web.Response(status=self.statuses.pop(0))
        if self.page:
            return web.Response(text="<html>Log in</html>", content_type="text/html")
        first = request.http_range.start or 0 if self.ranges else 0
        if first >= len(MODEL):
            return web.Response(status=416)
        answer = web.StreamResponse(status=206 if first else 200)
        answer.content_type = "application/octet-stream"
        answer.content_length = len(MODEL) - first
        if first:
            answer.headers["Content-Range"] = f"bytes {first}-{len(MODEL) - 1}/{len(MODEL)}"
        await answer.prepare(request)
        if self.cuts:
            self.cuts -= 1
            await answer.write(MODEL[first : first + 200_000])
            assert request.transport is not None
            request.transport.close()
            return answer
        for start in range(first, len(MODEL), 20_000):
            await answer.write(MODEL[start : start + 20_000])
            await asyncio.sleep(0.03 if self.slow else 0)
        return answer


class LocalShell:
    """This computer as the pod; `commands` are what `ps` would show."""

    def __init__(self) -> None:
        self.commands: list[str] = []

    async def run(self, command: str, *, stdin: str = "", within: float = 60, limit: int = 2**20) -> CommandResult:
        self.commands.append(command)
        pipe = asyncio.subprocess.PIPE
        child = await asyncio.create_subprocess_exec("/bin/sh", "-c", command, stdin=pipe, stdout=pipe, stderr=pipe)
        async with asyncio.timeout(within):
            out, err = await child.communicate(stdin.encode())
        return CommandResult(child.returncode, out.decode()[:limit], err.decode()[:limit])


@asynccontextmanager
async def shelf_and_shell() -> AsyncIterator[tuple[Shelf, LocalShell]]:
    async with Shelf() as shelf:
        yield shelf, LocalShell()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def wanted(shelf: Shelf, folder: Path, *, sha256: str = SHA256, name: str = "a model's.safetensors") -> ModelDownload:
    return ModelDownload(shelf.url, str(folder), name, sha256, Secret(TOKEN))


async def fetch(shell: LocalShell, model: ModelDownload) -> None:
    result = await shell.run(model.command(pause=0), stdin=model.stdin())
    if result.exit_status:
        raise failure(model, result)


async def test_a_model_arrives_whole_under_its_name(tmp_path: Path) -> None:
    async with shelf_and_shell() as (shelf, shell):
        await fetch(shell, wanted(shelf, tmp_path, name="flux/sub folder/it's $HOME.safetensors"))
        assert (tmp_path / "flux" / "sub folder" / "it's $HOME.safetensors").read_bytes() == MODEL
        assert names(tmp_path) == ["it's $HOME.safetensors"]
        assert shelf.asked == [(None, f"Bearer {TOKEN}")]
        assert not [command for command in shell.commands if TOKEN in command or shelf.url in command]


async def test_its_size_is_asked_for_before_it_is_there(tmp_path: Path) -> None:
    async with shelf_and_shell() as (shelf, shell):
        assert await size_of(shell, wanted(shelf, tmp_path)) == len(MODEL)
        assert shelf.asked == [(None, f"Bearer {TOKEN}")]
        assert not [command for command in shell.commands if TOKEN in command or shelf.url in command]
        assert names(tmp_path) == []
        shelf.statuses = [403]
        assert await size_of(shell, wanted(shelf, tmp_path)) is None


async def test_broken_lines_are_resumed_where_they_broke(tmp_path: Path) -> None:
    async with shelf_and_shell() as (shelf, shell):
        shelf.cuts = 2
        await fetch(shell, wanted(shelf, tmp_path))
        assert [asked[0] for asked in shelf.asked] == [None, "bytes=200000-", "bytes=400000-"]
        assert (tmp_path / "a model's.safetensors").read_bytes() == MODEL


async def test_what_an_earlier_run_left_is_resumed(tmp_path: Path) -> None:
    async with shelf_and_shell() as (shelf, shell):
        model = wanted(shelf, tmp_path)
        (tmp_path / f"{model.name}.part").write_bytes(MODEL[:500_000])
        await fetch(shell, model)
        assert [asked[0] for asked in shelf.asked] == ["bytes=500000-"]


@pytest.mark.parametrize("left", [MODEL, MODEL + b"more"])
async def test_a_part_that_is_already_complete_or_too_long(tmp_path: Path, left: bytes) -> None:
    async with shelf_and_shell() as (shelf, shell):
        model = wanted(shelf, tmp_path)
        (tmp_path / f"{model.name}.part").write_bytes(left)
        await fetch(shell, model)
        assert (tmp_path / model.name).read_bytes() == MODEL


async def test_a_server_without_ranges_starts_over(tmp_path: Path) -> None:
    async with shelf_and_shell() as (shelf, shell):
        shelf.ranges = False
        model = wanted(shelf, tmp_path)
        (tmp_path / f"{model.name}.part").write_bytes(b"x" * 1000)
        await fetch(shell, model)
        assert (tmp_path / model.name).read_bytes() == MODEL


async def test_a_model_that_is_there_is_not_fetched_again(tmp_path: Path) -> None:
    async with shelf_and_shell() as (shelf, shell):
        model = wanted(shelf, tmp_path)
        (tmp_path / model.name).write_bytes(MODEL)
        await fetch(shell, model)
        assert shelf.asked == []
        assert int((await shell.run(model.size_command())).stdout) == len(MODEL)


async def test_another_file_of_that_name_is_kept(tmp_path: Path) -> None:
    async with shelf_and_shell() as (shelf, shell):
        model = wanted(shelf, tmp_path)
        (tmp_path / model.name).write_bytes(b"mine")
        with pytest.raises(ModelDownloadError, match="Another file of that name is there"):
            await fetch(shell, model)
        assert (tmp_path / model.name).read_bytes() == b"mine"


async def test_a_wrong_hash_leaves_nothing(tmp_path: Path) -> None:
    async with shelf_and_shell() as (shelf, shell):
        with pytest.raises(ModelDownloadError, match="hash is not the declared one"):
            await fetch(shell, wanted(shelf, tmp_path, sha256="0" * 64))
        assert names(tmp_path) == []


async def test_a_login_page_is_no_model(tmp_path: Path) -> None:
    async with shelf_and_shell() as (shelf, shell):
        shelf.page = True
        with pytest.raises(ModelDownloadError, match=r"127\.0\.0\.1 sent a web page"):
            await fetch(shell, wanted(shelf, tmp_path))
        assert names(tmp_path) == []


async def test_a_refusal_ends_at_once_and_a_hiccup_does_not(tmp_path: Path) -> None:
    async with shelf_and_shell() as (shelf, shell):
        shelf.statuses = [403]
        with pytest.raises(ModelDownloadError, match=r"answered 403\. Log in there and accept its licence"):
            await fetch(shell, wanted(shelf, tmp_path))
        assert len(shelf.asked) == 1
        shelf.statuses = [503, 429]
        await fetch(shell, wanted(shelf, tmp_path))
        assert len(shelf.asked) == 4


async def test_a_server_that_never_recovers_is_given_up(tmp_path: Path) -> None:
    async with shelf_and_shell() as (shelf, shell):
        shelf.statuses = [500] * 9
        with pytest.raises(ModelDownloadError, match="broke off again and again"):
            await fetch(shell, wanted(shelf, tmp_path))
        assert len(shelf.asked) == 5


async def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    async with shelf_and_shell() as (shelf, shell):
        with pytest.raises(ModelDownloadError, match="has no folder"):
            await fetch(shell, wanted(shelf, tmp_path / "checkpoints"))


async def test_two_at_once_fetch_it_once(tmp_path: Path) -> None:
    async with shelf_and_shell() as (shelf, shell):
        shelf.slow = True
        model = wanted(shelf, tmp_path)
        await asyncio.gather(fetch(shell, model), fetch(shell, model))
        assert len(shelf.asked) == 1
        assert names(tmp_path) == [model.name]


async def test_the_lock_of_a_dead_run_is_none(tmp_path: Path) -> None:
    async with shelf_and_shell() as (shelf, shell):
        model = wanted(shelf, tmp_path)
        (tmp_path / f"{model.name}.part.lock").write_text(str(os.getpid()))  # alive, but another program
        await fetch(shell, model)
        assert names(tmp_path) == [model.name]


async def test_over_ssh_with_progress_and_a_broken_connection(pod: SshPod, home: Path, tmp_path: Path) -> None:
    (home / "models").mkdir()

    async def endpoint() -> SshEndpoint:
        return pod.endpoint

    async def who() -> SshLogin:
        return SshLogin(str(pod.keys.user))

    async with Shelf() as shelf:
        shelf.slow = True
        model = wanted(shelf, home / "models")
        tunnel = Tunnel(endpoint, who, pinned=pod.keys.shown(pod.host_key), backoff=lambda: iter([0.05] * 99))
        await tunnel.open()
        try:
            await tunnel.wait_online(10)
            seen: list[int] = []
            halfway = asyncio.Event()

            def progress(size: int) -> None:
                seen.append(size)
                if size > 50_000:
                    halfway.set()

            first = asyncio.create_task(download(tunnel, model, on_progress=progress, poll=0.05))
            await halfway.wait()
            pod.kill()
            with pytest.raises(PodUnreachableError):
                await first
            pod.start()
            await tunnel.wait_online(10)
            await download(tunnel, model, on_progress=progress, poll=0.05)
        finally:
            await tunnel.close()
        assert (home / "models" / model.name).read_bytes() == MODEL
        assert seen == sorted(seen)


async def test_cancelling_stops_curl_on_the_pod_and_keeps_the_part(tmp_path: Path) -> None:
    async with shelf_and_shell() as (shelf, shell):
        shelf.slow = True
        model = wanted(shelf, tmp_path)
        begun = asyncio.Event()

        def progress(size: int) -> None:
            if size:
                begun.set()

        running = asyncio.create_task(download(shell, model, on_progress=progress, poll=0.02))
        await begun.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        for _ in range(200):
            if f"{model.name}.part.lock" not in names(tmp_path):
                break
            await asyncio.sleep(0.01)
        assert names(tmp_path) == [f"{model.name}.part"]
        shelf.slow = False
        await fetch(shell, model)
        assert (shelf.asked[1][0] or "").startswith("bytes=")
        assert (tmp_path / model.name).read_bytes() == MODEL


GOOD: dict[str, Any] = {
    "url": "https://example.org/m.safetensors",
    "folder": "/workspace/models/vae",
    "name": "m.safetensors",
}


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "../evil"},
        {"name": "/etc/passwd"},
        {"name": "a//b"},
        {"name": "-rf"},
        {"name": "a\nb"},
        {"name": "a\\b"},
        {"name": ""},
        {"name": "m.part"},
        {"name": "x" * 300},
        {"folder": "models"},
        {"folder": "/models/../../etc"},
        {"folder": "/models\n"},
        {"sha256": "abc"},
        {"sha256": "A" * 64},
        {"url": "http://example.org/m"},
        {"url": "file:///etc/passwd"},
        {"url": 'https://example.org/"\noutput = "/root/.ssh/authorized_keys'},
        {"url": "https://example.org/a b"},
        {"url": "https://example.org/a\\b"},
        {"url": "https://"},
        {"url": "https://[::1/m"},
        {"token": Secret('a"b')},
        {"token": Secret("a\nb")},
    ],
)
def test_what_no_honest_workflow_has_is_refused(changes: dict[str, Any]) -> None:
    ModelDownload(**GOOD)
    with pytest.raises(UsageError):
        ModelDownload(**(GOOD | changes))
