"""Which engines there are for a pod, which one its profile wants, and what "automatic" comes to.

| choice | engine |
|---|---|
| local | llama.cpp on this computer, with a model of `paths.data / "llm"` |
| pod | the pod's own TextGenerate node, where it has one and a text encoder that can write |
| endpoint | the server that was set up on the pod, else the profile's LLM address, else the one of the settings |

Automatic is the first of these that can be used now, in this order: private and free before rented, and nothing leaves
this computer for an endpoint as long as there is another way.
"""

import asyncio
import contextlib
import os
from functools import partial
from pathlib import Path

from comfydesk.credentials import HUB_TOKEN, CredentialsError, Secret, llm_item
from comfydesk.errors import KnownError
from comfydesk.llm.address import Endpoint, endpoint_url
from comfydesk.llm.downloads import Downloads
from comfydesk.llm.engine import Action, Engine, EngineKind, Readiness
from comfydesk.llm.hub import Hub
from comfydesk.llm.local import LocalEngine, LocalSetup
from comfydesk.llm.openai import OpenAiEngine
from comfydesk.llm.pod import PodEngine, PodOffer, offer_of
from comfydesk.llm.shelf import Shelf
from comfydesk.paths import Paths
from comfydesk.session.enhancement.pod_runner import PodRunner, upload
from comfydesk.session.enhancement.pod_serving import PodServing
from comfydesk.session.enhancement.values import Choice, EngineChoice, NoEngineError
from comfydesk.session.jobs.queue import Queue
from comfydesk.session.pods.connected import Pods
from comfydesk.session.pods.links import Link
from comfydesk.settings import (
    ENHANCE_ENDPOINT,
    ENHANCE_ENDPOINT_MODEL,
    ENHANCE_ENDPOINT_VISION,
    ENHANCE_ENGINE,
    ENHANCE_ENGINES,
    LLM_CONTEXT,
    LLM_GPU_LAYERS,
    LLM_IDLE,
    LLM_MODEL,
    LLM_PROGRAM,
    LLM_PROJECTOR,
    LLM_THREADS,
    Settings,
)
from comfydesk.workflow.catalog import Catalog

SETTINGS_KEY = "settings"
"""In place of a profile's id: whose key of the endpoint in the settings is (`credentials.llm_item`)."""
MODELS_FOLDER = "llm"
_ORDER = (Choice.LOCAL, Choice.POD, Choice.ENDPOINT)
_KINDS = {Choice.LOCAL: EngineKind.LOCAL, Choice.POD: EngineKind.POD, Choice.ENDPOINT: EngineKind.ENDPOINT}


