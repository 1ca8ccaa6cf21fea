"""The Compare workspace: two to four outputs, what differs between them, and back to work with one or a mix."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QSize, Qt
from PySide6.QtGui import QGuiApplication, QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from comfydesk.errors import KnownError
from comfydesk.qt.bridge.tasks import Tasks
from comfydesk.qt.docks.dock import Dock
from comfydesk.qt.models.tiles import TiledPicture
from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets.buttons import Button, IconButton, Kind, Size
from comfydesk.qt.widgets.compare_table import CompareTable
from comfydesk.qt.widgets.compare_view import LETTERS, CompareView, Mode
from comfydesk.qt.widgets.empty_state import EmptyState
from comfydesk.qt.widgets.filmstrip import Filmstrip
from comfydesk.qt.widgets.labels import Label
from comfydesk.qt.widgets.picture_view import ZOOM_STEP
from comfydesk.qt.widgets.plain import Line, pad
from comfydesk.qt.widgets.segmented import Segment, Segmented
from comfydesk.qt.widgets.switch import Switch
from comfydesk.qt.window.desk import Desk
from comfydesk.qt.window.library import LibraryDesk
from comfydesk.qt.window.refine import Refine
from comfydesk.store.records import Output

if TYPE_CHECKING:
    from comfydesk.session.gallery.details import Difference
    from comfydesk.session.session import Session

MODES = (Mode.SIDE, Mode.SLIDER, Mode.DIFFERENCE, Mode.BLINK)


class ComparePage(QWidget):
    """The workspace's middle: tools, pictures, filmstrip."""

    def __init__(self, theme: Theme, strip: Filmstrip) -> None:
        super().__init__()
        self.theme, self.strip = theme, strip
        theme.surface(self, "canvas")
        self.back = Button(theme, tr("Library"), kind=Kind.GHOST, icon="chevron-left")
        self.modes = Segmented(
            theme,
            [
                Segment(tr("Side by side"), "split"),
                Segment(tr("Slider"), "compare"),
                Segment(tr("Difference"), "ring-dashed"),
                Segment(tr("Blink"), "eye"),
            ],
            1,
            name=tr("How they are compared"),
        )
        self.link = Switch(theme, tr("Linked zoom"))
        self.link.setChecked(True)
        self.minus = IconButton(theme, "minus", tr("Zoom out"), kind=Kind.SECONDARY)
        self.zoom = Label(theme, font="label")
        self.zoom.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.plus = IconButton(theme, "plus", tr("Zoom in"), kind=Kind.SECONDARY)
        self.fit = Button(theme, tr("Fit"))
        self.whole = Button(theme, "1:1")
        self.swap = Button(theme, tr("Swap A and B"), icon="swap")
        self.view = CompareView(theme)
        self.empty = EmptyState(
            theme,
            "compare",
            tr("Nothing to compare yet"),
            tr("Click two to four pictures below, or select them in the library."),
            action=tr("Library"),
        )
        self.stack = QStackedWidget()
        self.stack.addWidget(self.empty)
        self.stack.addWidget(self.view)
        self._lay_out()
        self.setFocusProxy(self.view.stack)
        self.show_count(0)

    def show_count(self, count: int) -> None:
        """How many are chosen. With fewer than two there is nothing for the tools to work on."""
        ready = count >= 2
        for tool in (self.modes, self.link, self.minus, self.plus, self.fit, self.whole, self.swap):
            tool.setEnabled(ready)
        self.zoom.set_color("text" if ready else "disabled")
        if ready:
            self.stack.setCurrentWidget(self.view)
            return
        self.zoom.setText("\N{EM DASH}")
        self.view.stack.hush()
        what = tr("One more to compare") if count else tr("Nothing to compare yet")
        more = (
            tr("Click another picture below.")
            if count
            else tr("Click two to four pictures below, or select them in the library.")
        )
        self.empty.tell("compare", what, more, action=tr("Library"))
        self.stack.setCurrentWidget(self.empty)

    def _lay_out(self) -> None:
        bar = self.bar = _Bar(
            self.theme,
            (self.back, self.modes),
            (self.link, self.minus, self.zoom, self.plus, self.fit, self.whole, self.swap),
        )
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for part, stretch in ((bar, 0), (Line(self.theme), 0), (self.stack, 1), (self.strip, 0)):
            column.addWidget(part, stretch)
        self.theme.changed.connect(self._measure)
        self._measure()

    def _measure(self) -> None:
        self.zoom.setMinimumWidth(self.theme.metrics("label").horizontalAdvance("1600 %"))


