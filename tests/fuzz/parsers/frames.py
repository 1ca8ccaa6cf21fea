"""WebSocket frames: what a pod sends, decoded, and what the tracker makes of it. A first byte of \\1 is binary."""

from comfydesk.client import protocol
from comfydesk.client.tracker import Tracker
from comfydesk.events import PodEvent
from tests.fuzz import material
from tests.fuzz.harness import Harness
from tests.fuzz.mutate import bytes_of, either, json_of

PROMPT = "11111111-2222-4333-8444-555555555555"


def take(data: bytes) -> None:
    """Several frames, a line each, of one job: what is odd in one may matter in the next."""
    tracker = Tracker()
    tracker.expect(PROMPT, {"3": 20.0, "4": 3.0, "9": 1.0})
    for line in data.split(b"\n"):
        try:
            event: PodEvent = protocol.decode(line[1:] if line[:1] == b"\1" else line.decode(errors="surrogateescape"))
        except protocol.ProtocolError:
            continue
        for progress in tracker.feed(event):
            assert 0.0 <= progress.fraction <= 1.0
        assert len(tracker.outputs(PROMPT)) <= 10_000


def seeds() -> list[bytes]:
    lines: list[bytes] = []
    for line in material.traffic():
        if line["dir"] == "recv":
            lines.append(line["text"].encode())
        elif line["dir"] == "recv_binary":
            lines.append(b"\1" + material.binary_frame(line))
    ids = {
        line["text"].split('"prompt_id": "')[1][:36]
        for line in material.traffic()
        if '"prompt_id": "' in line.get("text", "")
    }
    for name in ids:
        lines = [line.replace(name.encode(), PROMPT.encode()) for line in lines]
    kinds = {line[:34]: line for line in lines if len(line) < 4000}
    story = [b"\n".join(lines[start : start + 12]) for start in range(0, min(len(lines), 240), 12)]
    return [*kinds.values(), *(one[:8000] for one in story)]


HARNESS = Harness(take, seeds, either(json_of, json_of, bytes_of))
