"""What a pod lacks to run a workflow, and what can be done about each: a page over the centre."""

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from comfydesk.qt.models.rate import ByteRate
from comfydesk.qt.models.tips import plain_tip
from comfydesk.qt.models.words import DOT, clock, size_words
from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import said_error, tr, tr_n
from comfydesk.qt.widgets.badge_label import BadgeLabel
from comfydesk.qt.widgets.badges import Badge
from comfydesk.qt.widgets.banner import Banner
from comfydesk.qt.widgets.buttons import Button, IconButton, Kind
from comfydesk.qt.widgets.labels import ElidedLabel, Label
from comfydesk.qt.widgets.page import Page, Scroller
from comfydesk.qt.widgets.plain import Icon, Line, pad
from comfydesk.qt.widgets.progress_bar import ProgressBar

if TYPE_CHECKING:
    from comfydesk.errors import KnownError
    from comfydesk.session.shelves.models import Offer
    from comfydesk.workflow.needs import MissingModel, Needs


def file_name(name: str) -> str:
    """Without the folders before it."""
    return name.replace("\\", "/").rpartition("/")[2]


class ModelRow(QWidget):
    """One missing model. `use` with the name of the one that is there, `fetch` once the user has confirmed."""

    use = Signal(str)
    fetch = Signal()
    stop = Signal()

    def __init__(self, theme: Theme, model: "MissingModel", pod: str) -> None:
        super().__init__()
        self._theme, self.model, self._pod = theme, model, pod
        self._offer: Offer | None = None
        self._asked = False
        self._rate = ByteRate()
        self.name = ElidedLabel(theme, file_name(model.name), font="label")
        self.detail = ElidedLabel(theme, self._about(), font="small", color="text2")
        self.substitute = Button(theme, tr("Use {name}", name=_short(model.suggestion)))
        self.substitute.setToolTip(plain_tip(model.suggestion))
        self.act = Button(theme, tr("Download to {pod}", pod=pod))
        self.act.hide()
        self.no = Button(theme, tr("Cancel"), kind=Kind.GHOST)
        self.no.hide()
        self.bar = ProgressBar(theme, tr("Download of {name}", name=file_name(model.name)))
        self.bar.hide()
        self.halt = IconButton(theme, "close", tr("Stop the download; what is there is resumed"))
        self.halt.hide()
        self.badge = BadgeLabel(theme)
        self.badge.hide()
        self._lay_out()
        self.substitute.setVisible(bool(model.suggestion))  # in the layout by now: it would be a window
        self.substitute.clicked.connect(lambda: self.use.emit(model.suggestion))
        self.act.clicked.connect(self._on_act)
        self.no.clicked.connect(self._ask_not)
        self.halt.clicked.connect(self.stop)

    def show_offer(self, offer: "Offer") -> None:
        """What can be done about it."""
        from comfydesk.session.shelves.models import Way

        self._offer = offer
        self.detail.set_text(self._about())
        words = {
            Way.SSH: tr("Download to {pod}", pod=self._pod),
            Way.MANAGER: tr("Install with ComfyUI-Manager"),
            Way.COMMAND: tr("Copy the command"),
        }
        self.act.setText(words.get(offer.way, ""))
        self.act.setVisible(offer.way in words)
        self.act.setToolTip(plain_tip(offer.command if offer.way is Way.COMMAND else ""))

    def show_start(self) -> None:
        """It was asked for; nothing has come yet."""
        self._rate = ByteRate()
        self.bar.set_fraction(0)
        self._busy(True)
        self.detail.set_text(tr("{pod} begins to fetch it", pod=self._pod))

    def show_progress(self, there: int, total: int | None = None) -> None:
        """Bytes on the pod, and how many there will be where its server says so."""
        self._busy(True)
        known = total is not None and there <= total
        self.bar.setVisible(known)
        size = size_words(there)
        if total is not None and known:
            self.bar.set_fraction(there / total)
            words = tr("{size} of {total} on {pod}", size=size, total=size_words(total), pod=self._pod)
        else:
            words = tr("{size} on {pod} so far", size=size, pod=self._pod)
        parts = [words]
        rate = self._rate.take(there, time.monotonic())
        if rate:
            parts.append(f"{size_words(rate)}/s")
            if total is not None and known:
                parts.append(tr("{time} left", time=clock((total - there) / rate)))
        self.detail.set_text(f" {DOT} ".join(parts))

    def show_end(self, error: "KnownError | None", *, words: str = "") -> None:
        """It is there, or why not."""
        self._busy(False)
        if error is not None:
            self.badge.set_badge(Badge(tr("Not fetched"), "danger", "error"))
            self.badge.show()
            self.detail.set_text(said_error(error))
            self.detail.setToolTip(plain_tip(said_error(error)))
            return
        self.badge.set_badge(Badge(words or tr("On {pod}", pod=self._pod), "success", "check"))
        self.badge.show()
        for button in (self.act, self.substitute, self.no):
            button.hide()
        self.detail.set_text(self._about())

    def _on_act(self) -> None:
        from comfydesk.session.shelves.models import Way

        if self._offer is None:
            return
        if self._offer.way is Way.COMMAND:
            QGuiApplication.clipboard().setText(self._offer.command)
            self.act.setText(tr("Copied"))
            self.detail.set_text(tr("Run it in a terminal on {pod}, then look again.", pod=self._pod))
        elif not self._asked:
            self._asked = True
            place = self.model.directory or tr("its model folder")
            question = tr(
                "Fetch it from {host} into {place} on {pod}?", host=self._offer.host, place=place, pod=self._pod
            )
            self.detail.set_text(question)
            self.act.setText(tr("Fetch from {host}", host=self._offer.host))
            self.no.show()
        else:
            self._ask_not()
            self.badge.hide()
            self._busy(True)
            self.fetch.emit()

    def _ask_not(self) -> None:
        self._asked = False
        self.no.hide()
        if self._offer is not None:
            self.show_offer(self._offer)

    def _busy(self, on: bool) -> None:
        self.act.setVisible(not on)
        self.substitute.setVisible(not on and bool(self.model.suggestion))
        self.halt.setVisible(on)
        if not on:
            self.bar.hide()

    def _about(self) -> str:
        model, offer = self.model, self._offer
        parts = [model.directory]
        if offer is not None and offer.host:
            parts.append(tr("from {host}", host=offer.host))
        elif offer is not None:
            parts.append(tr("the workflow does not say where it can be had"))
        return f" {DOT} ".join(part for part in parts if part)

    def _lay_out(self) -> None:
        theme = self._theme
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(self.name)
        words.addWidget(self.detail)
        row = QHBoxLayout(self)
        pad(row, theme, 0, 8, 0, 8, gap=8)
        row.addWidget(Icon(theme, "cube"))
        row.addLayout(words, 1)
        for widget in (self.bar, self.badge, self.substitute, self.no, self.act, self.halt):
            row.addWidget(widget)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)


