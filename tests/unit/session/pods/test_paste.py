"""What people paste to add a pod."""

from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from comfydesk.credentials import Secret, auth_item, header_item
from comfydesk.session.pods.paste import FIRST_RUN, suggest_from_paste
from comfydesk.session.pods.profile_checks import problems
from comfydesk.session.pods.profile_file import ProfileBook, encode
from comfydesk.session.pods.profiles import AuthKind, AuthSettings, Place, PlaceKind, PodProfile, SshSettings


def profile_of(text: str) -> PodProfile:
    found = suggest_from_paste(text)
    assert found.profile is not None, found
    return found.profile


@pytest.mark.parametrize(
    "text",
    [
        "https://abc123-8188.proxy.runpod.net",
        "https://abc123-8188.proxy.runpod.net/",
        "abc123-8188.proxy.runpod.net",
        "  <https://abc123-8188.proxy.runpod.net/?foo=1#x>  ",
        "My pod: https://abc123-8188.proxy.runpod.net.",
        "[ComfyUI](https://abc123-8188.proxy.runpod.net)",
        "wss://abc123-8188.proxy.runpod.net/ws?clientId=1",
        "http://abc123-8188.proxy.runpod.net:80/api/prompt",
    ],
)
def test_runpods_proxy_is_recognised(text: str) -> None:
    found = suggest_from_paste(text)
    assert found.profile is not None
    assert found.profile.place == Place(PlaceKind.RUNPOD, pod="abc123", port=8188)
    assert (found.profile.name, found.recognised) == ("RunPod abc123", "RunPod pod abc123, port 8188")


def test_a_page_of_runpods_console_names_its_pod() -> None:
    for url in ("https://console.runpod.io/pods?id=abc123xyz0", "https://www.runpod.io/console/pods/abc123xyz0"):
        assert profile_of(url).place == Place(PlaceKind.RUNPOD, pod="abc123xyz0", port=8188)
    assert suggest_from_paste("https://console.runpod.io/pods").profile is None


def test_jupyters_port_is_pointed_out() -> None:
    found = suggest_from_paste("https://abc123-8888.proxy.runpod.net/lab")
    assert found.profile is not None
    assert any("usually JupyterLab" in note for note in found.notes)


@pytest.mark.parametrize(
    ("text", "place", "name"),
    [
        ("127.0.0.1:8188", Place(PlaceKind.LAN, url="http://127.0.0.1:8188"), "This computer"),
        ("localhost", Place(PlaceKind.LAN, url="http://localhost:8188"), "This computer"),
        ("192.168.1.20", Place(PlaceKind.LAN, url="http://192.168.1.20:8188"), "192.168.1.20:8188"),
        ("gpu-box.local:8000", Place(PlaceKind.LAN, url="http://gpu-box.local:8000"), "gpu-box"),
        ("[::1]:8188", Place(PlaceKind.LAN, url="http://[::1]:8188"), "This computer"),
        ("70.69.192.6:41001", Place(PlaceKind.URL, url="http://70.69.192.6:41001"), "70.69.192.6:41001"),
        ("https://www.pod.example.com/comfy/", Place(PlaceKind.URL, url="https://www.pod.example.com/comfy"), "pod"),
        (
            "https://some-random-words.trycloudflare.com",
            Place(PlaceKind.URL, url="https://some-random-words.trycloudflare.com"),
            "some-random-words",
        ),
    ],
)
def test_addresses(text: str, place: Place, name: str) -> None:
    profile = profile_of(text)
    assert (profile.place, profile.name) == (place, name)


def test_a_quick_tunnel_is_said_to_move() -> None:
    assert "new address at each start" in suggest_from_paste("https://some-words.trycloudflare.com").notes[0]


@pytest.mark.parametrize(
    ("text", "ssh", "port"),
    [
        (
            "ssh root@1.2.3.4 -p 22022 -i ~/.ssh/id",
            SshSettings("1.2.3.4", 22022, "root", "~/.ssh/id"),
            8188,
        ),
        (
            "Connect with:\n\n  ssh -p 19878 root@ssh6.vast.ai -L 8080:localhost:18188\n",
            SshSettings("ssh6.vast.ai", 19878),
            18188,
        ),
    ],
)
def test_ssh_lines(text: str, ssh: SshSettings, port: int) -> None:
    profile = profile_of(text)
    assert (profile.place, profile.ssh) == (Place(PlaceKind.SSH, port=port), ssh)


def test_vasts_ssh_is_named_so() -> None:
    assert profile_of("ssh -p 19878 root@ssh6.vast.ai").name == "Vast.ai"


def test_runpods_shell_gateway_is_explained() -> None:
    found = suggest_from_paste("ssh abc123-64410@ssh.runpod.io -i ~/.ssh/id_ed25519")
    assert found.profile is None
    assert "gives a shell" in found.recognised
    assert "SSH over exposed TCP" in found.notes[0]


