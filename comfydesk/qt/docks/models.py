"""The models of the pod, beside its workflows: what is there, by folder, searched; and a workflow that uses one."""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPixmap
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QListView,
    QSizePolicy,
    QStackedWidget,
    QStyle,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from comfydesk.qt.models.rows import ROW, THUMBNAIL
from comfydesk.qt.models.thumbnails import Thumbnails
from comfydesk.qt.models.tips import plain_tip
from comfydesk.qt.models.words import DOT, size_words
from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets import paint
from comfydesk.qt.widgets.banner import Banner
from comfydesk.qt.widgets.buttons import Button, IconButton, Kind, Size
from comfydesk.qt.widgets.empty_state import EmptyState
from comfydesk.qt.widgets.labels import ElidedLabel
from comfydesk.qt.widgets.menu import Menu
from comfydesk.qt.widgets.plain import pad
from comfydesk.qt.widgets.row_actions import ActionDelegate, Spots
from comfydesk.qt.widgets.search_field import SearchField
from comfydesk.qt.widgets.thumbnail import Covers

if TYPE_CHECKING:
    from comfydesk.session.shelves.models import PodModel

HEIGHT, PICTURE = 48, 36
Index = QModelIndex | QPersistentModelIndex


class ModelFiles(QAbstractListModel):
    """Files of the pod's model folders that pass the search, by folder and name."""

    picture_wanted = Signal(object)
    """PodModel whose picture is to be shown: answer with `set_picture`. Once each."""

    def __init__(self, thumbnails: Thumbnails | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._all: tuple[PodModel, ...] = ()
        self._texts: list[str] = []
        self._shown: list[PodModel] = []
        self._pictures: dict[PodModel, str] = {}
        self._asked: set[PodModel] = set()
        self._thumbnails = thumbnails
        if thumbnails is not None:
            thumbnails.ready.connect(self._on_thumbnail)

    def fill(self, models: "Iterable[PodModel]") -> None:
        """These are all."""
        self._all = tuple(sorted(models, key=lambda model: (model.folder, model.name.casefold())))
        self._texts = [f"{model.folder} {model.name}".casefold() for model in self._all]
        self._asked.clear()
        self.search("", "")

    def search(self, words: str, folder: str) -> None:
        """Show those of `folder` ("" any) with all of the words in their names."""
        parts = words.casefold().split()
        self.beginResetModel()
        self._shown = [
            model
            for model, text in zip(self._all, self._texts, strict=True)
            if (not folder or model.folder == folder) and all(part in text for part in parts)
        ]
        self.endResetModel()

    def folders(self) -> Mapping[str, int]:
        """Folder → how many files, of those that have any."""
        counts: dict[str, int] = {}
        for model in self._all:
            counts[model.folder] = counts.get(model.folder, 0) + 1
        return counts

    @property
    def total(self) -> int:
        return len(self._all)

    def set_picture(self, model: "PodModel", path: str) -> None:
        self._pictures[model] = path
        self._touch(model)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        return 0 if parent.isValid() else len(self._shown)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid() or index.row() >= len(self._shown):
            return None
        model = self._shown[index.row()]
        if role == ROW:
            return model
        if role == Qt.ItemDataRole.DisplayRole:
            return model.name
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{model.name}, {about(model)}"
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tip(f"{model.name}\n{about(model)}")
        if role == THUMBNAIL:
            return self._picture(model)
        return None

    def _picture(self, model: "PodModel") -> QPixmap | None:
        path = self._pictures.get(model)
        if path is None and model not in self._asked:
            self._asked.add(model)
            self.picture_wanted.emit(model)
        return self._thumbnails.get(path, "image") if path and self._thumbnails is not None else None

    def _touch(self, model: "PodModel") -> None:
        if model in self._shown:
            index = self.index(self._shown.index(model))
            self.dataChanged.emit(index, index, [THUMBNAIL])

    def _on_thumbnail(self, path: str) -> None:
        for model in [model for model, one in self._pictures.items() if one == path]:
            self._touch(model)


def about(model: "PodModel") -> str:
    """ "checkpoints · 12.4 GB"."""
    folder = "/".join((model.folder, *model.name.replace("\\", "/").split("/")[:-1]))
    return folder if model.size is None else f"{folder} {DOT} {size_words(model.size)}"


class _Delegate(ActionDelegate):
    generate = Signal(object)

    def __init__(self, theme: Theme, parent: QObject) -> None:
        super().__init__(theme, parent)
        self._covers = Covers(theme)

    def sizeHint(self, _option: QStyleOptionViewItem, _index: Index) -> QSize:
        lines = self.theme.metrics("label").height() + self.theme.metrics("small").height()
        return QSize(self.theme.px(160), max(self.theme.px(HEIGHT), lines + self.theme.px(12)))

    def spots(self, rect: QRect, _index: Index) -> Spots:
        side = self.theme.px(24)
        return {"generate": QRect(rect.right() - side - self.theme.px(12), rect.center().y() - side // 2, side, side)}

    def name_of(self, _action: str, _index: Index) -> str:
        return tr("Open a workflow that uses it")

    def act(self, _action: str, index: Index) -> None:
        self.generate.emit(index.data(ROW))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        theme, px, model = self.theme, self.theme.px, index.data(ROW)
        card = QRect(option.rect).adjusted(px(6), px(1), -px(6), -px(1))
        hovered = bool(option.state & QStyle.StateFlag.State_MouseOver)
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        if chosen or hovered:
            paint.box(painter, card, px(6), fill=theme.color("selection" if chosen else "hover"))
        if option.state & QStyle.StateFlag.State_HasFocus:
            paint.box(painter, card, px(6), outline=theme.color("accent"), width=px(2))
        side = px(PICTURE)
        spot = QRect(card.left() + px(6), card.center().y() - side // 2 + 1, side, side)
        picture = index.data(THUMBNAIL)
        self._covers.paint(painter, spot, picture if isinstance(picture, QPixmap) else None, icon="cube")
        left, label, small = spot.right() + 1 + px(10), theme.metrics("label"), theme.metrics("small")
        right = card.right() - px(8) - (px(32) if hovered else 0)
        top = card.center().y() - (label.height() + small.height()) // 2 + 1
        name = model.name.replace("\\", "/").rpartition("/")[2].rpartition(".")[0] or model.name
        area, elide = QRect(left, top, right - left, label.height()), Qt.TextElideMode.ElideMiddle
        paint.text(painter, area, name, theme.font("label"), theme.color("text"), elide=elide, metrics=label)
        area = QRect(left, top + label.height(), right - left, small.height())
        paint.text(painter, area, about(model), theme.font("small"), theme.color("text2"), metrics=small)
        if hovered:
            button = self.spots(option.rect, index)["generate"]
            paint.box(painter, button, px(6), fill=theme.color("accent_hover" if self.is_over(button) else "accent"))
            paint.icon_in(painter, theme, button, "play", "on_accent", 14)


class ModelList(QListView):
    chosen = Signal(object)
    """PodModel: Enter or a double click."""

    def __init__(self, theme: Theme, model: ModelFiles) -> None:
        super().__init__()
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName(tr("Models on the pod"))
        self.viewport().setAutoFillBackground(False)
        self.setModel(model)
        delegate = _Delegate(theme, self)
        self.setItemDelegate(delegate)
        delegate.generate.connect(self.chosen)
        self.doubleClicked.connect(lambda index: self.chosen.emit(index.data(ROW)))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentIndex().isValid():
            self.chosen.emit(self.currentIndex().data(ROW))
        else:
            super().keyPressEvent(event)


class ModelsPanel(QWidget):
    """`wanted` when it is first looked at, or anew; `chosen` with the PodModel that a workflow is to use."""

    wanted = Signal()
    chosen = Signal(object)

    def __init__(self, theme: Theme, thumbnails: Thumbnails | None = None) -> None:
        super().__init__()
        self._theme, self._folder = theme, ""
        self.model = ModelFiles(thumbnails, self)
        self.search = SearchField(theme, tr("Name of a model"))
        self.folder = Button(theme, tr("All folders"), kind=Kind.GHOST, size=Size.COMPACT, menu=True)
        self.again = IconButton(theme, "refresh", tr("Read the pod's models again"), size=Size.COMPACT)
        self.count = ElidedLabel(theme, "", font="small_strong", color="text2")
        self.banner = Banner(theme)
        self.list = ModelList(theme, self.model)
        self.empty = EmptyState(theme, "cube", tr("No pod is connected"))
        self._menu = Menu(theme, parent=self)
        self._pages = QStackedWidget()
        self._pages.addWidget(self.empty)
        self._pages.addWidget(self.list)
        # In a low window the list gives way, not the window's edge.
        self._pages.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Ignored)
        self._lay_out()
        self.search.searched.connect(lambda _: self._narrow())
        self.search.left_down.connect(self.list.setFocus)
        self.folder.clicked.connect(self._open_folders)
        self.again.clicked.connect(self.wanted)
        self.list.chosen.connect(self.chosen)

    def show_models(self, models: "Iterable[PodModel]", pod: str) -> None:
        """These are on `pod`."""
        self.banner.clear()
        self.model.fill(models)
        self._folder = ""
        self.folder.setText(tr("All folders"))
        self.empty.tell("cube", tr("No models on {pod}", pod=pod), tr("Its model folders are empty."))
        self._narrow()

    def show_waiting(self, pod: str) -> None:
        """They are being read; "": there is no pod to ask."""
        self.model.fill(())
        self._pages.setCurrentWidget(self.empty)
        self.count.set_text("")
        if pod:
            self.empty.tell("clock", tr("Looking at the models of {pod}", pod=pod))
        else:
            self.empty.tell("cube", tr("No pod is connected"), tr("Connect one to see its models."))

    def _narrow(self) -> None:
        self.model.search(self.search.text(), self._folder)
        shown, total = self.model.rowCount(), self.model.total
        self.count.set_text(
            f"{shown:,}" if shown == total else tr("{shown} of {total}", shown=f"{shown:,}", total=total)
        )
        if total and not shown:
            self.empty.tell("search", tr("No model matches"), tr("There are {total} in all.", total=f"{total:,}"))
        self._pages.setCurrentWidget(self.list if shown else self.empty)

    def _open_folders(self) -> None:
        self._menu.clear()
        self._offer(tr("All folders"), "", self.model.total)
        for folder, count in self.model.folders().items():
            self._offer(folder, folder, count)
        self._menu.popup(self.folder.mapToGlobal(self.folder.rect().bottomLeft()))

    def _offer(self, words: str, folder: str, count: int) -> None:
        action = self._menu.add(f"{words}  {count:,}")
        action.setCheckable(True)
        action.setChecked(folder == self._folder)
        action.triggered.connect(self._chooser(words, folder))

    def _chooser(self, words: str, folder: str) -> Callable[[], None]:
        def choose() -> None:
            self._folder = folder
            self.folder.setText(words)
            self._narrow()

        return choose

    def _lay_out(self) -> None:
        head = QWidget()
        column = QVBoxLayout(head)
        pad(column, self._theme, 12, 0, 12, 4, gap=8)
        row = QHBoxLayout()
        row.addWidget(self.count, 1)
        row.addWidget(self.folder)
        row.addWidget(self.again)
        column.addWidget(self.search)
        column.addWidget(self.banner)
        column.addLayout(row)
        body = QVBoxLayout(self)
        body.setContentsMargins(0, 0, 0, 0)
        body.setSpacing(0)
        body.addWidget(head)
        body.addWidget(self._pages, 1)
