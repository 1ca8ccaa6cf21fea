"""Best and ready ones first, with why."""

from comfydesk.intent.match import understand
from comfydesk.intent.rank import Candidate, suggest

READY = Candidate("a", "Wan 2.2: image to video", "i2v", ("image",), ready=True)
MISSING = Candidate("b", "LTX-2: image to video", "i2v", ("image",), ready=False)
USED = Candidate("c", "HunyuanVideo: animate", "i2v", ("image",), ready=True, last_used=5.0)
OTHER = Candidate("d", "Flux text to image", "t2i", ready=True)


def test_only_workflows_of_the_task_and_ready_ones_first() -> None:
    ids = [s.id for s in suggest(understand("turn this image into a video"), [MISSING, OTHER, READY])]
    assert ids == ["a", "b"]


def test_a_workflow_that_the_sentence_names_comes_before_one_used_last() -> None:
    ids = [s.id for s in suggest(understand("animate my photo with wan"), [USED, READY])]
    assert ids == ["a", "c"]


def test_words_alone_search_when_no_task_is_meant() -> None:
    assert [s.id for s in suggest(understand("flux"), [READY, OTHER])] == ["d"]
    assert suggest(understand("hello world"), [READY, OTHER]) == ()


def test_carries_the_subject_for_the_prompt() -> None:
    (first,) = suggest(understand("a picture of a red bicycle"), [OTHER])
    assert first.prompt == "a red bicycle"
