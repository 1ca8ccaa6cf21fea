"""Copies of outputs for elsewhere: in a folder or a zip, under other names, as other kinds of files, without metadata.

A file appears under its name when it is whole. What is ended in the middle leaves files named `.….comfydesk-part`,
which the next export into that folder takes away.
"""

import asyncio
import contextlib
import filecmp
import os
import shutil
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path, PurePosixPath

from comfydesk.client.files import claim, claim_free, inside, numbered
from comfydesk.client.files import safe_name as safe_name
from comfydesk.disk import NO_ROOM
from comfydesk.errors import DiskFullError, KnownError, MediaError, StoreError, UsageError
from comfydesk.session.gallery import pictures
from comfydesk.session.gallery.strip import check_clean, strip
from comfydesk.store.records import Output
from comfydesk.workflow import filenames
from comfydesk.workflow.filenames import NameParts

WORKERS = 2
PART = ".comfydesk-part"
STALE_SECONDS = 3600.0
MIN_SECRET = 12
"""A prompt shorter than this may stand in any file by chance."""


@dataclass(frozen=True, slots=True)
class ExportPlan:
    """What is to be made of the outputs."""

    target: Path
    """A folder, made if need be; or the zip file to write."""
    metadata: bool = True
    """False: nothing of prompt and workflow goes along."""
    picture_format: str = ""
    """png, jpg or webp; empty: pictures stay what they are. Other media always do."""
    quality: int = 92
    template: str = "{name}"
    """See workflow.filenames. Names that are taken are numbered."""
    zipped: bool = False

    def check(self) -> None:
        """Raises UsageError for a template or a format that is none."""
        filenames.check(self.template)
        if self.picture_format and self.picture_format not in pictures.FORMATS:
            what = f"Pictures cannot be exported as {self.picture_format}"
            raise UsageError(what, "", f"There are {', '.join(pictures.FORMATS)}")


@dataclass(frozen=True, slots=True)
class ExportProgress:
    done: int
    total: int
    name: str
    """Of the file that was done last."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What came of an export."""

    files: tuple[Path, ...]
    """In the order of the outputs; of a zip the zip alone."""
    skipped: tuple[tuple[Output, KnownError], ...] = ()
    """Outputs that could not be exported, and why."""


OnProgress = Callable[[ExportProgress], None]


@dataclass(slots=True)
class _Run:
    """One export under way."""

    plan: ExportPlan
    total: int
    pods: dict[str, str]
    stop: threading.Event = field(default_factory=threading.Event)
    taken: set[str] = field(default_factory=set)
    """Places given away, in lower case: some disks tell no difference."""


async def export(
    outputs: Sequence[Output], plan: ExportPlan, pods: dict[str, str], on_progress: OnProgress | None = None
) -> Exported:
    """Write copies of `outputs`. `on_progress` is called on the loop. `pods`: names by id.

    An output that cannot be exported is skipped and said. A full disk ends it all: DiskFullError; other errors of the
    target StoreError; UsageError for the plan. Cancelled, it stops after the files under way; those that are done stay,
    a zip does not.
    """
    plan.check()
    run = _Run(plan, len(outputs), pods)
    work = _into_zip if plan.zipped else _into_folder
    return await _to_the_end(run, work, outputs, on_progress)


_Tell = Callable[[str], None]
_Work = Callable[[_Run, Sequence[Output], _Tell], Exported]


async def _to_the_end(run: _Run, work: _Work, outputs: Sequence[Output], on_progress: OnProgress | None) -> Exported:
    loop = asyncio.get_running_loop()
    done = 0

    def told(name: str) -> None:
        nonlocal done
        done += 1
        if on_progress is not None and not run.stop.is_set():
            on_progress(ExportProgress(done, run.total, name))

    def tell(name: str) -> None:
        loop.call_soon_threadsafe(told, name)

    working = loop.run_in_executor(None, work, run, outputs, tell)
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        run.stop.set()
        with contextlib.suppress(KnownError):
            await working
        raise


def _into_folder(run: _Run, outputs: Sequence[Output], tell: _Tell) -> Exported:
    folder = run.plan.target
    with _disk(folder):
        folder.mkdir(parents=True, exist_ok=True)
        _sweep(folder)
    files: list[Path] = []
    skipped: list[tuple[Output, KnownError]] = []
    parts: list[Path] = []
    try:
        with ThreadPoolExecutor(WORKERS, thread_name_prefix="export") as workers:
            made = workers.map(lambda output: _prepared(run, folder, output, parts), outputs)
            # Names are given in order, whichever is done first: the first of two that share one is not numbered.
            for output, result in zip(outputs, made, strict=True):
                if isinstance(result, MediaError):
                    skipped.append((output, result))
                elif result is not None:
                    files.append(_settle(run, folder, output, result))
                    tell(files[-1].name)
    finally:
        for part in parts:
            with contextlib.suppress(OSError):
                part.unlink()
    return Exported(tuple(files), tuple(skipped))


def _prepared(run: _Run, folder: Path, output: Output, parts: list[Path]) -> Path | MediaError | None:
    """A finished part, why there is none, or None: stopped before it. `parts`: all that were begun."""
    if run.stop.is_set():
        return None
    try:
        part = _new_part(folder)
        parts.append(part)
        _make(run.plan, output, part)
    except MediaError as error:
        return error
    except BaseException:
        run.stop.set()  # the next one would meet the same
        raise
    return part


