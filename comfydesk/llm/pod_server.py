"""An LLM endpoint on the pod itself: llama-server over a model of the network volume, run through the profile's SSH.

On the pod: `/workspace/models/llm/<id>/<file>` (the volume: it survives a restart), and beside it `server.pid`,
`server.log` and `server.key` (mode 600). The server listens on the pod's loopback; a tunnel leads there. Its key comes
through stdin, since command lines are visible to everyone on the pod. The scripts are POSIX sh.

The file itself is fetched by `hosts.model_download`, which resumes there and verifies; the caller joins the two.
"""

import re
import shlex
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from comfydesk.credentials import Secret
from comfydesk.errors import LlmError, LlmUnreachableError, UsageError, one_line
from comfydesk.llm.hub import HUGGING_FACE
from comfydesk.llm.models import CuratedModel

FOLDER = "/workspace/models/llm"
PORT = 8081
NO_MODEL, NO_PROGRAM, DIED, STAYS = range(20, 24)

_COMMON = """
set -u
dir="$folder/$id" pidfile="$folder/$id/server.pid" log="$folder/$id/server.log" key="$folder/$id/server.key"
# A pid is ours only if that process still serves this very file: numbers are given again after a restart.
ours() {
    pid=$(cat "$pidfile" 2>/dev/null) && kill -0 "$pid" 2>/dev/null &&
        tr '\\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -qF "$dir/$file"
}
# A zombie still has its number, for ever where process 1 of a container reaps nobody.
alive() { kill -0 "$pid" 2>/dev/null && ! grep -q '^State:.[ZX]' "/proc/$pid/status" 2>/dev/null; }
# End ours, kindly for 5 s, then by force. 1: it stays all the same.
finish() {
    kill "$pid" 2>/dev/null
    tries=0
    while alive; do
        tries=$((tries + 1))
        [ "$tries" -ne 50 ] || kill -9 "$pid" 2>/dev/null
        [ "$tries" -lt 100 ] || return 1
        sleep 0.1
    done
}
"""
_START = """
umask 077
secret=$(cat)
# With another key, port or context it would answer nobody, or not as it is asked to: then it makes room.
as_wanted() {
    [ "$(cat "$key" 2>/dev/null)" = "$secret" ] && tr '\\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null |
        grep -qF -- " --model $dir/$file --alias $id --host 127.0.0.1 --port $port --ctx-size $context "
}
if ours; then
    as_wanted && { echo "$pid"; exit 0; }
    finish || exit 23
    rm -f "$pidfile" "$key"
fi
[ -f "$dir/$file" ] || exit 20
for program in "$given" llama-server "$folder/bin/llama-server" /app/llama-server; do
    [ -n "$program" ] && program=$(command -v "$program") && break
    program=
done
[ -n "$program" ] || exit 21
printf '%s' "$secret" >"$key"
LLAMA_API_KEY=$secret
export LLAMA_API_KEY
nohup "$program" --model "$dir/$file" --alias "$id" --host 127.0.0.1 --port "$port" \\
    --ctx-size "$context" --n-gpu-layers "$layers" >"$log" 2>&1 </dev/null &
pid=$!
echo "$pid" >"$pidfile"
tries=0
while [ "$tries" -lt "$grace" ]; do
    kill -0 "$pid" 2>/dev/null || { rm -f "$pidfile"; tail -n 3 "$log"; exit 22; }
    tries=$((tries + 1))
    sleep 0.1
done
echo "$pid"
"""
_STOP = """
ours || { rm -f "$pidfile" "$key"; echo none; exit 0; }
finish || exit 23
rm -f "$pidfile" "$key"
echo stopped
"""
_STATUS = """
if ours; then echo running "$pid"; elif [ -f "$dir/$file" ]; then echo stopped
elif [ -f "$dir/$file.part" ]; then echo partial "$(wc -c <"$dir/$file.part")"; else echo absent; fi
tail -n 1 "$log" 2>/dev/null
:
"""


class Outcome(Protocol):
    """What a command did; `hosts.protocol.CommandResult` is one."""

    @property
    def exit_status(self) -> int | None: ...
    @property
    def stdout(self) -> str: ...
    @property
    def stderr(self) -> str: ...


class Shell(Protocol):
    """Runs commands on the pod; `hosts.tunnel.Tunnel` does."""

    async def run(self, command: str, *, stdin: str = "", within: float = 60, limit: int = 2**20) -> Outcome: ...


class ServerState(StrEnum):
    ABSENT = "absent"
    PARTIAL = "partial"
    """Part of the model is there."""
    STOPPED = "stopped"
    RUNNING = "running"


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """`done`: bytes of the model that are there while PARTIAL. `words`: the last line of its log."""

    state: ServerState
    done: int = 0
    words: str = ""


