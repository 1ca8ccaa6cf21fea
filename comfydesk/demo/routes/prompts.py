"""/prompt, /queue, /history, /interrupt, /free and /api/jobs."""

import json
import time
import uuid
from collections.abc import Iterator
from typing import Any

from aiohttp import web

from comfydesk.demo.jobs import STATES, ended_job, queued_job, sort_jobs
from comfydesk.demo.queue import Item
from comfydesk.demo.routes import PodParts, doubled
from comfydesk.demo.validation import validate

_SECRETS = ("auth_token_comfy_org", "api_key_comfy_org")


def routes(pod: PodParts) -> list[web.RouteDef]:
    prompts, jobs = PromptRoutes(pod), JobRoutes(pod)
    return [
        web.get("/api/jobs", jobs.page),
        web.get("/api/jobs/{job_id}", jobs.one),
        web.post("/api/jobs/{job_id}/cancel", jobs.cancel),
        web.post("/api/jobs/cancel", jobs.cancel_many),
        *doubled(
            [
                web.get("/prompt", prompts.info),
                web.post("/prompt", prompts.post),
                web.get("/queue", prompts.queue),
                web.post("/queue", prompts.edit_queue),
                web.get("/history", prompts.history),
                web.get("/history/{prompt_id}", prompts.history_of),
                web.post("/history", prompts.edit_history),
                web.post("/interrupt", prompts.interrupt),
                web.post("/free", prompts.free),
            ]
        ),
    ]


class PromptRoutes:
    def __init__(self, pod: PodParts) -> None:
        self._pod = pod
        self._queue = pod.shared.queue

    async def info(self, _: web.Request) -> web.Response:
        return web.json_response({"exec_info": {"queue_remaining": self._queue.remaining}})

    async def post(self, request: web.Request) -> web.Response:
        # Malformed JSON, and JSON of another shape, raise here: aiohttp's plain-text 500, as on the real server.
        body: dict[str, Any] = await request.json()
        number = self._number(body)
        if "prompt" not in body:
            return _rejected("no_prompt", "No prompt provided", "No prompt provided")
        prompt_id = body.get("prompt_id")
        if prompt_id is None:
            prompt_id = str(uuid.uuid4())
        elif not is_canonical_uuid(prompt_id):
            details = (
                "prompt_id must be a UUID string in canonical lowercase hyphenated form; "
                "omit it to let the server generate one"
            )
            return _rejected("invalid_prompt_id", "prompt_id must be a valid UUID", details)
        shared = self._pod.shared
        verdict = validate(body["prompt"], shared.classes, shared.folders, body.get("partial_execution_targets"))
        if verdict.error is not None:
            return web.json_response({"error": verdict.error, "node_errors": verdict.node_errors}, status=400)
        self._queue.put(Item(number, prompt_id, body["prompt"], _extra_data(body, request), verdict.outputs))
        return web.json_response({"prompt_id": prompt_id, "number": number, "node_errors": verdict.node_errors})

    def _number(self, body: dict[str, Any]) -> float:
        if "number" in body:
            return float(body["number"])
        number = -self._pod.number if body.get("front") else self._pod.number
        self._pod.number += 1
        return number

    async def queue(self, _: web.Request) -> web.Response:
        running, waiting = self._queue.current()
        return web.json_response({"queue_running": running, "queue_pending": waiting})

    async def edit_queue(self, request: web.Request) -> web.Response:
        body = await request.json()
        if body.get("clear"):
            self._queue.clear()
        for prompt_id in body.get("delete", ()):
            self._queue.delete(prompt_id)
        return web.Response()

    async def history(self, request: web.Request) -> web.Response:
        entries = list(self._queue.history().items())
        limit = int(request.query["max_items"]) if "max_items" in request.query else None
        offset = int(request.query.get("offset", -1))
        if limit is not None:
            start = max(0, len(entries) - limit) if offset < 0 else offset
            entries = entries[start : start + limit]
        elif offset > 0:
            entries = entries[offset:]
        return web.json_response(dict(entries))

    async def history_of(self, request: web.Request) -> web.Response:
        return web.json_response(self._queue.history(request.match_info["prompt_id"]))

    async def edit_history(self, request: web.Request) -> web.Response:
        body = await request.json()
        if body.get("clear"):
            self._queue.clear_history()
        for prompt_id in body.get("delete", ()):
            self._queue.forget(prompt_id)
        return web.Response()

    async def interrupt(self, request: web.Request) -> web.Response:
        try:
            body = await request.json()
        except json.JSONDecodeError:
            body = {}
        # No id, or an empty one, stops whatever runs, whoever's it is.
        self._queue.interrupt(body.get("prompt_id") or None)
        return web.Response()

    async def free(self, request: web.Request) -> web.Response:
        body = await request.json()
        if body.get("free_memory") or body.get("unload_models"):
            self._pod.executor.forget()
        return web.Response()


