"""JSON of /api/jobs, /history, /queue, /prompt and /system_stats, and the names of files on their way to the disk."""

import json
from pathlib import Path
from random import Random

from comfydesk.client import past, remote
from comfydesk.client.address import Address
from comfydesk.client.answers import Answer, handshake_refusal, refusal
from comfydesk.client.bodies import _parse
from comfydesk.client.files import inside, media_kind, safe_relative_path
from comfydesk.client.submission import _accepted
from comfydesk.client.tracker import Tracker, weights_of
from comfydesk.errors import KnownError, NotComfyError
from tests.fuzz import material
from tests.fuzz.harness import Harness
from tests.fuzz.mutate import json_of

PROMPT = "p1"
_ADDRESS = Address.parse("http://127.0.0.1:8188")
_FOLDER = Path("/nowhere/results")


def take(data: bytes) -> None:
    answer = Answer(len(data) % 600, "application/json", data, location=data[:80].decode("latin-1"))
    refusal(answer, _ADDRESS)
    handshake_refusal(answer, _ADDRESS)
    try:
        document = _parse(data)
    except ValueError as error:
        raise NotComfyError("no JSON") from error  # as Rest has it
    refused: KnownError | None = None
    for read in (_job, _history, remote.queue_ids, remote.queue_remaining, remote.system_stats, _accepted, _past):
        try:
            read(document)
        except KnownError as error:
            refused = error
    if refused is not None:
        raise refused


def _job(document: object) -> None:
    _followed(remote.job_from_api(PROMPT, document))


def _history(document: object) -> None:
    remote.job_from_queue(PROMPT, document)
    _followed(remote.job_from_history(PROMPT, document))


def _followed(job: remote.RemoteJob | None) -> None:
    if job is None:
        return
    tracker = Tracker()
    tracker.expect(PROMPT, weights_of(material.GRAPH))
    tracker.apply_remote(job)
    for file in job.outputs:
        _placed(file)


def _placed(file: remote.RemoteFile) -> None:
    try:
        path = inside(_FOLDER, safe_relative_path(file.subfolder, file.filename))
    except KnownError:
        return
    assert path.is_relative_to(_FOLDER)
    assert ".." not in path.parts
    media_kind(file.filename)


def _past(document: object) -> None:
    for job in past.past_jobs(document)[:50]:
        past.past_graph(job.id, document)
        for file in job.files:
            _placed(file)
    for file in past.loose_files(document):
        _placed(file)


def seeds() -> list[bytes]:
    found: dict[str, bytes] = {}
    for line in material.traffic():
        if line["dir"] == "http" and isinstance(line.get("response"), str) and len(line["response"]) < 16_000:
            path = line["path"].split("?")[0][:12]
            name = f"{line['method']} {path} {line.get('status')} {len(line['response']) // 500}"
            found.setdefault(name, line["response"].encode())
    messages = [
        ["execution_start", {"timestamp": 1, "prompt_id": PROMPT}],
        ["execution_error", {"exception_type": "E"}],
    ]
    outputs = {
        "9": {"images": [{"filename": "a.png", "subfolder": "x", "type": "output"}], "text": ["t"], "3d": ["a/b.glb"]}
    }
    entry = {
        "status": {"status_str": "success", "messages": messages},
        "outputs": outputs,
        "prompt": [1, PROMPT, {}, {}, []],
    }
    job = {"id": PROMPT, "status": "completed", "outputs": outputs, "execution_status": {"messages": messages}}
    made: list[object] = [
        {PROMPT: entry},
        job | {"execution_start_time": 1, "execution_error": {"node_id": 3, "traceback": ["a"]}},
        {"queue_running": [[3, PROMPT, {}, {}, []]], "queue_pending": [[2, "a", {}, {}, []], [1, "b", {}, {}, []]]},
        {"exec_info": {"queue_remaining": 3}},
        {"prompt_id": PROMPT, "number": 3, "node_errors": {"9": {"errors": []}}},
        {
            "system": {"os": "posix", "ram_total": 1, "python_version": "3.11 (x)"},
            "devices": [{"name": "a", "vram_total": 1}],
        },
        ["a.png [output]", "b/c.png [output]"],
        {"error": {"type": "t", "message": "m", "details": "d"}, "node_errors": {}},
    ]
    return [*found.values(), *(json.dumps(one).encode() for one in made)]


def mutate(data: bytes, rng: Random) -> bytes:
    return json_of(data, rng)


HARNESS = Harness(take, seeds, mutate)
