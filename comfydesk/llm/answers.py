"""What OpenAI-compatible servers say, read with suspicion. PURE.

Words of servers are shown in part, on one line; they are never followed.
"""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from comfydesk.errors import LlmAnswerError, LlmError, LlmRefusedError, LlmUnreachableError, one_line

_SAID = 300
"""Characters of a server's own words that are shown."""
_MAX_MODELS = 2000


@dataclass(slots=True)
class Finish:
    """How an answer ended: `reason` "stop", "length", or what else the server says; "" while it has not."""

    reason: str = ""


def delta(name: str, data: str, finish: Finish) -> str:
    """The text of one event; reasoning fields are no text. Raises LlmError for an error that comes as an event."""
    event = _json(name, data)
    if not isinstance(event, dict):
        raise _strange(name)
    if error := event.get("error"):
        what = f"{name} broke off with an error"
        raise LlmAnswerError(what, _said(error), "Try again")
    choices = event.get("choices")
    if not isinstance(choices, list):
        raise _strange(name)
    if not choices or not isinstance(choices[0], dict):
        return ""  # usage, which some send last
    finish.reason = str(choices[0].get("finish_reason") or finish.reason)
    part = choices[0].get("delta") or choices[0].get("message")
    text = part.get("content") if isinstance(part, dict) else None
    return text if isinstance(text, str) else ""


def message(name: str, body: bytes) -> tuple[str, str]:
    """Text and finish reason of an answer that did not come as a stream."""
    finish = Finish()
    text = delta(name, body.decode(errors="replace"), finish)
    if not text and not finish.reason:
        raise _strange(name)
    return text, finish.reason


def models(name: str, body: bytes) -> tuple[str, ...]:
    """The ids of `GET /models`."""
    listed = _json(name, body.decode(errors="replace"))
    entries = listed.get("data") if isinstance(listed, dict) else None
    if entries is None and isinstance(listed, dict) and "data" in listed:
        return ()  # Ollama without any model
    if not isinstance(entries, list):
        raise _strange(name)
    ids = (entry.get("id") for entry in entries[:_MAX_MODELS] if isinstance(entry, dict))
    return tuple(one_line(found)[:200] for found in ids if isinstance(found, str) and found)


def refused(name: str, status: int, body: bytes) -> LlmError:
    """An HTTP status that is no 200, in words."""
    try:
        said = _said(json.loads(body))
    except (ValueError, RecursionError):
        said = ""  # a web page, most likely
    advice = {
        400: "If the prompt is long, shorten it or raise the server's context",
        401: "Correct the endpoint's key",
        403: "Correct the endpoint's key",
        404: "Check the model's name and the address, which mostly ends with /v1",
        413: "Shorten the prompt, or use a smaller picture",
        429: "Wait a little; or the account there has used up its credit",
        503: "It may still be loading its model: try again",
    }.get(status, "See the server's own log" if status >= 500 else "")
    what = f"{name} wants another key" if status in (401, 403) else f"{name} answered with status {status}"
    return LlmRefusedError(status, what, said, advice)


def redirected(name: str, location: str) -> LlmError:
    """Not followed: the key belongs to the address that the user gave."""
    try:
        place = urlsplit(location).netloc or "another path"
    except ValueError:  # a bracket that is not closed
        place = "an address that is none"
    return LlmAnswerError(f"{name} sends us on to {one_line(place)[:100]}", "", "Use that address, if you trust it")


def unreachable(name: str, error: Exception) -> LlmError:
    """No connection."""
    why = one_line(str(error.__cause__ or error))[:_SAID]
    return LlmUnreachableError(f"{name} does not answer", why, "See that the LLM server runs, and check its address")


def silent(name: str, seconds: float | None) -> LlmError:
    """Connected, but nothing comes."""
    why = f"nothing came for {seconds:g} s" if seconds else "nothing came for too long"
    return LlmUnreachableError(f"{name} does not go on", why, "See whether the server hangs, and try again")


def endless(name: str, bound: str) -> LlmError:
    """More than any prompt needs."""
    return LlmAnswerError(f"The answer of {name} does not come to an end", f"more than {bound}", "Try again")


def broken_off(name: str, received: int | None, reason: str = "") -> LlmError:
    """The stream ended without its end mark. llama_cpp.server does so when a prompt is longer than its context."""
    if received == 0:
        advice = "Shorten the prompt, or raise the server's context"
        return LlmAnswerError(f"{name} sent an empty answer", "the prompt may be longer than it can read", advice)
    return LlmAnswerError(f"The answer of {name} broke off", reason, "Try again")


def _json(name: str, text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise _strange(name) from None


def _strange(name: str) -> LlmError:
    advice = "Check the address: it has to be an OpenAI-compatible server"
    return LlmAnswerError(f"{name} sent something that is no chat answer", "", advice)


def _said(error: object) -> str:
    """The words in an error body, in any of the shapes that are about."""
    for key in ("error", "message", "detail"):
        if isinstance(error, dict) and error.get(key):
            return _said(error[key])
    return one_line(error)[:_SAID] if isinstance(error, str) else ""
