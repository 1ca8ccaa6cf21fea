"""Everything that can be made to go wrong on a demo pod, over real sockets."""

import asyncio
import gzip
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets

from comfydesk.demo.faults import (
    Basic,
    Bearer,
    Delay,
    Drip,
    Drop,
    Hang,
    Header,
    NodeFault,
    Oversize,
    QueryToken,
    Redirect,
    Script,
    Status,
    Truncate,
    html_page,
    out_of_memory,
)
from comfydesk.demo.server import DemoPod


def test_a_rule_befalls_the_requests_it_matches() -> None:
    script = Script()
    rule = script.add(Status(503), method="GET", path="/history/*", times=2, skip=1)
    assert script.pick("GET", "/history/1") is None
    assert script.pick("POST", "/history/1") is None
    assert script.pick("GET", "/queue") is None
    assert script.pick("GET", "/api/history/1") == Status(503)
    assert script.pick("GET", "/history/2") == Status(503)
    assert script.pick("GET", "/history/3") is None
    assert rule.hits == 2
    script.add(Drop(), times=None)
    assert all(script.pick("GET", "/x") == Drop() for _ in range(5))


async def test_statuses_pages_and_redirects(demo: Any) -> None:
    async with demo() as client:
        script, http = client.pod.script, client.http
        script.add(Status(503, "busy", headers={"Retry-After": "1"}), path="/queue")
        answer = await http.get("/api/queue")
        assert (answer.status_code, answer.text, answer.headers["retry-after"]) == (503, "busy", "1")
        assert (await http.get("/queue")).status_code == 200
        script.add(html_page("Sign in"), path="/system_stats")
        answer = await http.get("/system_stats")
        assert answer.headers["content-type"].startswith("text/html")
        script.add(Redirect("https://login.example/"), path="/object_info")
        answer = await http.get("/object_info")
        assert (answer.status_code, answer.headers["location"]) == (302, "https://login.example/")


async def test_late_and_lost_answers(demo: Any, picture_graph: Any) -> None:
    async with demo() as client:
        client.pod.script.add(Delay(0.15), path="/queue")
        start = time.monotonic()
        await client.http.get("/queue")
        assert time.monotonic() - start >= 0.15
        client.pod.script.add(Drop(), path="/queue")
        with pytest.raises(httpx.RemoteProtocolError):
            await client.http.get("/queue")
        client.pod.script.add(Drop(after=True), method="POST", path="/prompt")
        with pytest.raises(httpx.RemoteProtocolError):
            await client.http.post("/prompt", json={"prompt": picture_graph()})
        assert client.pod.queue.remaining + len(client.pod.queue.history()) == 1, "only the answer was lost"
        client.pod.script.add(Hang(), path="/features")
        with pytest.raises(httpx.ReadTimeout):
            await client.http.get("/features", timeout=0.1)


async def test_a_download_that_breaks_can_be_resumed(demo: Any) -> None:
    async with demo() as client:
        data = bytes(range(256)) * 400
        (client.pod.folder / "output" / "x.bin").write_bytes(data)
        url = "/view?filename=x.bin&type=output"
        client.pod.script.add(Truncate(30_000), path="/view")
        got, first = await broken_download(client.http, url)
        assert got == data[: len(got)]
        assert int(first["content-length"]) == len(data)
        client.pod.script.add(Truncate(1000), path="/view")
        more, second = await broken_download(client.http, url, start=len(got))
        assert second["content-range"] == f"bytes {len(got)}-{len(data) - 1}/{len(data)}"
        got += more
        rest = await client.http.get(url, headers={"Range": f"bytes={len(got)}-"})
        assert rest.status_code == 206
        assert got + rest.content == data
        assert {first["etag"], second["etag"]} == {rest.headers["etag"]}


async def broken_download(http: httpx.AsyncClient, url: str, start: int = 0) -> tuple[bytes, httpx.Headers]:
    """What arrives before the line breaks, as it must, and the headers before that."""
    got = b""
    async with http.stream("GET", url, headers={"Range": f"bytes={start}-"} if start else {}) as answer:
        try:
            async for chunk in answer.aiter_raw():
                got += chunk
        except httpx.RemoteProtocolError:
            return got, answer.headers
    pytest.fail("the download did not break")


async def test_slow_and_huge_answers(demo: Any) -> None:
    async with demo() as client:
        client.pod.script.add(Drip(40, 0.02), path="/features")
        start = time.monotonic()
        answer = await client.http.get("/features")
        assert answer.json()["supports_preview_metadata"]
        assert time.monotonic() - start > 0.03
        client.pod.script.add(Oversize(3_000_000), path="/object_info")
        assert len((await client.http.get("/object_info")).content) > 2_900_000
        client.pod.script.add(Oversize(3_000_000, gzip=True), path="/object_info")
        async with client.http.stream("GET", "/object_info") as answer:
            wire = b"".join([chunk async for chunk in answer.aiter_raw()])
        assert len(wire) < 10_000
        assert len(gzip.decompress(wire)) == 3_000_000


