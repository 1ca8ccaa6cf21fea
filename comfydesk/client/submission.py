"""Queueing a prompt so that it runs once: never sent again while the pod may have it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from comfydesk.client.lookup import Lookup
from comfydesk.client.origin import AnswerLostError
from comfydesk.client.rest import Rest
from comfydesk.errors import NotComfyError, PodError, PodStatusError, PodUnreachableError

_UNANSWERED = frozenset({502, 504, 520, 522, 524})
"""The proxy gave up; ComfyUI behind it may have gone on."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The pod has it. `prompt_id` is the one that counts. `node_errors`: outputs that were dropped, per node."""

    prompt_id: str
    number: float | None = None
    node_errors: Mapping[str, Any] = field(default_factory=dict)


class SubmissionUnknownError(PodUnreachableError):
    """No answer came, and the pod did not know the prompt when asked, or could not be asked: it may still arrive.

    Later, `submit` with `resend` looks it up before it sends.
    """


class Submitter:
    def __init__(self, rest: Rest, lookup: Lookup, client_id: str) -> None:
        self._rest = rest
        self._lookup = lookup
        self._client_id = client_id

    async def submit(
        self, graph: Mapping[str, Any], *, prompt_id: str, workflow: Mapping[str, Any] | None, front: bool, resend: bool
    ) -> Accepted:
        """See Pod.submit."""
        if str(UUID(prompt_id)) != prompt_id:
            msg = "the prompt id is no canonical lowercase UUID: servers refuse it"
            raise ValueError(msg)
        if resend and await self._lookup.is_known(prompt_id):
            return Accepted(prompt_id)
        body = self._body(graph, prompt_id, workflow, front=front)
        try:
            return _accepted(await self._rest.submit(body))
        except AnswerLostError as error:
            return await self._found_or_unknown(prompt_id, error)
        except PodStatusError as error:
            if error.status not in _UNANSWERED:
                raise
            return await self._found_or_unknown(prompt_id, error)

    def _body(
        self, graph: Mapping[str, Any], prompt_id: str, workflow: Mapping[str, Any] | None, *, front: bool
    ) -> dict[str, Any]:
        # Never `number`: a repeated one answers 500 with the item queued. Never `extra_pnginfo: null`: it breaks
        # GET /api/jobs for everybody. Without preview_method a server sends no previews.
        extra: dict[str, Any] = {"preview_method": "auto"}
        if workflow is not None:
            extra["extra_pnginfo"] = {"workflow": workflow}
        body = {"prompt": graph, "prompt_id": prompt_id, "client_id": self._client_id, "extra_data": extra}
        return body | {"front": True} if front else body

    async def _found_or_unknown(self, prompt_id: str, error: PodError) -> Accepted:
        try:
            job = await self._lookup.look_again(prompt_id)
        except PodError:
            job = None
        if job is not None:
            return Accepted(prompt_id)
        raise SubmissionUnknownError(
            "The pod did not answer when the job was sent",
            f"{error.what}; it is not known whether the job arrived",
            "It is looked up before it is sent again",
        ) from error


def _accepted(answer: Any) -> Accepted:
    if not isinstance(answer, dict) or not isinstance(answer.get("prompt_id"), str) or not answer["prompt_id"]:
        raise NotComfyError("The pod took the job without telling its id")
    number, errors = answer.get("number"), answer.get("node_errors")
    return Accepted(
        answer["prompt_id"],
        number if isinstance(number, int | float) else None,
        errors if isinstance(errors, dict) else {},
    )
