"""What a prompt wants to see, as far as the demo pod can draw it. Plain word lists; nothing is understood."""

import random
import re
from dataclasses import dataclass

from comfydesk.demo.drawing.colors import NAMED, Color

PLACES: dict[str, str] = {
    "snow": "snow winter ice arctic polar snowy / ski christmas frozen penguin snowman",
    "underwater": "underwater coral reef aquarium / fish shark whale jellyfish dolphin diver submarine octopus",
    "space": "space galaxy nebula cosmos universe orbit asteroid / planet astronaut rocket spaceship starship saturn",
    "desert": "desert dune sahara canyon savanna oasis / cactus camel pyramid egypt mars",
    "lake": "lake river pond reflection waterfall stream fjord / swan",
    "sea": "sea ocean beach coast shore wave island bay harbour harbor surf seaside / boat sail ship lighthouse yacht",
    "mountains": "mountain alps peak summit himalaya cliff glacier valley volcano ridge / hiking hiker eagle",
    "city": "city street skyline skyscraper urban town building neon cyberpunk tokyo london paris metropolis alley / "
    "car bicycle bike cafe market taxi bus traffic cyclist robot",
    "forest": "forest wood woods jungle woodland rainforest grove / mushroom fox deer bear owl tree pine fairy",
    "field": "field meadow farm countryside village garden park landscape hill / flower poppy tulip sunflower horse "
    "cow sheep barn cottage house picnic wheat vineyard balloon butterfly castle",
    "portrait": "portrait face selfie headshot / woman man girl boy lady gentleman princess king queen wizard warrior "
    "knight elf vampire samurai model",
    "room": "room interior still-life still table kitchen desk / vase fruit candle cup coffee book teapot bouquet lamp "
    "chair apple lemon product bottle",
    "abstract": "abstract pattern geometric fractal texture cubism psychedelic swirl logo / shapes minimal background",
}
"""Place → words that name it / words that only hint at it. Among equals the earlier place wins."""
SUBJECTS: dict[str, str] = {
    "bicycle": "bicycle bike cyclist cycling",
    "boat": "boat sail sailing ship yacht sailboat regatta fishing",
    "lighthouse": "lighthouse",
    "house": "house cottage cabin barn farm village home hut chapel",
    "castle": "castle palace fortress tower",
    "cat": "cat kitten",
    "dog": "dog puppy wolf fox",
    "horse": "horse pony unicorn deer cow",
    "bird": "bird seagull eagle crow owl swan parrot",
    "fish": "fish shark whale dolphin goldfish",
    "person": "person people man woman child girl boy hiker walker wanderer astronaut traveller",
    "car": "car taxi automobile truck bus van",
    "balloon": "balloon airship",
    "flowers": "flower flowers rose poppy tulip sunflower lavender blossom bouquet daisy",
    "tree": "tree oak apple-tree willow cherry",
    "robot": "robot android mech droid",
    "rocket": "rocket spaceship spacecraft shuttle starship",
    "planet": "planet saturn moon jupiter earth",
    "mushroom": "mushroom toadstool",
    "fruit": "fruit apple lemon pear grape",
    "cup": "cup coffee tea mug teapot",
}
HOURS: dict[str, str] = {
    "sunset": "sunset dusk evening twilight golden",
    "night": "night midnight dark moonlight moon starry stars neon cyberpunk nocturne lantern",
    "dawn": "dawn sunrise morning pastel spring",
    "storm": "storm stormy thunder rain rainy dramatic gloomy lightning overcast",
    "fog": "fog mist misty foggy haze hazy mysterious",
    "day": "day noon sunny bright summer midday",
}
LEAVES: dict[str, Color] = {
    "autumn": (196, 106, 40),
    "fall": (196, 106, 40),
    "spring": (128, 158, 84),
    "winter": (186, 198, 204),
    "cherry": (238, 170, 190),
    "blossom": (238, 170, 190),
    "lavender": (132, 112, 178),
}
_EXTRAS = ("cloud", "mountain", "star", "moon", "rain", "snow", "bird", "fog", "sun", "flower", "wind", "tree")
_WHERE = {"fish": "underwater", "rocket": "space", "planet": "space", "fruit": "room", "cup": "room"}
"""Where a subject is drawn when the prompt names no place that fits."""


@dataclass(frozen=True, slots=True)
class Idea:
    """What to draw. `hues` are the colours named, `subject_color` the one beside the subject's word."""

    place: str
    hour: str
    subjects: tuple[str, ...] = ()
    subject_color: Color | None = None
    hues: tuple[Color, ...] = ()
    leaves: Color | None = None
    extras: frozenset[str] = frozenset()


def read(prompt: str, rng: random.Random, negative: str = "") -> Idea:
    """The idea behind the words; what they leave open is chance. Words of `negative` count for nothing."""
    unwanted = set(split(negative))
    words = [word for word in split(prompt) if word not in unwanted]
    subjects = tuple(dict.fromkeys(name for word in words for name, kin in SUBJECTS.items() if word in kin.split()))
    place = _place_of(words)
    if place is None and subjects:
        place = next((_WHERE[name] for name in subjects if name in _WHERE), None)
    if place is None:
        place = rng.choice(("sea", "mountains", "field", "lake", "forest", "abstract") if words else ("abstract",))
    hour = _chosen(words, HOURS) or rng.choice(("day", "day", "dawn", "sunset"))
    subject_color = None
    hues = []
    for index, word in enumerate(words):
        if word in NAMED:
            near = words[index + 1 : index + 4]
            if subject_color is None and any(
                near_word in SUBJECTS[name].split() for near_word in near for name in subjects
            ):
                subject_color = NAMED[word]
            else:
                hues.append(NAMED[word])
    leaves = next((LEAVES[word] for word in words if word in LEAVES), None)
    extras = frozenset(name for name in _EXTRAS if any(word.startswith(name) for word in words))
    return Idea(place, hour, subjects[:3], subject_color, tuple(hues), leaves, extras)


def split(text: str) -> list[str]:
    """Lower-case words; a plural's s is dropped where the singular is known."""
    found = re.findall(r"[a-zà-ÿ]+", text.lower())
    return [_singular(word) for word in found]


def _singular(word: str) -> str:
    for ending, instead in (("ies", "y"), ("s", ""), ("es", "")):
        if word not in _KNOWN and word.endswith(ending) and (bare := word.removesuffix(ending) + instead) in _KNOWN:
            return bare
    return word


def _place_of(words: list[str]) -> str | None:
    """The place that most words speak for; a hint counts half."""
    score: dict[str, float] = {}
    for name, lists in PLACES.items():
        named, _, hints = lists.partition(" / ")
        score[name] = sum((word in named.split()) + (word in hints.split()) / 2 for word in words)
    best = max(score, key=lambda name: score[name])
    return best if score[best] else None


def _chosen(words: list[str], lists: dict[str, str]) -> str | None:
    """The list with most hits; among equals the one named first."""
    score = {name: sum(word in kin.split() for word in words) for name, kin in lists.items()}
    best = max(score.values())
    if not best:
        return None
    leading = [name for name, hits in score.items() if hits == best]
    return min(leading, key=lambda name: next(i for i, word in enumerate(words) if word in lists[name].split()))


_KNOWN = frozenset(word for lists in (PLACES, SUBJECTS, HOURS) for kin in lists.values() for word in kin.split())
