"""The user's pods as rows: how each stands, what it costs, what can be done. PURE."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from comfydesk.qt.models.words import clock
from comfydesk.qt.theme import Tone
from comfydesk.qt.theme.language import mark, said, tr

if TYPE_CHECKING:
    from comfydesk.session.pods.profiles import PodProfile
    from comfydesk.session.pods.terms import LinkStatus
    from comfydesk.session.values import PodState, RentedState

GB = 2**30
WARN_BEFORE = 600.0
BANNER_BEFORE = 120.0
_TONES: dict[str, Tone] = {
    "offline": "neutral",
    "connecting": "warning",
    "online": "success",
    "degraded": "warning",
    "reconnecting": "warning",
    "auth_failed": "danger",
}
_WORDS = {
    "offline": mark("Offline"),
    "connecting": mark("Connecting"),
    "online": mark("Online"),
    "degraded": mark("Online, no live updates"),
    "reconnecting": mark("Reconnecting"),
    "auth_failed": mark("Sign-in refused"),
}
_HOST_WORDS = {
    "stopped": mark("Stopped"),
    "starting": mark("Starting"),
    "stopping": mark("Stopping"),
    "gone": mark("Terminated"),
}
VERBS = {
    "connect": (mark("Connect"), "plug"),
    "select": (mark("Use this pod"), "check"),
    "now": (mark("Try now"), "refresh"),
    "disconnect": (mark("Disconnect"), "cloud-off"),
    "start": (mark("Start"), "play"),
    "stop": (mark("Stop\N{HORIZONTAL ELLIPSIS}"), "stop"),
    "system": (mark("System"), "gpu"),
    "check": (mark("Check the connection"), "search"),
    "edit": (mark("Edit"), "edit"),
    "duplicate": (mark("Duplicate"), "copy"),
    "default": (mark("Connect at start"), "pin"),
    "export": (mark("Export"), "upload"),
    "remove": (mark("Remove"), "trash"),
}
"""Verb → its words and icon."""


@dataclass(frozen=True, slots=True)
class PodRow:
    """One pod. `action` is the verb that is most wanted now, "" for none; `verbs` are all that make sense."""

    id: str
    name: str
    colour: str
    tone: Tone
    words: str
    detail: str = ""
    action: str = ""
    action_words: str = ""
    verbs: tuple[str, ...] = ()
    connected: bool = False
    current: bool = False


@dataclass(frozen=True, slots=True)
class IdleWords:
    """What the status bar says of the idle guard. `left`: seconds until the pod stops, None while it does not count."""

    words: str = ""
    warn: bool = False
    keep: bool = False
    """Offer "Keep running"."""
    left: float | None = None


def pod_rows(
    profiles: "Iterable[PodProfile]",
    connected: "Iterable[PodState]",
    rented: "Callable[[str], RentedState | None]",
    current: str | None,
    hidden: Iterable[str] = (),
) -> tuple[PodRow, ...]:
    """Saved pods in their order, then connected ones that are not saved (the demo pod). `hidden` ids are left out."""
    states = {state.id: state for state in connected}
    saved = {profile.id: profile for profile in profiles}
    gone = set(hidden)
    rows = [
        _row(profile.id, profile.name, profile, states.get(profile.id), rented(profile.id), current)
        for profile in saved.values()
    ]
    rows += [
        _row(state.id, state.name, None, state, None, current) for state in states.values() if state.id not in saved
    ]
    return tuple(row for row in rows if row.id not in gone)


def _row(
    pod: str,
    name: str,
    profile: "PodProfile | None",
    state: "PodState | None",
    rented: "RentedState | None",
    current: str | None,
) -> PodRow:
    tone, words, action, action_words = stand(state, rented)
    verbs = _verbs(profile, state, rented, is_current=pod == current)
    detail = place_words(profile) if profile is not None else state.url if state is not None else ""
    return PodRow(
        id=pod,
        name=name,
        colour=profile.colour if profile is not None else "",
        tone=tone,
        words=words,
        detail=said(detail),
        action=action,
        action_words=action_words,
        verbs=verbs,
        connected=state is not None,
        current=pod == current,
    )


def stand(state: "PodState | None", rented: "RentedState | None") -> tuple[Tone, str, str, str]:
    """(tone, words, verb to offer, its words) of a pod."""
    host = None if rented is None else rented.host
    host_state = "" if host is None else str(host.state)
    price = f", ${host.cost_per_hour:.2f}/h" if host is not None and host.cost_per_hour is not None else ""
    usable = state is not None and state.status.usable
    if not usable and host_state in ("stopped", "starting", "stopping", "gone"):
        word = tr(_HOST_WORDS[host_state])
        tone: Tone = "warning" if host_state in ("starting", "stopping") else "neutral"
        stopped = host_state == "stopped"
        paid = "" if stopped or host_state == "gone" else price
        return tone, word + paid, "start" if stopped else "", tr("Start") if stopped else ""
    if state is None:
        words = tr("Running{price}", price=price) if host_state == "running" else tr("Not connected")
        return "neutral", words, "connect", tr("Connect")
    tone, words = link_words(state.status)
    link = str(state.status.state)
    if link == "auth_failed" or (link == "connecting" and state.status.error is not None):
        return "danger", words if link == "auth_failed" else tr("Not connected"), "check", tr("Fix")
    return tone, words, "now" if link == "reconnecting" else "", tr("Now") if link == "reconnecting" else ""


def _verbs(
    profile: "PodProfile | None", state: "PodState | None", rented: "RentedState | None", *, is_current: bool
) -> tuple[str, ...]:
    verbs = ["connect"] if state is None else (["disconnect"] if is_current else ["select", "disconnect"])
    if profile is not None and profile.place.kind.rented:
        host = None if rented is None else rented.host
        host_state = "" if host is None else str(host.state)
        verbs += [
            verb for verb, in_ in (("start", ("stopped",)), ("stop", ("running", "starting"))) if host_state in in_
        ]
    if state is not None and state.stats is not None:
        verbs.append("system")
    if profile is not None:
        verbs += ["check", "edit", "duplicate", "default", "export", "remove"]
    return tuple(verbs)


def place_words(profile: "PodProfile") -> str:
    """ "RunPod abc123, port 8188"."""
    place = profile.place
    tunnel = tr(", through SSH") if place.tunnel else ""
    match str(place.kind):
        case "runpod":
            return tr("RunPod {pod}, port {port}{tunnel}", pod=place.pod, port=place.port, tunnel=tunnel)
        case "vast":
            return tr("Vast.ai {pod}, port {port}{tunnel}", pod=place.pod, port=place.port, tunnel=tunnel)
        case "runpod-serverless":
            return tr("RunPod Serverless {pod}", pod=place.pod)
        case "ssh":
            return tr("SSH to {host}, port {port}", host=profile.ssh.host if profile.ssh else "?", port=place.port)
        case _:
            return place.url


def link_words(status: "LinkStatus") -> tuple[Tone, str]:
    """How a pod's link stands, as a tone and in words."""
    state = str(status.state)
    words = tr(_WORDS.get(state, state))
    if state == "online" and status.latency_ms is not None and status.latency_ms >= 1:
        words = tr("Online, {time} ms", time=f"{status.latency_ms:.0f}")
    if state == "reconnecting" and status.retry_in:
        words = tr("Reconnecting, next try in {time} s", time=f"{status.retry_in:.0f}")
    return _TONES.get(state, "neutral"), words


