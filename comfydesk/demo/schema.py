"""Dynamic inputs of modern nodes: growing lists (autogrow) and combos whose choice brings inputs of its own.

An API graph carries them flat ("images.image0", "format.codec"); a node's function gets them nested.
"""

from collections.abc import Mapping
from typing import Any

from comfydesk.demo.nodes.base import Spec

AUTOGROW = "COMFY_AUTOGROW_V3"
DYNAMIC_COMBO = "COMFY_DYNAMICCOMBO_V3"
Inputs = dict[str, dict[str, Spec]]


def expand(inputs: Mapping[str, Mapping[str, Spec]], given: Mapping[str, Any]) -> Inputs:
    """The flat inputs of a node: what `inputs` declares, with dynamic ones replaced by what `given` calls for."""
    flat: Inputs = {"required": {}, "optional": {}}
    for part in ("required", "optional"):
        for name, spec in inputs.get(part, {}).items():
            _expand_one(flat, part, name, spec, given)
    return flat


def nest(inputs: Mapping[str, Mapping[str, Spec]], values: Mapping[str, Any]) -> dict[str, Any]:
    """`values` as a node's function takes them: dotted names become dicts, a dynamic combo's key sits under its name.

    "format": "mp4", "format.codec": "h264" → "format": {"format": "mp4", "codec": {"codec": "h264"}}.
    """
    dynamic = [name for part in inputs.values() for name, spec in part.items() if spec[0] in (AUTOGROW, DYNAMIC_COMBO)]
    if not dynamic:
        return dict(values)
    flat = expand(inputs, values)
    combos = {name for part in flat.values() for name, spec in part.items() if spec[0] == DYNAMIC_COMBO}
    nested: dict[str, Any] = {name: {} for part in inputs.values() for name in part if part[name][0] == AUTOGROW}
    for name, value in values.items():
        *path, last = name.split(".")
        if name in combos:
            path.append(last)
        place = nested
        for key in path:
            place = place.setdefault(key, {})
        place[last] = value
    return nested


def _expand_one(flat: Inputs, part: str, name: str, spec: Spec, given: Mapping[str, Any]) -> None:
    if spec[0] == AUTOGROW:
        template = spec[1]["template"]
        needed = "required" if template["input"].get("required") else "optional"
        child = next(iter(template["input"][needed].values()))
        names = template.get("names") or [f"{template['prefix']}{index}" for index in range(template["max"])]
        for index, slot in enumerate(names):
            place = "required" if needed == "required" and index < template["min"] else "optional"
            flat[place][f"{name}.{slot}"] = child
    elif spec[0] == DYNAMIC_COMBO:
        chosen = next((option for option in spec[1]["options"] if option["key"] == given.get(name)), None)
        if chosen is None:  # as in ComfyUI: a missing or unknown choice is not validated, and arrives nowhere
            return
        for inner, specs in chosen["inputs"].items():
            for child_name, child_spec in specs.items():
                _expand_one(flat, inner, f"{name}.{child_name}", child_spec, given)
        flat[part][name] = spec
    else:
        flat[part][name] = spec
