"""Where a pod is: at RunPod, at Vast.ai, behind SSH, or at an address. One page of fields for each."""

from dataclasses import replace

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QVBoxLayout, QWidget

from comfydesk.credentials import Secret, api_key_item, auth_item, ssh_passphrase_item, ssh_password_item
from comfydesk.errors import UsageError
from comfydesk.qt.dialogs.pods.account import AccountPicker
from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets.buttons import Button
from comfydesk.qt.widgets.choice_combo import Combo
from comfydesk.qt.widgets.labelled import Labelled, side_by_side
from comfydesk.qt.widgets.labels import Label
from comfydesk.qt.widgets.number_field import NumberField
from comfydesk.qt.widgets.numbers import Range
from comfydesk.qt.widgets.plain import pad
from comfydesk.qt.widgets.secret_line import SecretLine
from comfydesk.qt.widgets.section import Section
from comfydesk.qt.widgets.switch import Switch
from comfydesk.qt.widgets.text_line import TextLine
from comfydesk.session.pods.places import COMFY_CLOUD, Place, PlaceKind
from comfydesk.session.pods.profiles import AuthKind, AuthSettings, SshSettings
from comfydesk.session.pods.terms import COMFYUI_PORT, Address

PORTS = Range(integer=True, minimum=1, maximum=65535, step=1)


class Group(QWidget):
    """Fields one below the other; `changed` when the user changed one of them."""

    changed = Signal()

    def __init__(self, theme: Theme, spacing: int = 12) -> None:
        super().__init__()
        self.theme = theme
        self.rows: dict[str, Labelled] = {}
        """By the name that problems of a profile have ("ssh.port")."""
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(theme.px(spacing))

    def row(self, problem: str, name: str, field: QWidget, beside: QWidget | None = None) -> Labelled:
        """A labelled field, known by `problem`."""
        self.rows[problem] = Labelled(self.theme, name, field, beside=beside)
        return self.rows[problem]

    def text(self, *, placeholder: str = "") -> TextLine:
        line = TextLine(self.theme, placeholder=placeholder)
        line.value_changed.connect(lambda _: self.changed.emit())
        return line

    def secret(self, *, placeholder: str = "") -> SecretLine:
        line = SecretLine(self.theme, placeholder=placeholder)
        line.value_changed.connect(lambda _: self.changed.emit())
        return line

    def port(self, value: int) -> NumberField:
        field = NumberField(self.theme, PORTS, value, right=False)
        field.value_changed.connect(lambda _: self.changed.emit())
        return field

    def switch(self, words: str) -> Switch:
        switch = Switch(self.theme, words)
        switch.clicked.connect(lambda _: self.changed.emit())
        return switch


class SshFields(Group):
    """How to log in. `ask_host` False: the provider says where its server is."""

    def __init__(self, theme: Theme, *, ask_host: bool) -> None:
        super().__init__(theme)
        self._settings = SshSettings()
        self.host, self.port_field = self.text(placeholder=tr("192.0.2.7 or pod.example.org")), self.port(22)
        self.user, self.key_file = self.text(), self.text(placeholder=tr("SSH agent and usual keys"))
        self.password, self.passphrase = self.secret(), self.secret()
        choose = Button(theme, tr("Choose\N{HORIZONTAL ELLIPSIS}"))
        user = self.row("ssh.user", tr("User"), self.user)
        if ask_host:
            host, port = (
                self.row("ssh.host", tr("Server"), self.host),
                self.row("ssh.port", tr("SSH port"), self.port_field),
            )
            self.column.addWidget(side_by_side(theme, host, port, user, stretches=(5, 3, 3)))
        else:
            self.column.addWidget(user)
        self.column.addWidget(self.row("ssh.key_file", tr("Private key"), self.key_file, beside=choose))
        self.trusted = Label(theme, font="caption", color="text2", wrap=True)
        self.trusted.hide()
        self.column.addWidget(self.trusted)
        self.column.addWidget(self._fold())
        choose.clicked.connect(self._choose)

    def _fold(self) -> Section:
        inner = QWidget()
        column = QVBoxLayout(inner)
        pad(column, self.theme, 0, 4, 0, 0)
        phrase = Labelled(self.theme, tr("Passphrase of the key"), self.passphrase)
        word = Labelled(self.theme, tr("Password of the account"), self.password)
        column.addWidget(side_by_side(self.theme, phrase, word))
        self.fold = Section(self.theme, tr("Passphrase and password"), inner, quiet=True)
        return self.fold

    def fill(self, settings: SshSettings | None) -> None:
        self._settings = settings or SshSettings()
        self.host.set_value(self._settings.host)
        self.port_field.set_value(self._settings.port)
        self.user.set_value(self._settings.user)
        self.key_file.set_value(self._settings.key_file)
        self.password.fill(None)
        self.passphrase.fill(None)
        self.show_trusted(self._settings.host_key)

    def show_trusted(self, key: str) -> None:
        """The server's key that this profile trusts."""
        self._settings = replace(self._settings, host_key=key)
        self.trusted.setText(tr("Trusted server key: {key}", key=key))
        self.trusted.setVisible(bool(key))

    def settings(self) -> SshSettings:
        return replace(
            self._settings,
            host=self.host.value().strip(),
            port=int(self.port_field.value()),
            user=self.user.value().strip(),
            key_file=self.key_file.value().strip(),
        )

    def secrets(self, profile_id: str) -> dict[str, Secret]:
        typed = {
            ssh_password_item(profile_id): self.password.secret(),
            ssh_passphrase_item(profile_id): self.passphrase.secret(),
        }
        return {item: secret for item, secret in typed.items() if secret}

    def _choose(self) -> None:
        dialog = QFileDialog(self, tr("Private key"))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)

        def take(chosen: str) -> None:
            self.key_file.set_value(chosen)
            self.changed.emit()

        dialog.fileSelected.connect(take)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()


