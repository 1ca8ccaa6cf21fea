"""How the pod knows us: the kind of sign-in, its names, and its secrets."""

from collections.abc import Mapping

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from comfydesk.credentials import Secret, auth_item, header_item
from comfydesk.qt.dialogs.pods.place import Group
from comfydesk.qt.models.tips import plain_tip
from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import mark, tr
from comfydesk.qt.widgets.buttons import Button, IconButton, Kind
from comfydesk.qt.widgets.choice_combo import Combo
from comfydesk.qt.widgets.labelled import Labelled, side_by_side
from comfydesk.qt.widgets.labels import Label
from comfydesk.qt.widgets.plain import Icon
from comfydesk.qt.widgets.secret_line import SecretLine
from comfydesk.qt.widgets.switch import Check
from comfydesk.qt.widgets.text_line import TextLine
from comfydesk.session.pods.profiles import AuthKind, AuthSettings

WORDS = {
    AuthKind.NONE: mark("None"),
    AuthKind.BASIC: mark("User and password"),
    AuthKind.BEARER: mark("Bearer token"),
    AuthKind.API_KEY: mark("API key header"),
    AuthKind.HEADERS: mark("Several headers"),
    AuthKind.COOKIE: mark("Cookie"),
    AuthKind.QUERY: mark("Token in the address"),
}
SECRETS = {
    AuthKind.BASIC: mark("Password"),
    AuthKind.BEARER: mark("Token"),
    AuthKind.API_KEY: mark("Key"),
    AuthKind.COOKIE: mark("Cookie"),
    AuthKind.QUERY: mark("Token"),
}
NAMES = {AuthKind.BASIC: mark("User"), AuthKind.API_KEY: mark("Header"), AuthKind.QUERY: mark("Parameter")}
USUAL = {AuthKind.API_KEY: "X-API-Key", AuthKind.QUERY: "token"}
KEPT = mark("Kept in the system keyring, never in a file")
SESSION_ONLY = mark("No keyring answers here: kept for this session only, and asked for again after the next start")


class HeaderRow(QWidget):
    """One header: its name is part of the profile, its value is a secret."""

    def __init__(self, theme: Theme, name: TextLine, value: SecretLine) -> None:
        super().__init__()
        self.name, self.value = name, value
        self.remove = IconButton(theme, "close", tr("Remove this header"))
        name.set_name(tr("Header"))
        value.set_name(tr("Value"))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.px(8))
        for part, stretch in ((name, 1), (value, 1), (self.remove, 0)):
            row.addWidget(part, stretch)