@dataclass(frozen=True, slots=True)
class PodServer:
    """One model served on a pod. Raises UsageError on a folder that cannot be one.

    `program`: a llama-server there; empty: the one on its PATH, in `<folder>/bin`, or in llama.cpp's own image.
    """

    model: CuratedModel
    folder: str = FOLDER
    port: int = PORT
    program: str = ""
    context: int = 8192
    gpu_layers: int = 999

    def __post_init__(self) -> None:
        if not re.fullmatch(r"/[\w./-]+", self.folder) or ".." in self.folder:
            raise UsageError("That is no folder of a pod", "", f"Give one such as {FOLDER}")

    @property
    def model_folder(self) -> str:
        """Absolute; it has to be there before the model is fetched (`prepare_command`)."""
        return f"{self.folder}/{self.model.id}"

    def url(self, hub: str = HUGGING_FACE) -> str:
        """Where the model comes from."""
        return f"{hub}/{self.model.path}"

    def prepare_command(self) -> str:
        return f"mkdir -p {shlex.quote(self.model_folder)}"

    def start_command(self, *, grace: float = 1.0) -> str:
        """Reads the key from stdin. `grace`: seconds that it has to live."""
        more = {"given": self.program, "port": str(self.port), "context": str(self.context)}
        return self._shell(_COMMON + _START, **more, layers=str(self.gpu_layers), grace=str(round(grace * 10)))

    def stop_command(self) -> str:
        return self._shell(_COMMON + _STOP)

    def status_command(self) -> str:
        return self._shell(_COMMON + _STATUS)

    def commands_to_copy(self, hub: str = HUGGING_FACE) -> str:
        """The same by hand, for a shell on the pod; the key is made there and printed."""
        folder, file = shlex.quote(self.model_folder), shlex.quote(self.model.file)
        program, place = shlex.quote(self.program or "llama-server"), f"--host 127.0.0.1 --port {self.port}"
        sizes = f"--ctx-size {self.context} --n-gpu-layers {self.gpu_layers}"
        serve = f"nohup {program} --model {folder}/{file} --alias {self.model.id} {place} {sizes}"
        return "\n".join(
            (
                f"mkdir -p {folder} && cd {folder}",
                f"curl -L -C - -o {file}.part {shlex.quote(self.url(hub))}",
                f"echo '{self.model.sha256}  '{file}.part | sha256sum -c && mv {file}.part {file}",
                "export LLAMA_API_KEY=$(head -c 24 /dev/urandom | base64 | tr -d '+/=')",
                f"{serve} > server.log 2>&1 &",
                'echo "key: $LLAMA_API_KEY"',
            )
        )

    def _shell(self, script: str, **values: str) -> str:
        values |= {"folder": self.folder, "id": self.model.id, "file": self.model.file}
        settings = "".join(f"{name}={shlex.quote(value)}\n" for name, value in values.items())
        return f"exec sh -c {shlex.quote(settings + script)}"


async def prepare(shell: Shell, server: PodServer) -> None:
    """Make the model's folder."""
    result = await shell.run(server.prepare_command())
    if result.exit_status != 0:
        why = one_line(result.stderr)[:200]
        raise LlmError("The model's folder cannot be made on the pod", why, "Choose another folder on its volume")


async def start(shell: Shell, server: PodServer, key: Secret, *, grace: float = 1.0) -> None:
    """Start it, unless it runs with this key, port and context; one that runs otherwise is ended first.

    The model then takes its time to load (503 meanwhile). Raises LlmError.
    """
    result = await shell.run(server.start_command(grace=grace), stdin=key.reveal(), within=60 + grace)
    if result.exit_status == 0:
        return
    said = one_line(result.stdout.replace(key.reveal(), "…") or result.stderr)[-200:]
    why, advice = {
        NO_MODEL: ("the model is not there", "Download it there first"),
        NO_PROGRAM: (
            "the pod has no llama-server",
            f"Put one on its PATH or at {server.folder}/bin/llama-server, or use an image that has it",
        ),
        DIED: (said or "it ended at once", "Look at server.log beside the model; another model may fit"),
        STAYS: ("the one that runs there does not end", "Restart the pod"),
    }.get(result.exit_status or 0, (said, ""))
    raise LlmError("The LLM server was not started on the pod", why, advice)


async def stop(shell: Shell, server: PodServer) -> None:
    """End it, if it runs; its key is removed. The model stays. Raises LlmError when it does not end."""
    result = await shell.run(server.stop_command(), within=30)
    if result.exit_status == STAYS:
        raise LlmError("The LLM server on the pod does not end", "", "Restart the pod")
    _said(result)


async def status(shell: Shell, server: PodServer) -> ServerStatus:
    """As of now."""
    first, _, rest = (await _run(shell, server.status_command())).partition("\n")
    word, _, number = first.partition(" ")
    try:
        state = ServerState(word)
    except ValueError:
        raise LlmError("The pod's shell said something unexpected", one_line(first)[:100]) from None
    done = int(number) if state is ServerState.PARTIAL and number.strip().isdigit() else 0
    return ServerStatus(state, done, one_line(rest)[:200])


async def _run(shell: Shell, command: str) -> str:
    return _said(await shell.run(command, within=30))


def _said(result: Outcome) -> str:
    if result.exit_status != 0:
        raise LlmUnreachableError("The pod's shell refused a command", one_line(result.stderr)[:200])
    return result.stdout.strip()
