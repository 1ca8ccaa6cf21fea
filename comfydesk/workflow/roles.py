"""What the inputs of a graph mean: which text is the prompt, which number the seed, whatever nodes they sit in.

Texts are in `texts`. Numbers, choices and files are told by the name and type of the input they end in, and followed
back through primitives and switches to the literal a person typed.
"""

import re
from collections.abc import Mapping

from comfydesk.workflow.fields import Role
from comfydesk.workflow.flow import FieldKey, Flow
from comfydesk.workflow.graph import ApiLink
from comfydesk.workflow.texts import text_roles
from comfydesk.workflow.titles import role_of_title


def assign_roles(flow: Flow) -> dict[FieldKey, Role]:
    """The role of every literal input that has one. Only nodes that the server runs are looked at."""
    return _Values(flow).assign() | text_roles(flow)


_NUMBERS: tuple[tuple[Role, re.Pattern[str]], ...] = tuple(
    (role, re.compile(rf"(?:^|\.)(?:{names})$"))
    for role, names in (
        (Role.SEED, r"(\w+_)?seed(_num)?"),
        (Role.STEPS, r"(num_|inference_|num_inference_|sampling_)?steps"),
        (Role.CFG, r"cfg|cfg_scale|cfg_conds|guidance|guidance_scale|video_cfg"),
        (Role.DENOISE, r"denoise|denoising_strength"),
        (Role.WIDTH, r"(custom_|image_|video_)?width"),
        (Role.HEIGHT, r"(custom_|image_|video_)?height"),
        (Role.LENGTH, r"length|num_frames|frames|frames_number|video_frames|frame_count|video_length"),
        (Role.FPS, r"fps|frame_?rate"),
        (Role.BATCH, r"batch_size|num_images|n"),
        (Role.DURATION, r"duration|duration_seconds|seconds|max_duration|video_duration"),
    )
)
_CHOICES: Mapping[str, Role] = {
    "sampler_name": Role.SAMPLER,
    "sampler": Role.SAMPLER,
    "scheduler": Role.SCHEDULER,
    "duration": Role.DURATION,
    "fps": Role.FPS,
}
_FOLDERS: Mapping[str, Role] = {
    "checkpoints": Role.CHECKPOINT,
    "diffusion_models": Role.CHECKPOINT,
    "loras": Role.LORA,
}
_UPLOADS: Mapping[str, Role] = {"image": Role.IMAGE, "video": Role.VIDEO, "audio": Role.AUDIO}
_STRENGTH = re.compile(r"^(strength|strength_model|lora_strength|model_strength|strength_\d+)$")
_SCALARS = ("INT", "FLOAT", "BOOLEAN", "COMBO", "STRING")


class _Values:
    """Finds every role that is no text."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self._roles: dict[FieldKey, Role] = {}

    def assign(self) -> dict[FieldKey, Role]:
        flow = self._flow
        for node_id in flow.depth:
            inputs = flow.nodes[node_id].inputs
            for name in inputs:
                role = self._direct(node_id, name)
                if role is not None:
                    self._follow(node_id, name, role)
        for node_id in flow.depth:
            key = self._primitive(node_id)
            titled = role_of_title(flow.nodes[node_id].title) if key else None
            number = key and type(flow.nodes[node_id].inputs[key[1]]) in (int, float)
            if key and number and titled and titled not in (Role.PROMPT, Role.NEGATIVE):
                self._roles[key] = titled
        return self._roles

    def _direct(self, node_id: str, name: str) -> Role | None:
        """The role of an input by what it is declared as."""
        spec = self._flow.input_spec(node_id, name)
        value = self._flow.nodes[node_id].inputs[name]
        kind = spec.type if spec else type(value).__name__
        if spec is not None and spec.upload:
            return Role.MASK if "mask" in name or self._gives_masks(node_id) else _UPLOADS.get(spec.upload)
        if spec is not None and spec.folder:
            role = _FOLDERS.get(spec.folder)
            # Some loaders take only the VAE out of a checkpoint.
            outputs = self._flow.output_types(node_id)
            return role if role is not Role.CHECKPOINT or "MODEL" in outputs else None
        if kind in ("COMBO", "str"):
            return _CHOICES.get(name.rpartition(".")[2])
        if not {*kind.split(",")} & {"INT", "FLOAT", "int", "float"}:
            return None
        if _STRENGTH.match(name) and self._loads_lora(node_id):
            return Role.LORA_STRENGTH
        return next((role for role, pattern in _NUMBERS if pattern.search(name)), None)

    def _gives_masks(self, node_id: str) -> bool:
        """All that is used of its outputs is a mask."""
        used = set()
        for consumer, name in self._flow.consumers.get(node_id, ()):
            link = self._flow.nodes[consumer].inputs[name]
            used.add(self._flow.output_type(link) if isinstance(link, ApiLink) else "")
        return used == {"MASK"}

    def _loads_lora(self, node_id: str) -> bool:
        inputs = self._flow.nodes[node_id].inputs
        return any("lora" in name and not isinstance(value, ApiLink) for name, value in inputs.items())

    def _follow(self, node_id: str, name: str, role: Role) -> None:
        """Give `role` to the literal behind an input: itself, or what a primitive or a switch passes on."""
        flow = self._flow
        stack, seen = [(node_id, name)], set()
        while stack:
            node_id, name = stack.pop()
            if (node_id, name) in seen:
                continue
            seen.add((node_id, name))
            value = flow.nodes[node_id].inputs.get(name)
            if not isinstance(value, ApiLink):
                self._roles.setdefault((node_id, name), role)
            elif value.node in flow.nodes:
                if flow.is_switch(value.node):
                    stack += [(value.node, branch) for branch in ("on_true", "on_false")]
                else:
                    primitive = self._primitive(value.node)
                    stack += [primitive] if primitive else []

    def _primitive(self, node_id: str) -> FieldKey | None:
        """The one input of a node that only holds a value."""
        spec = self._flow.spec(node_id)
        inputs = self._flow.nodes[node_id].inputs
        if len(inputs) != 1 or (spec is not None and (len(spec.inputs) != 1 or spec.inputs[0].type not in _SCALARS)):
            return None
        (name,) = inputs
        return node_id, name
