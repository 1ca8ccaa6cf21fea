"""What is pasted, linked or typed: addresses, ssh lines, curl commands, comfydesk:// links, wishes, LLM endpoints."""

import contextlib

from comfydesk.client.address import Address
from comfydesk.hosts.ssh_line import parse_ssh_line
from comfydesk.llm.address import endpoint_url, is_local
from comfydesk.session.pods.paste import suggest_engine, suggest_from_paste
from comfydesk.session.pods.profile_file import ProfileBook
from comfydesk.store.search_text import parse
from comfydesk.wishes import Wish, wish_of_link
from tests.fuzz.harness import Harness
from tests.fuzz.mutate import bytes_of, either, tokens

_BOOK = ProfileBook()


def take(data: bytes) -> None:
    text = data.decode("utf-8", "surrogateescape")
    suggestion = suggest_from_paste(text)
    for value in suggestion.secrets.values():
        if len(value.reveal()) > 5:
            assert value.reveal() not in repr(suggestion)
    for kind in ("comfy", "serverless"):
        suggest_engine(kind, text, _BOOK)
    parse_ssh_line(text)
    wish = wish_of_link(text)
    assert wish == Wish() or not text.startswith("comfydesk:") or not (wish.file or wish.pod)
    parse(text)
    is_local(text)
    with contextlib.suppress(ValueError, TypeError):
        Wish.from_json(data)
    try:
        endpoint_url(text)
    finally:
        Address.parse(text)


def seeds() -> list[bytes]:
    texts = (
        "https://abc123xyz-8188.proxy.runpod.net/?token=s3cr3tvalue#x",
        "https://user:pass%20word@host.example:8443/comfy/api/queue",
        "[::1]:8188",
        "192.168.1.20:8188",
        "ssh root@1.2.3.4 -p 22022 -i ~/.ssh/id_ed25519 -L 8188:localhost:8188",
        "ssh -p 19878 root@ssh6.vast.ai -L 8080:localhost:8080",
        "curl -H 'Authorization: Bearer abcdefghij' -H 'CF-Access-Client-Id: x1' https://a.trycloudflare.com/",
        "https://api.runpod.ai/v2/abcdef123/run Authorization: Bearer rpa_ABCDEF",
        "https://cloud.comfy.org/",
        "https://www.runpod.io/console/pods?id=abc123xyz99",
        "https://cloud.vast.ai/instances/",
        "comfydesk://pod?address=https://abc-8188.proxy.runpod.net",
        "comfydesk://say?words=a+picture+of+a+red+bicycle",
        "file:///home/x/a%20b.json",
        '{"file": "", "pod": "demo", "add_pod": "", "words": "x"}',
        'a "red door" -blue model:"sd xl" seed:5 rating:>3 date:2026-01-01..2026-02-01 tag:x',
        "http://127.0.0.1:11434/v1/chat/completions",
        "http://münchen.example/ä",
    )
    return [text.encode() for text in texts]


HARNESS = Harness(
    take,
    seeds,
    either(
        bytes_of,
        tokens(
            "://",
            "//",
            "[",
            "]",
            "[::",
            "@",
            ":",
            ":0",
            ":99999",
            ":-1",
            "?",
            "#",
            "%",
            "%00",
            "%zz",
            "xn--",
            "xn--a",
            "\u3002",
            "..",
            "\\",
            "'",
            '"',
            "-L",
            "-p",
            "ssh ",
            "comfydesk://",
            "comfydesk:say?words=",
            "&",
            "=",
            "Cookie: ",
            ".proxy.runpod.net",
            "K",
            "\u017f",
            "\u2100",
            ">",
            "<",
            "..",
            "-",
            "*",
            "seed:",
            "date:",
            "rating:>",
            "size:",
        ),
    ),
    longest=4 << 10,
    smoke=250,
)
