"""Check by hand: run a command against a pod behind our SSH tunnel.

    python -m tests.unit.hosts.through_ssh 8188 pytest -q tests/pod -k real

starts an SSH server on loopback, opens the tunnel of a profile to port 8188 (a real ComfyUI, say), and runs the command
with its address in COMFYDESK_TEST_POD.
"""

import asyncio
import os
import sys
import tempfile
from pathlib import Path

from comfydesk.credentials import SessionCredentials
from comfydesk.session.pods.profile_checks import checked
from comfydesk.session.pods.profiles import Place, PlaceKind, PodProfile, SshSettings, new_id
from comfydesk.session.pods.reach import Reach
from tests.unit.hosts.ssh_pod import Keys, SshPod


async def main(port: int, command: list[str]) -> int:
    """The command's exit code."""
    with tempfile.TemporaryDirectory() as folder, SshPod(Keys(Path(folder))) as pod:
        shown = str(pod.keys.shown(pod.host_key))
        ssh = SshSettings("127.0.0.1", pod.port, key_file=str(pod.keys.user), host_key=shown)
        profile = checked(PodProfile(new_id(), "by hand", Place(PlaceKind.SSH, port=port), ssh=ssh))
        reach = Reach(profile, SessionCredentials())
        try:
            environment = os.environ | {"COMFYDESK_TEST_POD": str(await reach.address())}
            child = await asyncio.create_subprocess_exec(*command, env=environment)
            return await child.wait()
        finally:
            await reach.close()


if __name__ == "__main__":
    sys.exit(asyncio.run(main(int(sys.argv[1]), sys.argv[2:])))
