"""Every KnownError is one line: what, why, what to do."""

from comfydesk.errors import GraphError, KnownError, PodUnreachableError, UsageError


def test_reads_as_sentences() -> None:
    error = KnownError("Disk full", "3 outputs wait on the pod", "Free 240 MB or choose another folder.")
    assert str(error) == "Disk full. 3 outputs wait on the pod. Free 240 MB or choose another folder."


def test_each_part_begins_like_a_sentence_but_names_stay_as_they_are() -> None:
    assert str(KnownError("It failed", "the pod is away", "try again")) == "It failed. The pod is away. Try again."
    assert str(KnownError("It failed", "a.png is broken")) == "It failed. a.png is broken."


def test_leaves_out_what_is_empty() -> None:
    assert str(GraphError("Not a workflow")) == "Not a workflow."


def test_is_one_line_even_when_a_server_sends_many() -> None:
    assert str(KnownError("It failed", "line one\nline two\x1b[31m\x00")) == "It failed. Line one line two[31m."


def test_exit_codes_follow_the_command_lines_contract() -> None:
    assert (KnownError.exit_code, UsageError.exit_code, PodUnreachableError.exit_code) == (1, 2, 3)
