"""What TextGenerate answers on the demo pod: the given words, dressed up from a fixed wardrobe. No language model."""

import random
import re

_LIGHT = (
    "soft morning light", "golden evening light", "diffuse light under a high sky", "a single warm lamp",
    "cool moonlight", "light through thin mist",
)  # fmt: skip
_MEDIUM = (
    "broad brush strokes", "fine pencil under thin washes", "thick oil paint", "flat shapes and clear edges",
    "a muted palette with one bright accent", "layered colour, darks first",
)  # fmt: skip
_FRAME = (
    "seen from a low angle", "framed wide with much sky", "close, with a blurred background",
    "centred, with quiet surroundings", "placed off-centre, leading to the right", "in deep perspective",
)  # fmt: skip
_LABELS = re.compile(r"^\s*(?:user|prompt|input|text|original|idea|user (?:raw input )?prompt)\s*:\s*", re.IGNORECASE)
_QUOTED = re.compile(r'"""(.+?)"""|<prompt>(.+?)</prompt>|"([^"\n]{3,})"', re.DOTALL)
_TAGS = re.compile(r"<\|?[^<>\n]*\|?>")


def rewrite(request: str, seed: int, limit: int) -> str:
    """A fuller prompt, of at most `limit` words. Instructions before the words to rewrite are left out."""
    subject = subject_of(request)
    rng = random.Random(f"{request}\0{seed}")  # noqa: S311 - words, no secret
    parts = [subject.rstrip(" .,;") or "a quiet scene", rng.choice(_FRAME), rng.choice(_LIGHT), rng.choice(_MEDIUM)]
    return " ".join(", ".join(parts).split()[:limit])


def subject_of(request: str) -> str:
    """The words to rewrite: what is quoted or tagged, else the last paragraph, without its label."""
    quoted = _QUOTED.findall(request)
    if quoted:
        return " ".join(next(part for part in quoted[-1] if part).split())
    paragraphs = [part for part in re.split(r"\n\s*\n|\n", _TAGS.sub("\n", request)) if part.strip()]
    if not paragraphs:
        return ""
    spoken = [part for part in paragraphs if part.strip().lower() not in ("assistant", "model", "user", "system")]
    return " ".join(_LABELS.sub("", (spoken or paragraphs)[-1]).split())
