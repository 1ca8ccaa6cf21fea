"""In which order the nodes of a prompt run: sources first, and whatever brings a result to see soonest."""

from collections.abc import Mapping
from typing import Any

from comfydesk.demo.nodes.base import NodeClass
from comfydesk.demo.validation import is_link


class Order:
    """What the `outputs` hang on, except behind nodes whose result is `cached`.

    Raises KeyError when a link leads nowhere, which validation has excluded.
    """

    def __init__(
        self,
        prompt: Mapping[str, Any],
        classes: Mapping[str, NodeClass],
        outputs: list[str],
        cached: frozenset[str],
    ) -> None:
        self._prompt = prompt
        self._classes = classes
        self._waits_for: dict[str, set[str]] = {}
        self._feeds: dict[str, list[str]] = {}
        stack = list(reversed(outputs))
        while stack:
            node = stack.pop()
            if node in self._waits_for:
                continue
            sources = [] if node in cached else _sources(prompt[node])
            pending = [source for source in sources if source not in cached]
            self._waits_for[node] = set(pending)
            for source in pending:
                self._feeds.setdefault(source, []).append(node)
            stack.extend(reversed(pending))

    def next(self) -> str | None:
        """The node to run now; None when all are done. Outputs first, then what an output waits for directly."""
        ready = [node for node, sources in self._waits_for.items() if not sources]
        if not ready:
            return None
        return min(ready, key=self._distance)

    def done(self, node: str) -> None:
        del self._waits_for[node]
        for follower in self._feeds.pop(node, ()):
            self._waits_for[follower].discard(node)

    def _distance(self, node: str) -> int:
        """Links from here to an output: 0, 1, 2, or 3 for anything farther."""
        reached = {node}
        for distance in range(3):
            if any(self._classes[self._prompt[entry]["class_type"]].is_output for entry in reached):
                return distance
            reached = {follower for entry in reached for follower in self._feeds.get(entry, ())}
        return 3


def _sources(node: Mapping[str, Any]) -> list[str]:
    return [value[0] for value in node["inputs"].values() if is_link(value)]
