"""Our own files, damaged: drafts, presets (a stranger's too), lists of what is cached, models that were added."""

import json

from comfydesk.llm.shelf import Shelf
from comfydesk.session.pods.cache import PodCache, newest_catalog
from comfydesk.session.shelves.drafts import DraftFile
from comfydesk.session.shelves.mirror import INDEX, Mirror
from comfydesk.session.shelves.presets import PresetBook, import_preset
from tests.fuzz import material
from tests.fuzz.harness import Harness
from tests.fuzz.mutate import json_of
from tests.fuzz.parsers.lists import FORM


def take(data: bytes) -> None:
    folder = material.folder() / "kept"
    folder.mkdir(exist_ok=True)
    path = folder / "drafts.json"
    path.write_bytes(data)
    drafts = DraftFile(path).load()
    book = PresetBook()
    book.take(drafts)
    DraftFile(folder / "presets.json").save(book.dump())
    (folder / "added.json").write_bytes(data)
    Shelf(folder)._added()
    (folder / INDEX).write_bytes(data)
    Mirror(folder)._load()
    cache = PodCache(folder, "p")
    cache.write_bytes("object_info.json", data)
    cache.read("object_info.json")
    newest_catalog(folder)
    import_preset(data, FORM)


def seeds() -> list[bytes]:
    preset = {
        "name": "P",
        "values": {"6.text": "a", "3.steps": 5, "11.other": {"a": 1}},
        "locked": ["3.seed"],
        "count": 2,
    }
    kept = {"presets": [preset], "pinned": ["3.cfg"], "unpinned": [], "locks": {"6.text": ["a"]}}
    made: list[object] = [
        {"comfydesk_preset": 1, "workflow": "w", **preset},
        {"version": 1, "drafts": {"w": {"6.text": "a", "10.image": {"$path": "/x/y.png"}}}},
        {"version": 1, "drafts": {"workflows": {"w": kept}, "favourites": [["loras", "a"]]}},
        {"name": "/a/b.gguf"},
        {"w.json": "stamp"},
    ]
    return [json.dumps(one).encode() for one in made]


HARNESS = Harness(take, seeds, json_of, longest=12 << 10)
