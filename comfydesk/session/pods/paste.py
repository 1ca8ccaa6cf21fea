"""What people paste to add a pod: an address, a provider's URL, an ssh line, a curl command. PURE.

`suggest_from_paste` makes a profile of it to show and correct. Passwords and tokens in it are moved into `secrets`, to
be kept in the keyring: they are in no field of the profile, and in no sentence.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import unquote, urlsplit

from comfydesk.client.address import Address
from comfydesk.client.address import AuthKind as SentAs
from comfydesk.credentials import Secret, api_key_item, auth_item, header_item
from comfydesk.errors import UsageError
from comfydesk.hosts.protocol import COMFYUI_PORT
from comfydesk.hosts.ssh_line import SshLine, parse_ssh_line
from comfydesk.session.pods.places import COMFY_CLOUD
from comfydesk.session.pods.profile_checks import normalised, problems
from comfydesk.session.pods.profile_file import ProfileBook
from comfydesk.session.pods.profiles import AuthKind, AuthSettings, Place, PlaceKind, PodProfile, SshSettings, new_id

MAX_PASTE = 20_000
JUPYTER_PORT = 8888
_RUNPOD_PROXY = re.compile(r"([a-z0-9][a-z0-9-]*)-([0-9]{1,5})\.proxy\.runpod\.net\Z")
_RUNPOD_CONSOLE = re.compile(r"(?:www\.|console\.)?runpod\.io\Z")
_RUNPOD_ID = re.compile(r"(?:[?&]id=|/pods?/)([a-z0-9]{8,20})(?:[/?&#]|\Z)")
_ENDPOINT = re.compile(r"(?:api\.runpod\.ai/v2/|/serverless/(?:user/endpoint/)?)([a-z0-9-]{6,63})")
_URL = re.compile(r"(?i)\b(?:https?|wss?)://[^\s\"'<>`\\]+")
_BARE = re.compile(r"(?:[^\s/@:]+:[^\s/@]*@)?[A-Za-z0-9\[][A-Za-z0-9.:_\[\]-]*(?:/\S*)?\Z")
_HEADER = re.compile(r"(?im)([A-Za-z][A-Za-z0-9-]{1,60}):[ \t]*([^\s\"'\\][^\n\"'\\]*)")
_SECRET_HEADERS = re.compile(r"(?i)authorization|x-api-key|cookie|cf-access-client-(id|secret)\Z")
_QUICK_TUNNELS = (".trycloudflare.com", ".ngrok-free.app", ".ngrok.app", ".ngrok.io", ".gradio.live")


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A profile to look over, or the reason why there is none.

    `recognised` says in one line what the text was taken for; `secrets` are by item of the keyring.
    """

    profile: PodProfile | None
    recognised: str
    secrets: Mapping[str, Secret] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    """What the user should know, or do yet."""


@dataclass(frozen=True, slots=True)
class FirstRunChoice:
    """One of the welcome sheet's offers. `paste` is what `suggest_from_paste` would be given; None: the demo pod."""

    label: str
    detail: str
    paste: str | None
    probe: bool = False
    """Look whether it answers before it is offered."""


FIRST_RUN: tuple[FirstRunChoice, ...] = (
    FirstRunChoice("ComfyUI on this computer", f"127.0.0.1:{COMFYUI_PORT}", f"127.0.0.1:{COMFYUI_PORT}", probe=True),
    FirstRunChoice("The demo pod", "Built in: draws simple pictures, needs no GPU", None),
)

_HOW = (
    "Paste the address of its ComfyUI page, such as https://abc123-8188.proxy.runpod.net or 192.168.1.20:8188, "
    "or the ssh line that your provider shows"
)
_SHELL_ONLY = (
    "Under Connect at RunPod, take the line of SSH over exposed TCP. If there is none, add 22 as a TCP port under "
    "Edit pod; or paste the address of port 8188 instead"
)
_NONSENSE = Suggestion(None, "No address of a pod was found in that text", notes=(_HOW,))


def suggest_from_paste(text: str, book: ProfileBook | None = None) -> Suggestion:
    """A profile out of `text`, with a name and a colour that `book` has not used. Never raises."""
    book = book or ProfileBook()
    text = text.strip()
    if not text or len(text) > MAX_PASTE:
        return _NONSENSE
    kind = _engine_in(_find_url(text))
    if kind is not None:
        return suggest_engine(kind, text, book)
    line = next(filter(None, map(parse_ssh_line, text.splitlines())), None)
    found = _from_ssh(line) if line is not None else _from_address(text)
    if found.profile is None:
        return found
    named = replace(found.profile, name=book.free_name(found.profile.name), colour=book.free_colour())
    if problems(named):
        return replace(_NONSENSE, notes=tuple(problem.message for problem in problems(named)))
    return replace(found, profile=named)


