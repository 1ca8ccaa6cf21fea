"""Shared by the tests of the window: one asyncio loop on the GUI thread, and a collector that never runs off it."""

import asyncio
import gc
import inspect
import os
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

os.environ["QT_API"] = "pyside6"
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from comfydesk.qt.theme import Appearance, Scheme, Theme

Loop = Callable[[Coroutine[Any, Any, Any]], Any]


def pytest_configure(config: pytest.Config) -> None:
    """The offscreen platform says so whenever a window has a smallest size, or a menu opens."""
    config.addinivalue_line("qt_log_ignore", "This plugin does not support (propagateSizeHints|raise|grabbing)")
    # QtMultimedia, of what this computer has no sound or video libraries for.
    config.addinivalue_line("qt_log_ignore", "^Using Qt multimedia with FFmpeg")
    config.addinivalue_line("qt_log_ignore", "^Couldn't (load|resolve) (pipewire|va)|^PulseAudioService: ")


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run `async def` tests that use `qtbot` on the loop of the GUI thread (`gui_loop` does the rest)."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj) or "qtbot" not in pyfuncitem.fixturenames:
        return None
    run: Loop = pyfuncitem._request.getfixturevalue("gui_loop")
    arguments = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}
    run(pyfuncitem.obj(**arguments))
    return True


@pytest.fixture(scope="session")
def installed_theme(qapp: QApplication) -> Theme:
    """The one theme of the application; `theme` hands it out."""
    made = Theme(Appearance(Scheme.DARK, reduced_motion=True))
    made.install(qapp)
    return made


@pytest.fixture
def theme(installed_theme: Theme) -> Iterator[Theme]:
    """Dark, 100 %, still (reduced motion); whatever a test makes of it is undone."""
    before = installed_theme.appearance
    yield installed_theme
    if installed_theme.appearance != before:
        installed_theme.apply(before)


@pytest.fixture(autouse=True, scope="session")
def leave_imports_alone() -> None:
    """What was imported stays: looking at it again after each test would take most of the time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def collect_on_the_gui_thread() -> Iterator[None]:
    """As in the window: cyclic garbage that a worker thread collects would destroy QObjects there."""
    gc.disable()
    yield
    gc.collect()


@pytest.fixture(scope="session")
def qasync_loop(qapp: QApplication) -> Iterator[asyncio.AbstractEventLoop]:
    """One loop for all tests: ending one calls QApplication.exit, after which Qt serves no further one well."""
    import qasync

    loop: asyncio.AbstractEventLoop = qasync.QEventLoop(qapp, already_running=True)
    asyncio.events._set_running_loop(None)  # only during tests that ask for it: others call asyncio.run
    yield loop
    loop.stop()
    loop.close()


@pytest.fixture
def gui_loop(qtbot: QtBot, qasync_loop: asyncio.AbstractEventLoop) -> Iterator[Loop]:
    """The loop of the GUI thread, which runs whenever the test waits; call it with a coroutine to get its result.

    At the end no task may be left, and the loop may have had nothing to complain about.
    """
    complaints: list[dict[str, Any]] = []
    qasync_loop.set_exception_handler(lambda _, context: complaints.append(context))

    def run(work: Coroutine[Any, Any, Any]) -> Any:
        task = qasync_loop.create_task(work)
        qtbot.waitUntil(task.done, timeout=20_000)
        return task.result()

    asyncio.events._set_running_loop(qasync_loop)
    try:
        yield run
        run(asyncio.sleep(0))
        leaked = [task for task in asyncio.all_tasks(qasync_loop) if not task.done()]
        for task in leaked:
            task.cancel()
        if leaked:
            qtbot.waitUntil(lambda: all(task.done() for task in leaked))
    finally:
        asyncio.events._set_running_loop(None)
    assert not leaked, f"tasks left running: {leaked}"
    assert not complaints, f"the loop complained: {complaints}"
