"""Adding a pod, from what was pasted to the first picture; and every way in which that can fail, with the mouse."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from comfydesk.client.probe import Step
from comfydesk.credentials import SessionCredentials
from comfydesk.demo.faults import Basic
from comfydesk.qt.dialogs.pods.check import BAD, GOOD, WAITING
from comfydesk.qt.dialogs.pods.connect import ConnectSheet
from comfydesk.qt.theme import Theme
from comfydesk.session.enhancement.values import Choice
from comfydesk.session.pods.profiles import AuthKind, Place, PlaceKind, PodProfile, new_id
from comfydesk.session.pods.vault import Vault
from comfydesk.store.records import JobState
from tests.qt.studio import Loop, Studio
from tests.unit.hosts.fake_apis import FakeApi, always
from tests.unit.hosts.ssh_pod import Keys, SshPod

PASSWORD = "s3cret-of-the-pod"
ALT = Qt.KeyboardModifier.AltModifier


@pytest.fixture
def studio(qtbot: QtBot, gui_loop: Loop, theme: Theme, tmp_path: Path) -> Iterator[Studio]:
    """A window that knows no pod, and a demo pod that nobody has connected."""
    made = Studio(qtbot, gui_loop, theme, tmp_path, speed=20).open(pod=False)
    gui_loop(made.pod.start())
    yield made
    made.close()
    made.stop_pod()


def sheet_of(studio: Studio) -> ConnectSheet:
    """The sheet, opened from the menu."""
    studio.desk.actions["connect"].trigger()
    sheet = studio.wiring.pods.connecting.sheet
    assert sheet is not None
    assert sheet.isVisible()
    return sheet


def paste(studio: Studio, sheet: ConnectSheet, text: str) -> None:
    """Ctrl+V into the field that has the keyboard."""
    assert sheet.paste.edit.hasFocus()
    QGuiApplication.clipboard().setText(text)
    studio.keys(Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    studio.keys(Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)


def retype(studio: Studio, edit: QLineEdit, words: str) -> None:
    studio.click(edit)
    edit.selectAll()
    studio.type(words)


def checked(studio: Studio, sheet: ConnectSheet) -> dict[Step, str]:
    """The steps' states once the check has ended."""
    studio.until(lambda: sheet.check.passed or sheet.check.failed)
    studio.until(lambda: sheet.check.again.text() == "Check again")
    return {row.step: row.state for row in sheet.check.rows}


def test_from_a_pasted_address_to_a_picture(studio: Studio) -> None:
    sheet = sheet_of(studio)
    paste(studio, sheet, studio.pod.url)
    studio.until(lambda: sheet.profile.name == "This computer")
    assert sheet.profile.place == Place(PlaceKind.LAN, url=studio.pod.url)
    retype(studio, sheet.form.name.edit, "atlas")
    studio.click(sheet.check.again)
    assert set(checked(studio, sheet).values()) == {GOOD}
    assert sheet.check.summary.text().startswith("All 8 steps passed in ")
    times = [row.time.text() for row in sheet.check.rows]
    assert all(time.endswith((" ms", " s")) for time in times)
    studio.click(sheet.save)
    studio.until(lambda: not sheet.isVisible())
    studio.ready()
    assert studio.desk.status.pod.name.text() == "atlas"
    studio.until(lambda: studio.desk.status.pod.state.text().startswith("Online, "))
    studio.generate()
    studio.until(lambda: studio.states() == [JobState.DONE])
    assert [profile.name for profile in studio.session.profiles.book.profiles] == ["atlas"]


def test_a_runpod_address_fills_the_form_and_says_what_was_recognised(studio: Studio) -> None:
    sheet = sheet_of(studio)
    paste(studio, sheet, "https://k3x9v1m2p8t7qd-8888.proxy.runpod.net/lab")
    studio.until(lambda: sheet.profile.place.kind is PlaceKind.RUNPOD)
    assert sheet.profile.place == Place(PlaceKind.RUNPOD, pod="k3x9v1m2p8t7qd", port=8888)
    assert sheet.profile.name == "RunPod k3x9v1m2p8t7qd"
    assert "8888 is usually JupyterLab" in sheet.notes.text()
    assert sheet.check.rows[0].step is Step.HOST


def test_an_ssh_line_fills_the_form(studio: Studio) -> None:
    sheet = sheet_of(studio)
    paste(studio, sheet, "ssh -p 40022 root@194.68.245.7 -i ~/.ssh/id_ed25519")
    studio.until(lambda: sheet.profile.place.kind is PlaceKind.SSH)
    ssh = sheet.profile.ssh
    assert ssh is not None
    assert (ssh.host, ssh.port, ssh.user, ssh.key_file) == ("194.68.245.7", 40022, "root", "~/.ssh/id_ed25519")


def test_nonsense_is_said_below_the_field(studio: Studio) -> None:
    sheet = sheet_of(studio)
    paste(studio, sheet, "hello, is this the pod")
    studio.until(lambda: sheet.paste_row.problem() == "No address of a pod was found in that text")


