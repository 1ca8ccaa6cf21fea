"""No secret of a whole run is in anything that the program wrote, said or showed; and a hostile pod gets none."""

import base64
import contextlib
import gzip
import logging
import os
import subprocess
import sys
import traceback
import zlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest
from aiohttp import web

from comfydesk.client.link import LinkState
from comfydesk.credentials import Secret, auth_item, header_item, llm_item
from comfydesk.demo.faults import Auth, Basic, Bearer, Header, QueryToken, Redirect, Status
from comfydesk.demo.server import DemoPod
from comfydesk.errors import KnownError
from comfydesk.paths import Paths
from comfydesk.session.pods.profiles import AuthKind, AuthSettings
from comfydesk.session.session import Session
from comfydesk.store.records import JobState
from tests.pod.session.graphs import as_json, flat
from tests.pod.session.test_session_pods import lan, opened, rented, until
from tests.unit.hosts.fake_apis import KEY

WRONG = "wr0ng-s3cret-0f-a-try"
LLM = "llm-k3y-0f-the-pod"
ID, SECRET = "cf-cl13nt-1d-value", "cf-cl13nt-s3cret-value"

KINDS: dict[str, tuple[AuthSettings, dict[str, str], Auth]] = {
    "basic": (AuthSettings(AuthKind.BASIC, user="me"), {"": "b4sic p@ss/word"}, Basic("me", "b4sic p@ss/word")),
    "bearer": (AuthSettings(AuthKind.BEARER), {"": "b34rer-t0ken-x"}, Bearer("b34rer-t0ken-x")),
    "api-key": (AuthSettings(AuthKind.API_KEY, name="X-Api-Key"), {"": "ap1-k3y-x"}, Header("X-Api-Key", "ap1-k3y-x")),
    "headers": (
        AuthSettings(AuthKind.HEADERS, headers=("CF-Access-Client-Id", "CF-Access-Client-Secret")),
        {"CF-Access-Client-Id": ID, "CF-Access-Client-Secret": SECRET},
        Header("CF-Access-Client-Secret", SECRET),
    ),
    "cookie": (AuthSettings(AuthKind.COOKIE), {"": "session=c00kie-value"}, Header("Cookie", "session=c00kie-value")),
    "query": (AuthSettings(AuthKind.QUERY, name="token"), {"": "qu3ry+t0ken/x="}, QueryToken("qu3ry+t0ken/x=")),
}


def forms(secret: str) -> Iterator[bytes]:
    """The ways in which it could have been written down."""
    yield secret.encode()
    yield quote(secret, safe="").encode()
    yield quote(secret).encode()
    yield base64.b64encode(secret.encode()).rstrip(b"=")
    yield base64.b64encode(f"me:{secret}".encode())


def files(folder: Path) -> Iterator[tuple[Path, bytes]]:
    """Everything below, packed things unpacked, names included."""
    for path in folder.rglob("*"):
        yield path, os.fsencode(path.name)
        if not path.is_file():
            continue
        data = path.read_bytes()
        yield path, data
        if path.suffix == ".gz":
            yield path, gzip.decompress(data)
        for start in (b"\x78\x9c", b"\x78\xda", b"\x78\x01"):  # zlib, wherever it begins: documents in the library
            at = data.find(start)
            while at >= 0:
                with contextlib.suppress(zlib.error):
                    yield path, zlib.decompressobj().decompress(data[at:], 1 << 20)
                at = data.find(start, at + 1)


def found_in(folder: Path, secrets: list[str]) -> list[tuple[str, str]]:
    """(file, secret) for each that is there."""
    wanted = {form: secret for secret in secrets for form in forms(secret)}
    return [(str(path), secret) for path, data in files(folder) for form, secret in wanted.items() if form in data]


def size(path: Path) -> int:
    return path.stat().st_size


@pytest.fixture
def logged(paths: Paths) -> Iterator[Path]:
    """Everything that any library logs at its loudest, into the log folder."""
    paths.logs.mkdir(parents=True)
    handler = logging.FileHandler(paths.logs / "loud.log")
    handler.setFormatter(logging.Formatter("%(name)s %(message)s %(args)r"))
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield paths.logs / "loud.log"
    root.removeHandler(handler)
    root.setLevel(level)
    handler.close()


async def one_pod(session: Session, pod: DemoPod, kind: str, said: list[str]) -> list[str]:
    """The life of a profile of that kind of auth: a wrong try, a job, faults, an export. Returns its secrets."""
    settings, values, guarded = KINDS[kind]
    pod.script.auth = guarded
    pod.script.refusal = Status(401, "no", headers={"WWW-Authenticate": "Basic"})
    profile = replace(lan(pod.url, kind, settings), llm_url="http://127.0.0.1:9/v1")
    items = {header_item(profile.id, name) if name else auth_item(profile.id): v for name, v in values.items()}
    secrets = {item: Secret(value) for item, value in items.items()}
    wrong = {item: Secret(WRONG if kind != "cookie" else f"a={WRONG}") for item in items}
    async for step in session.profiles.test(profile, wrong):
        said += [repr(step), "".join(traceback.format_exception(step.error)) if step.error else ""]
    await session.profiles.add(profile, {**secrets, llm_item(profile.id): Secret(LLM)})
    await session.connect(profile.name)
    await session.wait_catalog(10)
    workflow = await session.open_workflow(as_json(flat(len(kind), prefix=kind)), name=f"{kind}.json")
    if kind == "query":  # what went wrong is told with its address, and that one has the token in it
        pod.script.add(Status(502, "<html>bad gateway</html>", "text/html"), path="/prompt")
    jobs = await session.queue.enqueue(workflow, {})
    (job,) = await session.queue.wait([job.id for job in jobs])
    assert job.state is JobState.DONE, job.error
    pod.script.auth = Bearer("changed meanwhile")
    await pod.hub.cut()
    state = await until(session, lambda state: state.status.state is LinkState.AUTH_FAILED)
    said += [repr(session.pods()), str(state.status.error), repr(job), repr(session.profiles.book)]
    said.append("".join(traceback.format_exception(state.status.error)))
    said.append(session.profiles.export([profile.id]))
    await session.disconnect(profile.id)
    return list(values.values())


