"""`comfydesk pods`: the profiles, and start and stop where a provider can."""

import argparse
import asyncio
import os
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from comfydesk.cli.context import Context, Subparsers
from comfydesk.errors import KnownError, UsageError

if TYPE_CHECKING:
    from comfydesk.credentials import Secret
    from comfydesk.hosts.protocol import HostPod
    from comfydesk.session.pods.profiles import AuthSettings, Place, PodProfile, SshSettings
    from comfydesk.session.pods.roster import Roster

V = TypeVar("V", "PodProfile", "Place", "AuthSettings", "SshSettings")
AUTH = ("none", "basic", "bearer", "api-key", "headers", "cookie", "query")
KINDS = ("comfy", "runpod-serverless")
"""Those that nothing pasted gives away: an engine's address looks like a pod's."""
SECRETS = ("secret", "ssh-password", "ssh-passphrase", "llm", "api-key")

EXAMPLES = """examples:
  comfydesk pods add https://abc123xyz-8188.proxy.runpod.net --name atlas --default
  comfydesk pods add "ssh root@203.0.113.7 -p 22 -i ~/.ssh/key" --name rig
  pass show comfyui | comfydesk pods edit atlas --auth bearer --stdin secret
  comfydesk pods list --status

Secrets are read from stdin or a variable, never from an argument, and kept in the system's keyring."""


