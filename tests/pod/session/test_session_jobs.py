"""A job from the form to the file, and everything that may come between."""

import asyncio
import time
from pathlib import Path

import pytest
from PIL import Image

from comfydesk.demo.faults import Delay, Drop, Hang, NodeFault, Status, Truncate, html_page, out_of_memory
from comfydesk.errors import GraphError, MediaError, UsageError
from comfydesk.events import JobProgress, PreviewFrame, RunState
from comfydesk.session.jobs import attempts
from comfydesk.session.session import Session
from comfydesk.store.records import JobState
from comfydesk.workflow.fields import Role
from comfydesk.workflow.graph import UiGraph
from comfydesk.workflow.patch import SeedPolicy
from tests.pod.session.graphs import flat, picture, template
from tests.pod.session.world import Start

S = JobState


async def test_an_official_template_ends_in_a_file_that_opens_again(world: Start) -> None:
    async with world() as here:
        workflow = await here.open(template("sd3.5_simple_example"), "sd3.5_simple_example.json")
        prompt, model = (workflow.form.with_role(role)[0] for role in (Role.PROMPT, Role.CHECKPOINT))
        jobs = await here.session.queue.enqueue(workflow, {prompt.id: "a lighthouse", model.id: model.choices[0]})
        (job,) = await here.wait([job.id for job in jobs])
        assert job.state is S.DONE, job.error
        assert job.prompt == "a lighthouse"
        (path,) = job.outputs
        again = await here.session.open_workflow(Path(path))
        assert isinstance(again.graph, UiGraph)
        assert isinstance(workflow.graph, UiGraph)
        assert len(again.graph.root.nodes) == len(workflow.graph.root.nodes)
        (output,) = await here.session.outputs()
        with Image.open(path) as opened:
            assert opened.size == (output.width, output.height)
        assert (output.job, output.prompt, output.path) == (job.id, "a lighthouse", path)
        assert output.size == (await asyncio.to_thread(Path(path).stat)).st_size


async def test_an_api_graph_runs_and_its_file_opens_again(world: Start) -> None:
    async with world() as here:
        job = await here.run(picture())
        assert here.files() == ["sub/pic_00001_.png"]
        again = await here.session.open_workflow(Path(job.outputs[0]))
        assert again.form.by_id["3.seed"].default == 1


async def test_progress_only_grows_names_nodes_and_shows_previews(world: Start) -> None:
    async with world(speed=10) as here:
        (job,) = await here.enqueue(picture(steps=4))
        title = ""

        def note(_: object) -> None:
            nonlocal title
            title = title or here.session.queue.node_title(job, "3")

        here.session.progress.subscribe(note)
        await here.wait([job])
        assert {item.prompt_id for item in here.progress} == {job}
        fractions = [item.fraction for item in here.progress]
        assert fractions == sorted(fractions)
        assert fractions[-1] == 1
        assert here.progress[-1].state is RunState.SUCCEEDED
        assert title == "Draw it"
        assert {frame.prompt_id for frame in here.previews} == {job}


async def test_values_replace_what_the_workflow_says(world: Start) -> None:
    async with world() as here:
        job = await here.run(picture(), {"5.width": 128, "6.text": "a cow", "3.seed": 2**64 - 1})
        with Image.open(job.outputs[0]) as opened:
            assert opened.width == 128
        assert (job.seed, job.prompt) == (2**64 - 1, "a cow")
        again = await here.session.open_workflow(Path(job.outputs[0]))
        assert again.form.by_id["6.text"].default == "a cow"


@pytest.mark.parametrize(
    ("policy", "given", "seeds"),
    [(SeedPolicy.INCREMENT, 7, {7, 8, 9}), (SeedPolicy.FIXED, 7, {7})],
)
async def test_a_batch_differs_in_its_seeds(world: Start, policy: SeedPolicy, given: int, seeds: set[int]) -> None:
    async with world() as here:
        ids = await here.enqueue(picture(), {"3.seed": given}, count=3, seed_policy=policy)
        jobs = await here.wait(ids)
        assert [job.state for job in jobs] == [S.DONE] * 3
        assert {job.seed for job in jobs} == seeds
        assert len(here.files()) == len(seeds)


