"""The page of language models and the session's engines behind it."""

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from PySide6.QtCore import QObject

from comfydesk.credentials import HUB_TOKEN, Secret, llm_item
from comfydesk.errors import KnownError
from comfydesk.llm.address import endpoint_url
from comfydesk.llm.downloads import DownloadState, DownloadStatus
from comfydesk.llm.hub import Hub
from comfydesk.llm.local import LocalStatus
from comfydesk.llm.models import memory_of_this_computer
from comfydesk.option import Option
from comfydesk.qt.bridge.tasks import Tasks
from comfydesk.qt.window.desk import Desk
from comfydesk.settings import ENHANCE, ENHANCE_ENDPOINT, LLM_CONTEXT, LLM_MODEL, LLM_PROGRAM

if TYPE_CHECKING:
    from comfydesk.qt.dialogs.llm_models import LlmModelsPage
    from comfydesk.qt.window.llm_pod import LlmPod
    from comfydesk.session.enhancement.engines import Engines
    from comfydesk.session.session import Session

T = TypeVar("T", bool, int, float, str)
SETTINGS_KEY = llm_item("settings")


class LlmModels(QObject):
    """Made once; `open` when it is wanted."""

    def __init__(self, desk: Desk, session: "Session", tasks: Tasks, parent: QObject) -> None:
        super().__init__(parent)
        self._desk, self._session, self._tasks = desk, session, tasks
        self.page: LlmModelsPage | None = None
        self._pod: LlmPod | None = None

    def open(self) -> None:
        """Show it, as things are now."""
        page = self.page or self._make()
        self._desk.pages.open(page)
        self.refresh()

    def refresh(self) -> None:
        """Bring everything on it up to date."""
        page, engines, get = self.page, self._engines, self._desk.preferences.get
        if page is None:
            return
        page.show_enabled(get(ENHANCE))
        page.show_memory(memory_of_this_computer(), get(LLM_CONTEXT))
        for status in engines.downloads.all():
            self._on_download(status)
        own = tuple(model for model in engines.shelf.models() if model.curated is None)
        page.show_own(own, self._used())
        self._on_engine(engines.local.status)
        vault = self._session.profiles.vault
        self._tasks.start(vault.get(SETTINGS_KEY), done=self._show_endpoint)
        self._tasks.start(vault.get(HUB_TOKEN), done=lambda token: page.show_token(stored=token is not None))
        if self._pod is not None:
            self._pod.refresh()
            page.no_pod.setVisible(self._session.current_pod is None)

    @property
    def _engines(self) -> "Engines":
        return self._session.engines

    def _make(self) -> "LlmModelsPage":
        from comfydesk.qt.dialogs.llm_models import LlmModelsPage
        from comfydesk.qt.window.llm_pod import LlmPod

        page = self.page = LlmModelsPage(self._desk.theme, _place())
        page.hide()
        self._pod = LlmPod(self._session, self._tasks, page.pod, page.banner, self)
        page.token_saved.connect(self._save_token)
        engines = self._engines
        page.enabled.connect(lambda on: self._set(ENHANCE, on))
        page.fetch.connect(self._fetch)
        page.pause.connect(lambda model: self._tasks.start(engines.downloads.pause(model)))
        page.drop.connect(self._drop)
        page.use.connect(lambda model: self._set(LLM_MODEL, model))
        page.added.connect(self._add)
        page.program_chosen.connect(lambda path: self._set(LLM_PROGRAM, path))
        page.unload.connect(lambda: self._tasks.start(engines.local.unload(), failed=self._failed))
        page.endpoint_saved.connect(self._save_endpoint)
        engines.downloads.states.subscribe(self._on_download)
        engines.local.states.subscribe(self._on_engine)
        return page

    def _used(self) -> str:
        found = self._engines.shelf.find(self._desk.preferences.get(LLM_MODEL))
        return found.id if found is not None else ""

    def _on_download(self, status: DownloadStatus) -> None:
        if self.page is not None:
            ready = status.state is DownloadState.READY
            self.page.show_download(status, used=ready and status.id == self._used())

    def _on_engine(self, status: LocalStatus) -> None:
        if self.page is not None:
            program = self._desk.preferences.get(LLM_PROGRAM)
            self.page.show_engine(status, self._engines.local.resident(), program)

    def _show_endpoint(self, key: Secret | None) -> None:
        if self.page is not None:
            self.page.show_endpoint(self._desk.preferences.get(ENHANCE_ENDPOINT), stored=key is not None)

    def _fetch(self, model: str) -> None:
        try:
            self._engines.downloads.start(model)
        except KnownError as error:
            self._failed(error)

    def _drop(self, model: str) -> None:
        self._tasks.start(self._remove(model), done=lambda _: self.refresh(), failed=self._failed)

    async def _remove(self, model: str) -> None:
        """A model that is loaded is unloaded first."""
        engines = self._engines
        if model == self._used():
            await engines.local.unload()
        if self.page is not None and model in self.page.own:
            await asyncio.to_thread(engines.shelf.remove, model)
        else:
            await engines.downloads.cancel(model)

    def _add(self, path: Path) -> None:
        self._tasks.start(
            asyncio.to_thread(self._engines.shelf.add, path),
            done=lambda model: self._set(LLM_MODEL, model.id),
            failed=self._failed,
        )

    def _save_endpoint(self, address: str, key: Secret | None) -> None:
        self._tasks.start(self._keep_endpoint(address, key), done=lambda _: self.refresh(), failed=self._failed)

    async def _keep_endpoint(self, address: str, key: Secret | None) -> None:
        """Raises UsageError for what is no address."""
        if address:
            endpoint_url(address)
        elif self._desk.preferences.get(ENHANCE_ENDPOINT):
            await self._session.profiles.vault.delete(SETTINGS_KEY)
        if key is not None and address:
            await self._session.profiles.vault.set(SETTINGS_KEY, key)
        self._desk.preferences.set(ENHANCE_ENDPOINT, address)
        if self.page is not None:
            self.page.banner.clear()

    def _save_token(self, token: Secret | None) -> None:
        """None: what is stored is forgotten."""
        vault = self._session.profiles.vault
        work = vault.delete(HUB_TOKEN) if token is None else vault.set(HUB_TOKEN, token)
        self._tasks.start(work, done=lambda _: self.refresh(), failed=self._failed)

    def _set(self, option: Option[T], value: T) -> None:
        self._desk.preferences.set(option, value)
        self.refresh()

    def _failed(self, error: KnownError) -> None:
        if self.page is not None:
            self.page.banner.tell_error(error)


def _place() -> str:
    """Where models come from, for people."""
    try:
        return Hub.of_environment(os.environ).name
    except KnownError:
        return "HF_ENDPOINT"