class MissingSheet(Page):
    """`use` with a MissingModel and the name to use instead; `fetch`, `stop` with a MissingModel; `look_again`."""

    use = Signal(object, str)
    fetch = Signal(object)
    stop = Signal(object)
    look_again = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, tr("What is missing"))
        self.banner = Banner(theme)
        self.rows: dict[str, ModelRow] = {}
        self._content = QWidget()
        self._listed = QVBoxLayout(self._content)
        pad(self._listed, theme, 20, 12, 20, 16, gap=0)
        self.body.addWidget(self.banner)
        self.body.addWidget(Scroller(theme, self._content))
        self.note = Label(theme, font="small", color="text2")
        self.again = Button(theme, tr("Look again"), icon="refresh")
        self.again.clicked.connect(self.look_again)
        self.foot.addWidget(self.note, 1)
        self.foot.addWidget(self.again)

    def first_focus(self) -> QWidget:
        for row in self.rows.values():
            for button in (row.substitute, row.act):
                if button.isVisibleTo(self):
                    return button
        return self.again

    def show_needs(self, workflow: str, pod: str, needs: "Needs") -> None:
        """List it all anew."""
        self._clear()
        self.set_title(tr("{workflow}: what is missing", workflow=workflow))
        if needs.missing_models:
            n = len(needs.missing_models)
            self._heading(tr_n("{n} model is not on {pod}", "{n} models are not on {pod}", n, pod=pod))
        for model in dict.fromkeys(needs.missing_models):
            row = ModelRow(self.theme, model, pod)
            row.use.connect(lambda name, model=model: self.use.emit(model, name))
            row.fetch.connect(lambda model=model: self.fetch.emit(model))
            row.stop.connect(lambda model=model: self.stop.emit(model))
            self.rows[model.name] = row
            self._listed.addWidget(row)
            self._listed.addWidget(Line(self.theme))
        if needs.missing_nodes:
            self._add_nodes(needs.missing_nodes, pod)
        if needs.ready:
            self._heading(tr("Nothing is missing: it can run on {pod}.", pod=pod))
        elif not needs.missing_models and not needs.missing_nodes:
            self._heading(tr("Models and nodes are there, but the workflow cannot run as it is."))
        self._listed.addStretch(1)
        self.note.setText(tr("Nothing is fetched before you confirm it."))

    def show_offers(self, offers: "Mapping[str, Offer]") -> None:
        for name, offer in offers.items():
            if name in self.rows:
                self.rows[name].show_offer(offer)

    def _add_nodes(self, names: tuple[str, ...], pod: str) -> None:
        n = len(names)
        self._heading(tr_n("{n} node is not installed on {pod}", "{n} nodes are not installed on {pod}", n, pod=pod))
        why = tr(
            "They come with custom nodes. Open ComfyUI in the browser and choose Manager, Install missing custom nodes;"
            " restart the pod, then look again."
        )
        advice = Label(self.theme, why, color="text2")
        advice.setWordWrap(True)
        self._listed.addWidget(advice)
        for name in names:
            row = QHBoxLayout()
            pad(row, self.theme, 0, 6, 0, 6, gap=8)
            row.addWidget(Icon(self.theme, "error", "danger"))
            row.addWidget(ElidedLabel(self.theme, name, font="label"), 1)
            holder = QWidget()
            holder.setLayout(row)
            self._listed.addWidget(holder)
            self._listed.addWidget(Line(self.theme))
        copy = Button(self.theme, tr("Copy the names"), icon="copy")
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText("\n".join(names)))
        row = QHBoxLayout()
        pad(row, self.theme, 0, 8, 0, 0)
        row.addWidget(copy)
        row.addStretch(1)
        holder = QWidget()
        holder.setLayout(row)
        self._listed.addWidget(holder)

    def _heading(self, words: str) -> None:
        label = Label(self.theme, words, font="heading")
        label.setWordWrap(True)
        label.setContentsMargins(0, self.theme.px(8), 0, self.theme.px(4))
        self._listed.addWidget(label)

    def _clear(self) -> None:
        self.rows = {}
        while (item := self._listed.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()


def _short(name: str) -> str:
    base = file_name(name)
    stem = base.rpartition(".")[0] or base
    return stem if len(stem) <= 28 else f"{stem[:14]}\N{HORIZONTAL ELLIPSIS}{stem[-13:]}"
