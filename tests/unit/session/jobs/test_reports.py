from comfydesk.client.remote import RemoteError, RemoteJob
from comfydesk.errors import PromptRejectedError
from comfydesk.events import RunState
from comfydesk.session.jobs.failed_inputs import HIDDEN
from comfydesk.session.jobs.reports import field_errors, of_dropped, of_rejection, of_remote, title_of

GRAPH = {
    "3": {"class_type": "KSampler", "inputs": {}, "_meta": {"title": "Draw it"}},
    "7:1": {"class_type": "SaveImage", "inputs": {}, "_meta": {}},
}
NODE_ERRORS = {
    "3": {
        "errors": [
            {
                "type": "value_bigger_than_max",
                "message": "Value 99999 bigger than max of 10000",
                "details": "steps",
                "extra_info": {"input_name": "steps", "received_value": 99999},
            },
            {"type": "x", "message": "Return type mismatch", "details": "", "extra_info": {"input_name": "model"}},
        ],
        "dependent_outputs": ["7:1"],
        "class_type": "KSampler",
    }
}


def test_a_node_is_called_by_its_title_else_by_its_class() -> None:
    assert title_of(GRAPH, "3") == "Draw it"
    assert title_of(GRAPH, "7:1") == "SaveImage"
    assert title_of(GRAPH, "99") == ""
    assert title_of(GRAPH, None) == ""


def test_what_the_pod_says_about_inputs_goes_to_their_fields() -> None:
    assert field_errors(NODE_ERRORS) == {
        "3.steps": "Value 99999 bigger than max of 10000: steps",
        "3.model": "Return type mismatch",
    }


def test_a_pod_may_say_anything_about_inputs() -> None:
    assert field_errors({"3": None, "4": {"errors": 5}, "5": {"errors": [None, {"extra_info": []}]}}) == {"5": ""}


def test_a_refused_prompt_names_the_node_and_its_fields() -> None:
    error = of_rejection(PromptRejectedError("The pod refused it", "steps", {}, NODE_ERRORS), GRAPH)
    assert (error.node, error.node_title) == ("3", "Draw it")
    assert "3.steps" in error.fields


def test_outputs_that_were_left_out_are_named() -> None:
    error = of_dropped(NODE_ERRORS, GRAPH)
    assert "left out" in error.what
    assert "Draw it" in error.why


def test_a_failed_run_names_the_node_its_words_and_keeps_the_traceback() -> None:
    remote = RemoteJob(
        "j", RunState.FAILED, error=RemoteError("boom\n", "RuntimeError", "3", "KSampler", ("line 1\n", "line 2\n"))
    )
    error = of_remote(remote, GRAPH)
    assert (error.what, error.why, error.traceback) == ("Draw it failed", "boom", "line 1\nline 2\n")
    assert error.advice == ""


def test_a_failed_run_names_what_its_node_was_given_and_nobodys_keys() -> None:
    graph = {"3": {"class_type": "Ask", "inputs": {"api_key": "abcd-1234", "text": ["6", 0], "seed": 5}}}
    error = RemoteError("401 for abcd-1234", "E", "3", "Ask", ("key='abcd-1234'\n",), {"text": "a cow"})
    report = of_remote(RemoteJob("j", RunState.FAILED, error=error), graph)
    assert "abcd-1234" not in repr(report)
    assert report.inputs["text"] == "a cow (from 6)"
    assert report.inputs["seed"] == "5"


def test_a_key_that_came_from_another_node_is_nobodys_either() -> None:
    """The graph has a link there: its value only the pod tells."""
    graph = {"3": {"class_type": "Ask", "inputs": {"api_key": ["5", 0], "password": "abcd", "url": ["6", 0]}}}
    given = {"api_key": "abcd-1234", "url": "http://host/?k=abcd-1234"}
    error = RemoteError("401 for abcd-1234", "E", "3", "Ask", ("key='abcd-1234'\n",), given)
    report = of_remote(RemoteJob("j", RunState.FAILED, error=error), graph)
    assert "1234" not in repr(report), "no end of the longer one either"
    assert report.why == f"401 for {HIDDEN}"
    assert report.inputs == {
        "api_key": HIDDEN,
        "password": HIDDEN,
        "url": f"http://host/?k={HIDDEN} (from 6)",
    }


def test_a_full_gpu_gets_advice() -> None:
    remote = RemoteJob("j", RunState.FAILED, error=RemoteError("Allocation on device", "torch.OutOfMemoryError", "3"))
    assert "smaller" in of_remote(remote, GRAPH).advice


def test_a_pod_that_does_not_say_why_is_quoted_as_such() -> None:
    assert of_remote(RemoteJob("j", RunState.FAILED), GRAPH).why == "it does not say why"
