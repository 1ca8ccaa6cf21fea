"""A picture wants a mask where the graph reads its alpha as one."""

from comfydesk.workflow.fields import Field, Form, Kind, Role
from comfydesk.workflow.graph import ApiGraph, ApiLink, ApiNode
from comfydesk.workflow.masks import masked_inputs

FORM = Form((
    Field("1.image", "Image", Kind.IMAGE, "a.png", Role.IMAGE),
    Field("2.image", "Mask", Kind.IMAGE, "b.png", Role.MASK),
    Field("3.text", "Prompt", Kind.TEXT, "", Role.PROMPT),
))  # fmt: skip


def graph(slot: int, channel: str) -> ApiGraph:
    return ApiGraph({
        "1": ApiNode("LoadImage", {"image": "a.png"}),
        "2": ApiNode("LoadImageMask", {"image": "b.png", "channel": channel}),
        "4": ApiNode("InpaintModelConditioning", {"mask": ApiLink("1", slot), "pixels": ApiLink("1", 0)}),
    })  # fmt: skip


def test_the_mask_of_a_loaded_picture_is_used() -> None:
    assert masked_inputs(FORM, graph(1, "red")) == {"1.image"}


def test_only_its_colours_are_used() -> None:
    assert masked_inputs(FORM, graph(0, "red")) == frozenset()


def test_a_mask_of_its_own_is_read_from_alpha() -> None:
    assert masked_inputs(FORM, graph(0, "alpha")) == {"2.image"}
