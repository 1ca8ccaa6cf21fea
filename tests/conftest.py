"""Shared by all tests: async tests, and the rule that nothing may be left running."""

import asyncio
import gc
import inspect
from collections.abc import Coroutine
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from comfydesk.paths import Paths

# How long an example takes to make says how busy the computer is.
settings.register_profile("here", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("here")


def pytest_collection_finish() -> None:
    """What is imported by now is no garbage: the collections below need not look through it each time."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run `async def` tests on a fresh asyncio loop; a task still alive at the end fails the test."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj) or "qtbot" in pyfuncitem.fixturenames:
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}
    asyncio.run(_quietly(pyfuncitem.obj(**arguments)))
    return True


async def _quietly(test: Coroutine[Any, Any, None]) -> None:
    loop = asyncio.get_running_loop()
    complaints: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, context: complaints.append(context))
    await test
    # One turn lets tasks that were cancelled on the way out end.
    await asyncio.sleep(0)
    leaked = [task for task in asyncio.all_tasks() if task is not asyncio.current_task() and not task.done()]
    assert not leaked, f"tasks left running: {leaked}"
    del leaked
    gc.collect()  # a task whose exception nobody took complains when it is collected
    assert not complaints, f"the loop complained: {complaints}"


@pytest.fixture
def paths(tmp_path_factory: pytest.TempPathFactory) -> Paths:
    """All of the application's folders, empty, for one test."""
    return Paths.under(tmp_path_factory.mktemp("home"))
