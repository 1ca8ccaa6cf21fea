"""What a pod can run: GET /object_info as a Catalog of typed node specifications.

A catalog has about 900 classes in 1.5 MB, most of them never looked at, so each NodeSpec is made when it is first asked
for. Source: ComfyUI 0.33.0 and its frontend 1.49.6.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from comfydesk.errors import GraphError
from comfydesk.workflow.layouts import Layout, layout_of
from comfydesk.workflow.specs import Autogrow, InputSpec, NodeSpec, OutputSpec, Section, node_spec

__all__ = ["Autogrow", "Catalog", "InputSpec", "NodeSpec", "OutputSpec", "Section"]


class Catalog:
    """All node classes of one pod."""

    __slots__ = ("_layouts", "nodes")

    def __init__(self, nodes: Mapping[str, NodeSpec]) -> None:
        self.nodes = nodes
        """Class name → NodeSpec."""
        self._layouts: dict[str, Layout] = {}

    def layout(self, name: str) -> Layout:
        """The widgets and sockets of a class. KeyError when the pod does not have it."""
        layout = self._layouts.get(name)
        if layout is None:
            layout = self._layouts[name] = layout_of(self.nodes[name])
        return layout

    @classmethod
    def from_object_info(cls, info: Mapping[str, Any]) -> "Catalog":
        """`info`: the JSON of GET /object_info, not to be changed afterwards. GraphError when it is no such thing."""
        if not isinstance(info, Mapping):
            raise GraphError("The pod's node catalog cannot be read", "It is not a JSON object")
        return cls(_LazyNodes(info))


class _LazyNodes(Mapping[str, NodeSpec]):
    """Specs made on first access. Safe from several threads: at worst one is made twice."""

    __slots__ = ("_info", "_known")

    def __init__(self, info: Mapping[str, Any]) -> None:
        self._info = info
        self._known: dict[str, NodeSpec] = {}

    def __getitem__(self, name: str) -> NodeSpec:
        spec = self._known.get(name)
        if spec is None:
            raw = self._info[name]
            spec = self._known[name] = node_spec(name, raw if isinstance(raw, Mapping) else {})
        return spec

    def __contains__(self, name: object) -> bool:
        return name in self._info

    def __iter__(self) -> Iterator[str]:
        return iter(self._info)

    def __len__(self) -> int:
        return len(self._info)
