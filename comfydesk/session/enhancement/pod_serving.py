"""A language model on a pod that has SSH: fetched onto its volume, served there, reached through a tunnel of its own.

The server stays when the window closes; which pod has one is in the settings (`LLM_SERVERS`), its key is with the other
secrets, and the tunnel is made anew when prompts are enhanced there. What is done on the pod is in `llm.pod_server` and
`hosts.model_download`; here the two meet.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from comfydesk.credentials import Credentials, Secret, llm_item
from comfydesk.errors import LlmCutOffError, LlmError, LlmRefusedError, LlmUnreachableError, UsageError
from comfydesk.llm import pod_server
from comfydesk.llm.address import Endpoint
from comfydesk.llm.engine import ChatRequest
from comfydesk.llm.hub import Hub
from comfydesk.llm.models import CURATED, CuratedModel, curated
from comfydesk.llm.pod_server import PodServer, ServerState, ServerStatus
from comfydesk.session.pods.profiles import PodProfile
from comfydesk.session.pods.reach import Reach
from comfydesk.settings import LLM_POD_FOLDER, LLM_POD_PORT, LLM_POD_PROGRAM, LLM_SERVERS, Settings

if TYPE_CHECKING:
    from comfydesk.hosts.tunnel import Tunnel
    from comfydesk.llm.openai import OpenAiEngine

DEADLINE = 20.0
"""Seconds until the tunnel stands."""
POLL = 2.0
GRACE = 1.0
"""Seconds that a server has to live before it counts as started."""


@dataclass(slots=True)
class _Way:
    """An open tunnel, and what it was made from."""

    profile: PodProfile
    port: int
    reach: Reach
    tunnel: "Tunnel"


class PodServing:
    """Belongs to one loop. Calls take a moment, and raise KnownError: what SSH, the pod's shell or the hub says."""

    def __init__(
        self,
        vault: Credentials,
        settings: Settings,
        hub: Callable[[], Awaitable[Hub]],
        *,
        find: Callable[[str], CuratedModel] = curated,
    ) -> None:
        self._vault, self._settings, self._hub, self._find = vault, settings, hub, find
        self._ways: dict[str, _Way] = {}
        self._opening = asyncio.Lock()

    @staticmethod
    def offered(profile: PodProfile | None) -> bool:
        """Whether one can be set up there: its profile says how to get a shell."""
        return profile is not None and (profile.through_ssh or profile.ssh is not None)

    def server(self, model_id: str) -> PodServer:
        """What would be served, and where. Raises UsageError for an id or a folder that is none."""
        get = self._settings.get
        return PodServer(self._find(model_id), get(LLM_POD_FOLDER), get(LLM_POD_PORT), get(LLM_POD_PROGRAM))

    def chosen(self, profile: PodProfile) -> str:
        """Id of the model that was started there last; empty: none, or it was stopped."""
        return self._settings.texts(LLM_SERVERS).get(profile.id, "")

    async def status(self, profile: PodProfile, model_id: str) -> ServerStatus:
        """As of now."""
        return await pod_server.status(await self._tunnel(profile), self.server(model_id))

    async def all(self, profile: PodProfile) -> dict[str, ServerStatus]:
        """Of every curated model, by its id."""
        return {model.id: await self.status(profile, model.id) for model in CURATED}

    async def fetch(
        self, profile: PodProfile, model_id: str, on_progress: Callable[[int, int], None] = lambda *_: None
    ) -> None:
        """Onto the pod's volume; what is there goes on. `on_progress` is told bytes, of how many.

        Cancelling stops it there, too; what it has stays.
        """
        from comfydesk.hosts.model_download import ModelDownload, download

        server, tunnel, hub = self.server(model_id), await self._tunnel(profile), await self._hub()
        await pod_server.prepare(tunnel, server)
        model = server.model
        wanted = ModelDownload(server.url(hub.endpoint), server.model_folder, model.file, model.sha256, hub.token)
        await download(tunnel, wanted, on_progress=lambda done: on_progress(done, model.size), poll=POLL)

    async def start(self, profile: PodProfile, model_id: str) -> None:
        """Serve it, in place of another one; it loads for a while after that, and says so itself."""
        server, tunnel = self.server(model_id), await self._tunnel(profile)
        before = self.chosen(profile)
        if before and before != model_id:
            await pod_server.stop(tunnel, self.server(before))
        await pod_server.start(tunnel, server, await self._key(profile), grace=GRACE)
        self._settings.set_texts(LLM_SERVERS, {**self._settings.texts(LLM_SERVERS), profile.id: model_id})

    async def stop(self, profile: PodProfile, model_id: str) -> None:
        """End it; the model stays on the volume."""
        await pod_server.stop(await self._tunnel(profile), self.server(model_id))
        kept = {pod: model for pod, model in self._settings.texts(LLM_SERVERS).items() if pod != profile.id}
        self._settings.set_texts(LLM_SERVERS, kept)

    async def endpoint(self, profile: PodProfile) -> Endpoint | None:
        """Where the server that was started there answers now, by way of the tunnel; None: none was."""
        model_id = self.chosen(profile)
        if not model_id or not self.offered(profile):
            return None
        try:
            model = self._find(model_id)
        except UsageError:  # of another version's list
            return None
        tunnel = await self._tunnel(profile)
        return Endpoint(f"{tunnel.url}/v1", model.id, await self._key(profile), label=profile.name)

    async def wait_ready(self, profile: PodProfile, within: float = 300.0) -> None:
        """Until the model answers. Raises LlmUnreachableError with the last line of its log; LlmError: another key."""
        from comfydesk.llm.openai import OpenAiEngine, Pace

        found = await self.endpoint(profile)
        if found is None:
            raise LlmUnreachableError("No language model was started on that pod")
        engine = OpenAiEngine(found, pace=Pace(first=within))
        try:
            async with asyncio.timeout(within):
                while not await _answers(engine):
                    now = await self.status(profile, self.chosen(profile))
                    if now.state is not ServerState.RUNNING:
                        raise LlmUnreachableError("The language model on the pod stopped by itself", now.words)
                    await asyncio.sleep(0.5)
        except TimeoutError:
            raise LlmUnreachableError("The language model on the pod does not load", f"after {within:g} s") from None
        finally:
            await engine.close()

    async def commands(self, model_id: str) -> str:
        """The same by hand, for a shell on the pod. Nothing secret is in it."""
        return self.server(model_id).commands_to_copy((await self._hub()).endpoint)

    async def close(self) -> None:
        """End the tunnels; what is served on pods goes on."""
        for pod in tuple(self._ways):
            await self._drop(pod)

    async def _key(self, profile: PodProfile) -> Secret:
        """Made once for each pod. Another computer of the same user needs its own: there the server is started anew."""
        item = f"{llm_item(profile.id)}-server"
        found = await self._vault.get(item)
        if found is None:
            found = Secret(secrets.token_urlsafe(32))
            await self._vault.set(item, found)
        return found

    async def _tunnel(self, profile: PodProfile) -> "Tunnel":
        if not self.offered(profile):
            what = f"{profile.name} has no SSH access"
            raise UsageError(what, "", "Give its SSH address in the profile, or run the commands there by hand")
        port = self._settings.get(LLM_POD_PORT)
        async with self._opening:
            way = self._ways.get(profile.id)
            if way is not None and (way.profile, way.port) != (profile, port):
                await self._drop(profile.id)
                way = None
            if way is None:
                reach = Reach(profile, self._vault)
                way = self._ways[profile.id] = _Way(profile, port, reach, reach.tunnel_to(port))
                try:
                    await way.tunnel.open()
                except BaseException:
                    await asyncio.shield(self._drop(profile.id))
                    raise
            try:
                await way.tunnel.wait_online(DEADLINE)
            except BaseException:
                await asyncio.shield(self._drop(profile.id))
                raise
            return way.tunnel

    async def _drop(self, pod: str) -> None:
        way = self._ways.pop(pod, None)
        if way is not None:
            await way.tunnel.close()
            await way.reach.close()


async def _answers(engine: "OpenAiEngine") -> bool:
    """Whether it answers a question, of one token: llama-server names its models to anybody, and while it loads.

    Raises LlmError when it wants another key: waiting does not mend that.
    """
    try:
        async with aclosing(engine.stream(ChatRequest("", "Hello", max_tokens=1))) as pieces:
            async for _ in pieces:
                break
    except LlmCutOffError:  # as it was asked to
        return True
    except LlmRefusedError as error:
        if error.status in (401, 403):
            what = "The language model on the pod was started with another key"
            raise LlmError(what, "", "Stop it there, and start it again") from None
        return False
    except LlmError:
        return False
    return True
