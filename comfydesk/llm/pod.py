"""The engine that every newer pod has: ComfyUI's TextGenerate node, with a text encoder that is there for pictures.

Which encoders can write, and under which `type` CLIPLoader makes a writer of them: ComfyUI 0.33.0, comfy/sd.py. There
is no system field, so the instructions stand before the user's text; there is no stream, so the answer is one piece;
equal inputs come from the pod's cache, so the seed has to differ.
"""

import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from comfydesk.errors import LlmAnswerError, LlmNotReadyError
from comfydesk.llm.engine import MAX_ANSWER, ChatRequest, EngineKind, Readiness
from comfydesk.llm.reasoning import ReasoningFilter
from comfydesk.workflow.catalog import Catalog

TITLE = "Enhance prompt"
Runner = Callable[[Mapping[str, Any], str], Awaitable[str]]
"""Runs an API graph as a job of that title and returns the text it showed; cancelling cancels the job."""
Uploader = Callable[[bytes], Awaitable[str]]
"""Puts a picture on the pod; returns the name LoadImage knows it by."""


@dataclass(frozen=True, slots=True)
class _Family:
    """Encoders that can write. `type` as CLIPLoader wants it."""

    pattern: str
    type: str
    vision: bool = False


# The best for this first. Anchored to what the files are called in ComfyUI's own repackages and upstream.
_FAMILIES = (
    _Family(r"qwen[_-]?3[._-]5[_-](vl[_-])?(4|9)b", "qwen_image", vision=True),
    _Family(r"qwen[_-]?3[_-]?vl[_-](4|8)b", "qwen_image", vision=True),
    _Family(r"qwen[_-]?3[_-]4b", "flux2"),
    _Family(r"qwen[_-]?3[_-]8b", "flux2"),
    _Family(r"gemma[_-]?4", "lumina2", vision=True),
    _Family(r"gemma[_-]?3[_-]12b", "ltxv"),
    _Family(r"gemma[_-]?3[_-]4b", "lumina2"),
    _Family(r"ministral[_-]?3", "flux2"),
    _Family(r"qwen[_-]?3[._-]5[_-]27b", "qwen_image", vision=True),
    _Family(r"qwen[_-]?3[._-]5[_-](2|0[._-]?8)b", "qwen_image", vision=True),
    _Family(r"gemma[_-]?2[_-]2b", "lumina2"),
    _Family(r"qwen[_-]?3[_-]0?[._-]?6b", "flux2"),
    _Family(r"demo-words", "flux2"),  # the demo pod's phrases
)
_NO_WRITERS = re.compile(r"lora|mmproj|project|connector|embed|ace15|elm")


@dataclass(frozen=True, slots=True)
class PodOffer:
    """What a pod can write with."""

    encoder: str
    """A file of its text_encoders folder."""
    type: str
    vision: bool
    inputs: frozenset[str]
    """What this version of the node takes."""


def offer_of(catalog: Catalog) -> PodOffer | None:
    """The encoder to use, chosen from those that are there; None: no such node, or none that can write. PURE."""
    nodes = catalog.nodes
    if not all(name in nodes for name in ("TextGenerate", "CLIPLoader", "PreviewAny")):
        return None
    files, types = (nodes["CLIPLoader"].input(name) for name in ("clip_name", "type"))
    if files is None or types is None:
        return None
    mode = nodes["TextGenerate"].input("sampling_mode")
    taken = {spec.name for spec in nodes["TextGenerate"].inputs}
    taken |= {child.name for child in (mode.children.get("on", ()) if mode is not None else ())}
    names = [name for name in files.choices if isinstance(name, str) and not _NO_WRITERS.search(_base(name))]
    for family in _FAMILIES:
        fitting = sorted((name for name in names if re.match(family.pattern, _base(name))), key=_weight)
        if fitting and family.type in types.choices:
            return PodOffer(fitting[0], family.type, family.vision and "LoadImage" in nodes, frozenset(taken))
    return None