def test_vasts_console_is_explained() -> None:
    found = suggest_from_paste("https://cloud.vast.ai/instances/")
    assert found.profile is None
    assert "Open button" in found.notes[0]


@pytest.mark.parametrize(
    ("text", "auth", "secret"),
    [
        ("https://me:p%40ss@pod.example.com", AuthSettings(AuthKind.BASIC, user="me"), "p@ss"),
        ("me:hunter2@70.69.192.6:41001", AuthSettings(AuthKind.BASIC, user="me"), "hunter2"),
        ("http://70.69.192.6:41001/?token=hunter2", AuthSettings(AuthKind.QUERY, name="token"), "hunter2"),
        (
            'curl -H "Authorization: Bearer hunter2" https://pod.example.com/api/queue',
            AuthSettings(AuthKind.BEARER),
            "hunter2",
        ),
        (
            "https://pod.example.com\nX-API-Key: hunter2",
            AuthSettings(AuthKind.API_KEY, name="X-API-Key"),
            "hunter2",
        ),
        ("curl 'https://pod.example.com' -H 'Cookie: a=hunter2'", AuthSettings(AuthKind.COOKIE), "a=hunter2"),
    ],
)
def test_secrets_move_out_of_the_text(text: str, auth: AuthSettings, secret: str) -> None:
    found = suggest_from_paste(text)
    assert found.profile is not None
    assert found.profile.auth == auth
    assert found.secrets == {auth_item(found.profile.id): Secret(secret)}
    assert secret not in repr(found) + repr(encode(found.profile))
    assert "goes to the keyring" in found.notes[-1]


def test_cloudflare_access_takes_two_headers() -> None:
    found = suggest_from_paste(
        "curl https://pod.example.com -H 'CF-Access-Client-Id: one' -H 'CF-Access-Client-Secret: two' -H 'Accept: x'"
    )
    assert found.profile is not None
    assert found.profile.auth.headers == ("CF-Access-Client-Id", "CF-Access-Client-Secret")
    profile_id = found.profile.id
    assert found.secrets[header_item(profile_id, "CF-Access-Client-Secret")] == Secret("two")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello there",
        "hello",
        "me@example.com",
        "ftp://pod.example.com",
        "https://",
        "host:99999",
        "a picture of a red bicycle",
        "C:\\Users\\me\\workflow.json",
        "x" * 100_000,
        "https://abc123-99999.proxy.runpod.net",
    ],
)
def test_nonsense_gets_words_and_no_profile(text: str) -> None:
    found = suggest_from_paste(text)
    assert found.profile is None
    assert found.recognised
    assert found.secrets == {}


def test_names_and_colours_are_new_ones() -> None:
    book = ProfileBook().add(profile_of("192.168.1.20"))
    again = suggest_from_paste("192.168.1.20", book).profile
    assert again is not None
    assert again.name == "192.168.1.20:8188 2"
    assert again.colour != book.profiles[0].colour


def test_the_first_run_offers_this_computer_and_the_demo_pod() -> None:
    here, demo = FIRST_RUN
    assert here.paste is not None
    assert profile_of(here.paste).place.url == "http://127.0.0.1:8188"
    assert (here.probe, demo.paste) == (True, None)


PIECES = st.sampled_from(
    ["https://", "ssh ", "abc-8188.proxy.runpod.net", "me:pw@", ":8188", "?token=x", " ", "\n", "-H 'Cookie: a'"]
)


@example("A://[")
@given(st.text(max_size=60) | st.lists(PIECES | st.text(max_size=8), max_size=8).map("".join))
def test_every_text_gives_a_valid_profile_or_words(text: str) -> None:
    found = suggest_from_paste(text)
    assert found.recognised
    if found.profile is not None:
        assert problems(found.profile) == ()
        assert problems(replace(found.profile, name="again")) == ()


@pytest.mark.parametrize(
    ("text", "kind", "where", "item"),
    [
        ("https://cloud.comfy.org/workflows", PlaceKind.COMFY, "https://cloud.comfy.org", ""),
        (
            "curl https://cloud.comfy.org/api/object_info -H 'X-API-Key: comfyui-s3cret'",
            PlaceKind.COMFY,
            "https://cloud.comfy.org",
            "pod/",
        ),
        ("https://abc.run.comfy.app", PlaceKind.COMFY, "https://abc.run.comfy.app", ""),
        (
            "curl -X POST https://api.runpod.ai/v2/abc123xyz456/run -H 'Authorization: Bearer rpa_s3cret'",
            PlaceKind.SERVERLESS,
            "https://api.runpod.ai/v2/abc123xyz456",
            "host/runpod/api-key",
        ),
    ],
)
def test_engines_are_known_by_their_addresses(text: str, kind: PlaceKind, where: str, item: str) -> None:
    found = suggest_from_paste(text)
    assert found.profile is not None
    assert (found.profile.place.kind, found.profile.place.own_url) == (kind, where)
    assert all(name.startswith(item) for name in found.secrets)
    assert bool(found.secrets) is bool(item)
    assert "s3cret" not in repr(found)
