"""What mouse and keyboard do in the library's grid and in the strip of recent outputs."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QItemSelectionModel, QPoint, QRect, Qt, QTimer
from PySide6.QtGui import (
    QContextMenuEvent,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QWheelEvent,
)
from PySide6.QtWidgets import QApplication, QToolTip

from comfydesk.qt.models.tips import plain_tip
from comfydesk.qt.widgets import paint
from comfydesk.qt.widgets.gallery_files import MOST, copy, drag_out
from comfydesk.qt.widgets.gallery_find import find
from comfydesk.store.records import Output

if TYPE_CHECKING:
    from comfydesk.qt.widgets.gallery_base import TileView

Key = Qt.Key
Select = QItemSelectionModel.SelectionFlag
CTRL, SHIFT, ALT = (
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.AltModifier,
)
BAND_MS = 30
TYPED_MS = 1000
"""A pause after which typing begins another word."""


class Hands:
    """Keeps what is under the pointer, the rubber band, and where a range began."""

    def __init__(self, view: "TileView") -> None:
        self._view = view
        self.pointer = QPoint(-1, -1)
        self.hovered = -1
        self._pressed = -1
        self._spot = ""
        self._from: QPoint | None = None
        self._later = False
        """The tile was selected already: a release without a drag makes it the only one."""
        self._band: tuple[QPoint, QPoint] | None = None
        """Its corners, in the coordinates of the content."""
        self._before: list[tuple[int, int]] = []
        self._typed = ""
        self._found = True
        self._typing = QTimer(view, singleShot=True, interval=TYPED_MS)
        self._typing.timeout.connect(self._forget_typed)
        self._edge = QTimer(view, interval=BAND_MS)
        self._edge.timeout.connect(self._scroll_band)
        self._range_from = -1

    # --- Mouse ------------------------------------------------------------------------------------------------------

    def press(self, event: QMouseEvent) -> None:
        view, at = self._view, event.position().toPoint()
        view.setFocus(Qt.FocusReason.MouseFocusReason)
        if event.button() == Qt.MouseButton.RightButton:
            row = view.row_at(at)
            if row >= 0 and not view.is_picked(row):
                view.go_to(row)
            return
        if event.button() != Qt.MouseButton.LeftButton:
            return
        self.pointer = at
        row, heading = view.row_at(at), view.heading_at(at)
        self._spot = self._spot_at(row, at)
        self._pressed, self._from, self._later = row, at, False
        if self._spot:
            return
        if heading >= 0:
            self._pick_group(heading, toggle=bool(event.modifiers() & CTRL))
        elif row < 0 or event.modifiers() & ALT:
            self._start_band(at, keep=bool(event.modifiers() & (CTRL | SHIFT)))
        else:
            self._click(row, event.modifiers())

    def move(self, event: QMouseEvent) -> None:
        at = event.position().toPoint()
        self.pointer = at
        if self._band is not None:
            self._stretch_band()
        elif self._from is not None and self._pressed >= 0 and not self._spot:
            if (at - self._from).manhattanLength() >= QApplication.startDragDistance():
                self._from, self._later = None, False
                self._drag()
        else:
            self._hover(at)

    def release(self, event: QMouseEvent) -> None:
        view, at = self._view, event.position().toPoint()
        if self._band is not None:
            self._end_band()
        elif self._spot and self._spot == self._spot_at(view.row_at(at), at):
            self._act(self._spot, self._pressed)
        elif self._later and self._pressed >= 0:
            view.go_to(self._pressed)
        self._from, self._later, self._spot = None, False, ""

    def double(self, event: QMouseEvent) -> None:
        row = self._view.row_at(event.position().toPoint())
        if row >= 0 and not self._spot_at(row, event.position().toPoint()):
            output = self._view.gallery.output(row)
            if output is not None:
                self._view.opened.emit(output)
        else:
            self.press(event)

    def wheel(self, event: QWheelEvent) -> bool:
        """Ctrl and the wheel change the size of tiles."""
        if not event.modifiers() & CTRL:
            return False
        turn = event.angleDelta().y()
        if turn:
            self._view.zoom(1.1 if turn > 0 else 1 / 1.1)
        event.accept()
        return True

    def leave(self) -> None:
        self.pointer = QPoint(-1, -1)
        self._hover(self.pointer)

    def scrolled(self) -> None:
        """What is under the pointer moved on."""
        if self._band is not None:
            self._stretch_band()
        elif self.pointer.x() >= 0:
            self._hover(self.pointer)

    def forget(self) -> None:
        """Rows are elsewhere now."""
        self.hovered = -1
        self._pressed = -1

    def menu(self, event: QContextMenuEvent) -> None:
        view = self._view
        if event.reason() == QContextMenuEvent.Reason.Mouse:
            if view.row_at(event.pos()) >= 0:
                view.menu_wanted.emit(event.globalPos())
        elif view.selected_count():
            row = view.current if view.current >= 0 else view.ranges()[0][0]
            view.menu_wanted.emit(view.viewport().mapToGlobal(view.box(row).center()))

    def tell(self, event: QHelpEvent) -> None:
        """The tool tip of what is under the pointer."""
        view, row = self._view, self._view.row_at(event.pos())
        output = view.gallery.known(row) if row >= 0 else None
        if output is None:
            QToolTip.hideText()
            return
        spot = self._spot_at(row, event.pos())
        words = view.tiles.name_of(spot, output) if spot else view.thumbnails.reason(output.path) or output.prompt
        QToolTip.showText(event.globalPos(), plain_tip(words), view.viewport(), view.box(row))

    def outputs(self) -> tuple[Output, ...]:
        """The selected outputs in order, up to gallery_files.MOST; those that are still being read are left out."""
        view, found = self._view, []
        for first, last in view.ranges():
            for row in range(first, min(last + 1, first + MOST)):
                output = view.gallery.output(row)
                if output is not None:
                    found.append(output)
            if len(found) >= MOST:
                break
        return tuple(found[:MOST])

    def _drag(self) -> None:
        self._say_limit()
        drag_out(self._view, self.outputs(), self._view.selected_ids())

    def copy(self) -> None:
        """Put the selected files on the clipboard."""
        self._say_limit()
        copy(self.outputs())

    def _say_limit(self) -> None:
        count = self._view.selected_count()
        if count > MOST:
            self._view.limited.emit(count)

    def _click(self, row: int, modifiers: Qt.KeyboardModifier) -> None:
        view = self._view
        if modifiers & SHIFT:
            self._reach(row, add=bool(modifiers & CTRL))
            return
        if modifiers & CTRL:
            view.pick(row, row, Select.Toggle, current=row)
        elif view.is_picked(row):
            self._later = True
            view.selectionModel().setCurrentIndex(view.gallery.index(row), Select.NoUpdate)
        else:
            view.go_to(row)
        self._range_from = row

    def _reach(self, row: int, *, add: bool = False) -> None:
        """Select from where the range began to `row`."""
        start = (
            self._range_from if 0 <= self._range_from < self._view.gallery.rowCount() else max(0, self._view.current)
        )
        self._range_from = start
        self._view.pick(start, row, Select.Select if add else Select.ClearAndSelect, current=row)

    def _pick_group(self, number: int, *, toggle: bool) -> None:
        group = self._view.gallery.listing.groups[number]
        last = group.start + group.count - 1
        self._view.pick(group.start, last, Select.Toggle if toggle else Select.ClearAndSelect, current=group.start)
        self._range_from = group.start

    def _hover(self, at: QPoint) -> None:
        view = self._view
        row = view.row_at(at) if at.x() >= 0 and view.viewport().rect().contains(at) else -1
        before, self.hovered = self.hovered, row
        for each in {before, row} - {-1}:
            if each < view.count:
                view.viewport().update(view.box(each))

    def _spot_at(self, row: int, at: QPoint) -> str:
        output = self._view.gallery.known(row) if row >= 0 else None
        if output is None:
            return ""
        spots = self._view.tiles.spots(self._view.box(row), output)
        return next((name for name, area in spots.items() if area.contains(at)), "")

    def _act(self, spot: str, row: int) -> None:
        view, output = self._view, self._view.gallery.known(row)
        if output is None:
            return
        if spot == "tick":
            view.pick(row, row, Select.Toggle, current=row)
            self._range_from = row
        elif spot == "star":
            view.favoured.emit((output.id,), not output.favourite)
        else:
            view.reused.emit(output)

    # --- Rubber band ------------------------------------------------------------------------------------------------

    def _start_band(self, at: QPoint, *, keep: bool) -> None:
        start = at + self._view.origin
        self._band = (start, start)
        self._before = self._view.ranges() if keep else []
        self._edge.start()
        if not keep:
            self._view.clearSelection()

    def _stretch_band(self) -> None:
        assert self._band is not None
        view = self._view
        self._band = (self._band[0], self.pointer + view.origin)
        view.setSelection(self._band_rect(), Select.ClearAndSelect)
        for first, last in self._before:
            view.pick(first, last, Select.Select)
        view.viewport().update()

    def _scroll_band(self) -> None:
        """Beyond the edge the view goes on by itself."""
        view, at, room = self._view, self.pointer, self._view.viewport()
        for bar, beyond in (
            (view.verticalScrollBar(), _beyond(at.y(), room.height())),
            (view.horizontalScrollBar(), _beyond(at.x(), room.width())),
        ):
            if beyond:
                bar.setValue(bar.value() + max(-60, min(60, beyond)))

    def _end_band(self) -> None:
        self._band = None
        self._edge.stop()
        self._view.viewport().update()

    def _band_rect(self) -> QRect:
        """In the viewport."""
        assert self._band is not None
        origin = self._view.origin
        return QRect(self._band[0] - origin, self._band[1] - origin).normalized()

    def paint_band(self, painter: QPainter) -> None:
        if self._band is not None:
            theme = self._view.theme
            painter.setOpacity(0.25)
            painter.fillRect(self._band_rect(), theme.color("accent"))
            painter.setOpacity(1.0)
            paint.box(painter, self._band_rect(), 0, outline=theme.color("accent"))

    # --- Keyboard ---------------------------------------------------------------------------------------------------

    def key(self, event: QKeyEvent) -> bool:
        """True if it meant something here."""
        view, key = self._view, Qt.Key(event.key())
        modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if not view.gallery.rowCount():
            return False
        target = self._target(key)
        if target is not None and not modifiers & ALT:
            self._walk(target, modifiers)
            return True
        if key == Key.Key_A and modifiers == CTRL:
            view.pick(0, view.gallery.rowCount() - 1, Select.ClearAndSelect)
            return True
        if key == Key.Key_Escape and view.selected_count():
            view.clearSelection()
            return True
        if key == Key.Key_C and modifiers == CTRL and view.selected_count():
            self.copy()
            return True
        if modifiers in (CTRL, ALT, CTRL | SHIFT):
            if key == Key.Key_Space and modifiers == CTRL and view.current >= 0:
                view.pick(view.current, view.current, Select.Toggle)
                return True
            return False
        return self._do(key) or self._type(event.text())

    def _do(self, key: Qt.Key) -> bool:
        view = self._view
        output = view.gallery.output(view.current) if view.current >= 0 else None
        if key in (Key.Key_Return, Key.Key_Enter) and output is not None:
            view.opened.emit(output)
        elif key == Key.Key_Space and output is not None and not self._typed:
            view.quick.emit(output)
        elif key == Key.Key_F and not self._typed and view.selected_count():
            view.favoured.emit(view.selected_ids(), output is None or not output.favourite)
        elif Key.Key_0 <= key <= Key.Key_5 and not self._typed and view.selected_count():
            view.rated.emit(view.selected_ids(), key - Key.Key_0)
        elif key == Key.Key_Delete and view.selected_count():
            view.removed.emit(view.selected_ids())
        else:
            return False
        return True

    def _target(self, key: Qt.Key) -> int | None:
        """Where a key that moves leads."""
        view = self._view
        at, count, geometry = max(0, view.current), view.gallery.rowCount(), view.laid
        if view.current < 0 and key in (Key.Key_Left, Key.Key_Right, Key.Key_Up, Key.Key_Down):
            return next((row for row, _ in view.visible()), 0)
        match key:
            case Key.Key_Left:
                return max(0, at - 1)
            case Key.Key_Right:
                return min(count - 1, at + 1)
            case Key.Key_Up:
                return geometry.beside(at, -1)
            case Key.Key_Down:
                return geometry.beside(at, 1)
            case Key.Key_PageUp:
                return view.page_from(at, -1)
            case Key.Key_PageDown:
                return view.page_from(at, 1)
            case Key.Key_Home:
                return 0
            case Key.Key_End:
                return count - 1
        return None

    def _walk(self, target: int, modifiers: Qt.KeyboardModifier) -> None:
        view = self._view
        if modifiers & SHIFT:
            self._reach(target, add=bool(modifiers & CTRL))
        elif modifiers & CTRL:
            view.selectionModel().setCurrentIndex(view.gallery.index(target), Select.NoUpdate)
        else:
            view.go_to(target)
            self._range_from = target

    def _type(self, text: str) -> bool:
        if not text or not text.isprintable() or (text == " " and not self._typed):
            return False
        self.type_ahead(text)
        return True

    def type_ahead(self, words: str) -> None:
        """Go to the heading, or the name among those at hand, that has a word beginning so."""
        self._typed += words
        self._typing.start()
        row = find(self._view.gallery, self._typed, max(0, self._view.current))
        self._found = row >= 0
        if self._found:
            self._view.go_to(row)

    def _forget_typed(self) -> None:
        typed, self._typed = self._typed, ""
        if not self._found:
            self._view.searched.emit(typed)


def _beyond(at: int, room: int) -> int:
    """How far a point is before 0 (negative) or behind `room`."""
    return at if at < 0 else max(0, at - room)
