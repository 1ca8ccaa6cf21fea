"""Seconds until a lost pod is tried again: they go by."""

from dataclasses import replace

from comfydesk.client.link import LinkState, LinkStatus
from comfydesk.qt.models.countdown import Countdown
from comfydesk.qt.models.pods import link_words
from comfydesk.session.values import PodState

LOST = PodState("atlas", "atlas", "", LinkStatus(LinkState.RECONNECTING, "gone", retry_in=3.6))


def test_the_seconds_until_the_next_try_go_by_and_begin_anew_with_the_next_wait() -> None:
    now = 100.0
    count = Countdown(lambda: now)

    def words(pod: PodState) -> str:
        return link_words(count.of(pod).status)[1]

    assert words(LOST) == "Reconnecting, next try in 4 s"
    now = 101.0
    assert words(LOST) == "Reconnecting, next try in 3 s"
    now = 103.7
    assert words(LOST) == "Reconnecting", "it is tried now"
    trying = replace(LOST, status=replace(LOST.status, retry_in=None))
    assert words(trying) == "Reconnecting"
    assert words(LOST) == "Reconnecting, next try in 4 s"


def test_of_a_pod_that_waits_for_nothing_nothing_changes() -> None:
    online = replace(LOST, status=LinkStatus(LinkState.ONLINE, latency_ms=5.0))
    assert Countdown().of(online) is online
