"""10,000 progress messages and 1,000 previews of 100 KB, as fast as a pod can send them, into one client and tracker.

    pytest tests/bench/test_flood.py -s

The pod is a bare WebSocket server in a process of its own. A listener that looks at each event, as the session's does,
must see the last state right; stale previews are dropped; no turn of the loop takes long. The window's part of it is
measured in tests/bench/test_window_flood.py or by hand.
"""

import asyncio
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest

from comfydesk.client.address import Address
from comfydesk.client.pod import Pod
from comfydesk.client.tracker import Tracker
from comfydesk.events import JobProgress, PodEvent, PreviewFrame, RunState
from tests.bench.figures import record
from tests.bench.test_enqueue import Turns

STEPS, PREVIEWS = 10_000, 1_000
COMMAND = "pytest tests/bench/test_flood.py -s"
SERVER = """
import asyncio, json, struct, sys
from websockets.asyncio.server import serve

STEPS, PREVIEWS, PROMPT = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
HEAD = json.dumps({"node_id": "3", "prompt_id": PROMPT, "display_node_id": "3", "image_type": "image/jpeg"}).encode()
PREVIEW = struct.pack(">II", 4, len(HEAD)) + HEAD + bytes(100 * 1024)

def message(kind, **data):
    return json.dumps({"type": kind, "data": data})

async def flood(socket):
    await socket.send(message("status", status={"exec_info": {"queue_remaining": 1}}, sid="x"))
    await socket.recv()
    await socket.send(message("execution_start", prompt_id=PROMPT))
    for number in range(1, STEPS + 1):
        await socket.send(message("progress", value=number, max=STEPS, prompt_id=PROMPT, node="3"))
        if number % (STEPS // PREVIEWS) == 0:
            await socket.send(PREVIEW)
    await socket.send(message("executing", node="8", display_node="8", prompt_id=PROMPT))
    await socket.send(message("executing", node=None, prompt_id=PROMPT))
    await asyncio.Event().wait()

async def main():
    async with serve(flood, "127.0.0.1", 0, compression=None) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


async def measured(url: str, prompt: str) -> tuple[float, Turns, int, JobProgress]:
    """Seconds, turns of the loop, previews that were let through, the last progress."""
    tracker, over, previews = Tracker(), asyncio.Event(), 0
    tracker.expect(prompt, {"3": 20.0, "8": 1.0})
    last: list[JobProgress] = []

    def hear(event: PodEvent) -> None:
        nonlocal previews
        previews += isinstance(event, PreviewFrame)
        for progress in tracker.feed(event):
            last[:] = [progress]
            if progress.state.ended:
                over.set()

    pod = Pod(Address.parse(url))
    pod.events.subscribe(hear)
    turns = Turns()
    watch = asyncio.create_task(turns.watch())
    began = time.perf_counter()
    await pod.open()
    try:
        async with asyncio.timeout(60):
            await over.wait()
        return time.perf_counter() - began, turns, previews, last[0]
    finally:
        watch.cancel()
        await pod.close()


@pytest.mark.timeout(120)
def test_a_flood_leaves_the_loop_free_and_ends_in_the_right_state(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prompt = str(uuid.uuid4())
    script = tmp_path / "server.py"
    script.write_text(SERVER)
    command = [sys.executable, str(script), str(STEPS), str(PREVIEWS), prompt]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            port = int(server.stdout.readline())
            seconds, turns, previews, last = asyncio.run(measured(f"http://127.0.0.1:{port}", prompt))
        finally:
            server.kill()
    with capsys.disabled():
        note = f"{STEPS} steps and {PREVIEWS} previews in {seconds:.2f} s, {previews} previews shown"
        note += f"; on the wall {turns.wall * 1000:.0f} ms"
        found = record(
            "longest turn of the client's loop in a flood, computed", turns.computed * 1000, "ms", "≤ 50", COMMAND, note
        )
    assert (last.state, last.fraction) == (RunState.SUCCEEDED, 1.0)
    assert previews < PREVIEWS / 2
    assert found.met
