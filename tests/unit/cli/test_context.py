"""Where commands write: words of strangers do nothing to a terminal, and JSON loses none of them."""

import io
import json

import pytest

from comfydesk.cli.context import Context
from comfydesk.paths import Paths
from comfydesk.settings import Settings

BAIT = "\x1b[31mred\x1b[0m \x9b2Jgone\r\x07 \u202etxt.exe caf\udce9 \0"


@pytest.fixture
def context(paths: Paths) -> Context:
    return Context(paths, Settings(), io.StringIO(), io.StringIO())


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_words_of_strangers_do_nothing_to_a_terminal(context: Context, stream: str) -> None:
    (context.emit if stream == "stdout" else context.note)(f"{BAIT}\n\tGröße ✓ 👩‍👧 日本\u3000語")
    written = getattr(context, stream).getvalue()
    assert written == "[31mred[0m 2Jgone txt.exe caf \n\tGröße ✓ 👩‍👧 日本\u3000語\n"
    written.encode()


def test_json_has_them_all_and_does_nothing_either(context: Context) -> None:
    context.emit_json({"text": BAIT, "more": "Größe ✓"})
    written = context.stdout.getvalue()  # type: ignore[attr-defined]  # it is a StringIO
    assert json.loads(written) == {"text": BAIT, "more": "Größe ✓"}
    assert not set("\x1b\x9b\u202e\r\0") & set(written)
    assert "Größe ✓" in written
    written.encode()
