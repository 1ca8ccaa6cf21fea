"""A batch with its prompts changed: the same jobs, other words."""

from comfydesk.workflow import batch_sources
from comfydesk.workflow.batch_prompts import prompts_of, with_prompts
from comfydesk.workflow.batches import Batch
from comfydesk.workflow.fields import Field, Form, Kind, Role
from comfydesk.workflow.patch import SeedPolicy

FORM = Form(
    (
        Field("6.text", "Prompt", Kind.TEXT, "a lighthouse", Role.PROMPT, multiline=True),
        Field("7.text", "Negative", Kind.TEXT, "blurry", Role.NEGATIVE, multiline=True),
        Field("3.seed", "Seed", Kind.SEED, 7, Role.SEED, 0, 2**64 - 1, 1),
    )
)


def test_each_text_is_named_once_as_it_was_typed() -> None:
    listed = Batch(FORM, {}, (batch_sources.prompts(FORM, "a {red|blue} fox\na boat\n"),), repeats=3)
    assert prompts_of(listed) == ("a {red|blue} fox", "a boat")
    assert prompts_of(Batch(FORM, {"6.text": "a fox"}, repeats=2)) == ("a fox",)
    assert prompts_of(Batch(FORM)) == ("a lighthouse",)
    table = batch_sources.table(FORM, "prompt,7.text\na castle,a boat\na castle,fog\n")
    assert prompts_of(Batch(FORM, {}, (table,))) == ("a castle",)


def test_only_prompts_change_and_everything_else_is_as_it_was() -> None:
    batch = Batch(
        FORM,
        {"7.text": "a boat"},
        (batch_sources.prompts(FORM, "a boat\na fox"),),
        repeats=2,
        seeds=SeedPolicy.RANDOM,
        entropy=5,
    )
    before, after = list(batch.sets()), list(with_prompts(batch, {"a boat": "a small boat"}).sets())
    assert [one.values["6.text"] for one in after] == ["a small boat", "a small boat", "a fox", "a fox"]
    assert {one.values["7.text"] for one in after} == {"a boat"}
    assert [one.values.get("3.seed") for one in after] == [one.values.get("3.seed") for one in before]
    assert [one.labels for one in after] == [one.labels for one in before]


def test_the_forms_own_prompt_is_set_only_where_it_changes() -> None:
    batch = Batch(FORM)
    assert "6.text" not in with_prompts(batch, {"a fox": "no"}).base
    assert with_prompts(batch, {"a lighthouse": "a white lighthouse"}).base["6.text"] == "a white lighthouse"


def test_wildcards_are_drawn_in_the_changed_text() -> None:
    batch = Batch(FORM, {}, (batch_sources.prompts(FORM, "a {red|red} fox"),), entropy=1)
    (one,) = with_prompts(batch, {"a {red|red} fox": "a {red|red} fox at dawn"}).sets()
    assert one.values["6.text"] == "a red fox at dawn"
    assert one.drawn == {"6.text": "a {red|red} fox at dawn"}


def test_each_job_knows_its_own_original_also_where_two_became_the_same() -> None:
    changed = {"a cat": "A tabby cat.", "one cat": "A tabby cat.", "a boat": "a boat"}
    batch = Batch(FORM, {"6.text": "a cat"}, (batch_sources.prompts(FORM, "a cat\none cat\na boat"),))
    jobs = list(with_prompts(batch, changed).sets())
    assert [one.values["6.text"] for one in jobs] == ["A tabby cat.", "A tabby cat.", "a boat"]
    assert [one.originals for one in jobs] == [{"6.text": "a cat"}, {"6.text": "one cat"}, {}]
    (alone,) = with_prompts(Batch(FORM), {"a lighthouse": "a white lighthouse"}).sets()
    assert alone.originals == {"6.text": "a lighthouse"}
    (plain,) = Batch(FORM).sets()
    assert plain.originals == {}