@pytest.mark.parametrize(
    ("auth", "right"),
    [
        (Basic("me", "pässword"), {"auth": ("me", "pässword")}),
        (Bearer("secret"), {"headers": {"Authorization": "Bearer secret"}}),
        (Header("CF-Access-Client-Secret", "x"), {"headers": {"CF-Access-Client-Secret": "x"}}),
        (QueryToken("t0ken"), {"params": {"token": "t0ken"}}),
    ],
)
async def test_credentials(demo: Any, auth: Any, right: dict[str, Any]) -> None:
    async with demo() as client:
        client.pod.script.auth = auth
        refused = await client.http.get("/queue")
        assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Basic")
        assert (await client.http.get("/queue", **right)).status_code == 200
        with pytest.raises(websockets.InvalidStatus, match="401"):
            await websockets.connect(client.pod.url.replace("http", "ws") + "/ws")
        client.pod.script.refusal = Redirect("/login")
        assert (await client.http.get("/queue")).headers["location"] == "/login"


async def test_a_full_disk(demo: Any, picture_graph: Any) -> None:
    async with demo() as client:
        client.pod.script.disk.left = 100
        entry = await client.run(picture_graph())
        name, error = entry["status"]["messages"][-1]
        assert (name, error["node_type"]) == ("execution_error", "SaveImage")
        assert error["exception_type"] == "OSError"
        assert "No space left" in error["exception_message"]
        assert list((client.pod.folder / "output").iterdir()) == []
        answer = await client.http.post("/upload/image", files={"image": ("x.png", b"x" * 200)})
        assert answer.status_code == 500


async def test_nodes_that_fail_run_out_of_memory_or_block(demo: Any, picture_graph: Any) -> None:
    async with demo() as client:
        client.pod.script.nodes["KSampler"] = out_of_memory()
        entry = await client.run(picture_graph())
        error = entry["status"]["messages"][-1][1]
        assert (error["node_id"], error["exception_type"]) == ("5", "torch.OutOfMemoryError")
        assert "you ran out of memory on your GPU" in error["exception_message"]
        client.pod.script.nodes = {"6": NodeFault(block="not today")}
        entry = await client.run(picture_graph())
        assert entry["status"]["status_str"] == "success", "blocking is not the end"
        assert entry["outputs"] == {}
        client.pod.script.nodes.clear()
        assert (await client.run(picture_graph(seed=2)))["outputs"]["7"]["images"]


async def test_a_blocked_node_is_told_once_and_the_run_succeeds(demo: Any, picture_graph: Any) -> None:
    async with demo() as client, websockets.connect(f"{client.pod.url.replace('http', 'ws')}/ws?clientId=me") as socket:
        client.pod.script.nodes = {"6": NodeFault(block="not today")}
        await client.http.post("/prompt", json={"prompt": picture_graph(), "client_id": "me"})
        types: list[str] = []
        while not types or types[-1] != "execution_success":
            raw = await asyncio.wait_for(socket.recv(), 10)
            assert isinstance(raw, str)
            types.append(raw.split('"')[3])
            if types[-1] == "execution_error":
                assert '"exception_type": "ExecutionBlocked"' in raw
                assert "Execution Blocked: not today" in raw
        assert types.count("execution_error") == 1


async def test_a_restart_loses_queue_and_history_and_keeps_the_address(demo: Any, picture_graph: Any) -> None:
    async with demo(speed=1) as client:
        await client.run(picture_graph(steps=1))
        url = client.pod.url
        await client.http.post("/prompt", json={"prompt": picture_graph(seed=9, steps=500)})
        await client.http.post("/prompt", json={"prompt": picture_graph(seed=10, steps=500)})
        await client.pod.restart()
        assert client.pod.url == url
        assert (await client.http.get("/history")).json() == {}
        assert (await client.http.get("/queue")).json() == {"queue_running": [], "queue_pending": []}
        entry = await client.run(picture_graph(steps=1))
        assert entry["prompt"][0] == 0, "numbers start anew"
        await client.pod.restart(lose_history=False)
        assert len((await client.http.get("/history")).json()) == 1


async def test_dying_breaks_connections_mid_job(demo: Any, picture_graph: Any) -> None:
    async with demo(speed=1) as client:
        async with websockets.connect(f"{client.pod.url.replace('http', 'ws')}/ws?clientId=me") as socket:
            await client.http.post("/prompt", json={"prompt": picture_graph(steps=500), "client_id": "me"})
            await socket.recv()
            start = time.monotonic()
            await client.pod.stop()
            assert time.monotonic() - start < 3
            with pytest.raises(websockets.ConnectionClosedError):
                await asyncio.wait_for(drained(socket), 5)
        with pytest.raises(httpx.ConnectError):
            await client.http.get("/queue")
        await client.pod.stop()


async def drained(socket: websockets.ClientConnection) -> None:
    while True:
        await socket.recv()


async def test_a_socket_made_deaf(demo: Any, picture_graph: Any) -> None:
    async with demo() as client:
        address = f"{client.pod.url.replace('http', 'ws')}/ws?clientId=me"
        async with websockets.connect(address) as socket:
            await socket.recv()
            client.pod.hub.deafen("me")
            await client.run(picture_graph(steps=1))
            await asyncio.wait_for(await socket.ping(), 5)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(socket.recv(), 0.1)
        async with websockets.connect(address) as again:
            assert '"status"' in str(await again.recv()), "a new connection hears again"


async def test_two_pods_cannot_share_a_port(tmp_path: Path) -> None:
    async with DemoPod(folder=tmp_path / "a") as first:
        second = DemoPod(first.port, folder=tmp_path / "b")
        with pytest.raises(OSError, match="address already in use"):
            await second.start()
        await second.stop()
