"""The demo pod's queue and history: what waits, what runs, what was. Safe to use from any thread."""

import copy
import heapq
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

HISTORY_SIZE = 10_000


class Item(NamedTuple):
    """A queued prompt, as /queue shows it. Ordered by number, then id; equal ones cannot be ordered (ComfyUI too)."""

    number: float
    prompt_id: str
    prompt: dict[str, Any]
    extra_data: dict[str, Any]
    outputs: list[str]


class Ended(NamedTuple):
    """How a prompt ended: what goes into the history."""

    outputs: dict[str, Any]
    meta: dict[str, Any]
    success: bool
    messages: list[tuple[str, dict[str, Any]]]


class PromptQueue:
    """`changed` is called after every change, with the lock held: it must not block or call back."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._lock = threading.RLock()
        self._filled = threading.Condition(self._lock)
        self._waiting: list[Item] = []
        self._running: Item | None = None
        self._history: dict[str, dict[str, Any]] = {}
        self._closed = False
        self._interrupt = False

    # --- The worker's side

    def take(self) -> Item | None:
        """Wait for the next prompt; None once closed."""
        with self._filled:
            while not self._waiting and not self._closed:
                self._filled.wait()
            if self._closed:
                return None
            self._running = heapq.heappop(self._waiting)
            self._interrupt = False
            self._changed()
            return self._running

    def done(self, item: Item, ended: Ended) -> None:
        """The running prompt is over."""
        with self._lock:
            self._running = None
            if self._closed:
                return
            while len(self._history) > HISTORY_SIZE:
                self._history.pop(next(iter(self._history)))
            self._history[item.prompt_id] = {
                "prompt": list(item),
                "outputs": ended.outputs,
                "status": {
                    "status_str": "success" if ended.success else "error",
                    "completed": ended.success,
                    "messages": [list(message) for message in ended.messages],
                },
                "meta": ended.meta,
            }
            self._changed()

    def is_interrupted(self) -> bool:
        """The running prompt is to stop."""
        with self._lock:
            return self._interrupt or self._closed

    # --- The routes' side

    def put(self, item: Item) -> None:
        with self._filled:
            heapq.heappush(self._waiting, item)
            self._changed()
            self._filled.notify()

    def interrupt(self, prompt_id: str | None = None) -> bool:
        """Stop the running prompt: that one only, or whichever runs. False if that one does not run."""
        with self._lock:
            if prompt_id is not None and (self._running is None or self._running.prompt_id != prompt_id):
                return False
            self._interrupt = True
            return True

    def cancel(self, prompt_id: str) -> bool:
        """Stop it if it runs, drop it if it waits."""
        with self._lock:
            return self.interrupt(prompt_id) or self.delete(prompt_id)

    def delete(self, prompt_id: str) -> bool:
        with self._lock:
            for index, item in enumerate(self._waiting):
                if item.prompt_id == prompt_id:
                    del self._waiting[index]
                    heapq.heapify(self._waiting)
                    self._changed()
                    if not self._waiting:
                        self._changed()  # as ComfyUI: emptying the queue is announced twice
                    return True
            return False

    def clear(self) -> None:
        with self._lock:
            self._waiting.clear()
            self._changed()

    def current(self) -> tuple[list[Item], list[Item]]:
        """Running, and waiting in heap order (not in the order they will run)."""
        with self._lock:
            return [self._running] if self._running else [], list(self._waiting)

    @property
    def remaining(self) -> int:
        with self._lock:
            return len(self._waiting) + (self._running is not None)

    def history(self, prompt_id: str | None = None) -> dict[str, Any]:
        """Oldest first; of one prompt, {} if it is unknown or unfinished."""
        with self._lock:
            if prompt_id is not None:
                found = self._history.get(prompt_id)
                return {prompt_id: copy.deepcopy(found)} if found else {}
            return dict(self._history)

    def forget(self, prompt_id: str) -> None:
        with self._lock:
            self._history.pop(prompt_id, None)

    def clear_history(self) -> None:
        with self._lock:
            self._history.clear()

    # --- Life

    def close(self) -> None:
        """The worker is to end: what runs is given up, and leaves no history."""
        with self._filled:
            self._closed = True
            self._filled.notify_all()

    def reopen(self, *, keep_history: bool) -> None:
        """After a restart: what waited or ran is lost, as on a real server."""
        with self._lock:
            self._closed = False
            self._running = None
            self._waiting.clear()
            if not keep_history:
                self._history.clear()