def _into_zip(run: _Run, outputs: Sequence[Output], tell: _Tell) -> Exported:
    target = run.plan.target
    skipped: list[tuple[Output, KnownError]] = []
    with _disk(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        _sweep(target.parent)
    with _part(target.parent) as whole:
        with _disk(target), zipfile.ZipFile(whole, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
            for output in outputs:
                if run.stop.is_set():
                    return Exported(())
                try:
                    with _part(target.parent) as part:
                        _make(run.plan, output, part)
                        name = _free_name(run, _place(run, output), lambda _: False)
                        archive.write(part, str(name))
                except MediaError as error:
                    skipped.append((output, error))
                    continue
                tell(name.name)
        with _disk(target):
            path = claim_free(whole, target)
    return Exported((path,), tuple(skipped))


# --- One file ---------------------------------------------------------------------------------------------------------


def _make(plan: ExportPlan, output: Output, part: Path) -> None:
    """What is asked for of an output, as `part`. Raises MediaError for the output, StoreError for the disk."""
    source = Path(output.path)
    if not source.is_file():
        what = f"{source.name} is not there any more"
        raise MediaError(what, output.path, "It was moved or deleted outside of ComfyDesk")
    with _disk(part), _readable(source):
        if plan.picture_format and output.media == "image" and _kind(source) != _kind_of(plan.picture_format):
            pictures.convert(source, part, plan.picture_format, plan.quality, keep=plan.metadata)
        elif plan.metadata:
            shutil.copyfile(source, part)
            with contextlib.suppress(OSError):
                shutil.copystat(source, part)
        else:
            strip(source, part, source.suffix)
        if not plan.metadata and output.media != "text":
            prompt = output.prompt.strip()
            check_clean(part, source.name, (prompt[:200],) if len(prompt) >= MIN_SECRET else ())


@contextlib.contextmanager
def _readable(source: Path) -> Iterator[None]:
    """What the disk says of the output itself is this output's fault alone."""
    try:
        yield
    except OSError as error:
        if error.filename is None or Path(os.fsdecode(error.filename)) != source:
            raise
        what = f"{source.name} cannot be read"
        raise MediaError(what, error.strerror or str(error)) from error


def _kind(path: Path) -> str:
    return _kind_of(path.suffix[1:].lower())


def _kind_of(extension: str) -> str:
    return "jpg" if extension == "jpeg" else extension


def _place(run: _Run, output: Output) -> PurePosixPath:
    source = Path(output.path)
    name = source.name
    if run.plan.picture_format and output.media == "image":
        name = f"{source.stem}.{_kind_of(run.plan.picture_format)}"
    parts = NameParts(
        filename=name,
        when=datetime.fromtimestamp(output.created).astimezone(),
        workflow=output.workflow,
        pod=run.pods.get(output.pod, output.pod),
        seed=output.seed,
        prompt=output.prompt,
        model=output.model,
        job=output.job or "",
        batch=output.batch,
    )
    return filenames.render(run.plan.template, parts, safe_name)


def _free_name(run: _Run, place: PurePosixPath, is_taken: Callable[[Path], bool]) -> PurePosixPath:
    """`place`, numbered until nobody has it."""
    number = 1
    while True:
        name = numbered(Path(place), number)
        if str(name).casefold() not in run.taken and not is_taken(name):
            run.taken.add(str(name).casefold())
            return PurePosixPath(name)
        number += 1


def _settle(run: _Run, folder: Path, output: Output, part: Path) -> Path:
    """Give a finished part its name. A file that is there is never replaced; the very same one is the copy already."""
    place = _place(run, output)

    def is_taken(name: Path) -> bool:
        path = folder / name
        return os.path.lexists(path) and not _same(path, part)

    with _disk(folder):
        while True:
            path = inside(folder, _free_name(run, place, is_taken))
            if path.is_file():
                return path
            path.parent.mkdir(parents=True, exist_ok=True)
            if claim(part, path):
                return path


def _same(path: Path, part: Path) -> bool:
    return path.is_file() and filecmp.cmp(path, part, shallow=False)


def _new_part(folder: Path) -> Path:
    """A place for a file in the making."""
    with _disk(folder):
        handle, name = tempfile.mkstemp(PART, ".", folder)
        os.close(handle)
    path = Path(name)
    with contextlib.suppress(OSError):
        path.chmod(0o644)
    return path


@contextlib.contextmanager
def _part(folder: Path) -> Iterator[Path]:
    """The same; what is left of it vanishes."""
    path = _new_part(folder)
    try:
        yield path
    finally:
        with contextlib.suppress(OSError):
            path.unlink()


def _sweep(folder: Path) -> None:
    """Take away what exports that were killed have left."""
    for path in folder.glob(f".*{PART}"):
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > STALE_SECONDS:
                path.unlink()


@contextlib.contextmanager
def _disk(path: Path) -> Iterator[None]:
    """The disk's errors as ours."""
    try:
        yield
    except OSError as error:
        full = error.errno in NO_ROOM
        kind, what = (DiskFullError, "There is no room for the export") if full else (StoreError, "The export failed")
        advice = "Make room, or choose another folder" if full else "Choose another folder"
        raise kind(what, f"{error.filename or path}: {error.strerror or error}", advice) from error
