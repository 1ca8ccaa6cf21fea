"""What enhancing a prompt takes and gives, as plain values. Light to import."""

from dataclasses import dataclass, field
from enum import StrEnum

from comfydesk.errors import LlmNotReadyError
from comfydesk.llm.engine import Action, EngineKind
from comfydesk.llm.words.values import Length

MAX_VARIANTS = 8
MAX_TEXT = 20_000
"""Characters of a prompt that is enhanced."""


class NoEngineError(LlmNotReadyError):
    """Nothing can be asked; `action` is what the user can do about it."""

    def __init__(self, what: str, why: str = "", advice: str = "", action: Action = Action.NONE) -> None:
        super().__init__(what, why, advice)
        self.action = action


class Choice(StrEnum):
    """Which engine a profile wants."""

    AUTOMATIC = "automatic"
    """This computer where a model is, else the pod where it can, else the profile's endpoint."""
    LOCAL = "local"
    POD = "pod"
    ENDPOINT = "endpoint"


@dataclass(frozen=True, slots=True)
class EngineChoice:
    """An engine that could be asked, and whether it can be now."""

    choice: Choice
    kind: EngineKind
    name: str
    """For people: "This computer", the pod's name, the endpoint's host."""
    model: str
    ready: bool
    words: str
    """One line, also when it is ready."""
    action: Action = Action.NONE
    vision: bool = False
    chosen: bool = False
    """It is what an enhancement would use now."""


@dataclass(frozen=True, slots=True)
class EnhanceRequest:
    """What is to be enhanced, and how."""

    text: str
    style: str = "detailed"
    """Id of a style: detailed, cinematic, artistic, minimal, or the name of one of the user's own."""
    family: str = ""
    """Id of a model family (words.families); empty: plain prose."""
    negative: bool = False
    """`text` is a negative prompt: what to avoid."""
    selection: tuple[int, int] | None = None
    """Start and end in `text`: only that is changed; grown to whole protected spans."""
    length: Length = Length.AUTO
    count: int = 1
    """Variants, 1 to MAX_VARIANTS."""
    translate: bool = False
    """Into English, whatever the style does beside."""
    image: bytes | None = field(default=None, repr=False)
    """A picture (PNG, JPEG, WebP) to describe: the engine must have `vision`. `text` then says what matters, or is
    empty."""
    locked: tuple[str, ...] = ()
    """Phrases that must stay, beside those of the settings."""
    seed: int | None = None
    """Of the first variant, the others count up; None: by chance."""
    engine: Choice | None = None
    """None: as the profile says."""
    pod: str | None = None
    """The pod it is meant for; None: the current one."""


@dataclass(frozen=True, slots=True)
class Piece:
    """More text of a variant, as it comes: protected spans are in it, the cleaning is yet to come."""

    variant: int
    text: str


@dataclass(frozen=True, slots=True)
class Again:
    """The variant is asked once more; what was shown of it is void. `why`: one line."""

    variant: int
    why: str


@dataclass(frozen=True, slots=True)
class Result:
    """An enhanced prompt that holds every protected span exactly once."""

    original: str
    enhanced: str
    """The whole text, also where only a selection was enhanced."""
    kept: tuple[str, ...]
    """The protected spans."""
    repaired: tuple[str, ...]
    """What was put right, a line each, for the user: "<lora:ink:0.8> was put back". Empty if nothing was."""
    style: str
    family: str
    engine: str
    model: str
    tokens_per_second: float
    """Words of the server where it counts, else pieces; 0.0 if it came in one piece."""
    seconds: float
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Finished:
    variant: int
    result: Result


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing usable came: the original stays. `why`: one line with what to do."""

    variant: int
    why: str
    action: Action = Action.NONE


EnhanceEvent = Piece | Again | Finished | Refused


@dataclass(frozen=True, slots=True)
class EachDone:
    """One of many texts is done with; `enhanced` is the original where it was refused."""

    number: int
    original: str
    enhanced: str
    refused: str = ""
    """Why the original stays; empty where it was enhanced."""
