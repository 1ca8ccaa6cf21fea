"""The file of profiles: nothing is lost, whatever is in it; and nothing in it is secret."""

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comfydesk.errors import StoreError
from comfydesk.session.pods.profile_checks import problems
from comfydesk.session.pods.profile_file import (
    ProfileBook,
    ProfileStore,
    decode,
    encode,
    export_profiles,
    import_profiles,
)
from comfydesk.session.pods.profiles import (
    COLOURS,
    AuthKind,
    AuthSettings,
    Place,
    PlaceKind,
    PodProfile,
    ProfileError,
    SshSettings,
    new_id,
)

HOST_KEY = "ssh-ed25519 SHA256:" + "A" * 43


def lan(name: str = "studio", host: str = "192.168.1.20") -> PodProfile:
    return PodProfile(new_id(), name, Place(PlaceKind.LAN, url=f"http://{host}:8188"))


def full() -> PodProfile:
    return PodProfile(
        new_id(),
        "everything",
        Place(PlaceKind.VAST, pod="10441302", port=18188, tunnel=True, tls=True),
        colour=COLOURS[3],
        auth=AuthSettings(AuthKind.HEADERS, headers=("CF-Access-Client-Id", "CF-Access-Client-Secret")),
        certificate="ab" * 32,
        llm_url="http://10.0.0.7:11434/v1",
        output_folder="/pictures/vast",
        idle_minutes=30,
        ssh=SshSettings("", 2222, "ubuntu", "~/.ssh/id", HOST_KEY, 9000),
    )


@pytest.fixture
def store(tmp_path: Path) -> ProfileStore:
    return ProfileStore(tmp_path / "new" / "pods.toml")


def test_no_file_is_an_empty_book(store: ProfileStore) -> None:
    assert store.load() == ProfileBook()


def test_what_is_stored_comes_back(store: ProfileStore) -> None:
    first, second = full(), lan()
    assert store.change(lambda book: book.add(first).add(second)).profiles == (first, second)
    assert ProfileStore(store.path).load().profiles == (first, second)
    assert [path.name for path in store.path.parent.iterdir()] == ["pods.toml"]


def test_change_and_remove(store: ProfileStore) -> None:
    one, two = lan("one"), lan("two")
    store.change(lambda book: book.add(one).add(two))
    store.change(lambda book: book.put(replace(one, name="Eins")))
    assert [profile.name for profile in store.load().profiles] == ["Eins", "two"]
    store.change(lambda book: book.remove(two.id))
    assert store.load().profiles == (replace(one, name="Eins"),)


def test_two_programs_do_not_undo_each_other(store: ProfileStore) -> None:
    other = ProfileStore(store.path)
    other.load()
    store.change(lambda book: book.add(lan("one")))
    other.change(lambda book: book.add(lan("two")))
    assert [profile.name for profile in store.load().profiles] == ["one", "two"]


def test_a_refused_change_writes_nothing(store: ProfileStore) -> None:
    store.change(lambda book: book.add(lan("one")))
    before = store.path.read_bytes()
    for edit in (
        lambda book: book.add(lan("ONE")),
        lambda book: book.add(replace(lan("x"), name="")),
        lambda book: book.put(lan("unknown")),
        lambda book: book.remove("unknown"),
        lambda book: book.add(lan("two")).put(replace(book.profiles[0], name="two")),
    ):
        with pytest.raises(ProfileError):
            store.change(edit)
    assert store.path.read_bytes() == before


def test_finding_by_id_or_name(store: ProfileStore) -> None:
    one = lan("My Studio")
    book = ProfileBook().add(one)
    assert book.find(one.id) == book.find("my  studio") == one
    with pytest.raises(ProfileError, match=r"no pod named other\. There are: My Studio"):
        book.get("other")


def test_unknown_keys_are_kept(store: ProfileStore) -> None:
    store.path.parent.mkdir()
    store.path.write_text(
        f"""
        version = 7
        theme = "newer"
        [[pods]]
        id = "{new_id()}"
        name = "one"
        kind = "ssh"
        future = [1, 2]
        [pods.auth]
        kind = "basic"
        user = "me"
        realm = "x"
        [pods.ssh]
        host = "a"
        jump = "b"
        """
    )
    store.change(lambda book: book.put(replace(book.get("one"), name="two", auth=AuthSettings(AuthKind.BEARER))))
    (table,) = tomllib.loads(store.path.read_text())["pods"]
    assert (table["name"], table["future"]) == ("two", [1, 2])
    assert table["auth"] == {"kind": "bearer", "realm": "x"}
    assert table["ssh"] == {"host": "a", "port": 22, "user": "root", "jump": "b"}
    assert tomllib.loads(store.path.read_text())["theme"] == "newer"
    store.change(lambda book: book.put(replace(book.get("two"), auth=AuthSettings())))
    assert store.load().get("two").auth == AuthSettings()


