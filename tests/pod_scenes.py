"""The screens about pods, for `make screenshots`: each on the real window, with real checks of a real demo pod."""

import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from comfydesk.client.link import LinkState, LinkStatus
from comfydesk.client.remote import Device, SystemStats
from comfydesk.demo.faults import Basic
from comfydesk.demo.server import DemoPod
from comfydesk.hosts.protocol import HostPod, HostState
from comfydesk.qt.app.headless import until
from comfydesk.qt.models.pods import IdleWords, PodRow
from comfydesk.qt.window.desk import Desk
from comfydesk.qt.window.wiring import Wiring
from comfydesk.session.pods import idle
from comfydesk.session.pods.cost import CostMeter
from comfydesk.session.pods.profiles import Place, PlaceKind, PodProfile, new_id
from comfydesk.session.values import PodState, RentedState

Take = Callable[[str], Awaitable[None]]


async def shoot_pods(desk: Desk, wiring: Wiring, take: Take, folder: Path) -> None:
    """Welcome, add, check, list, system. Leaves the window as it was."""
    connecting, pods = wiring.pods.connecting, wiring.pods
    connecting.welcome()
    assert connecting.welcome_sheet is not None
    welcome = connecting.welcome_sheet
    await until(lambda: not welcome.spinner.isVisibleTo(welcome), 10)
    await take("welcome")
    connecting.add_pod("https://k3x9v1m2p8t7qd-8888.proxy.runpod.net")
    await take("add-runpod")
    sheet = connecting.sheet
    assert sheet is not None
    async with DemoPod(folder=folder / "locked") as locked:
        locked.script.auth = Basic("me", "not told")
        connecting.add_pod(locked.url)
        sheet.begin_test()
        assert await until(lambda: sheet.check.failed is not None, 20)
        await take("check-failed")
        locked.script.auth = None
        sheet.begin_test()
        assert await until(lambda: sheet.check.passed, 20)
        await take("check-passed")
    desk.pages.close()
    sheet.begin_new()
    pods.all.open()
    rows = _examples()
    pods.all.show_rows(rows)
    await take("pods")
    pods.popup.show_rows(rows)
    pods.system.open()
    if pods.system.sheet is not None:
        await until(lambda: bool(pods.system.sheet and pods.system.sheet.log.toPlainText()), 10)
        await take("system")
    desk.pages.close()
    await _rented(desk, take)
    pods.refresh()


async def _rented(desk: Desk, take: Take) -> None:
    """What only a rented pod with a graphics card has to say in the status bar."""
    gb = 2**30
    profile = PodProfile(new_id(), "atlas", Place(PlaceKind.RUNPOD, pod="abc123"), idle_minutes=15)
    host = HostPod("abc123", "atlas", HostState.RUNNING, gpu="RTX 4090", cost_per_hour=0.44, charged=True)
    now = time.time()
    rented = RentedState(host, cost=CostMeter(2.31, 0.44, True, now), idle=idle.Countdown(now, now, now + 110))
    stats = SystemStats("0.33.0", devices=(Device("cuda:0 NVIDIA GeForce RTX 4090", "cuda", 24 * gb, 9 * gb),))
    status = LinkStatus(LinkState.ONLINE, latency_ms=41)
    pod = PodState(profile.id, "atlas", "", status, stats, 0, has_catalog=True, profile=profile, rented=rented)
    desk.status.pod.show_pod(pod)
    desk.status.gpu.show_stats(stats)
    desk.status.cost.show_cost("$0.44/h", "$2.31 this session")
    desk.status.idle.show_idle(IdleWords("Stops in 1:50", warn=True, keep=True))
    why = "Its queue is empty and all outputs are saved."
    desk.preview.banner.tell("atlas stops in 1:50", why, tone="info", action="Keep running")
    await take("idle-stop")
    desk.preview.banner.clear()


def _examples() -> tuple[PodRow, ...]:
    """Pods in every state."""
    verbs = ("connect", "check", "edit", "remove")
    return (
        PodRow(
            "1", "atlas", "#4c8bf5", "success", "Online, 38 ms", "RunPod abc123, port 8188", "", "", verbs, True, True
        ),
        PodRow(
            "2",
            "harbour",
            "#2aa876",
            "danger",
            "Sign-in refused",
            "SSH to 194.68.245.7, port 8188",
            "check",
            "Fix",
            verbs,
            True,
        ),
        PodRow("3", "vega", "#e0a030", "neutral", "Stopped", "Vast.ai 10441302, port 8188", "start", "Start", verbs),
        PodRow(
            "4",
            "studio",
            "#9b6bdf",
            "warning",
            "Reconnecting, next try in 4 s",
            "http://192.168.1.20:8188",
            "now",
            "Now",
            verbs,
            True,
        ),
        PodRow(
            "5",
            "This computer",
            "#1fa3b5",
            "neutral",
            "Not connected",
            "http://127.0.0.1:8188",
            "connect",
            "Connect",
            verbs,
        ),
    )
