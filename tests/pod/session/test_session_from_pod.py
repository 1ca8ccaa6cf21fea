"""What a pod made for others, or before: listed, looked at and fetched, each once."""

import asyncio
import io
import json
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from PIL import Image

from comfydesk.cli import main
from comfydesk.client.pod import Pod
from comfydesk.demo.faults import Hang, Status
from comfydesk.demo.server import DemoPod
from comfydesk.session.gallery.importing import ImportPlan
from comfydesk.session.session import Session
from comfydesk.session.values import PodTarget
from comfydesk.settings import Settings
from comfydesk.store import pod_fetches
from comfydesk.workflow.fields import Role
from tests.pod.session.graphs import flat, picture
from tests.pod.session.world import Start, World

DOCUMENT: dict[str, Any] = {"nodes": [], "links": [], "version": 0.4, "extra": {"by": "somebody else"}}


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(15):
        while not await condition():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.02)


async def by_another(here: World, graph: dict[str, Any]) -> str:
    """A job of another client, ended."""
    pod = Pod(PodTarget.demo(here.pod.url).address)
    try:
        accepted = await pod.submit(graph, prompt_id=str(uuid.uuid4()), workflow=DOCUMENT)

        async def is_over() -> bool:
            job = await pod.job(accepted.prompt_id)
            return job is not None and job.state.ended

        await until(is_over)
    finally:
        await pod.close()
    return accepted.prompt_id


def pod_id(here: World) -> str:
    pod = here.session.current_pod
    assert pod is not None
    return pod.id


async def test_what_another_client_made_is_listed_and_fetched_with_all_it_was_made_with(world: Start) -> None:
    async with world() as here:
        await here.run(flat())
        theirs = await by_another(here, picture(seed=4711))
        outputs = here.session.pod_outputs
        (missing,) = await outputs.missing(pod_id(here))
        assert (missing.file.subfolder, missing.job, missing.media) == ("sub", theirs, "image")
        assert Image.open(io.BytesIO(await outputs.preview(missing))).format == "WEBP"

        await outputs.fetch([missing])
        assert await outputs.settled(pod_id(here)) == ()
        assert [name for name in here.files() if name.startswith("sub/")] == [f"sub/{missing.file.filename}"]
        await here.session.gallery.settled()
        (row,) = [one for one in await here.session.outputs() if one.seed == 4711]
        assert (row.prompt, row.steps, row.pod) == ("a sheep", 2, pod_id(here))
        detail = await here.session.gallery.detail(row.id)
        assert detail is not None
        assert detail.of_role(Role.SEED) == (4711,)
        recipe = await here.session.gallery.recipe(row.id)
        assert json.loads(recipe.source) == DOCUMENT
        assert abs(row.created - (missing.made or 0)) < 1
        assert await outputs.missing(pod_id(here)) == ()


async def test_what_the_history_has_forgotten_is_found_by_its_name_and_read_from_the_file(world: Start) -> None:
    async with world() as here:
        await by_another(here, flat(3, "loose"))
        here.pod.queue.clear_history()
        (missing,) = await here.session.pod_outputs.missing(pod_id(here))
        assert missing.job == ""
        await here.session.pod_outputs.fetch([missing])
        await here.session.pod_outputs.settled(pod_id(here))
        (row,) = await here.session.outputs()
        assert json.loads((await here.session.gallery.recipe(row.id)).source) == DOCUMENT


async def test_what_was_deleted_here_is_not_offered_again(world: Start, tmp_path: Path) -> None:
    async with world() as here:
        trash = here.session.gallery._trash
        trash.undo_seconds = 0
        trash._put = lambda path: path.unlink()
        await here.run(flat())
        (row,) = await here.session.outputs()
        await here.session.gallery.delete((row.id,))

        async def is_gone() -> bool:
            return not here.files()

        await until(is_gone)
        await trash.empty()
        assert await here.session.pod_outputs.missing(pod_id(here)) == ()


async def test_a_new_file_under_the_name_of_an_old_one_is_told_apart(world: Start) -> None:
    async with world() as here:
        await here.run(flat(1))
        for path in (here.pod.folder / "output").rglob("*.png"):
            path.unlink()  # the pod's disk was replaced
        await by_another(here, flat(2))
        (missing,) = await here.session.pod_outputs.missing(pod_id(here))
        await here.session.pod_outputs.fetch([missing])
        await here.session.pod_outputs.settled(pod_id(here))
        assert len(await here.session.outputs()) == 2
        assert len(here.files()) == 2


