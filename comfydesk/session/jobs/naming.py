"""Where a result goes below the results folder: by the user's template, else as the pod calls it."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from comfydesk.client.files import safe_name, safe_relative_path
from comfydesk.errors import UsageError
from comfydesk.session.jobs.documents import Documents
from comfydesk.session.pods.links import Links
from comfydesk.store.records import Job, JobError, JobFile
from comfydesk.workflow import filenames
from comfydesk.workflow.card import MODEL_SUFFIXES
from comfydesk.workflow.patch import apply_values

if TYPE_CHECKING:
    from comfydesk.workflow.graph import ApiGraph


class Names:
    """`template()`: the setting; a job may have one of its own."""

    def __init__(self, links: Links, documents: Documents, template: Callable[[], str]) -> None:
        self._links = links
        self._documents = documents
        self._template = template

    async def place(self, job: Job, file: JobFile) -> tuple[PurePosixPath, JobError | None]:
        """The file's place, and what is wrong with the template: then the pod's own name is taken, nothing is lost.

        Raises PodError for a name that no honest pod gives, whatever the template does with it; StoreError.
        """
        own = safe_relative_path(file.subfolder, file.filename)
        template = job.template or self._template()
        if template == filenames.DEFAULT:
            return own, None
        try:
            filenames.check(template)
        except UsageError as error:
            why = f"{error.what}. The file has the pod's own name".replace("..", ".")
            return own, JobError("The file name template cannot be used", why, "Correct it in the settings")
        link = self._links.get(job.pod)
        parts = filenames.NameParts(
            filename=file.filename,
            when=datetime.fromtimestamp(job.started or job.sent or job.created).astimezone(),
            subfolder=file.subfolder,
            workflow=job.workflow,
            pod=job.pod if link is None else link.target.name,
            seed=job.seed,
            n=file.number + 1,
            prompt=job.prompt,
            model=await self._model(job) if "{model" in template else "",
            job=job.id,
            batch=job.batch[:8],
        )
        return filenames.render(template, parts, safe_name), None

    async def _model(self, job: Job) -> str:
        """The first model that the job names, in the graph's order."""
        graph = await self._documents.graph(job.graph_hash)
        return await asyncio.to_thread(_first_model, graph, job)


def _first_model(graph: "ApiGraph", job: Job) -> str:
    filled = apply_values(graph, job.values)
    for node in filled.nodes.values():
        for value in node.inputs.values():
            if isinstance(value, str) and value.lower().endswith(MODEL_SUFFIXES):
                return value
    return ""
