"""The process that serves llama.cpp: `python -m comfydesk.llm.child`, or `comfydesk llm-child` where it is frozen.

It reads one line of JSON from stdin (a Serving: the key is in no argument and in no file), says {"port": N} or
{"error": "…"} on stdout, and serves the OpenAI protocol on loopback. It ends when stdin does, and on Linux also by the
kernel's hand when its parent is gone. With `program` it becomes that llama-server instead.

llama_cpp is imported here and nowhere else: it aborts, segfaults and keeps memory (docs: reference of measured facts),
which a process of its own survives for the window.
"""

import contextlib
import importlib
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import IO, Any, NoReturn

LOOPBACK = "127.0.0.1"
_LINUX = bool(sys.platform == "linux")
_NICENESS = 5
"""The window stays smooth while a model uses all cores."""


@dataclass(frozen=True, slots=True)
class Serving:
    """What the child serves, and how. `threads` 0: half the cores; `gpu_layers` -1: all."""

    model: str
    """Path of a GGUF file."""
    name: str
    """What the server calls it."""
    key: str = field(repr=False)
    parent: int
    program: str = ""
    """Path of a llama-server; empty: llama-cpp-python."""
    context: int = 4096
    threads: int = 0
    gpu_layers: int = -1
    projector: str = ""
    """Path of the mmproj file with which llama-server looks at pictures; empty: it does not."""

    def to_line(self) -> str:
        """For the child's stdin. Secret."""
        return json.dumps(asdict(self)) + "\n"


def main(stdin: IO[str] | None = None) -> int:
    """Serve until stdin ends."""
    stdin = sys.stdin if stdin is None else stdin
    serving = Serving(**json.loads(stdin.readline()))
    _end_with(serving.parent)
    with contextlib.suppress(AttributeError, OSError):  # not on Windows
        os.nice(_NICENESS)
    if serving.program:
        return _become(serving, stdin)
    _watch(stdin)
    try:
        listener = socket.create_server((LOOPBACK, 0))
        app = _application(serving)
    except Exception as error:
        # Whatever llama.cpp raises about the file: the parent puts it into words.
        _say({"error": f"{error}"[:500] or type(error).__name__})
        return 1
    _say({"port": listener.getsockname()[1]})
    # The library prints to stdout when clients leave; nobody reads that any more.
    os.dup2(2, 1)
    uvicorn: Any = importlib.import_module("uvicorn")
    uvicorn.Server(uvicorn.Config(app, access_log=False, log_level="error")).run(sockets=[listener])
    return 0


def _application(serving: Serving) -> Any:
    """llama_cpp.server's app, with the model loaded."""
    server: Any = importlib.import_module("llama_cpp.server.app")
    settings: Any = importlib.import_module("llama_cpp.server.settings")
    model = settings.ModelSettings(
        model=serving.model,
        model_alias=serving.name,
        n_ctx=serving.context,
        n_gpu_layers=serving.gpu_layers,
        n_threads=serving.threads or max((os.cpu_count() or 2) // 2, 1),
        logits_all=False,
        verbose=False,
        chat_template_kwargs={"enable_thinking": False},
    )
    return server.create_app(
        server_settings=settings.ServerSettings(host=LOOPBACK, api_key=serving.key, interrupt_requests=False),
        model_settings=[model],
    )


def program_arguments(serving: Serving, port: int) -> list[str]:
    """llama-server's command line: nothing secret in it."""
    threads = ["--threads", str(serving.threads)] if serving.threads else []
    layers = 999 if serving.gpu_layers < 0 else serving.gpu_layers
    place = ["--host", LOOPBACK, "--port", str(port), "--alias", serving.name]
    sizes = ["--ctx-size", str(serving.context), "--n-gpu-layers", str(layers), *threads]
    sight = ["--mmproj", serving.projector] if serving.projector else []
    return [serving.program, "--model", serving.model, *place, *sizes, *sight]


def _become(serving: Serving, stdin: IO[str]) -> int:
    with socket.create_server((LOOPBACK, 0)) as taken:
        port = taken.getsockname()[1]
    arguments = program_arguments(serving, port)
    environment = os.environ | {"LLAMA_API_KEY": serving.key}
    _say({"port": port})
    os.dup2(2, 1)
    if _LINUX:
        _exec(serving.program, arguments, environment)  # the kernel's promise to end it holds across this
    child = subprocess.Popen(arguments, env=environment, stdin=subprocess.DEVNULL)  # noqa: S603 - the user chose it
    _watch(stdin, child.kill)
    return child.wait()


def _exec(program: str, arguments: list[str], environment: dict[str, str]) -> NoReturn:
    os.execve(program, arguments, environment)  # noqa: S606 - no shell is wanted


def _watch(stdin: IO[str], before: Callable[[], None] = lambda: None) -> None:
    """End at once when the parent closes the pipe, or is gone."""

    def wait() -> None:
        with contextlib.suppress(OSError, ValueError):
            stdin.read()
        before()
        os._exit(0)

    threading.Thread(target=wait, name="parent", daemon=True).start()


def _end_with(parent: int) -> None:
    """Linux: be killed when the thread that started this process ends, however it ends."""
    if not _LINUX:
        return
    import ctypes
    import signal

    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, int(signal.SIGKILL))
    if os.getppid() != parent:  # it went before we could ask
        os._exit(0)


def _say(document: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(document) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
