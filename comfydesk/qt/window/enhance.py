"""Enhance in the window: the buttons above the prompts, the comparison, and the session's calls behind them."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import aclosing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import shiboken6
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication, QFileDialog

from comfydesk.errors import KnownError, UsageError
from comfydesk.llm.engine import Action
from comfydesk.llm.words.diff import compare
from comfydesk.llm.words.styles import STYLES, Style
from comfydesk.llm.words.values import Length
from comfydesk.qt.bridge.tasks import Tasks
from comfydesk.qt.models.enhancing import Subject, Wish
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets.enhance_button import EnhanceButton
from comfydesk.qt.widgets.enhance_page import EnhancePage
from comfydesk.qt.widgets.prompt_editor import PromptEditor
from comfydesk.qt.window.bench import Bench
from comfydesk.qt.window.desk import Desk
from comfydesk.qt.window.enhance_models import LlmModels
from comfydesk.qt.window.enhance_origins import Origins
from comfydesk.session.enhancement.values import Again, Choice, EnhanceEvent, EnhanceRequest, Finished, Piece, Refused
from comfydesk.settings import ENHANCE, ENHANCE_LENGTH, ENHANCE_STYLE, ENHANCE_VARIANTS
from comfydesk.workflow.fields import Role

if TYPE_CHECKING:
    from comfydesk.session.session import Session
    from comfydesk.session.values import OpenWorkflow

LARGEST_PICTURE = 30_000_000
"""Bytes of a picture that is described."""
LONG = 4000
"""Characters from which two texts are compared beside the window, not in it."""


class EnhanceDesk(QObject):
    """Lives as long as the session does."""

    def __init__(
        self, desk: Desk, session: "Session", tasks: Tasks, bench: Bench, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._desk, self._session, self._tasks, self._bench = desk, session, tasks, bench
        self._panel = desk.generation
        self.models = LlmModels(desk, session, tasks, self)
        self.page: EnhancePage | None = None
        self.buttons: dict[str, EnhanceButton] = {}
        self._styles: tuple[Style, ...] = STYLES
        self._translate = False
        self._task: asyncio.Task[None] | None = None
        self._field = ("", "")
        """Id of the workflow and of the field whose prompt lies on the page."""
        self._picture: bytes | None = None
        self._action: Action | None = None
        self.origins = Origins(self)
        self._panel.shown.connect(self._on_shown)
        self._bench.originals = self.origins.of
        desk.action("enhance", self.enhance_focused)
        desk.action("language_models", self.open_models)
        desk.preferences.changed.connect(self._on_setting)
        if self._panel.workflow is not None:
            self._on_shown(self._panel.workflow)

    # --- What the user wants ----------------------------------------------------------------------------------------

    def enhance_focused(self) -> None:
        """The prompt that has the keyboard, else the first one."""
        texts = self._panel.form.texts()
        focus = QApplication.focusWidget()
        for field_id, editor in texts.items():
            if focus is not None and editor.isAncestorOf(focus):
                self.enhance(field_id)
                return
        prompts = [field.id for field in self._panel.form.form().with_role(Role.PROMPT) if field.id in texts]
        first = next(iter((*prompts, *texts)), None)
        if first is not None:
            self.enhance(first)

    def enhance(self, field_id: str, picture: bytes | None = None, name: str = "") -> None:
        """Open the comparison for a field's prompt and begin. `picture`: what is to be described."""
        open_, editor = self._panel.workflow, self._panel.form.texts().get(field_id)
        if open_ is None or editor is None:
            return
        page = self.page or self._make()
        subject = self._subject(open_, editor, field_id, name)
        known = self._field == (open_.id, field_id) and page.subject == subject and page.worth_keeping
        self._field = (open_.id, field_id)
        self._desk.pages.open(page)
        if not known or picture is not None:
            self._picture = picture
            page.show_wish(self.wish())
            page.subject = subject
            self._begin()

    def wish(self) -> Wish:
        """How prompts are enhanced, by the settings."""
        get = self._desk.preferences.get
        return Wish(
            get(ENHANCE_STYLE), Length(get(ENHANCE_LENGTH)), min(8, max(1, get(ENHANCE_VARIANTS))), self._translate
        )

    def choose(self, wish: Wish) -> None:
        """Keep it: the next enhancement begins with it."""
        put = self._desk.preferences
        self._translate = wish.translate
        if wish != self.wish():
            put.set(ENHANCE_STYLE, wish.style)
            put.set(ENHANCE_LENGTH, wish.length.value)
            put.set(ENHANCE_VARIANTS, wish.count)

    # --- The buttons ------------------------------------------------------------------------------------------------

    def _on_shown(self, workflow: "OpenWorkflow") -> None:
        self.buttons = {}
        for field_id, editor in self._panel.form.texts().items():
            self.origins.follow((workflow.id, field_id), editor)
            there = editor.bar.findChild(EnhanceButton)
            if there is not None:  # the same form, filled in anew
                self.buttons[field_id] = there
                continue
            field = self._panel.form.form().by_id[field_id]
            keys = self._desk.actions["enhance"].shortcut().toString()
            button = self.buttons[field_id] = EnhanceButton(self._desk.theme, field.label, keys)
            editor.tools.addWidget(button)
            button.wanted.connect(partial(self.enhance, field_id))
            button.wished.connect(self.choose)
            button.menu_wanted.connect(partial(self._fill_menu, button))
            button.picture_wanted.connect(partial(self._ask_picture, field_id))
            button.models_wanted.connect(self.open_models)
        self._on_setting()
        if self._field[0] != workflow.id and self.page is not None:
            self._stop()
            self._desk.pages.close(self.page)

    def _on_setting(self, _option: object = None) -> None:
        on = self._desk.preferences.get(ENHANCE)
        for button in self.buttons.values():
            button.more.setVisible(on)

    def _fill_menu(self, button: EnhanceButton) -> None:
        button.show_choices(self.wish(), self._styles)
        self._read_styles()

    def _read_styles(self) -> None:
        def keep(styles: tuple[Style, ...]) -> None:
            self._styles = styles
            if self.page is not None:
                self.page.show_styles(styles)
                self.page.show_wish(self.wish())

        self._tasks.start(self._session.enhancer.styles(), done=keep)

    def _ask_picture(self, field_id: str) -> None:
        dialog = QFileDialog(self._desk.window, tr("Describe a picture"))
        dialog.setNameFilter(tr("Pictures (*.png *.jpg *.jpeg *.webp)"))
        dialog.fileSelected.connect(lambda path: self.describe(field_id, Path(path)))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def describe(self, field_id: str, path: Path) -> None:
        """Image to prompt."""
        self._tasks.start(
            asyncio.to_thread(_read_picture, path), done=lambda data: self.enhance(field_id, data, path.name)
        )

    # --- The page ---------------------------------------------------------------------------------------------------

    def _make(self) -> EnhancePage:
        page = self.page = EnhancePage(self._desk.theme)
        page.hide()
        page.asked.connect(self._on_asked)
        page.accepted.connect(self._accept)
        page.cancelled.connect(self._stop)
        page.closed.connect(self._stop)
        page.engine_chosen.connect(self._choose_engine)
        page.lock_wanted.connect(self._lock)
        page.acted.connect(self._act)
        self._read_styles()
        return page

    def _subject(self, open_: "OpenWorkflow", editor: PromptEditor, field_id: str, picture: str = "") -> Subject:
        chosen = editor.selection()
        field = self._panel.form.form().by_id[field_id]
        return Subject(
            editor.value(),
            field.label,
            self._family_name(open_),
            (chosen.start, chosen.end) if chosen.text.strip() else None,
            editor.locked(),
            field.role is Role.NEGATIVE,
            picture,
        )

    def _family(self, open_: "OpenWorkflow") -> str:
        try:
            return self._session.enhancer.family_of(open_, self._panel.form.values())
        except KnownError:
            return ""

    def _family_name(self, open_: "OpenWorkflow") -> str:
        name = dict(self._session.enhancer.families()).get(self._family(open_), "")
        return tr("Written for {family}", family=name) if name else ""

    def _on_asked(self) -> None:
        """Once more, with what the boxes and the prompt say now."""
        page, open_, editor = self.page, self._panel.workflow, self._editor()
        if page is None or open_ is None or editor is None:
            return
        self.choose(page.wish())
        page.subject = self._subject(open_, editor, self._field[1], page.subject.picture)
        self._begin()

    def _begin(self) -> None:
        page, open_ = self.page, self._panel.workflow
        assert page is not None
        assert open_ is not None
        self._stop()
        self._look_for_engines()
        if not self._desk.preferences.get(ENHANCE):
            self._action = None
            page.show_nothing(
                tr("Enhancing is off. Turned on, a language model improves your prompt, and you choose what to take."),
                tr("Turn on"),
            )
            return
        wish, subject = page.wish(), page.subject
        page.begin(subject, wish.count)
        request = EnhanceRequest(
            text=subject.text,
            style=wish.style,
            family=self._family(open_),
            negative=subject.negative,
            selection=subject.selection,
            length=wish.length,
            count=wish.count,
            translate=wish.translate,
            image=self._picture,
            locked=subject.locked,
        )
        self._task = self._tasks.start(self._run(request, page), failed=self._on_failed)

    async def _run(self, request: EnhanceRequest, page: EnhancePage) -> None:
        async with aclosing(self._session.enhancer.enhance(request)) as events:
            async for event in events:
                if not await self._show(event, page):
                    break
        page.ended()

    async def _show(self, event: EnhanceEvent, page: EnhancePage) -> bool:
        """False: there is nothing to wait for."""
        match event:
            case Piece(variant, text):
                page.add(variant, text)
            case Again(variant, why):
                page.again_with(variant, why)
            case Finished(variant, result):
                texts = result.original, result.enhanced, page.subject.locked
                long = len(result.original) + len(result.enhanced) > LONG
                diff = await asyncio.to_thread(compare, *texts) if long else compare(*texts)
                await asyncio.sleep(0)  # to the window, before it has to show all of it
                page.finish(variant, result, diff)
            case Refused(variant, why, action):
                page.refuse(variant, why)
                if action is not Action.NONE:
                    self._action = action
                    page.show_nothing(why, _button_of(action))
                    return False
        return True

    def _stop(self) -> None:
        if self._task is not None and not self._task.done():
            self._task.cancel()
            if self.page is not None:
                self.page.ended()
        self._task = None

    def _on_failed(self, error: KnownError) -> None:
        if self.page is not None:
            self.page.ended()
            self.page.banner.tell_error(error)

    def _accept(self, words: str) -> None:
        """One step for Undo."""
        page, editor = self.page, self._editor()
        assert page is not None
        if editor is None:
            page.banner.tell_error(UsageError(tr("The prompt is gone"), tr("Another workflow was opened")))
            return
        if words != editor.value():
            self.origins.accept(self._field, editor, words)
        self._stop()
        self._desk.pages.close(page)
        editor.edit.setFocus()

    def _editor(self) -> PromptEditor | None:
        """The field whose prompt lies on the page, if it is still there."""
        open_ = self._panel.workflow
        if open_ is None or open_.id != self._field[0]:
            return None
        editor = self._panel.form.texts().get(self._field[1])
        return editor if editor is not None and shiboken6.isValid(editor) else None

    def _lock(self) -> None:
        """Keep the words that are selected in the prompt, and write anew."""
        page, editor = self.page, self._editor()
        if page is None or editor is None:
            return
        if not editor.selection().text.strip():
            page.banner.tell(
                tr("Select words in the prompt first."), tr("Then lock them: they come back as they are."), tone="info"
            )
            return
        editor.toggle_lock()
        cursor = editor.edit.textCursor()
        cursor.clearSelection()
        editor.edit.setTextCursor(cursor)
        self._on_asked()

    # --- Engines ----------------------------------------------------------------------------------------------------

    def _look_for_engines(self) -> None:
        page, enhancer = self.page, self._session.enhancer
        if page is not None:
            self._tasks.start(
                enhancer.engines(),
                done=lambda engines: page.show_engines(engines, enhancer.choice()),
                failed=page.banner.tell_error,
            )

    def _choose_engine(self, choice: Choice) -> None:
        try:
            self._session.enhancer.choose(None, choice)
        except KnownError as error:
            self._on_failed(error)
            return
        self._on_asked()

    def open_models(self) -> None:
        """The page of language models."""
        self.models.open()

    def _act(self) -> None:
        """What the one line offers."""
        act: Mapping[Action | None, Callable[[], object]] = {
            None: self._turn_on,
            Action.CONNECT: self._desk.actions["connect"].trigger,
        }
        act.get(self._action, self.open_models)()

    def _turn_on(self) -> None:
        self._desk.preferences.set(ENHANCE, True)
        self._on_asked()


def _button_of(action: Action) -> str:
    match action:
        case Action.CONNECT:
            return tr("Add a pod")
        case Action.CONFIGURE:
            return tr("Open language models")
        case Action.INSTALL:
            return tr("How to add it")
        case _:
            return tr("Choose a model")


def _read_picture(path: Path) -> bytes:
    """Raises UsageError. For a worker thread."""
    try:
        if path.stat().st_size > LARGEST_PICTURE:
            what = tr("{name} is too large to be described", name=path.name)
            raise UsageError(what, "", tr("Choose one below 30 MB"))
        return path.read_bytes()
    except OSError as error:
        what = tr("{name} cannot be read", name=path.name)
        raise UsageError(what, error.strerror or "") from None
