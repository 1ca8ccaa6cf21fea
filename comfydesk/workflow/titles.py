"""What authors mean by what they call nodes and inputs."""

import re

from comfydesk.workflow.fields import Role


def role_of_title(title: str) -> Role | None:
    """What an author who calls a node or an input so means by it."""
    text = title.lower()
    for role, pattern in _TITLES:
        if pattern.search(text):
            return role
    return None


_TITLES: tuple[tuple[Role, re.Pattern[str]], ...] = tuple(
    (role, re.compile(rf"\b(?:{words})\b"))
    for role, words in (
        (Role.NEGATIVE, "negative"),
        (Role.PROMPT, "positive|prompts?"),
        (Role.SEED, "seed"),
        (Role.STEPS, "steps?"),
        (Role.CFG, "cfg|guidance"),
        (Role.DENOISE, "denoise"),
        (Role.FPS, "fps|frame ?rate|frames per second"),
        (Role.WIDTH, "width"),
        (Role.HEIGHT, "height"),
        (Role.DURATION, "duration|seconds"),
        (Role.LENGTH, "length|frames|frame count"),
        (Role.BATCH, "batch size"),
    )
)
