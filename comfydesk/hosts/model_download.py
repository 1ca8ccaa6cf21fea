"""Fetch a model onto a pod over SSH: curl there writes `<name>.part`, its hash is checked, then it gets its name.

The script is POSIX sh and needs curl (and sha256sum, where a hash is known). It resumes what an earlier run left, even
one that goes on after our connection broke: then it waits for that one. The address and the token travel through
stdin into curl's config, since command lines are visible to everyone on the pod.
"""

import asyncio
import contextlib
import hashlib
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from comfydesk.credentials import Secret
from comfydesk.errors import KnownError, PodError, UsageError
from comfydesk.hosts.protocol import CommandResult

DEADLINE = 24 * 3600.0
POLL = 2.0
"""Seconds between looks at how far it is."""
_NAME = re.compile(r"[^\x00-\x1f\x7f/\\]{1,200}\Z")
_RESERVED = (".part", ".lock", ".code")

# Exit codes of the script. 0: the file is there, with that hash if one is known.
NO_FOLDER, OTHER_FILE, NO_CURL, NO_SHA256SUM, REFUSED, NO_ROOM, BROKEN, WRONG_HASH, WEB_PAGE, STOPPED = range(10, 20)

_SCRIPT = """
set -u
config=$(cat)
part="$folder/$name.part" final="$folder/$name"
lock="$part.lock" code="$part.code" child=
fits() { [ -z "$sum" ] || [ "$(sha256sum -- "$1" | cut -d ' ' -f 1)" = "$sum" ]; }
there() { [ -e "$final" ] || return 0; fits "$final" && exit 0; exit 11; }
# A lock whose process is gone, or is another one since a restart of the pod, is none.
held() {
    pid=$(cat "$lock" 2>/dev/null) && kill -0 "$pid" 2>/dev/null &&
        tr '\\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -qF "$mark"
}
[ -d "$folder" ] || exit 10
command -v curl >/dev/null || exit 12
[ -z "$sum" ] || command -v sha256sum >/dev/null || exit 13
mkdir -p -- "${final%/*}" || exit 10
there
until (set -C; echo $$ >"$lock") 2>/dev/null; do
    held || { rm -f -- "$lock"; continue; }
    sleep 1
done
trap 'rm -f -- "$lock" "$code"' EXIT
trap '[ -z "$child" ] || kill "$child" 2>/dev/null; exit 19' HUP INT TERM
there
tries=0
while :; do
    printf '%s\\n' "$config" | curl --config - --fail --location --max-redirs 10 --proto =http,https \\
        --connect-timeout 30 --speed-limit 1000 --speed-time 60 --silent --show-error \\
        --continue-at - --output "$part" --write-out '%{http_code} %{content_type}' >"$code" &
    child=$!
    wait "$child"
    status=$?
    child=
    said=$(cat "$code")
    case "$status $said" in
        # Newer curls call 416 a success: all is there. Whether it is the right all, only the hash knows.
        "0 416"* | "22 416"*) [ -n "$sum" ] && fits "$part" && break; rm -f -- "$part" ;;
        "0 "*text/html*) rm -f -- "$part"; exit 18 ;;
        "0 "*) break ;;
        "22 408"* | "22 429"* | "22 5"*) ;;
        "22 "*) echo "${said%% *}"; exit 14 ;;
        "23 "*) exit 15 ;;
        "33 "*) rm -f -- "$part" ;;
    esac
    tries=$((tries + 1))
    [ "$tries" -lt 5 ] || { echo "curl $status"; exit 16; }
    sleep "$pause"
done
fits "$part" || { rm -f -- "$part"; exit 17; }
[ ! -e "$final" ] || exit 11
mv -- "$part" "$final"
"""
_SIZE = """
part="$folder/$name.part" final="$folder/$name"
if [ -e "$final" ]; then wc -c <"$final"; elif [ -e "$part" ]; then wc -c <"$part"; else echo 0; fi
"""
_TOTAL = """
config=$(cat)
printf '%s\\n' "$config" | curl --config - --fail --location --max-redirs 10 --proto =http,https --head --silent \\
    --connect-timeout 15 --max-time 30 | tr -d '\\r' |
    sed -n -e 's/^[Hh][Tt][Tt][Pp].*/-/p' -e 's/^[Cc]ontent-[Ll]ength: *\\([0-9][0-9]*\\)$/\\1/p' | tail -n 1
"""
_STOP = 'pid=$(cat "$folder/$name.part.lock" 2>/dev/null) && kill -TERM "$pid" 2>/dev/null; :'


class Shell(Protocol):
    """Something that runs commands on the pod; a Tunnel is one."""

    async def run(self, command: str, *, stdin: str = "", within: float = 60, limit: int = 2**20) -> CommandResult:
        """See `tunnel.Tunnel.run`."""


class ModelDownloadError(PodError):
    """The model could not be fetched; nothing under its name was left on the pod."""


