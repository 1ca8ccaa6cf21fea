"""Refusals beyond the recorded ones: what the demo pod says, the real server says too."""

from typing import Any

import pytest

SAVE = {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "contract/x"}}
EMPTY = {"class_type": "EmptyImage", "inputs": {"width": 16, "height": 16, "batch_size": 1, "color": 0}}


def scaled(**changes: Any) -> dict[str, Any]:
    inputs = {"image": ["1", 0], "upscale_method": "bilinear", "width": 8, "height": 8, "crop": "disabled"}
    return {
        "1": EMPTY,
        "2": {"class_type": "ImageScale", "inputs": inputs | changes},
        "3": {"class_type": "PreviewImage", "inputs": {"images": ["2", 0]}},
    }


def errors(answer: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    return {node: entry["errors"] for node, entry in answer["node_errors"].items()}


async def refused(talk: Any, graph: dict[str, Any], **more: Any) -> dict[str, Any]:
    async with talk() as client:
        answer = await client.post(graph, **more)
    assert answer.status_code == 400, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def test_a_choice_that_is_none(talk: Any) -> None:
    answer = await refused(talk, scaled(crop="middle"))
    assert errors(answer)["2"] == [
        {
            "type": "value_not_in_list",
            "message": "Value not in list",
            "details": "crop: 'middle' not in ['disabled', 'center']",
            "extra_info": {
                "input_name": "crop",
                "input_config": [["disabled", "center"], {}],
                "received_value": "middle",
            },
        }
    ]
    assert answer["node_errors"]["2"]["dependent_outputs"] == ["3"]


async def test_a_choice_of_a_modern_node(talk: Any) -> None:
    inputs = {"image1": ["1", 0], "image2": ["1", 0], "blend_factor": 2, "blend_mode": "burn"}
    graph = {
        "1": EMPTY,
        "2": {"class_type": "ImageBlend", "inputs": inputs},
        "3": {"class_type": "PreviewImage", "inputs": {"images": ["2", 0]}},
    }
    found = sorted(errors(await refused(talk, graph))["2"], key=lambda error: error["type"])
    assert [error["type"] for error in found] == ["value_bigger_than_max", "value_not_in_list"]
    assert found[0]["message"] == "Value 2.0 bigger than max of 1.0"
    assert found[1]["extra_info"]["input_config"][0] == "COMBO"
    assert found[1]["details"].startswith("blend_mode: 'burn' not in ['normal', ")


async def test_a_link_of_the_wrong_length(talk: Any) -> None:
    (error,) = errors(await refused(talk, scaled(image=["1", 0, 0])))["2"]
    assert error == {
        "type": "bad_linked_input",
        "message": "Bad linked input, must be a length-2 list of [node_id, slot_index]",
        "details": "image",
        "extra_info": {"input_name": "image", "input_config": ["IMAGE", {}], "received_value": ["1", 0, 0]},
    }


async def test_a_link_to_a_missing_node_further_in(talk: Any) -> None:
    answer = await refused(talk, scaled(image=["77", 0]))
    (error,) = errors(answer)["2"]
    assert error["type"] == "exception_during_inner_validation"
    assert error["message"] == "Exception when validating inner node"
    assert error["details"] == "'77'"
    assert error["extra_info"]["input_name"] == "images"
    assert error["extra_info"]["linked_node"] == ["2", 0]
    assert error["extra_info"]["exception_type"] == "KeyError"


async def test_a_link_to_a_missing_output(talk: Any) -> None:
    (error,) = errors(await refused(talk, {"1": EMPTY, "2": SAVE | {"inputs": {"images": ["1", 5]}}}))["2"]
    assert error["type"] == "exception_during_validation"
    assert error["details"] == "tuple index out of range"
    assert error["extra_info"]["exception_type"] == "IndexError"


async def test_a_circle(talk: Any) -> None:
    one, two = ({"class_type": "ImageInvert", "inputs": {"image": [source, 0]}} for source in "21")
    graph = {"1": one, "2": two, "3": SAVE}
    answer = await refused(talk, graph)
    found = errors(answer)
    assert set(found) == {"1", "2"}
    assert found["1"][0]["type"] == "dependency_cycle"
    assert found["1"][0]["details"] == "1 (ImageInvert) -> 2 (ImageInvert) -> 1 (ImageInvert)"
    assert found["1"][0]["extra_info"] == {"node_id": "1", "cycle_nodes": ["1", "2"]}


async def test_a_growing_input_wants_its_first(talk: Any) -> None:
    graph = {
        "1": EMPTY,
        "2": {"class_type": "BatchImagesNode", "inputs": {"images.image1": ["1", 0]}},
        "3": {"class_type": "PreviewImage", "inputs": {"images": ["2", 0]}},
    }
    (error,) = errors(await refused(talk, graph))["2"]
    assert (error["type"], error["details"]) == ("required_input_missing", "image0")
    assert error["extra_info"] == {"input_name": "images.image0"}


async def test_a_dynamic_combo_wants_the_inputs_of_its_choice(talk: Any) -> None:
    graph: dict[str, Any] = {
        "1": EMPTY,
        "2": {"class_type": "CreateVideo", "inputs": {"images": ["1", 0], "fps": 8}},
        "3": {"class_type": "SaveVideo", "inputs": {"video": ["2", 0], "filename_prefix": "x", "format": "mp4"}},
    }
    assert "3" not in errors(await accepted_or_refused(talk, graph)), "a combo inside an unmade choice is not asked for"
    graph["3"]["inputs"] |= {"format.codec": "h264", "format.codec.encoding": "re-encode"}
    found = errors(await refused(talk, graph))["3"]
    assert sorted(error["details"] for error in found) == ["color_space", "crf"]


async def accepted_or_refused(talk: Any, graph: dict[str, Any]) -> dict[str, Any]:
    async with talk() as client:
        answer = await client.post(graph)
        if answer.status_code == 200:
            await client.over(answer.json()["prompt_id"])
        body: dict[str, Any] = answer.json()
        return body


@pytest.mark.parametrize("wrong", ["ABC", "7F1AE650-3914-482C-9C9B-6E0F63C0C85C", 7, ""])
async def test_a_prompt_id_that_is_no_canonical_uuid(talk: Any, wrong: Any) -> None:
    answer = await refused(talk, {"1": EMPTY, "2": SAVE}, prompt_id=wrong)
    assert answer["error"]["type"] == "invalid_prompt_id"
    assert answer["node_errors"] == {}


async def test_what_is_no_json_is_a_plain_error(talk: Any) -> None:
    async with talk() as client:
        answer = await client.http.post("/prompt", content=b"{nonsense", headers={"Content-Type": "application/json"})
    assert answer.status_code == 500
    assert answer.headers["content-type"].startswith("text/plain")


async def test_a_text_number_that_is_none(talk: Any) -> None:
    (error,) = errors(await refused(talk, scaled(width="wide")))["2"]
    assert error["type"] == "invalid_input_type"
    assert error["message"] == "Failed to convert an input value to a INT value"
    assert error["details"] == "width, wide, invalid literal for int() with base 10: 'wide'"


async def test_a_picture_that_is_not_there(talk: Any) -> None:
    graph = {
        "1": {"class_type": "LoadImage", "inputs": {"image": "nowhere/none.png [output]"}},
        "2": {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}},
    }
    (error,) = errors(await refused(talk, graph))["1"]
    assert error["details"] == "image - Invalid image file: nowhere/none.png [output]"