async def test_random_seeds_are_all_different(world: Start) -> None:
    async with world(connected=True) as here:
        jobs = await here.wait(await here.enqueue(picture(), count=3, seed_policy=SeedPolicy.RANDOM))
        assert len({job.seed for job in jobs}) == 3


async def test_jobs_run_in_the_order_of_the_queue_one_ahead(world: Start) -> None:
    async with world(speed=5) as here:
        ids = await here.enqueue(picture(), count=4, seed_policy=SeedPolicy.INCREMENT)
        await here.until(ids[0], S.RUNNING)
        await here.until(ids[1], S.SENT, S.RUNNING)
        states = [job.state for job in await here.session.queue.jobs_by_id(ids)]
        assert states[3] is S.QUEUED
        await here.wait(ids)
        ran = dict.fromkeys(item.prompt_id for item in here.progress if item.state is RunState.RUNNING)
        assert list(ran) == ids


async def test_a_held_job_waits_until_it_is_released(world: Start) -> None:
    async with world(speed=5) as here:
        first, second, third = await here.enqueue(picture(), count=3, seed_policy=SeedPolicy.INCREMENT)
        await here.session.queue.hold([third])
        await here.wait([first, second])
        (job,) = await here.session.queue.jobs_by_id([third])
        assert job.state is S.HELD
        await here.session.queue.release([third])
        (job,) = await here.wait([third])
        assert job.state is S.DONE


async def test_a_rerun_from_the_pods_cache_is_the_file_we_have(world: Start) -> None:
    async with world() as here:
        first = await here.run(flat())
        downloads = here.count("/view", "GET")
        second = await here.run(flat())
        assert second.state is S.DONE
        assert first.outputs == second.outputs
        assert here.files() == ["flat_00001_.png"]
        assert len(await here.session.outputs()) == 1
        assert downloads.hits == 0


async def test_a_folder_of_ones_own_gets_a_copy_even_of_a_cached_result(world: Start, tmp_path: Path) -> None:
    async with world() as here:
        await here.run(flat())
        job = await here.run(flat(), folder=tmp_path / "mine")
        assert job.outputs == (str(tmp_path / "mine" / "flat_00001_.png"),)


async def test_a_file_of_ours_is_never_overwritten(world: Start) -> None:
    async with world() as here:
        taken = here.paths.outputs / "flat_00001_.png"
        taken.parent.mkdir(parents=True)
        taken.write_bytes(b"mine")
        job = await here.run(flat())
        assert job.outputs == (str(taken.with_name("flat_00001_ (2).png")),)
        assert taken.read_bytes() == b"mine"


async def test_previews_that_a_workflow_leaves_are_not_saved(world: Start) -> None:
    graph = flat()
    graph["2"] = {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}}
    async with world() as here:
        job = await here.run(graph)
        assert (job.state, job.outputs, here.files()) == (S.DONE, (), [])


# --- Inputs ---------------------------------------------------------------------------------------------------------


def invert() -> dict[str, object]:
    return {
        "1": {"class_type": "LoadImage", "inputs": {"image": "example.png"}},
        "2": {"class_type": "ImageInvert", "inputs": {"image": ["1", 0]}},
        "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": "inverted"}},
    }


