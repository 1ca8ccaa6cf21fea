"""Values and errors of jobs as JSON texts in their rows, and back."""

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from comfydesk.store.records import JobError, JobState, LocalFile, Verdict

FILE_KEY = "$file"
MAX_ERROR = 64 << 10
"""Characters of a traceback, and of all messages about fields."""
MAX_LINE = 4 << 10
MAX_INPUTS = 100
"""Of a node that failed."""


def pack_values(values: Mapping[str, Any]) -> str:
    return json.dumps({key: _pack_value(value) for key, value in values.items()}, ensure_ascii=False)


def _pack_value(value: Any) -> Any:
    if isinstance(value, LocalFile):
        return {FILE_KEY: value.path, "sha256": value.sha256, "size": value.size}
    return value


def unpack_values(text: str) -> dict[str, Any]:
    return {key: _unpack_value(value) for key, value in json.loads(text).items()}


def _unpack_value(value: Any) -> Any:
    if isinstance(value, dict) and FILE_KEY in value:
        return LocalFile(value[FILE_KEY], value["sha256"], value["size"])
    return value


def pack_error(error: JobError | None) -> str | None:
    """No longer than MAX_ERROR, about: a server may say anything. The end of a traceback says most."""
    if error is None:
        return None
    fields: dict[str, str] = {}
    left = MAX_ERROR
    for key, text in error.fields.items():
        left -= len(key) + len(text)
        if left < 0:
            break
        fields[key] = text
    short = replace(
        error,
        what=error.what[:MAX_LINE],
        why=error.why[:MAX_LINE],
        traceback=error.traceback[-MAX_ERROR:],
        fields=fields,
        inputs=dict(list(error.inputs.items())[:MAX_INPUTS]),
    )
    return json.dumps(asdict(short), ensure_ascii=False)


def unpack_error(text: str | None) -> JobError | None:
    return None if text is None else JobError(**json.loads(text))


def pack_verdict(verdict: Verdict | None) -> str | None:
    if verdict is None:
        return None
    error = pack_error(verdict.error)
    return json.dumps({"state": verdict.state, "error": None if error is None else json.loads(error)})


def unpack_verdict(text: str | None) -> Verdict | None:
    if text is None:
        return None
    found = json.loads(text)
    error = found["error"]
    return Verdict(JobState(found["state"]), None if error is None else JobError(**error))
