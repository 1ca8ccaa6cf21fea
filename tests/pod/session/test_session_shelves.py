"""Workflows on a pod, through a session: read once, kept here, saved back without undoing anybody's work."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from comfydesk.demo.server import DemoPod
from comfydesk.errors import KnownError, PodError, UsageError
from comfydesk.paths import Paths, resources
from comfydesk.session.session import Session
from comfydesk.session.shelves.keeping import ConflictError
from comfydesk.session.shelves.models import Way
from comfydesk.session.values import PodTarget, WorkflowEntry
from comfydesk.settings import WORKFLOW_FOLDERS, Settings
from comfydesk.workflow.needs import MissingModel
from tests.pod.session.world import Start, World

GRAPH = json.loads((resources() / "workflows" / "text_to_image.json").read_text("utf-8"))
GRAPH["extra"].pop("comfydesk")


def put(pod: DemoPod, name: str, document: object = GRAPH) -> Path:
    """A workflow that somebody saved on the pod."""
    path = pod.folder / "user" / "default" / "workflows" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


async def saved(here: World) -> dict[str, WorkflowEntry]:
    """What the pod keeps, by its place there."""
    link = here.session._links.get("demo")
    assert link is not None
    await here.session.shelves.remote.refresh(link)
    return {entry.place: entry for entry in await here.session.shelves.complete() if entry.source == "pod:demo"}


async def test_what_is_saved_on_the_pod_is_listed_and_read_once(world: Start) -> None:
    async with world() as here:
        file = put(here.pod, "portraits/old film.json")
        entries = await saved(here)
        entry = entries["portraits/old film.json"]
        assert (entry.id, entry.name) == ("pod:demo/portraits/old film.json", "old film")
        assert (entry.card.type, entry.card.output_types) == ("t2i", ("image",))
        assert (await here.session.open_workflow(entry)).form.fields
        before = entry.path
        again = await saved(here)
        assert again["portraits/old film.json"] == entry
        assert before is not None
        stamp = before.stat().st_mtime_ns
        file.write_text(json.dumps({**GRAPH, "extra": {"x": 1}}), encoding="utf-8")
        await saved(here)
        assert before.stat().st_mtime_ns != stamp, "another file is read again"
        file.unlink()
        assert await saved(here) == {}


async def test_without_the_pod_its_workflows_are_still_there(world: Start, paths: Paths) -> None:
    async with world() as here:
        put(here.pod, "mine.json")
        await saved(here)
        url = here.pod.url
    async with Session(paths, Settings()) as session:
        await session.connect(PodTarget.demo(url))  # nobody answers there any more
        entries = [entry for entry in await session.shelves.complete() if entry.source == "pod:demo"]
        assert [entry.place for entry in entries] == ["mine.json"]
        assert (await session.open_workflow(entries[0])).name == "mine"


async def test_save_rename_duplicate_delete_and_undo_on_the_pod(world: Start) -> None:
    async with world() as here:
        keeper = here.session.keeper
        await keeper.save("demo", "film", GRAPH)
        entry = (await saved(here))["film.json"]
        await here.session.shelves.set_favourite(entry.id, True)
        renamed = await keeper.rename(entry, "old film")
        assert renamed == "pod:demo/old film.json"
        assert here.session.shelves.marks[renamed].favourite, "what was said of it stays with it"
        entry = (await saved(here))["old film.json"]
        await keeper.duplicate(entry)
        await keeper.duplicate(entry)
        assert set(await saved(here)) == {"old film.json", "old film copy.json", "old film copy 2.json"}
        deleted = await keeper.delete(entry)
        assert "old film.json" not in await saved(here)
        await keeper.undo(deleted)
        assert "old film.json" in await saved(here)


async def test_nobodys_work_is_overwritten_unseen(world: Start) -> None:
    async with world() as here:
        keeper = here.session.keeper
        await keeper.save("demo", "film", GRAPH)
        await saved(here)
        with pytest.raises(ConflictError, match="another workflow called"):
            await keeper.save("demo", "film", GRAPH)
        entry = (await saved(here))["film.json"]
        mine = {**GRAPH, "extra": {"by": "me"}}
        await keeper.save_over(entry, mine, GRAPH)
        file = put(here.pod, "film.json", {**GRAPH, "extra": {"by": "a colleague, in the browser"}})
        await saved(here)  # that the list knows of the change is no licence
        with pytest.raises(ConflictError, match="was changed"):
            await keeper.save_over(entry, GRAPH, mine)
        assert "colleague" in file.read_text("utf-8")
        await keeper.save_over(entry, mine, None)
        assert json.loads(file.read_text("utf-8")) == mine, "asked for twice"
        file.unlink()
        await keeper.save_over(entry, mine, GRAPH)
        assert file.exists(), "what was taken away is undone by nobody"


async def test_a_file_of_this_computer_is_not_overwritten_unseen_either(world: Start) -> None:
    async with world() as here:
        keeper = here.session.keeper
        id_ = await keeper.save(None, "film", GRAPH)
        entry = next(one for one in await here.session.shelves.entries() if one.id == id_)
        assert entry.path is not None
        entry.path.write_text(json.dumps({**GRAPH, "extra": {"x": 1}}), "utf-8")
        with pytest.raises(ConflictError, match="was changed"):
            await keeper.save_over(entry, GRAPH, GRAPH)
        await keeper.save_over(entry, GRAPH, {**GRAPH, "extra": {"x": 1}})
        assert json.loads(entry.path.read_text("utf-8")) == GRAPH


@pytest.mark.parametrize("name", ["", "  ", "../x", "a/../../x", "/etc/x", "."])
async def test_names_that_lead_elsewhere_are_refused(world: Start, name: str) -> None:
    async with world() as here:
        with pytest.raises((UsageError, PodError)):
            await here.session.keeper.save("demo", name, GRAPH)


async def test_bundled_workflows_are_nobodys_to_change(world: Start) -> None:
    async with world() as here:
        entry = next(entry for entry in await here.session.workflows() if entry.source == "bundled")
        with pytest.raises(UsageError, match="not yours"):
            await here.session.keeper.delete(entry)
        assert await here.session.keeper.duplicate(entry) == f"mine/{entry.name} copy.json"


async def test_a_folder_of_the_users_is_listed_and_watched(paths: Paths, tmp_path: Path) -> None:
    folder = tmp_path / "flows"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "a.json").write_text(json.dumps(GRAPH))
    settings = Settings()
    settings.set(WORKFLOW_FOLDERS, f"{folder}; {tmp_path / 'none'}")
    async with Session(paths, settings) as session:
        await until(lambda: f"folder:{folder}/deep/a.json" in ids(session), session)
        (folder / "b.json").write_text(json.dumps(GRAPH))
        await until(lambda: f"folder:{folder}/b.json" in ids(session), session)
        (folder / "b.json").unlink()
        await until(lambda: f"folder:{folder}/b.json" not in ids(session), session)


async def test_marks_and_the_last_picture_are_there_at_the_next_start(world: Start, paths: Paths) -> None:
    async with world() as here:
        entry = next(e for e in await here.session.workflows() if e.id == "bundled/text_to_image.json")
        workflow = await here.session.open_workflow(entry)
        (job,) = await here.session.queue.enqueue(workflow, {})
        await here.wait([job.id])
        made = await here.session.shelves.last_made()
        assert made[entry.id].path == str(next(iter((await here.session.outputs())[:1])).path)
        await here.session.shelves.set_favourite(entry.id, True)
        await here.session.shelves.set_tags(entry.id, [" film ", "film", ""])
        await here.session.shelves.mark_opened(entry.id)
    async with Session(paths, Settings()) as session:
        await session.workflows()
        mark = session.shelves.marks[entry.id]
        assert (mark.favourite, mark.tags) == (True, ("film",))
        assert mark.opened


async def test_what_the_pod_has_and_what_can_be_done_about_what_it_lacks(world: Start) -> None:
    async with world() as here:
        models = await here.session.models.listing("demo")
        assert {model.folder for model in models} >= {"checkpoints", "loras"}
        missing = (
            MissingModel("sub/x y.safetensors", "checkpoints", "https://models.example/x.safetensors"),
            MissingModel("mine.safetensors", "loras"),
            MissingModel("odd.safetensors", "loras", "https://[::1/odd.safetensors"),
        )
        offers = await here.session.models.offers("demo", missing)
        first = offers["sub/x y.safetensors"]
        assert (first.way, first.host) == (Way.COMMAND, "models.example")
        assert "checkpoints/sub/x y.safetensors'" in first.command
        assert offers["mine.safetensors"].way is offers["odd.safetensors"].way is Way.NONE
        with pytest.raises(KnownError, match="cannot be fetched from here"):
            await here.session.models.fetch("demo", missing[0])


def ids(session: Session) -> set[str]:
    return {entry.id for entry in session.shelves.catalogue.entries()}


async def until(holds: Callable[[], bool], session: Session) -> None:
    """Until it holds, as the session's changes tell."""
    news = asyncio.Event()
    unsubscribe = session.changes.subscribe(lambda _: news.set())
    try:
        async with asyncio.timeout(15):
            while not holds():
                news.clear()
                await news.wait()
    finally:
        unsubscribe()