async def test_a_local_picture_is_uploaded_once_however_often_it_is_used(world: Start, tmp_path: Path) -> None:
    Image.new("RGB", (8, 8), (10, 20, 30)).save(tmp_path / "mine.png")
    async with world() as here:
        uploads = here.count("/upload/image")
        first = await here.run(invert(), {"1.image": tmp_path / "mine.png"})
        assert first.state is S.DONE, first.error
        with Image.open(first.outputs[0]) as opened:
            assert opened.convert("RGB").getpixel((0, 0)) == (245, 235, 225)
        (tmp_path / "copy.png").write_bytes((tmp_path / "mine.png").read_bytes())
        await here.run(invert(), {"1.image": tmp_path / "copy.png"})
        assert uploads.hits == 1


async def test_two_jobs_at_once_share_one_upload(world: Start, tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "mine.png")
    async with world() as here:
        uploads = here.count("/upload/image")
        jobs = await here.wait(await here.enqueue(invert(), {"1.image": tmp_path / "mine.png"}, count=2))
        assert [job.state for job in jobs] == [S.DONE] * 2
        assert uploads.hits == 1


async def test_a_pod_that_lost_its_inputs_gets_them_again(world: Start, tmp_path: Path) -> None:
    Image.new("RGB", (8, 8), (1, 1, 1)).save(tmp_path / "mine.png")
    async with world() as here:
        await here.run(invert(), {"1.image": tmp_path / "mine.png"})
        (here.pod.folder / "input" / "mine.png").unlink()
        uploads = here.count("/upload/image")
        job = await here.run(invert(), {"1.image": tmp_path / "mine.png"})
        assert job.state is S.DONE, job.error
        assert uploads.hits == 1


async def test_a_file_changed_after_it_was_queued_is_not_sent(world: Start, tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "mine.png")
    async with world() as here:
        here.pod.script.add(Delay(0.5), path="/prompt", times=2)
        first = await here.enqueue(flat(1), count=2)
        (job_id,) = await here.enqueue(invert(), {"1.image": tmp_path / "mine.png"})
        Image.new("RGB", (9, 9)).save(tmp_path / "mine.png")
        (job,) = await here.wait([job_id])
        assert job.state is S.FAILED
        assert job.error is not None
        assert "changed after" in job.error.what
        await here.wait(first)


async def test_a_file_that_is_not_there_is_told_before_anything_is_queued(world: Start, tmp_path: Path) -> None:
    async with world() as here:
        with pytest.raises(MediaError):
            await here.enqueue(invert(), {"1.image": tmp_path / "gone.png"})
        assert await here.session.queue.jobs() == ()


async def test_a_path_that_the_workflow_names_is_never_uploaded(world: Start, tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "secret.png")
    graph = invert()
    graph["1"] = {"class_type": "LoadImage", "inputs": {"image": str(tmp_path / "secret.png")}}
    async with world() as here:
        uploads = here.count("/upload/image")
        job = await here.run(graph)
        assert job.state is S.FAILED
        assert uploads.hits == 0


# --- What goes wrong on the pod -------------------------------------------------------------------------------------


async def test_a_refused_value_is_told_at_its_field(world: Start) -> None:
    async with world() as here:
        job = await here.run(picture(width=99999))
        assert job.state is S.FAILED
        assert job.error is not None
        assert "5.width" in job.error.fields
        assert here.files() == []


async def test_a_failed_node_is_named_with_its_words_and_its_traceback(world: Start) -> None:
    async with world() as here:
        here.pod.script.nodes["KSampler"] = NodeFault(ValueError("the brush broke"))
        job = await here.run(picture())
        assert job.state is S.FAILED
        assert job.error is not None
        assert (job.error.node, job.error.node_title) == ("3", "Draw it")
        assert "the brush broke" in job.error.why
        assert "Traceback" in job.error.traceback or "File" in job.error.traceback
        given = job.error.inputs
        assert (given["seed"], given["steps"], given["positive"]) == ("1", "2", "from CLIPTextEncode")


async def test_a_full_gpu_comes_with_advice(world: Start) -> None:
    async with world() as here:
        here.pod.script.nodes["KSampler"] = out_of_memory()
        job = await here.run(picture())
        assert job.error is not None
        assert "smaller" in job.error.advice


