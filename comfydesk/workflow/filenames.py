"""Names of saved files from a template: `{date}/{workflow}/{seed}_{n}`.

The template is the user's, what fills it in may be anybody's (a prompt, a name that a pod gave). Whatever it is, the
result is a path below the results folder: parted only where the template has a "/" (or the pod's own subfolder one),
each part made safe by the function that the caller brings, `client.files.safe_name`.
"""

import difflib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath

from comfydesk.errors import UsageError
from comfydesk.workflow.live import shorten
from comfydesk.workflow.textvalues import format_date

DEFAULT = "{subfolder}/{name}"
"""As the pod calls it."""
TOKENS = {
    "date": "the day, {date:yyyy-MM-dd} or any other order",
    "time": "the time, {time:hh-mm-ss}",
    "workflow": "the workflow's name",
    "pod": "the pod's name",
    "seed": "the seed",
    "n": "which of the job's files it is, {n:3} with zeros: 001",
    "prompt": "the prompt's beginning, {prompt:40} letters",
    "model": "the model's name",
    "job": "the job's id, {job:8} letters",
    "batch": "the batch's name",
    "name": "what the pod calls the file",
    "subfolder": "the pod's own folder",
    "ext": "png, mp4 …; is put at the end anyway",
}
"""Token → what stands for it, for the settings' help."""
MAX_DEPTH = 8
MAX_TEMPLATE = 500

_DATE, _TIME = "yyyy-MM-dd", "hh-mm-ss"
_LENGTHS = {"prompt": 40, "job": 8, "n": 1, "workflow": 80, "pod": 80, "model": 80, "batch": 80, "name": 120}
"""Of tokens that take a number: theirs if none is given. Of n: digits, else the most letters."""
_PIECE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]|[^{}]+")
_SEPARATORS = re.compile(r"[/\\]+")
_MODEL_SUFFIX = re.compile(r"(?i)\.(?:safetensors|sft|gguf|ckpt|pth?|bin|onnx)\Z")
_UNFIT = re.compile(r"[/\\:\x00-\x1f\x7f]+")


@dataclass(frozen=True, slots=True)
class NameParts:
    """What a template may use of a file and its job."""

    filename: str
    """The pod's own, with its extension."""
    when: datetime
    """Local time."""
    subfolder: str = ""
    workflow: str = ""
    pod: str = ""
    seed: int | None = None
    n: int = 1
    """Which of its job's files, from 1."""
    prompt: str = ""
    model: str = ""
    job: str = ""
    batch: str = ""


EXAMPLE = NameParts(
    filename="ComfyUI_00042_.png",
    when=datetime(2026, 3, 14, 15, 9, 26),  # noqa: DTZ001 - local time, as the real ones
    workflow="Text to image",
    pod="Demo pod",
    seed=123456789,
    prompt="A lighthouse on a cliff at dusk, long exposure",
    model="sd_xl_base_1.0.safetensors",
    job="7c9e6679-7425-40de-944b-e07fc1f90ae7",
    batch="Lighthouses",
)

_Piece = tuple[str, str | None]
"""A token and what follows its colon; or "" and a literal text."""


def check(template: str) -> None:
    """Raises UsageError that says what is wrong with a template, and what would be right."""
    _parsed(template)


def problem(template: str) -> str:
    """What `check` would say, for the line below the editor; "" for a good template."""
    try:
        check(template)
    except UsageError as error:
        return str(error)
    return ""


def example(template: str, safe: Callable[[str], str], parts: NameParts = EXAMPLE) -> str:
    """What a file would be called, as it is shown while the template is edited. Raises UsageError."""
    return str(render(template, parts, safe))


def render(template: str, parts: NameParts, safe: Callable[[str], str]) -> PurePosixPath:
    """The file's place below the results folder. Raises UsageError for the template; nothing for `parts`.

    `safe` makes a text without separators one path component, and raises only for ".", ".." and the empty text. The
    extension is the pod's whatever the template says. Folders that come out empty vanish.
    """
    components: list[str] = []
    extension = _extension(parts.filename)
    for pieces in _parsed(template):
        if pieces == [("subfolder", None)]:
            components += [_tidy(part) for part in _SEPARATORS.split(parts.subfolder)]
        else:
            components.append(_tidy("".join(_text(piece, parts) for piece in pieces)))
    *folders, last = components
    last = last or _tidy(_stem(parts.filename)) or "file"
    if extension and not last.lower().endswith(f".{extension.lower()}"):
        last = f"{last}.{extension}"
    kept = [folder for folder in folders if folder][: MAX_DEPTH - 1]
    return PurePosixPath(*(safe(component) for component in (*kept, last)))