@dataclass(frozen=True, slots=True)
class ModelDownload:
    """One file for one folder of the pod. Raises UsageError on values that no honest workflow has.

    `folder` is absolute and exists there; `name` may have sub-folders ("flux/dev.safetensors"), each a plain name.
    `token` is sent as a bearer token to the address, and by curl to no other host that it redirects to.
    Without a `sha256` the address must be https.
    """

    url: str
    folder: str
    name: str
    sha256: str = ""
    token: Secret | None = None

    def __post_init__(self) -> None:
        parts = self.name.split("/")
        if not all(map(_is_plain, parts)) or len(self.name) > 400 or self.name.endswith(_RESERVED):
            what = f"{ascii(self.name)[:120]} is no name for a model"
            raise UsageError(what)
        if not self.folder.startswith("/") or not all(map(_is_plain, filter(None, self.folder.split("/")))):
            what = f"{ascii(self.folder)[:120]} is no folder of a pod"
            raise UsageError(what)
        if self.sha256 and not re.fullmatch(r"[0-9a-f]{64}", self.sha256):
            raise UsageError("That is no SHA-256 of a file: it has 64 lowercase hexadecimal digits")
        try:
            where = urlsplit(self.url)
        except ValueError:
            where = urlsplit("")
        if not re.fullmatch(r"[\x21\x23-\x5b\x5d-\x7e]{1,4096}", self.url) or not where.hostname:
            raise UsageError("That is no address of a model")
        scheme = where.scheme
        if scheme != "https" and not (scheme == "http" and self.sha256):
            raise UsageError("A model without a known hash is fetched by https only")
        if self.token is not None and not re.fullmatch(r"[\x21\x23-\x5b\x5d-\x7e]+", self.token.reveal()):
            raise UsageError("That token cannot be sent: it has blanks or quotes")

    def command(self, *, pause: float = 5) -> str:
        """The download, for any login shell. `pause`: seconds before another try. It reads `stdin()`."""
        return self._shell(_SCRIPT, sum=self.sha256, pause=f"{pause:g}")

    def stdin(self) -> str:
        """curl's config. Secret."""
        lines = [f'url = "{self.url}"']
        if self.token is not None:
            lines.append(f'header = "Authorization: Bearer {self.token.reveal()}"')
        return "\n".join(lines) + "\n"

    def size_command(self) -> str:
        """Prints how many bytes are there."""
        return self._shell(_SIZE)

    def total_command(self) -> str:
        """Asks the server how many bytes it has, and prints them. It reads `stdin()`."""
        return self._shell(_TOTAL)

    def stop_command(self) -> str:
        """Ends a running download; what it has stays for the next one."""
        return self._shell(_STOP)

    def _shell(self, script: str, **values: str) -> str:
        mark = hashlib.sha256(f"{self.folder}/{self.name}".encode()).hexdigest()[:16]
        values |= {"mark": mark, "folder": self.folder.rstrip("/"), "name": self.name}
        settings = "".join(f"{key}={shlex.quote(value)}\n" for key, value in values.items())
        return f"exec sh -c {shlex.quote(settings + script)}"


async def download(
    shell: Shell, model: ModelDownload, *, on_progress: Callable[[int], None] = lambda _: None, poll: float = POLL
) -> None:
    """Fetch `model`; `on_progress` is told the bytes that are there. Call again after a broken connection: it resumes.

    Cancelling stops the download on the pod, too. Raises ModelDownloadError, or the shell's PodUnreachableError.
    """

    async def look() -> None:
        while True:
            await asyncio.sleep(poll)
            # A look that fails is no news: if the connection is gone, the download itself says so.
            with contextlib.suppress(KnownError, ValueError):
                on_progress(int((await shell.run(model.size_command())).stdout))

    looking = asyncio.create_task(look())
    try:
        result = await shell.run(model.command(), stdin=model.stdin(), within=DEADLINE)
    except asyncio.CancelledError:
        with contextlib.suppress(KnownError):
            await shell.run(model.stop_command(), within=10)
        raise
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
    if result.exit_status != 0:
        raise failure(model, result)


async def size_of(shell: Shell, model: ModelDownload) -> int | None:
    """How many bytes it has, by its server; None if that does not tell, or the pod cannot ask it."""
    try:
        result = await shell.run(model.total_command(), stdin=model.stdin(), within=45)
    except KnownError:
        return None
    told = result.stdout.strip()
    return int(told) if told.isascii() and told.isdigit() and len(told) < 16 and int(told) else None


def failure(model: ModelDownload, result: CommandResult) -> ModelDownloadError:
    """What the script's exit code means, in words."""
    said = result.stdout.strip()[:100]
    host = urlsplit(model.url).hostname
    what = f"{model.name} was not fetched"
    if result.exit_status == REFUSED:
        advice = "Log in there and accept its licence, then store its token" if said in ("401", "403") else ""
        return ModelDownloadError(what, f"{host} answered {said}", advice or "Look for another address of the model")
    why, advice = {
        NO_FOLDER: (f"The pod has no folder {model.folder}, or it cannot be written", "Choose another folder"),
        OTHER_FILE: ("Another file of that name is there", "Rename or remove that one on the pod"),
        NO_CURL: ("The pod has no curl", "Install it there: apt-get install curl"),
        NO_SHA256SUM: ("The pod has no sha256sum", "Install it there: apt-get install coreutils"),
        NO_ROOM: ("The pod's disk is full, or cannot be written", "Make room there; what is there is resumed"),
        BROKEN: (f"{host} broke off again and again ({said})", "Try again later; what is there is resumed"),
        WRONG_HASH: (
            "Its hash is not the declared one",
            "It was removed again: the file at that address is another one",
        ),
        WEB_PAGE: (
            f"{host} sent a web page in place of the file",
            "It may want a login: store its token, and try again",
        ),
        STOPPED: ("It was stopped", "What is there is resumed next time"),
    }.get(result.exit_status or 0, (result.stderr.strip()[:200] or f"The shell ended with {result.exit_status}", ""))
    return ModelDownloadError(what, why, advice)


def _is_plain(part: str) -> bool:
    return bool(_NAME.match(part)) and part not in (".", "..") and not part.startswith("-")