def test_the_wrong_port_is_named_and_one_click_corrects_it(studio: Studio, gui_loop: Loop) -> None:
    jupyter = FakeApi()
    jupyter.fault = always(404, b"<html><title>JupyterLab</title></html>", {"Server": "TornadoServer/6.4"})
    gui_loop(jupyter.__aenter__())
    sheet = sheet_of(studio)
    paste(studio, sheet, jupyter.url)
    studio.until(lambda: sheet.profile.name)
    studio.click(sheet.check.again)
    states = checked(studio, sheet)
    assert states[Step.COMFYUI] == BAD
    assert states[Step.AUTH] == GOOD
    assert states[Step.CATALOG] == WAITING
    failed = sheet.check.failed
    assert failed is not None
    assert "JupyterLab" in failed.detail.text()
    assert failed.fix.text() == "Use port 8188"
    assert sheet.form.page.rows["url"].problem() == "JupyterLab answers on this port"
    studio.click(failed.copy)
    assert "Find ComfyUI: That port is JupyterLab's" in QGuiApplication.clipboard().text()
    studio.click(failed.fix)
    assert sheet.profile.place.url == "http://127.0.0.1:8188"
    studio.keys(Qt.Key.Key_Escape)
    gui_loop(jupyter.__aexit__(None, None, None))


def test_a_pod_that_wants_a_password_gets_one(studio: Studio, tmp_path: Path) -> None:
    studio.pod.script.auth = Basic("me", PASSWORD)
    sheet = sheet_of(studio)
    paste(studio, sheet, studio.pod.url)
    studio.until(lambda: sheet.profile.name)
    studio.click(sheet.check.again)
    assert checked(studio, sheet)[Step.AUTH] == BAD
    failed = sheet.check.failed
    assert failed is not None
    studio.click(failed.fix)
    assert sheet.profile.auth.kind is AuthKind.BASIC
    assert sheet.form.signin.name.edit.hasFocus()
    studio.type("me")
    retype(studio, sheet.form.signin.value.edit, "wrong")
    assert sheet.form.signin.value.edit.echoMode() is QLineEdit.EchoMode.Password
    studio.click(sheet.check.again)
    assert checked(studio, sheet)[Step.AUTH] == BAD
    retype(studio, sheet.form.signin.value.edit, PASSWORD)
    studio.click(sheet.check.again)
    assert set(checked(studio, sheet).values()) == {GOOD}
    studio.keys(Qt.Key.Key_Return, ALT)
    studio.ready()
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"This computer" in written
    assert PASSWORD.encode() not in written


def test_a_password_for_this_session_only_never_reaches_the_keyring(
    qtbot: QtBot, gui_loop: Loop, theme: Theme, tmp_path: Path
) -> None:
    kept = SessionCredentials(note="")

    async def keyring() -> SessionCredentials:
        return kept

    studio = Studio(qtbot, gui_loop, theme, tmp_path, speed=20, vault=Vault(keyring)).open(pod=False)
    gui_loop(studio.pod.start())
    studio.pod.script.auth = Basic("me", PASSWORD)
    sheet = sheet_of(studio)
    paste(studio, sheet, studio.pod.url.replace("http://", f"http://me:{PASSWORD}@"))
    studio.until(lambda: sheet.profile.auth.kind is AuthKind.BASIC)
    assert PASSWORD not in sheet.profile.place.url
    assert sheet.form.signin.where.text() == "Kept in the system keyring, never in a file"
    studio.click(sheet.form.signin.only_now)
    item = f"pod/{sheet.profile.id}/auth"
    studio.click(sheet.save)
    studio.ready()
    assert gui_loop(kept.get(item)) is None
    studio.close()
    studio.stop_pod()


def test_without_a_keyring_the_sheet_says_that_nothing_is_kept(
    qtbot: QtBot, gui_loop: Loop, theme: Theme, tmp_path: Path
) -> None:
    async def nothing() -> SessionCredentials:
        return SessionCredentials()

    studio = Studio(qtbot, gui_loop, theme, tmp_path, vault=Vault(nothing)).open(pod=False)
    sheet = sheet_of(studio)
    sheet.form.signin.choose(AuthKind.BEARER)
    studio.until(lambda: "No keyring answers here" in sheet.form.signin.where.text())
    assert not sheet.form.signin.keep
    assert not sheet.form.signin.only_now.isVisible()
    studio.close()


def test_escape_closes_the_sheet_and_keeps_the_draft(studio: Studio) -> None:
    gui = studio.desk
    sheet = sheet_of(studio)
    retype(studio, sheet.form.name.edit, "harbour")
    studio.keys(Qt.Key.Key_Escape)
    assert not sheet.isVisible()
    assert gui.pages.current is None
    saved = PodProfile(new_id(), "other", Place(PlaceKind.LAN, url=studio.pod.url))
    studio.loop(studio.session.profiles.add(saved))
    studio.wiring.pods.connecting.edit_pod(saved.id)
    assert sheet.profile.name == "other"
    studio.keys(Qt.Key.Key_Escape)
    assert sheet_of(studio).profile.name == "harbour"
    studio.click(sheet.cancel)
    assert sheet_of(studio).profile.name == ""


