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
_FLAWS = (
    "blurry", "low contrast", "extra fingers", "crooked horizon", "compression artefacts", "cropped subject",
    "stray text", "watermark", "flat light",
)  # fmt: skip
_TAGGED = re.compile(r"<prompt>((?:(?!</?prompt>).)*)</prompt>", re.DOTALL)
_QUOTED = re.compile(r'"""(.+?)"""|"([^"\n]{3,})"', re.DOTALL)
_NEGATIVE = re.compile(r"\bnegative prompts?\b", re.IGNORECASE)
_CORRECTED = re.compile(r"\bonly correct\b|\byou correct prompts\b", re.IGNORECASE)
_PICTURE = re.compile(r"^\s*describe the (picture|image)\b.*$", re.IGNORECASE | re.MULTILINE)
_TAGS = re.compile(r"<\|?[^<>\n]*\|?>")


def rewrite(request: str, seed: int, limit: int) -> str:
    """A fuller prompt, of at most `limit` words. Instructions around the words to rewrite are left out.

    As a model does, it answers what it is asked for: flaws for a negative prompt, no more than a clean sentence where
    it is to correct one.
    """
    subject = subject_of(request)
    told = request.replace(subject, "") if subject else request
    rng = random.Random(f"{request}\0{seed}")  # noqa: S311 - words, no secret
    words = subject.rstrip(" .,;")
    if _CORRECTED.search(told):
        parts = [words[:1].upper() + words[1:] or "A quiet scene"]
    elif _NEGATIVE.search(told):
        parts = [*filter(None, [words]), *rng.sample([flaw for flaw in _FLAWS if flaw not in words], 4)]
    else:
        parts = [words or "a quiet scene", rng.choice(_FRAME), rng.choice(_LIGHT), rng.choice(_MEDIUM)]
    return " ".join(", ".join(parts).split()[:limit])


def subject_of(request: str) -> str:
    """The words to rewrite: what is tagged or quoted, else the last paragraph, without its label.

    Of several the last: those before it are examples. Nothing where a picture is to be described.
    """
    tagged = _TAGGED.findall(request)
    if tagged and not _PICTURE.search(request.rpartition("</prompt>")[2]):
        return " ".join(tagged[-1].split())
    if _PICTURE.search(request):
        return ""
    quoted = _QUOTED.findall(request)
    if quoted:
        return " ".join(next(part for part in quoted[-1] if part).split())
    paragraphs = [part for part in re.split(r"\n\s*\n|\n", _TAGS.sub("\n", request)) if part.strip()]
    if not paragraphs:
        return ""
    spoken = [part for part in paragraphs if part.strip().lower() not in ("assistant", "model", "user", "system")]
    return " ".join(_LABELS.sub("", (spoken or paragraphs)[-1]).split())
