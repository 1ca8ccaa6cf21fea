"""Pods of the user's account at RunPod or Vast.ai: the key once, then the list to choose from."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from comfydesk.errors import KnownError
from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import mark, said_error, tr
from comfydesk.qt.widgets.buttons import Button, IconButton
from comfydesk.qt.widgets.choice_combo import Combo
from comfydesk.qt.widgets.labelled import Labelled
from comfydesk.qt.widgets.secret_line import SecretLine
from comfydesk.session.pods.profiles import MissingSecretError, PlaceKind
from comfydesk.session.pods.terms import HostPod

PROVIDERS = {PlaceKind.RUNPOD: "RunPod", PlaceKind.VAST: "Vast.ai"}
OPTIONAL = mark("Optional: cost, start and stop")


class AccountPicker(QWidget):
    """`listed` asks for the account's pods, with the key that was typed or None; `picked` with the chosen HostPod."""

    listed = Signal(object)
    picked = Signal(object)

    def __init__(self, theme: Theme, kind: PlaceKind, hint: str = "") -> None:
        super().__init__()
        self.kind = kind
        self._pods: tuple[HostPod, ...] = ()
        self.key = SecretLine(theme, placeholder=hint or tr(OPTIONAL))
        self.list_button = Button(theme, tr("List pods"))
        self.key_row = Labelled(theme, tr("{kind} API key", kind=PROVIDERS[kind]), self.key, beside=self.list_button)
        self.combo = Combo(theme)
        self.refresh = IconButton(theme, "refresh", tr("List the pods again"))
        self.pods_row = Labelled(theme, tr("Pod from your account"), self.combo, beside=self.refresh)
        self.pods_row.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.key_row)
        column.addWidget(self.pods_row)
        self.list_button.clicked.connect(self._list)
        self.key.edit.returnPressed.connect(self._list)
        self.refresh.clicked.connect(lambda: self.listed.emit(None))
        self.combo.activated.connect(self._on_picked)
        self.key.value_changed.connect(lambda _: self.key_row.set_problem(""))

    def show_pods(self, pods: tuple[HostPod, ...]) -> None:
        """The account's pods. The key works, so its field goes."""
        self._pods = pods
        self.list_button.set_busy("")
        self.key.fill(None)
        self.key_row.hide()
        self.combo.clear()
        self.combo.addItems([pod_words(pod) for pod in pods])
        self.combo.setCurrentIndex(-1)
        self.combo.setPlaceholderText(tr("Choose one") if pods else tr("The account has none"))
        self.pods_row.set_problem("")
        self.pods_row.show()

    def show_error(self, error: KnownError) -> None:
        """The key is missing or refused, or the provider does not answer."""
        self.list_button.set_busy("")
        missing = isinstance(error, MissingSecretError)
        where = self.pods_row if self.pods_row.isVisibleTo(self) and not missing else self.key_row
        self.key_row.setVisible(where is self.key_row)
        self.pods_row.setVisible(where is self.pods_row)
        where.set_problem("" if missing else said_error(error))

    def show_chosen(self, pod: str) -> None:
        """The pod with that id is the profile's."""
        ids = [known.id for known in self._pods]
        self.combo.setCurrentIndex(ids.index(pod) if pod in ids else -1)

    def _list(self) -> None:
        key = self.key.secret()
        if key is None:
            self.key_row.set_problem(tr("Paste the key of your account first"))
        else:
            self.listed.emit(key)

    def _on_picked(self, at: int) -> None:
        if 0 <= at < len(self._pods):
            self.picked.emit(self._pods[at])


def pod_words(pod: HostPod) -> str:
    """ "comfy-a5000, RTX A5000, $0.27/h, running"."""
    price = "" if pod.cost_per_hour is None else f"${pod.cost_per_hour:.2f}/h"
    return ", ".join(part for part in (pod.title, pod.gpu, price, str(pod.state)) if part)
