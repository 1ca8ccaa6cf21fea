"""Model files of pods: what is there, and fetching what is missing by whichever way the pod allows."""

import asyncio
import contextlib
import hashlib
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from comfydesk.disk import write_whole
from comfydesk.errors import PodError, PodStatusError, StoreError, UsageError
from comfydesk.session.pods.links import Link, Links
from comfydesk.session.shelves.remote import rest_of
from comfydesk.workflow.needs import MissingModel

ROOT = "models"
"""Below ComfyUI's own folder, for commands where the pod does not say more."""
MANAGER_PATIENCE = 6 * 3600.0
POLL = 2.0


class Way(StrEnum):
    """How a model can come to a pod."""

    SSH = "ssh"
    MANAGER = "manager"
    COMMAND = "command"
    """By hand: the command is shown."""
    NONE = "none"
    """Nobody says where it can be had."""


@dataclass(frozen=True, slots=True)
class PodModel:
    """A file in a model folder of a pod."""

    folder: str
    name: str
    """As the pod spells it, with its sub-folders."""
    size: int | None = None
    place: int = 0
    """Which of the folder's paths it is in."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What can be done about one missing model."""

    way: Way
    host: str = ""
    """Where it would come from, to be shown before anything is fetched."""
    command: str = ""
    """For a terminal on the pod."""


class PodModels:
    """Methods take a pod's id; PodError if it is not connected."""

    def __init__(self, links: Links, cache: Path) -> None:
        self._links, self._cache = links, cache
        self._places = asyncio.Semaphore(4)

    async def listing(self, pod: str) -> tuple[PodModel, ...]:
        """All model files of the pod, folder by folder, with sizes where it tells them. Not cheap for the pod."""
        rest = rest_of(self._link(pod))
        folders = await rest.models()
        names = [name for name in folders if isinstance(name, str)] if isinstance(folders, list) else []

        async def one(folder: str) -> list[PodModel]:
            async with self._places:
                try:
                    return [
                        model for entry in _list(await rest.model_files(folder)) if (model := _model(folder, entry))
                    ]
                except PodStatusError:
                    plain = _list(await rest.models_in(folder))
                    return [PodModel(folder, name) for name in plain if isinstance(name, str)]

        found = await asyncio.gather(*(one(name) for name in names if name not in ("custom_nodes", "configs")))
        return tuple(model for models in found for model in models)

    async def names(self, pod: str, folder: str) -> tuple[str, ...]:
        """The files of one folder, in the pod's spelling. Raises PodError."""
        async with self._places:
            found = _list(await rest_of(self._link(pod)).models_in(folder))
        return tuple(name for name in found if isinstance(name, str))

    async def preview(self, pod: str, model: PodModel) -> Path | None:
        """A file with the picture beside a model; None if there is none."""
        key = hashlib.sha256(f"{pod}/{model.folder}/{model.place}/{model.name}".encode("utf-8", "replace")).hexdigest()
        path = self._cache / f"{key[:32]}.webp"
        if await asyncio.to_thread(path.is_file):
            return path
        async with self._places:
            try:
                data = await rest_of(self._link(pod)).model_preview(model.folder, model.place, model.name)
            except PodError:
                return None
        return path if await asyncio.to_thread(_write, path, data) else None

    # --- What is missing --------------------------------------------------------------------------------------------

    async def offers(self, pod: str, missing: tuple[MissingModel, ...]) -> dict[str, Offer]:
        """What can be done about each, by its name. Asks the pod what it allows."""
        link = self._link(pod)
        folders = await self._folders(link)
        manager = await _has_manager(link)
        return {model.name: self._offer(link, model, folders, manager=manager) for model in missing}

    async def fetch(
        self,
        pod: str,
        model: MissingModel,
        on_progress: Callable[[int, int | None], None] = lambda _there, _total: None,
    ) -> None:
        """Have the pod fetch it, by the way that `offers` names.

        `on_progress` is told the bytes that are there, and how many there will be where that is known.

        Afterwards the pod's list of models is read again. Cancelling stops the download; what is there is resumed the
        next time. Raises PodError, UsageError for values that no honest workflow has.
        """
        link = self._link(pod)
        folders = await self._folders(link)
        way = self._offer(link, model, folders, manager=await _has_manager(link)).way
        if way is Way.SSH:
            await self._over_ssh(link, model, folders, on_progress)
        elif way is Way.MANAGER:
            await _by_manager(link, model)
        else:
            what = f"{model.name} cannot be fetched from here"
            raise PodError(what, "", "Run the command that is shown on the pod")
        await self.read_again(pod)

    async def read_again(self, pod: str) -> None:
        """The pod's list of nodes and models, as it is now. Raises PodError."""
        link = self._link(pod)
        await link.refresh()
        self._links.describe(link.target)

    def _offer(self, link: Link, model: MissingModel, folders: dict[str, str], *, manager: bool) -> Offer:
        try:
            parts = urlsplit(model.url)
            host = parts.hostname or ""
        except ValueError:  # the workflow's author may have written anything
            return Offer(Way.NONE)
        if not host or parts.scheme not in ("http", "https"):
            return Offer(Way.NONE)
        command = _command(model, folders.get(model.directory) or f"{ROOT}/{model.directory}")
        if _tunnel(link) is not None and model.directory in folders:
            return Offer(Way.SSH, host, command)
        return Offer(Way.MANAGER if manager else Way.COMMAND, host, command)

    async def _over_ssh(
        self, link: Link, model: MissingModel, folders: dict[str, str], on_progress: Callable[[int, int | None], None]
    ) -> None:
        from comfydesk.hosts.model_download import ModelDownload, download, size_of

        wanted = ModelDownload(model.url, folders[model.directory], model.name.replace("\\", "/"), model.sha256)
        total: int | None = None

        async def ask() -> None:
            nonlocal total
            total = await size_of(_tunnel(link), wanted)

        asking = asyncio.create_task(ask())
        try:
            await download(_tunnel(link), wanted, on_progress=lambda there: on_progress(there, total), poll=POLL)
        finally:
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)

    async def _folders(self, link: Link) -> dict[str, str]:
        """Model folder → its first absolute path on the pod; empty where that is not told."""
        with contextlib.suppress(PodError):
            told = await rest_of(link).folder_paths()
            if isinstance(told, dict):
                return {
                    name: paths[0]
                    for name, paths in told.items()
                    if isinstance(name, str) and isinstance(paths, list) and paths and isinstance(paths[0], str)
                }
        return {}

    def _link(self, pod: str) -> Link:
        link = self._links.get(pod)
        if link is None:
            raise PodError("That pod is not connected", "", "Connect to it first")
        return link


