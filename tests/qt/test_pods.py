"""Pods in the window once they are saved: the chip, the list, cost and idle stop, the system panel."""

import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import httpx
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from comfydesk.credentials import Secret, SessionCredentials, api_key_item, auth_item
from comfydesk.demo.faults import Basic
from comfydesk.hosts.protocol import Host
from comfydesk.hosts.vast import VastAi
from comfydesk.qt.theme import Theme
from comfydesk.qt.widgets.pod_row import PodRowView
from comfydesk.session.pods import idle
from comfydesk.session.pods.guard import Guard
from comfydesk.session.pods.links import Link
from comfydesk.session.pods.profiles import AuthKind, AuthSettings, Place, PlaceKind, PodProfile, new_id
from comfydesk.session.pods.vault import Vault
from tests.qt.studio import Loop, Studio
from tests.unit.hosts.fake_apis import KEY, FakeVast

VAST = "10441302"
Rented = tuple[Studio, FakeVast, PodProfile]


@pytest.fixture
def studio(qtbot: QtBot, gui_loop: Loop, theme: Theme, tmp_path: Path) -> Iterator[Studio]:
    made = Studio(qtbot, gui_loop, theme, tmp_path, speed=20).open(pod=False)
    gui_loop(made.pod.start())
    yield made
    made.close()
    made.stop_pod()


@pytest.fixture
def unguarded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test speaks in the guard's place: its own looks, which come when they come, would put in their word."""

    async def look(guard: Guard, link: Link) -> None:
        """Nothing to say."""

    monkeypatch.setattr(Guard, "_look", look)


@pytest.fixture
def rented(qtbot: QtBot, gui_loop: Loop, theme: Theme, tmp_path: Path) -> Iterator[Rented]:
    """A window on a pod that the provider's double rents out: it is the demo pod."""
    api = FakeVast()
    gui_loop(api.__aenter__())
    keyring = SessionCredentials({api_key_item("vast"): Secret(KEY)}, note="")

    async def open_keyring() -> SessionCredentials:
        return keyring

    def make_host(kind: PlaceKind, key: Secret) -> Host:
        assert kind is PlaceKind.VAST
        return VastAi(key, base_url=api.url, transport=httpx.AsyncHTTPTransport(verify=False))

    studio = Studio(qtbot, gui_loop, theme, tmp_path, speed=20, vault=Vault(open_keyring), make_host=make_host)
    studio.open(pod=False)
    gui_loop(studio.pod.start())
    api.pods[VAST]["public_ipaddr"] = "127.0.0.1"
    api.pods[VAST]["ports"]["8188/tcp"] = [{"HostIp": "0.0.0.0", "HostPort": str(studio.pod.port)}]
    profile = PodProfile(new_id(), "atlas", Place(PlaceKind.VAST, pod=VAST), idle_minutes=15)
    gui_loop(studio.session.profiles.add(profile))
    gui_loop(studio.session.connect("atlas"))
    studio.ready()
    yield studio, api, profile
    studio.close()
    studio.stop_pod()
    gui_loop(api.__aexit__(None, None, None))


def save(studio: Studio, name: str = "atlas") -> PodProfile:
    """A saved pod: the demo pod, by its address."""
    profile = PodProfile(new_id(), name, Place(PlaceKind.LAN, url=studio.pod.url))
    stored: PodProfile = studio.loop(studio.session.profiles.add(profile))
    return stored


def rows(studio: Studio) -> dict[str, PodRowView]:
    """Of the popup, by name."""
    return {view.pod.name: view for view in studio.wiring.pods.popup.rows}


def named(studio: Studio, name: str) -> bool:
    """The chip shows the pod of that name."""
    return bool(studio.desk.status.pod.name.text() == name)


def visible(widget: QWidget) -> bool:
    return not widget.isHidden()


# --- Chip and popup -------------------------------------------------------------------------------------------------


def test_the_chip_opens_the_list_and_a_click_connects(studio: Studio) -> None:
    save(studio)
    save(studio, "harbour")
    chip, popup = studio.desk.status.pod, studio.wiring.pods.popup
    assert chip.name.text() == "No pod"
    studio.click(chip)
    assert popup.isVisible()
    assert list(rows(studio)) == ["atlas", "harbour"]
    assert rows(studio)["atlas"].state.text() == "Not connected"
    studio.click(rows(studio)["atlas"].action)
    assert not popup.isVisible()
    studio.ready()
    assert chip.name.text() == "atlas"
    studio.until(lambda: rows(studio)["atlas"].state.text().startswith("Online"))
    assert not visible(rows(studio)["atlas"].action)
    studio.wiring.pods.commands.act(rows(studio)["atlas"].pod.id, "disconnect")
    studio.until(lambda: chip.name.text() == "No pod")


def test_the_pod_menu_lists_the_pods_and_connects(studio: Studio) -> None:
    save(studio)
    menu = studio.window.menus["Pod"]
    menu.aboutToShow.emit()
    menu.aboutToShow.emit()
    first, line, add = menu.actions()[:3]
    assert first.text() == "atlas, Not connected"
    assert line.isSeparator()
    assert add.text().startswith("Add a pod")
    first.trigger()
    studio.ready()
    menu.aboutToShow.emit()
    assert menu.actions()[0].isChecked()