async def test_no_file_log_or_word_of_a_whole_run_has_a_secret(paths: Paths, tmp_path: Path, logged: Path) -> None:
    secrets = [WRONG, LLM]
    said: list[str] = []
    problems: list[KnownError] = []
    async with DemoPod(folder=tmp_path / "pod", speed=50) as pod, opened(paths) as session:
        session.problems.subscribe(problems.append)
        for kind in KINDS:
            secrets += await one_pod(session, pod, kind, said)
        everything = session.profiles.export(profile.id for profile in session.profiles.book.profiles)
        (paths.data / "pods-export.toml").write_text(everything)
    said += [repr(problem) + str(problem) for problem in problems]
    (paths.data / "said.txt").write_text("\n".join(said))
    assert size(logged) > 1_000, "nothing was logged"
    assert len(list(paths.outputs.rglob("*.png"))) == len(KINDS)
    names = {path.name for path in paths.data.rglob("*")}
    assert {"pods.toml", "library.sqlite", "object_info.json"} <= names
    assert found_in(paths.data, secrets) == []


async def test_the_search_would_find_them(tmp_path: Path) -> None:
    for number, form in enumerate(forms("s3cret value")):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "a").write_bytes(b"before " + form + b" after")
        (folder / "b").write_bytes(b"row" + zlib.compress(form * 3) + b"row")
        assert len(found_in(folder, ["s3cret value"])) >= 2


async def test_an_account_key_is_in_nothing_either(paths: Paths, tmp_path: Path, logged: Path) -> None:
    async with rented(paths, tmp_path, minutes=10) as (session, api, profile, _):
        await session.rented.status(profile)
        api.fault = _refuse
        with pytest.raises(KnownError) as refused:
            await session.rented.status(profile)
        (paths.data / "said.txt").write_text(repr(session.pods()) + "".join(traceback.format_exception(refused.value)))
    assert found_in(paths.data, [KEY]) == []


async def _refuse(request: web.Request) -> web.StreamResponse:
    """A provider that quotes what it was given."""
    return web.json_response({"error": f"bad key {request.headers['Authorization']}"}, status=401)


def test_secrets_of_the_command_line_come_by_the_environment_and_stay_there(
    paths: Paths, tmp_path: Path, demo_url: str
) -> None:
    secret = "s3cret-0f-the-shell"
    environment = os.environ | {"COMFYDESK_DATA_DIR": str(paths.data), "COMFYDESK_SECRET": secret}
    graph = tmp_path / "flat.json"
    graph.write_bytes(as_json(flat(77, prefix="shell")))
    for arguments in (
        ["pods", "add", demo_url, "--name", "shell", "--auth", "bearer", "--env", "secret=COMFYDESK_SECRET"],
        ["probe", "--pod", "shell"],
        ["generate", str(graph), "--pod", "shell"],
        ["pods", "list", "--json"],
    ):
        done = subprocess.run(
            [sys.executable, "-m", "comfydesk", *arguments], env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        assert secret not in done.stdout + done.stderr
    assert found_in(paths.data, [secret]) == []


# --- A hostile pod --------------------------------------------------------------------------------------------------


class Thief:
    """A server that others are redirected to; it notes whatever comes."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, dict[str, str]]] = []
        self.url = ""

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator["Thief"]:
        async def note(request: web.Request) -> web.StreamResponse:
            self.heard.append((request.path_qs, dict(request.headers)))
            return web.json_response({})

        app = web.Application()
        app.router.add_route("*", "/{path:.*}", note)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = "http://{}:{}".format(*runner.addresses[0][:2])
        try:
            yield self
        finally:
            await runner.cleanup()


@pytest.mark.parametrize("kind", KINDS)
async def test_a_hostile_redirect_receives_nothing(paths: Paths, tmp_path: Path, kind: str) -> None:
    settings, values, _ = KINDS[kind]
    async with Thief().open() as thief, DemoPod(folder=tmp_path / "pod") as pod, opened(paths) as session:
        pod.script.add(Redirect(f"{thief.url}/steal", 307), times=None)
        profile = lan(pod.url, auth=settings)
        items = {header_item(profile.id, name) if name else auth_item(profile.id): v for name, v in values.items()}
        secrets = {item: Secret(value) for item, value in items.items()}
        steps = [step async for step in session.profiles.test(profile, secrets)]
        assert not steps[-1].ok
        assert "redirect" in steps[-1].detail
        await session.profiles.add(profile, secrets)
        state = await session.connect("studio")
        state = await until(session, lambda state: state.status.error is not None)
        assert "redirect" in state.status.detail
        with pytest.raises(KnownError):
            await session.refresh_stats(state.id)
        assert thief.heard == []


async def test_a_provider_that_redirects_gets_no_key_out(paths: Paths, tmp_path: Path) -> None:
    async with Thief().open() as thief, rented(paths, tmp_path) as (session, api, profile, _):

        async def away(_: web.Request) -> web.StreamResponse:
            return web.Response(status=307, headers={"Location": f"{thief.url}/steal"})

        api.fault = away
        with pytest.raises(KnownError):
            await session.rented.status(profile)
        assert thief.heard == []
