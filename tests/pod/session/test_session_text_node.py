"""The graph that asks a pod's text node: taken by the demo pod always, by a real ComfyUI where one is named.

    COMFYDESK_TEST_POD=http://127.0.0.1:8188 pytest tests/pod/session/test_session_text_node.py

A real one needs no weights for this: its validation judges the graph, and a text encoder that is not there, or holds
nothing, has to come back as one line that says so. (An empty `qwen_3_4b.safetensors` in text_encoders will do.)
"""

import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from comfydesk.demo.server import DemoPod
from comfydesk.errors import LlmAnswerError, PromptRejectedError
from comfydesk.llm.engine import ChatRequest
from comfydesk.llm.pod import PodOffer, graph_of, offer_of
from comfydesk.paths import Paths
from comfydesk.session.enhancement.pod_runner import PodRunner
from comfydesk.session.enhancement.values import Choice, EnhanceRequest, Finished, Refused
from comfydesk.session.session import Session
from comfydesk.session.values import PodTarget
from comfydesk.settings import Settings
from comfydesk.workflow.specs import Section

REAL = os.environ.get("COMFYDESK_TEST_POD", "")
REQUEST = ChatRequest("You rewrite prompts.", "<prompt>a cat</prompt>", max_tokens=40, seed=2**32 - 1)


@asynccontextmanager
async def connected(paths: Paths, kind: str) -> AsyncIterator[Session]:
    async with DemoPod(folder=paths.data / "pod", speed=50) as pod, Session(paths, Settings()) as session:
        await session.connect(PodTarget.of(REAL or "") if kind == "real" else PodTarget.demo(pod.url))
        await session.wait_catalog(60)
        yield session


pods = pytest.mark.parametrize("kind", ["demo", *(["real"] if REAL else [])])


@pods
async def test_the_nodes_have_every_input_that_is_sent_and_none_is_missing(paths: Paths, kind: str) -> None:
    async with connected(paths, kind) as session:
        catalog = session.catalog
        assert catalog is not None
        offer = offer_of(catalog) or _offer(session)
        for node in graph_of(offer, REQUEST, "a.png").values():
            known = catalog.nodes[node["class_type"]]
            inputs = {spec.name: spec for spec in known.inputs}
            mode = inputs.get("sampling_mode")
            inputs |= {one.name: one for one in (mode.children.get("on", ()) if mode else ())}
            sent = set(node["inputs"])
            assert sent <= inputs.keys(), f"{node['class_type']} does not know {sent - inputs.keys()}"
            needed = {name for name, spec in inputs.items() if spec.section is Section.REQUIRED}
            assert needed <= sent, f"{node['class_type']} misses {needed - sent}"


@pods
async def test_an_encoder_that_is_not_there_is_all_that_is_wrong_with_the_graph(paths: Paths, kind: str) -> None:
    """Posted as it is: the pod's own words name the file's input of CLIPLoader, and nothing else."""
    async with connected(paths, kind) as session:
        link = session._pods.current
        assert link is not None
        graph = graph_of(PodOffer("not_there_qwen_3_4b.safetensors", "flux2", False, _offer(session).inputs), REQUEST)
        with pytest.raises(PromptRejectedError) as refused:
            await link.pod.submit(graph, prompt_id=str(uuid.uuid4()))
        errors = refused.value.node_errors
        assert set(errors) == {"1"}, errors
        (error,) = errors["1"]["errors"]
        assert error["type"] == "value_not_in_list"
        assert error["extra_info"]["input_name"] == "clip_name"
        assert "not_there_qwen_3_4b.safetensors" in error["details"]


@pods
async def test_it_is_enhanced_or_one_line_says_why_not(paths: Paths, kind: str) -> None:
    """A real one without weights fails while it loads the encoder: the pod's own reason is in the line."""
    async with connected(paths, kind) as session:
        pod = session.current_pod
        assert pod is not None
        session.enhancer.choose(pod.id, Choice.POD)
        ends = [
            one
            async for one in session.enhancer.enhance(EnhanceRequest("a cat", pod=pod.id))
            if isinstance(one, Finished | Refused)
        ]
        (end,) = ends
        if kind == "demo":
            assert isinstance(end, Finished)
            return
        if isinstance(end, Refused):
            assert "The prompt stays as it was" in end.why
            assert "\n" not in end.why
            assert "Traceback" not in end.why
            assert "cannot write" in end.why or "text encoder" in end.why, end.why


@pods
async def test_the_runner_says_which_file_is_missing(paths: Paths, kind: str) -> None:
    async with connected(paths, kind) as session:
        pod = session.current_pod
        assert pod is not None
        graph = graph_of(PodOffer("not_there_qwen_3_4b.safetensors", "flux2", False, _offer(session).inputs), REQUEST)
        with pytest.raises(LlmAnswerError, match=r"not_there_qwen_3_4b\.safetensors"):
            await PodRunner(session.queue, pod.id)(graph, "Enhance prompt")


def _offer(session: Session) -> PodOffer:
    """What the node takes there, whether it has an encoder or not."""
    catalog = session.catalog
    assert catalog is not None
    taken = frozenset(spec.name for spec in catalog.nodes["TextGenerate"].inputs)
    return PodOffer("qwen_3_4b.safetensors", "flux2", True, taken)
