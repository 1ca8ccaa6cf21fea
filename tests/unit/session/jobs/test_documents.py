"""What goes to a pod is made for that pod."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from comfydesk.events import Feed
from comfydesk.session.jobs.documents import Documents
from comfydesk.session.library import Library
from comfydesk.store import workflows
from comfydesk.store.records import Job, JobState
from comfydesk.workflow.catalog import Catalog

DOCUMENT: dict[str, Any] = {
    "last_node_id": 2,
    "last_link_id": 1,
    "nodes": [
        {"id": 1, "type": "Load", "inputs": [], "outputs": [{"name": "IMAGE", "type": "IMAGE", "links": [1]}],
         "widgets_values": ["sub/a.safetensors", 5]},
        {"id": 2, "type": "Save", "inputs": [{"name": "images", "type": "IMAGE", "link": 1}], "outputs": [],
         "widgets_values": ["pic"]},
    ],
    "links": [[1, 1, 0, 2, 0, "IMAGE"]],
    "version": 0.4,
}  # fmt: skip
STORED = {
    "1": {"class_type": "Load", "inputs": {"name": "sub/a.safetensors", "steps": 5}},
    "2": {"class_type": "Save", "inputs": {"images": ["1", 0], "filename_prefix": "pic"}},
}


def catalog(separator: str = "/", **more: Any) -> Catalog:
    choices = [f"sub{separator}a.safetensors", "b.safetensors"]
    load = {"name": [choices, {}], "steps": ["INT", {"default": 1}], **more}
    info = {
        "Load": {"input": {"required": load}, "output": ["IMAGE"], "output_name": ["IMAGE"], "output_node": False},
        "Save": {
            "input": {"required": {"images": ["IMAGE"], "filename_prefix": ["STRING", {}]}},
            "output": [],
            "output_node": True,
        },
    }
    return Catalog.from_object_info(info)


@asynccontextmanager
async def opened(tmp_path: Path) -> AsyncIterator[tuple[Documents, Job]]:
    library = Library(tmp_path / "l", Feed())
    await library.open()
    graph = await library.call(workflows.put_document, STORED)
    document = await library.call(workflows.put_document, DOCUMENT)
    job = Job("j", JobState.QUEUED, "w", "p", graph, {}, "", None, 1, 1577880000.0, document_hash=document)
    try:
        yield Documents(library), job
    finally:
        await library.close()


async def test_the_same_document_becomes_what_each_pod_reads_in_it(tmp_path: Path) -> None:
    async with opened(tmp_path) as (documents, job):
        here, there = catalog(), catalog(separator="\\", extra=["INT", {"default": 7}])
        first, _ = await documents.prepare(job, {"1.steps": 9}, here)
        second, _ = await documents.prepare(job, {"1.steps": 9}, there)
        assert first["1"]["inputs"] == {"name": "sub/a.safetensors", "steps": 9}
        assert second["1"]["inputs"]["name"] == "sub\\a.safetensors", "in the pod's spelling"
        assert second["1"]["inputs"]["steps"] == 9


async def test_without_a_catalog_or_where_it_cannot_be_converted_it_is_what_was_queued(tmp_path: Path) -> None:
    async with opened(tmp_path) as (documents, job):
        graph, document = await documents.prepare(job, {"1.steps": 9}, None)
        assert graph["1"]["inputs"] == {"name": "sub/a.safetensors", "steps": 9}
        assert document == DOCUMENT
        graph, _ = await documents.prepare(job, {}, Catalog.from_object_info({}))
        assert {node: spec["class_type"] for node, spec in graph.items()} == {"1": "Load", "2": "Save"}


async def test_the_document_that_goes_along_has_the_values(tmp_path: Path) -> None:
    async with opened(tmp_path) as (documents, job):
        known = catalog()
        pairs = await asyncio.gather(*(documents.prepare(job, {"1.steps": steps}, known) for steps in range(6, 12)))
        for steps, (graph, document) in enumerate(pairs, 6):
            assert document is not None
            assert (graph["1"]["inputs"]["steps"], document["nodes"][0]["widgets_values"][1]) == (steps, steps)
