"""How data flows through an API graph: who feeds whom, of which type, and what the server will really run."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping

from comfydesk.workflow.catalog import Catalog, InputSpec, NodeSpec
from comfydesk.workflow.graph import ApiGraph, ApiLink, ApiNode

ANY = "*"
FieldKey = tuple[str, str]
"""Node id, input name."""


class Flow:
    """An index over one graph. Types come from the catalog; of unknown classes they are ANY."""

    def __init__(self, graph: ApiGraph, catalog: Catalog) -> None:
        self.graph = graph
        self.nodes = graph.nodes
        self._catalog = catalog
        self.consumers: dict[str, list[tuple[str, str]]] = {}
        """Node id → the (node, input) pairs its outputs feed."""
        for node_id, node in graph.nodes.items():
            for name, link in node.links():
                self.consumers.setdefault(link.node, []).append((node_id, name))
        self.outputs = tuple(node_id for node_id in graph.nodes if self._is_output(node_id))
        """Nodes a run is for: what saves or shows something."""
        self.depth: Mapping[str, int] = self._upstream(self.outputs or graph.nodes, self._all_links)
        """Node id → links to the nearest output. Only these nodes are run."""
        self.live: Mapping[str, int] = self._upstream(self.outputs or graph.nodes, self.live_links)
        """Likewise, with every switch followed as it is set."""

    def spec(self, node_id: str) -> NodeSpec | None:
        """The node's class, None if the catalog has none."""
        return self._catalog.nodes.get(self.nodes[node_id].class_type)

    def input_spec(self, node_id: str, name: str) -> InputSpec | None:
        """The declaration behind an input, in dynamic combos the chosen option's, in autogrows the item's."""
        spec = self.spec(node_id)
        return _declared(spec.inputs, name, self.nodes[node_id]) if spec else None

    def input_type(self, node_id: str, name: str) -> str:
        spec = self.input_spec(node_id, name)
        return spec.type if spec else ANY

    def output_type(self, link: ApiLink) -> str:
        """The type of a wire by its origin; an output that follows its input is ANY."""
        spec = self.spec(link.node) if link.node in self.nodes else None
        return spec.outputs[link.slot].type if spec and 0 <= link.slot < len(spec.outputs) else ANY

    def output_name(self, link: ApiLink) -> str:
        spec = self.spec(link.node) if link.node in self.nodes else None
        return spec.outputs[link.slot].name if spec and 0 <= link.slot < len(spec.outputs) else ""

    def output_types(self, node_id: str) -> tuple[str, ...]:
        spec = self.spec(node_id)
        return tuple(output.type for output in spec.outputs) if spec else ()

    def literals(self, node_id: str) -> Iterator[tuple[str, object]]:
        """The inputs that hold a value."""
        for name, value in self.nodes[node_id].inputs.items():
            if not isinstance(value, ApiLink):
                yield name, value

    def is_switch(self, node_id: str) -> bool:
        """It passes one of `on_true` and `on_false` on."""
        inputs = self.nodes[node_id].inputs
        return "switch" in inputs and ("on_true" in inputs or "on_false" in inputs)

    def live_links(self, node_id: str) -> Iterator[ApiLink]:
        """Links that matter with the switches as they are."""
        node = self.nodes[node_id]
        unused = ""
        if self.is_switch(node_id):
            chosen = self._boolean(node.inputs["switch"])
            unused = "" if chosen is None else "on_false" if chosen else "on_true"
        return (link for name, link in node.links() if name != unused)

    def _boolean(self, value: object) -> bool | None:
        """A literal, or the value of a primitive node that feeds it."""
        for _ in range(4):
            if not isinstance(value, ApiLink):
                return value if isinstance(value, bool) else None
            origin = self.nodes.get(value.node)
            value = origin.inputs.get("value") if origin else None
        return None

    def _is_output(self, node_id: str) -> bool:
        spec = self.spec(node_id)
        return spec.output_node if spec else node_id not in self.consumers

    def _all_links(self, node_id: str) -> Iterator[ApiLink]:
        return (link for _, link in self.nodes[node_id].links())

    def _upstream(self, starts: Iterable[str], links: Callable[[str], Iterator[ApiLink]]) -> dict[str, int]:
        depth = dict.fromkeys(starts, 0)
        queue = deque(depth)
        while queue:
            node_id = queue.popleft()
            for link in links(node_id):
                if link.node not in depth and link.node in self.nodes:
                    depth[link.node] = depth[node_id] + 1
                    queue.append(link.node)
        return depth


def _declared(inputs: Iterable[InputSpec], name: str, node: ApiNode) -> InputSpec | None:
    for spec in inputs:
        if spec.name == name:
            return spec
        if not name.startswith(f"{spec.name}."):
            continue
        if spec.children:
            choice = node.inputs.get(spec.name)
            children = spec.children.get(choice) if isinstance(choice, str) else None
            return _declared(children or (), name, node)
        if spec.autogrow and spec.autogrow.inputs:
            slot = name[len(spec.name) + 1 :]
            items = spec.autogrow.inputs
            return next((item for item in items if len(items) > 1 and slot.startswith(item.name)), items[0])
    return None