def _tidy(component: str) -> str:
    """Without separators and colons; "" for what would be no name at all."""
    text = " ".join(_UNFIT.sub("_", component).split())
    return "" if not text.strip(". ") else text


def _text(piece: _Piece, parts: NameParts) -> str:
    token, argument = piece
    if not token:
        return argument or ""
    match token:
        case "date":
            return format_date(argument or _DATE, parts.when)
        case "time":
            return format_date(argument or _TIME, parts.when)
        case "n":
            return str(parts.n).zfill(int(argument or 1))
        case "seed":
            return "noseed" if parts.seed is None else str(parts.seed)
        case "ext":
            return _extension(parts.filename)
        case "subfolder":
            text = parts.subfolder
        case "name":
            text = _stem(parts.filename)
        case "model":
            text = _MODEL_SUFFIX.sub("", _SEPARATORS.split(parts.model)[-1])
        case _:
            text = str(getattr(parts, token))
    length = int(argument or _LENGTHS.get(token, MAX_TEMPLATE))
    return " ".join(_UNFIT.sub("_", " ".join(text.split())).split())[:length].strip()


def _extension(filename: str) -> str:
    """At most ten letters or digits after the last dot."""
    stem, dot, extension = filename.rpartition(".")
    return extension if dot and stem and re.fullmatch(r"[A-Za-z0-9]{1,10}", extension) else ""


def _stem(filename: str) -> str:
    extension = _extension(filename)
    return filename[: -len(extension) - 1] if extension else filename


# --- Templates --------------------------------------------------------------------------------------------------


def _parsed(template: str) -> list[list[_Piece]]:
    """The pieces of each component. Raises UsageError."""
    if not template.strip():
        raise UsageError("The file name template is empty", "", f"Write {DEFAULT} for the pod's own names")
    if len(template) > MAX_TEMPLATE:
        raise UsageError("The file name template is too long", f"It has over {MAX_TEMPLATE} letters")
    if re.match(r"[/\\~]|[A-Za-z]:", template):
        raise UsageError("The file name template begins outside of the results folder", "", "Begin with a name")
    components: list[list[_Piece]] = [[]]
    for token, argument in _pieces(template):
        if token:
            components[-1].append((token, argument))
            continue
        first, *others = _SEPARATORS.split(argument or "")
        components[-1].append(("", first))
        components += [[("", text)] for text in others]
    named = [[piece for piece in pieces if piece != ("", "")] for pieces in components]
    if any(pieces and "".join(text or "?" for _, text in pieces).strip() == ".." for pieces in named):
        raise UsageError("The file name template leads out of the results folder", "", 'Leave ".." out of it')
    if not named[-1]:
        raise UsageError("The file name template ends with a folder", "", "Name the file too, such as {name}")
    kept = [pieces for pieces in named if pieces]
    if len(kept) > MAX_DEPTH:
        raise UsageError("The file name template makes too many folders", f"More than {MAX_DEPTH - 1} inside another")
    return kept


def _pieces(template: str) -> Iterator[_Piece]:
    for match in _PIECE.finditer(template):
        text = match[0]
        if text in ("{{", "}}"):
            yield "", text[0]
        elif text in ("{", "}"):
            advice = f"Write {text}{text} for the brace itself"
            what = f"The file name template has a {text} without its other half"
            raise UsageError(what, "", advice)
        elif match[1] is not None:
            yield _token(match[1])
        else:
            yield "", text


def _token(text: str) -> _Piece:
    name, colon, argument = text.partition(":")
    name = name.strip().lower()
    if name not in TOKENS:
        near = difflib.get_close_matches(name, TOKENS, n=1)
        known = ", ".join(f"{{{token}}}" for token in TOKENS)
        advice = f"Did you mean {{{near[0]}}}?" if near else f"There are {known}"
        what = f"A file name has no {{{shorten(name)}}}"
        raise UsageError(what, "", advice)
    if not colon:
        return name, None
    if name in ("date", "time"):
        return name, argument.strip() or None
    if name not in _LENGTHS:
        what = f"{{{name}}} takes nothing after a colon"
        raise UsageError(what, f"It has {shorten(argument)!r}")
    if not re.fullmatch(r"0*[1-9][0-9]{0,2}", argument.strip()):
        what = f"{{{name}:…}} takes a number of letters up to 999, not {shorten(argument)!r}"
        raise UsageError(what)
    return name, argument.strip()
