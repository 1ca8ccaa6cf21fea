import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from comfydesk.errors import UsageError
from comfydesk.events import CollectionsChanged, OutputsChanged
from comfydesk.session.gallery import reuse
from comfydesk.session.gallery.reuse import Scope
from comfydesk.session.jobs.recipes import Recipe
from comfydesk.store import deletions
from comfydesk.store.database import Database
from comfydesk.store.listing import Listing
from comfydesk.store.search import OutputFilter
from comfydesk.workflow.catalog import Catalog
from comfydesk.workflow.fields import Field, Form, Kind, Role
from comfydesk.workflow.form import build_form
from comfydesk.workflow.parse import parse_workflow

Write = Callable[..., Path]
Until = Callable[..., Awaitable[None]]
PROMPT = "A lighthouse on a cliff at dusk, long exposure"
SEED = 2**64 - 1


# --- What it was made with ------------------------------------------------------------------------------------------


async def test_what_a_job_was_made_with_can_be_searched_a_moment_later(opened: Any, write: Write) -> None:
    async with opened() as world:
        output = await world.add(write(world.folder / "a.png"), await world.job(), prompt=PROMPT)
        await world.gallery.settled()
        (row,) = await world.gallery.rows([output])
        assert (row.negative, row.model, row.sampler) == ("blurry", "sd_xl_base_1.0.safetensors", "euler")
        assert (row.scheduler, row.steps, row.cfg, row.seed) == ("karras", 20, 7, SEED)
        for words in ("lora:film", "negative:blurry", f"seed:{SEED}", "sampler:euler", "steps:20 cfg:<8"):
            assert list((await world.gallery.listing(OutputFilter(words=words))).ids) == [output], words
        assert (await world.gallery.facets()).loras == {"film.safetensors": 1}


async def test_what_an_earlier_program_left_unread_is_read_at_the_next_start(opened: Any, write: Write) -> None:
    async with opened() as world:
        output = await world.add(write(world.folder / "a.png"), await world.job())
        await world.library.call(lambda db: db.execute("UPDATE outputs SET facts = 0, model = ''"))
    async with opened() as world:
        await world.gallery.settled()
        assert (await world.gallery.rows([output]))[0].model


async def test_details_name_every_value_with_its_role(opened: Any, write: Write) -> None:
    async with opened() as world:
        output = await world.add(write(world.folder / "a.png"), await world.job())
        await world.gallery.settled()
        detail = await world.gallery.detail(output)
        assert detail is not None
        assert (detail.of_role(Role.SEED), detail.of_role(Role.PROMPT)) == ((SEED,), (PROMPT,))
        by_field = {setting.field: setting.value for setting in detail.settings}
        assert by_field["5.width"] == 832
        assert by_field["8.filename_prefix"] == "ComfyUI"
        assert detail.models == (("sd_xl_base_1.0.safetensors", "checkpoint"), ("film.safetensors", "lora"))
        assert await world.gallery.detail(999) is None


async def test_its_settings_can_be_used_when_the_job_is_long_gone(opened: Any, write: Write) -> None:
    async with opened() as world:
        output = await world.add(write(world.folder / "a.png"), await world.job())
        await world.library.call(lambda db: db.execute("DELETE FROM jobs"))
        recipe = await world.gallery.recipe(output)
        assert recipe.values == {"3.text": PROMPT, "6.seed": SEED}
        graph = parse_workflow(recipe.source)
        form = build_form(graph, Catalog({}))
        assert form.by_id["6.steps"].default == 20

        batch = reuse.variations(recipe, form, 3)
        seeds = [one.values["6.seed"] for one in batch.sets()]
        assert len({*seeds, SEED}) == 4
        assert all(one.values["3.text"] == PROMPT for one in batch.sets())

        around = [one.values["6.seed"] for one in reuse.neighbours(recipe, form, 100, 2).sets()]
        assert around == [98, 99, 100, 101, 102]
        top = [one.values["6.seed"] for one in reuse.neighbours(recipe, form, SEED, 1).sets()]
        assert top == [SEED - 2, SEED - 1, SEED]


async def test_a_file_without_a_workflow_has_no_recipe(opened: Any, write: Write) -> None:
    async with opened() as world:
        output = await world.add(write(world.folder / "a.png"), prompt="hello", seed=5)
        with pytest.raises(UsageError, match="not known"):
            await world.gallery.recipe(output)
        detail = await world.gallery.detail(output)
        assert detail.of_role(Role.PROMPT) == ("hello",)
        assert await world.gallery.outline(output) == ()


async def test_differences_are_exactly_what_differs_fields_without_a_role_too(opened: Any, write: Write) -> None:
    async with opened() as world:
        one = await world.add(write(world.folder / "a.png"), await world.job(name="j1"), width=16, height=12)
        values = {"3.text": PROMPT, "6.seed": 7, "8.filename_prefix": "Other"}
        two = await world.add(write(world.folder / "b.png", "blue"), await world.job(values, name="j2"))
        rows = await world.gallery.differences([one, two])
        assert {row.label: row.values for row in rows} == {
            "Seed": (SEED, 7),
            "filename_prefix": ("ComfyUI", "Other"),
            "Size": ("16 \N{MULTIPLICATION SIGN} 12", None),
        }
        assert await world.gallery.differences([one, one]) == ()