def _engine_in(url: str) -> PlaceKind | None:
    """Which engine's address it is, where that shows."""
    try:
        host = (urlsplit(url).hostname or "").lower() if "://" in url else ""
    except ValueError:  # a bracket that is not closed
        host = ""
    if host == "cloud.comfy.org" or host.endswith(".run.comfy.app"):
        return PlaceKind.COMFY
    return PlaceKind.SERVERLESS if host == "api.runpod.ai" else None


def suggest_engine(kind: str, text: str, book: ProfileBook) -> Suggestion:
    """A profile for Comfy Cloud or a deployment ("comfy"; no text: the cloud), or for the RunPod Serverless endpoint
    whose id or URL `text` is. Never raises."""
    text, profile_id, auth, secrets = text.strip(), new_id(), AuthSettings(), {}
    if kind == PlaceKind.COMFY:
        place, name, recognised = Place(PlaceKind.COMFY, url=text), "Comfy Cloud", "Comfy Cloud"
        if text:
            found = _from_address(text)
            if found.profile is None:
                return found
            profile_id, auth, secrets = found.profile.id, found.profile.auth, dict(found.secrets)
            # A page of the cloud's own is no mount point; a deployment may be mounted below its host.
            url = found.profile.place.url
            place = replace(place, url=COMFY_CLOUD if url.startswith(f"{COMFY_CLOUD}/") else url)
            name = name if place.url == COMFY_CLOUD else found.profile.name
            recognised = f"Comfy API v2 at {place.url}"
    else:
        endpoint = _ENDPOINT.search(text)
        place, name = Place(PlaceKind.SERVERLESS, pod=endpoint[1] if endpoint else text), "RunPod Serverless"
        recognised = f"RunPod Serverless endpoint {place.pod}"
        _, given = _auth_in_headers(text, profile_id)
        secrets = {api_key_item(PlaceKind.SERVERLESS.account): key for key in given.values()}
    profile = PodProfile(profile_id, book.free_name(name), place, book.free_colour(), auth)
    if found_problems := problems(normalised(profile)):
        return replace(_NONSENSE, recognised=found_problems[0].message, notes=())
    return Suggestion(normalised(profile), recognised, secrets)


def _from_ssh(line: SshLine) -> Suggestion:
    if line.shell_only:
        what = "That is RunPod's SSH gateway: it gives a shell, and carries no ComfyUI"
        return Suggestion(None, what, notes=(_SHELL_ONLY,))
    provider = "Vast.ai" if line.host.endswith(".vast.ai") else ""
    port = line.remote_port or COMFYUI_PORT
    ssh = SshSettings(line.host, line.port, line.user, line.key_file)
    profile = PodProfile(new_id(), provider or line.host, Place(PlaceKind.SSH, port=port), ssh=ssh)
    notes = [_jupyter(port)] if port == JUPYTER_PORT else []
    if provider:
        notes.append("With your Vast.ai API key, ComfyDesk finds the new port after a restart, and can stop the pod")
    recognised = f"SSH to {line.user}@{line.host}, port {line.port}; ComfyUI on its port {port}"
    return Suggestion(profile, recognised, notes=tuple(notes))


def _from_address(text: str) -> Suggestion:
    url = _find_url(text)
    try:
        found = Address.parse(url) if url else None
    except UsageError as error:
        return replace(_NONSENSE, recognised=str(error))
    if found is None:
        return _NONSENSE
    profile_id = new_id()
    profile, recognised, notes = _place(found, url, profile_id)
    auth, secrets, more = _auth(found, url, text, profile_id)
    if profile is None:
        return Suggestion(None, recognised, notes=notes)
    return Suggestion(replace(profile, auth=auth), recognised, secrets, (*notes, *more))


def _find_url(text: str) -> str:
    """The first URL; or the text itself, if it is one word that can be host:port."""
    match = _URL.search(text)
    if match:
        # What closes a sentence or a Markdown link belongs to no URL.
        return match[0].rstrip(".,;:!?)]}")
    words = text.strip("<>\"'` ").split()
    is_address = len(words) == 1 and _BARE.match(words[0]) and (re.search(r"[.:]", words[0]) or words[0] == "localhost")
    return words[0] if is_address else ""