async def test_what_is_gone_is_told_and_the_rest_comes(world: Start) -> None:
    async with world() as here:
        await by_another(here, flat(1, "one"))
        await by_another(here, flat(2, "two"))
        missing = await here.session.pod_outputs.missing(pod_id(here))
        here.pod.script.add(Status(404), path="/view", times=1)
        await here.session.pod_outputs.fetch(missing)
        (told,) = await here.session.pod_outputs.settled(pod_id(here))
        assert ".png" in told
        assert len(await here.session.outputs()) == 1


async def test_fetching_goes_on_at_the_next_start(world: Start, again: Any) -> None:
    async with world() as here:
        await by_another(here, flat(1, "one"))
        missing = await here.session.pod_outputs.missing(pod_id(here))
        rule = here.pod.script.add(Hang(), path="/view", times=1)
        await here.session.pod_outputs.fetch(missing)
        await here.hit(rule)
        await here.session.close()
        async with again(here.pod) as session:

            async def is_here() -> bool:
                return bool(await session.outputs())

            await until(is_here)
        assert here.files() == ["one_00001_.png"]


async def test_a_job_of_another_pod_does_not_get_the_place_that_a_fetch_waits_for(
    world: Start, again: Any, tmp_path: Path
) -> None:
    async with world() as here, DemoPod(folder=tmp_path / "second", speed=50) as second:
        await by_another(here, flat(1))
        missing = await here.session.pod_outputs.missing(pod_id(here))
        rule = here.pod.script.add(Hang(), path="/view", times=1)
        await here.session.pod_outputs.fetch(missing)
        await here.hit(rule)  # its place is noted, and nothing lies there
        await here.session.connect(PodTarget.of(second.url))
        await here.session.wait_catalog(10)
        job = await here.run(flat(2), target=PodTarget.of(second.url).id)
        await here.session.close()
        async with again(here.pod) as session:

            async def both_are_here() -> bool:
                await session.pod_outputs.settled("demo")
                return len(await session.outputs()) == 2

            await until(both_are_here)
            assert job.outputs[0] in [output.path for output in await session.outputs()]
        assert here.files() == ["flat_00001_ (2).png", "flat_00001_.png"]


async def test_of_a_file_that_is_here_under_two_names_of_its_folder_nothing_is_deleted(
    world: Start, again: Any, tmp_path: Path
) -> None:
    """Fetched, not noted yet when the program ended; then taken in from the same folder by another name."""
    async with world() as here:
        await by_another(here, flat(1, "one"))
        pod = pod_id(here)
        missing = await here.session.pod_outputs.missing(pod)
        gate = here.library.before(pod_fetches.save)
        await here.session.pod_outputs.fetch(missing)
        async with gate:
            await here.session.close()
        alias = tmp_path / "alias"
        alias.symlink_to(here.paths.outputs)
        async with Session(here.paths, Settings()) as session:
            assert (await session.gallery.importer.run(ImportPlan(alias))).added == 1
            await session.gallery.importer.settled()
        async with again(here.pod) as session:

            async def is_over() -> bool:
                return not await session._library.read(pod_fetches.wanted, pod)

            await until(is_over)
            (row,) = await session.outputs()
            assert Path(row.path) == alias / "one_00001_.png"
        assert here.files() == ["one_00001_.png"]


async def test_a_file_that_was_cut_off_here_is_no_reason_to_delete_its_whole_copy(world: Start) -> None:
    async with world() as here:
        await here.run(flat(1, "one"))
        (mine,) = here.files()
        whole = (here.paths.outputs / mine).read_bytes()
        (here.paths.outputs / mine).write_bytes(whole[:10])
        (here.pod.folder / "output" / "copy.png").write_bytes(whole)
        missing = await here.session.pod_outputs.missing(pod_id(here))
        await here.session.pod_outputs.fetch(missing)
        assert await here.session.pod_outputs.settled(pod_id(here)) == ()
        assert here.files() == ["copy.png", mine]
        assert (here.paths.outputs / "copy.png").read_bytes() == whole
        assert len(await here.session.outputs()) == 2


async def test_the_command_line_lists_and_fetches(world: Start, capsys: Any) -> None:
    async with world(connected=False) as here:
        await by_another(here, flat(1, "one"))
        words = ["--data-dir", str(here.paths.data), "--pod", here.pod.url, "outputs", "--from-pod"]
        assert await asyncio.to_thread(main, [*words, "--list"]) == 0
        assert capsys.readouterr().out == "one_00001_.png\n"
        assert here.files() == []
        assert await asyncio.to_thread(main, words) == 0
        assert here.files() == ["one_00001_.png"]
