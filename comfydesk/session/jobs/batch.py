"""One form, several jobs: the values of each."""

import random
from collections.abc import Mapping
from typing import Any

from comfydesk.workflow.fields import Field, Form, Kind, Role
from comfydesk.workflow.form import sendable
from comfydesk.workflow.patch import SeedPolicy, next_seed


def spread(
    form: Form, values: Mapping[str, Any], count: int, policy: SeedPolicy, rng: random.Random
) -> tuple[dict[str, Any], ...]:
    """The values of `count` jobs, ready to be put into the graph: equal but for seeds, and "{a|b}" in texts.

    RANDOM: every job has seeds of its own. INCREMENT, DECREMENT: the first job has the form's, each following one
    more or less. FIXED: all have the form's.
    """
    seeds = seed_fields(form)
    jobs: list[dict[str, Any]] = []
    current = dict(values)
    for number in range(count):
        if number or policy is SeedPolicy.RANDOM:
            current = current | {
                field.id: next_seed(policy, int(current.get(field.id, field.default) or 0), field, rng)
                for field in seeds
            }
        jobs.append(sendable(form, current, rng))
    return tuple(jobs)


def seed_fields(form: Form) -> tuple[Field, ...]:
    """The seeds that a policy applies to."""
    return tuple(field for field in form.fields if field.role is Role.SEED or field.kind is Kind.SEED)


def prompt_of(form: Form, values: Mapping[str, Any]) -> str:
    """The text the job is remembered by."""
    for field in form.with_role(Role.PROMPT):
        text = values.get(field.id, field.default)
        if isinstance(text, str) and text.strip():
            return text
    return ""


def seed_of(form: Form, values: Mapping[str, Any]) -> int | None:
    """The seed the job is remembered by."""
    for field in sorted(seed_fields(form), key=lambda field: field.role is not Role.SEED):
        seed = values.get(field.id, field.default)
        if isinstance(seed, int) and not isinstance(seed, bool):
            return seed
    return None