class SignIn(Group):
    """`settings` and `secrets` of what is on the screen."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, spacing=6)
        self._kinds = tuple(WORDS)
        self.combo = Combo(theme)
        self.combo.setAccessibleName(tr("Sign-in"))
        self.combo.addItems([tr(words) for words in WORDS.values()])
        self.name, self.value = self.text(), self.secret()
        self.name_row = self.row("auth.user", tr("User"), self.name)
        self.rows["auth.name"] = self.name_row
        self.value_row = Labelled(theme, tr("Token"), self.value)
        self.headers: list[HeaderRow] = []
        self._headers = QVBoxLayout()
        self._headers.setSpacing(theme.px(6))
        self.add_header = Button(theme, tr("Add a header"), kind=Kind.GHOST, icon="plus")
        self._headers_row = QWidget()
        self.only_now = Check(theme, tr("Only for this session"))
        self.where = Label(theme, tr(KEPT), font="caption", color="text2", wrap=True)
        self._lay_out()
        self.combo.activated.connect(self._on_kind)
        self.add_header.clicked.connect(lambda: self._add("", None))
        self.only_now.toggled.connect(lambda _: self._tell_where())
        self._keyring_note = ""
        self._show()

    @property
    def kind(self) -> AuthKind:
        return self._kinds[max(0, self.combo.currentIndex())]

    @property
    def keep(self) -> bool:
        """Whether secrets go to the keyring."""
        return not self.only_now.isChecked() and not self._keyring_note

    def fill(self, auth: AuthSettings, secrets: Mapping[str, Secret], profile_id: str, *, stored: bool) -> None:
        """Show a profile's way to sign in. `stored`: its secrets are there already."""
        self.combo.setCurrentIndex(self._kinds.index(auth.kind))
        self.name.set_value(auth.user or auth.name)
        self.value.fill(secrets.get(auth_item(profile_id)))
        for row in tuple(self.headers):
            self._drop(row)
        for name in auth.headers:
            self._add(name, secrets.get(header_item(profile_id, name)))
        self.set_stored(stored)
        self._show()

    def set_stored(self, stored: bool) -> None:
        """Whether the secrets are there already."""
        for line in (self.value, *(row.value for row in self.headers)):
            line.set_stored(stored)

    def choose(self, kind: AuthKind) -> None:
        """Another kind, and the keyboard on what has to be typed."""
        self.combo.setCurrentIndex(self._kinds.index(kind))
        self._on_kind()
        self.focus_secret()

    def focus_secret(self) -> None:
        """To the first thing that is to be typed."""
        if self.kind is AuthKind.NONE:
            self.combo.setFocus(Qt.FocusReason.OtherFocusReason)
        elif self.kind in NAMES and not self.name.value():
            self.name.setFocus(Qt.FocusReason.OtherFocusReason)
        else:
            self.value.setFocus(Qt.FocusReason.OtherFocusReason)

    def settings(self) -> AuthSettings:
        kind, name = self.kind, self.name.value().strip()
        if kind is AuthKind.BASIC:
            return AuthSettings(kind, user=name)
        if kind in (AuthKind.API_KEY, AuthKind.QUERY):
            return AuthSettings(kind, name=name)
        if kind is AuthKind.HEADERS:
            names = (row.name.value().strip() for row in self.headers)
            return AuthSettings(kind, headers=tuple(name for name in names if name))
        return AuthSettings(kind)

    def secrets(self, profile_id: str) -> dict[str, Secret]:
        """What was typed, by item of the keyring."""
        if self.kind is AuthKind.HEADERS:
            typed = {header_item(profile_id, row.name.value().strip()): row.value.secret() for row in self.headers}
        elif self.kind is AuthKind.NONE:
            typed = {}
        else:
            typed = {auth_item(profile_id): self.value.secret()}
        return {item: secret for item, secret in typed.items() if secret}

    def show_keyring(self, note: str) -> None:
        """`note` says why nothing can be kept; empty where the keyring works."""
        self._keyring_note = note
        self._tell_where()
        self._show()

    def _lay_out(self) -> None:
        kind = Labelled(self.theme, tr("Sign-in"), self.combo)
        self.column.addWidget(side_by_side(self.theme, kind, self.name_row))
        self.column.addWidget(self.value_row)
        column = QVBoxLayout(self._headers_row)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(self._headers)
        column.addWidget(self.add_header, 0, Qt.AlignmentFlag.AlignLeft)
        self.column.addWidget(self.row("auth.headers", tr("Headers"), self._headers_row))
        row = QHBoxLayout()
        row.setSpacing(self.theme.px(6))
        self._key_icon = Icon(self.theme, "key")
        row.addWidget(self._key_icon)
        row.addWidget(self.where, 1)
        row.addWidget(self.only_now)
        self.column.addLayout(row)

    def _add(self, name: str, secret: Secret | None) -> None:
        row = HeaderRow(self.theme, self.text(placeholder="CF-Access-Client-Id"), self.secret())
        row.name.set_value(name)
        row.value.fill(secret)
        row.remove.clicked.connect(lambda: self._drop(row))
        self.headers.append(row)
        self._headers.addWidget(row)

    def _drop(self, row: HeaderRow) -> None:
        self.headers.remove(row)
        self._headers.removeWidget(row)
        row.deleteLater()
        self.changed.emit()

    def _on_kind(self) -> None:
        self.name.set_value(USUAL.get(self.kind, ""))
        self.value.fill(None)
        self.value.set_stored(False)
        if self.kind is AuthKind.HEADERS and not self.headers:
            self._add("", None)
        self._show()
        self.changed.emit()

    def _show(self) -> None:
        kind = self.kind
        self.name_row.setVisible(kind in NAMES)
        self.name_row.set_name(tr(NAMES.get(kind, "Name")))
        self.value_row.setVisible(kind in SECRETS)
        self.value_row.set_name(tr(SECRETS.get(kind, "Secret")))
        self.rows["auth.headers"].setVisible(kind is AuthKind.HEADERS)
        asked = kind is not AuthKind.NONE
        self._key_icon.setVisible(asked)
        self.where.setVisible(asked)
        self.only_now.setVisible(asked and not self._keyring_note)

    def _tell_where(self) -> None:
        forgotten = tr("Kept until ComfyDesk is closed")
        words = tr(SESSION_ONLY) if self._keyring_note else forgotten if self.only_now.isChecked() else tr(KEPT)
        self.where.setText(words)
        self.where.setToolTip(plain_tip(self._keyring_note))
