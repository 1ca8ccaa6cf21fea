"""The newest outputs of the library as little pictures below a field; one is chosen by pointer or keyboard."""

from dataclasses import dataclass

from PySide6.QtCore import (
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QRect,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QKeyEvent, QPainter, QPixmap
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from comfydesk.qt.models.thumbnails import Thumbnails
from comfydesk.qt.models.tips import plain_tip
from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets import paint
from comfydesk.qt.widgets.drop_files import ICONS, Media
from comfydesk.qt.widgets.popup_window import PopupFrame, Rows
from comfydesk.qt.widgets.thumbnail import Covers

TILE, GAP = 88, 4
COLUMNS, ROWS = 4, 3
_Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True, slots=True)
class LibraryFile:
    """An output on offer."""

    path: str
    name: str
    sha256: str = ""
    tip: str = ""


class _Files(Rows[LibraryFile]):
    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        file = self.row(index)
        if file is None:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return file.name
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleDescriptionRole):
            words = f"{file.name}\n{file.tip}" if file.tip else file.name
            return plain_tip(words) if role == Qt.ItemDataRole.ToolTipRole else file.tip
        return None


class _Tile(QStyledItemDelegate):
    def __init__(self, theme: Theme, thumbnails: Thumbnails | None, parent: QObject) -> None:
        super().__init__(parent)
        self._theme, self._thumbnails = theme, thumbnails
        self._covers = Covers(theme)
        self.media: Media = "image"

    def sizeHint(self, _option: QStyleOptionViewItem, _index: _Index) -> QSize:
        side = self._theme.px(TILE + GAP)
        return QSize(side, side)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        theme, model = self._theme, index.model()
        if not isinstance(model, _Files):
            return
        half = theme.px(GAP) // 2
        spot = QRect(option.rect).adjusted(half, half, -half, -half)
        file = model.rows[index.row()]
        picture: QPixmap | None = None
        broken = False
        if self._thumbnails is not None:
            picture = self._thumbnails.get(file.path, self.media, sha256=file.sha256)
            broken = picture is None and bool(self._thumbnails.reason(file.path))
        painter.save()
        self._covers.paint(painter, spot, picture, icon=ICONS[self.media], broken=broken)
        painter.restore()
        if option.state & QStyle.StateFlag.State_Selected:
            paint.box(painter, spot, theme.px(4), outline=theme.color("accent"), width=theme.px(3))
        elif option.state & QStyle.StateFlag.State_MouseOver:
            paint.box(painter, spot, theme.px(4), outline=theme.color("text2"), width=theme.px(2))


class FilePopup(PopupFrame):
    """Opens with `open_at`; `picked` with the path."""

    picked = Signal(str)

    def __init__(self, theme: Theme, thumbnails: Thumbnails | None, parent: QWidget) -> None:
        super().__init__(theme, tr("From the library"), parent)
        self.files = _Files(self)
        self._tile = _Tile(theme, thumbnails, self)
        self.view = _Grid(self)
        self.view.setAccessibleName(tr("Newest outputs"))
        self.view.setItemDelegate(self._tile)
        self.view.setModel(self.files)
        self._column = QVBoxLayout(self)
        self._column.addWidget(self.view)
        self.view.clicked.connect(self._take)
        self.view.activated.connect(self._take)
        if thumbnails is not None:
            thumbnails.ready.connect(lambda _path: self.view.viewport().update())
            thumbnails.failed.connect(lambda _path, _why: self.view.viewport().update())

    def open_at(self, anchor: QWidget, files: tuple[LibraryFile, ...], media: Media) -> None:
        """Show `files` below `anchor`, above it where there is no room."""
        theme = self._theme
        self._tile.media = media
        self.files.fill(files)
        self.dress(self.view)
        edge, side = theme.px(4) + 1, theme.px(TILE + GAP)
        self._column.setContentsMargins(edge, edge, edge, edge)
        rows = min(ROWS, -(-len(files) // COLUMNS))
        width = COLUMNS * side + 2 * edge + self.view.verticalScrollBar().sizeHint().width() + 2
        height = rows * side + 2 * edge + 2
        self.place_at(anchor, width, height)
        self.show()
        self.view.setCurrentIndex(self.files.index(0))
        self.view.setFocus(Qt.FocusReason.PopupFocusReason)

    def _take(self, index: QModelIndex) -> None:
        if index.isValid() and self.isVisible():
            path = self.files.rows[index.row()].path
            self.hide()
            self.picked.emit(path)


class _Grid(QListView):
    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setMovement(QListView.Movement.Static)
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.activated.emit(self.currentIndex())
        else:
            super().keyPressEvent(event)
