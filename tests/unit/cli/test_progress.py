import io

import pytest

from comfydesk.cli.progress import ProgressPrinter
from comfydesk.events import JobProgress, PreviewFrame, RunState


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def at(fraction: float, node: str | None = "3", job: str = "a", state: RunState = RunState.RUNNING) -> JobProgress:
    return JobProgress(job, state, node, round(fraction * 20), 20, fraction=fraction)


def printer(stream: io.StringIO, ids: list[str] | None = None) -> ProgressPrinter:
    return ProgressPrinter(stream, ids or ["a"], lambda _, node: f"Node {node}" if node else "", lambda _: 75.0)


def test_without_a_terminal_there_is_a_line_now_and_then() -> None:
    stream = io.StringIO()
    show = printer(stream)
    for step in range(21):
        show(at(step / 20))
    show(at(1, None, state=RunState.SUCCEEDED))
    lines = stream.getvalue().splitlines()
    assert lines[0].split() == ["0%", "Node", "3", "0/20"]
    assert 4 <= len(lines) <= 6
    assert "\x1b" not in stream.getvalue()


def test_a_new_node_is_a_new_line() -> None:
    stream = io.StringIO()
    show = printer(stream)
    show(at(0.1, "3"))
    show(at(0.1, "4"))
    assert len(stream.getvalue().splitlines()) == 2


def test_on_a_terminal_one_line_is_drawn_again_and_taken_away() -> None:
    stream = Terminal()
    show = printer(stream)
    show(at(0.5))
    show.clear()
    text = stream.getvalue()
    assert "\n" not in text
    assert "[############............]  50% Node 3 10/20  1:15 left" in text
    assert text.endswith("\r\x1b[K")


def test_a_terminal_is_not_flooded(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Terminal()
    show = printer(stream)
    for step in range(10_000):
        show(at(step / 10_000))
    assert stream.getvalue().count("\r") < 100


def test_of_several_jobs_it_says_which() -> None:
    stream = io.StringIO()
    printer(stream, ["a", "b", "c"])(at(0.5, job="b"))
    assert "job 2 of 3" in stream.getvalue()


def test_other_peoples_jobs_and_previews_are_silent() -> None:
    stream = io.StringIO()
    show = printer(stream)
    show(at(0.5, job="other"))
    show(PreviewFrame("png", b"", "a"))
    assert stream.getvalue() == ""


def test_a_pods_titles_cannot_move_the_cursor() -> None:
    stream = Terminal()
    ProgressPrinter(stream, ["a"], lambda *_: "\x1b[2J\nboo", lambda _: None)(at(0.5))
    assert "\x1b[2J" not in stream.getvalue()
    assert "\n" not in stream.getvalue()