def graph_of(offer: PodOffer, request: ChatRequest, picture: str = "") -> dict[str, Any]:
    """The API graph of one question. `picture`: a name for LoadImage. PURE."""
    sampling = {
        "temperature": min(max(request.temperature, 0.01), 2.0),
        "top_k": 64,
        "top_p": 0.95,
        "min_p": 0.05,
        "repetition_penalty": 1.05,
        "seed": request.seed,
    }
    inputs: dict[str, Any] = {
        "clip": ["1", 0],
        "prompt": "\n\n".join(filter(None, (request.system, request.user))),
        "max_length": min(max(request.max_tokens, 1), 32768),
        "sampling_mode": "on",
        **{f"sampling_mode.{name}": value for name, value in sampling.items()},
    }
    if "thinking" in offer.inputs:
        inputs["thinking"] = False
    graph: dict[str, Any] = {
        "1": {"class_type": "CLIPLoader", "inputs": {"clip_name": offer.encoder, "type": offer.type}},
        "2": {"class_type": "TextGenerate", "inputs": inputs, "_meta": {"title": TITLE}},
        "3": {"class_type": "PreviewAny", "inputs": {"source": ["2", 0]}},
    }
    if picture:
        graph["4"] = {"class_type": "LoadImage", "inputs": {"image": picture}}
        inputs["image"] = ["4", 0]
    return graph


class PodEngine:
    """An `Engine` over one pod. `offer` is asked each time: encoders come and go; `name` is the pod's.

    Without `upload` no pictures can be asked about.
    """

    kind = EngineKind.POD
    parallel = 1

    def __init__(
        self, name: str, offer: Callable[[], PodOffer | None], run: Runner, upload: Uploader | None = None
    ) -> None:
        self.name = name
        self._offer = offer
        self._run = run
        self._upload = upload

    @property
    def model(self) -> str:
        offer = self._offer()
        return "" if offer is None else _base(offer.encoder).rsplit(".", 1)[0]

    @property
    def vision(self) -> bool:
        offer = self._offer()
        return offer is not None and offer.vision and self._upload is not None

    async def ready(self) -> Readiness:
        """Looks at the pod's catalog."""
        if self._offer() is None:
            return Readiness(False, f"{self.name} has no text encoder that can write, or no TextGenerate node.")
        return Readiness(True, f"{self.model} on {self.name}, as a job of its queue")

    async def stream(self, request: ChatRequest) -> AsyncGenerator[str, None]:
        """See Engine: one piece."""
        offer = self._offer()
        if offer is None:
            raise LlmNotReadyError(f"{self.name} has nothing that can write", "", "Choose another engine")  # noqa: EM102
        picture = ""
        if request.images:
            if self._upload is None or not offer.vision:
                what = f"{self.model} on {self.name} does not look at pictures"
                raise LlmNotReadyError(what, "", "Choose another engine")
            picture = await self._upload(request.images[0])
        said = await self._run(graph_of(offer, request, picture), TITLE)
        reasoning = ReasoningFilter()
        text = (reasoning.feed(said) + reasoning.end()).strip()
        if len(text) > MAX_ANSWER:
            what = f"The answer of {self.name} does not come to an end"
            raise LlmAnswerError(what, f"more than {MAX_ANSWER} characters", "Try again")
        if not text:
            what = f"{self.model} on {self.name} answered with nothing"
            raise LlmAnswerError(what, "it was still reasoning" if reasoning.inside else "", "Try again")
        for mark in request.stop:
            text = text.split(mark, 1)[0]
        yield text

    async def close(self) -> None:
        """Nothing was started."""


def _base(name: str) -> str:
    return re.split(r"[/\\]", name)[-1].casefold()


def _weight(name: str) -> tuple[bool, int, str]:
    """Smaller in memory first: quantised ones before full ones."""
    base = _base(name)
    return not re.search(r"fp8|fp4|int8|nvfp4|mxfp8|q[468]", base), len(base), base
