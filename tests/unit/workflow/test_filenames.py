from datetime import datetime
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfydesk.client.files import safe_name
from comfydesk.errors import UsageError
from comfydesk.workflow import filenames
from comfydesk.workflow.filenames import EXAMPLE, NameParts, render

WHEN = datetime(2026, 3, 4, 15, 9, 6)  # noqa: DTZ001 - local time
PARTS = NameParts(
    filename="out_00001_.png",
    when=WHEN,
    subfolder="video/raw",
    workflow="Text to image",
    pod="My pod",
    seed=7,
    n=2,
    prompt="a cat: on a/the mat,\n in the sun",
    model="xl/sd_xl.base_1.0.safetensors",
    job="7c9e6679-7425-40de-944b-e07fc1f90ae7",
    batch="Cats",
)


@pytest.mark.parametrize(
    ("template", "path"),
    [
        ("{date}/{workflow}/{seed}_{n}", "2026-03-04/Text to image/7_2.png"),
        ("{date:yy-M-d}_{time}", "26-3-4_15-09-06.png"),
        ("{time:hh.mm}", "15.09.png"),
        ("{subfolder}/{name}", "video/raw/out_00001_.png"),
        ("x_{subfolder}/{name}", "x_video_raw/out_00001_.png"),
        ("{prompt:10}_{n:3}", "a cat_ on_002.png"),
        ("{model}/{job}-{job:4}", "sd_xl.base_1.0/7c9e6679-7c9e.png"),
        ("{pod}\\{batch}\\{n}", "My pod/Cats/2.png"),
        ("{seed}.{ext}", "7.png"),
        ("{seed}.PNG", "7.PNG"),
        ("{{{seed}}}", "{7}.png"),
        ("{Seed}", "7.png"),
        ("a/./{n}", "a/2.png"),
        ("ab: c/{n}", "ab_ c/2.png"),
        ("...{n}", "_..2.png"),
    ],
)
def test_a_template_becomes_a_path(template: str, path: str) -> None:
    assert render(template, PARTS, safe_name) == PurePosixPath(path)


def test_what_is_not_known_leaves_no_hole() -> None:
    bare = NameParts("x.mp4", WHEN)
    assert render("{batch}/{prompt}/{seed}_{n}", bare, safe_name) == PurePosixPath("noseed_1.mp4")
    assert render("{subfolder}/{prompt}", bare, safe_name) == PurePosixPath("x.mp4")
    assert render("{name}", NameParts("noextension", WHEN), safe_name) == PurePosixPath("noextension")


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("{sed}", r"no \{sed\}.*mean \{seed\}"),
        ("{zzz}", r"no \{zzz\}.*There are \{date\}"),
        ("", "empty"),
        ("{seed", "without its other half.*{{"),
        ("seed}", "without its other half.*}}"),
        ("/etc/{n}", "outside"),
        ("C:/x/{n}", "outside"),
        ("~/{n}", "outside"),
        ("a/../{n}", "leads out"),
        ("..", "leads out"),
        ("a/", "ends with a folder"),
        ("{seed:3}", "takes nothing"),
        ("{n:x}", "a number"),
        ("{prompt:0}", "a number"),
        ("/".join("abcdefghi"), "too many folders"),
        ("x" * 501, "too long"),
    ],
)
def test_what_is_wrong_with_a_template_is_told(template: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        filenames.check(template)
    assert filenames.problem(template)


def test_an_example_shows_what_comes_out() -> None:
    assert filenames.example("{date}/{workflow}/{seed}_{n}", safe_name) == "2026-03-14/Text to image/123456789_1.png"
    assert filenames.problem(filenames.DEFAULT) == ""
    for token in filenames.TOKENS:
        assert filenames.example(f"{{{token}}}", safe_name, EXAMPLE)


ANYTHING = st.text(max_size=30) | st.sampled_from(
    ["..", "/etc/passwd", "C:\\x", "con", "a\0b", ".", "…/..", " ", "\u202e"]
)
PIECES = st.sampled_from(
    ["{" + token + "}" for token in filenames.TOKENS] + ["/", "a", " ", ".", "_", "{prompt:3}", "{{", ":", "é"]
)


@given(st.lists(PIECES, min_size=1, max_size=8), ANYTHING, ANYTHING, ANYTHING)
def test_whatever_fills_it_the_path_stays_inside_and_every_name_is_safe(
    pieces: list[str], text: str, filename: str, subfolder: str
) -> None:
    template = "".join(pieces)
    if filenames.problem(template):
        return
    parts = NameParts(
        filename or "x", WHEN, subfolder, workflow=text, pod=text, prompt=text, model=text, job=text, batch=text
    )
    path = render(template, parts, safe_name)
    assert not path.is_absolute()
    assert 1 <= len(path.parts) <= filenames.MAX_DEPTH
    assert all(part == safe_name(part) for part in path.parts)
