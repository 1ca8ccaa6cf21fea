"""Keeping workflows: saving them on a pod or here, renaming, duplicating, and deleting with a way back."""

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from comfydesk.client.files import inside, safe_relative_path
from comfydesk.disk import write_whole
from comfydesk.errors import KnownError, PodError, PodStatusError, UsageError
from comfydesk.session.pods.links import Link, Links
from comfydesk.session.shelves.remote import rest_of
from comfydesk.session.shelves.saving import Filled, fill_in, is_still
from comfydesk.session.shelves.shelves import MINE, Shelves
from comfydesk.session.values import OpenWorkflow, WorkflowEntry
from comfydesk.workflow.catalog import Catalog

WORKFLOWS = "workflows"


class ConflictError(KnownError):
    """Somebody else changed the workflow on the pod meanwhile, or has one of that name; nothing was written."""


@dataclass(frozen=True, slots=True)
class Deleted:
    """What `undo` needs to bring it back."""

    entry: WorkflowEntry
    data: bytes


class Keeper:
    """Works on workflows that are the user's: on a pod, or in a folder of this computer. Others raise UsageError."""

    def __init__(self, shelves: Shelves, links: Links) -> None:
        self._shelves, self._links = shelves, links

    def can_change(self, entry: WorkflowEntry) -> bool:
        """Whether it may be renamed and deleted: it is the user's, and its pod is there."""
        if entry.source.startswith("pod:"):
            link = self._links.get(entry.source.removeprefix("pod:"))
            return link is not None and link.online
        return entry.source == MINE or entry.source.startswith("folder:")

    async def filled(self, workflow: OpenWorkflow, values: Mapping[str, Any], catalog: Catalog | None) -> Filled:
        """What to save of an open workflow, with the form's values (field id → value) in it."""
        return await asyncio.to_thread(fill_in, workflow, values, catalog)

    async def save(self, pod: str | None, name: str, document: Mapping[str, Any], *, overwrite: bool = False) -> str:
        """Write `document` under `name` ("portraits/film") on the pod, None: on this computer; the workflow's id.

        ConflictError if one of that name is there, and is not to be replaced (`overwrite`).
        """
        place = _place(name)
        data = _bytes_of(document)
        if pod is None:
            path = inside(self._shelves.folder, safe_relative_path(*_split(place)))
            await asyncio.to_thread(_write, path, data, overwrite=overwrite)
            await self._shelves.catalogue.read(MINE, self._shelves.folder, MINE)
            return f"{MINE}/{place}"
        link = self._link(pod)
        await self._put(link, place, data, overwrite=overwrite)
        return f"pod:{pod}/{place}"

    async def save_over(
        self, entry: WorkflowEntry, document: Mapping[str, Any], opened: Mapping[str, Any] | None
    ) -> str:
        """Write `document` in the place of `entry`, which is the user's (see `can_change`); its id.

        `opened` is what it held when it was opened: ConflictError, and nothing is written, if it holds something else
        by now. None: whatever it holds. (The server knows no conditions: a change in between the look and the writing
        is not seen.)
        """
        data = _bytes_of(document)
        if not entry.source.startswith("pod:"):
            path = self._file(entry)
            await asyncio.to_thread(_write_over, path, data, opened)
            await self._read_again(entry)
            return entry.id
        link = self._link(entry.source.removeprefix("pod:"))
        if opened is not None:
            await self._see_unchanged(link, entry, opened)
        await self._put(link, entry.place, data, overwrite=True)
        return entry.id

    async def rename(self, entry: WorkflowEntry, name: str) -> str:
        """Give it another name in the same place; its new id. ConflictError if that name is taken."""
        folder = entry.place.rpartition("/")[0]
        place = _place(f"{folder}/{name}" if folder else name)
        if entry.source.startswith("pod:"):
            link = self._link(entry.source.removeprefix("pod:"))
            try:
                await rest_of(link).move_userdata(f"{WORKFLOWS}/{entry.place}", f"{WORKFLOWS}/{place}")
            except PodStatusError as error:
                raise _taken(place, error) from error
            await self._shelves.remote.refresh(link)
        else:
            path = self._file(entry)
            target = path.with_name(place.rpartition("/")[2])
            await asyncio.to_thread(_move, path, target)
            await self._read_again(entry)
        new = f"{entry.source}/{place}"
        await self._shelves.rename_marks(entry.id, new)
        return new

    async def duplicate(self, entry: WorkflowEntry) -> str:
        """A copy beside it, "name copy"; of what is not the user's, on the current pod or here. Its id."""
        data = await self._shelves.data(entry)
        try:
            document = json.loads(data)
        except (ValueError, RecursionError) as error:
            what = f"{entry.name} cannot be copied"
            raise KnownError(what, "It is no workflow file") from error
        pod = entry.source.removeprefix("pod:") if entry.source.startswith("pod:") else None
        stem = entry.place.removesuffix(".json") if self.can_change(entry) else entry.name.replace("/", " ")
        for number in range(1, 100):
            name = f"{stem} copy" if number == 1 else f"{stem} copy {number}"
            try:
                return await self.save(pod, name, document)
            except ConflictError:
                continue
        what = f"{entry.name} has a hundred copies already"
        raise KnownError(what)

    async def delete(self, entry: WorkflowEntry) -> Deleted:
        """Take it away, from the pod or from the folder. `undo` brings it back as long as the answer is kept."""
        data = await self._shelves.data(entry)
        if entry.source.startswith("pod:"):
            link = self._link(entry.source.removeprefix("pod:"))
            await rest_of(link).delete_userdata(f"{WORKFLOWS}/{entry.place}")
            await self._shelves.remote.refresh(link)
        else:
            path = self._file(entry)
            try:
                await asyncio.to_thread(path.unlink)
            except OSError as error:
                raise _refused(path, "deleted", error) from error
            await self._read_again(entry)
        return Deleted(entry, data)

    async def undo(self, deleted: Deleted) -> None:
        """Bring it back. ConflictError if another one has its name by now."""
        entry = deleted.entry
        if entry.source.startswith("pod:"):
            await self._put(self._link(entry.source.removeprefix("pod:")), entry.place, deleted.data, overwrite=False)
            return
        assert entry.path is not None
        await asyncio.to_thread(_write, entry.path, deleted.data, overwrite=False)
        await self._read_again(entry)

    # --- Inside -----------------------------------------------------------------------------------------------------

    async def _see_unchanged(self, link: Link, entry: WorkflowEntry, opened: Mapping[str, Any]) -> None:
        try:
            there = await rest_of(link).read_userdata(f"{WORKFLOWS}/{entry.place}")
        except PodStatusError as error:
            if error.status == 404:
                return  # somebody took it away: nothing is undone by writing it
            raise
        if not await asyncio.to_thread(is_still, there, opened):
            raise _changed(entry.name)

    async def _put(self, link: Link, place: str, data: bytes, *, overwrite: bool) -> None:
        try:
            await rest_of(link).write_userdata(f"{WORKFLOWS}/{place}", data, overwrite=overwrite)
        except PodStatusError as error:
            raise _taken(place, error) from error
        await self._shelves.remote.refresh(link)

    async def _read_again(self, entry: WorkflowEntry) -> None:
        folder = self._file(entry)
        for _ in entry.place.split("/"):
            folder = folder.parent
        await self._shelves.catalogue.read(entry.source, folder, entry.source)

    def _file(self, entry: WorkflowEntry) -> Path:
        if entry.path is None or not self.can_change(entry):
            what = f"{entry.name} is not yours to change"
            raise UsageError(what, "", "Duplicate it, and change the copy")
        return entry.path

    def _link(self, pod: str) -> Link:
        link = self._links.get(pod)
        if link is None or link.shelf is None:
            raise PodError("That pod is not connected", "", "Connect to it first")
        return link


