"""A tune from words and a seed: chords, a melody, a bass and a beat, made of sine waves. No AI here either."""

import itertools
import math
import operator
import random
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from comfydesk.demo.values import Audio

RATE = 44100
_SCALES = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10)}
_PROGRESSIONS = ((0, 4, 5, 3), (0, 3, 4, 3), (5, 3, 0, 4), (0, 5, 1, 4))
_SLOW = frozenset(("slow", "ambient", "calm", "sleep", "lullaby", "meditation", "soft", "quiet", "ballad", "peaceful"))
_FAST = frozenset(("fast", "techno", "dance", "house", "punk", "metal", "energetic", "upbeat", "drum", "happy", "rock"))
_SAD = frozenset(("sad", "dark", "minor", "melancholy", "night", "rain", "lonely", "gothic", "moody", "blues", "metal"))
_BEATLESS = frozenset(("ambient", "classical", "piano", "lullaby", "meditation", "drone", "choir", "solo", "strings"))
_TABLE = 2048


@dataclass(frozen=True, slots=True)
class Mood:
    beats_per_minute: int
    scale: str
    beat: bool
    root: int
    """MIDI number of the key."""


def mood_of(words: str, rng: random.Random) -> Mood:
    """What the words ask for, and chance for the rest."""
    said = {word.strip(".,;:!?()\"'").lower() for word in words.split()}
    tempo = rng.randrange(84, 120)
    if said & _SLOW:
        tempo = rng.randrange(58, 76)
    elif said & _FAST:
        tempo = rng.randrange(124, 150)
    named = [int(word.removesuffix("bpm")) for word in said if word.endswith("bpm") and word[:-3].isdigit()]
    scale = "minor" if said & _SAD else rng.choice(("major", "minor", "major"))
    return Mood(min(200, max(40, named[0])) if named else tempo, scale, not said & _BEATLESS, rng.randrange(45, 57))


