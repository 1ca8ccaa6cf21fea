"""A session on the pod that `--pod` names."""

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from comfydesk.cli.context import Context
from comfydesk.cli.secrets import of_environment
from comfydesk.errors import KnownError, UsageError
from comfydesk.session.demo import DemoKeeper
from comfydesk.session.pods.profile_file import FILE_NAME, ProfileStore
from comfydesk.session.pods.profiles import PodProfile
from comfydesk.session.pods.roster import Roster
from comfydesk.session.pods.vault import Vault
from comfydesk.session.session import Session
from comfydesk.session.values import DEMO, PodTarget
from comfydesk.settings import DEFAULT_POD

PATIENCE = 30.0
"""Seconds that a pod may be away before a command gives up on it."""


def pod_named(context: Context) -> str:
    """What `--pod` says, else the default pod. Raises UsageError if there is neither."""
    text = context.pod or context.settings.get(DEFAULT_POD)
    if not text:
        advice = 'Give --pod with a profile\'s name or an address, or "--pod demo" for the built-in demo pod'
        raise UsageError("No pod is named", "", advice)
    return text


def roster_of(context: Context) -> Roster:
    """The user's profiles; secrets from the environment and the system's keyring."""
    return Roster(ProfileStore(context.paths.data / FILE_NAME), Vault(), context.settings)


def lend(roster: Roster, profile: PodProfile) -> None:
    """Let the environment's secrets go before the keyring's, for this pod. Raises UsageError."""
    roster.vault.lend(of_environment(profile, os.environ))


async def target_of(text: str, context: Context, stack: AsyncExitStack) -> PodTarget:
    """The pod that `text` means: a profile's name or id, "demo", or an address.

    The demo pod is started, and stopped with `stack`. Raises UsageError, StoreError, PodError.
    """
    if text != DEMO:
        roster = roster_of(context)
        profile = (await roster.load()).find(text)
        if profile is None:
            return PodTarget.of(text)
        lend(roster, profile)
        return roster.target(profile)
    keeper = DemoKeeper(context.paths.data)
    stack.push_async_callback(keeper.close)
    return await keeper.target()


async def connect(session: Session, text: str, context: Context, stack: AsyncExitStack) -> None:
    """Connect to the pod that `text` means: "demo", a profile's name or id, or an address."""
    await session.connect(await target_of(text, context, stack))  # with the environment's secrets


async def connect_others(session: Session, context: Context) -> None:
    """Connect to all profiles besides, in the background; the current pod stays it. What cannot be reached is left."""
    current = session.current_pod
    roster = roster_of(context)
    for profile in (await roster.load()).profiles:
        if current is None or profile.id != current.id:
            try:
                lend(roster, profile)
                await session.connect(roster.target(profile))
            except KnownError as error:
                context.note(f"comfydesk: {error}")
    if current is not None:
        session.select(current.id)


@asynccontextmanager
async def session_on_pod(context: Context) -> AsyncIterator[Session]:
    """A session of its own, connected (in the background) to the pod that is named."""
    text = pod_named(context)
    # The session leaves before the demo pod is stopped.
    async with AsyncExitStack() as pods, AsyncExitStack() as stack:
        session = Session(context.paths, context.settings, guard=False)
        await session.start(resume=False)
        stack.push_async_callback(session.close)
        await connect(session, text, context, pods)
        yield session
