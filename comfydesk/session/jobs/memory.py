"""Whether a pod has lost its memory since a job was sent to it.

A pod that does not know a job whose POST nobody answered has either never got it, or has forgotten it: ComfyUI keeps
its queue and its history in memory only. The first may be sent again, the second may have run. A job that the pod
certainly had before, the witness, tells which: a pod that has forgotten that one too has forgotten all.

Where there is no witness (nothing was ever sent there, or what was had been forgotten before the job was sent) nothing
speaks for a lost memory, and the job counts as never arrived.
"""

import time

from comfydesk.errors import PodError
from comfydesk.session.library import Library
from comfydesk.session.pods.links import Link
from comfydesk.store import lost
from comfydesk.store.records import Job


class Memories:
    """Of all pods. Raises StoreError."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._gone: dict[str, tuple[str, float]] = {}
        """Pod → its newest witness when that was found to be forgotten, and when that was first known."""

    async def look(self, link: Link) -> None:
        """The pod is there (again): what it has forgotten by now says nothing about what it is sent from now on."""
        if not link.pod.has_jobs_route:
            return  # what mints ids of its own is never sent anything again: see Follower
        witness = await self._library.read(lost.witness, link.target.id, time.time())
        if witness is None or self._known_gone(link.target.id, witness) is not None:
            return
        try:
            known = await link.pod.job(witness)
        except PodError:
            return
        if known is None:
            self._gone[link.target.id] = witness, time.time()

    async def is_lost(self, link: Link, job: Job, posted: float) -> bool:
        """Whether the pod, which does not know `job` any more, has forgotten all that it had when it was sent that.

        `posted`: when its POST began. Raises PodError: it does not answer.
        """
        witness = await self._library.read(lost.witness, job.pod, posted)
        if witness is None:
            return False
        since = self._known_gone(job.pod, witness)
        if since is not None:
            return since >= posted
        return await link.pod.job(witness) is None

    def _known_gone(self, pod: str, witness: str) -> float | None:
        gone = self._gone.get(pod)
        return gone[1] if gone is not None and gone[0] == witness else None
