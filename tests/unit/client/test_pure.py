"""The parts that only compute stay apart from those that do: no loop, no socket, no library of either."""

import subprocess
import sys

HEAVY = {"asyncio", "socket", "ssl", "httpx", "websockets"}
PURE = ("address", "answers", "files", "link", "protocol", "remote", "tracker")


def test_importing_the_pure_modules_brings_no_io() -> None:
    imports = ", ".join(f"comfydesk.client.{name}" for name in PURE)
    code = f"import {imports}, sys; print(*sorted({HEAVY} & sys.modules.keys()))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == ""