async def test_the_outline_has_each_node_after_those_that_feed_it(opened: Any, write: Write) -> None:
    async with opened() as world:
        output = await world.add(write(world.folder / "a.png"), await world.job())
        nodes = await world.gallery.outline(output)
        assert sorted(node.id for node in nodes) == list("12345678")
        seen: set[str] = set()
        for node in nodes:
            assert {origin for _, origin in node.links} <= seen
            seen.add(node.id)
        sampler = next(node for node in nodes if node.kind == "KSampler")
        assert ("seed", str(SEED)) in sampler.values


async def test_prompt_or_seed_alone_go_into_another_workflows_form(opened: Any, write: Write) -> None:
    form = Form((
        Field("90.value", "Prompt", Kind.TEXT, "", Role.PROMPT),
        Field("91.noise_seed", "Seed", Kind.SEED, 0, Role.SEED),
        Field("92.image", "Image", Kind.IMAGE, "", Role.IMAGE),
    ))  # fmt: skip
    async with opened() as world:
        output = await world.add(write(world.folder / "a.png"), await world.job())
        settings = (await world.gallery.detail(output)).settings
        assert reuse.carried(form, settings, Scope.PROMPT) == {"90.value": PROMPT}
        assert reuse.carried(form, settings, Scope.SEED) == {"91.noise_seed": SEED}
        assert reuse.carried(form, settings) == {"90.value": PROMPT, "91.noise_seed": SEED}
    field = reuse.input_for(form, "image")
    assert field is not None
    assert (field.id, reuse.input_for(form, "audio")) == ("92.image", None)


def test_without_a_list_of_nodes_it_is_not_said_that_a_workflow_has_no_seed() -> None:
    recipe = Recipe("w", "", b"{}", {}, {})
    with pytest.raises(UsageError, match="Connect to a pod first"):
        reuse.variations(recipe, Form(()), 2)
    with pytest.raises(UsageError, match="has no seed"):
        reuse.neighbours(recipe, Form((Field("1.text", "Prompt", Kind.TEXT, "", Role.PROMPT),)), 5, 2)


# --- Deleting -------------------------------------------------------------------------------------------------------


async def test_deleting_hides_at_once_and_the_file_goes_when_the_time_for_an_undo_is_over(
    opened: Any, write: Write, until: Until
) -> None:
    async with opened(undo_seconds=0.05) as world:
        path = write(world.folder / "a.png")
        output = await world.add(path)
        await world.gallery.delete([output])
        assert len(await world.gallery.listing()) == 0
        await until(lambda: (world.bin / "a.png").exists())
        await until(lambda: _gone(world, output))
        assert not path.exists()
        assert world.problems == []


async def _gone(world: Any, output: int) -> bool:
    return len(await world.gallery.rows([output])) == 0


async def test_undo_brings_all_back(opened: Any, write: Write) -> None:
    async with opened() as world:
        output = await world.add(write(world.folder / "a.png"))
        await world.gallery.collections.rate([output], 4)
        token = await world.gallery.delete([output])
        assert await world.gallery.undo(token) == 1
        assert await world.gallery.undo(token) == 0
        (row,) = await world.gallery.rows([output])
        assert (row.rating, list((await world.gallery.listing()).ids)) == (4, [output])
        assert await world.gallery.delete([999]) is None


async def test_what_was_deleted_before_the_end_goes_at_the_next_start(opened: Any, write: Write, until: Until) -> None:
    async with opened() as world:
        await world.gallery.delete([await world.add(write(world.folder / "a.png"))])
    assert (world.folder / "a.png").exists()
    async with opened(undo_seconds=0) as world:
        await until(lambda: (world.bin / "a.png").exists())


async def test_another_file_in_its_place_is_never_touched(opened: Any, write: Write, until: Until) -> None:
    async with opened(undo_seconds=0.05) as world:
        path = write(world.folder / "a.png")
        output = await world.add(path)
        await world.gallery.delete([output])
        other = write(path, "blue").read_bytes()
        await until(lambda: _gone(world, output))
        assert path.read_bytes() == other
        assert list(world.bin.iterdir()) == []


async def test_a_file_without_a_hash_yet_is_known_by_its_size_and_time(opened: Any, write: Write, until: Until) -> None:
    """What was imported a moment ago: other bytes of the same length are another file."""
    async with opened(undo_seconds=0.05) as world:
        same, other = write(world.folder / "a.png"), write(world.folder / "b.png", "lime")
        ids = [await world.add(path) for path in (same, other)]

        def as_imported(db: Database) -> None:
            for id_, path in zip(ids, (same, other), strict=True):
                db.execute("UPDATE outputs SET sha256 = '', mtime_ns = ? WHERE id = ?", (path.stat().st_mtime_ns, id_))

        await world.library.call(as_imported)
        changed = bytes(reversed(other.read_bytes()))
        other.write_bytes(changed)
        os.utime(other, ns=(1, other.stat().st_mtime_ns + 1))
        await world.gallery.delete(ids)
        for id_ in ids:
            await until(lambda id_=id_: _gone(world, id_))
        assert [path.name for path in world.bin.iterdir()] == ["a.png"]
        assert other.read_bytes() == changed


