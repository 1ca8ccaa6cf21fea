"""What people paste becomes an address; its secrets stay in it."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfydesk.client.address import Address, Auth, AuthKind
from comfydesk.errors import UsageError

PIN = "ab" * 32


@pytest.mark.parametrize(
    ("pasted", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8188"),
        ("localhost:9000", "http://localhost:9000"),
        ("  my-box.lan:8188/  ", "http://my-box.lan:8188"),
        ("http://127.0.0.1:8188/", "http://127.0.0.1:8188"),
        ("http://HOST.example/", "http://host.example"),
        ("https://host.example:443/", "https://host.example"),
        ("host.example:443", "https://host.example"),
        ("ws://host.example:8188/ws?clientId=1", "http://host.example:8188"),
        ("http://host.example:8188/?workflow=x#frag", "http://host.example:8188"),
        ("http://host.example:8188/api/prompt", "http://host.example:8188"),
        ("https://host.example/comfy/", "https://host.example/comfy"),
        ("https://host.example/comfy/api/view?filename=a", "https://host.example/comfy"),
        ("https://abc123-8188.proxy.runpod.net/", "https://abc123-8188.proxy.runpod.net"),
        ("abc123-8188.proxy.runpod.net", "https://abc123-8188.proxy.runpod.net"),
        ("http://abc123-8188.proxy.runpod.net", "https://abc123-8188.proxy.runpod.net"),
        ("::1", "http://[::1]:8188"),
        ("[::1]:9000", "http://[::1]:9000"),
        ("http://[2001:DB8::1]:80/", "http://[2001:db8::1]"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
        ("<http://127.0.0.1:8188>", "http://127.0.0.1:8188"),
    ],
)
def test_pasted_text(pasted: str, url: str) -> None:
    assert str(Address.parse(pasted)) == url


@pytest.mark.parametrize(
    "pasted",
    [
        "",
        "   ",
        "ftp://host",
        "http://",
        "host:99999",
        "host:port",
        "host:0",
        "a b",
        "http://ho\nst",
        "http://[::",
        "-x",
        "http://me:\udca4@host.example",
        "http://host.example/\ud800",
    ],
)
def test_what_is_no_address_is_a_usage_error(pasted: str) -> None:
    with pytest.raises(UsageError):
        Address.parse(pasted)


def test_a_login_in_the_url_becomes_basic_auth() -> None:
    address = Address.parse("https://me:p%40ss@host.example")
    assert address.auth == Auth.basic("me", "p@ss")
    assert address.headers == (("Authorization", "Basic bWU6cEBzcw=="),)
    assert str(address) == "https://host.example"


def test_a_token_in_the_url_becomes_a_query_token() -> None:
    address = Address.parse("https://1.2.3.4:8188/?token=s3cret&x=1")
    assert address.auth.kind is AuthKind.QUERY
    assert address.query == (("token", "s3cret"),)
    assert "s3cret" not in address.http_url("/api/prompt")
    assert address.ws_url("me") == "wss://1.2.3.4:8188/ws?clientId=me&token=s3cret"


def test_given_auth_wins_over_pasted_auth() -> None:
    assert Address.parse("https://me:pw@host.example", auth=Auth.bearer("t")).auth == Auth.bearer("t")


def test_every_kind_of_auth_has_its_headers() -> None:
    assert Auth.bearer("t").headers == (("Authorization", "Bearer t"),)
    assert Auth.cookie("a=b; c=d").headers == (("Cookie", "a=b; c=d"),)
    access = Auth.of_headers({"CF-Access-Client-Id": "i", "CF-Access-Client-Secret": "s"})
    assert access.headers == (("CF-Access-Client-Id", "i"), ("CF-Access-Client-Secret", "s"))
    assert Auth.query_token("t").query == (("token", "t"),)


@pytest.mark.parametrize(
    "name", ["Host", "Origin", "Sec-Fetch-Site", "Connection", "bad name", "x:y", "", "Content-Length"]
)
def test_headers_that_are_not_ours_to_set_are_refused(name: str) -> None:
    with pytest.raises(UsageError):
        Auth.of_headers({name: "x"})


@pytest.mark.parametrize("secret", ["a\r\nX-Evil: 1", "ünïcode", "", "nul\0"])
def test_secrets_that_no_header_takes_are_refused_and_not_quoted(secret: str) -> None:
    with pytest.raises(UsageError) as caught:
        Auth.bearer(secret)
    assert not secret or secret not in str(caught.value)


@pytest.mark.parametrize(
    "address",
    [
        Address.parse("https://me:S3CRET@host.example"),
        Address.parse("https://host.example?token=S3CRET"),
        Address.parse("https://host.example", auth=Auth.bearer("S3CRET")),
        Address.parse("https://host.example", auth=Auth.cookie("S3CRET")),
        Address.parse("https://host.example", auth=Auth.of_headers({"X-Key": "S3CRET"})),
    ],
    ids=lambda address: str(address.auth.kind),
)
def test_no_text_of_an_address_shows_its_secrets(address: Address) -> None:
    for text in (str(address), repr(address), f"{address}", repr(address.auth), repr([address]), str(address.auth)):
        assert "S3CRET" not in text
        assert "UzNDUkVU" not in text  # its base64 within Basic
    assert "S3CRET" not in address.http_url("/x")


def test_a_pasted_login_is_not_in_the_error_either() -> None:
    with pytest.raises(UsageError) as caught:
        Address.parse("https://me:S3CRET@host:99999")
    assert "S3CRET" not in str(caught.value)


@pytest.mark.parametrize(
    "pasted", [PIN, PIN.upper(), ":".join(["AB"] * 32), f"sha256:{PIN}", f"SHA256 Fingerprint={':'.join(['AB'] * 32)}"]
)
def test_fingerprints_as_people_paste_them(pasted: str) -> None:
    assert Address.parse("https://host.example", fingerprint=pasted).fingerprint == PIN


def test_a_damaged_fingerprint_is_refused_not_ignored() -> None:
    with pytest.raises(UsageError):
        Address.parse("https://host.example").pinned("abc")


def test_local_addresses_know_that_they_are() -> None:
    local = ["127.0.0.1", "localhost", "::1", "192.168.1.5", "10.0.0.1", "box", "box.local"]
    assert all(Address.parse(host).is_local for host in local)
    assert not any(Address.parse(host).is_local for host in ["8.8.8.8", "host.example", "x-1.proxy.runpod.net"])


def test_addresses_are_values() -> None:
    address = Address.parse("https://host.example", auth=Auth.bearer("t"), fingerprint=PIN)
    assert pickle.loads(pickle.dumps(address)) == address
    assert hash(address) == hash(Address.parse("host.example:443", auth=Auth.bearer("t"), fingerprint=PIN))


@given(st.text())
def test_any_text_is_an_address_or_a_usage_error(text: str) -> None:
    try:
        address = Address.parse(text)
    except UsageError:
        return
    assert Address.parse(str(address), auth=address.auth) == address
