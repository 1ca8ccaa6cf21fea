"""The way to a pod, tried step by step before it is stored: provider, tunnel, then the client's own probe."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from time import perf_counter

from comfydesk.client.address import Address
from comfydesk.client.probe import ProbeStep, Step, probe
from comfydesk.errors import KnownError
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
        address = await _address(reach, told)
        if address is not None:
            await probe(address, on_step=told.put_nowait)
    finally:
        told.put_nowait(None)


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
