"""TOML: the file of pods, a stranger's export of pods, and the settings, damaged or edited by hand."""

from comfydesk.session.pods.profile_file import ProfileBook, ProfileStore, export_profiles, import_profiles
from comfydesk.settings import OPTIONS, Settings
from tests.fuzz import material
from tests.fuzz.harness import Harness
from tests.fuzz.mutate import bytes_of, either, tokens


def take(data: bytes) -> None:
    folder = material.folder() / "profiles"
    folder.mkdir(exist_ok=True)
    for file in folder.iterdir():
        file.unlink()
    (folder / "settings.toml").write_bytes(data)
    settings = Settings.load(folder / "settings.toml")
    for option in OPTIONS:
        settings.get(option)
    settings.set_texts("shortcuts", {"a": "Ctrl+A"})
    (folder / "pods.toml").write_bytes(data)
    store = ProfileStore(folder / "pods.toml")
    book = store.load()
    store.change(lambda book: book)
    assert store.load().profiles == book.profiles
    export_profiles(book.profiles)
    import_profiles(data.decode("utf-8", "replace"), ProfileBook(book.profiles))


_PODS = """version = 1
[[pods]]
id = "abcdef12"
name = "A"
colour = "blue"
kind = "runpod"
pod = "abc123xyz"
port = 8188
new = {a = 1}
[pods.auth]
kind = "basic"
user = "u"
other = 1979-05-27T07:32:00Z
[[pods]]
id = "abcdef13"
name = "B"
kind = "ssh"
[pods.ssh]
host = "h"
port = 22
user = "root"
"""
_PINNED = f"""[[pods]]
id = "abcdef12"
name = "A"
kind = "url"
url = "https://a.example"
idle_minutes = 5
certificate = "{"ab" * 32}"
[pods.auth]
kind = "headers"
headers = ["X-A"]
"""
_SETTINGS = """[appearance]
theme = "dark"
scale = 120
compact = true
[queue]
ahead = "x"
[llm]
idle = 99999999999999999999
[outputs]
watched = "/a;/b"
template = "{date}/{name}"
[shortcuts]
save = "Ctrl+S"
"""


def seeds() -> list[bytes]:
    return [text.encode() for text in (_PODS, _PINNED, _SETTINGS)]


HARNESS = Harness(
    take,
    seeds,
    either(
        bytes_of,
        tokens(
            "[",
            "]",
            "[[pods]]\n",
            "[pods.auth]\n",
            "kind = ",
            '"serverless"\n',
            '"comfy"\n',
            '"vast"\n',
            '"lan"\n',
            "= nan\n",
            "= inf\n",
            "= []\n",
            "= {}\n",
            '"""',
            "'''",
            "\\u0000",
            "\\ud800",
            "1979-05-27",
            "07:32:00",
            "0x",
            "a.b.c = 1\n",
            "= " + "[" * 400,
            "= " + "{a=" * 400,
            "a" + ".a" * 400 + " = 1\n",
            "queue = 1\n",
            "port = 0\n",
            "port = true\n",
        ),
    ),
    smoke=60,
)