def test_an_entry_that_cannot_be_used_stays_in_the_file(store: ProfileStore) -> None:
    store.path.parent.mkdir()
    newer = f'[[pods]]\nid = "{new_id()}"\nname = "cloud"\nkind = "comfy-cloud"\nplan = 3\n'
    wrong = f'[[pods]]\nid = "{new_id()}"\nname = "bad"\nkind = "lan"\nurl = "http://10.0.0.1"\nport = "x"\n'
    store.path.write_text(newer + wrong)
    book = store.load()
    assert book.profiles == ()
    assert "knows no kind 'comfy-cloud'" in book.problem
    assert "port is of the wrong kind" in book.problem
    store.change(lambda book: book.add(lan("one")))
    tables = tomllib.loads(store.path.read_text())["pods"]
    assert [table["name"] for table in tables] == ["one", "cloud", "bad"]
    assert tables[1]["plan"] == 3


@pytest.mark.parametrize("broken", [b"[[pods]\nname = ", b"\xff\xfe\x00", b"pods = " + b"[" * 5000])
def test_a_broken_file_is_set_aside_with_words(store: ProfileStore, broken: bytes) -> None:
    store.path.parent.mkdir()
    for kept in ("pods.toml.broken", "pods.toml.broken-2"):
        store.path.write_bytes(broken)
        book = store.load()
        assert kept in book.problem
        assert (store.path.parent / kept).read_bytes() == broken
    store.change(lambda book: book.add(lan()))
    assert len(store.load().profiles) == 1


@pytest.mark.parametrize("odd", ["pods = 3", 'pods = ["a", 1]', "[pods]\nname = 'x'", "version = 'x'"])
def test_other_shapes_are_an_empty_book(store: ProfileStore, odd: str) -> None:
    store.path.parent.mkdir()
    store.path.write_text(odd)
    assert store.load().profiles == ()


def test_a_folder_in_the_way_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "pods.toml").mkdir()
    store = ProfileStore(tmp_path / "pods.toml")
    with pytest.raises(StoreError):
        store.load()
    with pytest.raises(StoreError):
        store._write({})
    assert [path.name for path in tmp_path.iterdir()] == ["pods.toml"]


def test_free_names_and_colours() -> None:
    book = ProfileBook()
    for expected in ("pod", "pod 2", "pod 3"):
        assert book.free_name("pod") == expected
        book = book.add(replace(lan(expected), colour=book.free_colour()))
    assert [profile.colour for profile in book.profiles] == list(COLOURS[:3])


def test_an_export_has_no_folders_and_nothing_unknown() -> None:
    profile = replace(full(), extra={"token": "handwritten", "auth": {"password": "handwritten"}})
    text = export_profiles([profile])
    assert "handwritten" not in text
    assert "/pictures/vast" not in text
    assert 'name = "everything"' in text


def test_an_import_gets_fresh_ids_and_free_names() -> None:
    mine = lan("studio")
    book = ProfileBook().add(mine)
    stranger = replace(lan("Studio", "10.6.6.6"), id=mine.id)
    imported = import_profiles(export_profiles([stranger, full()]), book)
    assert [profile.name for profile in imported.profiles] == ["Studio 2", "everything"]
    assert mine.id not in [profile.id for profile in imported.profiles]
    for profile in imported.profiles:
        book = book.add(profile)
        assert problems(profile) == ()


def test_an_import_says_what_it_left_out() -> None:
    text = export_profiles([lan()]) + f'\n[[pods]]\nid = "{new_id()}"\nname = "x"\nkind = "serverless"\n'
    imported = import_profiles(text, ProfileBook())
    assert len(imported.profiles) == 1
    assert "serverless" in imported.problems[0]


@pytest.mark.parametrize("text", ["", "hello", "a = 1", "pods = 3", "x" * 5_000_000, "pods" + ".a" * 900 + " = 1"])
def test_what_is_no_export_is_refused(text: str) -> None:
    with pytest.raises(ProfileError, match="no file of pods"):
        import_profiles(text, ProfileBook())


SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20)
TABLES = st.dictionaries(
    st.sampled_from(["id", "name", "kind", "url", "pod", "port", "auth", "ssh", "idle_minutes", "colour", "other"]),
    SCALARS
    | st.sampled_from(["runpod", "ssh", "url", new_id(), "https://a.example"])
    | st.lists(SCALARS, max_size=3)
    | st.dictionaries(st.sampled_from(["kind", "host", "port", "headers", "user"]), SCALARS, max_size=4),
)


@settings(deadline=None)
@given(TABLES)
def test_any_table_is_a_profile_or_refused_in_words(table: dict[str, object]) -> None:
    try:
        profile = decode(table)
    except ProfileError:
        return
    assert decode(encode(profile)) == profile
