"""Add a pod, or change one: paste what the provider shows, check the way to it, save."""

from collections.abc import Callable

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from comfydesk.credentials import Secret
from comfydesk.errors import KnownError
from comfydesk.qt.dialogs.pods.check import ConnectionCheck
from comfydesk.qt.dialogs.pods.fixes import Action, Fix, fix_for, steps_of
from comfydesk.qt.dialogs.pods.form import ProfileForm
from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import mark, tr
from comfydesk.qt.widgets.banner import Banner
from comfydesk.qt.widgets.buttons import Button, Kind
from comfydesk.qt.widgets.labelled import Labelled
from comfydesk.qt.widgets.labels import Label
from comfydesk.qt.widgets.page import Page, Scroller
from comfydesk.qt.widgets.plain import Line, pad
from comfydesk.qt.widgets.text_line import TextLine
from comfydesk.session.pods.paste import Suggestion
from comfydesk.session.pods.profile_checks import warnings
from comfydesk.session.pods.profiles import (
    AuthKind,
    MissingSecretError,
    Place,
    PlaceKind,
    PodProfile,
    ProfileError,
    new_id,
)
from comfydesk.session.pods.terms import ProbeStep

PASTE = mark("https://abc123-8188.proxy.runpod.net, an ssh line, or 192.168.1.20:8188")
PAUSE_MS = 150