async def test_a_failed_job_does_not_hold_up_the_next(world: Start) -> None:
    async with world() as here:
        bad = await here.enqueue(picture(width=99999))
        good = await here.enqueue(flat())
        jobs = await here.wait([*bad, *good])
        assert [job.state for job in jobs] == [S.FAILED, S.DONE]


async def test_a_failed_job_can_be_run_again_as_a_new_one(world: Start) -> None:
    async with world() as here:
        here.pod.script.nodes["KSampler"] = NodeFault()
        failed = await here.run(picture(), {"6.text": "a cow"})
        here.pod.script.clear()
        new = await here.session.queue.retry(failed.id)
        assert new is not None
        assert new.id != failed.id
        (job,) = await here.wait([new.id])
        assert (job.state, job.prompt) == (S.DONE, "a cow")


# --- Cancelling -----------------------------------------------------------------------------------------------------


async def test_cancel_stops_what_runs_waits_on_the_pod_and_waits_here(world: Start) -> None:
    async with world(speed=1) as here:
        ids = await here.enqueue(picture(steps=60), count=3, seed_policy=SeedPolicy.INCREMENT)
        await here.until(ids[0], S.RUNNING)
        await here.until(ids[1], S.SENT)
        for job_id in reversed(ids):
            await here.session.queue.cancel(job_id)
        jobs = await here.wait(ids)
        assert [job.state for job in jobs] == [S.CANCELLED] * 3
        assert here.files() == []


async def test_cancel_leaves_other_peoples_jobs_alone(world: Start) -> None:
    async with world(speed=2) as here:
        (theirs,) = await here.enqueue(picture(steps=20))
        (ours,) = await here.enqueue(picture(steps=20, seed=2))
        await here.until(theirs, S.RUNNING)
        await here.until(ours, S.SENT)
        await here.session.queue.cancel(ours)
        jobs = await here.wait([theirs, ours])
        assert [job.state for job in jobs] == [S.DONE, S.CANCELLED]


async def test_a_job_cancelled_while_it_is_being_sent_does_not_run_on(world: Start) -> None:
    async with world(speed=1) as here:
        here.pod.script.add(Delay(0.4), path="/prompt")
        (job_id,) = await here.enqueue(picture(steps=60))
        await here.until(job_id, S.SENDING)
        await here.session.queue.cancel(job_id)
        (job,) = await here.wait([job_id])
        assert job.state is S.CANCELLED


async def test_an_ended_job_cannot_be_cancelled(world: Start) -> None:
    async with world() as here:
        job = await here.run(flat())
        await here.session.queue.cancel(job.id)
        assert (await here.session.queue.jobs_by_id([job.id]))[0].state is S.DONE


# --- The line -------------------------------------------------------------------------------------------------------


async def test_an_answer_that_is_lost_does_not_make_it_run_twice(world: Start) -> None:
    async with world() as here:
        here.pod.script.add(Drop(after=True), path="/prompt", method="POST")
        posts = here.count("/prompt", "POST")
        job = await here.run(flat())
        assert job.state is S.DONE
        assert posts.hits == 0
        assert here.files() == ["flat_00001_.png"]


async def test_a_post_that_never_arrived_is_sent_again(world: Start) -> None:
    async with world() as here:
        here.pod.script.add(Drop(), path="/prompt", method="POST")
        job = await here.run(flat())
        assert job.state is S.DONE


async def test_a_busy_proxy_is_asked_again_and_a_lasting_error_is_told(world: Start) -> None:
    async with world() as here:
        here.pod.script.add(Status(503), path="/prompt", method="POST")
        assert (await here.run(flat())).state is S.DONE
        here.pod.script.add(Status(413, "too large"), path="/prompt", method="POST")
        job = await here.run(flat(2))
        assert job.state is S.FAILED
        assert job.error is not None