class _Bar(QWidget):
    """What leads here at the left, what changes the view at the right; below each other where that is too wide."""

    def __init__(self, theme: Theme, left: Sequence[QWidget], right: Sequence[QWidget]) -> None:
        super().__init__()
        self._theme = theme
        theme.surface(self, "window")
        self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        pad(self._row, theme, 12, 8, 12, 8, gap=8)
        self._halves = QHBoxLayout(), QHBoxLayout()
        self._halves[1].addStretch(1)
        for half, widgets in zip(self._halves, (left, right), strict=True):
            pad(half, theme, 0, 0, 0, 0, gap=8)
            for widget in widgets:
                half.addWidget(widget)
            self._row.addLayout(half)
        self._halves[0].addStretch(1)
        theme.changed.connect(self._fit)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def minimumSizeHint(self) -> QSize:
        """As narrow as its wider half."""
        edges = self._row.contentsMargins()
        wide = max(half.minimumSize().width() for half in self._halves)
        return QSize(wide + edges.left() + edges.right(), self._row.minimumSize().height())

    def _fit(self) -> None:
        edges = self._row.contentsMargins()
        wanted = sum(half.sizeHint().width() for half in self._halves) + self._row.spacing()
        fits = wanted + edges.left() + edges.right() <= self.width()
        ways = QBoxLayout.Direction
        self._row.setDirection(ways.LeftToRight if fits else ways.TopToBottom)


