"""Bounds on what a workflow file may hold. Far above any real workflow, low enough for bounded memory and time.

The largest official template has 200 KB and 190 nodes; large private ones reach a few MB and a thousand nodes.
"""

from comfydesk.errors import GraphError

MAX_BYTES = 64 * 2**20
"""Size of the JSON text."""
MAX_CONTAINERS = 1_000_000
"""Opening brackets and braces in the text: each costs about 100 bytes of memory."""
MAX_VALUES = 4_000_000
"""Commas in the text."""
MAX_DEPTH = 256
"""Nesting of the JSON text."""
MAX_NODES = 20_000
"""Nodes of the root and all definitions together; also of an API graph."""
MAX_LINKS = 200_000
"""Links of the root and all definitions together."""
MAX_SUBGRAPHS = 2_000
MAX_GROUPS = 500
"""Canvas groups of which one is told to be a node's. Each is compared with each node of the root."""
MAX_EXPANDED_NODES = 100_000
"""Nodes after every instance of a subgraph is expanded."""
MAX_NESTING = 100
"""Instances inside instances."""
MAX_STEPS = 1_000_000
"""Links and sockets looked at while converting one graph: two or three seconds. No template takes 10,000."""


class Budget:
    """What one conversion may still do. Files made to be slow (long chains, asked for by everyone) end in an error."""

    __slots__ = ("_left",)

    def __init__(self) -> None:
        self._left = MAX_STEPS

    def spend(self, steps: int = 1) -> None:
        """Count work. GraphError when there was too much."""
        self._left -= steps
        if self._left < 0:
            why = f"Its links take over {MAX_STEPS:,} steps to follow"
            raise GraphError("This workflow is too entangled", why, "Use fewer reroutes and subgraphs")
