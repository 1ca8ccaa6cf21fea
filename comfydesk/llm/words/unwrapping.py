# ruff: noqa: RUF001 - typographic marks are what models write
"""An answer without what is not the prompt: thoughts, chatter, labels, markdown, quotes around everything."""

import json
import re

from comfydesk.llm.words.compose import Task

_THOUGHT = re.compile(r"<(think|thinking|thought|reasoning)\b[^>]*>.*?</\1\s*>", re.DOTALL | re.IGNORECASE)
_THOUGHT_OPEN = re.compile(r"<(?:think|thinking|thought|reasoning)\b[^>]*>.*\Z", re.DOTALL | re.IGNORECASE)
_THOUGHT_END = re.compile(r"\A.*</(?:think|thinking|thought|reasoning)\s*>", re.DOTALL | re.IGNORECASE)
_TOKENS = re.compile(r"<\|[^|<>\n]{1,40}\|>|</?s>|<(?:start|end)_of_turn>|\[/?INST\]|<eos>|<bos>")
_FENCE = re.compile(r"```[\w-]*[ \t]*\n?(.*?)(?:```|\Z)", re.DOTALL)
_TAGGED = re.compile(r"</?(?:prompt|answer|output|response|result|enhanced_prompt|new_prompt)\s*>", re.IGNORECASE)
_LABEL = re.compile(
    r"(?:(?:the|enhanced|improved|new|rewritten|revised|final|refined|corrected|translated|better|english|"
    r"negative|detailed|cinematic|artistic|minimal|positive)\s+){0,4}"
    r"(?:enhanced|improved|prompt|version|output|answer|result|rewrite|translation|response|instruction|assistant|"
    r"description)(?:\s*\([^)\n]{0,40}\))?\s*:\s*",
    re.IGNORECASE,
)
_ORIGINAL = re.compile(r"\s*(?:original|input|user|before|your)(?:\s+prompt)?\s*:", re.IGNORECASE)
_CHATTER = re.compile(
    r"\A(?:(?:sure|certainly|of course|absolutely|okay|ok|gladly|happy to|as requested|let me|below is|the following|"
    r"here(?:'s|’s| is| are| you go)|i(?:'ve|’ve| have))\b[^\n:]{0,160}(?::\s*|[.!][ \t]*\n+|!\s+)"
    r"|[^\n]{0,120}\bprompts?\b[^\n]{0,80}:[ \t]*\n+)",
    re.IGNORECASE,
)
_TAIL = re.compile(
    r"(?:\n+|(?<=[.!?])\s+)(?:let me know|i hope|hope this|feel free|would you like|note(?: that)?:|\(note|"
    r"explanation:|this (?:prompt|version|description) (?:adds|keeps|is|has|uses|includes|should)|changes(?: made)?:|"
    r"i (?:have |'ve )?(?:added|kept|changed)|if you(?:'d)? (?:like|want|need)).*\Z",
    re.IGNORECASE | re.DOTALL,
)
_OPTIONS = re.compile(
    r"(?:\A|\n)\s*(?:option|version|variant|alternative)\s*(?:1|a|one)\b[^\n:]{0,40}:?\s*", re.IGNORECASE
)
_NEXT_OPTION = re.compile(r"\n\s*(?:option|version|variant|alternative)\s*(?:2|b|two)\b.*\Z", re.IGNORECASE | re.DOTALL)
_BULLET = re.compile(r"(?m)^[ \t]*(?:[-*•–]|\d{1,2}[.)])[ \t]+")
_HEADING = re.compile(r"(?m)^[ \t]*#{1,6}[ \t]+[^\n]*\n?")
_EMPHASIS = re.compile(r"(\*\*\*|\*\*|\*|`)(?=\S)([^*`\n]{1,400}?)(?<=\S)\1")
_UNDERLINED = re.compile(r"(?<![\w_])(__|_)(?=[^\s_])([^_\n]{1,200}?)(?<=[^\s_])\1(?![\w_])")
_QUOTES = {'"': '"', "“": "”", "„": "“", "«": "»", "'": "'", "‘": "’", "「": "」"}


def unwrap(answer: str, task: Task) -> str:
    """The prompt in an answer, as one paragraph; empty if there is none."""
    text = _THOUGHT.sub("", answer)
    text = _THOUGHT_END.sub("", text)
    text = _THOUGHT_OPEN.sub("", text)
    text = _TOKENS.sub("\n", text).strip()
    fence = _FENCE.search(text)
    if fence and fence[1].strip():
        text = fence[1].strip()
    text = _of_json(text)
    text = _TAGGED.sub("\n", text).strip()
    text = _first_option(_without_chatter(text))
    text = _TAIL.sub("", _after_label(text)).strip()
    text = _without_question(text, task)
    return _unquoted(_plain_marks(text, task))


def _of_json(text: str) -> str:
    """{"prompt": "…"} as its text."""
    if not text.startswith("{"):
        return text
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return text
    texts = [value for value in document.values() if isinstance(value, str)] if isinstance(document, dict) else []
    return max(texts, key=len).strip() if texts else text


def _without_chatter(text: str) -> str:
    for _ in range(3):
        shorter = _CHATTER.sub("", text, count=1).strip()
        if not shorter:
            break
        text = shorter
    return text


def _first_option(text: str) -> str:
    """Of several that nobody asked for, the first."""
    match = _OPTIONS.search(text)
    if match is None:
        return text
    return _NEXT_OPTION.sub("", text[match.end() :]).strip() or text


def _after_label(text: str) -> str:
    """What follows "Enhanced prompt:" at the start of a line; the last of these where "Original:" comes before."""
    plain = re.sub(r"\*\*|^#+\s*", "", text, flags=re.MULTILINE)
    found = [match for match in _LABEL.finditer(plain) if match.start() == 0 or plain[match.start() - 1] == "\n"]
    if not found:
        return text
    compared = _ORIGINAL.match(plain) is not None
    match = found[-1] if compared else found[0]
    if match.start() > 0 and not compared and len(plain[: match.start()].split()) > 12:
        return plain[: match.start()].strip()  # a prompt, and then something else of the model's
    return plain[match.end() :].strip() or text


def _without_question(text: str, task: Task) -> str:
    """The prompt said once more before the answer begins."""
    asked = task.masked.text.strip()
    if asked and len(asked.split()) > 2 and text.startswith(asked):
        rest = text[len(asked) :]
        if rest.lstrip(" ").startswith("\n") and rest.strip():
            return re.sub(r"\A\s*(?:->|→|=>)\s*", "", rest).strip()
    return text


def _plain_marks(text: str, task: Task) -> str:
    """Markdown as plain text, lines as one paragraph."""
    text = _HEADING.sub("", text) if _HEADING.sub("", text).strip() else text
    listed = _BULLET.search(text) is not None
    text = _BULLET.sub("", text)
    text = _EMPHASIS.sub(r"\2", text)
    text = _UNDERLINED.sub(r"\2", text)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if task.tags:
        return ", ".join(line.rstrip(",; ") for line in lines)
    if listed:
        return " ".join(line if line.endswith((".", "!", "?", ",")) else f"{line}." for line in lines)
    return ("\n" if "\n" in task.masked.text.strip() else " ").join(lines)


def _unquoted(text: str) -> str:
    while len(text) > 1 and _QUOTES.get(text[0]) == text[-1] and not set(text[1:-1]) & {text[0], text[-1]}:
        text = text[1:-1].strip()
    return text
