"""How pods are told in rows and in the status bar. No widgets."""

from dataclasses import replace

import pytest

from comfydesk.client.link import LinkState, LinkStatus
from comfydesk.errors import AuthError, PodUnreachableError
from comfydesk.hosts.protocol import HostPod, HostState
from comfydesk.qt.models.pods import cost_words, device_words, idle_words, memory_words, pod_rows, stand
from comfydesk.session.pods import idle
from comfydesk.session.pods.cost import CostMeter
from comfydesk.session.pods.profiles import Place, PlaceKind, PodProfile, new_id
from comfydesk.session.values import PodState, RentedState

NOW = 1_800_000_000.0
ATLAS = PodProfile(new_id(), "atlas", Place(PlaceKind.RUNPOD, pod="abc123"), idle_minutes=15)
HOME = PodProfile(new_id(), "home", Place(PlaceKind.LAN, url="http://192.168.1.20:8188"))


def at(state: LinkState, **more: object) -> PodState:
    return PodState(ATLAS.id, "atlas", "https://x", LinkStatus(state, **more), profile=ATLAS)  # type: ignore[arg-type]


def rented(state: HostState, rate: float | None = 0.44) -> RentedState:
    return RentedState(HostPod("abc123", "atlas", state, cost_per_hour=rate))


@pytest.mark.parametrize(
    ("state", "host", "expected"),
    [
        (at(LinkState.ONLINE, latency_ms=38.2), None, ("success", "Online, 38 ms", "", "")),
        (at(LinkState.DEGRADED), None, ("warning", "Online, no live updates", "", "")),
        (
            at(LinkState.RECONNECTING, retry_in=4.0),
            None,
            ("warning", "Reconnecting, next try in 4 s", "now", "Now"),
        ),
        (at(LinkState.AUTH_FAILED, error=AuthError("no")), None, ("danger", "Sign-in refused", "check", "Fix")),
        (
            at(LinkState.CONNECTING, error=PodUnreachableError("no")),
            None,
            ("danger", "Not connected", "check", "Fix"),
        ),
        (at(LinkState.CONNECTING), None, ("warning", "Connecting", "", "")),
        (at(LinkState.RECONNECTING), rented(HostState.STOPPED), ("neutral", "Stopped", "start", "Start")),
        (at(LinkState.RECONNECTING), rented(HostState.STARTING), ("warning", "Starting, $0.44/h", "", "")),
        (at(LinkState.RECONNECTING), rented(HostState.GONE), ("neutral", "Terminated", "", "")),
        (at(LinkState.ONLINE, latency_ms=1), rented(HostState.STOPPED), ("success", "Online, 1 ms", "", "")),
        (None, rented(HostState.RUNNING), ("neutral", "Running, $0.44/h", "connect", "Connect")),
        (None, rented(HostState.RUNNING, None), ("neutral", "Running", "connect", "Connect")),
        (None, None, ("neutral", "Not connected", "connect", "Connect")),
    ],
)
def test_how_a_pod_stands(
    state: PodState | None, host: RentedState | None, expected: tuple[str, str, str, str]
) -> None:
    assert stand(state, host) == expected


def test_saved_pods_come_first_and_the_demo_pod_last() -> None:
    demo = PodState("demo", "Demo pod", "http://127.0.0.1:1", LinkStatus(LinkState.ONLINE))
    rows = pod_rows((ATLAS, HOME), (demo, at(LinkState.ONLINE)), lambda _: None, "demo")
    assert [(row.name, row.connected, row.current) for row in rows] == [
        ("atlas", True, False),
        ("home", False, False),
        ("Demo pod", True, True),
    ]
    assert [row.detail for row in rows] == [
        "RunPod abc123, port 8188",
        "http://192.168.1.20:8188",
        "http://127.0.0.1:1",
    ]
    assert "edit" not in rows[2].verbs
    assert pod_rows((ATLAS, HOME), (), lambda _: None, None, {ATLAS.id})[0].name == "home"


def test_only_what_makes_sense_is_offered() -> None:
    def verbs(state: PodState | None, host: HostState | None, current: str = "") -> tuple[str, ...]:
        states = () if state is None else (state,)
        return pod_rows((ATLAS,), states, lambda _: None if host is None else rented(host), current)[0].verbs

    assert verbs(None, HostState.STOPPED)[:2] == ("connect", "start")
    assert verbs(None, HostState.RUNNING)[:2] == ("connect", "stop")
    assert verbs(at(LinkState.ONLINE), HostState.RUNNING)[:3] == ("select", "disconnect", "stop")
    assert verbs(at(LinkState.ONLINE), None, ATLAS.id)[:1] == ("disconnect",)
    assert not {"start", "stop"} & set(verbs(None, None)), "the provider has not been heard"


@pytest.mark.parametrize(
    ("state", "words", "warn", "keep"),
    [
        (idle.Off(), "Idle stop after 15 min", False, False),
        (idle.Busy(NOW, "2 in its queue"), "Idle stop after 15 min, not now: 2 in its queue", False, False),
        (idle.Quiet(NOW, NOW - 60), "Stops in 19:00 when idle", False, True),
        (idle.Quiet(NOW, NOW - 678), "Stops in 8:42 when idle", True, True),
        (idle.Countdown(NOW, NOW - 900, NOW + 120), "Stops in 2:00", True, True),
        (idle.Countdown(NOW, NOW - 900, NOW - 3), "Stops in 0:00", True, True),
        (idle.Stopping(NOW, NOW), "Stopping", True, False),
    ],
)
def test_the_idle_guard_in_the_status_bar(state: idle.IdleState, words: str, warn: bool, keep: bool) -> None:
    told = idle_words(RentedState(idle=state), 15, NOW)
    assert (told.words, told.warn, told.keep) == (words, warn, keep)


def test_a_pod_that_is_never_stopped_has_nothing_to_say() -> None:
    assert idle_words(RentedState(), None, NOW).words == ""
    assert idle_words(None, 15, NOW).words == ""


def test_cost_in_two_parts() -> None:
    meter = CostMeter().observe(NOW, charged=True, rate=0.44)
    assert cost_words(RentedState(cost=meter), NOW + 3600) == ("$0.44/h", "$0.44 this session")
    stopped = meter.observe(NOW + 300, charged=False, rate=None)
    assert cost_words(RentedState(cost=replace(stopped, spent=1.87)), NOW + 600) == ("", "$1.87 this session")
    assert cost_words(RentedState(), NOW) == ("", "")
    assert cost_words(None, NOW) == ("", "")


def test_devices_and_memory_as_people_know_them() -> None:
    assert device_words("cuda:0 NVIDIA GeForce RTX 4090 : cudaMallocAsync") == "RTX 4090"
    assert device_words("cpu") == "cpu"
    assert memory_words(round(18.2 * 2**30), 24 * 2**30) == "18.2 of 24 GB"