def idle_words(rented: "RentedState | None", minutes: int | None, now: float) -> IdleWords:
    """The idle guard's state for the status bar. `now` as of time.time()."""
    from comfydesk.session.pods import idle

    if rented is None or minutes is None:
        return IdleWords()
    match rented.idle:
        case idle.Countdown(ends=ends):
            left = max(0.0, ends - now)
            return IdleWords(tr("Stops in {time}", time=clock(left)), warn=True, keep=True, left=left)
        case idle.Quiet(since=since):
            left = max(0.0, since + minutes * 60 + idle.COUNTDOWN - now)
            return IdleWords(
                tr("Stops in {time} when idle", time=clock(left)), warn=left < WARN_BEFORE, keep=True, left=left
            )
        case idle.Kept(until=until):
            return IdleWords(tr("Kept running until {time}", time=time.strftime("%H:%M", time.localtime(until))))
        case idle.Stopping():
            return IdleWords(tr("Stopping"), warn=True)
        case idle.Busy(why=why):
            return IdleWords(tr("Idle stop after {minutes} min, not now: {why}", minutes=minutes, why=why))
        case _:
            return IdleWords(tr("Idle stop after {minutes} min", minutes=minutes))


def cost_words(rented: "RentedState | None", now: float) -> tuple[str, str]:
    """("$0.44/h", "$1.87 this session"); both empty where nothing is known."""
    words = "" if rented is None else rented.cost.words(now)
    rate, _, total = words.partition(" \N{MIDDLE DOT} ")
    return (rate, total) if total else ("", rate) if "session" in rate else (rate, "")


def device_words(name: str) -> str:
    """ "cuda:0 NVIDIA GeForce RTX 4090 : cudaMallocAsync" → "RTX 4090"."""
    words = name.split(" : ", 1)[0].split()
    kept = [
        word for word in words if not word.startswith(("cuda:", "xpu:", "mps:")) and word not in ("NVIDIA", "GeForce")
    ]
    return " ".join(kept) or name


def memory_words(used: int, total: int) -> str:
    """ "18.2 of 24 GB", as makers of graphics cards count."""
    return tr("{used} of {total} GB", used=f"{used / GB:.1f}", total=f"{total / GB:.0f}")
