"""From a sentence to what the intent bar offers: tasks and workflows, best and ready ones first, with why."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from comfydesk.intent.match import Intent, understand
from comfydesk.intent.rank import Candidate, Ranker
from comfydesk.qt.models.rows import WorkflowRow
from comfydesk.qt.models.workflows import WorkflowModel
from comfydesk.qt.theme.language import tr

MOST = 6
ALL = "all:"
"""Begins the id of a suggestion that shows all workflows of a task."""


@dataclass(frozen=True, slots=True)
class Suggested:
    """`id` of a workflow, or ALL and a task type; empty: words only."""

    id: str
    title: str
    why: str = ""
    row: WorkflowRow | None = None
    prompt: str = ""


class Suggesting:
    """Keeps the ranking up to date with the model. Answers in about a millisecond, whatever the number of cards."""

    def __init__(self, model: WorkflowModel, connected: Callable[[], bool] = lambda: False) -> None:
        self._model = model
        self._connected = connected
        self._ranker = Ranker()
        self._fresh: dict[str, None] = {}
        model.changed.connect(self._note)
        model.gone.connect(self._forget)
        self._note(tuple(entry.id for entry in model.entries()))

    def best(self, sentence: str) -> tuple[Intent, str]:
        """What was meant, and the id of the workflow that does it best; "" if none does."""
        intent = self._meant(sentence)
        found = self._ranked(intent, 1) if sentence.strip() else ()
        return intent, next(iter(found), "")

    def of(self, sentence: str) -> tuple[Suggested, ...]:
        """What to offer for `sentence`; honest words when nothing fits."""
        words = sentence.strip()
        if not words:
            return ()
        intent = self._meant(words)
        tasks = task_titles()
        if intent.task is None:
            found = (*self._tasks(words), *self._named(words))[:MOST]
            return found or (self._nothing(words),)
        ids = self._ranked(intent, MOST - 1)
        task = tasks.get(intent.task.value, "")
        rows = [row for id_ in ids if (row := self._model.row_of_id(id_)) is not None]
        if not rows:
            return (Suggested("", tr("Nothing here does this yet: {task}", task=task), self._where()),)
        shown = [
            Suggested(row.entry.id, row.entry.name, why(row, task, intent.subject), row, intent.subject) for row in rows
        ]
        more = self._ranker.count(intent.task)
        if more > len(shown):
            title = tr("All {n} workflows: {task}", n=f"{more:,}", task=task)
            shown.append(Suggested(f"{ALL}{intent.task.value}", title, tr("Show them in the list")))
        return tuple(shown)

    def _meant(self, sentence: str) -> Intent:
        """What the sentence asks for. The name of something here is looked for, not guessed to be a prompt."""
        intent = understand(sentence)
        named = intent.guessed and (self._model.named(sentence, 1) or any(self._tasks(sentence)))
        return Intent(sentence, None) if named else intent

    def _ranked(self, intent: Intent, limit: int) -> tuple[str, ...]:
        for id_ in self._fresh:
            row = self._model.row_of_id(id_)
            if row is not None:
                self._ranker.put(candidate(row))
        self._fresh = {}
        return tuple(suggestion.id for suggestion in self._ranker.suggest(intent, limit))

    def _tasks(self, words: str) -> Iterator[Suggested]:
        """Tasks whose names begin with what was typed so far."""
        typed = words.casefold().split()
        for type_, title in task_titles().items():
            parts = title.casefold().split()
            if all(any(part.startswith(word) for part in parts) for word in typed):
                yield Suggested(f"{ALL}{type_}", title, tr("Show the workflows that do this"))

    def _named(self, words: str) -> Iterator[Suggested]:
        for row in self._model.named(words, MOST):
            task = task_titles().get(row.entry.card.type or "", "")
            yield Suggested(row.entry.id, row.entry.name, why(row, task, ""), row)

    def _nothing(self, words: str) -> Suggested:
        total = f"{self._model.total:,}"
        short = words if len(words) <= 60 else f"{words[:59]}\N{HORIZONTAL ELLIPSIS}"
        return Suggested(
            "",
            tr("No workflow matches “{words}”", words=short),
            tr("Try a task, such as image to video, or press Enter to search all {total}.", total=total),
        )

    def _where(self) -> str:
        if self._connected():
            return tr("This pod has no workflow for it. Open a workflow file that does it.")
        return tr("Connect to a pod for its templates, or open a workflow file that does.")

    def _note(self, ids: Iterable[str]) -> None:
        self._fresh.update(dict.fromkeys(ids))

    def _forget(self, ids: Iterable[str]) -> None:
        for id_ in ids:
            self._fresh.pop(id_, None)
            self._ranker.drop(id_)


def task_titles() -> dict[str, str]:
    """Task types that the bar knows, as people call them."""
    return {
        "t2i": tr("Image from text"),
        "i2v": tr("Image to video"),
        "t2v": tr("Video from text"),
        "i2i": tr("Edit image"),
        "upscale": tr("Upscale"),
        "audio": tr("Generate audio"),
        "v2v": tr("Video to video"),
        "3d": tr("3D model"),
    }


def why(row: WorkflowRow, task: str, prompt: str) -> str:
    """ "Image to video, ready on atlas, used yesterday. Prompt: “a valley”"."""
    parts = [task]
    needs = row.needs
    if needs is not None and needs.ready:
        parts.append(tr("ready on {pod}", pod=row.pod) if row.pod else tr("ready"))
    elif needs is not None:
        models = [model.name for model in needs.missing_models]
        lacks = needs.missing_nodes or models
        parts.append(tr("needs {name} first", name=lacks[0].rpartition("/")[2]) if lacks else tr("cannot run as it is"))
    if row.starred:
        parts.append(tr("a favourite"))
    if row.used:
        parts.append(used_words(row.used))
    text = ", ".join(part for part in parts if part)
    return tr("{text}. Prompt: “{prompt}”", text=text, prompt=prompt) if prompt else text


def used_words(when: float) -> str:
    """ "used today", "used yesterday", "used 5 days ago"."""
    days = (date.today() - date.fromtimestamp(when)).days  # noqa: DTZ011, DTZ012 - the user's own days
    if days <= 0:
        return tr("used today") if time.time() - when > 3600 else tr("used just now")
    return tr("used yesterday") if days == 1 else tr("used {n} days ago", n=days)


def candidate(row: WorkflowRow) -> Candidate:
    """A card as the intent matcher takes it."""
    card = row.entry.card
    return Candidate(
        row.entry.id,
        row.entry.name,
        card.type or "",
        card.input_types,
        ready=False if card.error else None if row.needs is None else row.needs.ready,
        favourite=row.starred,
        last_used=row.used,
        words=" ".join((card.description, *row.entry.tags, *row.tags)),
    )
