"""The browser's filter menu, and the words for what it narrows the list to."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from comfydesk.qt.models.rows import WorkflowRow
from comfydesk.qt.models.workflow_filter import Ready, Sort, Source, WorkflowFilter, source_of
from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets.menu import Menu

MOST_FOLDERS = 30
Pick = Callable[[WorkflowFilter], None]


def source_words() -> dict[Source, str]:
    return {
        Source.POD: tr("Saved on the pod"),
        Source.MINE: tr("On this computer"),
        Source.BUNDLED: tr("Bundled"),
        Source.TEMPLATES: tr("Official templates"),
        Source.EXAMPLES: tr("Custom nodes' examples"),
        Source.BLUEPRINTS: tr("Blueprints"),
    }


def task_words() -> dict[str, str]:
    return {
        "t2i": tr("Image from text"),
        "i2i": tr("Edit image"),
        "t2v": tr("Video from text"),
        "i2v": tr("Image to video"),
        "v2v": tr("Video to video"),
        "upscale": tr("Upscale"),
        "audio": tr("Generate audio"),
        "3d": tr("3D model"),
        "text": tr("Text"),
    }


def input_words() -> dict[str, str]:
    return {"text": tr("Text"), "image": tr("Image"), "video": tr("Video"), "audio": tr("Audio"), "3d": tr("3D")}


def ready_words() -> dict[Ready, str]:
    return {Ready.ANY: tr("Ready or not"), Ready.READY: tr("Ready"), Ready.MISSING: tr("Something missing")}


def sort_words() -> dict[Sort, str]:
    return {
        Sort.USED: tr("Last used"),
        Sort.NAME: tr("Name"),
        Sort.NEWEST: tr("Newest"),
        Sort.SMALLEST: tr("Smallest"),
    }


def narrowed_to(wanted: WorkflowFilter, task: str = "") -> str:
    """What the list is narrowed to beside words and chips: "Official templates, ready"; "" for nothing."""
    return ", ".join(_parts(wanted, task))


def _parts(wanted: WorkflowFilter, task: str) -> Iterator[str]:
    if wanted.types:
        yield task or ", ".join(task_words().get(type_, type_) for type_ in sorted(wanted.types))
    if wanted.source:
        yield source_words()[Source(wanted.source)]
    if wanted.folder:
        yield wanted.folder
    if wanted.input:
        yield tr("from {input}", input=input_words()[wanted.input].lower())
    if wanted.ready:
        yield ready_words()[wanted.ready].lower()
    if wanted.favourites:
        yield tr("favourites")
    if wanted.recent:
        yield tr("recent")
    if wanted.tag:
        yield wanted.tag


def fill(menu: Menu, theme: Theme, now: WorkflowFilter, rows: Iterable[WorkflowRow], pick: Pick) -> None:
    """Everything one can filter by, with what is on ticked; sources, tags and folders as far as there are any."""
    rows = tuple(rows)

    def choose(**parts: Any) -> None:
        pick(replace(now, **parts))

    def offer(title: str, choices: Iterable[tuple[str, str]], value: str, then: Callable[[str], None]) -> None:
        inner = Menu(theme, title, menu)
        for key, words in choices:
            _add(inner, words, on=key == value, then=partial(then, str(key)))
        menu.addMenu(inner)

    _add(menu, tr("Favourites"), on=now.favourites, then=lambda: choose(favourites=not now.favourites))
    _add(menu, tr("Recent"), on=now.recent, then=lambda: choose(recent=not now.recent))
    menu.addSeparator()
    there = {source_of(row.entry) for row in rows}
    sources = ((source.value, words) for source, words in source_words().items() if source in there)
    offer(tr("From"), [("", tr("All places")), *sources], now.source, lambda key: choose(source=key, folder=""))
    folders = sorted({row.entry.place.rpartition("/")[0] for row in rows if _in_folder(row, now.source)})
    if folders:
        listed = [(folder, folder) for folder in folders[:MOST_FOLDERS]]
        offer(tr("Folder"), [("", tr("All folders")), *listed], now.folder, lambda key: choose(folder=key))
    task = next(iter(now.types)) if len(now.types) == 1 else ""
    tasks = [("", tr("All tasks")), *task_words().items()]
    offer(tr("Task"), tasks, task, lambda key: choose(types=frozenset({key} if key else ())))
    offer(tr("Goes in"), [("", tr("Anything")), *input_words().items()], now.input, lambda key: choose(input=key))
    ready = [(key.value, words) for key, words in ready_words().items()]
    offer(tr("On this pod"), ready, now.ready, lambda key: choose(ready=Ready(key)))
    tags = sorted({tag for row in rows for tag in row.tags})
    if tags:
        offer(tr("Tag"), [("", tr("All tags")), *((tag, tag) for tag in tags)], now.tag, lambda key: choose(tag=key))


def _in_folder(row: WorkflowRow, source: str) -> bool:
    return "/" in row.entry.place and (not source or source_of(row.entry) == source)


def _add(menu: Menu, words: str, *, on: bool, then: Callable[[], None]) -> None:
    action = menu.add(words.replace("&", "&&"))
    action.setCheckable(True)
    action.setChecked(on)
    action.triggered.connect(lambda _=False: then())
