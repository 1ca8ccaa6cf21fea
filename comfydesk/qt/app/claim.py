"""Which process has the window of a data folder: the one that holds the lock on a file in it.

Of two starts at the same moment one gets the lock, and the other knows to whom its wish goes. The system frees the lock
whatever way a process ends, so what a crash leaves behind stops nobody.
"""

import contextlib
import os
from pathlib import Path

from comfydesk.disk import try_lock

FILE = "window.lock"


class Claim:
    """Held until `release`, or until the process ends."""

    def __init__(self, descriptor: int | None) -> None:
        self._descriptor = descriptor

    @classmethod
    def take(cls, folder: Path) -> "Claim | None":
        """None: another process has the window of that folder.

        Where nothing can be written or locked, each start gets one: what is wrong with the folder is told later, and
        two windows do no harm to what is in it.
        """
        descriptor = None
        try:
            folder.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(folder / FILE, os.O_CREAT | os.O_RDWR, 0o600)
            if try_lock(descriptor):
                return cls(descriptor)
        except OSError:
            if descriptor is not None:
                os.close(descriptor)
            return cls(None)
        os.close(descriptor)
        return None

    def release(self) -> None:
        """Again is fine. The file stays: who removed it could remove one that is locked anew."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            with contextlib.suppress(OSError):
                os.close(descriptor)


def is_claimed(folder: Path) -> bool:
    """Whether another process has the window of that folder, at this moment."""
    claim = Claim.take(folder)
    if claim is None:
        return True
    claim.release()
    return False
