import random

import pytest

from comfydesk.session.jobs.batch import prompt_of, seed_of, spread
from comfydesk.workflow.fields import Field, Form, Kind, Role
from comfydesk.workflow.patch import SeedPolicy

SEED = Field("3.seed", "Seed", Kind.SEED, 5, Role.SEED, minimum=0, maximum=2**64 - 1)
TEXT = Field("6.text", "Prompt", Kind.TEXT, "a {red|green|blue} sheep", Role.PROMPT, dynamic=True)
FORM = Form((TEXT, SEED))


def seeds(policy: SeedPolicy, count: int, given: dict[str, object] | None = None) -> list[object]:
    rng = random.Random(1)
    return [values.get("3.seed") for values in spread(FORM, given or {}, count, policy, rng)]


def test_fixed_keeps_what_the_form_or_the_workflow_says() -> None:
    assert seeds(SeedPolicy.FIXED, 2, {"3.seed": 9}) == [9, 9]
    assert seeds(SeedPolicy.FIXED, 1) == [None]


def test_counting_begins_with_the_forms_own() -> None:
    assert seeds(SeedPolicy.INCREMENT, 3, {"3.seed": 9}) == [9, 10, 11]
    assert seeds(SeedPolicy.INCREMENT, 2) == [None, 6]
    assert seeds(SeedPolicy.DECREMENT, 2, {"3.seed": 1}) == [1, 0]


def test_random_is_another_one_each_time_the_first_too() -> None:
    drawn = seeds(SeedPolicy.RANDOM, 50, {"3.seed": 9})
    assert len(set(drawn)) == 50
    assert 9 not in drawn


def test_each_job_draws_its_own_words_even_from_the_workflows_text() -> None:
    texts = {str(values["6.text"]) for values in spread(FORM, {}, 60, SeedPolicy.FIXED, random.Random(1))}
    assert texts == {"a red sheep", "a green sheep", "a blue sheep"}


def test_the_form_that_was_given_is_not_changed() -> None:
    given = {"3.seed": 9}
    spread(FORM, given, 3, SeedPolicy.INCREMENT, random.Random(1))
    assert given == {"3.seed": 9}


@pytest.mark.parametrize(("values", "seed"), [({}, 5), ({"3.seed": 2**64 - 1}, 2**64 - 1), ({"3.seed": True}, None)])
def test_a_job_is_remembered_by_its_seed(values: dict[str, object], seed: int | None) -> None:
    assert seed_of(FORM, values) == seed


def test_a_job_is_remembered_by_its_prompt() -> None:
    assert prompt_of(FORM, {"6.text": "a cow"}) == "a cow"
    assert prompt_of(FORM, {}) == TEXT.default
    assert prompt_of(Form(), {}) == ""