def test_several_pods_side_by_side_and_a_click_makes_one_the_current(studio: Studio) -> None:
    first, second = save(studio), save(studio, "harbour")
    for profile in (first, second):
        studio.wiring.pods.commands.act(profile.id, "connect")
        studio.until(partial(named, studio, profile.name))
    studio.click(studio.desk.status.pod)
    studio.click(rows(studio)["atlas"])
    studio.until(lambda: studio.desk.status.pod.name.text() == "atlas")
    assert len(studio.session.pods()) == 2


def test_a_refused_sign_in_offers_to_fix_it(studio: Studio) -> None:
    studio.pod.script.auth = Basic("me", "new password")
    profile = replace(save(studio), auth=AuthSettings(AuthKind.BASIC, user="me"))
    studio.loop(studio.session.profiles.edit(profile, {auth_item(profile.id): Secret("old password")}))
    studio.loop(studio.session.connect(profile.id))
    chip = studio.desk.status.pod
    studio.until(lambda: chip.state.text() == "Sign-in refused")
    assert chip.action.text() == "Fix"
    studio.click(chip.action)
    sheet = studio.wiring.pods.connecting.sheet
    assert sheet is not None
    assert sheet.isVisible()
    assert sheet.profile.name == "atlas"
    edit = sheet.form.signin.value.edit
    studio.until(lambda: edit.height() > 0, "laid out")
    studio.click(edit)
    studio.type("new password")
    studio.click(sheet.save)
    studio.ready()


# --- Rented pods ----------------------------------------------------------------------------------------------------


def test_a_rented_pod_shows_its_price_and_what_the_session_has_cost(rented: Rented) -> None:
    studio, _, _ = rented
    cost = studio.desk.status.cost
    studio.until(lambda: cost.rate.text() == "$0.42/h")
    assert cost.total.text() == "$0.00 this session"
    assert visible(cost)


def test_the_countdown_is_shown_and_the_pod_kept_running(unguarded: None, rented: Rented) -> None:
    studio, api, profile = rented
    part, banner = studio.desk.status.idle, studio.desk.preview.banner
    now = time.time()
    studio.session.rented.set_idle(profile.id, idle.Countdown(now, now - 900, now + 290))
    studio.until(lambda: part.words.text().startswith("Stops in 4:"))
    assert visible(part.keep)
    assert not banner.isVisible(), "the status bar is enough until two minutes before"
    studio.session.rented.set_idle(profile.id, idle.Countdown(now, now - 900, now + 110))
    studio.until(banner.isVisible)
    assert banner.text().startswith("atlas stops in 1:")
    assert "Its queue is empty and all outputs are saved." in banner.text()
    before = part.words.text()
    studio.until(lambda: part.words.text() != before)
    studio.click(banner.action)
    studio.until(lambda: part.words.text().startswith("Kept running until "))
    assert not banner.isVisible()
    assert api.sent == [], "nothing was stopped"


def test_keep_running_in_the_status_bar(unguarded: None, rented: Rented) -> None:
    studio, _, profile = rented
    part = studio.desk.status.idle
    now = time.time()
    studio.session.rented.set_idle(profile.id, idle.Quiet(now, now - 700))
    studio.until(lambda: "when idle" in part.words.text())
    assert part.icon.isVisible()
    studio.click(part.keep)
    studio.until(lambda: part.words.text().startswith("Kept running until "))
    state = studio.session.rented.state(profile.id)
    assert state is not None
    assert isinstance(state.idle, idle.Kept)


def test_a_pod_is_stopped_only_after_a_second_word_and_started_with_one(rented: Rented) -> None:
    studio, api, profile = rented
    commands = studio.wiring.pods.commands
    commands.act(profile.id, "stop")
    (toast,) = studio.desk.toasts.toasts()
    assert api.sent == []
    toast.acted.emit(0)
    studio.until(lambda: len(api.sent) == 1)
    studio.stop_pod()
    chip = studio.desk.status.pod
    studio.until(lambda: chip.state.text() == "Stopped")
    assert chip.action.text() == "Start"
    assert chip.dot.isVisible()
    studio.click(chip.action)
    studio.until(lambda: chip.state.text().startswith("Starting"))


def test_pods_of_the_account_are_listed_and_one_becomes_a_draft(rented: Rented) -> None:
    studio, api, _ = rented
    studio.desk.actions["pods"].trigger()
    sheet = studio.wiring.pods.all.sheet
    assert sheet is not None
    account = sheet.accounts[PlaceKind.VAST]
    studio.click(account.key.edit)
    studio.type("not the key")
    studio.click(account.list_button)
    studio.until(account.key_row.problem)
    assert not account.pods_row.isVisible()
    studio.click(account.key.edit)
    account.key.edit.selectAll()
    studio.type(KEY)
    studio.click(account.list_button)
    studio.until(account.pods_row.isVisible)
    assert "RTX 4090" in account.combo.itemText(0)
    assert account.key.secret() is None
    account.combo.activated.emit(0)
    draft = studio.wiring.pods.connecting.sheet
    assert draft is not None
    assert draft.isVisible()
    assert draft.profile.place.pod == VAST
    assert api.sent == []


