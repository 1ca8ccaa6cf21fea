"""The pod's own text node: which encoder is chosen, the graph, and the answer; against the demo pod and the real
node catalog of ComfyUI 0.33.0."""

import asyncio
import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from comfydesk.demo.folders import Folders
from comfydesk.demo.nodes import all_nodes
from comfydesk.demo.validation import validate
from comfydesk.errors import LlmAnswerError, LlmNotReadyError
from comfydesk.llm.engine import ChatRequest
from comfydesk.llm.pod import TITLE, PodEngine, PodOffer, graph_of, offer_of
from comfydesk.workflow.catalog import Catalog

NODE = json.loads(gzip.decompress((Path(__file__).parent / "textgenerate.json.gz").read_bytes()))
"""CLIPLoader, TextGenerate, PreviewAny and LoadImage as a ComfyUI 0.33.0 without models describes them."""
ASK = ChatRequest("Improve the prompt.", "a cat", max_tokens=200, temperature=0.7, seed=11)


def catalog_with(*encoders: str, without: str = "") -> Catalog:
    info = json.loads(json.dumps(NODE))
    info["CLIPLoader"]["input"]["required"]["clip_name"] = [list(encoders)]
    info.pop(without, None)
    return Catalog.from_object_info(info)


@pytest.mark.parametrize(
    ("encoder", "type_", "vision"),
    [
        ("qwen_3_4b.safetensors", "flux2", False),
        ("z-image/qwen_3_4b_fp8_mixed.safetensors", "flux2", False),
        ("qwen_3_8b.safetensors", "flux2", False),
        ("qwen3vl_4b_bf16.safetensors", "qwen_image", True),
        ("Qwen3-VL-8B-Instruct.safetensors", "qwen_image", True),
        ("qwen3.5_4b.safetensors", "qwen_image", True),
        ("gemma_3_12B_it_fp8_scaled.safetensors", "ltxv", False),
        ("gemma_2_2b_fp16.safetensors", "lumina2", False),
        ("ministral_3_3b.safetensors", "flux2", False),
        ("qwen_3_06b_base.safetensors", "flux2", False),
    ],
)
def test_encoders_that_can_write(encoder: str, type_: str, vision: bool) -> None:
    offer = offer_of(catalog_with("clip_l.safetensors", encoder))
    assert offer is not None
    assert (offer.encoder, offer.type, offer.vision) == (encoder, type_, vision)


@pytest.mark.parametrize(
    "encoder",
    [
        "clip_l.safetensors",
        "t5xxl_fp16.safetensors",
        "umt5_xxl_fp8_e4m3fn_scaled.safetensors",
        "llama_3.1_8b_instruct_fp8_scaled.safetensors",
        "mistral_3_small_flux2_fp8.safetensors",
        "qwen_2.5_vl_7b_fp8_scaled.safetensors",
        "qwen_0.6b_ace15.safetensors",
        "ltx-2-19b-embeddings_connector_distill_bf16.safetensors",
    ],
)
def test_encoders_that_cannot(encoder: str) -> None:
    assert offer_of(catalog_with(encoder)) is None


def test_the_best_and_then_the_lightest_is_chosen() -> None:
    offer = offer_of(catalog_with("qwen_3_06b_base.safetensors", "qwen_3_4b.safetensors", "qwen_3_4b_fp8.safetensors"))
    assert offer is not None
    assert offer.encoder == "qwen_3_4b_fp8.safetensors"


@pytest.mark.parametrize("without", ["TextGenerate", "CLIPLoader", "PreviewAny"])
def test_older_pods_offer_nothing(without: str) -> None:
    assert offer_of(catalog_with("qwen_3_4b.safetensors", without=without)) is None