class CompareDesk(QObject):
    """Lives as long as the session does. A click in the filmstrip adds one or takes one out, with Ctrl it changes B."""

    def __init__(
        self, desk: Desk, session: "Session", tasks: Tasks, library: LibraryDesk, refine: Refine, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._desk, self._session, self._tasks, self._library, self._refine = desk, session, tasks, library, refine
        self.outputs: tuple[Output, ...] = ()
        self.rows: tuple[Difference, ...] = ()
        self._taken: tuple[int, ...] = ()
        """What was selected in the library when something was compared last."""
        self._tiles = desk.viewer.tiles  # whose workers end with the desk
        self._pictures: dict[int, TiledPicture] = {}
        self._keys: list[QShortcut] = []
        """Those of the tools."""
        theme = desk.theme
        self.strip = Filmstrip(theme, desk.thumbnails)
        self.strip.show_model(library.model)
        self.page = ComparePage(theme, self.strip)
        self.table = CompareTable(theme)
        self.dock = Dock(theme, "compare_table", tr("What differs"), padding=16)
        self.dock.hold(self.table)
        self.copy = IconButton(theme, "copy", tr("Copy the table"), size=Size.COMPACT)
        self.dock.title.add(self.copy)
        desk.workspaces.add_dock("compare", self.dock, Qt.DockWidgetArea.RightDockWidgetArea)
        desk.workspaces.hold("compare", self.page)
        self._join()

    def compare(self, ids: Sequence[int]) -> None:
        """Two to four outputs; shows the workspace."""
        wanted = tuple(ids)[: len(LETTERS)]
        self._taken = self._selected()
        self._desk.workspaces.show("compare")
        self._tasks.start(self._session.gallery.rows(wanted), done=self._show, failed=self._tell)

    def swap(self) -> None:
        """A and B change places."""
        if len(self.outputs) >= 2:
            first, second, *rest = self.outputs
            self._show((second, first, *rest))

    # --- Inside -----------------------------------------------------------------------------------------------------

    def _selected(self) -> tuple[int, ...]:
        """The library's selection, if it can be compared."""
        view = self._library.page.view
        return tuple(view.selected_ids()) if 2 <= view.selected_count() <= len(LETTERS) else ()

    def _on_workspace(self, name: str) -> None:
        """Ctrl+3: another selection than the last time is what is to be compared."""
        selected = self._selected() if name == "compare" else ()
        if selected and selected != self._taken:
            self.compare(selected)

    def _show(self, outputs: tuple[Output, ...]) -> None:
        self.outputs, self.rows = outputs, ()
        self.table.show_rows((), ())  # no value stands under a letter that is another's now
        self.dock.title.set_note("")
        self.strip.mark({output.id: LETTERS[at] for at, output in enumerate(outputs)})
        for key in self._keys:
            key.setEnabled(len(outputs) >= 2)
        if len(outputs) < 2:
            self.page.show_count(len(outputs))
            return
        pictures = {output.id: self._pictures.get(output.id) or self._open(output) for output in outputs}
        gone = [picture for id_, picture in self._pictures.items() if id_ not in pictures]
        self._pictures = pictures
        self.page.view.show_pictures(outputs, [pictures[output.id] for output in outputs])
        for picture in gone:
            picture.close()
        self.page.show_count(len(outputs))
        self._show_zoom(self.page.view.front.zoom)
        ids = [output.id for output in outputs]
        self._tasks.start(
            self._session.gallery.differences(ids), done=lambda rows: self._show_rows(outputs, rows), failed=self._tell
        )

    def _open(self, output: Output) -> TiledPicture:
        picture = self._tiles.open(output.path)
        picture.sketch = self._desk.thumbnails.get(output.path, output.media, sha256=output.sha256)
        return picture

    def _show_rows(self, outputs: tuple[Output, ...], rows: "tuple[Difference, ...]") -> None:
        if outputs == self.outputs:
            self.rows = rows
            self.table.show_rows(outputs, rows)
            self.dock.title.set_note(f"{len(rows)}")

    def _choose(self, output: Output, held: bool) -> None:
        self._taken = self._selected()
        rest = tuple(each for each in self.outputs if each.id != output.id)
        if len(rest) < len(self.outputs):
            self._show(rest)
        elif held:
            self._show((*rest[:1], output, *rest[2:]))
        else:
            self._show((*rest[: len(LETTERS) - 1], output))

    def _show_zoom(self, zoom: float) -> None:
        if len(self.outputs) >= 2:
            self.page.zoom.setText(f"{round(zoom * 100)} %")

    def _use(self, at: int, changed: object) -> None:
        self._refine.use(self.outputs[at], dict(changed) if isinstance(changed, dict) else {})

    def _join(self) -> None:
        page, view = self.page, self.page.view
        self._library.compared.connect(self.compare)
        self._desk.workspaces.changed.connect(self._on_workspace)
        page.modes.picked.connect(self._set_mode)
        page.link.toggled.connect(self._link)
        page.minus.clicked.connect(lambda: view.front.zoom_by(1 / ZOOM_STEP))
        page.plus.clicked.connect(lambda: view.front.zoom_by(ZOOM_STEP))
        page.fit.clicked.connect(view.fit)
        page.whole.clicked.connect(lambda: view.front.set_zoom(1))
        page.swap.clicked.connect(self.swap)
        page.back.clicked.connect(lambda: self._desk.workspaces.show("library"))
        page.empty.acted.connect(lambda: self._desk.workspaces.show("library"))
        view.zoomed.connect(self._show_zoom)
        self.strip.chosen.connect(self._choose)
        self.table.used.connect(self._use)
        self.copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self.table.text()))
        for key, slot in (
            (Qt.Key.Key_Plus, lambda: view.front.zoom_by(ZOOM_STEP)),
            (Qt.Key.Key_Equal, lambda: view.front.zoom_by(ZOOM_STEP)),
            (Qt.Key.Key_Minus, lambda: view.front.zoom_by(1 / ZOOM_STEP)),
            (Qt.Key.Key_0, view.fit),
            (Qt.Key.Key_1, lambda: view.front.set_zoom(1)),
            (Qt.Key.Key_X, self.swap),
            (Qt.Key.Key_M, self._next_mode),
        ):
            shortcut = QShortcut(QKeySequence(key), page, context=Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(slot)
            shortcut.setEnabled(False)
            self._keys.append(shortcut)

    def _link(self, on: bool) -> None:
        self.page.view.linked = on

    def _next_mode(self) -> None:
        at = (MODES.index(self.page.view.mode) + 1) % len(MODES)
        self.page.modes.set_current(at)
        self._set_mode(at)

    def _set_mode(self, at: int) -> None:
        """The keyboard goes along: what it was in may be hidden now."""
        self.page.view.set_mode(MODES[at])
        self.page.view.front.setFocus(Qt.FocusReason.OtherFocusReason)

    def _tell(self, error: KnownError) -> None:
        self._desk.toasts.tell_error(error)
