"""What the user typed into each workflow's form, and how it was to be made."""

from collections.abc import Iterable, Mapping
from typing import Any

from comfydesk.workflow.fields import Form

KEPT = 200
"""Workflows whose drafts are kept; the one touched longest ago goes first."""


class Drafts:
    """Workflow id → field id → value. Holds only what differs from the workflow's own values."""

    def __init__(self) -> None:
        self._values: dict[str, dict[str, Any]] = {}
        self._ways: dict[str, tuple[frozenset[str], int]] = {}

    def values(self, workflow: str, form: Form) -> dict[str, Any]:
        """Every field's value: the draft's, else the default. Drafts of fields that are gone are left out."""
        draft = self._values.get(workflow, {})
        return {entry.id: draft.get(entry.id, entry.default) for entry in form.fields}

    def keep(self, workflow: str, form: Form, values: Mapping[str, Any]) -> None:
        """Remember `values`; fields that `form` does not have keep what they had (a pod may lack them for a while)."""
        draft = self._values.pop(workflow, {})
        self._values[workflow] = draft  # the last one touched is the last one
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

    def ways(self, workflow: str) -> tuple[frozenset[str], int]:
        """(seeds that are locked, how many at once)"""
        return self._ways.get(workflow, (frozenset(), 1))

    def keep_ways(self, workflow: str, locked: Iterable[str], count: int) -> None:
        """Remember which seeds are locked, and how many are made at once."""
        self._ways[workflow] = (frozenset(locked), count)

    # --- On their way to a file and back --------------------------------------------------------------------------

    def dump(self) -> dict[str, dict[str, Any]]:
        """Everything, as JSON takes it but for paths; a copy."""
        found: dict[str, dict[str, Any]] = {}
        for workflow in dict.fromkeys((*self._ways, *self._values)):
            locked, count = self.ways(workflow)
            values = self._values.get(workflow, {})
            if values or locked or count != 1:
                found[workflow] = {"values": dict(values), "locked": sorted(locked), "count": count}
        return dict(list(found.items())[-KEPT:])

    def take(self, saved: Mapping[str, Any]) -> None:
        """Put back what `dump` gave; what is of another shape is left out. What is here already is newer, and stays."""
        for workflow, draft in saved.items():
            if not isinstance(draft, Mapping):
                continue
            values, locked, count = draft.get("values"), draft.get("locked"), draft.get("count")
            if isinstance(values, Mapping):
                self._values.setdefault(workflow, dict(values))
            if isinstance(locked, list) and isinstance(count, int):
                seeds = frozenset(entry for entry in locked if isinstance(entry, str))
                self._ways.setdefault(workflow, (seeds, max(1, count)))