class JobRoutes:
    def __init__(self, pod: PodParts) -> None:
        self._queue = pod.shared.queue

    async def page(self, request: web.Request) -> web.Response:
        query = request.query
        wanted = [part.strip().lower() for part in query.get("status", "").split(",") if part.strip()]
        unknown = [part for part in wanted if part not in STATES]
        if unknown:
            valid = ", ".join(STATES)
            return _bad(f"Invalid status value(s): {', '.join(unknown)}. Valid values: {valid}")
        by, order = query.get("sort_by", "created_at").lower(), query.get("sort_order", "desc").lower()
        if by not in ("created_at", "execution_duration"):
            return _bad("sort_by must be 'created_at' or 'execution_duration'")
        if order not in ("asc", "desc"):
            return _bad("sort_order must be 'asc' or 'desc'")
        try:
            limit = int(query["limit"]) if "limit" in query else None
        except ValueError:
            return _bad("limit must be an integer")
        if limit is not None and limit <= 0:
            return _bad("limit must be a positive integer")
        try:
            offset = max(0, int(query.get("offset", 0)))
        except ValueError:
            return _bad("offset must be an integer")
        jobs = [job for job in self._all() if job["status"] in (wanted or STATES)]
        if query.get("workflow_id"):
            jobs = [job for job in jobs if job.get("workflow_id") == query["workflow_id"]]
        shown = sort_jobs(jobs, by, order)[offset:][:limit]
        has_more = offset + len(shown) < len(jobs)
        pagination = {"offset": offset, "limit": limit, "total": len(jobs), "has_more": has_more}
        return web.json_response({"jobs": shown, "pagination": pagination})

    def _all(self) -> Iterator[dict[str, Any]]:
        running, waiting = self._queue.current()
        yield from (queued_job(item, "in_progress") for item in running)
        yield from (queued_job(item, "pending") for item in waiting)
        yield from (ended_job(prompt_id, entry) for prompt_id, entry in self._queue.history().items())

    async def one(self, request: web.Request) -> web.Response:
        job_id = request.match_info["job_id"]
        ended = self._queue.history(job_id)
        if ended:
            return web.json_response(ended_job(job_id, ended[job_id], full=True))
        running, waiting = self._queue.current()
        for items, state in ((running, "in_progress"), (waiting, "pending")):
            for item in items:
                if item.prompt_id == job_id:
                    return web.json_response(queued_job(item, state))
        return web.json_response({"error": "Job not found"}, status=404)

    async def cancel(self, request: web.Request) -> web.Response:
        return web.json_response({"cancelled": self._queue.cancel(request.match_info["job_id"])})

    async def cancel_many(self, request: web.Request) -> web.Response:
        try:
            body = await request.json()
        except json.JSONDecodeError:
            return _bad("Request body must be valid JSON")
        ids = body.get("job_ids") if isinstance(body, dict) else None
        if not isinstance(ids, list):
            return _bad("job_ids must be a list")
        wrong = [job_id if isinstance(job_id, str) else repr(job_id) for job_id in ids if not is_canonical_uuid(job_id)]
        if wrong:
            error = {"error": "job_ids contains invalid id(s)", "invalid_ids": wrong}
            return web.json_response(error, status=400)
        cancelled = [self._queue.cancel(job_id) for job_id in ids]
        return web.json_response({"cancelled": any(cancelled)})


def is_canonical_uuid(value: Any) -> bool:
    """The only spelling of a prompt id that the server takes: lowercase, with hyphens."""
    try:
        return isinstance(value, str) and str(uuid.UUID(value)) == value
    except ValueError:
        return False


def _extra_data(body: dict[str, Any], request: web.Request) -> dict[str, Any]:
    extra: dict[str, Any] = body.get("extra_data", {})
    if "client_id" in body:
        extra["client_id"] = body["client_id"]
    if "comfy_usage_source" not in extra and (source := request.headers.get("Comfy-Usage-Source")):
        extra["comfy_usage_source"] = source
    for name in _SECRETS:
        extra.pop(name, None)
    extra["create_time"] = int(time.time() * 1000)
    return extra


def _rejected(type_: str, message: str, details: str) -> web.Response:
    error = {"type": type_, "message": message, "details": details, "extra_info": {}}
    return web.json_response({"error": error, "node_errors": {}}, status=400)


def _bad(message: str) -> web.Response:
    return web.json_response({"error": message}, status=400)
