"""What a job is remembered by."""

from collections.abc import Mapping
from typing import Any

from comfydesk.workflow.fields import Field, Form, Kind, Role


def seed_fields(form: Form) -> tuple[Field, ...]:
    """The inputs that are a seed, by their role or their kind."""
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
