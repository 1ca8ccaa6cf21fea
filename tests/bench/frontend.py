"""ComfyUI's own frontend in a headless Chromium, driven over the DevTools protocol; and a ComfyUI to serve it.

Nothing of either is in this repository: the environment says where they are.

COMFYDESK_CHROMIUM       the browser's program
COMFYDESK_REAL_COMFYUI   the address of a ComfyUI that runs, or its main.py
COMFYDESK_REAL_PYTHON    the interpreter for main.py
"""

import asyncio
import json
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import websockets

from tests.bench.screens import end, environment

CHROMIUM, SERVER, PYTHON = "COMFYDESK_CHROMIUM", "COMFYDESK_REAL_COMFYUI", "COMFYDESK_REAL_PYTHON"
START_S, LOAD_S = 90.0, 60.0
SIZE = (1440, 900)
FOLDERS = ("custom_nodes", "models", "input", "output", "temp", "user")

WATCH = """
window.__usable = 0;
(() => {
  const look = setInterval(() => {
    const types = window.LiteGraph && window.LiteGraph.registered_node_types;
    if (window.app && window.app.graph && window.app.canvas && types && types.KSampler && types.SaveImage
        && !document.querySelector('.p-progressspinner') && document.querySelector('canvas')) {
      window.__usable = performance.now();
      clearInterval(look);
    }
  }, 10);
})();
"""
"""Its usable moment, told generously: the graph, its canvas and the nodes' definitions are there, no spinner turns."""
OPEN = """
(async () => {
  const data = JSON.parse(%s);
  const began = performance.now();
  try {
    await window.app.loadGraphData(data);
    const loaded = performance.now();
    const made = await window.app.graphToPrompt();
    const done = performance.now();
    return {opened: (loaded - began) / 1000, converted: (done - loaded) / 1000, nodes: Object.keys(made.output).length};
  } catch (error) { return {error: String(error)}; }
})()
"""
QUEUE = """
(async () => {
  const began = performance.now();
  await window.app.queuePrompt(0, %d);
  const listed = performance.now();
  for (;;) {
    const queue = await (await fetch('/api/queue')).json();
    if (!queue.queue_running.length && !queue.queue_pending.length) break;
    await new Promise(next => setTimeout(next, 20));
  }
  return {listed: (listed - began) / 1000, done: (performance.now() - began) / 1000};
})()
"""


@contextmanager
def server(folder: Path) -> Iterator[str]:
    """The address of a ComfyUI: the one that the environment names, or one started there, with `folder` as its own."""
    named = os.environ[SERVER]
    if named.startswith("http"):
        yield named.rstrip("/")
        return
    for name in FOLDERS:
        (folder / name).mkdir(parents=True, exist_ok=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [os.environ.get(PYTHON, "python3"), named, "--cpu", "--listen", "127.0.0.1", "--port", str(port)]
    command += ["--disable-api-nodes", "--base-directory", str(folder)]
    with (folder / "server.log").open("w", encoding="utf-8") as log:
        process = subprocess.Popen(
            command, cwd=Path(named).parent, env=_plain(), stdout=log, stderr=log, text=True, start_new_session=True
        )
    try:
        url, until = f"http://127.0.0.1:{port}", time.monotonic() + START_S
        while not _answers(f"{url}/system_stats"):
            assert process.poll() is None, (folder / "server.log").read_text()[-500:]
            assert time.monotonic() < until, "ComfyUI did not start"
            time.sleep(0.1)
        yield url
    finally:
        end(process, group=True)


def _plain() -> dict[str, str]:
    return {name: value for name, value in environment().items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


class Page:
    """One tab."""

    def __init__(self, socket: websockets.ClientConnection, pid: int, spawned: float) -> None:
        self._socket, self.pid, self.spawned = socket, pid, spawned
        self._numbers = count(1)

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        """One command of the DevTools protocol; RuntimeError with what it says if it fails."""
        number = next(self._numbers)
        await self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            said = json.loads(await self._socket.recv())
            if said.get("id") == number:
                if "error" in said:
                    raise RuntimeError(str(said["error"]))
                return dict(said["result"])

    async def ask(self, script: str) -> Any:
        """The value of an expression, awaited if it is a promise."""
        found = await self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in found:
            raise RuntimeError(str(found["exceptionDetails"])[:500])
        return found["result"].get("value")

    async def load(self, url: str) -> float:
        """Open the frontend; seconds from the navigation to its usable moment."""
        await self.call("Page.enable")
        await self.call("Page.addScriptToEvaluateOnNewDocument", source=WATCH)
        await self.call("Page.navigate", url=url)
        until = time.monotonic() + LOAD_S
        while not (usable := await self.ask("window.__usable || 0")):
            assert time.monotonic() < until, "the frontend did not load"
            await asyncio.sleep(0.25)
        return float(usable) / 1000

    async def open(self, text: str) -> dict[str, Any]:
        """A workflow loaded and converted: {"opened", "converted", "nodes"} in seconds, or {"error"}."""
        return dict(await self.ask(OPEN % json.dumps(text)))

    async def queue(self, jobs: int) -> dict[str, float]:
        """What is open, so many times over: seconds until all are "listed", and until the server is "done"."""
        return dict(await self.ask(QUEUE % jobs))


@asynccontextmanager
async def chromium(profile: Path) -> AsyncIterator[Page]:
    """A browser with a profile of its own, and its one tab."""
    process, spawned = _browser(profile)
    try:
        port = await asyncio.to_thread(_port, profile / "DevToolsActivePort")
        address = await asyncio.to_thread(_tab, port)
        async with websockets.connect(address, max_size=None, compression=None) as line:
            yield Page(line, process.pid, spawned)
    finally:
        end(process, group=True)


def _browser(profile: Path) -> tuple["subprocess.Popen[str]", float]:
    """It, and when it was started."""
    profile.mkdir(parents=True)
    command = [os.environ[CHROMIUM], "--headless=new", "--no-sandbox", "--no-first-run", "--no-default-browser-check"]
    command += [f"--user-data-dir={profile}", "--remote-debugging-port=0", f"--window-size={SIZE[0]},{SIZE[1]}"]
    spawned = time.monotonic()
    process = subprocess.Popen(
        [*command, "about:blank"],
        env=_plain() | {"HOME": str(profile)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    return process, spawned


def _port(told: Path) -> int:
    """Where it listens; it writes that down."""
    until = time.monotonic() + START_S
    while not told.exists() or len(told.read_text().splitlines()) < 2:
        assert time.monotonic() < until, "the browser did not start"
        time.sleep(0.02)
    return int(told.read_text().splitlines()[0])


def _tab(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list", timeout=10) as answer:
        tabs = json.loads(answer.read())
    return str(next(tab for tab in tabs if tab["type"] == "page")["webSocketDebuggerUrl"])
