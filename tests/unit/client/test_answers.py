"""What stands between a person and a pod says "no" in many ways; each has its own words."""

import time

import pytest

from comfydesk.client.address import Address, Auth
from comfydesk.client.answers import Answer, JupyterError, handshake_refusal, refusal
from comfydesk.errors import AuthError, NotComfyError, PodError, PodStatusError

POD = Address.parse("http://pod.example:8188")
RUNPOD = Address.parse("https://abc-8188.proxy.runpod.net")
LOGIN = b"<!DOCTYPE html><html><title>Sign in</title><form><input type='password'></form>"


@pytest.mark.parametrize(
    ("answer", "kind", "word"),
    [
        (Answer(401), AuthError, "401"),
        (Answer(403), AuthError, "403"),
        (Answer(407), AuthError, "proxy server"),
        (Answer(302, location="/login?next=/"), AuthError, "login page"),
        (Answer(302, location="https://team.cloudflareaccess.com/cdn-cgi/access/login/x"), AuthError, "login page"),
        (Answer(301, location="https://pod.example/"), PodStatusError, "https"),
        (Answer(307, location="http://elsewhere.example/"), PodStatusError, "refused"),
        (Answer(302), PodStatusError, "refused"),
        (Answer(302, location="//[::1"), PodStatusError, "cannot be read"),
        (Answer(200, "text/html", LOGIN), AuthError, "login page"),
        (Answer(200, "text/html", b"<html><title>nginx</title></html>"), NotComfyError, "web page"),
        (Answer(200, "text/html", b"<html><title>JupyterLab</title></html>"), JupyterError, "JupyterLab"),
        (Answer(404, "application/json", b"{}", server="TornadoServer/6.4"), JupyterError, "JupyterLab"),
        (Answer(302, location="/lab/tree", server="TornadoServer/6.4"), PodStatusError, "refused"),
        (Answer(200, "application/json", b""), NotComfyError, "nothing"),
        (Answer(200, "text/plain", b"pong"), NotComfyError, "no JSON"),
        (Answer(404, "text/plain", b"404: Not Found"), PodStatusError, "404"),
        (Answer(413), PodStatusError, "more than the pod takes"),
        (Answer(429), PodStatusError, "slow down"),
        (Answer(500, "text/plain", b"500 Internal Server Error"), PodStatusError, "failed inside"),
        (Answer(502), PodStatusError, "Bad gateway"),
        (Answer(503), PodStatusError, "not ready"),
        (Answer(504), PodStatusError, "Gateway timeout"),
        (Answer(520), PodStatusError, "no valid answer"),
        (Answer(521), PodStatusError, "refuses Cloudflare"),
        (Answer(522), PodStatusError, "does not answer Cloudflare"),
        (Answer(523), PodStatusError, "does not reach"),
        (Answer(524), PodStatusError, "100 seconds"),
        (Answer(530), PodStatusError, "does not know"),
        (Answer(418), PodStatusError, "418"),
        (Answer(999), PodStatusError, "999"),
    ],
    ids=lambda value: f"{value.status} {value.location}" if isinstance(value, Answer) else "",
)
def test_words(answer: Answer, kind: type[PodError], word: str) -> None:
    error = refusal(answer, POD)
    assert type(error) is kind
    assert word in str(error)
    assert not isinstance(error, PodStatusError) or error.status == answer.status


def test_a_404_of_runpods_proxy_is_not_comfyuis() -> None:
    assert "exposed" in str(refusal(Answer(404, "text/html", b"<html>Not Found</html>"), RUNPOD))
    assert "exposed" not in str(refusal(Answer(404, "text/plain", b"404: Not Found"), RUNPOD))
    assert "exposed" not in str(refusal(Answer(404, "application/json", b'{"error": "Job not found"}'), RUNPOD))


def test_a_refused_login_says_whether_one_was_sent() -> None:
    assert "wants a login" in str(refusal(Answer(401), POD))
    assert "were refused" in str(refusal(Answer(401), POD.with_auth(Auth.bearer("x"))))


def test_the_servers_own_words_are_told_in_one_line() -> None:
    assert "File already exists" in str(refusal(Answer(409, "text/plain", b"File already\n exists"), POD))
    assert "No such user" in str(
        refusal(Answer(400, "application/json", b'{"error": {"message": "no such user"}}'), POD)
    )
    assert "\x1b" not in str(refusal(Answer(400, "text/plain", b"\x1b[31mred\x1b[0m"), POD))
    assert len(str(refusal(Answer(400, "text/plain", b"x" * 5000), POD))) < 400


def test_a_redirects_credentials_and_path_are_not_shown() -> None:
    text = str(refusal(Answer(302, location="https://user:pw@evil.example/steal?token=s3cret"), POD))
    assert "evil.example" in text
    assert "pw" not in text
    assert "s3cret" not in text


@pytest.mark.parametrize("status", [200, 400, 404, 426])
def test_a_handshake_that_a_proxy_swallowed_says_so(status: int) -> None:
    assert "WebSockets" in str(handshake_refusal(Answer(status), POD))


def test_a_handshake_that_wants_a_login_is_an_auth_error() -> None:
    assert isinstance(handshake_refusal(Answer(401), POD), AuthError)
    assert isinstance(handshake_refusal(Answer(200, "text/html", LOGIN), POD), AuthError)


def test_a_body_is_no_part_of_a_repr() -> None:
    assert "s3cret" not in repr(Answer(200, "", b"s3cret", "s3cret"))


@pytest.mark.parametrize("piece", [b"<title", b"<title>", b"<", b"<script>", b"type ", b"log "])
def test_a_page_made_to_be_slow_is_not(piece: bytes) -> None:
    answer = Answer(200, "text/html", (b"<html>" + piece * 66_000)[: 64 << 10])
    began = time.process_time()
    assert isinstance(refusal(answer, POD), PodError)
    assert time.process_time() - began < 0.3