def register(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser(
        "pods",
        help="your pods: profiles, start, stop",
        description="Keep the profiles of your pods, and start and stop those that are rented.",
        epilog=EXAMPLES,
    )
    parser.set_defaults(run=run, work=_list, status=False, account=None)
    actions = parser.add_subparsers(metavar="ACTION", parser_class=type(parser))
    found = actions.add_parser("list", help="all profiles (the default action)")
    found.add_argument("--status", action="store_true", help="ask the providers: state, GPU, cost")
    found.add_argument("--account", choices=("runpod", "vast"), help="list the account's pods instead of the profiles")
    found.set_defaults(run=run, work=_list)
    add = actions.add_parser(
        "add", help="add a profile", description="Add a profile; what TEXT tells is filled in.", epilog=EXAMPLES
    )
    add.add_argument(
        "paste",
        metavar="TEXT|-",
        nargs="?",
        default="",
        help="an address, a provider's URL or an ssh line; \"-\": its first line on stdin; with --kind an engine's "
        "address or id",
    )
    add.add_argument(
        "--kind",
        choices=KINDS,
        help="an engine that scales by itself: Comfy Cloud (or TEXT, a deployment's address), "
        "or the RunPod Serverless endpoint whose id TEXT is",
    )
    add.set_defaults(run=run, work=_add)
    edit = actions.add_parser("edit", help="change a profile; what is not named stays")
    edit.set_defaults(run=run, work=_edit)
    for changing in (add, edit):
        _options(changing)
    for name, work, words in (
        ("remove", _remove, "forget a profile and its secrets"),
        ("start", _start, "start a rented pod"),
        ("stop", _stop, "stop a rented pod; its disk stays"),
    ):
        action = actions.add_parser(name, help=words)
        action.add_argument("name", metavar="NAME", help="of the profile, or its id")
        action.set_defaults(run=run, work=work)
    edit.add_argument("name", metavar="NAME", help="of the profile, or its id")
    start = actions.choices["start"]
    start.add_argument("--wait", action="store_true", help="until it runs")


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--name", dest="new_name", metavar="NAME", help="what you call it")
    parser.add_argument("--colour", metavar="#RRGGBB")
    parser.add_argument("--url", metavar="URL", help="where ComfyUI answers, without a password")
    parser.add_argument("--nodes-of", metavar="POD", help="whose list of nodes the forms use, where it has none")
    parser.add_argument("--port", type=int, help="ComfyUI's port on the pod (rented pods and SSH)")
    parser.add_argument("--tunnel", action=argparse.BooleanOptionalAction, default=None, help="go through its SSH")
    parser.add_argument("--tls", action=argparse.BooleanOptionalAction, default=None, help="its port speaks TLS (Vast)")
    parser.add_argument("--auth", choices=AUTH, help="how it knows you")
    parser.add_argument("--user", help="for --auth basic")
    parser.add_argument("--auth-name", metavar="NAME", help="the header of api-key, the parameter of query")
    parser.add_argument("--header", action="append", metavar="NAME", help="for --auth headers; may be given again")
    parser.add_argument("--certificate", metavar="SHA256", help='the one certificate to trust; "" for the system\'s')
    parser.add_argument("--llm-url", metavar="URL", help="an LLM endpoint near the pod")
    parser.add_argument("--output-folder", metavar="DIR", help="where its results go")
    parser.add_argument("--idle-minutes", type=int, metavar="N", help="stop it after so long without work; 0: never")
    parser.add_argument("--ssh-key", metavar="FILE")
    parser.add_argument("--host-key", metavar="KEY", help='the SSH host key to trust, such as "ssh-ed25519 SHA256:…"')
    parser.add_argument("--local-port", type=int, metavar="N", help="of the tunnel's end here; 0: any")
    parser.add_argument("--default", action="store_true", help="use it where no pod is named")
    parser.add_argument("--stdin", choices=SECRETS, help="read this secret from stdin and keep it in the keyring")
    parser.add_argument(
        "--env",
        action="append",
        default=[],
        metavar="SECRET=VARIABLE",
        help=f"keep what this variable holds in the keyring; SECRET: {', '.join(SECRETS)}",
    )


def run(args: argparse.Namespace, context: Context) -> int:
    """0, or the exit code of the KnownError that the action raises."""
    work: Callable[[argparse.Namespace, Context, Roster], Awaitable[int]] = args.work

    async def go() -> int:
        from comfydesk.cli.pods import roster_of

        roster = roster_of(context)
        book = await roster.load()
        if book.problem:
            context.note(f"comfydesk: {book.problem}")
        return await work(args, context, roster)

    return asyncio.run(go())


async def _list(args: argparse.Namespace, context: Context, roster: "Roster") -> int:
    if args.account:
        return await _list_account(args.account, context, roster)
    code = 0
    documents = []
    for profile in roster.book.profiles:
        pod: HostPod | None = None
        if args.status and profile.place.kind.rented:
            try:
                pod = await _ask(profile, roster, lambda host, pod_id: host.status(pod_id))
            except KnownError as error:
                context.note(f"comfydesk: {profile.name}: {error}")
                code = error.exit_code
        documents.append(document(profile, roster, pod))
    if context.json:
        context.emit_json({"pods": documents})
    else:
        for entry in documents:
            context.emit(_line(entry))
    return code


async def _list_account(kind: str, context: Context, roster: "Roster") -> int:
    from comfydesk.credentials import Secret
    from comfydesk.session.pods.profiles import PlaceKind

    place = PlaceKind(kind)
    key = os.environ.get(f"{kind.upper()}_API_KEY")
    pods = await roster.account_pods(place, Secret(key) if key else None, keep=False)
    if context.json:
        context.emit_json({"pods": [{"id": pod.id, "name": pod.name, **_rent(pod)} for pod in pods]})
        return 0
    for pod in pods:
        rent = _rent(pod)
        context.emit(_joined(pod.id, pod.name, rent["state"], rent["gpu"], _price(rent["cost_per_hour"])))
    return 0


async def _add(args: argparse.Namespace, context: Context, roster: "Roster") -> int:
    from comfydesk.session.pods.paste import suggest_engine

    if args.paste == "-" and args.stdin:
        raise UsageError("Only one thing can come from stdin", "", f"Give {args.stdin} with --env")
    text = await asyncio.to_thread(_first_line) if args.paste == "-" else args.paste
    if not text.strip() and args.kind != "comfy":
        raise UsageError("It is not said where the pod is", "", "Give its address, its ssh line or the endpoint's id")
    suggestion = suggest_engine(args.kind, text, roster.book) if args.kind else roster.suggest(text)
    if suggestion.profile is None:
        raise UsageError(suggestion.recognised, "", " ".join(suggestion.notes))
    if suggestion.secrets and args.paste != "-":
        # Every program on this computer can read a command line.
        raise UsageError(
            "There is a password or token in that text, and everybody can read a command line",
            "",
            'Give "-" and the text on stdin',
        )
    code = await _keep(suggestion.profile, dict(suggestion.secrets), args, context, roster, roster.add)
    for note in (suggestion.recognised, *suggestion.notes):
        context.note(note)
    return code


async def _edit(args: argparse.Namespace, context: Context, roster: "Roster") -> int:
    return await _keep(roster.book.get(args.name), {}, args, context, roster, roster.edit)


async def _keep(
    profile: "PodProfile",
    secrets: "dict[str, Secret]",
    args: argparse.Namespace,
    context: Context,
    roster: "Roster",
    store: "Callable[..., Awaitable[PodProfile]]",
) -> int:
    from comfydesk.cli import secrets as given
    from comfydesk.session.pods.profile_checks import warnings

    changed = with_options(profile, args, roster)
    for text in args.env:
        kind, value = given.of_variable(text, os.environ)
        secrets |= given.items(changed, kind, value)
    if args.stdin:
        kind = given.Kind(args.stdin)
        secrets |= given.items(changed, kind, await asyncio.to_thread(given.read_stdin, kind))
    stored = await store(changed, secrets)
    if args.default:
        await roster.set_default(stored.id)
    note = await roster.keyring_note() if secrets else ""
    for line in (*warnings(stored), note):
        if line:
            context.note(f"comfydesk: {line}")
    if note:
        context.note("comfydesk: give them in the environment at each call: COMFYDESK_SECRET and others, see docs")
    if context.json:
        context.emit_json(document(stored, roster, None))
    else:
        context.emit(_line(document(stored, roster, None)))
    return 0


async def _remove(args: argparse.Namespace, context: Context, roster: "Roster") -> int:
    profile = roster.book.get(args.name)
    await roster.remove(profile.id)
    if context.json:
        context.emit_json({"removed": profile.id})
    return 0


async def _start(args: argparse.Namespace, context: Context, roster: "Roster") -> int:
    from comfydesk.hosts.protocol import Host, wait_until_running

    async def start(host: Host, pod_id: str) -> "HostPod":
        pod = await host.start(pod_id)
        if not args.wait:
            return pod
        return await wait_until_running(host, pod_id, on_state=lambda seen: context.note(f"{seen.title}: {seen.state}"))

    return await _act(args, context, roster, start)


async def _stop(args: argparse.Namespace, context: Context, roster: "Roster") -> int:
    return await _act(args, context, roster, lambda host, pod_id: host.stop(pod_id))


async def _act(args: argparse.Namespace, context: Context, roster: "Roster", act: Any) -> int:
    profile = roster.book.get(args.name)
    entry = document(profile, roster, await _ask(profile, roster, act))
    if context.json:
        context.emit_json(entry)
    else:
        context.emit(_line(entry))
    return 0


async def _ask(profile: "PodProfile", roster: "Roster", ask: "Callable[[Any, str], Awaitable[HostPod]]") -> "HostPod":
    """What the pod's provider answers. Raises MissingSecretError, UsageError, the provider's errors."""
    from comfydesk.cli.pods import lend

    lend(roster, profile)
    async with roster.account(profile) as host:
        return await ask(host, profile.place.pod)


def with_options(profile: "PodProfile", args: argparse.Namespace, roster: "Roster") -> "PodProfile":
    """`profile` with what the command line says. Raises UsageError."""
    from comfydesk.session.pods.profiles import SshSettings
    from comfydesk.session.values import DEMO

    lender = args.nodes_of
    if lender and lender != DEMO:
        lender = roster.book.get(lender).id
    place = _changed(profile.place, url=args.url, port=args.port, tunnel=args.tunnel, tls=args.tls, nodes_of=lender)
    ssh = profile.ssh
    wanted = {"key_file": args.ssh_key, "host_key": args.host_key, "local_port": args.local_port}
    if ssh is None and (place.tunnel or any(value is not None for value in wanted.values())):
        ssh = SshSettings()
    minutes = profile.idle_minutes if args.idle_minutes is None else args.idle_minutes or None
    return _changed(
        replace(profile, place=place, auth=_auth(profile, args), idle_minutes=minutes),
        ssh=None if ssh is None else _changed(ssh, **wanted),
        name=args.new_name,
        colour=args.colour,
        certificate=args.certificate,
        llm_url=args.llm_url,
        output_folder=args.output_folder,
    )


def _auth(profile: "PodProfile", args: argparse.Namespace) -> "AuthSettings":
    from comfydesk.session.pods.profiles import AuthKind, AuthSettings

    auth = profile.auth if args.auth in (None, profile.auth.kind) else AuthSettings(AuthKind(args.auth))
    if auth.kind is AuthKind.QUERY and not auth.name:
        auth = replace(auth, name="token")
    headers = None if args.header is None else tuple(args.header)
    return _changed(auth, user=args.user, name=args.auth_name, headers=headers)


def _changed(value: V, **options: Any) -> V:
    return replace(value, **{name: option for name, option in options.items() if option is not None})


def document(profile: "PodProfile", roster: "Roster", pod: "HostPod | None") -> dict[str, Any]:
    """A profile as `pods list --json` shows it: no secrets."""
    place, ssh = profile.place, profile.ssh
    entry: dict[str, Any] = {
        "id": profile.id,
        "name": profile.name,
        "kind": str(place.kind),
        "url": place.url or None,
        "pod": place.pod or None,
        "ssh": f"{ssh.user}@{ssh.host}:{ssh.port}" if ssh and ssh.host else None,
        "tunnel": profile.through_ssh,
        "auth": str(profile.auth.kind),
        "idle_minutes": profile.idle_minutes,
        "default": roster.default == profile,
    }
    return entry | (_rent(pod) if pod is not None else {})


def _rent(pod: "HostPod") -> dict[str, Any]:
    gpu = f"{pod.gpu_count} x {pod.gpu}" if (pod.gpu_count or 1) > 1 else pod.gpu
    return {
        "state": str(pod.state),
        "gpu": gpu or None,
        "cost_per_hour": pod.cost_per_hour,
        "uptime": pod.uptime,
        "charged": pod.charged,
    }


def _line(entry: dict[str, Any]) -> str:
    where = entry["url"] or entry["ssh"] or entry["pod"]
    auth = "" if entry["auth"] == "none" else entry["auth"]
    default = "default" if entry["default"] else ""
    rent = (entry.get("state"), entry.get("gpu"), _price(entry.get("cost_per_hour")))
    return _joined(entry["name"], entry["kind"], where, auth, *rent, default)


def _joined(*parts: str | None) -> str:
    return "  ".join(part for part in parts if part)


def _price(dollars: float | None) -> str:
    return "" if dollars is None else f"${dollars:.2f}/h"


def _first_line() -> str:
    import sys

    return sys.stdin.readline()
