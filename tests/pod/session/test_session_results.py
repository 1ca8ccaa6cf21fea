"""Results: named as the user wants, seen to open, each once, and kept even of jobs that failed."""

import asyncio
from pathlib import Path

import pytest

from comfydesk.demo.faults import NodeFault
from comfydesk.errors import UsageError
from comfydesk.session.gallery.importing import ImportPlan
from comfydesk.session.jobs import results
from comfydesk.settings import OUTPUT_TEMPLATE
from comfydesk.store import deletions, job_files
from comfydesk.store.database import Database
from comfydesk.store.records import JobState
from tests.pod.session.graphs import flat, picture
from tests.pod.session.world import Start, World

S = JobState
TWO = flat() | {
    "5": {"class_type": "EmptyImage", "inputs": {"width": 16, "height": 16, "batch_size": 1, "color": 9}},
    "6": {"class_type": "SaveImage", "inputs": {"images": ["5", 0], "filename_prefix": "later"}},
}


async def test_files_are_named_by_the_template(world: Start) -> None:
    async with world() as here:
        here.session.settings.set(OUTPUT_TEMPLATE, "{workflow}/{subfolder}/{model}_{seed}_{n:3}")
        job = await here.run(picture(seed=77))
        assert here.files() == ["test/sub/demo-painter_77_001.png"]
        again = await here.run(picture(seed=78), template="{pod} {seed}")
        assert [Path(path).name for path in again.outputs] == ["Demo pod 78.png"]
        assert job.warning is None


async def test_a_name_that_leads_out_of_the_folder_costs_that_file_alone(world: Start, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    graph = flat(1, "videos/one") | {
        "3": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "good"}}
    }
    async with world() as here:
        here.paths.outputs.mkdir(parents=True, exist_ok=True)
        (here.paths.outputs / "videos").symlink_to(tmp_path / "elsewhere")
        job = await here.run(graph)
        assert job.state is S.FAILED
        assert [Path(path).name for path in job.outputs] == ["good_00001_.png"]
        assert list((tmp_path / "elsewhere").iterdir()) == []


async def test_a_folder_that_cannot_be_reached_keeps_the_job_waiting_to_be_saved(world: Start, tmp_path: Path) -> None:
    """As of a drive that has gone; what a name of 300 characters raises is an OSError as well."""
    async with world() as here:
        (job_id,) = await here.enqueue(flat(), folder=tmp_path / ("n" * 300))
        job = await here.until(job_id, S.SAVING, S.UNKNOWN, S.FAILED, S.DONE)
        while job.error is None and job.state is S.SAVING:
            await here.settle()
            (job,) = await here.session.queue.jobs_by_id([job_id])
        assert job.state is S.SAVING
        assert job.error is not None
        assert "cannot be written" in job.error.what


async def test_two_of_one_name_are_numbered(world: Start) -> None:
    async with world() as here:
        here.session.settings.set(OUTPUT_TEMPLATE, "picture")
        await here.run(flat(1))
        await here.run(flat(2))
        assert here.files() == ["picture (2).png", "picture.png"]


async def test_a_template_that_went_wrong_loses_nothing_and_is_told(world: Start) -> None:
    async with world() as here:
        here.session.settings.set(OUTPUT_TEMPLATE, "{nonsense}")
        job = await here.run(flat())
        assert job.state is S.DONE
        assert here.files() == ["flat_00001_.png"]
        assert job.warning is not None
        assert "template" in job.warning.what
        assert "nonsense" in job.warning.why
        with pytest.raises(UsageError, match="nonsense"):
            await here.enqueue(flat(), template="{nonsense}")


