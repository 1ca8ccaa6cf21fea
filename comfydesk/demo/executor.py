"""Runs prompts, one after the other, on a worker thread.

Results are kept by what made them (class, inputs, and theirs), so that an unchanged node is not run again: it is
reported as cached, and an output node still shows what it showed.
"""

import hashlib
import random
import threading
import time
import traceback
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from PIL import Image

from comfydesk.demo.faults import Script
from comfydesk.demo.folders import Folders
from comfydesk.demo.hub import Hub
from comfydesk.demo.nodes.base import Interrupted, NodeClass, OutOfMemoryError
from comfydesk.demo.order import Order
from comfydesk.demo.progress import Reporter
from comfydesk.demo.queue import Ended, Item, PromptQueue
from comfydesk.demo.schema import nest
from comfydesk.demo.validation import is_link, type_name
from comfydesk.demo.values import Blocked, Result, Ui

CACHE_SIZE = 128
OUT_OF_MEMORY_TIPS = (
    "This error means you ran out of memory on your GPU.\n\nTIPS: If the workflow worked before you might have "
    "accidentally set the batch_size to a large number."
)


@dataclass(slots=True)
class Shared:
    """What all prompts of one pod share. `speed` divides the time that steps pretend to take."""

    classes: Mapping[str, NodeClass]
    folders: Folders
    queue: PromptQueue
    hub: Hub
    script: Script
    speed: float = 1.0
    temp_tag: str = field(default_factory=lambda: "".join(random.choices("abcdefghijklmnopqrstuvwxyz", k=5)))  # noqa: S311


@dataclass(frozen=True, slots=True)
class Kept:
    """A node's result in the cache."""

    values: tuple[Any, ...]
    ui: Ui | None


class Executor:
    """The worker. `start` and `stop` belong to the pod's loop, everything else to the thread."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._cache: OrderedDict[bytes, Kept] = OrderedDict()
        self._forget = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._work, name="demo pod: worker", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Give up what runs and wait for the thread. Blocks for at most one step."""
        self._shared.queue.close()
        if self._thread:
            self._thread.join()
        self._thread = None

    def forget(self) -> None:
        """Drop all kept results, once the running prompt is over (/free)."""
        self._forget.set()

    def _work(self) -> None:
        shared = self._shared
        while (item := shared.queue.take()) is not None:
            if self._forget.is_set():
                self._forget.clear()
                self._cache.clear()
            shared.hub.client = item.extra_data.get("client_id")
            run = Run(shared, item, self._cache)
            ended = run.run()
            shared.hub.node = None
            shared.queue.done(item, ended)
            run.report.over()
            while len(self._cache) > CACHE_SIZE:
                self._cache.popitem(last=False)


