"""A Feed delivers in order, to whoever is subscribed, and hides nobody's failure."""

import pytest

from comfydesk.events import Feed


def test_delivers_in_order_of_subscription() -> None:
    feed: Feed[int] = Feed()
    heard: list[str] = []
    feed.subscribe(lambda item: heard.append(f"a{item}"))
    feed.subscribe(lambda item: heard.append(f"b{item}"))
    feed.publish(1)
    feed.publish(2)
    assert heard == ["a1", "b1", "a2", "b2"]


def test_unsubscribing_twice_is_fine_and_ends_delivery() -> None:
    feed: Feed[int] = Feed()
    heard: list[int] = []
    stop = feed.subscribe(heard.append)
    stop()
    stop()
    feed.publish(1)
    assert heard == []


def test_unsubscribing_while_being_called_leaves_the_others_served() -> None:
    feed: Feed[int] = Feed()
    heard: list[int] = []
    stop = feed.subscribe(lambda _: stop())
    feed.subscribe(heard.append)
    feed.publish(1)
    assert heard == [1]


def test_a_listener_that_raises_does_not_starve_the_rest() -> None:
    feed: Feed[int] = Feed()
    heard: list[int] = []

    def broken(_: int) -> None:
        raise RuntimeError

    feed.subscribe(broken)
    feed.subscribe(heard.append)
    with pytest.raises(RuntimeError):
        feed.publish(1)
    assert heard == [1]
