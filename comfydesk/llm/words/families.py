"""Model families and their dialects: how a prompt has to be written for a model to understand it best.

A family is found from the names of the workflow's model files and node classes. Sources of the dialects: the models'
own cards and prompt guides; for lengths, what their text encoders take (CLIP: 77 tokens a chunk; T5 and Qwen: 512).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Shape(StrEnum):
    """What a prompt looks like."""

    TAGS = "tags"
    """Words and phrases with commas between them."""
    PROSE = "prose"
    """One paragraph of sentences."""
    INSTRUCTION = "instruction"
    """What to change, and what stays."""


@dataclass(frozen=True, slots=True)
class Family:
    """A dialect. `rules` is what a language model is told about it, in few and short sentences."""

    id: str
    name: str
    shape: Shape
    rules: str
    words: int
    """About how many the model likes."""
    before: str = ""
    after: str = ""
    """An example: a plain prompt, and how it reads in this dialect. <k1/> stands for a protected span."""
    takes_negative: bool = True
    """It has a negative prompt that does something (distilled models ignore it)."""


_TAG_RULES = (
    "Write comma separated tags and short phrases, no sentences. "
    "Order: subject, its features, clothing, action, setting, light, composition, quality."
)
_PROSE_RULES = (
    "Write one flowing paragraph of natural English sentences, no tag lists. "
    "Say what is seen: subject first, then its details, surroundings, light, colours and framing."
)

FAMILIES: tuple[Family, ...] = (
    Family(
        "prose",
        "Natural language",
        Shape.PROSE,
        _PROSE_RULES,
        90,
        "a fox in the snow, <k1/>",
        "A red fox stands in fresh snow at the edge of a pine wood, its breath a small cloud in the cold air. <k1/> "
        "Low winter sun comes from the left and edges its fur with gold, while the trees behind fall away into blue "
        "haze. The picture is taken at its eye level, close enough to see frost on the whiskers.",
    ),
    Family(
        "sd15",
        "Stable Diffusion 1.5",
        Shape.TAGS,
        f"{_TAG_RULES} Keep it under 50 words: more is forgotten.",
        40,
        "a fox in the snow, <k1/>",
        "photo of a red fox, standing in fresh snow, <k1/>, thick winter fur, pine forest edge, low sun, golden rim "
        "light, blue shadows, shallow depth of field, sharp focus",
    ),
    Family(
        "sdxl",
        "SDXL",
        Shape.TAGS,
        _TAG_RULES,
        60,
        "a fox in the snow, <k1/>",
        "red fox standing in fresh snow, <k1/>, thick winter fur, frost on whiskers, alert gaze, edge of a pine "
        "forest, low winter sun, golden rim light, blue shadows, eye level close-up, shallow depth of field, highly "
        "detailed, sharp focus",
    ),
    Family(
        "illustrious",
        "Illustrious, NoobAI",
        Shape.TAGS,
        f"{_TAG_RULES} Use Danbooru tags in lower case (1girl, solo, looking at viewer), quality tags last "
        "(masterpiece, best quality, absurdres).",
        60,
        "girl with umbrella in rain, <k1/>",
        "1girl, solo, <k1/>, holding umbrella, transparent umbrella, rain, wet street, reflection, neon lights, night, "
        "city, raincoat, looking at viewer, upper body, depth of field, masterpiece, best quality, absurdres",
    ),
    Family(
        "pony",
        "Pony Diffusion",
        Shape.TAGS,
        f"{_TAG_RULES} Begin with score_9, score_8_up, score_7_up and a source tag (source_anime, source_cartoon). "
        "Use booru tags in lower case.",
        60,
        "girl with umbrella in rain, <k1/>",
        "score_9, score_8_up, score_7_up, source_anime, 1girl, solo, <k1/>, holding umbrella, rain, wet street, "
        "reflections, neon lights, night city, raincoat, looking at viewer, upper body, depth of field",
    ),
    Family("flux", "Flux", Shape.PROSE, _PROSE_RULES, 90, takes_negative=False),
    Family(
        "qwen-image",
        "Qwen-Image",
        Shape.PROSE,
        f"{_PROSE_RULES} Text that is to be read in the picture: say where it stands, in which letters and colours.",
        110,
    ),
    Family(
        "z-image",
        "Z-Image",
        Shape.PROSE,
        f"{_PROSE_RULES} Be concrete and objective: things, positions, colours, materials; no metaphors, no moods.",
        110,
        takes_negative=False,
    ),
    Family("sd3", "Stable Diffusion 3, HiDream, Chroma", Shape.PROSE, _PROSE_RULES, 80),
    Family(
        "wan",
        "Wan",
        Shape.PROSE,
        "Describe a short video in one paragraph of 80 to 100 words: subject, scene, then the motion (what moves, how "
        "fast, in which direction), then the camera (static, pan, dolly, orbit, tracking), light and style.",
        90,
        "a fox in the snow, <k1/>",
        "A red fox trots through deep fresh snow at the edge of a pine wood, <k1/>, each step throwing up small puffs "
        "of powder. It slows, lifts its head and turns towards us, ears moving, breath drifting to the right in the "
        "cold air. Loose flakes fall slowly. The camera tracks sideways with the animal at its eye level, then eases "
        "to a stop and pushes in gently on its face. Low winter sun edges the fur with gold; realistic, fine detail, "
        "shallow depth of field.",
    ),
    Family(
        "hunyuan-video",
        "Hunyuan Video, Mochi, Cosmos",
        Shape.PROSE,
        "Describe a short video in one paragraph: subject and scene, then the motion, then the camera, light and "
        "style. Present tense.",
        80,
    ),
    Family(
        "ltx",
        "LTX-Video",
        Shape.PROSE,
        "Write one chronological paragraph in the present tense, as a cameraman notes a single shot: the shot's size, "
        "the subject, each movement in the order it happens, then the camera, the light, the background, and the sound "
        "that is heard.",
        120,
        "a fox in the snow, <k1/>",
        "Medium shot of a red fox standing in fresh snow, <k1/>. It sniffs the air, takes three careful steps "
        "forward, then stops and tilts its head as if it hears something below. It crouches, leaps in a high arc and "
        "dives nose first into the snow, its tail still in the air. The camera holds at the animal's eye level and "
        "pans right to follow the leap. Low winter sun lights the scene from the left against a dark pine wood. Snow "
        "crunches softly, and wind moves through the trees.",
    ),
    Family(
        "edit",
        "Image editing",
        Shape.INSTRUCTION,
        "Write an editing instruction in one to three sentences: what to change, how it is to look, and what must stay "
        "as it is (the person's identity, pose, framing, background, light). Use verbs such as change, replace, add, "
        "remove. Do not describe the whole picture.",
        50,
        "make it night, <k1/>",
        "Change the time of day to night: a dark blue sky with a few stars and warm light from the windows, <k1/>. "
        "Keep the buildings, the people and the framing exactly as they are.",
        takes_negative=False,
    ),
    Family(
        "audio",
        "Music and sound",
        Shape.TAGS,
        "Write comma separated descriptors of sound: genre, mood, instruments, tempo, voice, production. "
        "Nothing that is seen.",
        30,
        "calm piano, <k1/>",
        "ambient, calm, solo felt piano, <k1/>, slow tempo, 70 bpm, warm room reverb, intimate close recording, "
        "soft pedal noise, no drums",
        takes_negative=False,
    ),
)
BY_ID = {family.id: family for family in FAMILIES}
DEFAULT = FAMILIES[0]

_NAMES: tuple[tuple[str, str], ...] = (
    ("edit", r"(?<![a-z])edit|kontext|instruct-?pix|step1x|dreamomni|icedit"),
    ("audio", r"ace[-_ ]?step|stable[-_ ]?audio|musicgen|audioldm"),
    ("ltx", r"ltx"),
    ("wan", r"(?<![a-z])wan[-_ ]?(?:2|i2v|t2v|fun|vace|animate|move)|wan2|skyreels[-_ ]?v2|phantom"),
    (
        "hunyuan-video",
        r"hunyuan[-_ ]?video|mochi|cosmos|cogvideo|kandinsky5?[-_ ]?(?:lite|pro)?[-_ ]?[ti]2v|(?<![a-z])svd",
    ),
    ("z-image", r"z[-_ ]?image"),
    ("qwen-image", r"qwen[-_ ]?image"),
    ("flux", r"flux|krea"),
    ("sd3", r"sd[-_ ]?3|stable[-_ ]?diffusion[-_ ]?3|hidream|chroma|auraflow|lumina|pixart|kolors|ovis|newbie"),
    ("pony", r"pony|score[-_ ]?9|autismmix"),
    (
        "illustrious",
        r"illustrious|noob[-_ ]?ai|noobxl|animagine|wai[-_ ]?(?:nsfw|ill|xl)|hassaku|anima(?![a-z])|obsession",
    ),
    (
        "sdxl",
        r"sd[-_ ]?xl|(?<!x)xl(?![a-z])|juggernaut|realvis|playground|refiner|cascade",
    ),
    (
        "sd15",
        r"sd[-_ ]?(?:v?1|2)[-_.]|v1[-_.]5|1[-_.]5|v2[-_]1|dreamshaper|deliberate|realistic[-_ ]?vision|epicrealism",
    ),
)
_FOUND_BY = tuple((family, re.compile(pattern, re.IGNORECASE)) for family, pattern in _NAMES)
_NODES: tuple[tuple[str, str], ...] = (
    ("edit", r"TextEncode\w*Edit|Kontext|ReferenceLatent"),
    ("audio", r"AceStep|EmptyLatentAudio|StableAudio|ConditioningStableAudio"),
    ("ltx", r"LTX"),
    ("wan", r"\AWan(?!nier)"),
    ("hunyuan-video", r"HunyuanVideo|Mochi|Cosmos|SVD_"),
    ("sd3", r"SD3|HiDream"),
    ("qwen-image", r"QwenImage"),
    ("flux", r"Flux"),
    ("sdxl", r"SDXL"),
)
_FOUND_BY_NODE = tuple((family, re.compile(pattern)) for family, pattern in _NODES)
_BESIDE = re.compile(
    r"lora|vae|clip|t5|umt5|text_encoder|upscale|controlnet|control[-_]|esrgan|embedding", re.IGNORECASE
)
"""Names of files that are not the model itself: they are asked second."""


def family_of(models: Iterable[str], nodes: Iterable[str] = ()) -> str:
    """Id of the family, by the names of model files (with or without folders) and node classes; "prose" if unknown."""
    names = [name.replace("\\", "/").rpartition("/")[2].rsplit(".", 1)[0] for name in models]
    classes = list(nodes)
    if any(_FOUND_BY_NODE[0][1].search(one) for one in classes) and not any("Video" in one for one in classes):
        return "edit"
    main = [name for name in names if not _BESIDE.search(name)]
    for group in (main, [name for name in names if name not in main]):
        for family, pattern in _FOUND_BY:
            if any(pattern.search(name) for name in group):
                return family
        if group is main:
            for family, pattern in _FOUND_BY_NODE:
                if any(pattern.search(one) for one in classes):
                    return family
    return DEFAULT.id