class Engines:
    """An `enhancer.EngineSource`. Engines are made at the first need and kept until `close`."""

    def __init__(self, settings: Settings, pods: Pods, queue: Queue, paths: Paths) -> None:
        self._settings = settings
        self._pods = pods
        self._queue = queue
        self.shelf = Shelf(paths.data / MODELS_FOLDER)
        """The models of this computer."""
        self.local = LocalEngine(self.local_setup)
        self.downloads = Downloads(self.shelf, self.hub)
        self.serving = PodServing(pods.roster.vault, settings, self.hub)
        """Models on pods that have SSH."""
        self._pictures = paths.cache / "enhancing"
        self._offers: dict[str, tuple[Catalog, PodOffer | None]] = {}
        self._endpoints: dict[Endpoint, OpenAiEngine] = {}

    def choice(self, pod: str | None) -> Choice:
        """What the pod's profile wants, else what the settings say."""
        named = self._settings.texts(ENHANCE_ENGINES).get(self._pod_id(pod), "")
        return Choice(named) if named in list(Choice) else Choice(self._settings.get(ENHANCE_ENGINE))

    def choose(self, pod: str | None, choice: Choice) -> None:
        """Keep it for that pod; without any pod, for all that have no choice of their own. Raises StoreError."""
        name = self._pod_id(pod)
        if not name:
            self._settings.set(ENHANCE_ENGINE, choice.value)
            return
        self._settings.set_texts(ENHANCE_ENGINES, {**self._settings.texts(ENHANCE_ENGINES), name: choice.value})

    def local_setup(self) -> LocalSetup:
        """How the model of this computer is run, by the settings as they are now."""
        settings = self._settings
        model = self.shelf.find(settings.get(LLM_MODEL))
        return LocalSetup(
            model=None if model is None else model.path,
            name="" if model is None else model.title,
            program=settings.get(LLM_PROGRAM),
            context=settings.get(LLM_CONTEXT),
            threads=settings.get(LLM_THREADS),
            gpu_layers=settings.get(LLM_GPU_LAYERS),
            idle=settings.get(LLM_IDLE) * 60.0,
            projector=_projector(settings.get(LLM_PROJECTOR), None if model is None else model.path),
        )

    async def hub(self) -> Hub:
        """Where models come from: HF_ENDPOINT, with the token of the keyring, else HF_TOKEN's. Raises UsageError."""
        token: Secret | None = None
        with contextlib.suppress(CredentialsError):  # most models need none
            token = await self._pods.roster.vault.get(HUB_TOKEN)
        return Hub.of_environment(os.environ, token)

    async def offers(self, pod: str | None) -> tuple[EngineChoice, ...]:
        """See EngineSource. All are asked at once; an endpoint may take some seconds."""
        looked = await asyncio.gather(*(self._look(choice, pod) for choice in _ORDER))
        wanted = self.choice(pod)
        used = wanted if wanted is not Choice.AUTOMATIC else next((c for c, _, r in looked if r.ok), None)
        return tuple(
            EngineChoice(
                choice=choice,
                kind=_KINDS[choice],
                name=_NAMES[choice] if engine is None else engine.name,
                model="" if engine is None else engine.model,
                ready=readiness.ok,
                words=readiness.words,
                action=readiness.action,
                vision=engine is not None and engine.vision,
                chosen=choice is used,
            )
            for choice, engine, readiness in looked
        )

    async def engine(self, choice: Choice | None, pod: str | None) -> Engine:
        """See EngineSource."""
        wanted = choice or self.choice(pod)
        if wanted is not Choice.AUTOMATIC:
            _, engine, readiness = await self._look(wanted, pod)
            if engine is None or not readiness.ok:
                raise NoEngineError(readiness.words, action=readiness.action)
            return engine
        first: Readiness | None = None
        for one in _ORDER:
            _, engine, readiness = await self._look(one, pod)
            if engine is not None and readiness.ok:
                return engine
            first = first or readiness
        assert first is not None, "there are engines to look at"
        raise NoEngineError("No language model can be used yet", first.words, action=first.action)

    async def at(self, url: str, key: Secret | None = None, model: str = "") -> Engine:
        """An endpoint that is in no profile, for the command line. Raises UsageError."""
        return self._endpoint(Endpoint(endpoint_url(url), model, key))

    async def close(self) -> None:
        """See EngineSource. Downloads are paused."""
        await self.downloads.close()
        await self.local.close()
        await self.serving.close()
        for engine in self._endpoints.values():
            await engine.close()

    # --- Inside -----------------------------------------------------------------------------------------------------

    async def _look(self, choice: Choice, pod: str | None) -> tuple[Choice, Engine | None, Readiness]:
        try:
            match choice:
                case Choice.LOCAL:
                    engine: Engine | None = self.local
                    readiness = await self.local.ready()
                case Choice.POD:
                    engine, readiness = await self._look_at_pod(pod)
                case _:
                    engine, readiness = await self._look_at_endpoint(pod)
        except KnownError as error:
            return choice, None, Readiness(False, str(error), Action.CONFIGURE)
        return choice, engine, readiness

    async def _look_at_pod(self, pod: str | None) -> tuple[Engine | None, Readiness]:
        link = self._link(pod)
        if link is None:
            return None, Readiness(False, "No pod is connected.", Action.CONNECT)
        engine = self._of_pod(link)
        if not link.online:
            return engine, Readiness(False, f"{link.target.name} is not connected.", Action.CONNECT)
        return engine, await engine.ready()

    def _of_pod(self, link: Link) -> Engine:
        """The engine of a pod's own text node, whether it can be used or not."""
        return PodEngine(
            link.target.name,
            lambda: self._offer(link),
            PodRunner(self._queue, link.target.id),
            partial(upload, link, self._pictures),
        )

    def _offer(self, link: Link) -> PodOffer | None:
        """What a pod can write with, by its list of nodes as it is now."""
        if link.catalog is None:
            return None
        known = self._offers.get(link.target.id)
        if known is None or known[0] is not link.catalog:
            known = self._offers[link.target.id] = (link.catalog, offer_of(link.catalog))
        return known[1]

    async def _look_at_endpoint(self, pod: str | None) -> tuple[Engine | None, Readiness]:
        endpoint = await self._address(pod)
        if endpoint is None:
            return None, Readiness(False, "No endpoint is set: give its address in the settings.", Action.CONFIGURE)
        engine = self._endpoint(endpoint)
        return engine, await engine.ready()

    async def _address(self, pod: str | None) -> Endpoint | None:
        """What was set up on the pod, else the profile's, else that of the settings. Raises KnownError."""
        link = self._link(pod)
        profile = None if link is None else link.target.profile
        model = self._settings.get(ENHANCE_ENDPOINT_MODEL)
        vision = self._settings.get(ENHANCE_ENDPOINT_VISION)
        vault = self._pods.roster.vault
        if profile is not None and (served := await self.serving.endpoint(profile)) is not None:
            return served
        if profile is not None and profile.llm_url:
            return Endpoint(endpoint_url(profile.llm_url), model, await vault.get(llm_item(profile.id)), vision=vision)
        url = self._settings.get(ENHANCE_ENDPOINT)
        if not url:
            return None
        return Endpoint(endpoint_url(url), model, await vault.get(llm_item(SETTINGS_KEY)), vision=vision)

    def _endpoint(self, endpoint: Endpoint) -> OpenAiEngine:
        if endpoint not in self._endpoints:
            self._endpoints[endpoint] = OpenAiEngine(endpoint)
        return self._endpoints[endpoint]

    def _link(self, pod: str | None) -> Link | None:
        return self._pods.current if pod is None else self._pods.links.get(pod)

    def _pod_id(self, pod: str | None) -> str:
        link = self._link(pod)
        return pod or ("" if link is None else link.target.id)


def _projector(chosen: str, model: Path | None) -> Path | None:
    """The mmproj file: the chosen one, else the only one beside the model, as hubs name them."""
    if chosen:
        return Path(chosen).expanduser()
    if model is None:
        return None
    own = model.with_name(f"{model.stem}.mmproj.gguf")
    with contextlib.suppress(OSError):
        beside = [own] if own.is_file() else sorted(model.parent.glob("[mM][mM][pP][rR][oO][jJ]*.gguf"))
        return beside[0] if len(beside) == 1 else None
    return None


_NAMES = {Choice.LOCAL: "This computer", Choice.POD: "The pod", Choice.ENDPOINT: "Endpoint"}
