"""Adding, changing and checking pods, and the welcome at the first start: the sheets and the session's calls."""

import asyncio
from collections.abc import Mapping
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from comfydesk.errors import KnownError
from comfydesk.qt.bridge.tasks import Tasks
from comfydesk.qt.theme.language import tr
from comfydesk.qt.window.desk import Desk
from comfydesk.session.enhancement.values import Choice

if TYPE_CHECKING:
    from comfydesk.credentials import Secret
    from comfydesk.qt.dialogs.pods.connect import ConnectSheet
    from comfydesk.qt.dialogs.pods.welcome import WelcomeSheet
    from comfydesk.session.pods.paste import Suggestion
    from comfydesk.session.pods.profiles import PlaceKind, PodProfile
    from comfydesk.session.pods.terms import HostKey, HostPod
    from comfydesk.session.session import Session


class Connecting(QObject):
    """`demo_wanted` when the user asks for the demo pod, `start_wanted` with a pod that is to be started."""

    demo_wanted = Signal()
    start_wanted = Signal(str)
    stored = Signal()

    def __init__(self, desk: Desk, session: "Session", tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session, self._tasks = session, tasks
        self._theme, self._pages = desk.theme, desk.pages
        self.sheet: ConnectSheet | None = None
        self.welcome_sheet: WelcomeSheet | None = None
        self._test: asyncio.Task[None] | None = None

    # --- Sheets ---------------------------------------------------------------------------------------------------

    def add_pod(self, text: str = "") -> None:
        """The sheet for a new pod; a draft that was left there is still in it. `text` is what was pasted elsewhere."""
        sheet = self._connect_sheet()
        if sheet.is_saved:
            sheet.resume()
        self._pages.open(sheet)
        if text:
            sheet.take(text)

    def offer(self, suggestion: "Suggestion") -> None:
        """The sheet with a pod of the user's account in it."""
        self.add_pod()
        self._connect_sheet().offer(suggestion)

    def edit_pod(self, pod: str, *, check: bool = False) -> None:
        """The sheet for a saved pod; `check`: try the way to it at once."""
        profile = self._session.profiles.book.find(pod)
        if profile is None:
            return
        sheet = self._connect_sheet()
        sheet.edit(profile, stored=True)
        sheet.form.show_engine(self._session.enhancer.choice(profile.id))
        self._tasks.start(self._session.profiles.missing(profile), done=sheet.show_missing)
        self._pages.open(sheet)
        if check:
            sheet.begin_test()

    def check_current(self) -> None:
        """Try the way to the current pod, step by step."""
        pod = self._session.current_pod
        if pod is None:
            self.add_pod()
        elif pod.profile is not None:
            self.edit_pod(pod.id, check=True)
        else:
            self.add_pod(pod.url)
            if self.sheet is not None:
                self.sheet.begin_test()

    def welcome(self) -> None:
        """The first start: three ways to begin, none of them a must."""
        from comfydesk.qt.dialogs.pods.welcome import WelcomeSheet

        if self.welcome_sheet is None:
            sheet = self.welcome_sheet = WelcomeSheet(self._theme)
            sheet.hide()
            sheet.demo_wanted.connect(self.open_demo)
            sheet.pasted.connect(self._on_welcome_paste)
            sheet.here_wanted.connect(self._connect_here)
            sheet.look_wanted.connect(lambda: self._tasks.start(self._look_here(sheet)))
            self._tasks.start(self._look_here(sheet))
        self._pages.open(self.welcome_sheet)

    def open_demo(self) -> None:
        """The built-in pod, and no sheet in front of what it makes."""
        self._pages.close()
        self.demo_wanted.emit()

    # --- Adding and checking --------------------------------------------------------------------------------------

    def _connect_sheet(self) -> "ConnectSheet":
        from comfydesk.qt.dialogs.pods.connect import ConnectSheet

        if self.sheet is not None:
            self.sheet.form.set_lenders(self._lenders())
            return self.sheet
        sheet = self.sheet = ConnectSheet(self._theme, self._session.profiles.suggest)
        sheet.hide()
        sheet.test_wanted.connect(self._begin_test)
        sheet.test_stopped.connect(self._stop_test)
        sheet.save_wanted.connect(self._save)
        sheet.account_wanted.connect(self._list_account)
        sheet.account_picked.connect(self._take_account_pod)
        sheet.start_wanted.connect(self.start_wanted)
        sheet.demo_wanted.connect(self.open_demo)
        sheet.dropped.connect(sheet.begin_new)
        sheet.form.set_lenders(self._lenders())
        self._tasks.start(self._session.profiles.keyring_note(), done=sheet.show_keyring)
        return sheet

    def _lenders(self) -> tuple[tuple[str, str], ...]:
        """Pods that tell their list of nodes, and the demo pod."""
        from comfydesk.session.values import DEMO

        profiles = self._session.profiles.book.profiles
        saved = ((profile.id, profile.name) for profile in profiles if not profile.place.kind.engine)
        return (*saved, (DEMO, tr("the demo pod")))

    def _begin_test(self, profile: "PodProfile", secrets: "Mapping[str, Secret]", trust: "HostKey | None") -> None:
        self._stop_test()
        sheet = self._connect_sheet()
        self._test = self._tasks.start(
            self._run_test(sheet, profile, secrets, trust), done=lambda _: sheet.end_test(), failed=sheet.fail_test
        )

    async def _run_test(
        self, sheet: "ConnectSheet", profile: "PodProfile", secrets: "Mapping[str, Secret]", trust: "HostKey | None"
    ) -> None:
        async with aclosing(self._session.profiles.test(profile, secrets, trust=trust)) as steps:
            async for step in steps:
                sheet.show_step(step)

    def _stop_test(self) -> None:
        if self._test is not None:
            self._test.cancel()
            self._test = None

    def _save(self, profile: "PodProfile", secrets: "Mapping[str, Secret]", keep: bool, connect: bool) -> None:
        sheet = self._connect_sheet()
        work = self._store(profile, secrets, keep=keep, connect=connect)
        self._tasks.start(work, done=lambda _: self._saved(sheet), failed=sheet.show_error)

    async def _store(
        self, profile: "PodProfile", secrets: "Mapping[str, Secret]", *, keep: bool, connect: bool
    ) -> None:
        roster = self._session.profiles
        known = (await roster.load()).find(profile.id) is not None
        chosen, enhancer = self._connect_sheet().form.engine_choice(), self._session.enhancer
        stored = await (roster.edit if known else roster.add)(profile, secrets, keep=keep)
        before = enhancer.choice(stored.id) if known else Choice.AUTOMATIC
        if chosen is not before:
            enhancer.choose(stored.id, chosen)
        if connect:
            await self._session.connect(stored.id)
            await roster.set_default(stored.id)

    def _saved(self, sheet: "ConnectSheet") -> None:
        sheet.begin_new()
        self._pages.close(sheet)
        self.stored.emit()

    def _list_account(self, kind: "PlaceKind", key: "Secret | None", keep: bool) -> None:
        sheet = self._connect_sheet()
        show = partial(sheet.form.show_account, kind)
        self._tasks.start(self._session.profiles.account_pods(kind, key, keep=keep), done=show, failed=show)

    def _take_account_pod(self, kind: "PlaceKind", pod: "HostPod") -> None:
        self._connect_sheet().offer(self._session.profiles.suggest_from_host(kind, pod))

    # --- The first start ------------------------------------------------------------------------------------------

    def _on_welcome_paste(self, text: str) -> None:
        self.add_pod(text)
        if self.sheet is not None and self.sheet.profile.name:
            self.sheet.begin_test()

    async def _look_here(self, sheet: "WelcomeSheet") -> None:
        """Whether ComfyUI runs on this computer; nobody is told of a failure, for nobody asked."""
        from comfydesk.session.pods.paste import FIRST_RUN
        from comfydesk.session.pods.terms import Step

        paste = next((choice.paste for choice in FIRST_RUN if choice.probe and choice.paste), "")
        profile = self._session.profiles.suggest(paste).profile
        if profile is None:
            return
        found = ""
        try:
            async with aclosing(self._session.profiles.test(profile)) as steps:
                async for step in steps:
                    if step.step is Step.COMFYUI and step.ok:
                        found = step.detail
                        break
        except KnownError:
            found = ""
        sheet.show_here(profile, found)

    def _connect_here(self, profile: "PodProfile") -> None:
        self._pages.close()
        self._tasks.start(self._store(profile, {}, keep=True, connect=True))
