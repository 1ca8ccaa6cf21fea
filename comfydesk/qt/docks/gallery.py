"""What was made, newest first, as one strip of pictures under the preview; each day has a heading."""

from datetime import date, datetime, timedelta

from PySide6.QtCore import QModelIndex, QObject, QPoint, QRect, QSize, Qt, Signal, SignalInstance
from PySide6.QtGui import QKeyEvent, QPainter, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QFrame, QListView, QStackedWidget, QStyleOptionViewItem

from comfydesk.qt.docks.dock import Dock, Panel
from comfydesk.qt.models.outputs import OutputModel
from comfydesk.qt.models.rows import OutputRow
from comfydesk.qt.theme import Theme
from comfydesk.qt.widgets import paint
from comfydesk.qt.widgets.empty_state import EmptyState
from comfydesk.qt.widgets.gallery_delegate import GalleryDelegate
from comfydesk.qt.widgets.menu import Menu
from comfydesk.qt.widgets.row_actions import Index, Spots, row_of
from comfydesk.store.records import Output

HEADING = 20
GAP, DAY_GAP = 4, 12
SMALLEST, LARGEST = 64, 280
NARROWEST, WIDEST = 0.6, 2.2
"""Width by height of a tile; beyond that a picture is cropped."""


class StripDelegate(GalleryDelegate):
    """A tile as high as the strip and as wide as its picture, below the heading of its day."""

    def __init__(self, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(theme, parent)
        self.height = LARGEST

    def sizeHint(self, _option: QStyleOptionViewItem, index: Index) -> QSize:
        row = row_of(index, OutputRow)
        if row is None:
            return QSize()
        shape = aspect(row.output)
        gap = GAP if same_day(index, 1) else DAY_GAP
        return QSize(round(self.height * shape) + self.theme.px(gap), self._heading() + self.height)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        theme = self.theme
        if not same_day(index, -1):
            row = row_of(index, OutputRow)
            if row is not None:
                words = day_words(datetime.fromtimestamp(row.output.created).astimezone().date())
                area = QRect(option.rect.left(), option.rect.top(), theme.px(160), self._heading() - theme.px(2))
                metrics = theme.metrics("small_strong")
                paint.text(painter, area, words, theme.font("small_strong"), theme.color("text"), metrics=metrics)
        whole = QRect(option.rect)
        option.rect = self._place(whole, index)
        super().paint(painter, option, index)
        option.rect = whole

    def spots(self, rect: QRect, index: Index) -> Spots:
        return super().spots(self._place(rect, index), index)

    def _place(self, rect: QRect, index: Index) -> QRect:
        gap = self.theme.px(GAP if same_day(index, 1) else DAY_GAP)
        # The view makes items as high as itself.
        return QRect(rect.left(), rect.top() + self._heading(), rect.width() - gap, self.height)

    def _heading(self) -> int:
        return self.theme.height(HEADING - 2, "small_strong")


class Strip(QListView):
    """One row that scrolls sideways, with the wheel too. `chosen` on a double click or Enter."""

    chosen = Signal(QModelIndex)

    def __init__(self, theme: Theme, delegate: StripDelegate) -> None:
        super().__init__()
        self._theme, self._delegate = theme, delegate
        self.setItemDelegate(delegate)
        self.setFlow(QListView.Flow.LeftToRight)
        self.setWrapping(False)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setMouseTracking(True)
        self.setHorizontalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setAccessibleName("Outputs")
        self.viewport().setAutoFillBackground(False)
        self.doubleClicked.connect(self.chosen)
        theme.changed.connect(self._measure)
        self._measure()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._measure()

    def wheelEvent(self, event: QWheelEvent) -> None:
        turn = event.angleDelta()
        if turn.y() and not turn.x():
            bar = self.horizontalScrollBar()
            bar.setValue(bar.value() - turn.y())
            event.accept()
        else:
            super().wheelEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.modifiers():
            if self.currentIndex().isValid():
                self.chosen.emit(self.currentIndex())
        else:
            super().keyPressEvent(event)

    def _measure(self) -> None:
        px = self._theme.px
        self.setViewportMargins(px(12), 0, 0, 0)
        room = self.height() - self._theme.height(HEADING - 2, "small_strong") - px(14)
        height = max(px(SMALLEST), min(px(LARGEST), room))
        if height != self._delegate.height:
            self._delegate.height = height
            self.scheduleDelayedItemsLayout()


class GalleryPanel(Panel):
    """`shown` when one output is picked, `large` on a double click, `reuse` for its settings: each with the Output."""

    shown = Signal(object)
    large = Signal(object)
    reuse = Signal(object)
    revealed = Signal(object)

    def __init__(self, theme: Theme, dock: Dock, model: OutputModel) -> None:
        super().__init__(theme, dock)
        self._model = model
        delegate = StripDelegate(theme, self)
        self.strip = Strip(theme, delegate)
        self.strip.setModel(model)
        self.empty = EmptyState(theme, "image", "Nothing made yet", "What you make is kept here, on this computer.")
        self._pages = QStackedWidget()
        self._pages.addWidget(self.empty)
        self._pages.addWidget(self.strip)
        self._menu = Menu(theme, parent=self)
        self.body.addWidget(self._pages, 1)
        self.strip.chosen.connect(lambda index: self._emit(self.large, index))
        self.strip.customContextMenuRequested.connect(self._offer)
        delegate.reuse.connect(lambda index: self._emit(self.reuse, index))
        self.strip.selectionModel().currentChanged.connect(lambda index, _: self._emit(self.shown, index))
        for signal in (model.rowsInserted, model.rowsRemoved, model.modelReset):
            signal.connect(self._on_count)
        self._on_count()

    def show_newest(self) -> None:
        """Back to the start of the strip."""
        self.strip.scrollToTop()
        self.strip.clearSelection()

    def _on_count(self) -> None:
        count = self._model.rowCount()
        self._pages.setCurrentWidget(self.strip if count else self.empty)
        self.title.set_note(f"{count:,}" if count else "")

    def _emit(self, signal: SignalInstance, index: Index) -> None:
        row = row_of(index, OutputRow)
        if row is not None:
            signal.emit(row.output)

    def _offer(self, at: QPoint) -> None:
        index = self.strip.indexAt(at)
        if not index.isValid():
            return
        self._menu.clear()
        self._menu.add("Show large", "fit").triggered.connect(lambda: self._emit(self.large, index))
        self._menu.add("Use these settings", "refresh").triggered.connect(lambda: self._emit(self.reuse, index))
        self._menu.add("Show in its folder", "folder").triggered.connect(lambda: self._emit(self.revealed, index))
        self._menu.popup(self.strip.viewport().mapToGlobal(at))


def aspect(output: Output) -> float:
    """Width by height of the tile."""
    if output.media == "audio":
        return 1.4
    if not output.width or not output.height:
        return 1.0
    return min(WIDEST, max(NARROWEST, output.width / output.height))


def same_day(index: Index, by: int) -> bool:
    """Whether the row `by` further was made on the same day."""
    other = index.model().index(index.row() + by, 0)
    one, two = row_of(index, OutputRow), row_of(other, OutputRow)
    return one is not None and two is not None and one.day == two.day


def day_words(day: date) -> str:
    """ "Today", "Yesterday", "Friday", "20 November", "3 May 2025"."""
    today = datetime.now().astimezone().date()
    if day == today:
        return "Today"
    if day == today - timedelta(days=1):
        return "Yesterday"
    if timedelta(0) < today - day < timedelta(days=7):
        return day.strftime("%A")
    words = f"{day.day} {day.strftime('%B')}"
    return words if day.year == today.year else f"{words} {day.year}"
