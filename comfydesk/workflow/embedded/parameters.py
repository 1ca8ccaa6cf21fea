"""Values that other programs write into pictures as text, without a graph: AUTOMATIC1111 and its kin, and others.

Forms, as these programs' own sources write them: A1111, Forge, SD.Next, Civitai and many ComfyUI nodes ("parameters",
or EXIF UserComment); Fooocus ("parameters" as JSON); SwarmUI (`sui_image_params`); InvokeAI (`invokeai_metadata`,
`sd-metadata`); NovelAI (`Comment` beside `Description`). Pure; takes whatever it is given and never raises.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

MAX_PROMPT = 200_000
MAX_SETTINGS = 200
MAX_VALUE = 2000
MAX_LORAS = 64

_NEGATIVE = "Negative prompt:"
_TAIL = re.compile(r"(?:^|\n)(Steps: *\d+ *(?:,|$)[^\n]*(?:\n[^\n]*)*)\Z")
_PAIR = re.compile(r'\s*([A-Za-z][\w \-/()]{0,80}?):\s*("(?:\\.|[^"\\])*"|[^,]*)(?:,|$)')
_LORA = re.compile(r"<(?:lora|lyco|hypernet):([^:<>\n]{1,300})(?::[^<>\n]*)?>", re.IGNORECASE)
_SIZE = re.compile(r"(\d{1,5})\s*[xX\N{MULTIPLICATION SIGN}]\s*(\d{1,5})")


@dataclass(frozen=True, slots=True)
class Parameters:
    """What is not known is empty or None. `seed` may need 64 unsigned bits."""

    program: str
    """Which program wrote it, as far as the form tells."""
    prompt: str = ""
    negative: str = ""
    seed: int | None = None
    steps: float | None = None
    cfg: float | None = None
    sampler: str = ""
    scheduler: str = ""
    model: str = ""
    loras: tuple[str, ...] = ()
    size: tuple[int, int] | None = None
    """As asked for: of an upscaled picture smaller than its own."""
    settings: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    """All that is said beyond prompt and negative prompt, by the program's own names (hires, denoising, VAE …)."""


def read_parameters(texts: Mapping[str, str]) -> Parameters | None:
    """What the named texts of a file say; names in lower case. None: nothing that is known here."""
    for name, text in texts.items():
        if name in ("parameters", "usercomment", "") and (found := _from_text(text)) is not None:
            return found
    for name in ("invokeai_metadata", "sd-metadata"):
        document = _document(texts.get(name, ""))
        if document is not None:
            return _invoke(document)
    comment = _document(texts.get("comment", ""))
    if comment is not None and ("uc" in comment or "scale" in comment):
        return _novel(comment, texts.get("description", ""))
    return None


def looks_like_parameters(text: str) -> bool:
    """Whether a text without a name (EXIF, a comment) is worth keeping."""
    return "Steps: " in text or '"sui_image_params"' in text or '"negative_prompt"' in text


def _from_text(text: str) -> Parameters | None:
    document = _document(text)
    if document is None:
        return _a1111(text)
    if isinstance(document.get("sui_image_params"), dict):
        return _swarm(document["sui_image_params"])
    return _fooocus(document) if "prompt" in document or "full_prompt" in document else None


# --- AUTOMATIC1111 ----------------------------------------------------------------------------------------------------


def _a1111(text: str) -> Parameters | None:
    """The prompt, `Negative prompt: …`, and one line of `Name: value` pairs that begins with Steps."""
    text = text.replace("\r\n", "\n").replace("\0", "").strip()
    start = text.rfind("\nSteps: ") + 1 if "\nSteps: " in text else 0 if text.startswith("Steps: ") else -1
    tail = _TAIL.search(text[start:]) if start >= 0 else None
    if tail is None and _NEGATIVE not in text:
        return None
    head = text[:start] if tail is not None else text
    prompt, _, negative = head.partition(_NEGATIVE)
    settings = dict(_pairs(tail.group(1))) if tail is not None else {}
    size = _SIZE.fullmatch(str(settings.get("Size", "")))
    sampler, scheduler = _parted(str(settings.get("Sampler", "")), str(settings.get("Schedule type", "")))
    return Parameters(
        "A1111",
        prompt.strip()[:MAX_PROMPT],
        negative.strip()[:MAX_PROMPT],
        _whole(settings.get("Seed")),
        _number(settings.get("Steps")),
        _number(settings.get("CFG scale", settings.get("Distilled CFG Scale"))),
        sampler,
        scheduler,
        str(settings.get("Model", "")),
        _loras(prompt, settings),
        (int(size[1]), int(size[2])) if size else None,
        settings,
    )


def _pairs(line: str) -> Iterator[tuple[str, str | int | float | bool]]:
    """Values that hold a comma or a colon stand in quotation marks, as JSON strings."""
    position = 0
    for _ in range(MAX_SETTINGS):
        match = _PAIR.match(line, position)
        if match is None:
            return
        position = match.end()
        value = match[2].strip()
        if value.startswith('"'):
            try:
                value = json.loads(value)
            except ValueError:
                value = value[1:-1]
        yield match[1].strip(), _plain(value)


def _parted(sampler: str, scheduler: str) -> tuple[str, str]:
    """Before 2024 the schedule was a part of the sampler's name: "DPM++ 2M Karras"."""
    for name in ("Karras", "Exponential", "SGM Uniform", "Polyexponential"):
        if not scheduler and sampler.endswith(f" {name}"):
            return sampler.removesuffix(f" {name}"), name
    return sampler, scheduler


