"""One output, large, over the whole window: pictures of any size, videos, sounds; Escape closes it."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import shiboken6
from PySide6.QtCore import QEvent, QObject, QPoint, Qt, QTimer, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from comfydesk.qt.dialogs.viewer_bar import ViewerBar
from comfydesk.qt.dialogs.viewer_info import ViewerInfo
from comfydesk.qt.models.gallery import GalleryModel
from comfydesk.qt.models.thumbnails import Thumbnails
from comfydesk.qt.models.tiles import TiledPicture, Tiles
from comfydesk.qt.models.words import DOT, TIMES, clock, size_words
from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets.empty_state import EmptyState
from comfydesk.qt.widgets.filmstrip import Filmstrip
from comfydesk.qt.widgets.media_view import MediaView
from comfydesk.qt.widgets.picture_page import PicturePage
from comfydesk.qt.widgets.picture_view import ZOOM_STEP
from comfydesk.qt.widgets.plain import Line
from comfydesk.qt.widgets.playback import Playback
from comfydesk.qt.widgets.sound_card import SoundCard
from comfydesk.session.gallery.thumbnails import EDGES
from comfydesk.store.records import Output

SLIDE_MS = 4000
PREFETCHED_BYTES = 64 << 20
"""Neighbours whose file says that they take more unpacked are not read in advance."""
PLAYED = ("video", "audio")


class _Trouble(EmptyState):
    """Why there is nothing to be seen, and a way out."""

    def text(self) -> str:
        """The reason."""
        return self.accessibleName().rstrip(". ") + "."


class Viewer(QWidget):
    """Covers its parent while it is open. Made once, opened as often as wanted."""

    closed = Signal()
    acted = Signal(object, str)
    """Output, and what is wanted of it; see ViewerInfo."""

    def __init__(self, theme: Theme, outputs: GalleryModel, parent: QWidget, thumbnails: Thumbnails) -> None:
        super().__init__(parent)
        self._theme, self._outputs, self._thumbnails = theme, outputs, thumbnails
        self._model = outputs
        self._output: Output | None = None
        self._back_to: QWidget | None = None
        self._window_state = Qt.WindowState.WindowNoState
        self._pictures: dict[int, TiledPicture] = {}
        self.tiles = Tiles(self)
        self.bar = ViewerBar(theme)
        self.page = PicturePage(theme)
        self.view = self.page.view
        self.media = MediaView(theme, thumbnails)
        self.card = SoundCard(theme)
        self.info = ViewerInfo(theme)
        self.strip = Filmstrip(theme, thumbnails)
        self._trouble = _Trouble(theme, "warning", "")
        self._stack = QStackedWidget()
        for widget in (self.page, self.media, self.card, self._trouble):
            self._stack.addWidget(widget)
        self._slides = QTimer(self, interval=SLIDE_MS)
        self._slides.timeout.connect(self._next_slide)
        self.setAccessibleName(tr("Viewer"))
        theme.surface(self, "canvas")
        self._lay_out()
        self._join()
        self._bind_keys()
        self.info.hide()
        self.hide()
        parent.installEventFilter(self)

    # --- What others call -----------------------------------------------------------------------------------------

    def open(self, output: Output | int, model: GalleryModel | None = None) -> None:
        """Show an output; next and previous are those of `model` (None: the newest), where an id is looked up too."""
        model = model or self._outputs
        found = model.get(output) if isinstance(output, int) else output
        if found is None:
            return
        if model is not self._model:
            self._model.dataChanged.disconnect(self._on_rows)
            model.dataChanged.connect(self._on_rows)
            self._model = model
        self.strip.show_model(model)
        self._show(found)
        self._cover()
        if not self.isVisible():
            self._back_to = self.window().focusWidget()
            self.show()
            self.raise_()
            (self._stack.currentWidget() or self).setFocus(Qt.FocusReason.OtherFocusReason)
        self.strip.mark({found.id: ""})

    @property
    def output(self) -> Output | None:
        """What is shown."""
        return self._output

    def shut(self) -> None:
        """Back to where the keyboard was."""
        if not self.isVisible():
            return
        self._slides.stop()
        self.bar.slides.setChecked(False)
        self.set_full_screen(False)
        self.hide()
        self.media.stop()
        self.page.show_picture(None)
        self._keep({})
        # A form that was built anew meanwhile has deleted the editor that had the focus.
        if self._back_to is not None and shiboken6.isValid(self._back_to):
            self._back_to.setFocus(Qt.FocusReason.OtherFocusReason)
        self.closed.emit()

    def step(self, by: int) -> None:
        """The next (1) or previous (-1) one."""
        at = None if self._output is None else self._model.listing.row_of(self._output.id)
        if at is not None:
            self.go_to(at + by)

    def go_to(self, row: int) -> None:
        if 0 <= row < self._model.rowCount():
            output = self._model.output(row)
            if output is None:
                self._awaited = row
            else:
                self._show(output)
                self.strip.mark({output.id: ""})

    def set_full_screen(self, on: bool) -> None:
        """Nothing but the picture, on the whole screen."""
        window = self.window()
        if on == self.full_screen:
            return
        if on:
            self._window_state = window.windowState()
            window.setWindowState(self._window_state | Qt.WindowState.WindowFullScreen)
        else:
            window.setWindowState(self._window_state & ~Qt.WindowState.WindowFullScreen)
        self.bar.setVisible(not on)
        self.strip.setVisible(not on)
        self._line.setVisible(not on)

    @property
    def full_screen(self) -> bool:
        return self.bar.isHidden()

    def set_slides(self, on: bool) -> None:
        """One after the other by itself, on the whole screen."""
        self.bar.slides.setChecked(on)
        self.set_full_screen(on)
        if on:
            self._slides.start()
        else:
            self._slides.stop()

    def release(self) -> None:
        """End the reading threads."""
        self.media.stop()
        self.page.show_picture(None)
        self._pictures = {}
        self.tiles.close()

    # --- Showing ----------------------------------------------------------------------------------------------------

    _awaited = -1

    def _show(self, output: Output) -> None:
        self._awaited = -1
        self._output = output
        self.bar.show_output(output)
        self.info.show_output(output)
        if output.media not in PLAYED or self._stack.currentWidget() is not self.media:
            self.media.stop()
        if output.media == "image":
            self._show_picture(output)
        else:
            self.page.show_picture(None)
            if output.media in PLAYED:
                self.media.show_output(output, play=output.media == "video")
                self._stack.setCurrentWidget(self.media)
            else:
                self.card.show_output(output)
                self._stack.setCurrentWidget(self.card)
            self._tell_facts()
        self.bar.show_zooms(shown=output.media == "image")
        self._prefetch()

    def _show_picture(self, output: Output) -> None:
        picture = self._pictures.get(output.id) or self._open(output)
        self._pictures[output.id] = picture
        self.page.show_picture(picture)
        self.view.setAccessibleName(output.prompt or Path(output.path).name)
        self._tell_picture(picture)

    def _open(self, output: Output) -> TiledPicture:
        picture = self.tiles.open(output.path)
        edge = EDGES[-1]
        picture.sketch = self._thumbnails.get(output.path, output.media, sha256=output.sha256, edge=edge)
        for signal in (picture.opened, picture.changed, picture.failed):
            signal.connect(partial(self._on_picture, picture))
        return picture

    def _on_picture(self, picture: TiledPicture, *_: object) -> None:
        if self.view.picture is picture:
            self._tell_picture(picture)

    def _tell_picture(self, picture: TiledPicture) -> None:
        self.bar.show_zooms(shown=not picture.reason)
        if picture.reason:
            self._trouble.tell("warning", picture.reason, "", action=tr("Open in another program"))
            self._stack.setCurrentWidget(self._trouble)
        else:
            self._stack.setCurrentWidget(self.page)
        self._tell_facts(picture)

    def _tell_facts(self, picture: TiledPicture | None = None) -> None:
        output = self._output
        if output is None:
            return
        facts = []
        if picture is not None and not picture.size.isEmpty():
            facts.append(f"{picture.size.width():,} {TIMES} {picture.size.height():,}")
        if output.duration is not None:
            facts.append(clock(output.duration))
        facts.append(size_words(output.size))
        if picture is not None and picture.note:
            facts.append(picture.note)
        at = self._model.listing.row_of(output.id)
        if at is not None and self._model.rowCount() > 1:
            facts.append(tr("{n} of {many}", n=f"{at + 1:,}", many=f"{self._model.rowCount():,}"))
        self.bar.facts.set_text(f" {DOT} ".join(facts))

    def _prefetch(self) -> None:
        """The neighbours, so that the next step is immediate; what is further away is let go."""
        kept: dict[int, TiledPicture] = {}
        at = None if self._output is None else self._model.listing.row_of(self._output.id)
        if self._output is not None and self._output.id in self._pictures:
            kept[self._output.id] = self._pictures[self._output.id]
        for row in () if at is None else (at + 1, at - 1):
            output = self._model.output(row) if 0 <= row < self._model.rowCount() else None
            if output is None or output.media != "image":
                continue
            known = self._pictures.get(output.id)
            pixels = (output.width or 0) * (output.height or 0)
            if known is not None:
                kept[output.id] = known
            elif 0 < pixels * 4 <= PREFETCHED_BYTES:
                kept[output.id] = self._open(output)
        self._keep(kept)

    def _keep(self, kept: dict[int, TiledPicture]) -> None:
        for id_, picture in self._pictures.items():
            if kept.get(id_) is not picture:
                picture.close()
        self._pictures = kept

    # --- Making ---------------------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        middle = QHBoxLayout()
        middle.setContentsMargins(0, 0, 0, 0)
        middle.setSpacing(0)
        middle.addWidget(self._stack, 1)
        middle.addWidget(self.info)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self._line = Line(self._theme)
        column.addWidget(self.bar)
        column.addWidget(self._line)
        column.addLayout(middle, 1)
        column.addWidget(self.strip)

    def _join(self) -> None:
        bar = self.bar
        bar.minus.clicked.connect(lambda: self.view.zoom_by(1 / ZOOM_STEP))
        bar.plus.clicked.connect(lambda: self.view.zoom_by(ZOOM_STEP))
        bar.fit.clicked.connect(self.view.fit)
        bar.whole.clicked.connect(lambda: self.view.set_zoom(1))
        bar.before.clicked.connect(lambda: self.step(-1))
        bar.after.clicked.connect(lambda: self.step(1))
        bar.details.clicked.connect(self._toggle_info)
        bar.slides.clicked.connect(lambda: self.set_slides(not self._slides.isActive()))
        bar.full.clicked.connect(lambda: self.set_full_screen(True))
        bar.shut.clicked.connect(self.shut)
        self.view.zoomed.connect(bar.show_zoom)
        self.media.external.connect(self._open_outside)
        self._trouble.acted.connect(self._open_outside)
        self.strip.chosen.connect(lambda output, _: self._choose(output))
        self.info.acted.connect(self._act)
        self._model.dataChanged.connect(self._on_rows)
        self._thumbnails.ready.connect(self._on_thumbnail)

    def _bind_keys(self) -> None:
        player = self._player
        bindings: tuple[tuple[Qt.Key, Callable[[], object]], ...] = (
            (Qt.Key.Key_Escape, self._on_escape),
            (Qt.Key.Key_Plus, lambda: self.view.zoom_by(ZOOM_STEP)),
            (Qt.Key.Key_Equal, lambda: self.view.zoom_by(ZOOM_STEP)),
            (Qt.Key.Key_Minus, lambda: self.view.zoom_by(1 / ZOOM_STEP)),
            (Qt.Key.Key_0, self.view.fit),
            (Qt.Key.Key_1, lambda: self.view.set_zoom(1)),
            (Qt.Key.Key_2, lambda: self.view.set_zoom(2)),
            (Qt.Key.Key_Left, lambda: self.step(-1)),
            (Qt.Key.Key_Right, lambda: self.step(1)),
            (Qt.Key.Key_Home, lambda: self.go_to(0)),
            (Qt.Key.Key_End, lambda: self.go_to(self._model.rowCount() - 1)),
            (Qt.Key.Key_I, self._toggle_info),
            (Qt.Key.Key_F, lambda: self.set_full_screen(not self.full_screen)),
            (Qt.Key.Key_F11, lambda: self.set_full_screen(not self.full_screen)),
            (Qt.Key.Key_S, lambda: self.set_slides(not self._slides.isActive())),
            (Qt.Key.Key_T, lambda: self.strip.setVisible(self.strip.isHidden())),
            (Qt.Key.Key_Space, self._on_space),
            (Qt.Key.Key_Comma, lambda: player().step(-1)),
            (Qt.Key.Key_Period, lambda: player().step(1)),
            (Qt.Key.Key_M, lambda: player().set_muted(not player().muted)),
            (Qt.Key.Key_L, lambda: player().set_loop(not player().loop)),
        )
        for key, slot in bindings:
            shortcut = QShortcut(QKeySequence(key), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(slot)

    # --- Events ---------------------------------------------------------------------------------------------------

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.parent() and event.type() == QEvent.Type.Resize and self.isVisible():
            self._cover()
        return False

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.bar.fit_to(self.width())

    def _cover(self) -> None:
        parent = self.parentWidget()
        if parent is not None:
            self.move(QPoint(0, 0))
            self.resize(parent.size())

    def _choose(self, output: Output) -> None:
        row = self._model.listing.row_of(output.id)
        if row is not None:
            self.go_to(row)

    def _act(self, what: str) -> None:
        if self._output is not None:
            output = self._output
            self.shut()
            self.acted.emit(output, what)

    def _toggle_info(self) -> None:
        self.info.setVisible(self.info.isHidden())
        self.bar.details.setChecked(not self.info.isHidden())

    def _on_escape(self) -> None:
        if self.full_screen:
            self.set_slides(False)
        else:
            self.shut()

    def _on_space(self) -> None:
        if self._output is not None and (self._output.media in PLAYED or self.page.moves):
            self._player().toggle()
        else:
            self.step(1)

    def _player(self) -> Playback:
        """Of what is shown."""
        return self.page.playback if self.page.moves else self.media.playback

    def _next_slide(self) -> None:
        at = None if self._output is None else self._model.listing.row_of(self._output.id)
        if at is not None:
            self.go_to((at + 1) % self._model.rowCount())

    def _on_rows(self, *_: object) -> None:
        if self.isVisible() and self._awaited >= 0:
            self.go_to(self._awaited)

    def _on_thumbnail(self, path: str) -> None:
        for picture in self._pictures.values():
            if picture.path == path and picture.sketch is None and not picture.whole:
                picture.sketch = self._thumbnails.get(path, "image", edge=EDGES[-1])
                picture.changed.emit()

    def _open_outside(self) -> None:
        if self._output is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(self._output.path))