def test_the_graph_gives_the_node_all_that_it_requires() -> None:
    offer = offer_of(catalog_with("qwen_3_4b.safetensors"))
    assert offer is not None
    graph = graph_of(offer, ASK, "cat.png")
    for node in graph.values():
        declared = NODE[node["class_type"]]["input"]
        allowed = {**declared["required"], **declared.get("optional", {})}
        required = set(declared["required"])
        if node["class_type"] == "TextGenerate":
            on = next(o for o in declared["required"]["sampling_mode"][1]["options"] if o["key"] == "on")["inputs"]
            allowed |= {f"sampling_mode.{name}": spec for part in on.values() for name, spec in part.items()}
            required |= {f"sampling_mode.{name}" for name in on["required"]}
        assert required <= set(node["inputs"]) <= set(allowed)
        for name, value in node["inputs"].items():
            options = allowed[name][1] if len(allowed[name]) > 1 else {}
            if isinstance(value, int | float) and "min" in options:
                assert options["min"] <= value <= options["max"]
    assert graph["1"]["inputs"]["type"] in NODE["CLIPLoader"]["input"]["required"]["type"][0]
    assert graph["2"]["inputs"]["prompt"] == "Improve the prompt.\n\na cat"


def test_the_demo_pod_takes_the_graph(tmp_path: Path) -> None:
    folders = Folders(tmp_path)
    nodes = all_nodes()
    offer = offer_of(Catalog.from_object_info({name: node.info(folders) for name, node in nodes.items()}))
    assert offer is not None, "the demo pod has an encoder that can write"
    verdict = validate(graph_of(offer, ASK), nodes, folders)
    assert (verdict.error, verdict.node_errors, verdict.outputs) == (None, {}, ["3"])


class Pod:
    """Runs graphs as it is told; `asked` are they."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.asked: list[Mapping[str, Any]] = []
        self.cancelled = False

    async def run(self, graph: Mapping[str, Any], title: str) -> str:
        assert title == TITLE
        self.asked.append(graph)
        if not self.answers:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                self.cancelled = True
                raise
        return self.answers.pop(0)


OFFER = PodOffer("text/Qwen3-VL-4B.safetensors", "qwen_image", True, frozenset({"thinking"}))


async def answer(engine: PodEngine, request: ChatRequest = ASK) -> str:
    return "".join([piece async for piece in engine.stream(request)])


async def test_the_answer_comes_without_reasoning() -> None:
    pod = Pod("<think>Cats.</think>\n\nA tabby cat.\n")
    engine = PodEngine("my pod", lambda: OFFER, pod.run)
    assert (await engine.ready()).words == "qwen3-vl-4b on my pod, as a job of its queue"
    assert await answer(engine) == "A tabby cat."
    assert pod.asked[0]["2"]["inputs"]["sampling_mode.seed"] == 11
    assert pod.asked[0]["2"]["inputs"]["thinking"] is False


async def test_a_picture_is_uploaded_first() -> None:
    async def upload(data: bytes) -> str:
        return f"{len(data)}.png"

    pod = Pod("A cat.")
    engine = PodEngine("my pod", lambda: OFFER, pod.run, upload)
    assert engine.vision
    await answer(engine, ChatRequest("", "Describe it.", images=(b"1234",)))
    assert pod.asked[0]["4"]["inputs"]["image"] == "4.png"


async def test_a_blind_encoder_is_not_shown_pictures() -> None:
    engine = PodEngine("my pod", lambda: OFFER, Pod("A cat.").run)
    with pytest.raises(LlmNotReadyError, match="does not look at pictures"):
        await answer(engine, ChatRequest("", "Describe it.", images=(b"1234",)))


@pytest.mark.parametrize("said", ["", "  \n", "<think>Well,", "x" * 70_000])
async def test_an_answer_that_is_none(said: str) -> None:
    with pytest.raises(LlmAnswerError):
        await answer(PodEngine("my pod", lambda: OFFER, Pod(said).run))


async def test_cancelling_cancels_the_job() -> None:
    pod = Pod()
    task = asyncio.create_task(answer(PodEngine("my pod", lambda: OFFER, pod.run)))
    while not pod.asked:  # noqa: ASYNC110 - one turn of the loop
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert pod.cancelled


async def test_a_pod_without_the_means_says_so() -> None:
    engine = PodEngine("my pod", lambda: None, Pod().run)
    assert not (await engine.ready()).ok
    with pytest.raises(LlmNotReadyError):
        await answer(engine)
