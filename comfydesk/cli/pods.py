"""A session on the pod that `--pod` names."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from comfydesk.cli.context import Context
from comfydesk.cli.demo import FOLDER as DEMO_FOLDER
from comfydesk.errors import UsageError
from comfydesk.session.session import Session
from comfydesk.session.values import DEMO, PodTarget
from comfydesk.settings import DEFAULT_POD

PATIENCE = 30.0
"""Seconds that a pod may be away before a command gives up on it."""


def pod_named(context: Context) -> str:
    """What `--pod` says, else the default pod. Raises UsageError if there is neither."""
    text = context.pod or context.settings.get(DEFAULT_POD)
    if not text:
        raise UsageError("No pod is named", "", 'Give --pod with an address, or "--pod demo" for the built-in demo pod')
    return text


async def target_of(text: str, context: Context, stack: AsyncExitStack) -> PodTarget:
    """The pod that `text` means; the demo pod is started, and stopped with `stack`. Raises UsageError, PodError."""
    if text != DEMO:
        return PodTarget.of(text)
    from comfydesk.demo.process import DemoProcess

    process = await DemoProcess.start(context.paths.data / DEMO_FOLDER)
    stack.push_async_callback(process.stop)
    return PodTarget.demo(process.url)


@asynccontextmanager
async def session_on_pod(context: Context) -> AsyncIterator[Session]:
    """A session of its own, connected (in the background) to the pod that is named."""
    async with AsyncExitStack() as stack:
        target = await target_of(pod_named(context), context, stack)
        session = Session(context.paths, context.settings)
        await session.start(resume=False)
        stack.push_async_callback(session.close)
        await session.connect(target)
        yield session
