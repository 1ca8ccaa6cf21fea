"""The program as the user starts it, with a watch inside: `python -m tests.bench.app_child WORK ARGUMENTS…`.

ARGUMENTS are those of the window. Prints JSON lines: `{"at": …}` for each moment it reaches (a time of CLOCK_MONOTONIC,
the same for all processes), then what WORK found. WORK is "wait" (nothing; ends with its input) or:

    templates FOLDER      every workflow of the folder opened in the panel and converted for the pod
    queue COUNT           so many jobs by one press of Generate, until all are listed, and until all are done

"painted": the first frame is there. "furnished": every panel is. "library": the session has begun. "ready": the panel
shows the form of the workflow that ARGUMENTS name, as the pod knows its nodes now, and Generate can be pressed; or
without a pod the library is open and workflows are listed.
"""

import asyncio
import json
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from comfydesk.qt.app.life import Life

LOOK_MS = 5
PATIENCE_S = 90.0
SLOW_S = 60.0


def tell(**facts: object) -> None:
    """One line for whoever measures."""
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


class Watch:
    """Tells when the window has come so far, and then does the work."""

    def __init__(self, work: list[str], *, pod: bool) -> None:
        self._work, self._pod = work, pod
        self._life: Life | None = None
        self._joined = False

    def painted(self) -> None:
        """The first frame is on the screen."""
        tell(at="painted", time=time.monotonic(), cpu=time.process_time())

    def life_begins(self, life: "Life") -> None:
        """Everything has been imported."""
        from PySide6.QtCore import QTimer

        self._life = life
        tell(at="furnished", time=time.monotonic(), cpu=time.process_time())
        self._timer = QTimer(interval=LOOK_MS)
        self._timer.timeout.connect(self._look)
        self._timer.start()

    def _look(self) -> None:
        life = self._life
        if life is None or life.session is None or life.wiring is None:
            return
        if not self._joined:
            self._joined = True
            tell(at="library", time=time.monotonic(), cpu=time.process_time())
        if not self._ready(life):
            return
        self._timer.stop()
        tell(at="ready", time=time.monotonic(), cpu=time.process_time())
        if self._work == ["wait"]:
            threading.Thread(target=self._end_with_input, daemon=True).start()
            return
        life.tasks.start(self._do(life))

    def _ready(self, life: "Life") -> bool:
        if not self._pod:
            return not life.desk.browser.isHidden() and bool(life.desk.workflows.total)
        session, generation = life.session, life.desk.generation
        assert session is not None
        return (
            session.catalog is not None
            and generation.workflow is not None
            and bool(generation.workflow.form.fields)
            and not generation.opening
            and generation.footer.generate.main.isEnabled()
        )

    def _end_with_input(self) -> None:
        from PySide6.QtCore import QMetaObject, Qt

        sys.stdin.read()
        assert self._life is not None
        QMetaObject.invokeMethod(self._life.window, "close", Qt.ConnectionType.QueuedConnection)

    async def _do(self, life: "Life") -> None:
        try:
            kind, word = self._work
            if kind == "templates":
                await templates(life, Path(word))
            else:
                await queue(life, int(word))
        finally:
            life.window.close()


async def templates(life: "Life", folder: Path) -> None:
    """Each file opened as by a click, until its form is in the panel and was painted; then made into what is sent."""
    from comfydesk.errors import GraphError
    from comfydesk.workflow.convert import to_api
    from comfydesk.workflow.graph import UiGraph

    assert life.wiring is not None
    assert life.session is not None
    bench, catalog = life.wiring.bench, life.session.catalog
    assert catalog is not None
    over, painting = asyncio.Event(), painter()
    refused: list[object] = []
    bench.open_failed.connect(refused.append)
    for end in (bench.opened, bench.open_failed):
        end.connect(lambda *_: over.set())
    files = await asyncio.to_thread(lambda: sorted(folder.glob("*.json")))
    opened, converted, failed = [], [], []
    for number, path in enumerate([files[0], *files]):
        over.clear()
        began = time.perf_counter()
        bench.open(path)
        async with asyncio.timeout(SLOW_S):
            await over.wait()
        await painting.of(life.desk.generation.form)
        shown = time.perf_counter()
        current = bench.current
        began_again = time.perf_counter()
        try:
            if refused or current is None:
                raise GraphError("it was not opened")
            made = to_api(current.graph, catalog) if isinstance(current.graph, UiGraph) else current.graph
        except GraphError:
            failed.append(path.stem)
            refused.clear()
            continue
        done = time.perf_counter()
        assert made.nodes
        if number:  # the first is opened twice: what is imported with it is no part of it
            opened.append(shown - began)
            converted.append(done - began_again)
    tell(opened=opened, converted=converted, failed=failed)


def painter() -> Any:
    """Its `of(widget)` waits until the widget was painted anew."""
    from PySide6.QtCore import QEvent, QObject
    from PySide6.QtWidgets import QWidget

    class Painter(QObject):
        def eventFilter(self, watched: QObject, event: QEvent) -> bool:
            if event.type() == QEvent.Type.Paint:
                self.painted.set()
            return False

        async def of(self, widget: QWidget) -> None:
            self.painted = asyncio.Event()
            widget.installEventFilter(self)
            widget.update()
            async with asyncio.timeout(SLOW_S):
                await self.painted.wait()
            widget.removeEventFilter(self)

    return Painter()


async def queue(life: "Life", count: int) -> None:
    """One press of Generate for `count` jobs."""
    desk = life.desk
    desk.generation.footer.count.set_value(count)
    began = time.perf_counter()
    desk.generation.footer.generate.main.click()
    await until(lambda: desk.jobs.rowCount() >= count)
    listed = time.perf_counter() - began
    tell(listed=listed)
    await until(lambda: all(row.job.state.ended for row in desk.jobs.rows()))
    done = time.perf_counter() - began
    tell(done=done, states=sorted({row.job.state.value for row in desk.jobs.rows()}))


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not holds():  # noqa: ASYNC110 - what is looked at tells nobody
            await asyncio.sleep(LOOK_MS / 1000)


def main(work: list[str], arguments: list[str]) -> int:
    """Start it, watched."""
    from comfydesk.__main__ import main as start
    from comfydesk.qt.app import frame

    watch = Watch(work, pod="--pod" in arguments or "--demo" in arguments)
    shown, imported = frame.show_and_paint, frame.import_behind

    def show_and_paint(window: Any) -> None:
        shown(window)
        watch.painted()

    def import_behind(modules: Any) -> None:
        imported(modules)
        from comfydesk.qt.app.life import Life

        run = Life.run

        def watched(life: Life, app: Any) -> int:
            watch.life_begins(life)
            return run(life, app)

        Life.run = watched  # type: ignore[method-assign,assignment]  # for the bench alone

    frame.show_and_paint, frame.import_behind = show_and_paint, import_behind
    return start(arguments)


if __name__ == "__main__":
    split = 2 if sys.argv[1] == "wait" else 3
    sys.exit(main(sys.argv[1:split], sys.argv[split:]))
