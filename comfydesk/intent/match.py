"""A sentence → the task it asks for, or an honest no.

Pure and fast (well under a millisecond): a lexicon, one pass over the words, and the rules below in order of how sure
they are. No sentence is ever sent anywhere.
"""

from dataclasses import dataclass
from enum import StrEnum

from comfydesk.intent.description import described
from comfydesk.intent.frame import Frame, Role, frame
from comfydesk.intent.lexicon import CODES, POLITE, QUESTIONS, Act, Media, words_of
from comfydesk.intent.subject import subject_of
from comfydesk.intent.words import tokens


class Task(StrEnum):
    T2I = "t2i"
    I2I = "i2i"
    T2V = "t2v"
    I2V = "i2v"
    V2V = "v2v"
    UPSCALE = "upscale"
    AUDIO = "audio"
    MODEL3D = "3d"


@dataclass(frozen=True, slots=True)
class Intent:
    """What a sentence asks for. `task` None: nothing that a workflow does. `subject` is what belongs in the prompt."""

    text: str
    task: Task | None
    confidence: float = 0.0
    """0 to 1: how much of the decision rests on words that say it outright."""
    input_types: tuple[str, ...] = ()
    output_types: tuple[str, ...] = ()
    subject: str = ""

    @property
    def matched(self) -> bool:
        return self.task is not None

    @property
    def guessed(self) -> bool:
        """No word says the task: it only reads like what a picture shall show."""
        return self.matched and self.confidence <= GUESS


SURE, LIKELY, MAYBE, GUESS = 0.95, 0.8, 0.55, 0.3

_STILL = frozenset({Media.IMAGE})
_VISUAL = frozenset({Media.IMAGE, Media.VIDEO})


def understand(sentence: str) -> Intent:
    """The task that `sentence` asks for."""
    found = tokens(sentence)
    seen = frame(found)
    task, confidence = _decide(seen)
    if task is None:
        prompt = "" if _about_the_app(seen) else described(sentence, seen)
        return Intent(sentence, Task.T2I, GUESS, (), ("image",), prompt) if prompt else Intent(sentence, None)
    inputs, outputs = _media_of(task, seen)
    return Intent(sentence, task, confidence, inputs, outputs, subject_of(sentence, seen))


def _decide(seen: Frame) -> tuple[Task | None, float]:
    codes = [CODES[token.lemma] for token in seen.tokens if token.lemma in CODES]
    if codes:
        return Task(codes[0]), SURE
    if _about_the_app(seen):
        return None, 0
    for rule in (_model3d, _upscale, _audio, _video, _image):
        task, confidence = rule(seen)
        if task is not None:
            return task, confidence
    return None, 0


def _about_the_app(seen: Frame) -> bool:
    """Cancel the job, where are my settings, save this image: the application's own business."""
    lemmas = [token.lemma for token in seen.tokens]
    if not lemmas:
        return True
    first = next((token for token in seen.tokens if token.lemma not in POLITE), seen.tokens[0])
    question = first.word in QUESTIONS
    creative = seen.does(Act.CREATE, Act.DRAW, Act.TURN, Act.ANIMATE, Act.UPSCALE, Act.RETOUCH, Act.EDIT)
    if seen.about_app and (question or Act.CONTROL in first.acts):
        return True
    if first.lemma in {"show me", "get me", "give me"} and seen.tokens[-1] is not first:
        after = seen.tokens[seen.tokens.index(first) + 1].word
        if after in {"the", "my", "all", "every"}:
            return True
    if question and not (creative and seen.mentions):
        return True
    if Act.CONTROL not in first.acts:
        return False
    # "delete the person from the photo" edits; "delete all images", "open the last video" do not.
    at = seen.tokens.index(first)
    direct = next((mention for mention in seen.mentions if mention.at > at), None)
    if Act.EDIT in first.acts:
        return direct is not None and direct.at - at <= 2 and not seen.about_scenery and len(seen.mentions) == 1
    if first.lemma in {"show", "find", "search", "play", "watch"} and direct is not None and direct.role is Role.WANTED:
        return first.lemma != "show"
    return True


def _model3d(seen: Frame) -> tuple[Task | None, float]:
    if Media.MODEL3D in seen.wanted():
        return Task.MODEL3D, SURE
    if any(token.lemma == "3d" for token in seen.tokens) and not set(seen.wanted()) & _VISUAL:
        return Task.MODEL3D, LIKELY
    return None, 0


