"""Twenty prompts as people write them, and what is wrong with an enhanced one, as far as structure tells."""

import re

from comfydesk.llm.words.compose import Task
from comfydesk.llm.words.families import Shape
from comfydesk.llm.words.masking import verify

PROMPTS = (
    "a fox in the snow",
    "1girl, umbrella, rain, neon city <lora:rainy:0.7>",
    'a cafe at night with a neon sign that says "OPEN LATE"',
    "portrait of an old fisherman, (deep wrinkles:1.3), grey beard",
    "astronaut riding a horse on mars",
    "a {red|blue|green} sports car on a mountain road",
    "__animal__ reading a newspaper in a train",
    "isometric tiny kitchen, cutaway, soft colours",
    "woman in teal dress BREAK man in black suit, ballroom",
    "a bowl of ramen, steam, top view",
    "castle on a cliff, [day:night:0.5], stormy sea",
    "embedding:inkstyle a crane standing in water, minimal",
    "product shot of a perfume bottle on wet stone, “AURUM” on the label",
    "the dog runs along the beach and jumps over a wave",
    "make her jacket yellow and keep the face",
    "an empty metro station, one person far away, cinematic",
    "cat",
    "a wizards tower in a forrest with gloing windows",
    "two children build a paper boat, watercolor, ((soft edges))",
    "logo of a bakery named 'Le Four', flat vector, %date:yyyy%",
)
NEGATIVES = ("blurry, bad hands, watermark", "ugly, (text:1.4), embedding:EasyNegative, extra fingers")
_CHATTER = re.compile(r"\b(?:here is|sure|certainly|enhanced prompt|let me know|as an ai|prompt:)", re.IGNORECASE)
_MARKUP = re.compile(r"\*\*|^#|^[-*•] |```|</?(?:think|prompt|answer)>|<k\d|<\|", re.MULTILINE)


def faults(task: Task, text: str) -> list[str]:
    """What is wrong with `text` as the answer to `task`: nothing, for a good one."""
    found = []
    if not verify(task.masked, text):
        found.append("protected spans are not as they were")
    if _CHATTER.search(text):
        found.append("chatter")
    if _MARKUP.search(text):
        found.append("markup")
    bare = text
    for span in task.masked.spans:
        bare = bare.replace(span.text, " ")
    words = len(bare.split())
    if words > task.limit + 8:
        found.append(f"{words} words, at most {task.limit}")
    if not task.plain and words < max(4, task.words // 4):
        found.append(f"{words} words, about {task.words} wanted")
    commas, stops = bare.count(","), len(re.findall(r"[.!?](?:\s|\Z)", bare))
    if task.tags and not task.plain and (stops > 1 or commas * 8 < words):
        found.append("no list of tags")
    if not task.tags and not task.plain and task.family.shape is not Shape.TAGS and stops == 0:
        found.append("no sentence")
    if re.search(r",\s*,|\s,|\(\s*\)|\s{3,}", bare.replace("\n", " ")) and not task.masked.spans:
        found.append("stray punctuation")
    subject = {word[:4] for word in re.findall(r"[^\W\d_]{3,}", task.masked.words.casefold())}
    if len(subject) > 2 and not any(part in bare.casefold() for part in subject):
        found.append("the subject is gone")
    return found