class ConnectSheet(Page):
    """Holds a draft of one profile. Its owner carries out what the signals ask for, and tells what came of it."""

    test_wanted = Signal(object, object, object)
    """PodProfile, secrets by item, the SSH host key to trust or None."""
    test_stopped = Signal()
    save_wanted = Signal(object, object, bool, bool)
    """PodProfile, secrets by item, whether they may be kept, whether to connect."""
    account_wanted = Signal(object, object, bool)
    """PlaceKind, key or None, whether it may be kept."""
    account_picked = Signal(object, object)
    start_wanted = Signal(str)
    demo_wanted = Signal()
    dropped = Signal()
    """Cancel: the draft is of no use any more."""

    def __init__(self, theme: Theme, suggest: Callable[[str], Suggestion], parent: QWidget | None = None) -> None:
        super().__init__(theme, tr("Add a pod"), parent)
        self._suggest = suggest
        self._trust: object = None
        self._failed: KnownError | None = None
        self._saved = self._testing = False
        self._draft: tuple[PodProfile, dict[str, Secret]] | None = None
        self._pause = QTimer(self, singleShot=True, interval=PAUSE_MS)
        self._pause.timeout.connect(self._recognise)
        self.paste = TextLine(theme, placeholder=tr(PASTE))
        self.paste_row = Labelled(theme, tr("Paste its address or SSH line"), self.paste)
        self.notes = Label(theme, font="caption", color="text2", wrap=True)
        self.banner = Banner(theme)
        self.form = ProfileForm(theme)
        self.check = ConnectionCheck(theme)
        self.demo = Button(theme, tr("Open the demo pod"), kind=Kind.LINK)
        self.cancel = Button(theme, tr("Cancel"))
        self.later = Button(theme, tr("Save for later"))
        self.save = Button(theme, tr("Save and connect"), kind=Kind.PRIMARY, keys="Alt+Enter")
        self._lay_out()
        self._join()
        self.begin_new()

    # --- What is in it --------------------------------------------------------------------------------------------

    @property
    def profile(self) -> PodProfile:
        """As it is typed."""
        return self.form.profile()

    @property
    def is_saved(self) -> bool:
        """A saved pod is on the screen, no new one."""
        return self._saved

    def resume(self) -> None:
        """Back to the new pod that was on the screen before saved ones were."""
        draft, self._draft = self._draft, None
        self.begin_new()
        if draft is not None:
            self.form.fill(*draft)
            self._changed()

    def take(self, text: str) -> None:
        """What was pasted elsewhere."""
        self.paste.set_value(text)
        self._recognise()

    def begin_new(self) -> None:
        """An empty draft."""
        self._start(tr("Add a pod"), saved=False)
        self.paste.set_value("")
        self._tell_notes(())
        self.form.fill(PodProfile(new_id(), "", Place(PlaceKind.URL)))

    def edit(self, profile: PodProfile, *, stored: bool) -> None:
        """A saved profile. `stored`: its secrets are kept."""
        if not self._saved and self.profile.name:
            self._draft = self.profile, self.form.secrets()
        self._start(profile.name, saved=True)
        self.form.fill(profile, stored=stored)
        self.check.reset(steps_of(profile))
        self._tell_notes(warnings(profile))

    def show_missing(self, items: tuple[str, ...]) -> None:
        """Those of the edited profile's secrets that are stored nowhere."""
        if items:
            self.form.signin.set_stored(False)

    def offer(self, suggestion: Suggestion) -> None:
        """A profile to look over: recognised in what was pasted, or a pod of the account."""
        profile = suggestion.profile
        self.paste_row.set_problem("" if profile is not None else suggestion.recognised)
        self.paste_row.set_note(suggestion.recognised if profile is not None else "")
        if profile is None:
            self._tell_notes(suggestion.notes)
            return
        self._trust = None
        self._saved = False
        if suggestion.secrets:  # they are masked below, and need not stand here in plain sight
            self.paste.set_value(profile.place.url)
        self.form.fill(profile, suggestion.secrets)
        self._tell_notes((*suggestion.notes, *warnings(profile)))
        self._changed()

    def show_keyring(self, note: str) -> None:
        """Why secrets cannot be kept; empty where they can."""
        self.form.signin.show_keyring(note)

    def first_focus(self) -> QWidget:
        return self.form.name.edit if self._saved else self.paste.edit

    # --- The check ------------------------------------------------------------------------------------------------

    def begin_test(self) -> None:
        """Ask for a check of what is typed, from its first step."""
        self.test_stopped.emit()
        profile = self.form.profile()
        self.form.show_problems(())
        self.banner.clear()
        self._testing = True
        self._rank()
        self.check.begin(steps_of(profile))
        self.test_wanted.emit(profile, self.form.secrets(), self._trust)

    def show_step(self, found: ProbeStep) -> None:
        """A step has ended."""
        self._failed = found.error
        fix = None if found.ok else fix_for(found, self.form.profile(), saved=self._saved)
        self.check.show_step(found, fix)
        if fix is not None and fix.field:
            self.form.problem_of(fix.field, fix.remark)

    def end_test(self) -> None:
        self._testing = False
        self.check.end()
        self._rank()

    def fail_test(self, error: KnownError) -> None:
        """The profile cannot be tried as it is."""
        self._testing = False
        self.check.end()
        self.check.summary.setText(tr("Not tried"))
        self.show_error(error)

    def show_error(self, error: KnownError) -> None:
        """What is wrong with the profile, at its fields; anything else above them."""
        self._busy(False)
        if isinstance(error, ProfileError) and error.problems:
            self.form.show_problems(error.problems)
            return
        self.banner.tell_error(error)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._make_room()

    # --- Inside ---------------------------------------------------------------------------------------------------

    def _start(self, title: str, *, saved: bool) -> None:
        self.test_stopped.emit()
        self._trust, self._saved, self._testing = None, saved, False
        self._failed = None
        self.set_title(title)
        self.banner.clear()
        self._busy(False)
        self.paste_row.setVisible(not saved)
        self.paste_row.set_problem("")
        self.paste_row.set_note("")
        self.later.setText(tr("Save") if saved else tr("Save for later"))
        self._make_room()
        self._rank()

    def _make_room(self) -> None:
        """The offer of the demo pod gives way to the buttons."""
        self.demo.setVisible(not self._saved and self.width() >= self.theme.px(600))
        self._question.setVisible(not self._saved and self.width() >= self.theme.px(720))

    def _on_fix(self, fix: Fix) -> None:
        if fix.action is Action.TRUST:
            self._trust = getattr(self._failed, "offered", None)
            if self.form.page.ssh is not None and self._trust is not None:
                self.form.page.ssh.show_trusted(str(self._trust))
            self.begin_test()
        elif fix.action is Action.SIGN_IN:
            self._ask_sign_in(fix)
        elif fix.action is Action.PIN:
            self.form.pin_certificate(fix.value)
            self.begin_test()
        elif fix.action is Action.START:
            self.start_wanted.emit(self.form.profile().id)
        elif fix.profile is not None:
            self.form.fill_place(fix.profile)
            self.begin_test()

    def _ask_sign_in(self, fix: Fix) -> None:
        """The keyboard to what has to be typed."""
        ssh = self.form.page.ssh
        if fix.field.startswith("ssh.") and ssh is not None:
            ssh.fold.set_open(True, animate=False)
            ssh.key_file.setFocus(Qt.FocusReason.OtherFocusReason)
        elif isinstance(self._failed, MissingSecretError) and "api-key" in self._failed.item:
            self.form.ask_account_key(self._failed)
        elif self.form.signin.kind is AuthKind.NONE:
            self.form.signin.choose(AuthKind.BASIC)
        else:
            self.form.signin.focus_secret()

    def _recognise(self) -> None:
        text = self.paste.value().strip()
        if text:
            self.offer(self._suggest(text))

    def _changed(self) -> None:
        """What was found is of another profile than the one on the screen."""
        self.test_stopped.emit()
        self._testing, self._failed = False, None
        self.check.reset(steps_of(self.form.profile()))
        self._rank()

    def _tell_notes(self, notes: tuple[str, ...]) -> None:
        self.notes.setText("\n".join(f"{note.rstrip('.')}." for note in notes))
        self.notes.setVisible(bool(notes))

    def _rank(self) -> None:
        """One filled button in the sheet: the fix while one is offered, else the foot's."""
        failed = self.check.failed
        fix = failed is not None and failed.fix.isVisibleTo(failed)
        self.save.set_kind(Kind.SECONDARY if fix else Kind.PRIMARY)

    def _busy(self, busy: bool) -> None:
        self.save.set_busy(tr("Saving") if busy else "")

    def _check_or_stop(self) -> None:
        if self._testing:
            self.test_stopped.emit()
            self.end_test()
        else:
            self.begin_test()

    def _save(self, *, connect: bool) -> None:
        self.test_stopped.emit()
        self.banner.clear()
        self._busy(connect)
        form = self.form
        self.save_wanted.emit(form.profile(), form.secrets(), form.signin.keep, connect)

    def _drop(self) -> None:
        self.dropped.emit()
        self.closed.emit()

    def _lay_out(self) -> None:
        theme, px = self.theme, self.theme.px
        holder = QWidget()
        column = QVBoxLayout(holder)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        top = QVBoxLayout()
        pad(top, theme, 20, 16, 16, 0)
        top.setSpacing(px(8))
        for part in (self.banner, self.paste_row, self.notes):
            top.addWidget(part)
        column.addLayout(top)
        column.addWidget(self.form, 1)
        row = QHBoxLayout()
        row.setSpacing(0)
        scroller = Scroller(theme, holder)
        scroller.setMinimumWidth(px(300))
        row.addWidget(scroller, 1)
        row.addWidget(Line(theme, upright=True))
        row.addWidget(self.check, 1)
        self.body.addLayout(row)
        self._question = Label(theme, tr("No pod at hand?"), font="small", color="text2")
        self.foot.addWidget(self._question)
        self.foot.addWidget(self.demo)
        self.foot.addStretch(1)
        for button in (self.cancel, self.later, self.save):
            self.foot.addWidget(button)

    def _join(self) -> None:
        self.paste.value_changed.connect(lambda _: self._pause.start())
        self.paste.edit.returnPressed.connect(self._on_paste_entered)
        self.form.changed.connect(self._changed)
        self.form.account_wanted.connect(lambda kind, key: self.account_wanted.emit(kind, key, self.form.signin.keep))
        self.form.account_picked.connect(self.account_picked)
        self.check.wanted.connect(self._check_or_stop)
        self.check.fix_wanted.connect(self._on_fix)
        self.demo.clicked.connect(self.demo_wanted)
        self.cancel.clicked.connect(self._drop)
        self.later.clicked.connect(lambda: self._save(connect=False))
        self.save.clicked.connect(lambda: self._save(connect=True))
        for keys in ("Alt+Return", "Alt+Enter"):
            accept = QShortcut(QKeySequence(keys), self, context=Qt.ShortcutContext.WidgetWithChildrenShortcut)
            accept.activated.connect(self.save.click)

    def _on_paste_entered(self) -> None:
        """Enter: what was pasted is all there is to say."""
        self._pause.stop()
        self._recognise()
        if self.profile.name:
            self.begin_test()
