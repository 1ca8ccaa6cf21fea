"""The viewer's right side: what an output was made with, and what to do with it."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QGridLayout, QSizePolicy, QVBoxLayout, QWidget

from comfydesk.qt.models.words import took
from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets.buttons import Button, Kind, SplitButton
from comfydesk.qt.widgets.gallery_details import facts_of, rows_of
from comfydesk.qt.widgets.labels import ElidedLabel, Label
from comfydesk.qt.widgets.menu import Menu
from comfydesk.qt.widgets.page import Scroller
from comfydesk.qt.widgets.plain import Line, pad
from comfydesk.store.records import Output

WIDTH = 320
_LONGEST = 4000


class ViewerInfo(QWidget):
    """`acted` with what is wanted: "all", "prompt", "seed", "send", "vary", "neighbours", "outline" or "browser"."""

    acted = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self.output: Output | None = None
        theme.surface(self, "panel")
        self.setAccessibleName(tr("Details"))
        inside = QWidget()
        column = QVBoxLayout(inside)
        pad(column, theme, 16, 16, 16, 16, gap=8)
        self.facts = Label(theme, font="small", color="text2", wrap=True)
        column.addWidget(self.facts)
        self._add_actions(column)
        column.addWidget(Line(theme))
        self.copy = Button(theme, tr("Copy the prompt"), kind=Kind.GHOST, icon="copy")
        self.copy.clicked.connect(self.copy_prompt)
        self.prompt = Label(theme, wrap=True)
        self.prompt.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.prompt.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        column.addWidget(self.prompt)
        column.addWidget(self.copy, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(Line(theme))
        self._grid = QGridLayout()
        self._grid.setColumnStretch(1, 1)
        pad(self._grid, theme, 0, 0, 0, 0, gap=8)
        column.addLayout(self._grid)
        column.addStretch(1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(Scroller(theme, inside, "panel"))
        theme.changed.connect(self._measure)
        self._measure()

    def show_output(self, output: Output) -> None:
        self.output = output
        self.facts.setText(facts_of(output))
        prompt = output.prompt[:_LONGEST]
        self.prompt.setText(prompt or tr("No prompt is known."))
        self.prompt.set_color("text" if prompt else "text2")
        self.copy.setVisible(bool(prompt))
        known = output.graph_hash is not None or output.document_hash is not None or output.job is not None
        reason = "" if known else tr("Its file carries no workflow")
        self.use.set_blocked(reason)
        for button in (self.vary, self.outline):
            button.set_blocked(reason)
        self._fill(output)

    def copy_prompt(self) -> None:
        if self.output is not None and self.output.prompt:
            QGuiApplication.clipboard().setText(self.output.prompt)

    # --- Inside -----------------------------------------------------------------------------------------------------

    def _add_actions(self, column: QVBoxLayout) -> None:
        theme = self.theme
        self.use = SplitButton(theme, tr("Use these settings"), menu_name=tr("Use a part of them"))
        menu = Menu(theme, parent=self)
        for words, part in (
            (tr("All settings"), "all"),
            (tr("Only the prompt"), "prompt"),
            (tr("Only the seed"), "seed"),
        ):
            menu.add(words).triggered.connect(lambda _=False, part=part: self.acted.emit(part))
        self.use.set_menu(menu)
        self.use.clicked.connect(lambda: self.acted.emit("all"))
        column.addWidget(self.use)
        self.send = Button(theme, tr("Send to"), kind=Kind.GHOST, icon="send")
        self.vary = Button(theme, tr("Variations"), kind=Kind.GHOST, icon="dice")
        self.outline = Button(theme, tr("Outline of its graph"), kind=Kind.GHOST, icon="list")
        for button, act in ((self.send, "send"), (self.vary, "vary"), (self.outline, "outline")):
            button.clicked.connect(lambda _=False, act=act: self.acted.emit(act))
            column.addWidget(button, 0, Qt.AlignmentFlag.AlignLeft)

    def _fill(self, output: Output) -> None:
        while (item := self._grid.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        rows = list(rows_of(output))
        if output.seconds:
            rows.append((tr("Made in"), took(output.seconds)))
        for at, (name, value) in enumerate(rows):
            label = ElidedLabel(self.theme, name, font="small", color="text2")
            label.setFixedWidth(self.theme.px(76))
            self._grid.addWidget(label, at, 0)
            mono = name == tr("Seed")
            self._grid.addWidget(ElidedLabel(self.theme, value, font="mono" if mono else "small", middle=True), at, 1)

    def _measure(self) -> None:
        self.setFixedWidth(self.theme.px(WIDTH))