class PlacePage(Group):
    """The fields of one kind of place. `fill` and `place` are each other's inverse."""

    kind = PlaceKind.URL
    ssh: SshFields | None = None

    def fill(self, place: Place, ssh: SshSettings | None, /) -> None:
        raise NotImplementedError

    def place(self) -> Place:
        raise NotImplementedError

    def ssh_settings(self) -> SshSettings | None:
        return None


class UrlPage(PlacePage):
    """An address that is typed."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self.url = self.text(placeholder=tr("https://pod.example.org or 192.168.1.20:8188"))
        self.column.addWidget(self.row("url", tr("Address"), self.url))

    def fill(self, place: Place, _ssh: SshSettings | None, /) -> None:
        self.url.set_value(place.url)

    def place(self) -> Place:
        url = self.url.value().strip()
        try:
            local = Address.parse(url).is_local
        except UsageError:
            local = False
        return Place(PlaceKind.LAN if local else PlaceKind.URL, url=url)


class RentedPage(PlacePage):
    """A pod of an account."""

    def __init__(self, theme: Theme, kind: PlaceKind) -> None:
        super().__init__(theme)
        self.kind = kind
        self.account = AccountPicker(theme, kind)
        self.pod = self.text(placeholder="abc123xyz" if kind is PlaceKind.RUNPOD else "12345678")
        self.port_field = self.port(COMFYUI_PORT)
        words = tr("Pod id") if kind is PlaceKind.RUNPOD else tr("Instance")
        self.tls = self.switch(tr("It speaks TLS on that port"))
        self.tunnel = self.switch(tr("Through the pod's SSH server"))
        self.ssh = SshFields(theme, ask_host=False)
        self.ssh.hide()
        pod, port = self.row("pod", words, self.pod), self.row("port", tr("Port"), self.port_field)
        self.column.addWidget(self.account)
        self.column.addWidget(side_by_side(theme, pod, port, stretches=(5, 2)))
        self.column.addWidget(self.tls)
        self.column.addWidget(self.tunnel)
        self.column.addWidget(self.ssh)
        self.changed.connect(self._show)
        self.ssh.changed.connect(self.changed)

    def fill(self, place: Place, ssh: SshSettings | None, /) -> None:
        self.pod.set_value(place.pod)
        self.port_field.set_value(place.port)
        self.tls.setChecked(place.tls)
        self.tunnel.setChecked(place.tunnel)
        assert self.ssh is not None
        self.ssh.fill(ssh)
        self.account.show_chosen(place.pod)
        self._show()

    def place(self) -> Place:
        return Place(
            self.kind,
            pod=self.pod.value().strip(),
            port=int(self.port_field.value()),
            tunnel=self.tunnel.isChecked(),
            tls=self.tls.isChecked() and self.kind is PlaceKind.VAST,
        )

    def ssh_settings(self) -> SshSettings | None:
        return self.ssh.settings() if self.tunnel.isChecked() and self.ssh is not None else None

    def _show(self) -> None:
        place, tunnel = self.place(), self.tunnel.isChecked()
        if tunnel:
            words = tr("Port {port} on the pod, through its SSH server", port=place.port)
        elif self.kind is PlaceKind.RUNPOD:
            words = f"{place.pod}-{place.port}.proxy.runpod.net" if place.pod else ""
        else:
            words = tr("Its address is asked of Vast.ai at each connect") if place.pod else ""
        self.rows["pod"].set_note(words)
        self.tls.setVisible(self.kind is PlaceKind.VAST and not tunnel)
        if self.ssh is not None:
            self.ssh.setVisible(tunnel)


class EnginePage(PlacePage):
    """An engine that scales by itself: where it is, and its key. There is no other way to sign in."""

    def __init__(self, theme: Theme, kind: PlaceKind) -> None:
        super().__init__(theme)
        self.kind = kind
        self._place, self._auth = Place(kind), AuthSettings()
        self._choices: tuple[str, ...] = ("",)
        """Ids of the pods in the list of lenders, "" for the last one."""
        if kind is PlaceKind.COMFY:
            self.where = self.text(placeholder=COMFY_CLOUD)
            where = self.row("url", tr("Address"), self.where)
            where.set_note(tr("Comfy Cloud, a deployment there, or a proxy that speaks Comfy API v2"))
            self.key = self.secret(placeholder=tr("From platform.comfy.org"))
            key = self.row("auth.kind", tr("API key"), self.key)
        else:
            self.where = self.text(placeholder="abc123xyz456")
            where = self.row("pod", tr("Endpoint id"), self.where)
            where.set_note(tr("Of a RunPod Serverless endpoint that runs worker-comfyui"))
            self.key = self.secret(placeholder=tr("The account's, as for pods"))
            key = self.row("auth.kind", tr("RunPod API key"), self.key)
        self.lender = Combo(theme)
        self.lender.activated.connect(lambda _: self.changed.emit())
        self._lenders: tuple[tuple[str, str], ...] = ()
        nodes = self.row("nodes_of", tr("List of nodes"), self.lender)
        note = tr("It may list no nodes: forms are then made from the list of that pod, whose models may be others.")
        for part in (where, key, nodes, Label(theme, note, font="caption", color="text2", wrap=True)):
            self.column.addWidget(part)
        self.set_lenders(())

    def fill(self, place: Place, _ssh: SshSettings | None, /) -> None:
        self._place = place if place.kind is self.kind else Place(self.kind)
        self.where.set_value(self._place.url if self.kind is PlaceKind.COMFY else self._place.pod)
        self._show_lenders()
        self.key.fill(None)

    def set_lenders(self, pods: tuple[tuple[str, str], ...]) -> None:
        """(id, name) of the pods whose list of nodes may be used."""
        self._lenders = pods
        self._show_lenders()

    def _show_lenders(self) -> None:
        chosen = self._place.nodes_of
        known = self._lenders
        if chosen and chosen not in dict(known):
            known = (*known, (chosen, tr("A pod that is no longer there")))
        self._choices = ("", *(pod for pod, _ in known))
        self.lender.clear()
        self.lender.addItems([tr("That of the pod you connected to last"), *(name for _, name in known)])
        self.lender.setCurrentIndex(self._choices.index(chosen))

    def _nodes_of(self) -> str:
        return self._choices[max(0, self.lender.currentIndex())]

    def fill_auth(self, auth: AuthSettings, secret: Secret | None, *, stored: bool) -> None:
        """`stored`: its key is kept already."""
        self._auth = auth
        self.key.fill(secret)
        self.key.set_stored(stored)

    def place(self) -> Place:
        text = self.where.value().strip()
        if self.kind is PlaceKind.COMFY:
            return replace(self._place, url=text or COMFY_CLOUD, nodes_of=self._nodes_of())
        return replace(self._place, pod=text, nodes_of=self._nodes_of())

    def auth(self) -> AuthSettings:
        """A proxy of one's own may ask for no key."""
        wanted = self.key.secret() is not None or self._auth.kind is AuthKind.BEARER
        return AuthSettings(AuthKind.BEARER if wanted else AuthKind.NONE)

    def secrets(self, profile_id: str) -> dict[str, Secret]:
        """What was typed, by item of the keyring."""
        key = self.key.secret()
        account = self.kind.account if not self._place.url else ""
        return {api_key_item(account) if account else auth_item(profile_id): key} if key else {}


class SshPage(PlacePage):
    """Any computer with an SSH server."""

    kind = PlaceKind.SSH

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self.ssh = SshFields(theme, ask_host=True)
        self.port_field = self.port(COMFYUI_PORT)
        self.rows |= self.ssh.rows
        self.column.addWidget(self.ssh)
        self.column.insertWidget(1, self.row("port", tr("ComfyUI's port there"), self.port_field))
        self.ssh.changed.connect(self.changed)

    def fill(self, place: Place, ssh: SshSettings | None, /) -> None:
        self.port_field.set_value(place.port)
        assert self.ssh is not None
        self.ssh.fill(ssh)

    def place(self) -> Place:
        return Place(PlaceKind.SSH, port=int(self.port_field.value()))

    def ssh_settings(self) -> SshSettings | None:
        assert self.ssh is not None
        return self.ssh.settings()
