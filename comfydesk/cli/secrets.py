"""Secrets for the command line: from standard input, from environment variables, never from arguments.

| for | in the environment |
|---|---|
| the pod's own password, token, key or headers ("Name: value", one a line) | COMFYDESK_SECRET |
| its SSH account's password | COMFYDESK_SSH_PASSWORD |
| the passphrase of its SSH key | COMFYDESK_SSH_PASSPHRASE |
| its LLM endpoint | COMFYDESK_LLM_KEY |
| the account at its provider | RUNPOD_API_KEY, VAST_API_KEY |

They go before what the keyring has, for the pod that is named, and are stored nowhere; `pods add` and `pods edit` store
what they are told to.
"""

import getpass
import sys
from collections.abc import Mapping
from enum import StrEnum
from typing import TextIO

from comfydesk.credentials import (
    Secret,
    api_key_item,
    auth_item,
    header_item,
    llm_item,
    ssh_passphrase_item,
    ssh_password_item,
)
from comfydesk.errors import UsageError
from comfydesk.session.pods.profiles import AuthKind, PodProfile


class Kind(StrEnum):
    """What a secret is for."""

    SECRET = "secret"  # noqa: S105 (names of options, here and below)
    SSH_PASSWORD = "ssh-password"  # noqa: S105
    SSH_PASSPHRASE = "ssh-passphrase"  # noqa: S105
    LLM = "llm"
    API_KEY = "api-key"


_VARIABLES = {
    Kind.SECRET: "COMFYDESK_SECRET",
    Kind.SSH_PASSWORD: "COMFYDESK_SSH_PASSWORD",
    Kind.SSH_PASSPHRASE: "COMFYDESK_SSH_PASSPHRASE",
    Kind.LLM: "COMFYDESK_LLM_KEY",
}


def of_environment(profile: PodProfile, environment: Mapping[str, str]) -> dict[str, Secret]:
    """By item of the keyring: what the environment has for this pod. Raises UsageError."""
    found: dict[str, Secret] = {}
    names = dict(_VARIABLES)
    if profile.place.kind.account:
        names[Kind.API_KEY] = f"{profile.place.kind.account.upper()}_API_KEY"
    if profile.auth.kind is AuthKind.NONE:
        del names[Kind.SECRET]
    for kind, name in names.items():
        if environment.get(name):
            found |= items(profile, kind, environment[name])
    return found


def items(profile: PodProfile, kind: Kind, value: str) -> dict[str, Secret]:
    """A secret under the item, or items, that it belongs to. Raises UsageError, which never quotes it."""
    if kind is Kind.SECRET and profile.auth.kind is AuthKind.HEADERS:
        return _headers(profile, value)
    value = value.strip("\r\n")
    if not value:
        what = f"The {kind} that was given is empty"
        raise UsageError(what)
    if kind is Kind.API_KEY and not profile.place.kind.account:
        raise UsageError("An API key belongs to what RunPod and Vast.ai rent out only")
    if kind is Kind.SECRET and profile.auth.kind is AuthKind.NONE:
        raise UsageError("This pod asks for no secret", "", "Say what it is for with --auth")
    item = {
        Kind.SECRET: auth_item(profile.id),
        Kind.SSH_PASSWORD: ssh_password_item(profile.id),
        Kind.SSH_PASSPHRASE: ssh_passphrase_item(profile.id),
        Kind.LLM: llm_item(profile.id),
        Kind.API_KEY: api_key_item(profile.place.kind.account),
    }[kind]
    return {item: Secret(value)}


def _headers(profile: PodProfile, text: str) -> dict[str, Secret]:
    names = {name.lower(): name for name in profile.auth.headers}
    found: dict[str, Secret] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        name, colon, value = line.partition(":")
        known = names.get(name.strip().lower())
        if not colon or known is None or not value.strip():
            raise UsageError("A header was not given as its name, a colon and its value", "", "One a line")
        found[header_item(profile.id, known)] = Secret(value.strip())
    return found


def read_stdin(kind: Kind, stream: TextIO | None = None) -> str:
    """All of standard input; on a terminal, what is typed unseen."""
    stream = sys.stdin if stream is None else stream
    return getpass.getpass(f"{kind}: ") if stream.isatty() else stream.read()


def of_variable(text: str, environment: Mapping[str, str]) -> tuple[Kind, str]:
    """`KIND=VARIABLE` of the command line, looked up. Raises UsageError."""
    kind, _, name = text.partition("=")
    try:
        known = Kind(kind)
    except ValueError:
        what = f"There is no secret called {kind}"
        raise UsageError(what, "", f"There are: {', '.join(Kind)}") from None
    if not environment.get(name):
        what = f"The environment variable {name} is not set"
        raise UsageError(what, "", f"Give --env {kind}=VARIABLE with the name of one that is")
    return known, environment[name]
