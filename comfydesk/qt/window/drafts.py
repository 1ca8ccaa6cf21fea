"""What the user typed into each workflow's form, kept for as long as the window is open."""

from collections.abc import Mapping
from typing import Any

from comfydesk.workflow.fields import Form


class Drafts:
    """Workflow id → field id → value. Holds only what differs from the workflow's own values."""

    def __init__(self) -> None:
        self._values: dict[str, dict[str, Any]] = {}

    def values(self, workflow: str, form: Form) -> dict[str, Any]:
        """Every field's value: the draft's, else the default. Drafts of fields that are gone are left out."""
        draft = self._values.get(workflow, {})
        return {entry.id: draft.get(entry.id, entry.default) for entry in form.fields}

    def keep(self, workflow: str, form: Form, values: Mapping[str, Any]) -> None:
        """Remember `values`; fields that `form` does not have keep what they had (a pod may lack them for a while)."""
        draft = self._values.setdefault(workflow, {})
        for entry in form.fields:
            if entry.id not in values:
                continue
            if values[entry.id] == entry.default:
                draft.pop(entry.id, None)
            else:
                draft[entry.id] = values[entry.id]

    def changed(self, workflow: str) -> int:
        """How many fields differ from the workflow's own values."""
        return len(self._values.get(workflow, {}))

    def forget(self, workflow: str) -> None:
        """Back to the workflow's own values."""
        self._values.pop(workflow, None)