def test_what_is_wrong_is_said_at_its_field(studio: Studio) -> None:
    sheet = sheet_of(studio)
    studio.click(sheet.save)
    studio.until(lambda: sheet.form.rows["name"].problem())
    assert sheet.form.name.edit.hasFocus()
    assert sheet.form.page.rows["url"].problem()
    assert sheet.isVisible()
    assert not sheet.save.busy


def test_the_side_panels_stay_alive_beside_the_sheet(studio: Studio) -> None:
    sheet = sheet_of(studio)
    left, right = studio.window.browser_dock.geometry(), studio.window.generation_dock.geometry()
    assert left.right() < sheet.geometry().left()
    assert sheet.geometry().right() < right.left()
    studio.click(studio.desk.browser.search.edit)
    studio.type("video")
    studio.until(lambda: studio.desk.workflows.rowCount() == 1)
    assert sheet.isVisible()
    studio.window.resize(1200, 700)
    studio.until(lambda: sheet.geometry().right() < studio.window.generation_dock.geometry().left())


def test_a_check_can_be_stopped(studio: Studio) -> None:
    from comfydesk.demo.faults import Hang

    studio.pod.script.add(Hang(), path="/system_stats")
    sheet = sheet_of(studio)
    paste(studio, sheet, studio.pod.url)
    studio.until(lambda: sheet.profile.name)
    studio.click(sheet.check.again)
    studio.until(lambda: sheet.check.rows[3].state == "running")
    assert sheet.check.again.text() == "Stop"
    studio.click(sheet.check.again)
    assert sheet.check.summary.text() == "Stopped"
    studio.pod.script.clear()


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return Keys(tmp_path_factory.mktemp("keys"))


def test_an_unknown_ssh_key_is_shown_and_trusted_by_hand_and_a_changed_one_stops_hard(
    studio: Studio, keys: Keys, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    with SshPod(keys) as server:
        sheet = sheet_of(studio)
        port = studio.pod.port
        line = f"ssh -p {server.port} -L 8188:localhost:{port} root@127.0.0.1 -i {keys.user}"
        paste(studio, sheet, line)
        studio.until(lambda: sheet.profile.place.port == port)
        studio.click(sheet.check.again)
        assert checked(studio, sheet)[Step.SSH] == BAD
        failed = sheet.check.failed
        assert failed is not None
        shown = str(Keys.shown(keys.host))
        assert shown in failed.detail.text()
        assert failed.fix.text() == "Trust this key"
        studio.click(failed.fix)
        assert set(checked(studio, sheet).values()) == {GOOD}
        assert sheet.profile.ssh is not None
        assert sheet.profile.ssh.host_key == shown
        server.kill()
        server.host_key = keys.other_host
        server.start()
        studio.click(sheet.check.again)
        assert checked(studio, sheet)[Step.SSH] == BAD
        failed = sheet.check.failed
        assert failed is not None
        assert not failed.fix.isVisible(), "no button leads past a changed key"
        assert "trusts" in failed.detail.text()


def test_opening_a_sheet_shows_no_other_window(studio: Studio) -> None:
    """A widget that is shown before it has a parent is a window for a moment, and takes the keyboard away."""
    shown: list[str] = []

    class Watch(QObject):
        def eventFilter(self, watched: QObject, event: QEvent) -> bool:
            if event.type() == QEvent.Type.Show and isinstance(watched, QWidget) and watched.isWindow():
                shown.append(type(watched).__name__)
            return False

    watch = Watch()
    application = QGuiApplication.instance()
    assert application is not None
    application.installEventFilter(watch)
    sheet_of(studio)
    pods = studio.wiring.pods
    for text in ("https://abc-8188.proxy.runpod.net", "ssh root@192.0.2.1", "https://me:pw@pod.example.org"):
        pods.connecting.add_pod(text)
    pods.connecting.welcome()
    pods.all.open()
    application.removeEventFilter(watch)
    assert shown == []
    assert studio.window.isActiveWindow()


def test_the_users_presence_reaches_the_idle_guard(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[float] = []
    monkeypatch.setattr(studio.session, "active", lambda: told.append(1))
    handle = studio.window.windowHandle()
    for _ in range(3):
        QTest.mouseClick(handle, Qt.MouseButton.LeftButton)
    assert len(told) == 1, "at most once in five seconds"


def test_what_enhances_a_pods_prompts_is_chosen_with_the_pod(studio: Studio) -> None:
    sheet = sheet_of(studio)
    paste(studio, sheet, studio.pod.url)
    studio.until(lambda: sheet.profile.name == "This computer")
    assert sheet.form.engine_choice() is Choice.AUTOMATIC
    sheet.form.show_engine(Choice.POD)
    studio.click(sheet.save)
    studio.until(lambda: not sheet.isVisible())
    (profile,) = studio.session.profiles.book.profiles
    assert studio.session.enhancer.choice(profile.id) is Choice.POD
    studio.wiring.pods.connecting.edit_pod(profile.id)
    assert sheet.form.engine_choice() is Choice.POD