async def test_a_file_that_does_not_open_is_fetched_again_then_kept_with_a_warning(world: Start) -> None:
    async with world() as here:
        library = here.library
        gate = library.before(job_files.begin_saving)
        (job,) = await here.enqueue(flat())
        async with gate:
            (made,) = (here.pod.folder / "output").rglob("*.png")
            made.write_bytes(made.read_bytes()[:40])
        views = here.count("/view", "GET")
        (done,) = await here.wait([job])
        assert done.state is S.DONE
        assert done.warning is not None
        assert "does not open" in done.warning.what
        assert views.hits == 2
        assert here.files() == ["flat_00001_.png"]
        (output,) = await here.session.outputs()
        assert (output.path, output.size) == (done.outputs[0], 40)


async def test_the_same_bytes_under_another_name_are_one_file(world: Start) -> None:
    async with world() as here:
        first = await here.run(flat())
        await here.pod.restart()
        # The pod has forgotten that it made this picture, and makes it once more under another name.
        second = await here.run(flat())
        assert second.outputs == first.outputs
        assert len(await here.session.outputs()) == 1
        assert len(here.files()) == 1


async def test_a_result_that_was_taken_in_under_another_name_of_its_folder_stays(world: Start, tmp_path: Path) -> None:
    async with world() as here:
        link = tmp_path / "link"
        gate = here.library.before(results.add_and_link)
        (job,) = await here.enqueue(flat())
        async with gate:  # the file is there, and the library does not know it yet
            link.symlink_to(here.paths.outputs)
            await here.session.gallery.importer.run(ImportPlan(link))
        (done,) = await here.wait([job])
        (output,) = await here.session.outputs()
        assert done.state is S.DONE
        assert done.outputs == (output.path,) == (str(link / "flat_00001_.png"),)
        assert here.files() == ["flat_00001_.png"]


async def test_what_a_failed_job_has_made_is_saved_and_it_stays_failed(world: Start) -> None:
    graph = flat() | {
        "3": {"class_type": "EmptyImage", "inputs": {"width": 16, "height": 16, "batch_size": 1, "color": 9}},
        "4": {"class_type": "ImageInvert", "inputs": {"image": ["3", 0]}},
        "5": {"class_type": "SaveImage", "inputs": {"images": ["4", 0], "filename_prefix": "later"}},
    }
    async with world() as here:
        here.pod.script.nodes["4"] = NodeFault()
        job = await here.run(graph)
        assert job.state is S.FAILED
        assert job.error is not None
        assert job.error.node == "4"
        assert [Path(path).name for path in job.outputs] == ["flat_00001_.png"]


async def test_a_deleted_output_that_a_job_names_again_is_wanted_again(world: Start) -> None:
    async with world() as here:
        first = await here.run(flat())
        (output,) = await here.session.outputs()

        def delete(db: Database) -> None:
            db.execute("INSERT INTO deletions (id, time) VALUES (1, 1.0)")
            db.execute("UPDATE outputs SET deletion = 1 WHERE id = ?", (output.id,))

        await here.library.call(delete)
        assert await here.session.outputs() == ()
        second = await here.run(flat())
        assert second.outputs == first.outputs
        assert [one.id for one in await here.session.outputs()] == [output.id]


def bin_of(here: World) -> Path:
    """Deleted files go here, and at once."""
    bin_ = here.paths.data / "bin"
    bin_.mkdir()
    trash = here.session.gallery._trash
    trash.undo_seconds = 0
    trash._put = lambda path: Path(path.rename(bin_ / path.name)).touch()
    return bin_


async def test_a_job_that_names_a_file_while_it_is_looked_at_for_the_trash_keeps_it(world: Start) -> None:
    async with world() as here:
        bin_ = bin_of(here)
        first = await here.run(flat())
        (output,) = await here.session.outputs()
        gate = here.library.before(deletions.claim)
        await here.session.gallery.delete((output.id,))
        async with gate:
            again = await here.run(flat())  # the pod has it in its cache, and names the same file
            assert again.outputs == first.outputs
        await here.settle()
        await here.session.gallery._trash.empty()
        assert [one.id for one in await here.session.outputs()] == [output.id]
        assert (here.files(), list(bin_.iterdir())) == (["flat_00001_.png"], [])


