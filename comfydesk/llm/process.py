"""The child that serves a model (`llm.child`), seen from here: started, watched, ended."""

import asyncio
import collections
import contextlib
import importlib.util
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from comfydesk.credentials import Secret
from comfydesk.errors import LlmError, LlmModelError, LlmNotReadyError, one_line
from comfydesk.llm.child import Serving

INSTALL = 'Install ComfyDesk with its extra "llm" (llama-cpp-python), or install llama.cpp and choose its llama-server'
_LAST_LINES = 30
_MAX_LINE = 2000
_LATE = 2.0
"""Seconds that Windows' child has to end its llama-server, and itself."""
_KEPT_VARIABLES = frozenset(
    {"PATH", "HOME", "USER", "LANG", "LC_ALL", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "WINDIR", "APPDATA"}
    | {"USERPROFILE", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"}
)
_KEPT_FAMILIES = ("CUDA", "NVIDIA", "HIP", "ROCR", "HSA_", "VK_", "GGML_", "GOMP_", "METAL_", "ONEAPI", "SYCL", "ZE_")


def find_program(chosen: str) -> str:
    """The llama-server to use: the chosen one, else none where llama-cpp-python is there, else one on PATH, else "".

    Raises LlmNotReadyError where nothing can serve a model.
    """
    if chosen:
        found = shutil.which(str(Path(chosen).expanduser()))
        if found is None:
            raise LlmNotReadyError(
                "The chosen llama-server cannot be run", f"{chosen} is no program", "Choose another one in the settings"
            )
        return found
    if has_package():
        return ""
    if found := shutil.which("llama-server"):
        return found
    raise LlmNotReadyError("Nothing on this computer can run a language model yet", "", INSTALL)


def has_package() -> bool:
    """Whether llama-cpp-python and its server are installed; nothing of them is imported."""
    return all(importlib.util.find_spec(name) is not None for name in ("llama_cpp", "uvicorn", "fastapi"))


class LlamaProcess:
    """A running child. `key` opens its server; nobody else has it."""

    def __init__(self, process: "subprocess.Popen[str]", key: Secret, name: str) -> None:
        self._process = process
        self._first: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._lines: collections.deque[str] = collections.deque(maxlen=_LAST_LINES)
        self.key = key
        self.name = name
        loop = asyncio.get_running_loop()
        for target in (lambda: self._read_first(loop), self._read_log):
            threading.Thread(target=target, name="llama", daemon=True).start()

    @classmethod
    def launch(cls, serving: Serving) -> "LlamaProcess":
        """Start it, some milliseconds. Call it on the loop's own thread: the child ends with the thread that did."""
        key = secrets.token_urlsafe(32)
        serving = replace(serving, key=key, parent=os.getpid())
        try:
            process = subprocess.Popen(  # noqa: S603 - our own program
                _command(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                env=environment(os.environ),
                **_apart(),
            )
        except OSError as error:
            raise LlmError("The language model's process cannot be started", error.strerror or "") from None
        assert process.stdin is not None
        with contextlib.suppress(OSError):  # it is gone already: its exit code tells
            process.stdin.write(serving.to_line())
            process.stdin.flush()
        return cls(process, Secret(key), serving.name)

    @property
    def pid(self) -> int:
        return self._process.pid

    def is_running(self) -> bool:
        return self._process.poll() is None

    async def port(self) -> int:
        """Where it serves, once it says so: with llama-cpp-python the model is loaded by then. Raises LlmError."""
        try:
            said = json.loads(await self._first)
            error, port = said.get("error"), said.get("port")
        except (ValueError, AttributeError):
            error, port = "", None
        if isinstance(port, int):
            return port
        if error:
            what = f"{self.name} cannot be loaded"
            raise LlmModelError(what, one_line(str(error))[:300], "Try another model")
        raise self.crash()

    def crash(self) -> LlmError:
        """What is to be said when it ended by itself."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(1)
        code = self._process.poll()
        how = "" if code is None else f"signal {-code}" if code < 0 else f"exit code {code}"
        last = next((line for line in reversed(self._lines) if line.strip()), "")
        why = "; ".join(filter(None, (how, one_line(last)[:200])))
        return LlmError("The language model on this computer stopped by itself", why, "Try again, or another model")

    async def stop(self) -> None:
        """End it now; it has nothing to lose. Again is fine. Back when its memory is free."""
        self.kill()
        await asyncio.to_thread(self._process.wait)

    async def drop(self) -> None:
        """`stop`, back after 100 ms at the latest: a busy system takes its time to free a large process."""
        self.kill()
        for _ in range(10):
            if not self.is_running():
                return
            await asyncio.sleep(0.01)
        threading.Thread(target=self._process.wait, name="llama", daemon=True).start()

    def kill(self) -> None:
        """`stop` without waiting. A llama-server that the child only stands before (not on Linux) goes with it."""
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
        if self._process.poll() is not None:
            return
        if sys.platform == "win32":  # it ends both when stdin does
            late = threading.Timer(_LATE, self._process.kill)
            late.daemon = True
            late.start()
        else:  # it leads a group, see _apart
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def resident(self) -> int:
        """Bytes of memory that it uses now; 0 where the system does not tell (only Linux does)."""
        try:
            pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
            return pages * os.sysconf("SC_PAGE_SIZE")
        except (OSError, ValueError, IndexError, AttributeError):
            return 0

    def _read_first(self, loop: asyncio.AbstractEventLoop) -> None:
        pipe = self._process.stdout
        assert pipe is not None
        with pipe:
            line = _line(pipe)

        def tell() -> None:
            if not self._first.done():
                self._first.set_result(line)

        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody asks any more
            loop.call_soon_threadsafe(tell)

    def _read_log(self) -> None:
        pipe = self._process.stderr
        assert pipe is not None
        with pipe:
            while line := _line(pipe):
                self._lines.append(line.replace(self.key.reveal(), "…"))


def environment(given: "os._Environ[str] | dict[str, str]") -> dict[str, str]:
    """What the child gets to see: its libraries take their settings from variables as common as MODEL or CACHE."""
    return {
        name: value
        for name, value in given.items()
        if name.upper() in _KEPT_VARIABLES or name.upper().startswith(_KEPT_FAMILIES)
    }


def _line(pipe: IO[str]) -> str:
    try:
        return pipe.readline(_MAX_LINE)
    except (OSError, ValueError):
        return ""


def _command() -> list[str]:
    if getattr(sys, "frozen", False):
        return [sys.executable, "llm-child"]
    return [sys.executable, "-m", "comfydesk.llm.child"]


def _apart() -> dict[str, Any]:
    """Ctrl+C in the terminal is for the window. No console flashes up on Windows."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}
