"""Tool tips that never take markup from anybody: a pod, a file or a workflow may have written the words. PURE."""

import re

LONGEST = 500
"""Characters: what one reads in a tool tip."""

_LINE = 60
_WIDTH = 360
_UNBROKEN = re.compile(r"(\S{40})(?=\S)")


def plain_tip(words: object) -> str:
    """`words` as a tool tip that shows them as they are, at most LONGEST characters of them.

    Qt takes a tool tip for rich text if it looks like it, and then reads files that an `<img>` names. What cannot look
    like it and has short lines is left as it is: screen readers read it too.
    """
    text = str(words).strip()
    if len(text) > LONGEST:
        text = f"{text[: LONGEST - 1]}\N{HORIZONTAL ELLIPSIS}"
    short = max(map(len, text.splitlines()), default=0) <= _LINE
    if short and not any(sign in text for sign in "<&"):
        return text
    from html import escape  # the first frame has no tool tip that needs it

    safe = escape(_UNBROKEN.sub("\\1\N{ZERO WIDTH SPACE}", text)).replace("\n", "<br/>")
    if short:
        return f"<qt>{safe}</qt>"
    return f'<qt><table width="{_WIDTH}"><tr><td>{safe}</td></tr></table></qt>'
