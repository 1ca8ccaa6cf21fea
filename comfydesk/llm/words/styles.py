"""Styles: what an enhancement adds. Four are the product's own, the others are the user's, a text file each."""

from dataclasses import dataclass

MAX_RULES = 4000
"""Characters of a style of the user's own."""


@dataclass(frozen=True, slots=True)
class Style:
    """`rules` is what the language model is told; `share` scales how long the answer is to be."""

    id: str
    name: str
    help: str
    rules: str
    share: float = 1.0
    own: bool = False
    """The user's."""


DETAILED = Style(
    "detailed",
    "Detailed",
    "Adds concrete details of the subject, its surroundings, light and composition.",
    "Add concrete visual details: materials, textures, colours, surroundings, where the light comes from, composition. "
    "Keep the subject and the idea. Add nothing that contradicts them.",
)
CINEMATIC = Style(
    "cinematic",
    "Cinematic",
    "Tells it as a film frame: shot, lens, camera, lighting, mood.",
    "Make it a frame of a film: shot size, camera angle, lens and depth of field, lighting setup, colour grade, mood "
    "and atmosphere. Keep the subject and what happens.",
)
ARTISTIC = Style(
    "artistic",
    "Artistic",
    "Chooses a medium and a technique: oil, ink, gouache, print, photography.",
    "Make it a work of art: choose one medium and technique that suit it (such as oil with a palette knife, ink wash, "
    "gouache, linocut), name an art movement, and describe brushwork, palette and composition. Keep the subject. If "
    "the prompt names a medium, stay with it.",
)
MINIMAL = Style(
    "minimal",
    "Minimal",
    "Corrects spelling, grammar and order. Adds nothing.",
    "Only correct spelling and grammar and make it clear. Change as little as possible. Add no new content and no "
    "adjectives.",
    share=0.5,
)
STYLES = (DETAILED, CINEMATIC, ARTISTIC, MINIMAL)


def own_style(name: str, text: str) -> Style:
    """A style of the user's, from a file: its rules, after an optional first line `# what it does`."""
    first, _, rest = text.strip().partition("\n")
    told = first.startswith("#")
    help_text = first.lstrip("# ").strip() if told else ""
    rules = (rest if told else text).strip()[:MAX_RULES]
    return Style(name, name, help_text or " ".join(rules.split())[:120], rules, own=True)