@pytest.mark.parametrize("cached", [True, False], ids=["same name", "same bytes"])
async def test_a_job_that_names_a_file_on_its_way_to_the_trash_gets_one_of_its_own(world: Start, cached: bool) -> None:
    async with world() as here:
        bin_ = bin_of(here)
        await here.run(flat())
        if not cached:
            await here.pod.restart()  # it makes the same picture again, under another name
        (output,) = await here.session.outputs()
        gate = here.library.after(deletions.claim)
        await here.session.gallery.delete((output.id,))
        async with gate:
            again = await here.run(flat())
            assert Path(again.outputs[0]).name == "flat_00001_ (2).png" if cached else "flat_00002_.png"
        await here.settle()
        await here.session.gallery._trash.empty()
        assert [path.name for path in bin_.iterdir()] == ["flat_00001_.png"]
        assert [one.path for one in await here.session.outputs()] == list(again.outputs)
        assert again.outputs[0] in [str(here.paths.outputs / name) for name in here.files()]


@pytest.mark.parametrize("cached", [True, False], ids=["same name", "same bytes"])
async def test_a_file_that_goes_to_the_trash_before_a_job_has_it_for_its_own_is_fetched(
    world: Start, cached: bool
) -> None:
    async with world() as here:
        bin_ = bin_of(here)
        await here.run(flat())
        if not cached:
            await here.pod.restart()
        (output,) = await here.session.outputs()
        gate = here.library.before(job_files.file_saved if cached else deletions.keep)
        (job,) = await here.enqueue(flat())
        async with gate:  # it has seen that the library has the file
            await here.session.gallery.delete((output.id,))
            await here.session.gallery._trash.empty()
            assert [path.name for path in bin_.iterdir()] == ["flat_00001_.png"]
        (again,) = await here.wait([job])
        assert again.state is S.DONE
        assert [one.path for one in await here.session.outputs()] == list(again.outputs)
        assert again.outputs[0] in [str(here.paths.outputs / name) for name in here.files()]


async def test_a_file_that_came_back_from_the_trash_can_be_deleted_again(world: Start) -> None:
    async with world() as here:
        bin_ = bin_of(here)
        path = Path((await here.run(flat())).outputs[0])
        for _ in range(2):
            (output,) = await here.session.outputs()
            await here.session.gallery.delete((output.id,))
            await here.session.gallery._trash.empty()
            assert [file.name for file in bin_.iterdir()] == [path.name]
            (bin_ / path.name).rename(path)
            await here.session.gallery.importer.run(ImportPlan(path.parent))


async def test_what_had_to_wait_for_its_job_goes_once_that_is_over(world: Start) -> None:
    async with world() as here:
        bin_ = bin_of(here)
        here.session.gallery._trash.again_seconds = 0.01
        gate = here.library.before(results.add_and_link)
        (job,) = await here.enqueue(TWO)
        async with gate:
            async with asyncio.timeout(15):
                while not (found := await here.session.outputs()):
                    await here.settle()
            await here.session.gallery.delete((found[0].id,))
            await here.settle()
            assert list(bin_.iterdir()) == []
        await here.wait([job])
        async with asyncio.timeout(15):
            while not list(bin_.iterdir()):
                await here.settle()


async def test_what_is_deleted_while_its_job_waits_for_other_files_is_not_fetched_again(world: Start) -> None:
    async with world() as here:
        bin_ = bin_of(here)
        gate = here.library.before(results.add_and_link)
        (job,) = await here.enqueue(TWO)
        async with gate:  # of one file; the other one goes on
            async with asyncio.timeout(15):
                while not (found := await here.session.outputs()):
                    await here.settle()
            await here.session.gallery.delete((found[0].id,))
            await here.session.gallery._trash.empty()
            assert list(bin_.iterdir()) == []
        (done,) = await here.wait([job])
        assert done.state is S.DONE
        await here.session.gallery._trash.empty()
        assert [str(path.name) for path in bin_.iterdir()] == [Path(found[0].path).name]
        assert len(here.files()) == 1
