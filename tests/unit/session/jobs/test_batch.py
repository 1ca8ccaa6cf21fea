import pytest

from comfydesk.session.jobs.batch import prompt_of, seed_of
from comfydesk.workflow.fields import Field, Form, Kind, Role

SEED = Field("3.seed", "Seed", Kind.SEED, 5, Role.SEED, minimum=0, maximum=2**64 - 1)
TEXT = Field("6.text", "Prompt", Kind.TEXT, "a {red|green|blue} sheep", Role.PROMPT, dynamic=True)
FORM = Form((TEXT, SEED))


@pytest.mark.parametrize(("values", "seed"), [({}, 5), ({"3.seed": 2**64 - 1}, 2**64 - 1), ({"3.seed": True}, None)])
def test_a_job_is_remembered_by_its_seed(values: dict[str, object], seed: int | None) -> None:
    assert seed_of(FORM, values) == seed


def test_a_job_is_remembered_by_its_prompt() -> None:
    assert prompt_of(FORM, {"6.text": "a cow"}) == "a cow"
    assert prompt_of(FORM, {}) == TEXT.default
    assert prompt_of(Form(), {}) == ""
