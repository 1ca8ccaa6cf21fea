"""The node classes of the demo pod, one module per family. To add one: write it beside its kin, add it to NODES."""

from comfydesk.demo.nodes import audio, images, models, primitives, sampling, text, video
from comfydesk.demo.nodes.base import NodeClass


def all_nodes() -> dict[str, NodeClass]:
    """By class name."""
    families = (images, primitives, models, sampling, video, audio, text)
    return {entry.name: entry for family in families for entry in family.NODES}