def _loras(prompt: str, settings: Mapping[str, Any]) -> tuple[str, ...]:
    names = [match[1].strip() for match in _LORA.finditer(prompt)]
    names += [part.partition(":")[0].strip() for part in str(settings.get("Lora hashes", "")).split(",")]
    return tuple(dict.fromkeys(name for name in names if name))[:MAX_LORAS]


# --- Others: JSON -----------------------------------------------------------------------------------------------------


def _fooocus(document: Mapping[str, Any]) -> Parameters:
    size = _SIZE.search(str(document.get("resolution", "")).replace(", ", "x"))
    loras = [entry[0] for entry in _lists(document.get("loras")) if entry and isinstance(entry[0], str)]
    loras += [
        str(value).partition(" : ")[0] for name, value in document.items() if re.fullmatch(r"lora_combined_\d+", name)
    ]
    return _made("Fooocus", document, "prompt", "negative_prompt", "guidance_scale", "base_model", loras, size)


def _swarm(document: Mapping[str, Any]) -> Parameters:
    given = document.get("loras")
    loras = given if isinstance(given, list) else str(given or "").split(",")
    width, height = document.get("width"), document.get("height")
    size = _SIZE.fullmatch(f"{width}x{height}")
    return _made("SwarmUI", document, "prompt", "negativeprompt", "cfgscale", "model", loras, size)


def _invoke(document: Mapping[str, Any]) -> Parameters:
    """Versions 3 and later; version 2 has the values below `image`, and the prompt as a list."""
    inner = document.get("image")
    if isinstance(inner, dict) and "positive_prompt" not in document:
        prompt = inner.get("prompt")
        if isinstance(prompt, list) and prompt and isinstance(prompt[0], dict):
            prompt = prompt[0].get("prompt")
        inner = {**inner, "positive_prompt": prompt, "model": document.get("model_weights")}
        document = inner
    model = document.get("model")
    if isinstance(model, dict):
        model = model.get("name") or model.get("model_name")
    loras = [
        lora.get("model", lora.get("lora", {})).get("name", lora.get("lora", {}).get("model_name"))
        for lora in _dicts(document.get("loras"))
        if isinstance(lora.get("model", lora.get("lora", {})), dict) and isinstance(lora.get("lora", {}), dict)
    ]
    size = _SIZE.fullmatch(f"{document.get('width')}x{document.get('height')}")
    plain = {**document, "model": model, "sampler": document.get("scheduler", document.get("sampler"))}
    plain.pop("scheduler", None)
    return _made("InvokeAI", plain, "positive_prompt", "negative_prompt", "cfg_scale", "model", loras, size)


def _novel(document: Mapping[str, Any], description: str) -> Parameters:
    size = _SIZE.fullmatch(f"{document.get('width')}x{document.get('height')}")
    document = {"prompt": description, **document, "scheduler": document.get("noise_schedule", "")}
    return _made("NovelAI", document, "prompt", "uc", "scale", "model", [], size)


def _made(
    program: str,
    document: Mapping[str, Any],
    prompt: str,
    negative: str,
    cfg: str,
    model: str,
    loras: list[Any],
    size: "re.Match[str] | None",
) -> Parameters:
    kept = {
        str(name)[:80]: _plain(str(value) if isinstance(value, str) else value)
        for name, value in list(document.items())[:MAX_SETTINGS]
        if isinstance(value, str | int | float | bool) and name not in (prompt, negative)
    }
    return Parameters(
        program,
        _text(document.get(prompt), MAX_PROMPT),
        _text(document.get(negative), MAX_PROMPT),
        _whole(document.get("seed")),
        _number(document.get("steps")),
        _number(document.get(cfg)),
        _text(document.get("sampler"), 200),
        _text(document.get("scheduler"), 200),
        _text(document.get(model), 300),
        tuple(dict.fromkeys(name.strip()[:300] for name in loras if isinstance(name, str) and name.strip()))[
            :MAX_LORAS
        ],
        (int(size[1]), int(size[2])) if size else None,
        kept,
    )


# --- Shared -----------------------------------------------------------------------------------------------------------


def _document(text: str) -> dict[str, Any] | None:
    if not text.lstrip().startswith("{"):
        return None
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _lists(value: Any) -> list[list[Any]]:
    return [entry for entry in value if isinstance(entry, list)] if isinstance(value, list) else []


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _text(value: Any, most: int) -> str:
    return value.strip()[:most] if isinstance(value, str) else ""


def _plain(value: Any) -> str | int | float | bool:
    """A text that is a number as one; integers of up to 64 bits, so that JSON keeps them."""
    if not isinstance(value, str):
        return value if isinstance(value, bool | int | float) else str(value)[:MAX_VALUE]
    if re.fullmatch(r"-?(?:0|[1-9]\d{0,19})", value):
        return int(value)
    if re.fullmatch(r"-?\d{1,15}\.\d{1,15}", value):
        return float(value)
    return value[:MAX_VALUE]


def _whole(value: Any) -> int | None:
    if isinstance(value, str) and re.fullmatch(r"-?\d{1,20}", value):
        value = int(value)
    return value if type(value) is int and abs(value) < 1 << 64 else None


def _number(value: Any) -> float | None:
    if isinstance(value, str) and re.fullmatch(r"-?\d{1,15}(?:\.\d{1,15})?", value):
        value = float(value)
    fits = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e15
    return float(value) if fits else None