def _upscale(seen: Frame) -> tuple[Task | None, float]:
    if seen.does(Act.UPSCALE):
        return Task.UPSCALE, SURE
    finer = [at for act, at in seen.acts if act is Act.FINER]
    if not finer:
        return None, 0
    pushes = seen.lemmas & _PUSH
    compound = any(mention.at + 1 in finer for mention in seen.mentions if mention.media in _VISUAL)
    if pushes and (seen.have() or seen.points or compound or not seen.wanted()):
        return Task.UPSCALE, LIKELY
    if set(seen.have()) & _VISUAL and not seen.wanted() and not seen.does(Act.RETOUCH):
        return Task.UPSCALE, MAYBE
    if len(finer) > 1 and not seen.does(Act.CREATE, Act.DRAW) and not _names_a_thing(seen):
        return Task.UPSCALE, MAYBE
    return None, 0


_PUSH = words_of(
    """
    increase, improve, better, enhance, boost, higher, double, make, raise, sharper, bigger, larger, crisper, clearer,
    upres, low-res, low, blurry, pixelated, get, grainy, fix, more, convert, noisy, denoise, turn, up, bring
    """
)


def _audio(seen: Frame) -> tuple[Task | None, float]:
    if Media.VIDEO in seen.wanted() or (seen.does(Act.MOVE) and set(seen.have()) & _STILL):
        return None, 0
    if Media.AUDIO in seen.wanted():
        return (Task.AUDIO, SURE) if not set(seen.wanted()) & _STILL or seen.wanted()[0] is Media.AUDIO else (None, 0)
    if seen.does(Act.SPEAK) and not set(seen.have()) & _VISUAL:
        return Task.AUDIO, LIKELY
    if seen.lemmas & {"speak", "talk", "sing"} and Media.TEXT in seen.have():
        return Task.AUDIO, LIKELY
    if Media.AUDIO in seen.have() and not set(seen.wanted()) & _VISUAL:
        return Task.AUDIO, LIKELY
    return None, 0


def _video(seen: Frame) -> tuple[Task | None, float]:
    wanted, have = set(seen.wanted()), set(seen.have())
    if seen.does(Act.SMOOTH) and (Media.VIDEO in wanted | have or not wanted | have):
        return Task.V2V, LIKELY
    if Media.VIDEO in have and not wanted & _STILL:
        return Task.V2V, SURE if seen.does(Act.EDIT, Act.TURN, Act.RETOUCH) else LIKELY
    if Media.VIDEO in wanted:
        if Media.IMAGE in have:
            return Task.I2V, SURE
        if Media.TEXT in have or not (seen.points and seen.does(Act.TURN)):
            return Task.T2V, SURE if seen.does(Act.CREATE) else LIKELY
        return Task.I2V, LIKELY
    if seen.does(Act.ANIMATE):
        if Media.TEXT in have or Media.TEXT in wanted:
            return Task.T2V, LIKELY
        return (Task.I2V, LIKELY) if have or wanted or seen.points or len(seen.tokens) < 3 else (Task.T2V, MAYBE)
    if seen.does(Act.MOVE) and Media.IMAGE in have:
        return Task.I2V, LIKELY
    return None, 0


def _image(seen: Frame) -> tuple[Task | None, float]:
    wanted, have = set(seen.wanted()), set(seen.have())
    if Media.IMAGE in have:
        return Task.I2I, SURE if seen.does(Act.EDIT, Act.RETOUCH, Act.TURN) else LIKELY
    if seen.does(Act.RETOUCH) and Media.IMAGE not in wanted:
        return Task.I2I, LIKELY
    if Media.IMAGE in wanted:
        return Task.T2I, SURE if seen.does(Act.CREATE, Act.DRAW) else LIKELY
    if seen.does(Act.DRAW):
        return Task.T2I, LIKELY
    if seen.does(Act.EDIT) and seen.about_scenery and not seen.about_app and not _names_a_thing(seen):
        return Task.I2I, MAYBE
    return None, 0


def _names_a_thing(seen: Frame) -> bool:
    """ "a woman in a red dress, highly detailed, sharp": it is to be so; nothing is to be dressed or sharpened."""
    return seen.tokens[0].word in {"a", "an"}


def _media_of(task: Task, seen: Frame) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Media types that a fitting workflow takes (besides text) and makes."""
    have = tuple(dict.fromkeys(media.value for media in seen.have() if media is not Media.TEXT))
    given = {Task.I2I: ("image",), Task.I2V: ("image",), Task.V2V: ("video",)}.get(task, ())
    made = {Task.T2V: "video", Task.I2V: "video", Task.V2V: "video", Task.AUDIO: "audio", Task.MODEL3D: "3d"}
    if task is Task.UPSCALE:
        video = Media.VIDEO in seen.have() or Media.VIDEO in seen.wanted()
        return (("video",), ("video",)) if video else (("image",), ("image",))
    return given or have, (made.get(task, "image"),)
