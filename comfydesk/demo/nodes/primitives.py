"""Single values as nodes, and PreviewAny."""

import json
from typing import Any

from comfydesk.demo.nodes.base import NodeClass, float_spec, int_spec, text_spec
from comfydesk.demo.values import Result

_LIMIT = 2**63 - 1


def _same(value: Any) -> Result:
    return Result((value,))


def _preview_any(source: Any = None) -> Result:
    """Strings as they are, numbers as Python writes them, the rest as JSON or however it describes itself."""
    if isinstance(source, str):
        text = source
    elif source is None or isinstance(source, int | float):
        text = str(source)
    else:
        try:
            text = json.dumps(source, indent=4, ensure_ascii=False)
        except (TypeError, ValueError):
            text = str(source)
    return Result((text,), {"text": [text]})


def _primitive(name: str, title: str, type_: str, spec: list[Any], **more: Any) -> NodeClass:
    return NodeClass(
        name=name,
        run=_same,
        title=title,
        category="utilities/primitive",
        required={"value": spec},
        outputs=(type_,),
        module="comfy_extras.nodes_primitive",
        modern=True,
        **more,
    )


NODES = (
    _primitive("PrimitiveInt", "Int", "INT", int_spec(None, -_LIMIT, _LIMIT, control_after_generate="fixed")),
    _primitive("PrimitiveFloat", "Float", "FLOAT", float_spec(None, -_LIMIT, _LIMIT, step=0.1)),
    _primitive("PrimitiveString", "Text", "STRING", text_spec(multiline=False), aliases=("text", "string", "prompt")),
    _primitive(
        "PrimitiveStringMultiline",
        "Text (Multiline)",
        "STRING",
        text_spec(multiline=True),
        aliases=("text", "text multiline", "prompt"),
        essential="Basics",
    ),
    _primitive("PrimitiveBoolean", "Boolean", "BOOLEAN", ["BOOLEAN", {}]),
    NodeClass(
        name="PreviewAny",
        run=_preview_any,
        title="Preview as Text",
        category="utilities",
        required={"source": ["*", {}]},
        outputs=("STRING",),
        is_output=True,
        description="Shows any value as text.",
        module="comfy_extras.nodes_preview_any",
        aliases=("show output", "inspect", "show text"),
    ),
)
