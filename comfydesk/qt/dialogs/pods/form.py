"""A profile as a form: where the pod is, how it knows us, and what ComfyDesk does with it."""

from collections.abc import Mapping
from dataclasses import replace

from PySide6.QtCore import QRect, QSize, Signal
from PySide6.QtGui import QColor, QIcon, QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QVBoxLayout, QWidget

from comfydesk.credentials import Secret, auth_item, llm_item
from comfydesk.errors import KnownError
from comfydesk.qt.dialogs.pods.place import EnginePage, Group, PlacePage, RentedPage, SshPage, UrlPage
from comfydesk.qt.dialogs.pods.signin import SignIn
from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import mark, tr
from comfydesk.qt.widgets import paint
from comfydesk.qt.widgets.buttons import Button, IconButton, Size
from comfydesk.qt.widgets.choice_combo import Combo
from comfydesk.qt.widgets.labelled import Labelled, side_by_side
from comfydesk.qt.widgets.labels import Label
from comfydesk.qt.widgets.menu import Menu
from comfydesk.qt.widgets.number_field import NumberField
from comfydesk.qt.widgets.numbers import Range
from comfydesk.qt.widgets.plain import Line, pad
from comfydesk.qt.widgets.section import Section
from comfydesk.qt.widgets.segmented import Segmented
from comfydesk.session.enhancement.values import Choice
from comfydesk.session.pods.profiles import COLOURS, MAX_IDLE_MINUTES, PlaceKind, PodProfile, Problem
from comfydesk.session.pods.terms import HostPod

PLACES = ("RunPod", "Vast.ai", "SSH", mark("Address"), mark("Comfy"), mark("Serverless"))
ADDRESS = 3
COLOUR_NAMES = (
    mark("Blue"),
    mark("Green"),
    mark("Amber"),
    mark("Red"),
    mark("Violet"),
    mark("Teal"),
    mark("Pink"),
    mark("Grey"),
)
IDLE_MINUTES = 15
IDLE_NOTE = mark("Only with its queue empty and every output saved here. You get a countdown that you can cancel.")
TRUST = (mark("System trust"), mark("One certificate"))
ENGINES = tuple(Choice)


class Swatch(IconButton):
    """The profile's colour; a click offers the others."""

    picked = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, "", tr("Colour"), size=Size.COMPACT)
        self.colour = COLOURS[0]
        self.clicked.connect(self._open)

    def set_colour(self, colour: str) -> None:
        self.colour = colour
        at = COLOURS.index(colour) if colour in COLOURS else -1
        self.set_name(tr("Colour: {colour}", colour=tr(COLOUR_NAMES[at]) if at >= 0 else colour))
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(self.theme.px(22), self.theme.px(22))

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        side = self.theme.px(12)
        spot = paint.centred(self.rect(), side, side)
        paint.box(QPainter(self), spot, self.theme.px(3), fill=QColor(self.colour))

    def _open(self) -> None:
        menu = Menu(self.theme, parent=self)
        menu.aboutToHide.connect(menu.deleteLater)
        for colour, name in zip(COLOURS, COLOUR_NAMES, strict=True):
            action = menu.add(tr(name))
            action.setIcon(_square(self.theme, colour))
            action.triggered.connect(lambda _=False, colour=colour: self._take(colour))
        menu.popup(self.mapToGlobal(self.rect().bottomLeft()))

    def _take(self, colour: str) -> None:
        self.set_colour(colour)
        self.picked.emit(colour)


def _square(theme: Theme, colour: str) -> QIcon:
    side = theme.px(16)
    picture = QPixmap(side, side)
    picture.fill(QColor(0, 0, 0, 0))
    painter = QPainter(picture)
    paint.box(painter, QRect(2, 2, side - 4, side - 4), theme.px(3), fill=QColor(colour))
    painter.end()
    return QIcon(picture)