async def test_a_line_that_is_down_for_long_fails_no_job_and_says_why(
    world: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "DELAYS", tuple(seconds / 20 for seconds in attempts.DELAYS))
    async with world() as here:
        dead = here.pod.script.add(Status(503, "no server"), path="/prompt", method="POST", times=None)
        login = here.pod.script.add(Status(401), path="/prompt", method="POST", times=None, skip=0)
        (job_id,) = await here.enqueue(flat())
        while dead.hits < 4:
            await here.settle()
        (job,) = await here.session.queue.jobs_by_id([job_id])
        assert job.state in (S.QUEUED, S.SENDING)
        here.pod.script.rules.remove(dead)
        hits = dead.hits
        assert hits < 8, "each time it waits longer"
        while not login.hits:
            await here.settle()
        here.pod.script.rules.remove(login)
        (job,) = await here.wait([job_id])
        assert (job.state, job.error) == (S.DONE, None)


async def test_a_server_that_cannot_take_a_job_is_asked_five_times(
    world: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "DELAYS", (0.01,))
    async with world() as here:
        broken = here.pod.script.add(Status(500, "boom"), path="/prompt", method="POST", times=None)
        job = await here.run(flat())
        assert job.state is S.FAILED
        assert broken.hits == 5


async def test_inputs_that_take_long_hold_up_their_own_job_only(world: Start, tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "mine.png")
    async with world() as here:
        hanging = here.pod.script.add(Hang(), path="/upload/image", times=None)
        (slow,) = await here.enqueue(invert(), {"1.image": tmp_path / "mine.png"})
        quick = await here.enqueue(flat(), count=1)
        await here.hit(hanging)
        (job,) = await here.wait(quick)
        assert job.state is S.DONE
        assert (await here.session.queue.jobs_by_id([slow]))[0].state is S.QUEUED


async def test_inputs_that_take_a_moment_do_not_cost_the_order(world: Start, tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "mine.png")
    async with world() as here:
        here.pod.script.add(Delay(0.5), path="/upload/image")
        ids = await here.enqueue(invert(), {"1.image": tmp_path / "mine.png"})
        ids += await here.enqueue(flat())
        assert [job.state for job in await here.wait(ids)] == [S.DONE] * 2
        assert here.on_pod() == ids


async def test_without_the_stream_of_events_there_is_no_progress_but_a_result(world: Start) -> None:
    async with world() as here:
        here.pod.script.add(Status(404), path="/ws", times=None)
        await here.pod.restart()
        job = await here.run(flat())
        assert job.state is S.DONE
        assert here.progress[-1].state is RunState.SUCCEEDED
        assert here.previews == []


async def test_a_socket_gone_deaf_does_not_keep_a_job_from_its_end(world: Start) -> None:
    async with world() as here:
        for client in tuple(here.pod.hub.clients):
            here.pod.hub.deafen(client)
        job = await here.run(picture())
        assert job.state is S.DONE
        assert here.previews == []


async def test_a_download_that_breaks_is_taken_up_where_it_broke(world: Start) -> None:
    async with world() as here:
        here.pod.script.add(Truncate(100), path="/view", method="GET", times=2)
        job = await here.run(flat())
        assert job.state is S.DONE
        with Image.open(job.outputs[0]) as opened:
            opened.load()
        assert here.files() == ["flat_00001_.png"]


async def test_a_web_page_in_place_of_a_result_is_told_and_cured_by_the_next_try(world: Start) -> None:
    async with world() as here:
        page = here.pod.script.add(html_page("Sign in"), path="/view", method="GET", times=None)
        job = await here.run(flat())
        assert job.blocked
        assert here.files() == []
        here.pod.script.rules.remove(page)
        await here.session.queue.retry(job.id)
        (job,) = await here.wait([job.id])
        assert (job.state, job.error) == (S.DONE, None)
        assert here.files() == ["flat_00001_.png"]


