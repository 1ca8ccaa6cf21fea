"""All pods: the saved ones with their state, and those of the user's accounts to add from."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from comfydesk.errors import KnownError
from comfydesk.qt.dialogs.pods.account import PROVIDERS, AccountPicker
from comfydesk.qt.models.pods import PodRow
from comfydesk.qt.models.tips import plain_tip
from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import mark, tr
from comfydesk.qt.widgets.buttons import Button, Kind
from comfydesk.qt.widgets.empty_state import EmptyState
from comfydesk.qt.widgets.labels import Label
from comfydesk.qt.widgets.page import Page, Scroller
from comfydesk.qt.widgets.plain import Line, pad
from comfydesk.qt.widgets.pod_row import PodRowView
from comfydesk.session.pods.profiles import PlaceKind
from comfydesk.session.pods.terms import HostPod

KEPT = mark("The key is kept in the system keyring. It lists, starts and stops pods; ComfyDesk never deletes one.")
SESSION_ONLY = mark("No keyring answers here, so the key is kept for this session only. ComfyDesk never deletes a pod.")


class ProfilesSheet(Page):
    """`acted` with a pod's id and a verb; the account's signals as in AccountPicker."""

    acted = Signal(str, str)
    add_wanted = Signal()
    import_wanted = Signal()
    export_wanted = Signal()
    account_wanted = Signal(object, object)
    account_picked = Signal(object, object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, tr("Pods"), parent)
        self.rows: list[PodRowView] = []
        self.empty = EmptyState(
            theme, "pod", tr("No pod is saved yet"), tr("Add one by its address, or from your account.")
        )
        self.add = Button(theme, tr("Add a pod"), kind=Kind.PRIMARY, icon="plus")
        self.import_button = Button(theme, tr("Import\N{HORIZONTAL ELLIPSIS}"), icon="download")
        self.export_button = Button(theme, tr("Export\N{HORIZONTAL ELLIPSIS}"), icon="upload")
        self.accounts = {kind: AccountPicker(theme, kind, tr("Paste it to list your pods")) for kind in PROVIDERS}
        self._list = QVBoxLayout()
        self._lay_out()
        self.add.clicked.connect(self.add_wanted)
        self.import_button.clicked.connect(self.import_wanted)
        self.export_button.clicked.connect(self.export_wanted)
        for kind, account in self.accounts.items():
            account.listed.connect(lambda key, kind=kind: self.account_wanted.emit(kind, key))
            account.picked.connect(lambda pod, kind=kind: self.account_picked.emit(kind, pod))

    def first_focus(self) -> QWidget:
        return self.add

    def show_rows(self, rows: tuple[PodRow, ...]) -> None:
        """How all of them stand now."""
        if [view.pod.id for view in self.rows] != [row.id for row in rows]:
            for view in self.rows:
                self._list.removeWidget(view)
                view.deleteLater()
            self.rows = [PodRowView(self.theme, row, tall=True) for row in rows]
            for view in self.rows:
                self._list.addWidget(view)
                view.acted.connect(self.acted)
        for view, row in zip(self.rows, rows, strict=True):
            view.show_row(row)
        self.empty.setVisible(not rows)
        saved = any(row.colour for row in rows)
        self.export_button.set_blocked("" if saved else tr("No pod is saved yet"))

    def show_keyring(self, note: str) -> None:
        """Why keys cannot be kept; empty where they can."""
        self.where.setText(tr(SESSION_ONLY) if note else tr(KEPT))
        self.where.setToolTip(plain_tip(note))

    def show_account(self, kind: PlaceKind, found: tuple[HostPod, ...] | KnownError) -> None:
        """The account's pods, or why they cannot be listed."""
        if isinstance(found, KnownError):
            self.accounts[kind].show_error(found)
        else:
            self.accounts[kind].show_pods(found)

    def _lay_out(self) -> None:
        theme, px = self.theme, self.theme.px
        for button in (self.import_button, self.export_button, self.add):
            self.head.addWidget(button)
        holder = QWidget()
        column = QVBoxLayout(holder)
        pad(column, theme, 20, 12, 16, 20)
        column.setSpacing(px(12))
        self._list.setSpacing(px(2))
        column.addWidget(self.empty)
        column.addLayout(self._list)
        column.addSpacing(px(4))
        column.addWidget(Line(theme))
        column.addWidget(Label(theme, tr("From your account"), font="heading"))
        self.where = Label(theme, tr(KEPT), font="small", color="text2", wrap=True)
        column.addWidget(self.where)
        for account in self.accounts.values():
            column.addWidget(account)
        column.addStretch(1)
        self.body.addWidget(Scroller(theme, holder))
        self.hide_foot()
