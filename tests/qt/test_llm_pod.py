"""A language model on a pod, set up with buttons: real SSH, real curl, and a stand-in for llama-server."""

import hashlib
import json
import shutil
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from comfydesk.credentials import HUB_TOKEN, Secret, SessionCredentials, llm_item
from comfydesk.llm.models import CuratedModel, curated
from comfydesk.qt.theme import Theme
from comfydesk.session.enhancement import pod_serving
from comfydesk.session.enhancement.pod_serving import PodServing
from comfydesk.session.enhancement.values import Choice
from comfydesk.session.pods.profile_checks import checked
from comfydesk.session.pods.profiles import Place, PlaceKind, PodProfile, SshSettings, new_id
from comfydesk.session.pods.reach import Reach
from comfydesk.session.values import PodTarget
from comfydesk.settings import LLM_POD_FOLDER, LLM_POD_PORT, LLM_POD_PROGRAM
from tests.qt.studio import Loop, Studio
from tests.unit.hosts.ssh_pod import Keys, SshPod
from tests.unit.llm import fake_llama_server
from tests.unit.llm.model_hub import ModelHub

pytestmark = pytest.mark.skipif(not (shutil.which("curl") and shutil.which("sha256sum")), reason="no curl here")
MODEL = json.dumps({"reply": "A tabby cat."}).encode()


def find(model_id: str) -> CuratedModel:
    return replace(curated(model_id), size=len(MODEL), sha256=hashlib.sha256(MODEL).hexdigest())


@pytest.fixture
def studio(
    qtbot: QtBot, gui_loop: Loop, theme: Theme, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Studio]:
    """Connected to a demo pod by a profile that has SSH; models come from a hub of this test's own."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    monkeypatch.setattr(pod_serving, "POLL", 0.05)
    monkeypatch.setattr(pod_serving, "GRACE", 0.1)
    monkeypatch.setattr(PodServing.__init__, "__kwdefaults__", {"find": find})
    made = Studio(qtbot, gui_loop, theme, tmp_path).open().quick()
    hub = ModelHub(MODEL)
    gui_loop(hub.__aenter__())
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    keys = tmp_path / "keys"
    keys.mkdir()
    with SshPod(Keys(keys)) as box, socket.create_server(("127.0.0.1", 0)) as taken:
        settings = made.session.settings
        settings.set(LLM_POD_FOLDER, str(tmp_path / "workspace"))
        settings.set(LLM_POD_PROGRAM, str(fake_llama_server.install(tmp_path)))
        settings.set(LLM_POD_PORT, int(taken.getsockname()[1]))
        taken.close()
        shown = str(box.keys.shown(box.host_key))
        ssh = SshSettings("127.0.0.1", box.port, key_file=str(box.keys.user), host_key=shown)
        profile = checked(PodProfile(new_id(), "box", Place(PlaceKind.SSH, port=made.pod.port), ssh=ssh))
        made.session.profiles.vault.lend(
            {f"{llm_item(profile.id)}-server": Secret("key-of-the-test"), HUB_TOKEN: Secret("hf_test")}
        )
        route = Reach(profile, SessionCredentials())
        gui_loop(made.session.connect(PodTarget(profile.id, "box", None, profile, route=route)))
        made.session.select(profile.id)
        yield made
        made.close()
        made.stop_pod()
    gui_loop(hub.__aexit__())


def test_fetched_started_and_stopped_with_buttons(studio: Studio) -> None:
    studio.desk.actions["language_models"].trigger()
    models = studio.wiring.enhance.models
    studio.until(lambda: models.page is not None and models.page.pod.get.isVisible())
    page = models.page
    assert page is not None
    part = page.pod
    assert "box has SSH" in part.about.text()
    assert not page.no_pod.isVisible()
    part.get.click()
    studio.until(part.serve.isVisible)
    part.serve.click()
    studio.until(part.end.isVisible)
    offered = {one.choice: one for one in studio.loop(studio.session.enhancer.engines())}
    assert offered[Choice.ENDPOINT].ready, offered[Choice.ENDPOINT].words
    assert offered[Choice.ENDPOINT].name == "box"
    part.end.click()
    studio.until(part.serve.isVisible)
    assert page.banner.isHidden()


def test_the_engine_is_chosen_for_each_pod(studio: Studio) -> None:
    studio.desk.actions["language_models"].trigger()
    models = studio.wiring.enhance.models
    assert models.page is not None
    part = models.page.pod
    assert part.engine.currentText() == "Automatic"
    part.engine.setCurrentIndex(2)
    part.engine.activated.emit(2)
    state = studio.session.current_pod
    assert state is not None
    assert studio.session.enhancer.choice(state.id) is Choice.POD
    assert studio.session.enhancer.choice("another") is Choice.AUTOMATIC
    models.refresh()
    assert part.engine.currentText() == "The pod"
    studio.until(part.get.isVisible)