class ProfileForm(Group):
    """`profile` and `secrets` are what is on the screen; `show_problems` says what is wrong with it."""

    account_wanted = Signal(object, object)
    """PlaceKind, and the key that was typed or None."""
    account_picked = Signal(object, object)
    """PlaceKind, HostPod"""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self._base: PodProfile | None = None
        self.places = Segmented(theme, tuple(tr(place) for place in PLACES), name=tr("Where the pod is"))
        self.name = self.text(placeholder=tr("Name of the pod"))
        self.swatch = Swatch(theme)
        self.name.frame.row.insertWidget(0, self.swatch)
        self.pages: tuple[PlacePage, ...] = (
            RentedPage(theme, PlaceKind.RUNPOD),
            RentedPage(theme, PlaceKind.VAST),
            SshPage(theme),
            UrlPage(theme),
            EnginePage(theme, PlaceKind.COMFY),
            EnginePage(theme, PlaceKind.SERVERLESS),
        )
        self.signin = SignIn(theme)
        self._make_rest()
        self._lay_out()
        self.places.picked.connect(self._on_place)
        self.swatch.picked.connect(lambda _: self.changed.emit())
        self.signin.changed.connect(self.changed)
        for page in self.pages:
            page.changed.connect(self.changed)
        for page in self.rented:
            page.account.listed.connect(lambda key, kind=page.kind: self.account_wanted.emit(kind, key))
            page.account.picked.connect(lambda pod, kind=page.kind: self.account_picked.emit(kind, pod))
        self._show_page(ADDRESS)

    # --- Values ---------------------------------------------------------------------------------------------------

    @property
    def page(self) -> PlacePage:
        return self.pages[max(0, self.places.current())]

    @property
    def rented(self) -> tuple[RentedPage, ...]:
        return tuple(page for page in self.pages if isinstance(page, RentedPage))

    def fill(self, profile: PodProfile, secrets: Mapping[str, Secret] | None = None, *, stored: bool = False) -> None:
        """Show `profile`. `stored`: its secrets are kept already; empty fields leave them as they are."""
        self._base = profile
        self.show_engine(Choice.AUTOMATIC)
        self.name.set_value(profile.name)
        self.swatch.set_colour(profile.colour)
        at = self.fill_place(profile)
        page = self.pages[at]
        if isinstance(page, EnginePage):
            page.fill_auth(profile.auth, (secrets or {}).get(auth_item(profile.id)), stored=stored)
        else:
            self.signin.fill(profile.auth, secrets or {}, profile.id, stored=stored)
        self.trust.setCurrentIndex(1 if profile.certificate else 0)
        self.pin.set_value(profile.certificate)
        self.llm.set_value(profile.llm_url)
        self.llm_key.fill(None)
        self.folder.set_value(profile.output_folder)
        self.idle.setChecked(profile.idle_minutes is not None)
        self.minutes.set_value(profile.idle_minutes or IDLE_MINUTES)
        self.more.set_open(bool(profile.certificate or profile.llm_url), animate=False)
        self.show_problems(())
        self._show_page(at)

    def fill_place(self, profile: PodProfile) -> int:
        """Show where `profile` is, and leave everything else; the number of its page."""
        at = next((at for at, page in enumerate(self.pages) if page.kind is profile.place.kind), ADDRESS)
        self.pages[at].fill(profile.place, profile.ssh)
        self.places.set_current(at)
        self._show_page(at)
        return at

    def profile(self) -> PodProfile:
        """As it is typed; it may be wrong."""
        assert self._base is not None
        place = self.page.place()
        pinned = self.trust.currentIndex() == 1
        return replace(
            self._base,
            name=self.name.value(),
            colour=self.swatch.colour,
            place=place,
            ssh=self.page.ssh_settings(),
            auth=self.page.auth() if isinstance(self.page, EnginePage) else self.signin.settings(),
            certificate=self.pin.value() if pinned else "",
            llm_url=self.llm.value(),
            output_folder=self.folder.value(),
            idle_minutes=int(self.minutes.value()) if self.idle.isChecked() and place.kind.rented else None,
        )

    def show_engine(self, choice: Choice) -> None:
        """What enhances the pod's prompts."""
        self.engine.setCurrentIndex(ENGINES.index(choice))

    def engine_choice(self) -> Choice:
        """It is no part of the profile: a profile that is handed on says nothing of this computer."""
        return ENGINES[max(0, self.engine.currentIndex())]

    def secrets(self) -> dict[str, Secret]:
        """What was typed, by item of the keyring."""
        assert self._base is not None
        engine = self.page if isinstance(self.page, EnginePage) else None
        typed = self.signin.secrets(self._base.id) if engine is None else engine.secrets(self._base.id)
        if self.page.ssh is not None and self.page.ssh_settings() is not None:
            typed |= self.page.ssh.secrets(self._base.id)
        key = self.llm_key.secret()
        return typed | ({llm_item(self._base.id): key} if key else {})

    def set_lenders(self, pods: tuple[tuple[str, str], ...]) -> None:
        """(id, name) of the pods whose list of nodes an engine may use that has none."""
        for page in self.pages:
            if isinstance(page, EnginePage):
                page.set_lenders(pods)

    def show_problems(self, problems: tuple[Problem, ...]) -> None:
        """Mark the fields, and go to the first."""
        found = {problem.field: problem.message for problem in reversed(problems)}
        rows = self._all_rows()
        for row in rows.values():
            row.set_problem("")
        for name, words in found.items():
            row_or_none = rows.get(name)
            if row_or_none is not None:
                row_or_none.set_problem(words)
        if {"certificate", "llm_url"} & set(found):
            self.more.set_open(True, animate=False)
        for problem in problems[:1]:
            if problem.field in rows:
                rows[problem.field].setFocus()

    def pin_certificate(self, fingerprint: str) -> None:
        """Trust that certificate only."""
        self.trust.setCurrentIndex(1)
        self.pin.set_value(fingerprint)
        self.more.set_open(True, animate=False)
        self._show_pin()
        self.changed.emit()

    def ask_account_key(self, error: KnownError) -> None:
        """The provider's key is missing, or not good."""
        page = self.page
        if isinstance(page, RentedPage):
            page.account.show_error(error)
            page.account.key.setFocus()

    def show_account(self, kind: PlaceKind, found: tuple[HostPod, ...] | KnownError) -> None:
        """The account's pods, or why they cannot be listed."""
        for page in self.rented:
            if page.kind is not kind:
                continue
            if isinstance(found, KnownError):
                page.account.show_error(found)
            else:
                page.account.show_pods(found)
                page.account.show_chosen(page.place().pod)

    def problem_of(self, name: str, words: str) -> None:
        """A remark at one field that only the pod could tell ("JupyterLab answers on this port")."""
        row = self._all_rows().get(name)
        if row is not None:
            row.set_problem(words)

    def _all_rows(self) -> dict[str, Labelled]:
        rows = {**self.rows, **self.signin.rows, **self.page.rows}
        if self.page.ssh is not None:
            rows |= self.page.ssh.rows
        return rows

    # --- Layout ---------------------------------------------------------------------------------------------------

    def _make_rest(self) -> None:
        theme = self.theme
        self.trust = Combo(theme)
        self.trust.addItems([tr(words) for words in TRUST])
        self.pin = self.text(placeholder="SHA-256, 64 digits")
        self.llm, self.llm_key = (
            self.text(placeholder="http://127.0.0.1:11434/v1"),
            self.secret(placeholder=tr("Optional")),
        )
        self.engine = Combo(theme)
        self.engine.addItems([tr("Automatic"), tr("This computer"), tr("The pod"), tr("Endpoint")])
        self.engine.activated.connect(lambda _: self.changed.emit())
        self.folder = self.text(placeholder=tr("Where all outputs go"))
        self.idle = self.switch(tr("Stop the pod when idle for"))
        self.minutes = NumberField(
            theme, Range(integer=True, minimum=1, maximum=MAX_IDLE_MINUTES, step=1), IDLE_MINUTES
        )
        self.minutes.set_name(tr("Minutes"))
        self.minutes.setFixedWidth(theme.px(56))
        self.minutes.value_changed.connect(lambda _: self.changed.emit())
        self.trust.activated.connect(lambda _: self._show_pin())
        self.trust.activated.connect(lambda _: self.changed.emit())

    def _lay_out(self) -> None:
        theme, column = self.theme, self.column
        choose = Button(theme, tr("Choose\N{HORIZONTAL ELLIPSIS}"))
        choose.clicked.connect(self._choose_folder)
        column.addWidget(self.places)
        column.addWidget(self.row("name", tr("Name"), self.name))
        for page in self.pages:
            column.addWidget(page)
        column.addWidget(self.signin)
        column.addWidget(Line(theme))
        column.addWidget(self.row("output_folder", tr("Save outputs to"), self.folder, beside=choose))
        column.addWidget(self._idle_rows())
        column.addWidget(self._more())
        column.addStretch(1)
        pad(column, theme, 20, 16, 16, 16)

    def _idle_rows(self) -> QWidget:
        theme = self.theme
        inner = QWidget()
        row = QHBoxLayout()
        row.setSpacing(theme.px(8))
        for part in (self.idle, self.minutes, Label(theme, "min", color="text2")):
            row.addWidget(part)
        row.insertStretch(1, 1)
        note = Label(theme, tr(IDLE_NOTE), font="caption", color="text2", wrap=True)
        note.setContentsMargins(theme.px(36), 0, 0, 0)
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.px(4))
        column.addLayout(row)
        column.addWidget(note)
        self._idle = self.row("idle_minutes", "", inner)
        self._idle.layout().itemAt(0).widget().hide()  # type: ignore[union-attr]  # its label: `row` always makes one
        return self._idle

    def _more(self) -> Section:
        theme = self.theme
        inner = QWidget()
        column = QVBoxLayout(inner)
        pad(column, theme, 0, 4, 0, 0)
        column.setSpacing(theme.px(12))
        certificate = Labelled(theme, tr("Certificate"), self.trust)
        self._pin = self.row("certificate", tr("Fingerprint"), self.pin)
        column.addWidget(side_by_side(theme, certificate, self._pin))
        llm, key = self.row("llm_url", tr("Prompt engine"), self.llm), Labelled(theme, tr("Its key"), self.llm_key)
        column.addWidget(side_by_side(theme, llm, key, stretches=(3, 2)))
        column.addWidget(Labelled(theme, tr("Its prompts are enhanced by"), self.engine))
        self.more = Section(theme, tr("Certificate and prompt engine"), inner, quiet=True)
        return self.more

    def _on_place(self, at: int) -> None:
        assert self._base is not None
        page = self.pages[at]
        if isinstance(page, RentedPage) and page.account.key_row.isVisibleTo(page):
            self.account_wanted.emit(page.kind, None)
        self._show_page(at)
        self.changed.emit()

    def _show_page(self, at: int) -> None:
        for number, page in enumerate(self.pages):
            page.setVisible(number == at)
        self._idle.setVisible(self.pages[at].kind.rented)
        self.signin.setVisible(not self.pages[at].kind.engine)
        self._show_pin()

    def _show_pin(self) -> None:
        self._pin.setVisible(self.trust.currentIndex() == 1)

    def _choose_folder(self) -> None:
        dialog = QFileDialog(self, tr("Save outputs to"), self.folder.value())
        dialog.setFileMode(QFileDialog.FileMode.Directory)

        def take(chosen: str) -> None:
            self.folder.set_value(chosen)
            self.changed.emit()

        dialog.fileSelected.connect(take)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()
