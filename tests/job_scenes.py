"""Scenes of the queue for `make screenshots`: two pods at work, held and failed jobs, the batch sheet, a failure."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from comfydesk.demo.faults import out_of_memory
from comfydesk.demo.server import DemoPod
from comfydesk.qt.app.headless import until
from comfydesk.qt.window.desk import Desk
from comfydesk.qt.window.wiring import Wiring
from comfydesk.session.session import Session
from comfydesk.session.values import PodTarget
from comfydesk.store.records import ANY, Job, JobState
from comfydesk.workflow.fields import Role

Take = Callable[[str], Awaitable[None]]


async def shoot_jobs(desk: Desk, wiring: Wiring, session: Session, take: Take, pod: DemoPod, folder: Path) -> None:
    """`pod` is connected and current."""
    await failed(desk, wiring, take, pod)
    await batch(desk, wiring, take, folder)
    await two_pods(desk, wiring, session, take, folder)


async def failed(desk: Desk, wiring: Wiring, take: Take, pod: DemoPod) -> None:
    """A job that ran out of memory: all that is known of it."""

    def count() -> int:
        return [row.job.state for row in desk.jobs.rows()].count(JobState.FAILED)

    before = count()  # of other scenes
    pod.script.nodes["KSampler"] = out_of_memory()
    desk.generation.footer.generate.main.click()
    assert await until(lambda: count() > before, 30)
    pod.script.nodes.clear()
    assert await until(desk.generation.banner.isVisible, 10)
    desk.generation.banner.action.click()
    await take("job-failed")
    desk.pages.close()
    desk.generation.banner.clear()


async def batch(desk: Desk, wiring: Wiring, take: Take, folder: Path) -> None:
    """The sheet with lists, a grid and a table whose third row is wrong."""
    table = folder / "shots.csv"
    table.write_text(
        "what,guidance,notes\na lighthouse at dusk,3.5,calm\na lighthouse in fog,lots,\n", encoding="utf-8"
    )
    wiring.jobs.batches.open()
    page = wiring.jobs.batches.page
    assert page is not None
    page.prompts.setPlainText(
        "a lighthouse at {dawn|dusk}\nan old harbour, fishing boats\n# not this one\na red bicycle"
    )
    page.repeats.set_value(2)
    form = desk.generation.form.form()
    for (combo, line), role, values in zip(
        page.grid.rows, (Role.SAMPLER, Role.CFG), ("euler, heun, dpmpp_2m", "3.5, 5, 7"), strict=False
    ):
        combo.choose(form.with_role(role)[0].id)
        combo.picked.emit()
        line.set_value(values)
    page.changed.emit()
    assert await until(lambda: "Queue 54 jobs" in page.queue.text(), 10)
    await take("batch")
    page.table.take(table)
    assert await until(lambda: not page.queue.isEnabled(), 10)
    await take("batch-wrong")
    page.table.take(None)
    desk.pages.close()


async def two_pods(desk: Desk, wiring: Wiring, session: Session, take: Take, folder: Path) -> None:
    """Both at work, the rest waiting, some held, all paused."""
    commands = wiring.jobs.commands
    first = session.current_pod
    assert first is not None
    async with DemoPod(folder=folder / "second", speed=0.4) as second:
        other = await session.connect(PodTarget.of(second.url))
        session.select(first.id)
        form = desk.generation.form
        for field in form.form().with_role(Role.STEPS):
            form.set_value(field.id, 60)
        assert wiring.bench.current is not None
        jobs: tuple[Job, ...] = ()
        for target in (first.id, other.id, ANY):
            jobs = await session.queue.enqueue(wiring.bench.current, form.values(), count=3, target=target)
        commands.hold(jobs[-1].id)
        both = {first.id, other.id}
        assert await until(
            lambda: {row.job.pod for row in desk.jobs.at_work() if (row.fraction or 0) > 0.3} == both, 60
        )
        desk.queue.list.choose([jobs[0].id, jobs[1].id])
        await take("two-pods")
        commands.pause()
        assert await until(desk.queue.banner.isVisible, 10)
        await take("queue-paused")
        commands.pause(False)
        commands.cancel(*(row.job.id for row in desk.jobs.unended()))
        assert await until(lambda: desk.jobs.waiting() == 0, 60)
        await session.disconnect(other.id)
    commands.clear_finished()