# --- All pods -------------------------------------------------------------------------------------------------------


def test_a_removed_pod_comes_back_with_undo_and_goes_for_good_without(studio: Studio) -> None:
    kept, gone = save(studio), save(studio, "harbour")
    studio.desk.actions["pods"].trigger()
    sheet = studio.wiring.pods.all.sheet
    assert sheet is not None

    def names() -> list[str]:
        return [view.pod.name for view in sheet.rows]

    for profile in (kept, gone):
        studio.wiring.pods.commands.act(profile.id, "remove")
    assert names() == []
    undo, leave = studio.desk.toasts.toasts()
    undo.acted.emit(0)
    undo.close_now()
    assert names() == ["atlas"]
    leave.close_now()
    studio.until(lambda: [profile.name for profile in studio.session.profiles.book.profiles] == ["atlas"])
    assert names() == ["atlas"]


def test_a_duplicate_is_a_draft_of_its_own(studio: Studio) -> None:
    profile = save(studio)
    studio.wiring.pods.commands.act(profile.id, "duplicate")
    sheet = None

    def opened() -> bool:
        nonlocal sheet
        sheet = studio.wiring.pods.connecting.sheet
        return sheet is not None and sheet.isVisible()

    studio.until(opened)
    assert sheet is not None
    assert sheet.profile.id != profile.id
    assert sheet.profile.name == "atlas 2"


def test_pods_travel_in_a_file_without_secrets(studio: Studio, tmp_path: Path) -> None:
    profile = replace(save(studio), auth=AuthSettings(AuthKind.BEARER))
    studio.loop(studio.session.profiles.edit(profile, {auth_item(profile.id): Secret("t0ken-of-the-pod")}))
    pods = studio.wiring.pods.all
    path = tmp_path / "pods.toml"
    pods.export_file((profile.id,), path)
    studio.until(path.exists)
    studio.until(lambda: studio.desk.toasts.toasts())
    assert "t0ken-of-the-pod" not in path.read_text()
    assert "atlas" in path.read_text()
    pods.import_file(path)
    studio.until(lambda: len(studio.session.profiles.book.profiles) == 2)
    assert studio.wiring.pods.popup.rows[0].pod.name == "atlas"


# --- System ---------------------------------------------------------------------------------------------------------


def test_the_system_panel_is_live_while_it_is_shown(studio: Studio) -> None:
    studio.loop(studio.session.connect(save(studio).id))
    studio.ready()
    studio.desk.actions["system"].trigger()
    sheet = studio.wiring.pods.system.sheet
    assert sheet is not None
    assert sheet.isVisible()
    studio.until(lambda: sheet.facts["ComfyUI"].text() == "0.33.0")
    assert "GB" in sheet.ram.amount.text()
    studio.until(sheet.log.isVisible)
    assert "Demo pod" in sheet.log.toPlainText()
    studio.click(sheet.free)
    studio.until(lambda: not sheet.free.busy)
    assert studio.known == []
    looks = studio.wiring.pods.system
    studio.keys(Qt.Key.Key_Escape)
    assert not sheet.isVisible()
    assert not looks.live


def test_without_a_pod_the_system_panel_says_so(studio: Studio) -> None:
    studio.desk.actions["system"].trigger()
    (toast,) = studio.desk.toasts.toasts()
    assert toast.accessibleName().startswith("No pod is connected")


# --- The first start ------------------------------------------------------------------------------------------------


def test_the_welcome_takes_a_pasted_address_straight_to_the_check(studio: Studio) -> None:
    studio.desk.actions["welcome"].trigger()
    welcome = studio.wiring.pods.connecting.welcome_sheet
    assert welcome is not None
    assert welcome.isVisible()
    studio.click(welcome.paste.edit)
    studio.type(studio.pod.url)
    studio.click(welcome.connect_button)
    sheet = studio.wiring.pods.connecting.sheet
    assert sheet is not None
    studio.until(lambda: sheet.check.passed)
    assert not welcome.isVisible()


def test_the_welcome_blocks_nothing_and_offers_the_demo_pod(studio: Studio) -> None:
    studio.desk.actions["welcome"].trigger()
    welcome = studio.wiring.pods.connecting.welcome_sheet
    assert welcome is not None
    wanted: list[bool] = []
    studio.wiring.demo_wanted.connect(lambda: wanted.append(True))
    studio.click(welcome.demo)
    assert wanted == [True]
    assert not welcome.isVisible()
    studio.desk.actions["welcome"].trigger()
    studio.keys(Qt.Key.Key_Escape)
    assert not welcome.isVisible()
    studio.until(lambda: not welcome.spinner.isVisibleTo(welcome))
