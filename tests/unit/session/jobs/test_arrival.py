"""When it is certain that a POST without an answer never arrived."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfydesk.client.address import Address
from comfydesk.session.jobs.arrival import SETTLING, arrives_until, is_direct


def test_a_pod_that_answers_at_once_is_believed_after_seconds() -> None:
    assert arrives_until(100.0, 101.0, direct=True, may_arrive=110) == 102.0 + SETTLING


def test_after_a_silence_as_long_again_is_waited() -> None:
    assert arrives_until(100.0, 130.0, direct=True, may_arrive=110) == 160.0 + SETTLING


@given(st.floats(0, 1e9), st.floats(-1e4, 1e4), st.booleans(), st.floats(0, 200))
def test_never_longer_than_behind_a_proxy_and_never_before_the_answer(
    posted: float, later: float, direct: bool, may_arrive: float
) -> None:
    until = arrives_until(posted, posted + later, direct=direct, may_arrive=may_arrive)
    assert until <= posted + may_arrive
    if not direct:
        assert until == posted + may_arrive
    assert until >= min(posted + may_arrive, posted + later)


def test_a_clock_that_was_set_back_proves_nothing() -> None:
    assert arrives_until(1000.0, 500.0, direct=True, may_arrive=110) == 1110.0


@pytest.mark.parametrize(
    ("address", "direct"),
    [
        ("127.0.0.1:8188", True),
        ("http://localhost:8188", True),
        ("http://[::1]:8188", True),
        ("http://192.168.1.7:8188", True),
        ("http://10.0.0.2:8188", True),
        ("https://192.168.1.7", False),
        ("http://192.168.1.7/comfy", False),
        ("http://93.184.216.34:8188", False),
        ("https://abc-8188.proxy.runpod.net", False),
        ("http://pod.example:8188", False),
    ],
)
def test_direct_is_what_has_nothing_in_between(address: str, direct: bool) -> None:
    assert is_direct(Address.parse(address)) is direct


def test_an_address_that_is_not_known_yet_is_not_direct() -> None:
    assert not is_direct(None)
