"""Bounds on what a workflow file may hold. Far above any real workflow, low enough for bounded memory and time.

The largest official template has 200 KB and 190 nodes; large private ones reach a few MB and a thousand nodes.
"""

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
MAX_EXPANDED_NODES = 100_000
"""Nodes after every instance of a subgraph is expanded."""
MAX_NESTING = 100
"""Instances inside instances."""