class Run:
    """One prompt from start to end."""

    def __init__(self, shared: Shared, item: Item, cache: OrderedDict[bytes, Kept]) -> None:
        self.shared = shared
        self.item = item
        self.prompt = item.prompt
        self.report = Reporter(shared.hub, item.prompt_id)
        self._cache = cache
        self._keys: dict[str, bytes | None] = {}
        self._results: dict[str, Kept] = {}
        self._executed: list[str] = []
        self._shown: dict[str, Ui] = {}

    def run(self) -> Ended:
        report = self.report
        report.milestone("execution_start")
        cached = [node for node in self.prompt if self._kept(node)]
        report.milestone("execution_cached", nodes=cached)
        order = Order(self.prompt, self.shared.classes, self.item.outputs, frozenset(cached))
        success = True
        while success and (node := order.next()) is not None:
            success = self._run_node(node)
            order.done(node)
        if success:
            report.milestone("execution_success")
        meta = {
            node: {"node_id": node, "display_node": node, "parent_node": None, "real_node_id": node}
            for node in self._shown
        }
        return Ended(dict(self._shown), meta, success, report.messages)

    def _run_node(self, node: str) -> bool:
        kept = self._kept(node)
        if kept is not None:
            self._results[node] = kept
            if kept.ui is not None:
                self._shown[node] = kept.ui
            self.report.executed(node, kept.ui)
            self.report.finish(node)
            return True
        inputs: dict[str, Any] = {}
        try:
            self.report.start(node)
            inputs = self._inputs(node)
            self.report.executing(node)
            result = self._call(node, inputs)
        except Interrupted:
            self._failed("execution_interrupted", node, broadcast=True)
            return False
        except Exception as error:
            self._failed("execution_error", node, **self._details(error, inputs))
            return False
        if result.ui is not None:
            self._shown[node] = result.ui
            self.report.executed(node, result.ui)
        kept = Kept(result.values, result.ui)
        self._results[node] = kept
        if (key := self._key(node)) is not None:
            self._cache[key] = kept
        self.report.finish(node)
        self._executed.append(node)
        return True

    def _call(self, node: str, inputs: dict[str, Any]) -> Result:
        class_ = self.shared.classes[self.prompt[node]["class_type"]]
        if self.shared.queue.is_interrupted():
            raise Interrupted
        block = next((value for value in inputs.values() if isinstance(value, Blocked)), None)
        if block is not None:
            if block.message is not None:
                self.report.blocked(node, class_.name, list(self._executed), block.message)
            return Result((Blocked(),) * len(class_.outputs))
        fault = self.shared.script.node_fault(node, class_.name)
        if fault is not None and fault.block is not None:
            return Result((Blocked(fault.block),) * len(class_.outputs))
        if fault is not None:
            raise fault.error
        if class_.modern:
            inputs = nest(class_.inputs(self.shared.folders), inputs)
        return class_.call(NodeContext(self, node), inputs)

    def _inputs(self, node: str) -> dict[str, Any]:
        """The node's arguments: linked values fetched, unknown names dropped."""
        class_ = self.shared.classes[self.prompt[node]["class_type"]]
        declared = {*class_.required, *class_.optional}
        inputs: dict[str, Any] = {}
        for name, value in self.prompt[node]["inputs"].items():
            if is_link(value):
                source = self._results.get(value[0]) or self._kept(value[0])
                inputs[name] = source.values[int(value[1])] if source else None
            elif name.split(".")[0] in declared:
                inputs[name] = value
        return inputs

    # --- The cache

    def _kept(self, node: str) -> Kept | None:
        key = self._key(node)
        if key is None or (kept := self._cache.get(key)) is None:
            return None
        self._cache.move_to_end(key)
        return kept

    def _key(self, node: str) -> bytes | None:
        """What makes this node's result what it is; None: never keep it."""
        if node not in self._keys:
            self._keys[node] = self._make_key(node)
        return self._keys[node]

    def _make_key(self, node: str) -> bytes | None:
        entry = self.prompt[node]
        class_ = self.shared.classes.get(entry.get("class_type", ""))
        if class_ is None:
            return None
        parts: list[object] = [class_.name]
        if class_.changed is not None:
            try:
                parts.append(class_.changed(self.shared.folders, entry["inputs"]))
            except Exception:
                return None
        for name, value in sorted(entry["inputs"].items()):
            if is_link(value):
                source = self._key(value[0]) if value[0] in self.prompt else None
                if source is None:
                    return None
                parts.append((name, source, value[1]))
            else:
                parts.append((name, repr(value)))
        return hashlib.sha256(repr(parts).encode("utf-8", "surrogatepass")).digest()

    # --- When it fails

    def _failed(self, type_: str, node: str, *, broadcast: bool = False, **details: Any) -> None:
        class_type = self.prompt[node]["class_type"]
        self.report.milestone(
            type_, broadcast=broadcast, node_id=node, node_type=class_type, executed=list(self._executed), **details
        )

    def _details(self, error: Exception, inputs: Mapping[str, Any]) -> dict[str, Any]:
        tips = OUT_OF_MEMORY_TIPS if isinstance(error, OutOfMemoryError) else ""
        name = "torch.OutOfMemoryError" if isinstance(error, OutOfMemoryError) else type_name(error)
        return {
            "exception_message": f"{error}\n{tips}",
            "exception_type": name,
            "traceback": traceback.format_tb(error.__traceback__),
            "current_inputs": {name: [_shown(value)] for name, value in inputs.items()},
            "current_outputs": list(self.prompt),
        }


class NodeContext:
    """The running node's view of its executor (nodes.base.Context)."""

    def __init__(self, run: Run, node: str) -> None:
        self._run = run
        self._previews = run.item.extra_data.get("preview_method") in ("auto", "latent2rgb", "taesd")
        self._last = time.monotonic()
        self.folders = run.shared.folders
        self.node_id = node
        self.prompt: Mapping[str, Any] = run.prompt
        self.extra: Mapping[str, Any] | None = run.item.extra_data.get("extra_pnginfo")
        self.temp_tag = run.shared.temp_tag

    def step(
        self, value: int, total: int, picture: Callable[[], Image.Image] | None = None, seconds: float = 0
    ) -> None:
        queue = self._run.shared.queue
        until = self._last + seconds / self._run.shared.speed
        while not queue.is_interrupted() and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, 0.05))
        self._last = time.monotonic()
        if queue.is_interrupted():
            raise Interrupted
        shown = picture() if picture is not None and self._previews else None
        self._run.report.step(self.node_id, value, total, shown)

    def say(self, text: str) -> None:
        self._run.report.say(self.node_id, text)

    def write(self, size: int) -> None:
        self._run.shared.script.disk.take(size)


def _shown(value: Any) -> Any:
    return value if value is None or isinstance(value, (int, float, bool, str)) else str(value)
