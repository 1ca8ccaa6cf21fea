"""The library's left side: what there is, how much of it, and a click to see only that."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QFocusEvent,
    QPainter,
    QPaintEvent,
)
from PySide6.QtWidgets import QAbstractButton, QFrame, QScrollArea, QSizePolicy, QStyle, QVBoxLayout, QWidget

from comfydesk.qt.models.tips import plain_tip
from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets import paint
from comfydesk.qt.widgets.focus_ring import ring_off, ring_on_focus
from comfydesk.qt.widgets.gallery_files import IDS, ids_of
from comfydesk.qt.widgets.gallery_stars import Stars
from comfydesk.qt.widgets.plain import pad
from comfydesk.qt.widgets.section import Section
from comfydesk.store.albums import Album, SavedSearch
from comfydesk.store.facets import Facets
from comfydesk.store.search import Aspect, OutputFilter

SHORT = 5
"""Rows of a section before "Show n more"."""
WEEK = timedelta(days=7)
MEDIA = (("image", "Images"), ("video", "Videos"), ("audio", "Audio"), ("text", "Text"), ("model3d", "3D"))


class FacetRow(QAbstractButton):
    """28 high: an icon or a tick box, a name, a count."""

    menu_wanted = Signal(object)
    """Global position."""
    dropped = Signal(object)
    """Ids of outputs that were dragged here; only where `take_outputs` was called."""

    def __init__(self, theme: Theme, name: str, count: int | None, *, icon: str = "") -> None:
        """Without an `icon` it has a tick box."""
        super().__init__()
        self._theme, self._icon, self.count = theme, icon, count
        self._target = False
        """Something is held over it that it would take."""
        self.setText(name)
        self.setCheckable(True)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setToolTip(plain_tip(name))
        self.setAccessibleName(name if count is None else f"{name}, {count:,}")
        theme.changed.connect(self.updateGeometry)

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(160), self._theme.row(28))

    def minimumSizeHint(self) -> QSize:
        return QSize(self._theme.px(150), self._theme.row(28))

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme, px, painter = self._theme, self._theme.px, QPainter(self)
        on, hovered = self.isChecked(), self.underMouse()
        if on and self._icon:
            paint.box(painter, self.rect(), px(6), fill=theme.color("selection"))
        elif hovered:
            paint.box(painter, self.rect(), px(6), fill=theme.color("hover"))
        if self._target:
            paint.box(painter, self.rect(), px(6), outline=theme.color("accent"), width=px(2))
        spot = QRect(px(8), 0, px(16), self.height())
        if self._icon:
            paint.icon_in(painter, theme, spot, self._icon, "accent" if on else "text2")
        else:
            box = paint.centred(spot, px(16), px(16))
            if on:
                paint.box(painter, box, px(4), fill=theme.color("accent"))
                paint.icon_in(painter, theme, box, "check-small", "on_accent", 14)
            else:
                paint.box(painter, box, px(4), fill=theme.color("field"), outline=theme.color("control"))
        right = self.width() - px(8)
        if self.count is not None:
            small, words = theme.metrics("small"), f"{self.count:,}"
            wide = small.horizontalAdvance(words) + 1
            area = QRect(right - wide, 0, wide, self.height())
            paint.text(painter, area, words, theme.font("small"), theme.color("text2"), metrics=small)
            right -= wide + px(8)
        area = QRect(px(32), 0, max(0, right - px(32)), self.height())
        middle = Qt.TextElideMode.ElideMiddle
        font = theme.font("body")
        paint.text(painter, area, self.text(), font, theme.color("text"), elide=middle, metrics=theme.metrics("body"))

    def take_outputs(self) -> None:
        """Let outputs be dropped here."""
        self.setAcceptDrops(True)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        self.menu_wanted.emit(event.globalPos())

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasFormat(IDS):
            event.acceptProposedAction()
            self._target = True
            self.update()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        super().dragLeaveEvent(event)
        self._target = False
        self.update()

    def dropEvent(self, event: QDropEvent) -> None:
        self._target = False
        self.update()
        ids = ids_of(event.mimeData())
        if ids:
            event.acceptProposedAction()
            self.dropped.emit(ids)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        ring_on_focus(self._theme, self, event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        ring_off(self)


class FacetSection(Section):
    """Values of one kind; the first few of them until more are wanted."""

    def __init__(self, theme: Theme, name: str, *, opened: bool) -> None:
        super().__init__(theme, name, quiet=True)
        self._theme = theme
        self.rows: list[FacetRow] = []
        self._all = False
        self._column = QVBoxLayout(self.content)
        pad(self._column, theme, 0, 0, 0, 8, gap=0)
        self.set_open(opened, animate=False)

    def fill(self, rows: Iterable[FacetRow]) -> None:
        """Show `rows` instead of those before; those that are on stay in sight."""
        while (item := self._column.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        self.rows = list(rows)
        for row in self.rows:
            self._column.addWidget(row)
        hidden = [row for row in self.rows[SHORT:] if not row.isChecked()] if not self._all else []
        if len(hidden) > 1:
            for row in hidden:
                row.hide()
            more = FacetRow(self._theme, tr("Show {n} more", n=len(hidden)), None, icon="chevron-down")
            more.setCheckable(False)
            more.clicked.connect(self._show_all)
            self._column.addWidget(more)
        self.setVisible(bool(self.rows))

    def _show_all(self) -> None:
        self._all = True
        self.fill([*self._taken()])

    def _taken(self) -> list[FacetRow]:
        rows, self.rows = self.rows, []
        for row in rows:
            self._column.removeWidget(row)
            row.show()
        return rows


class FacetsPanel(QWidget):
    """`changed` with the filter that was chosen; it keeps what it does not show (the words)."""

    changed = Signal(object)
    """OutputFilter"""
    album_wanted = Signal()
    """A new album."""
    album_menu = Signal(object, object)
    """Album, global position"""
    album_dropped = Signal(object, object)
    """Album, ids of outputs"""
    search_wanted = Signal()
    """Keep what is searched for now."""
    search_menu = Signal(object, object)
    """SavedSearch, global position"""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.filter = OutputFilter()
        self._total = 0
        self._pod_names: Mapping[str, str] = {}
        self._facets = Facets()
        self._albums: Sequence[Album] = ()
        self._searches: Sequence[SavedSearch] = ()
        scroll = QScrollArea()
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.viewport().setAutoFillBackground(False)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scroll)
        inside = self._inside = QWidget()
        inside.setAutoFillBackground(False)
        scroll.setWidget(inside)
        self._column = QVBoxLayout(inside)
        pad(self._column, theme, 8, 4, 8, 12, gap=2)
        self._top = QVBoxLayout()
        self._column.addLayout(self._top)
        self._sections = {
            key: FacetSection(theme, name, opened=opened)
            for key, name, opened in (
                ("albums", tr("Albums"), True),
                ("searches", tr("Saved searches"), True),
                ("media", tr("Type"), True),
                ("models", tr("Model"), True),
                ("rating", tr("Rating"), True),
                ("workflows", tr("Workflow"), False),
                ("loras", tr("LoRA"), False),
                ("pods", tr("Pod"), False),
                ("aspect", tr("Aspect"), False),
                ("tags", tr("Tags"), False),
            )
        }
        for section in self._sections.values():
            self._column.addWidget(section)
        self._column.addStretch(1)
        self.stars = Stars(theme, name=tr("At least so many stars"))
        self.stars.rated.connect(lambda stars: self._set(rating=stars))

    def minimumSizeHint(self) -> QSize:
        """As wide as what is inside, or it would be cut off: it scrolls up and down only."""
        bar = self.style().pixelMetric(QStyle.PixelMetric.PM_ScrollBarExtent)
        return QSize(self._inside.minimumSizeHint().width() + bar, super().minimumSizeHint().height())

    def show_facets(self, facets: Facets, total: int) -> None:
        """Counts of what the filter finds; `total`: of everything."""
        self._facets, self._total = facets, total
        self._fill()

    def show_filter(self, wanted: OutputFilter) -> None:
        """Words change nothing here: typing does not make rows anew."""
        same = replace(wanted, words="") == replace(self.filter, words="")
        kept = self.filter.everything == wanted.everything
        self.filter = wanted
        if not same:
            self._fill()
        elif not kept or any(search.filter == wanted for search in self._searches):
            self._sections["searches"].fill(self._search_rows())

    def show_collections(self, albums: Sequence[Album], searches: Sequence[SavedSearch]) -> None:
        self._albums, self._searches = albums, searches
        self._fill()

    def name_pods(self, names: Mapping[str, str]) -> None:
        """Pods by id."""
        self._pod_names = names
        self._fill()

    # --- Inside ---------------------------------------------------------------------------------------------------

    def _fill(self) -> None:
        self._fill_top()
        facets, sections, wanted = self._facets, self._sections, self.filter
        sections["albums"].fill(self._album_rows())
        sections["searches"].fill(self._search_rows())
        media = {tr(name): (key, facets.media.get(key, 0)) for key, name in MEDIA}
        kinds = [(name, key, count) for name, (key, count) in media.items() if count or key in wanted.media]
        sections["media"].fill(self._ticks("media", kinds))
        for key, found in (
            ("models", facets.models),
            ("loras", facets.loras),
            ("workflows", facets.workflows),
            ("tags", facets.tags),
        ):
            field = "models" if key == "loras" else key
            sections[key].fill(self._ticks(field, [(name, name, count) for name, count in found.items()]))
        pods = [(self._pod_names.get(id_, id_), id_, count) for id_, count in facets.pods.items()]
        sections["pods"].fill(self._ticks("pods", pods))
        names = {Aspect.LANDSCAPE: tr("Landscape"), Aspect.PORTRAIT: tr("Portrait"), Aspect.SQUARE: tr("Square")}
        sections["aspect"].fill(
            self._row(name, None, wanted.aspect is aspect, partial(self._set_aspect, aspect))
            for aspect, name in names.items()
        )
        self.stars.show_rating(wanted.rating)
        self._place_stars()

    def _fill_top(self) -> None:
        while (item := self._top.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        wanted, week = self.filter, (datetime.now().astimezone() - WEEK).timestamp()
        plain = not (wanted.favourite or wanted.since or wanted.album)
        rows = (
            (tr("Everything"), "grid", self._total, plain, {"favourite": False, "since": None, "album": None}),
            (tr("Favourites"), "star", None, wanted.favourite, {"favourite": not wanted.favourite}),
            (tr("Last 7 days"), "history", None, bool(wanted.since), {"since": None if wanted.since else week}),
        )
        for name, icon, count, on, change in rows:
            shown = self._facets.favourites if icon == "star" else count
            row = FacetRow(self.theme, name, shown, icon=icon)
            row.setChecked(on)
            row.clicked.connect(lambda _=False, change=change: self._set(**change))
            self._top.addWidget(row)

    def _album_rows(self) -> list[FacetRow]:
        rows = []
        for album in self._albums:
            on = self.filter.album == album.id
            row = FacetRow(self.theme, album.name, album.count, icon="folder")
            row.setChecked(on)
            row.clicked.connect(lambda _=False, id_=None if on else album.id: self._set(album=id_))
            row.menu_wanted.connect(lambda at, album=album: self.album_menu.emit(album, at))
            row.take_outputs()
            row.dropped.connect(lambda ids, album=album: self.album_dropped.emit(album, ids))
            rows.append(row)
        add = FacetRow(self.theme, tr("New album"), None, icon="plus")
        add.setCheckable(False)
        add.clicked.connect(self.album_wanted)
        return [*rows, add]

    def _search_rows(self) -> list[FacetRow]:
        rows = []
        for search in self._searches:
            row = FacetRow(self.theme, search.name, None, icon="search")
            row.setChecked(self.filter == search.filter)
            row.clicked.connect(lambda _=False, wanted=search.filter: self._take(wanted))
            row.menu_wanted.connect(lambda at, search=search: self.search_menu.emit(search, at))
            rows.append(row)
        if not self.filter.everything and not any(search.filter == self.filter for search in self._searches):
            keep = FacetRow(self.theme, tr("Save this search"), None, icon="plus")
            keep.setCheckable(False)
            keep.clicked.connect(self.search_wanted)
            rows.append(keep)
        return rows

    def _ticks(self, field: str, values: Iterable[tuple[str, str, int]]) -> list[FacetRow]:
        """Rows (name, value, count) of a field with several values; what is on is there even if it finds nothing."""
        chosen: tuple[str, ...] = getattr(self.filter, field)
        listed = list(values)
        rows = []
        for name, value, count in listed:
            row = self._row(name or tr("None"), count, value in chosen, self._toggler(field, value))
            rows.append(row)
        return rows

    def _toggler(self, field: str, value: str) -> Callable[[bool], None]:
        def toggle(on: bool) -> None:
            chosen: tuple[str, ...] = getattr(self.filter, field)
            left = tuple(each for each in chosen if each != value)
            self._set(**{field: (*left, value) if on else left})

        return toggle

    def _row(self, name: str, count: int | None, on: bool, act: Callable[[bool], None]) -> FacetRow:
        row = FacetRow(self.theme, name, count)
        row.setChecked(on)
        row.clicked.connect(act)
        return row

    def _set_aspect(self, aspect: Aspect, on: bool) -> None:
        self._set(aspect=aspect if on else None)

    def _place_stars(self) -> None:
        section = self._sections["rating"]
        column = section.content.layout()
        if column is not None and column.indexOf(self.stars) < 0:
            column.addWidget(self.stars)
        section.setVisible(True)

    def _set(self, **change: Any) -> None:
        self._take(replace(self.filter, **change))

    def _take(self, wanted: OutputFilter) -> None:
        self.filter = wanted
        self._fill()
        self.changed.emit(wanted)