async def test_a_deletion_that_was_killed_on_the_way_is_ended_at_the_next_start(
    opened: Any, write: Write, until: Until
) -> None:
    async with opened() as world:
        moved, left = write(world.folder / "a.png"), write(world.folder / "b.png", "lime")
        ids = [await world.add(path) for path in (moved, left)]
        token = await world.gallery.delete(ids)
        for id_ in ids:
            assert await world.library.call(deletions.claim, id_)
        assert await world.gallery.undo(token) == 0, "it is too late for that"
        moved.rename(world.bin / "a.png")  # and there it ended
    async with opened(undo_seconds=0) as world:
        await until(lambda: (world.bin / "b.png").exists())
        for id_ in ids:
            await until(lambda id_=id_: _gone(world, id_))
        assert world.problems == []


async def test_without_a_trash_the_output_comes_back_and_the_user_is_told(
    opened: Any, write: Write, until: Until
) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(13, "no trash here", str(path))

    async with opened(undo_seconds=0.01, put=refuse) as world:
        output = await world.add(write(world.folder / "a.png"))
        await world.gallery.delete([output])
        await until(lambda: len(world.problems) == 1)
        assert "no trash here" in str(world.problems[0])
        assert list((await world.gallery.listing()).ids) == [output]


async def test_the_systems_trash_takes_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    from comfydesk.session.gallery.trash import to_system_trash

    if sys.platform != "linux":
        pytest.skip("the trash's place is known on Linux only")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    monkeypatch.setattr("send2trash.plat_other.HOMETRASH", str(tmp_path / "share" / "Trash"), raising=False)
    path = tmp_path / "a name\nwith a line.png"
    path.write_bytes(b"x")
    to_system_trash(path)
    assert not path.exists()


# --- Files that others move ------------------------------------------------------------------------------------------


async def test_moved_files_are_missing_then_found_again_by_what_is_in_them(opened: Any, write: Write) -> None:
    async with opened() as world:
        path = write(world.folder / "a.png")
        kept = await world.add(write(world.folder / "b.png", "blue"))
        output = await world.add(path)
        away = world.folder.parent / "away.png"
        path.rename(away)
        await world.gallery.check_files()
        assert [row.missing for row in await world.gallery.rows([output, kept])] == [True, False]
        assert list((await world.gallery.listing(OutputFilter(words="is:missing"))).ids) == [output]
        (world.folder / "sub").mkdir()
        write(world.folder / "sub" / "other.png", "green")
        away.rename(world.folder / "sub" / "renamed.png")
        await world.gallery.check_files([output])
        (row,) = await world.gallery.rows([output])
        assert (row.path, row.missing) == (str(world.folder / "sub" / "renamed.png"), False)
        assert list((await world.gallery.listing(OutputFilter(words="name:renamed"))).ids) == [output]


# --- Two programs -----------------------------------------------------------------------------------------------------


async def test_two_programs_see_what_each_other_adds_and_deletes(opened: Any, write: Write) -> None:
    async with opened() as one, opened() as other:
        first = await one.add(write(one.folder / "a.png"))
        assert list((await other.gallery.listing()).ids) == [first]
        token = await other.gallery.delete([first])
        assert list((await one.gallery.listing()).ids) == []
        await one.gallery.undo(token)
        second = await other.add(write(one.folder / "b.png", "blue"))
        for world in (one, other):
            assert set((await world.gallery.listing()).ids) == {first, second}


async def test_what_is_said_of_outputs_is_told(opened: Any, write: Write) -> None:
    async with opened() as world:
        output = await world.add(write(world.folder / "a.png"))
        await world.gallery.settled()
        world.changes.clear()
        album = await world.gallery.collections.make_album("Best", [output])
        assert world.changes == [
            CollectionsChanged(),
            OutputsChanged(updated=(output,)),
            CollectionsChanged((album,)),
        ]
        listing: Listing = await world.gallery.listing(OutputFilter(album=album))
        assert list(listing.ids) == [output]


async def test_the_words_of_the_index_stay_those_of_the_rows(opened: Any, write: Write) -> None:
    """SQLite compares the full-text index with the table itself."""
    async with opened() as world:
        ids = [await world.add(write(world.folder / f"{n}.png", colour)) for n, colour in enumerate(("red", "blue"))]
        for output in ids:
            await world.gallery.collections.tag([output], "one")
            await world.gallery.collections.note([output], "two")
        await world.gallery.collections.untag(ids[:1], "one")
        await world.library.call(lambda db: db.execute("DELETE FROM outputs WHERE id = ?", (ids[1],)))
        await world.library.call(_check)


def _check(db: Database) -> None:
    db.execute("INSERT INTO output_words (output_words, rank) VALUES ('integrity-check', 1)")
    assert db.first("PRAGMA foreign_key_check") is None
    db.check()
