"""A batch with each of its prompts changed: what there is to enhance, and the batch with what came of it. PURE."""

from collections.abc import Mapping
from dataclasses import replace

from comfydesk.workflow.batches import Batch
from comfydesk.workflow.fields import Role


def prompts_of(batch: Batch) -> tuple[str, ...]:
    """Every text that a prompt of one of its jobs is made from, once, in order; wildcards are in it as they stand."""
    found: dict[str, None] = {}
    for field_id in _prompt_fields(batch):
        points = [point.values for axis in (*batch.lists, *batch.grid) for point in axis.points]
        given = [values[field_id] for values in points if field_id in values]
        if not given:
            given = [batch.base.get(field_id, batch.form.by_id[field_id].default)]
        found |= dict.fromkeys(text for text in given if isinstance(text, str) and text.strip())
    return tuple(found)


def with_prompts(batch: Batch, changed: Mapping[str, str]) -> Batch:
    """The same batch with `changed` (text → text) in all its prompts; what is not in it stays. Labels stay, too.

    What each was goes along with its own jobs: two prompts may have become the same.
    """
    fields = _prompt_fields(batch)

    def mend(values: Mapping[str, object]) -> dict[str, object]:
        return {
            name: changed.get(value, value) if name in fields and isinstance(value, str) else value
            for name, value in values.items()
        }

    def before(values: Mapping[str, object]) -> dict[str, str]:
        texts = {name: values[name] for name in fields if name in values}
        return {name: text for name, text in texts.items() if isinstance(text, str) and changed.get(text, text) != text}

    base = {name: batch.base.get(name, batch.form.by_id[name].default) for name in fields}
    if all(changed.get(text, text) == text for text in base.values() if isinstance(text, str)):
        base = {}  # nothing of the form's own is changed: what the workflow says stays unsaid
    lists, grid = (
        tuple(
            replace(
                axis,
                points=tuple(
                    replace(point, values=mend(point.values), originals=before(point.values)) for point in axis.points
                ),
            )
            for axis in axes
        )
        for axes in (batch.lists, batch.grid)
    )
    base |= batch.base
    return replace(batch, base=mend(base), lists=lists, grid=grid, originals=before(base))


def _prompt_fields(batch: Batch) -> tuple[str, ...]:
    return tuple(field.id for field in batch.form.with_role(Role.PROMPT))
