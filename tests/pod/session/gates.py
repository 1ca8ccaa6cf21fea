"""A library that stops where a test wants it to: what happens in between is then no matter of luck."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from comfydesk.events import Change, Feed
from comfydesk.session.library import Library, Then
from comfydesk.store.database import Database

P = ParamSpec("P")
T = TypeVar("T")


class Gate:
    """`async with gate:` until something has come to it; it stays there till the block's end."""

    def __init__(self, *, after: bool) -> None:
        self.after = after
        self._reached = asyncio.Event()
        self._open = asyncio.Event()

    async def pass_through(self) -> None:
        self._reached.set()
        await self._open.wait()

    async def __aenter__(self) -> None:
        async with asyncio.timeout(15):
            await self._reached.wait()

    async def __aexit__(self, *_: object) -> None:
        self._open.set()


class GatedLibrary(Library):
    """The real one, but for gates before or after calls of named store functions, and failures of some calls."""

    def __init__(self, path: Path, changes: Feed[Change]) -> None:
        super().__init__(path, changes)
        self.gates: dict[Any, Gate] = {}
        self.failures: dict[Any, list[Exception]] = {}
        """Function → what its next calls raise, once each, before anything is done."""

    def before(self, function: Callable[..., Any]) -> Gate:
        """Its next call has not happened yet when the gate is reached."""
        gate = self.gates[function] = Gate(after=False)
        return gate

    def after(self, function: Callable[..., Any]) -> Gate:
        """Its next call is on disk when the gate is reached, and nobody knows it yet."""
        gate = self.gates[function] = Gate(after=True)
        return gate

    async def call(self, function: Callable[Concatenate[Database, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        named = function.change if isinstance(function, Then) else function
        self._fail(named)
        gate = self.gates.pop(named, None)
        if gate is not None and not gate.after:
            await gate.pass_through()
        result = await super().call(function, *args, **kwargs)
        if gate is not None and gate.after:
            await gate.pass_through()
        return result

    async def read(self, function: Callable[Concatenate[Database, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        self._fail(function)
        return await super().read(function, *args, **kwargs)

    def _fail(self, function: Any) -> None:
        if self.failures.get(function):
            raise self.failures[function].pop(0)
