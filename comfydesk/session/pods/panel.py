"""What the system panel shows beyond statistics: the tail of a pod's log."""

from comfydesk.errors import AuthError, NotComfyError, PodStatusError
from comfydesk.session.pods.executor import Machine

MAX_TAIL = 200_000
"""Characters."""


async def log_tail(machine: Machine | None, lines: int) -> str:
    """The last `lines` of it; empty where the pod, or a proxy before it, keeps it to itself. Raises PodError."""
    if machine is None:
        return ""
    try:
        log = await machine.logs()
    except (PodStatusError, AuthError, NotComfyError):
        return ""
    return "\n".join(log[-MAX_TAIL:].splitlines()[-lines:])