async def test_a_result_that_is_gone_from_the_pod_is_told(world: Start) -> None:
    async with world() as here:
        here.pod.script.add(Status(404), path="/view", method="GET")
        job = await here.run(flat())
        assert job.state is S.FAILED
        assert job.error is not None
        assert "no longer has flat_00001_.png" in job.error.what
        assert here.files() == []


async def test_a_pod_that_restarts_and_forgets_leaves_the_job_unknown_and_unsent(world: Start) -> None:
    async with world(speed=1) as here:
        (job_id,) = await here.enqueue(picture(steps=100))
        await here.until(job_id, S.RUNNING)
        posts = here.count("/prompt", "POST")
        await here.pod.restart()
        job = await here.until(job_id, S.UNKNOWN)
        assert job.error is not None
        assert "no longer knows" in job.error.what
        assert posts.hits == 0
        looked = await here.session.queue.look_again(job_id)
        assert looked is not None
        assert looked.state is S.UNKNOWN


async def test_a_pod_that_comes_back_with_its_history_has_what_was_done(world: Start) -> None:
    async with world() as here:
        hanging = here.pod.script.add(Hang(), path="/view", method="GET")
        (job_id,) = await here.enqueue(flat())
        await here.hit(hanging)
        await here.pod.restart(lose_history=False)
        (job,) = await here.wait([job_id])
        assert job.state is S.DONE


async def test_jobs_for_a_pod_that_is_away_wait_and_go_once_it_is_back(world: Start) -> None:
    async with world() as here:
        workflow = await here.open(flat())
        back = asyncio.create_task(here.pod.restart(down=0.5))
        await asyncio.sleep(0.1)
        (job,) = await here.session.queue.enqueue(workflow, {})
        (early,) = await here.session.queue.jobs_by_id([job.id])
        assert early.state in (S.QUEUED, S.SENDING)
        assert not back.done()
        await back
        (done,) = await here.wait([job.id])
        assert done.state is S.DONE


# --- Before anything is sent ----------------------------------------------------------------------------------------


async def test_without_a_pod_nothing_can_be_queued(world: Start) -> None:
    async with world(connected=False) as here:
        workflow = await here.open(flat())
        assert workflow.form.fields == ()
        with pytest.raises(UsageError, match="No pod"):
            await here.session.queue.enqueue(workflow, {})


async def test_what_is_no_workflow_is_told(world: Start, tmp_path: Path) -> None:
    async with world(connected=False) as here:
        Image.new("RGB", (4, 4)).save(tmp_path / "plain.png")
        with pytest.raises(GraphError, match="carries no workflow"):
            await here.session.open_workflow(tmp_path / "plain.png")
        (tmp_path / "junk.json").write_bytes(b"\xff\x00junk")
        with pytest.raises(GraphError):
            await here.session.open_workflow(tmp_path / "junk.json")
        with pytest.raises(GraphError, match="cannot be read"):
            await here.session.open_workflow(tmp_path / "gone.json")


async def test_the_time_to_go_is_known_from_the_second_run(world: Start) -> None:
    async with world(speed=4) as here:
        foretold: list[float | None] = []

        def note(item: JobProgress | PreviewFrame) -> None:
            if isinstance(item, JobProgress) and len(foretold) < len(ids):
                foretold.append(here.session.queue.eta(item.prompt_id))

        here.session.progress.subscribe(note)
        ids: list[str] = []
        took: list[float] = []
        for seed in (1, 2):
            began = time.monotonic()
            ids += await here.enqueue(picture(seed=seed, steps=20))
            await here.wait(ids)
            took.append(time.monotonic() - began)
            assert here.session.queue.eta(ids[-1]) is None
        assert foretold[0] is None
        assert foretold[1] is not None
        assert foretold[1] == pytest.approx(took[1], rel=0.5)


async def test_a_closed_session_closes_again(world: Start) -> None:
    async with world() as here:
        session: Session = here.session
        await session.close()
        await session.close()