def _place(name: str) -> str:
    """A name as people type it, as a path below the workflows folder. Raises UsageError, PodError."""
    stem = re.sub(r"\.json$", "", name.strip(), flags=re.IGNORECASE)
    if not stem or stem.startswith("/") or any(part in ("", ".", "..") for part in stem.split("/")):
        raise UsageError("That is no name for a workflow", "", "Use letters and digits")
    return str(safe_relative_path(*_split(f"{stem}.json")))


def _split(place: str) -> tuple[str, str]:
    folder, _, file = place.rpartition("/")
    return folder, file


def _taken(place: str, error: PodStatusError) -> KnownError:
    if error.status != 409:
        return error
    what = f"There is another workflow called {place}"
    return ConflictError(what, "", "Choose another name")


def _refused(path: Path, done: str, error: OSError) -> KnownError:
    what = f"{path.name} cannot be {done}"
    return KnownError(what, error.strerror or str(error))


def _bytes_of(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False, indent=1).encode("utf-8", "surrogatepass")


def _changed(name: str) -> ConflictError:
    what = f"{name} was changed since it was opened"
    return ConflictError(what, "Saving would undo that", "Save it under another name, or open it anew")


def _write_over(path: Path, data: bytes, opened: Mapping[str, Any] | None) -> None:
    if opened is not None:
        try:
            if not is_still(path.read_bytes(), opened):
                raise _changed(path.stem)
        except FileNotFoundError:
            pass  # it is gone: nothing is undone
        except OSError as error:
            raise _refused(path, "read", error) from error
    _write(path, data, overwrite=True)


def _write(path: Path, data: bytes, *, overwrite: bool) -> None:
    if path.exists() and not overwrite:
        what = f"There is another workflow called {path.name}"
        raise ConflictError(what, "", "Choose another name")
    write_whole(path, data)


def _move(path: Path, target: Path) -> None:
    if target.exists():
        what = f"There is another workflow called {target.name}"
        raise ConflictError(what, "", "Choose another name")
    try:
        path.rename(target)
    except OSError as error:
        raise _refused(path, "renamed", error) from error