def _place(found: Address, url: str, profile_id: str) -> tuple[PodProfile | None, str, tuple[str, ...]]:
    """The profile without auth, what it was recognised as, and notes."""
    runpod = _RUNPOD_PROXY.match(found.host)
    if runpod:
        return _runpod(profile_id, runpod[1], int(runpod[2]))
    if _RUNPOD_CONSOLE.match(found.host):
        console = _RUNPOD_ID.search(url)
        if console:
            return _runpod(profile_id, console[1], COMFYUI_PORT)
        return None, "That is a page of RunPod's console, and names no pod", ("Open the pod, and paste its page",)
    if found.host.endswith("vast.ai"):
        advice = "Use the Open button of the instance and paste the address of the page that opens, or its ssh line"
        return None, "That is a page of Vast.ai's console, and no pod", (advice,)
    place = Place(PlaceKind.LAN if found.is_local else PlaceKind.URL, url=str(found))
    notes = []
    if found.host.endswith(_QUICK_TUNNELS):
        notes.append("Such a tunnel gets a new address at each start: paste the new one into this profile then")
    if found.port == JUPYTER_PORT:
        notes.append(_jupyter(found.port))
    name = _name_of(found)
    where = "on this computer or network" if found.is_local else "on the internet"
    return PodProfile(profile_id, name, place), f"ComfyUI at {found}, {where}", tuple(notes)


def _runpod(profile_id: str, pod: str, port: int) -> tuple[PodProfile | None, str, tuple[str, ...]]:
    if not 0 < port < 65536:
        return None, f"That looks like RunPod's proxy, but {port} is no port", ()
    place = Place(PlaceKind.RUNPOD, pod=pod, port=port)
    notes = [_jupyter(port)] if port == JUPYTER_PORT else []
    notes.append("With your RunPod API key, ComfyDesk shows its cost, and can start and stop it")
    return PodProfile(profile_id, f"RunPod {pod}"[:60], place), f"RunPod pod {pod}, port {port}", tuple(notes)


def _jupyter(port: int) -> str:
    return f"Port {port} is usually JupyterLab: ComfyUI's is usually {COMFYUI_PORT}"


def _name_of(found: Address) -> str:
    if found.host in ("localhost", "127.0.0.1", "::1"):
        return "This computer"
    if re.fullmatch(r"[0-9.]+|[0-9a-f:]+", found.host):
        return found.netloc[:60]
    return found.host.removeprefix("www.").split(".")[0][:60]


def _auth(
    found: Address, url: str, text: str, profile_id: str
) -> tuple[AuthSettings, dict[str, Secret], tuple[str, ...]]:
    """How the text authenticates, its secrets, and a note on where they went."""
    auth, secrets = _auth_in_url(found, url, profile_id)
    if not secrets:
        auth, secrets = _auth_in_headers(text, profile_id)
    note = "The password or token in that text goes to the keyring, not into the profile"
    return auth, secrets, (note,) if secrets else ()


def _auth_in_url(found: Address, url: str, profile_id: str) -> tuple[AuthSettings, dict[str, Secret]]:
    item = auth_item(profile_id)
    if found.auth.kind is SentAs.BASIC:
        parts = urlsplit(url if "://" in url else f"//{url}")
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        return AuthSettings(AuthKind.BASIC, user=user), {item: Secret(password)}
    if found.auth.kind is SentAs.QUERY:
        name, token = found.query[0]
        return AuthSettings(AuthKind.QUERY, name=name), {item: Secret(token)}
    return AuthSettings(), {}


def _auth_in_headers(text: str, profile_id: str) -> tuple[AuthSettings, dict[str, Secret]]:
    """Headers as `curl -H` and developer tools show them."""
    headers = {name: value.strip() for name, value in _HEADER.findall(text) if _SECRET_HEADERS.match(name)}
    if len(headers) == 1:
        ((name, value),) = headers.items()
        scheme, _, token = value.partition(" ")
        item = auth_item(profile_id)
        if name.lower() == "authorization" and scheme.lower() == "bearer" and token.strip():
            return AuthSettings(AuthKind.BEARER), {item: Secret(token.strip())}
        if name.lower() == "cookie":
            return AuthSettings(AuthKind.COOKIE), {item: Secret(value)}
        return AuthSettings(AuthKind.API_KEY, name=name), {item: Secret(value)}
    if headers:
        secrets = {header_item(profile_id, name): Secret(value) for name, value in headers.items()}
        return AuthSettings(AuthKind.HEADERS, headers=tuple(headers)), secrets
    return AuthSettings(), {}
