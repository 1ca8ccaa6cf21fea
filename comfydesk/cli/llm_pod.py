"""`comfydesk llm pod`: a language model on a pod that has SSH. And `llm token`, for the place models come from."""

import argparse
import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from comfydesk.cli.context import Context
from comfydesk.errors import UsageError

if TYPE_CHECKING:
    from comfydesk.credentials import Secret
    from comfydesk.llm.hub import Hub
    from comfydesk.session.enhancement.pod_serving import PodServing
    from comfydesk.session.pods.profiles import PodProfile

POD_ACTIONS = ("status", "download", "start", "stop", "commands")
_EXAMPLES = """examples:
  comfydesk llm pod --pod mine                      which models are there, and whether one is served
  comfydesk llm pod download qwen3.5-4b --pod mine  onto its volume; again after a break: it goes on where it stopped
  comfydesk llm pod start qwen3.5-4b --pod mine     then "comfydesk enhance … --engine endpoint --pod mine" asks it
  comfydesk llm pod commands qwen3.5-4b             the same by hand, for a shell on the pod"""


def register(actions: Any) -> None:
    """Below `comfydesk llm`."""
    pod = actions.add_parser(
        "pod",
        help="set one up on a pod, through SSH",
        description="Language models on the volume of a pod whose profile has SSH: fetch, serve, look, end.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    pod.add_argument("step", nargs="?", choices=POD_ACTIONS, default="status", help="default: status")
    pod.add_argument("what", nargs="?", default="", metavar="ID", help="a model of the list")
    pod.set_defaults(run=run_pod)
    token = actions.add_parser(
        "token", help="keep the token for the place models come from (stdin); --forget removes it"
    )
    token.add_argument("--forget", action="store_true", help="remove it from the keyring")
    token.set_defaults(run=run_token)


async def hub() -> "Hub":
    """HF_ENDPOINT, and HF_TOKEN or the keyring's token. Raises UsageError."""
    from comfydesk.credentials import HUB_TOKEN, CredentialsError
    from comfydesk.llm.hub import Hub
    from comfydesk.session.pods.vault import Vault

    token: Secret | None = None
    if not os.environ.get("HF_TOKEN"):
        try:
            token = await Vault().get(HUB_TOKEN)
        except CredentialsError:  # most models need none
            token = None
    return Hub.of_environment(os.environ, token)


def run_token(args: argparse.Namespace, context: Context) -> int:
    """0 when it is kept, or gone."""
    return asyncio.run(_token(context, forget=args.forget))


async def _token(context: Context, *, forget: bool) -> int:
    from comfydesk.credentials import HUB_TOKEN, Secret
    from comfydesk.session.pods.vault import Vault

    vault = Vault()
    if forget:
        await vault.delete(HUB_TOKEN)
    else:
        text = (await asyncio.to_thread(sys.stdin.readline)).strip()
        if not text:
            raise UsageError("No token came on standard input", "", "comfydesk llm token < file")
        await vault.set(HUB_TOKEN, Secret(text))
        if vault.note:
            context.note(vault.note)
    if context.json:
        context.emit_json({"stored": not forget})
    else:
        context.emit("The token was removed" if forget else "The token is kept")
    return 0


def run_pod(args: argparse.Namespace, context: Context) -> int:
    """0 when it is done; 3 when there is no way to the pod."""
    return asyncio.run(_pod(args, context))


async def _pod(args: argparse.Namespace, context: Context) -> int:
    from comfydesk.session.enhancement.pod_serving import PodServing
    from comfydesk.session.pods.vault import Vault

    vault = Vault()
    serving = PodServing(vault, context.settings, hub)
    if args.step != "status" and not args.what:
        raise UsageError("No model is named", "", "comfydesk llm lists them")
    if args.step == "commands":
        text = await serving.commands(args.what)
        if context.json:
            context.emit_json({"id": args.what, "commands": text})
        else:
            context.emit(text)
        return 0
    profile = await _profile(context, vault)
    act: dict[str, Callable[[PodServing, PodProfile, str, Context], Awaitable[int]]] = {
        "status": _status,
        "download": _download,
        "start": _start,
        "stop": _stop,
    }
    try:
        return await act[args.step](serving, profile, args.what, context)
    finally:
        await serving.close()


async def _profile(context: Context, vault: Any) -> "PodProfile":
    from comfydesk.cli import secrets
    from comfydesk.cli.pods import pod_named, roster_of

    named = pod_named(context)
    profile = (await roster_of(context).load()).find(named)
    if profile is None:
        what = f"There is no profile called {named}"
        raise UsageError(what, "", "comfydesk pods lists them")
    vault.lend(secrets.of_environment(profile, os.environ))
    return profile


async def _status(serving: "PodServing", profile: "PodProfile", model_id: str, context: Context) -> int:
    if model_id:
        found = {model_id: await serving.status(profile, model_id)}
    else:
        found = await serving.all(profile)
    if context.json:
        listed = [
            {"id": name, "state": one.state.value, "bytes": one.done, "words": one.words} for name, one in found.items()
        ]
        context.emit_json({"pod": profile.name, "models": listed})
        return 0
    for name, one in found.items():
        done = f" {one.done / 1e9:.2f} GB" if one.done else ""
        context.emit(f"{one.state.value:8}{done} {name}  {one.words}".rstrip())
    return 0


async def _download(serving: "PodServing", profile: "PodProfile", model_id: str, context: Context) -> int:
    last = [-1]

    def tell(done: int, total: int) -> None:
        if (tenth := done * 10 // max(total, 1)) != last[0]:
            last[0] = tenth
            context.note(f"{done / 1e9:.2f} of {total / 1e9:.2f} GB")

    await serving.fetch(profile, model_id, tell)
    return _told(context, profile, model_id, "downloaded", f"{model_id} is on {profile.name}")


async def _start(serving: "PodServing", profile: "PodProfile", model_id: str, context: Context) -> int:
    await serving.start(profile, model_id)
    context.note("started; the model loads")
    await serving.wait_ready(profile)
    return _told(context, profile, model_id, "running", f"{model_id} is served on {profile.name}")


async def _stop(serving: "PodServing", profile: "PodProfile", model_id: str, context: Context) -> int:
    await serving.stop(profile, model_id)
    return _told(context, profile, model_id, "stopped", f"{model_id} is not served on {profile.name} any more")


def _told(context: Context, profile: "PodProfile", model_id: str, state: str, words: str) -> int:
    if context.json:
        context.emit_json({"pod": profile.name, "id": model_id, "state": state})
    else:
        context.emit(words)
    return 0
