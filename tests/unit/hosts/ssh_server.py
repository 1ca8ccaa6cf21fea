"""A real SSH server on loopback, to be run as a program: asyncssh's, with a shell and port forwarding.

`python ssh_server.py '{"port": 0, "host_key": path, "authorized": path, "password": null, "forward": true}'`
prints `ready <port>`, then one line for each login that is tried.
"""

import asyncio
import contextlib
import json
import sys
from typing import Any

import asyncssh


class Server(asyncssh.SSHServer):
    def __init__(self, options: dict[str, Any]) -> None:
        self._options = options

    def begin_auth(self, username: str) -> bool:
        print("login", username, flush=True)
        return True

    def password_auth_supported(self) -> bool:
        return self._options["password"] is not None

    def validate_password(self, username: str, password: str) -> bool:
        return bool(password == self._options["password"])

    def connection_requested(self, dest_host: str, dest_port: int, orig_host: str, orig_port: int) -> bool:
        if not self._options["forward"]:  # as sshd says it with AllowTcpForwarding no
            raise asyncssh.ChannelOpenError(asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED, "open failed")
        return True


async def shell(process: "asyncssh.SSHServerProcess[bytes]") -> None:
    """What sshd does with a command."""
    pipe = asyncio.subprocess.PIPE
    child = await asyncio.create_subprocess_exec(
        "/bin/sh", "-c", process.command or "", stdin=pipe, stdout=pipe, stderr=pipe
    )
    assert child.stdin is not None
    assert child.stdout is not None
    assert child.stderr is not None
    feed = asyncio.create_task(copy(process.stdin, child.stdin))
    await asyncio.gather(copy(child.stdout, process.stdout), copy(child.stderr, process.stderr))
    status = await child.wait()
    feed.cancel()
    process.exit(status)


async def copy(source: Any, sink: Any) -> None:
    with contextlib.suppress(BrokenPipeError, ConnectionError):
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()
        if isinstance(sink, asyncio.StreamWriter):
            sink.close()


async def main(options: dict[str, Any]) -> None:
    server = await asyncssh.listen(
        "127.0.0.1",
        options["port"],
        server_factory=lambda: Server(options),
        server_host_keys=[options["host_key"]],
        authorized_client_keys=options["authorized"],
        process_factory=shell,
        encoding=None,
        config=None,
    )
    print("ready", server.get_port(), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
