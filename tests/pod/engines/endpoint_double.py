"""A RunPod Serverless endpoint with worker-comfyui, in the documented shape, on loopback.

Shapes: docs.runpod.io "Operation reference" (/run, /status, /cancel, /health) and worker-comfyui's handler.py
(`output.images` of `{filename, type, data}`, `{"error": …}` as the job's error).
"""

import base64
import io
import uuid
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from PIL import Image

KEY = "rpa_K3Y"
ENDPOINT = "abc123xyz456"


def png(colour: tuple[int, int, int]) -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (24, 24), colour).save(data, "PNG")
    return data.getvalue()


@dataclass
class FakeJob:
    """`path` are the states that each look at it moves through; the last one stays."""

    id: str
    input: dict[str, Any]
    path: list[str]
    output: Any
    error: str = ""

    def look(self) -> dict[str, Any]:
        state = self.path.pop(0) if len(self.path) > 1 else self.path[0]
        document: dict[str, Any] = {"id": self.id, "status": state, "delayTime": 120}
        if state == "COMPLETED":
            document |= {"output": self.output, "executionTime": 900}
        if state in ("FAILED", "TIMED_OUT") and self.error:
            document["error"] = self.error
        return document


@dataclass
class FakeEndpoint:
    """What its next jobs do is set before they are sent."""

    path: tuple[str, ...] = ("IN_QUEUE", "IN_PROGRESS", "COMPLETED")
    output: Any = None
    error: str = ""
    lose_answer: bool = False
    """The next POST /run is carried out, and its answer is not sent."""
    next_status: int | None = None
    """Of the next POST /run, which is not carried out."""
    bucket: dict[str, bytes] = field(default_factory=dict)
    jobs: dict[str, FakeJob] = field(default_factory=dict)
    bucket_saw_credentials: bool = False
    posts: int = 0

    def app(self) -> web.Application:
        app = web.Application(client_max_size=20 << 20)
        start = f"/v2/{ENDPOINT}"
        app.router.add_get(f"{start}/health", self._health)
        app.router.add_post(f"{start}/run", self._run)
        app.router.add_get(start + "/status/{id}", self._status)
        app.router.add_post(start + "/cancel/{id}", self._cancel)
        app.router.add_get("/bucket/{name}", self._bucket)
        return app

    async def _health(self, request: web.Request) -> web.Response:
        self._admit(request)
        jobs = {"completed": 1, "failed": 0, "inProgress": 0, "inQueue": 2, "retried": 0}
        workers = {"idle": 1, "initializing": 1, "ready": 1, "running": 0, "throttled": 0, "unhealthy": 0}
        return web.json_response({"jobs": jobs, "workers": workers})

    async def _run(self, request: web.Request) -> web.Response:
        self._admit(request)
        self.posts += 1
        if self.next_status is not None:
            status, self.next_status = self.next_status, None
            return web.json_response({"error": "not now"}, status=status)
        document = await request.json()
        job_id = f"{uuid.uuid4()}-u1"
        images = [{"filename": "pic_00001_.png", "type": "base64", "data": base64.b64encode(png((9, 99, 9))).decode()}]
        output = {"images": images} if self.output is None else self.output
        self.jobs[job_id] = FakeJob(job_id, document["input"], list(self.path), output, self.error)
        if self.lose_answer:
            self.lose_answer = False
            assert request.transport is not None
            request.transport.abort()
        return web.json_response({"id": job_id, "status": "IN_QUEUE"})

    async def _status(self, request: web.Request) -> web.Response:
        self._admit(request)
        job = self.jobs.get(request.match_info["id"])
        if job is None:
            return web.json_response({"error": "job not found"}, status=404)
        return web.json_response(job.look())

    async def _cancel(self, request: web.Request) -> web.Response:
        self._admit(request)
        job = self.jobs.get(request.match_info["id"])
        if job is None:
            return web.json_response({"error": "job not found"}, status=404)
        job.path = ["CANCELLED"]
        return web.json_response({"id": job.id, "status": "CANCELLED"})

    async def _bucket(self, request: web.Request) -> web.Response:
        self.bucket_saw_credentials |= "Authorization" in request.headers
        if request.query.get("X-Amz-Signature") != "a/b+c=":
            return web.Response(status=403, text="<Error><Code>AccessDenied</Code></Error>")
        return web.Response(body=self.bucket[request.match_info["name"]], headers={"ETag": '"bytes"'})

    @staticmethod
    def _admit(request: web.Request) -> None:
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            raise web.HTTPUnauthorized(text='{"error": "invalid api key"}', content_type="application/json")