def compose(words: str, seed: int, seconds: float, advance: Callable[[float], None] = lambda _: None) -> Audio:
    """A stereo tune of that length. `advance` hears the share done (0 to 1)."""
    rng = random.Random(f"{words}\0{seed}")  # noqa: S311 - music, no secret
    mood = mood_of(words, rng)
    length = max(1, round(seconds * RATE))
    bars = min(4, math.ceil(seconds * mood.beats_per_minute / 240))
    sections = [_Section(mood, random.Random(rng.random()), bars) for _ in range(2)]  # noqa: S311
    parts: dict[int, array[int]] = {}
    line = array("h")
    for turn in itertools.cycle((0, 0, 1, 0)):
        if turn not in parts:
            parts[turn] = sections[turn].render()
        line.extend(parts[turn])
        advance(min(1.0, len(line) / length))
        if len(line) >= length:
            break
    del line[length:]
    _fade(line, min(length // 4, RATE * 2))
    return Audio(_stereo(line), RATE, 2)


class _Section:
    """Up to four bars over one progression."""

    def __init__(self, mood: Mood, rng: random.Random, bars: int) -> None:
        self._mood = mood
        self._rng = rng
        self._bars = bars
        self._beat = round(RATE * 60 / mood.beats_per_minute)
        self._progression = rng.choice(_PROGRESSIONS)
        self._notes: dict[tuple[int, int, str], array[int]] = {}
        self._mix = array("i", bytes(16 * self._beat * bars))

    def render(self) -> "array[int]":
        for bar, degree in enumerate(self._progression[: self._bars]):
            start = bar * 4 * self._beat
            for step in (0, 2, 4):
                self._play(start, self._pitch(degree + step), 4 * self._beat, "pad")
            for beat in (0, 2):
                self._play(start + beat * self._beat, self._pitch(degree) - 12, 2 * self._beat, "bass")
            self._melody(start, degree)
            if self._mood.beat:
                self._drums(start)
        loudest = max(map(abs, self._mix)) or 1
        gain = 26000 / loudest
        return array("h", [int(value * gain) for value in self._mix])

    def _melody(self, start: int, degree: int) -> None:
        position, step = 0.0, degree + 7 + self._rng.choice((0, 2, 4))
        while position < 4:
            duration = self._rng.choice((0.5, 0.5, 1, 1, 1.5, 2))
            duration = min(duration, 4 - position)
            if self._rng.random() < 0.85:
                at = start + round(position * self._beat)
                self._play(at, self._pitch(step), round(duration * self._beat), "lead")
            step = max(degree + 5, min(degree + 14, step + self._rng.choice((-2, -1, -1, 1, 1, 2, 4, -3))))
            position += duration

    def _drums(self, start: int) -> None:
        for beat in range(4):
            self._play(start + beat * self._beat, 0, self._beat // 2, "kick" if beat % 2 == 0 else "snare")
            self._play(start + beat * self._beat + self._beat // 2, 0, self._beat // 8, "hat")

    def _pitch(self, step: int) -> int:
        octave, degree = divmod(step, 7)
        return self._mood.root + 12 * octave + _SCALES[self._mood.scale][degree]

    def _play(self, start: int, pitch: int, length: int, voice: str) -> None:
        note = self._notes.get((pitch, length, voice))
        if note is None:
            note = self._notes[pitch, length, voice] = _note(pitch, length, voice)
        end = min(start + len(note), len(self._mix))
        self._mix[start:end] = array("i", map(operator.add, self._mix[start:end], note))


_VOICES = {
    # loudness, harmonics, attack and decay in seconds
    "pad": (2200, (1, 0.5, 0.12, 0.1), 0.25, 3.0),
    "bass": (5200, (1, 0.35, 0.1), 0.01, 0.9),
    "lead": (4600, (1, 0.45, 0.3, 0.12, 0.08), 0.02, 0.7),
}


def _note(pitch: int, length: int, voice: str) -> "array[int]":
    if voice not in _VOICES:
        return _drum(voice, length)
    loudness, harmonics, attack, decay = _VOICES[voice]
    table = _wave(harmonics)
    step = 440 * 2 ** ((pitch - 69) / 12) * _TABLE / RATE
    block = 64  # the envelope moves in steps of a millisecond and a half
    levels = [loudness * _envelope(start / RATE, length / RATE, attack, decay) for start in range(0, length, block)]
    mask = _TABLE - 1
    return array("i", [int(table[int(i * step) & mask] * levels[i // block]) for i in range(length)])


@lru_cache
def _wave(harmonics: tuple[float, ...]) -> tuple[float, ...]:
    """One period."""
    return tuple(
        sum(part * math.sin(math.tau * (number + 1) * i / _TABLE) for number, part in enumerate(harmonics))
        for i in range(_TABLE)
    )


def _envelope(at: float, length: float, attack: float, decay: float) -> float:
    rise = min(1.0, at / attack)
    release = min(1.0, (length - at) / min(0.06, length / 3))
    return max(0.0, rise * math.exp(-at / decay) * release)


def _drum(voice: str, length: int) -> "array[int]":
    length = min(length, RATE // 5)
    rng = random.Random(voice)  # noqa: S311
    if voice == "kick":
        return array(
            "i",
            [
                int(9000 * math.exp(-i / RATE * 18) * math.sin(900 * i / RATE - 3400 * (i / RATE) ** 2))
                for i in range(length)
            ],
        )
    loudness, decay = (3600, 26) if voice == "snare" else (1500, 90)
    noise = rng.randbytes(length)
    return array("i", [int((noise[i] - 128) / 128 * loudness * math.exp(-i / RATE * decay)) for i in range(length)])


def _fade(line: "array[int]", length: int) -> None:
    """In and out, over `length` samples each (in: a quarter of it)."""
    size = len(line)
    for index in range(length // 4):
        line[index] = line[index] * index * 4 // length
    for index in range(length):
        line[size - 1 - index] = line[size - 1 - index] * index // length


def _stereo(line: "array[int]") -> bytes:
    """A little width: the right ear hears everything 9 ms later."""
    delay = RATE * 9 // 1000
    late = (array("h", bytes(2 * delay)) + line)[: len(line)]
    both = array("h", bytes(4 * len(line)))
    both[0::2] = line
    both[1::2] = late
    return both.tobytes()
