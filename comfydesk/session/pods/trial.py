"""The way to a pod, tried step by step before it is stored: provider, tunnel, then the client's own probe."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from functools import partial
from time import perf_counter

from comfydesk.client.address import Address
from comfydesk.client.probe import ProbeStep, Step, probe
from comfydesk.errors import AuthError, KnownError
from comfydesk.hosts.protocol import HostState, PodStoppedError
from comfydesk.session.pods.reach import Reach


async def steps(reach: Reach) -> AsyncGenerator[ProbeStep, None]:
    """Each step as it ends; nothing comes after the first that fails. Closes `reach` in the end."""
    told: asyncio.Queue[ProbeStep | None] = asyncio.Queue()
    running = asyncio.create_task(_run(reach, told), name="trial of a pod")
    try:
        while (step := await told.get()) is not None:
            yield step
        await running
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        await reach.close()


async def _run(reach: Reach, told: "asyncio.Queue[ProbeStep | None]") -> None:
    try:
        if reach.profile.place.kind.engine:
            await _engine(reach, told)
            return
        address = await _address(reach, told)
        if address is not None:
            await probe(address, on_step=told.put_nowait)
    finally:
        told.put_nowait(None)


async def _engine(reach: Reach, told: "asyncio.Queue[ProbeStep | None]") -> None:
    """An engine's own steps: the key, an answer, a list of nodes. Its sockets and certificates are not ours to mend."""
    from comfydesk.session.pods.links import open_engine

    engine = open_engine(reach.profile.place.kind, reach.address, reach.profile.id)
    said: list[str] = []

    async def answer() -> str:
        try:
            said.append(await engine.check())
        except AuthError as error:  # it answered; told with the next step
            said.append("")
            refused.append(error)
        return f"it answers at {reach.profile.place.own_url}"

    async def sign_in() -> str:
        if refused:
            raise refused[0]
        return said[0]

    async def nodes() -> str:
        info = await engine.object_info()
        return "it lists none: forms use another pod's list" if info is None else f"{len(info)} node types"

    refused: list[AuthError] = []
    try:
        if await _step(Step.AUTH, partial(_has_key, reach), told, silent=True):
            for step, run in ((Step.HTTP, answer), (Step.AUTH, sign_in), (Step.CATALOG, nodes)):
                if not await _step(step, run, told):
                    break
    finally:
        await engine.close()


async def _has_key(reach: Reach) -> str:
    return str(await reach.address())


async def _address(reach: Reach, told: "asyncio.Queue[ProbeStep | None]") -> Address | None:
    """Where the pod is now; None: a step that was told has failed."""
    profile = reach.profile
    rented = profile.place.kind.rented
    found: list[Address] = []

    async def locate() -> str:
        found.append(await reach.address())
        return f"the tunnel to it ends at {found[0]}" if profile.through_ssh else f"it is at {found[0]}"

    async def provider() -> str:
        word = await _provider(reach)
        return word if profile.through_ssh else f"{word}; {await locate()}"

    if rented and not await _step(Step.HOST, provider, told):
        return None
    if profile.through_ssh and not await _step(Step.SSH, locate, told):
        return None
    if not found and not await _step(Step.AUTH, locate, told, silent=True):
        return None
    return found[0]


async def _provider(reach: Reach) -> str:
    """What the provider says of the pod. Raises KnownError."""
    host = await reach.host()
    if host is None:
        return "no API key is stored: start, stop and cost are not available"
    pod = await host.status(reach.profile.place.pod)
    if pod.state is not HostState.RUNNING:
        what = f"{host.label} says that {pod.title} is {pod.state}"
        raise PodStoppedError(what, pod.detail if pod.detail != pod.state else "", "Start it")
    cost = "" if pod.cost_per_hour is None else f", ${pod.cost_per_hour:.2f}/h"
    return f"{host.label}: {pod.title} is {pod.state}, {pod.gpu or 'no GPU named'}{cost}"


async def _step(
    step: Step, run: Callable[[], Awaitable[str]], told: "asyncio.Queue[ProbeStep | None]", *, silent: bool = False
) -> bool:
    """`silent`: told only if it fails."""
    start = perf_counter()
    error: KnownError | None = None
    try:
        detail = await run()
    except KnownError as known:
        error, detail = known, str(known)
    if error is not None or not silent:
        told.put_nowait(ProbeStep(step, error is None, detail, round((perf_counter() - start) * 1000, 1), error))
    return error is None