def _tunnel(link: Link) -> Any:
    """The shell on the pod, if the way to it is a tunnel."""
    return cast("Any", getattr(link.target.route, "tunnel", None))


async def _has_manager(link: Link) -> bool:
    """Its version is plain text."""
    try:
        answer = await rest_of(link).raw("/v2/manager/version")
    except PodError:
        return False
    return answer.status == 200 and not answer.is_html


async def _by_manager(link: Link, model: MissingModel) -> None:
    """ComfyUI-Manager says yes to everything, and does it or not: what counts is whether the file is there."""
    rest = rest_of(link)
    name = model.name.replace("\\", "/").rpartition("/")[2]
    job = hashlib.sha256(model.url.encode()).hexdigest()[:16]
    body = {
        "client_id": "comfydesk",
        "ui_id": job,
        "name": name,
        "type": model.directory,
        "base": "",
        "save_path": model.directory,
        "url": model.url,
        "filename": name,
    }
    await rest.manager("queue/install_model", body)
    await rest.manager("queue/start", {})
    async with asyncio.timeout(MANAGER_PATIENCE):
        while True:
            await asyncio.sleep(POLL)
            status = await rest.manager("queue/status")
            if not isinstance(status, dict) or not status.get("is_processing"):
                break
    there = await rest.models_in(model.directory)
    if not any(isinstance(each, str) and each.rpartition("/")[2] == name for each in _list(there)):
        what = f"ComfyUI-Manager did not install {name}"
        raise PodError(what, "Its security level may forbid it", "Run the command that is shown on the pod")


def _command(model: MissingModel, folder: str) -> str:
    """What fetches it, for a terminal on the pod. Only quoted values of the workflow are in it."""
    target = f"{folder.rstrip('/')}/{model.name.replace(chr(92), '/').lstrip('/')}"
    if ".." in target.split("/") or any(not char.isprintable() for char in target + model.url):
        raise UsageError("That model has a name that no honest workflow has")
    return (
        f"curl --fail --location --continue-at - --create-dirs --output {shlex.quote(target)} {shlex.quote(model.url)}"
    )


def _model(folder: str, entry: Any) -> PodModel | None:
    if isinstance(entry, str):
        return PodModel(folder, entry)
    name = entry.get("name") if isinstance(entry, dict) else None
    if not isinstance(name, str):
        return None
    size, place = entry.get("size"), entry.get("pathIndex")
    known = size if isinstance(size, int) and size > 0 else None
    return PodModel(folder, name, known, place if isinstance(place, int) else 0)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _write(path: Path, data: bytes) -> bool:
    if not data:
        return False
    try:
        write_whole(path, data, durable=False)
    except StoreError:
        return False
    return True
