"""The one error tree.

A KnownError is the world's fault (a pod, a file, a disk): it is shown to the user as one line that says what happened,
why, and what to do. Anything else that escapes is our fault and goes to the report dialog with its traceback. Foreign
exceptions (httpx, websockets, sqlite3, OSError) are translated once, in the module that calls the library.
"""

from collections.abc import Mapping
from typing import Any


class KnownError(Exception):
    """Something the user can understand and act on.

    `what` is a sentence without its full stop, `why` and `advice` may be empty. `exit_code` is the command line's
    (design: 1 the job or the input failed, 2 usage, 3 no pod reached).
    """

    exit_code = 1

    def __init__(self, what: str, why: str = "", advice: str = "") -> None:
        super().__init__(what, why, advice)
        self.what = one_line(what)
        self.why = one_line(why)
        self.advice = one_line(advice)

    def __str__(self) -> str:
        parts = (part.rstrip(".") for part in (self.what, self.why, self.advice) if part)
        first, *rest = parts
        return ". ".join([first, *map(_sentence, rest)]) + "."


class UsageError(KnownError):
    """The command line or a setting was used wrongly."""

    exit_code = 2


class GraphError(KnownError):
    """A workflow file that cannot be read, or a graph that cannot be run."""


class StoreError(KnownError):
    """The library on this computer cannot be read or written."""


class DiskFullError(StoreError):
    """No room for what has to be written; nothing half-written was left."""


class MediaError(KnownError):
    """A picture, video or sound that cannot be read."""


class PodError(KnownError):
    """Something between us and a pod, or on the pod."""


class PodUnreachableError(PodError):
    """Nobody answers: name, port, network, timeout."""

    exit_code = 3


class AuthError(PodError):
    """The pod, or what stands in front of it, refused our credentials or showed a login page."""

    exit_code = 3


class NotComfyError(PodError):
    """Something answers at that address, but it does not speak ComfyUI's protocol."""

    exit_code = 3


class PodStatusError(PodError):
    """An HTTP status that ends the request; `status` is it."""

    def __init__(self, status: int, what: str, why: str = "", advice: str = "") -> None:
        super().__init__(what, why, advice)
        self.status = status


class AnswerTooLargeError(PodError):
    """The pod sent more than the route may (counted after decompression)."""


class PromptRejectedError(PodError):
    """POST /prompt answered 400: `error` and `node_errors` are the server's own, shape as in the protocol reference."""

    def __init__(
        self, what: str, why: str, error: Mapping[str, Any], node_errors: Mapping[str, Any], advice: str = ""
    ) -> None:
        super().__init__(what, why, advice)
        self.error = error
        self.node_errors = node_errors


class UnsafeNameError(PodError):
    """A pod named a file so that it would be written outside of our folders. No honest pod does, now or later."""


class LlmError(KnownError):
    """A language model that improves prompts: its engine, its server or its file. The prompt stays as it was."""


class LlmNotReadyError(LlmError):
    """Nothing can be asked yet: no engine, no model, no pod. The advice says what to do."""

    exit_code = 3


class LlmUnreachableError(LlmError):
    """Nobody answers at the engine's address, or not in time."""

    exit_code = 3


class LlmRefusedError(LlmError):
    """The server answered with a status that ends the request (`status`): a wrong key, an unknown model, too long."""

    def __init__(self, status: int, what: str, why: str = "", advice: str = "") -> None:
        super().__init__(what, why, advice)
        self.status = status


class LlmAnswerError(LlmError):
    """An answer that is none: broken off, empty, endless, or not what the protocol says."""


class LlmCutOffError(LlmAnswerError):
    """The answer ended because its length was reached; what came before this error is all there is."""


class LlmModelError(LlmError):
    """A model file that cannot be fetched, verified or read."""


def _sentence(part: str) -> str:
    """Begun with a capital, unless it begins with a name that is written otherwise (a path, a host, an id)."""
    first = part.split(" ", 1)[0].rstrip(",:;")
    return part[:1].upper() + part[1:] if first.isalpha() and first.islower() else part


def one_line(text: str) -> str:
    """`text` on one line: runs of white space become a blank, control characters vanish."""
    return " ".join("".join(c if c.isprintable() or c.isspace() else "" for c in text).split())
