"""The recorded traffic of a real ComfyUI 0.33.0, played again to the demo pod: it must say the same.

The recording used four nodes of its own; here they are, with the same behaviour.
"""

import asyncio
import io
import json
import lzma
import re
import struct
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets
from PIL import Image

from comfydesk.demo.executor import NodeContext
from comfydesk.demo.nodes.base import NodeClass, OutOfMemoryError, int_spec, text_spec
from comfydesk.demo.server import DemoPod
from comfydesk.demo.values import Images, Result

TRAFFIC = Path(__file__).parents[1] / "data" / "client_traffic.jsonl.xz"
Row = dict[str, Any]


def scenarios() -> dict[str, list[Row]]:
    """Scenario → its rows, in order."""
    found: dict[str, list[Row]] = {}
    rows: list[Row] = []
    with lzma.open(TRAFFIC, "rt", encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            if row["dir"] == "scenario":
                rows = found.setdefault(row["name"], [])
            else:
                rows.append(row)
    return found


# --- The nodes of the recording


def _progress(context: NodeContext, steps: int, delay_ms: int, preview: str, seed: int) -> Result:
    picture = Image.effect_noise((64, 64), 40).convert("RGB")
    context._previews = preview != "none"  # the recorded node sent previews unasked
    for step in range(1, steps + 1):
        context.step(step, steps, lambda: picture, delay_ms / 1000)
    return Result(((picture,),))


def _text(context: NodeContext, text: str) -> Result:
    context.say(f"working: {text}")
    return Result((text,), {"text": [text]})


def _raise(image: Images, message: str) -> Result:
    raise ValueError(message)


def _no_memory(image: Images) -> Result:
    raise OutOfMemoryError("fake out of memory")


def _node(name: str, run: Any, required: dict[str, Any], output: str, *, is_output: bool = False) -> NodeClass:
    return NodeClass(
        name=name, run=run, title=name, category="test", required=required, outputs=(output,), is_output=is_output
    )


RECORDED_NODES = (
    _node(
        "OracleProgress",
        _progress,
        {
            "steps": int_spec(3, 1, 1000),
            "delay_ms": int_spec(100, 0, 10000),
            "preview": [["none", "JPEG", "PNG"]],
            "seed": int_spec(0, 0, 2**64 - 1),
        },
        "IMAGE",
    ),
    _node("OracleText", _text, {"text": text_spec(multiline=True)}, "STRING", is_output=True),
    _node("OracleRaise", _raise, {"image": ["IMAGE"], "message": text_spec()}, "IMAGE"),
    _node("OracleOOM", _no_memory, {"image": ["IMAGE"]}, "IMAGE"),
)


# --- What two runs cannot share


class Ids:
    """Prompt ids and temp names differ from run to run: numbered in the order they appear."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def plain(self, value: Any) -> Any:
        """`value` without what only chance or the clock decides."""
        if isinstance(value, dict):
            return {
                self.plain(name): self.plain(item)
                for name, item in value.items()
                if name not in ("timestamp", "create_time", "execution_start_time", "execution_end_time", "sid")
            }
        if isinstance(value, list):
            return [self.plain(item) for item in value]
        if isinstance(value, str):
            value = re.sub(r"ComfyUI_temp_[a-z]{5}_", "ComfyUI_temp_xxxxx_", value)
            return re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", self._number, value)
        return value

    def _number(self, match: "re.Match[str]") -> str:
        return self._names.setdefault(match[0], f"prompt-{len(self._names)}")


def frames(messages: list[Any], ids: Ids) -> list[Any]:
    """Messages as comparable values: binary ones by kind, format and metadata."""
    return [ids.plain(binary(entry) if isinstance(entry, bytes) else entry) for entry in messages]


def binary(frame: bytes) -> dict[str, Any]:
    kind = struct.unpack_from(">I", frame)[0]
    if kind == 3:
        length = struct.unpack_from(">I", frame, 4)[0]
        return {"kind": 3, "node": frame[8 : 8 + length].decode(), "text": frame[8 + length :].decode()}
    if kind == 4:
        length = struct.unpack_from(">I", frame, 4)[0]
        Image.open(io.BytesIO(frame[8 + length :])).verify()
        return {"kind": 4, "metadata": json.loads(frame[8 : 8 + length])}
    Image.open(io.BytesIO(frame[8:])).verify()
    return {"kind": 1}


def recorded(rows: list[Row], connection: str) -> Iterator[Any]:
    for row in rows:
        if row.get("conn") != connection:
            continue
        if row["dir"] == "recv":
            yield json.loads(row["text"])
        elif row["dir"] == "recv_binary" and row["event_type"] == 3:
            yield {"kind": 3, "node": row["node_id"], "text": row["text"]}
        elif row["dir"] == "recv_binary":
            yield {"kind": row["event_type"], **({"metadata": row["metadata"]} if "metadata" in row else {})}


# --- The play


class Play:
    """The recorded clients: A with feature flags, B without, talking to a demo pod."""

    def __init__(self, http: httpx.AsyncClient, ours: dict[str, str]) -> None:
        self.http = http
        self.ours = ours
        self.heard: dict[str, list[Any]] = {name: [] for name in ours}
        self._readers: list[asyncio.Task[None]] = []

    def listen(self, name: str, socket: websockets.ClientConnection) -> None:
        async def read() -> None:
            async for raw in socket:
                self.heard[name].append(raw if isinstance(raw, bytes) else json.loads(raw))

        self._readers.append(asyncio.create_task(read()))

    async def stop(self) -> None:
        for reader in self._readers:
            reader.cancel()
        await asyncio.gather(*self._readers, return_exceptions=True)

    async def send(self, row: Row, theirs: dict[str, str]) -> httpx.Response:
        """A recorded request, under our client ids."""
        body = json.loads(re.sub("|".join(theirs), lambda found: theirs[found[0]], json.dumps(row["request"])))
        if row["request"] is None:
            return await self.http.request(row["method"], row["path"])
        return await self.http.request(row["method"], row["path"], json=body)


@asynccontextmanager
async def playing(folder: Path) -> AsyncIterator[Play]:
    ours = {"A": "a" * 32, "B_noflags": "b" * 32}
    async with (
        DemoPod(folder=folder, speed=20, nodes=RECORDED_NODES) as pod,
        httpx.AsyncClient(base_url=pod.url, verify=False) as http,
        websockets.connect(f"{pod.url.replace('http', 'ws')}/ws?clientId={ours['A']}") as first,
        websockets.connect(f"{pod.url.replace('http', 'ws')}/ws?clientId={ours['B_noflags']}") as second,
    ):
        play = Play(http, ours)
        await first.send(json.dumps({"type": "feature_flags", "data": {"supports_preview_metadata": True}}))
        await asyncio.sleep(0)
        play.listen("A", first)
        play.listen("B_noflags", second)
        await quiet(play)
        try:
            yield play
        finally:
            await play.stop()


async def quiet(play: Play) -> None:
    """Wait until the pod has nothing more to say."""
    while True:
        before = {name: len(heard) for name, heard in play.heard.items()}
        await asyncio.sleep(0.05)
        remaining = (await play.http.get("/prompt")).json()["exec_info"]["queue_remaining"]
        if not remaining and before == {name: len(heard) for name, heard in play.heard.items()}:
            return


RUNS = (
    "success_with_metadata_previews",
    "cached_same_prompt_again",
    "partially_cached",
    "success_legacy_previews_noflags",
    "legacy_previews_png",
    "execution_error",
    "execution_error_oom",
)


async def test_runs_say_what_the_real_server_said(tmp_path: Path) -> None:
    """Success, cached, partly cached, both kinds of previews, error, out of memory: every message, in order."""
    rows_of = scenarios()
    async with playing(tmp_path) as play:
        theirs = their_clients(play)
        their_ids, our_ids = Ids(), Ids()
        for name in RUNS:
            for heard in play.heard.values():
                heard.clear()
            posts = [row for row in rows_of[name] if row["dir"] == "http" and row["method"] == "POST"]
            for row in posts:
                answer = await play.send(row, theirs)
                assert our_ids.plain(answer.json()) == their_ids.plain(json.loads(row["response"])), name
            await quiet(play)
            for connection, heard in play.heard.items():
                expected = [their_ids.plain(message) for message in recorded(rows_of[name], connection)]
                assert unordered(frames(heard, our_ids)) == unordered(expected), (name, connection)


async def test_histories_are_those_of_the_real_server(tmp_path: Path) -> None:
    rows_of = scenarios()
    async with playing(tmp_path) as play:
        theirs = their_clients(play)
        their_ids, our_ids = Ids(), Ids()
        for name in RUNS[:4]:
            ours = ""
            for row in rows_of[name]:
                if row["dir"] == "http" and row["method"] == "POST":
                    answer = await play.send(row, theirs)
                    ours = answer.json()["prompt_id"]
                    their_ids.plain(json.loads(row["response"]))
                    our_ids.plain(answer.json())
                    await quiet(play)
                elif row["dir"] == "http":
                    history = (await play.http.get(f"/history/{ours}")).json()
                    expected = their_ids.plain(json.loads(row["response"]))
                    assert history_shape(our_ids.plain(history)) == history_shape(expected), name


VALIDATIONS = [name for name in scenarios() if name.startswith("val_")]


@pytest.mark.parametrize("name", VALIDATIONS)
async def test_refusals_are_word_for_word_those_of_the_real_server(name: str, tmp_path: Path) -> None:
    row = next(row for row in scenarios()[name] if row["dir"] == "http")
    async with (
        DemoPod(folder=tmp_path, nodes=RECORDED_NODES) as pod,
        httpx.AsyncClient(base_url=pod.url, verify=False) as http,
    ):
        answer = await http.post(row["path"], json=row["request"])
    expected = json.loads(row["response"])
    assert answer.status_code == row["status"]
    assert refusal(answer.json()) == refusal(expected)


def refusal(answer: Any) -> Any:
    """Without ids, tracebacks and the order of errors (the real server goes through a set)."""
    answer.pop("prompt_id", None)
    answer.pop("number", None)
    for entry in answer["node_errors"].values():
        entry["errors"].sort(key=json.dumps)
        for error in entry["errors"]:
            error["extra_info"].pop("traceback", None)
    return answer


def their_clients(play: Play) -> dict[str, str]:
    """Recorded client id → ours."""
    with lzma.open(TRAFFIC, "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    opened = {row["conn"]: row["url"].split("=")[1] for row in rows if row["dir"] == "open"}
    return {opened[name]: client for name, client in play.ours.items()}


def unordered(messages: list[Any]) -> list[Any]:
    """Messages to compare: `status` apart (broadcast from another thread), tracebacks and tensors left out."""
    status = [entry for entry in messages if entry.get("type") == "status"]
    rest = [entry for entry in messages if entry.get("type") != "status"]
    for entry in rest:
        if entry.get("type") == "execution_error":
            data = entry["data"]
            assert data["traceback"]
            data["traceback"] = []
            data["current_inputs"] = {
                name: value if name == "message" else [] for name, value in data["current_inputs"].items()
            }
            data["current_outputs"] = sorted(data["current_outputs"])
            data["executed"] = sorted(data["executed"])
        if entry.get("type") == "execution_cached":
            entry["data"]["nodes"].sort()
    return [*rest, *status]


def history_shape(history: Any) -> Any:
    for entry in history.values():
        entry["prompt"][3]["client_id"] = ""
        entry["prompt"][4].sort()
    return history
