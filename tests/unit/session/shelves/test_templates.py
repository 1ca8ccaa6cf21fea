"""The official templates' index: every entry a card before any file is read, and nothing hostile gets through."""

import json
from importlib import resources as packaged

import pytest

from comfydesk.session.shelves.templates import dressed, entry_of, read_index
from comfydesk.session.values import WorkflowEntry
from comfydesk.workflow.card import WorkflowCard


def official() -> list[object]:
    found: list[object] = json.loads(
        (packaged.files("comfyui_workflow_templates_json") / "templates" / "index.json").read_text("utf-8")
    )
    return found


def test_each_official_template_is_a_card() -> None:
    templates = read_index(official())
    assert len(templates) > 400
    entries = [entry_of(template) for template in templates]
    assert all(entry.name and entry.picture and entry.card.output_types for entry in entries)
    assert sum(entry.card.type is not None for entry in entries) > 0.75 * len(entries)
    assert sum(entry.size > 0 for entry in entries) > 0.4 * len(entries), "services have no models"


def test_what_the_index_says_completes_what_the_file_says() -> None:
    (template,) = read_index([{"title": "Video", "templates": [{"name": "a_b", "title": "A: B", "tags": ["Wan"]}]}])
    read = WorkflowEntry("templates/a_b.json", "a b", "templates", WorkflowCard("x", "a_b", type="i2v", node_count=3))
    entry = dressed(read, template)
    assert (entry.name, entry.card.type, entry.card.node_count, entry.tags) == ("A: B", "i2v", 3, ("Wan",))


def test_a_release_in_which_an_entry_is_new_has_another_stamp_and_its_popularity_is_no_news() -> None:
    def stamp(**parts: object) -> str:
        return read_index([{"templates": [{"name": "a", **parts}]}])[0].stamp

    assert stamp(date="2026-01-01") != stamp(date="2026-02-01")
    assert stamp(usage=1) == stamp(usage=2)


@pytest.mark.parametrize(
    "index",
    [
        None,
        {},
        [1, None, {"templates": "x"}],
        [{"templates": [None, {}, {"name": 5}, {"name": "../../etc/passwd"}, {"name": "a/b"}, {"name": ".x"}]}],
        [{"templates": [{"name": "a" * 500}]}],
    ],
)
def test_junk_makes_no_templates(index: object) -> None:
    assert read_index(index) == ()
