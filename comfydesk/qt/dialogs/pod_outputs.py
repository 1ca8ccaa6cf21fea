"""What lies on a pod and not in the library: small pictures to choose from, and to fetch."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, QRect, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QIcon, QImage, QPainter, QPixmap
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListWidget,
    QListWidgetItem,
    QStackedWidget,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from comfydesk.qt.models.tips import plain_tip
from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import tr, tr_n
from comfydesk.qt.widgets import paint
from comfydesk.qt.widgets.buttons import Button, Kind
from comfydesk.qt.widgets.empty_state import EmptyState
from comfydesk.qt.widgets.labels import Label
from comfydesk.qt.widgets.page import Page

if TYPE_CHECKING:
    from comfydesk.session.gallery.from_pod import PodOutput

EDGE = 128
SOON_MS = 120
"""Pictures are asked for when the scrolling rests."""
_ICONS = {"video": "video", "audio": "audio", "model3d": "cube", "text": "text"}


class _Tiles(QStyledItemDelegate):
    """A picture in a square, its name below, and what says that it is selected."""

    def __init__(self, theme: Theme, parent: QListWidget) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, _option: QStyleOptionViewItem, _index: QModelIndex | QPersistentModelIndex) -> QSize:
        px = self._theme.px
        return QSize(px(EDGE + 16), px(EDGE + 20) + self._theme.metrics("small").height())

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        theme, px = self._theme, self._theme.px
        area: QRect = option.rect.adjusted(px(4), px(4), -px(4), -px(4))
        state: QStyle.StateFlag = option.state
        selected = bool(state & QStyle.StateFlag.State_Selected)
        current = bool(state & QStyle.StateFlag.State_HasFocus)
        fill = theme.color("selection") if selected else theme.color("canvas")
        paint.box(painter, area, px(6), fill=fill, outline=theme.color("accent" if selected or current else "border"))
        square = QRect(area.left() + px(4), area.top() + px(4), area.width() - px(8), px(EDGE) - px(8))
        icon: QIcon = index.data(Qt.ItemDataRole.DecorationRole)
        size = icon.actualSize(square.size())
        spot = QRect(QPoint(0, 0), size)
        spot.moveCenter(square.center())
        icon.paint(painter, spot)
        below = QRect(square.left(), square.bottom() + px(2), square.width(), area.bottom() - square.bottom() - px(2))
        metrics = theme.metrics("small")
        words = metrics.elidedText(str(index.data()), Qt.TextElideMode.ElideMiddle, below.width())
        paint.text(painter, below, words, theme.font("small"), theme.color("text2"), metrics=metrics)


class PodOutputsPage(Page):
    """`fetch_wanted` with PodOutputs; `picture_wanted` with those whose picture is on the screen."""

    fetch_wanted = Signal(object)
    picture_wanted = Signal(object)
    again_wanted = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, tr("On the pod"), parent)
        self.outputs: tuple[PodOutput, ...] = ()
        self._asked: set[int] = set()
        self.list = QListWidget()
        self.list.setViewMode(QListWidget.ViewMode.IconMode)
        self.list.setResizeMode(QListWidget.ResizeMode.Adjust)
        self.list.setMovement(QListWidget.Movement.Static)
        self.list.setUniformItemSizes(True)
        self.list.setItemDelegate(_Tiles(theme, self.list))
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.list.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.list.setFrameShape(QListWidget.Shape.NoFrame)
        self.list.setAccessibleName(tr("Files on the pod"))
        theme.surface(self.list.viewport(), "popup")
        self.empty = EmptyState(theme, "pod", tr("Asking the pod"))
        self.stack = QStackedWidget()
        self.stack.addWidget(self.empty)
        self.stack.addWidget(self.list)
        self.body.addSpacing(theme.px(8))
        self.body.addWidget(self.stack, 1)
        self.note = Label(theme, color="text2")
        self.fetch = Button(theme, tr("Fetch all"), kind=Kind.PRIMARY, icon="download")
        self.foot.addWidget(self.note, 1)
        self.foot.addWidget(self.fetch)
        self._soon = QTimer(self, singleShot=True, interval=SOON_MS)
        self._soon.timeout.connect(self._ask_pictures)
        self.list.verticalScrollBar().valueChanged.connect(lambda _: self._soon.start())
        self.list.itemSelectionChanged.connect(self._on_selection)
        self.fetch.clicked.connect(self._fetch)
        self.empty.acted.connect(self.again_wanted)
        theme.changed.connect(self._resize_icons)
        self._resize_icons()
        self.show_waiting()

    def first_focus(self) -> QWidget:
        return self.list if self.outputs else self.close_button

    def show_waiting(self) -> None:
        """The pod is being asked."""
        self._show_message("pod", tr("Asking the pod"), tr("Its history is read."))

    def show_problem(self, what: str, why: str) -> None:
        """It cannot be asked."""
        self._show_message("warning", what, why, action=tr("Try again"))

    def show_outputs(self, name: str, outputs: "Sequence[PodOutput]") -> None:
        """The files of the pod of that name that are not here."""
        self.outputs = tuple(outputs)
        self._asked.clear()
        self.set_title(tr("On {pod}, not in the library", pod=name))
        self.list.clear()
        if not outputs:
            self._show_message("check", tr("All of it is here"), tr("The pod has nothing that the library lacks."))
            return
        for output in outputs:
            icon = self.theme.icon(_ICONS.get(output.media, "image"))
            item = QListWidgetItem(icon, output.file.filename)
            item.setToolTip(plain_tip(f"{output.file.subfolder}/{output.file.filename}".lstrip("/")))
            self.list.addItem(item)
        self.stack.setCurrentWidget(self.list)
        self._on_selection()
        self._soon.start()

    def show_picture(self, output: "PodOutput", picture: QImage) -> None:
        """A picture that was asked for has come."""
        if output in self.outputs:
            self.list.item(self.outputs.index(output)).setIcon(QIcon(QPixmap.fromImage(picture)))

    def show_fetching(self, done: int, total: int) -> None:
        """How far the fetching is."""
        over = done >= total
        self.fetch.set_busy("" if over else tr("Fetching"))
        self.note.setText(
            tr_n("{n} file fetched", "{n} files fetched", done)
            if over
            else tr("{done} of {total} fetched", done=done, total=total)
        )

    # --- Inside -----------------------------------------------------------------------------------------------------

    def _show_message(self, icon: str, what: str, why: str, *, action: str = "") -> None:
        self.outputs = ()
        self.empty.tell(icon, what, why, action=action)
        self.stack.setCurrentWidget(self.empty)
        self.note.setText("")
        self.fetch.set_blocked(tr("There is nothing to fetch"))

    def _chosen(self) -> "tuple[PodOutput, ...]":
        rows = sorted(self.list.row(item) for item in self.list.selectedItems())
        return tuple(self.outputs[row] for row in rows) or self.outputs

    def _on_selection(self) -> None:
        count = len(self.list.selectedItems())
        self.fetch.setText(tr("Fetch {n}", n=count) if count else tr("Fetch all"))
        self.fetch.set_blocked("")
        self.note.setText(tr_n("{n} file is not here", "{n} files are not here", len(self.outputs)))

    def _fetch(self) -> None:
        self.fetch_wanted.emit(self._chosen())

    def _ask_pictures(self) -> None:
        area = self.list.viewport().rect()
        for row, output in enumerate(self.outputs):
            if row in self._asked or output.media != "image":
                continue
            if self.list.visualItemRect(self.list.item(row)).intersects(area):
                self._asked.add(row)
                self.picture_wanted.emit(output)

    def _resize_icons(self) -> None:
        edge = self.theme.px(EDGE)
        self.list.setIconSize(QSize(edge, edge))
        self.list.setGridSize(
            QSize(self.theme.px(EDGE + 20), self.theme.px(EDGE + 24) + self.theme.metrics("small").height())
        )
        self.list.setSpacing(0)
