"""The viewer's top: what is shown, how large, and the ways on and out."""

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QWidget

from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets.buttons import Button, IconButton, Kind
from comfydesk.qt.widgets.labels import ElidedLabel, Label
from comfydesk.qt.widgets.plain import pad
from comfydesk.store.records import Output

_NARROW = 900


class ViewerBar(QWidget):
    """Buttons for the viewer to join."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        theme.surface(self, "window")
        self.name = ElidedLabel(theme, font="label", middle=True)
        self.facts = ElidedLabel(theme, font="small", color="text2")
        self.zoom = Label(theme, font="label")
        self.zoom.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.minus = IconButton(theme, "minus", tr("Zoom out"), kind=Kind.SECONDARY)
        self.plus = IconButton(theme, "plus", tr("Zoom in"), kind=Kind.SECONDARY)
        self.fit = Button(theme, tr("Fit"))
        self.whole = Button(theme, "1:1")
        self.whole.setAccessibleName(tr("One pixel for each of the picture"))
        self.slides = IconButton(theme, "play", tr("Slideshow (S)"), checkable=True)
        self.details = IconButton(theme, "info", tr("Details (I)"), checkable=True)
        self.full = IconButton(theme, "fit", tr("Full screen (F)"))
        self.before = IconButton(theme, "chevron-left", tr("The one before"))
        self.after = IconButton(theme, "chevron-right", tr("The next one"))
        self.shut = IconButton(theme, "close", tr("Close"))
        row = QHBoxLayout(self)
        pad(row, theme, 12, 8, 12, 8, gap=8)
        row.addWidget(self.name, 2)
        row.addWidget(self.facts, 3)
        for widget in (self.minus, self.zoom, self.plus, self.fit, self.whole):
            row.addWidget(widget)
        row.addSpacing(8)
        for widget in (self.slides, self.details, self.full, self.before, self.after, self.shut):
            row.addWidget(widget)
        theme.changed.connect(self._measure)
        self._measure()

    def show_output(self, output: Output) -> None:
        self.name.set_text(Path(output.path).name)
        self.facts.set_text("")

    def show_zoom(self, zoom: float) -> None:
        percent = zoom * 100
        self.zoom.setText(f"{percent:.0f} %" if percent >= 10 else f"{percent:.1f} %")

    def show_zooms(self, *, shown: bool) -> None:
        """Only pictures are zoomed."""
        for widget in (self.minus, self.zoom, self.plus, self.fit, self.whole):
            widget.setVisible(shown)

    def fit_to(self, width: int) -> None:
        """Where space is short, the rarer ones give way: keys do the same."""
        wide = width >= self._theme.px(_NARROW)
        for widget in (self.facts, self.slides, self.full):
            widget.setVisible(wide)

    def _measure(self) -> None:
        self.zoom.setMinimumWidth(self._theme.metrics("label").horizontalAdvance("1600 %"))
