"""Choosing a model file of the pod: preview, name, folder and size; thousands of them can be searched."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QPainter, QPixmap
from PySide6.QtWidgets import QWidget

from comfydesk.qt.models.thumbnails import Thumbnails
from comfydesk.qt.models.words import DOT
from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets import paint
from comfydesk.qt.widgets.choice_combo import ChoiceEditor, Combo
from comfydesk.qt.widgets.popup_list import Entry, PopupList
from comfydesk.qt.widgets.thumbnail import paint_thumbnail

HEIGHT = 40
PREVIEW = 30


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What is known of a model file beside its name. `preview` is a picture on this computer."""

    size: int | None = None
    preview: str = ""


ModelInfos = Callable[[str, str], ModelInfo | None]
"""(folder, name) → what is known; None: nothing."""


class Favourites(Protocol):
    """Who knows which models are the user's favourites."""

    def is_favourite(self, folder: str, name: str) -> bool: ...

    def star(self, folder: str, name: str, on: bool) -> None: ...


def _sorting(name: str) -> tuple[str, str]:
    return subfolder(name).casefold(), short_name(name).casefold()


def no_info(_folder: str, _name: str) -> ModelInfo | None:
    """For pods that say nothing about their files."""
    return None


def short_name(name: str) -> str:
    """A model's name without folders and ending; the pod may write either kind of slash."""
    file = name.replace("\\", "/").rpartition("/")[2]
    return file.rpartition(".")[0] or file or name


def subfolder(name: str) -> str:
    """The folders inside the model folder, "" for none."""
    return name.replace("\\", "/").rpartition("/")[0]


def size_text(size: int) -> str:
    """Bytes in words: "12.4 GB"."""
    value, unit = float(size), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f"{value:.0f} {unit}" if unit in ("B", "kB") or value >= 100 else f"{value:.1f} {unit}"


class ModelCombo(Combo):
    """The field of 40; each entry says its folder and size."""

    def __init__(
        self,
        theme: Theme,
        folder: str,
        infos: ModelInfos,
        thumbnails: Thumbnails | None,
        favourites: "Favourites | None" = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(theme, HEIGHT, parent)
        self._folder, self._infos, self._thumbnails = folder, infos, thumbnails
        self._favourites = favourites
        self._order: tuple[int, ...] = ()
        """Positions of the entries in the order in which the list has them."""
        if thumbnails is not None:
            thumbnails.ready.connect(self._pictured)

    def least_height(self) -> int:
        lines = self.theme.metrics("small").height() + self.theme.metrics("caption").height()
        return max(self.theme.px(HEIGHT), lines + self.theme.px(8))

    def entries(self) -> tuple[Entry, ...]:
        """Favourites first, then folder by folder."""
        names = [self.itemText(at) for at in range(self.count())]
        stars = [self._is_favourite(name) for name in names]
        order = sorted(range(len(names)), key=lambda at: (not stars[at], *_sorting(names[at])))
        self._order = tuple(order)
        return tuple(self._entry(names[at], stars[at]) for at in order)

    def showPopup(self) -> None:  # noqa: N802  # Qt's name
        if self._popup is None:
            self._popup = PopupList(self.theme, self.accessibleName() or tr("Models"), self)
            self._popup.picked.connect(lambda at: self._picked(self._order[at]))
            self._popup.starred.connect(self._star)
            self._popup.closed.connect(self.update)
            self._popup.show_pictures(self._picture_at)
        entries = self.entries()
        current = self.currentIndex()
        self._popup.open_at(self, entries, self._order.index(current) if current >= 0 else -1)
        self.update()

    def _is_favourite(self, name: str) -> bool:
        return self._favourites is not None and self._favourites.is_favourite(self._folder, name)

    def _star(self, at: int) -> None:
        if self._favourites is not None and self._popup is not None:
            order = self._order  # lines stay where they are until the list is opened again
            name = self.itemText(order[at])
            self._favourites.star(self._folder, name, not self._is_favourite(name))
            names = [self.itemText(each) for each in order]
            self._popup.refill(tuple(self._entry(each, self._is_favourite(each)) for each in names))

    def _picture_at(self, at: int) -> QPixmap | None:
        return self._picture(self.itemText(self._order[at]))

    def _picture(self, name: str) -> QPixmap | None:
        info = self._infos(self._folder, name)
        if info is None or not info.preview or self._thumbnails is None:
            return None
        return self._thumbnails.get(info.preview, "image")

    def paint_value(self, painter: QPainter, area: QRect) -> None:
        theme, px = self.theme, self.theme.px
        name = self.currentText()
        side = min(px(PREVIEW), self.height() - px(8))
        spot = QRect(px(5), (self.height() - side) // 2, side, side)
        info = self._infos(self._folder, name)
        paint_thumbnail(painter, theme, spot, self._picture(name), icon="cube")
        left = spot.right() + 1 + px(8)
        room = QRect(left, 0, area.right() + 1 - left, self.height())
        if self.currentIndex() < 0:
            metrics = theme.metrics("body")
            none = self.placeholderText() or tr("No model")
            paint.text(painter, room, none, theme.font("body"), theme.color("text2"), metrics=metrics)
            return
        upper, lower = theme.metrics("small"), theme.metrics("caption")
        top = (self.height() - upper.height() - lower.height()) // 2
        ink = theme.color("text" if self.isEnabled() else "disabled")
        line = QRect(room.left(), top, room.width(), upper.height())
        elide = Qt.TextElideMode.ElideMiddle
        font = theme.font("small")
        paint.text(painter, line, short_name(name), font, ink, elide=elide, metrics=upper)
        line = QRect(room.left(), line.bottom() + 1, room.width(), lower.height())
        quiet = theme.color("text2" if self.isEnabled() else "disabled")
        folder, size = self._details(name, info)
        # The folder gives way before the size does.
        words = lower.elidedText(folder, elide, room.width() - lower.horizontalAdvance(size)) + size
        paint.text(painter, line, words, theme.font("caption"), quiet, metrics=lower)

    def _entry(self, name: str, starred: bool) -> Entry:
        # Not asked of `infos`: a list of thousands would ask for as many pictures.
        star = starred if self._favourites is not None else None
        return Entry(short_name(name), subfolder(name), "cube", star)

    def _details(self, name: str, info: ModelInfo | None) -> tuple[str, str]:
        """(folder, size with its dot)."""
        folder = "/".join(part for part in (self._folder, subfolder(name)) if part)
        return folder, f" {DOT} {size_text(info.size)}" if info is not None and info.size is not None else ""

    def refresh(self) -> None:
        """More is known of the models."""
        self.update()
        if self._popup is not None and self._popup.isVisible():
            self._popup.view.viewport().update()

    def _pictured(self, _path: str) -> None:
        self.refresh()


class ModelPicker(ChoiceEditor):
    """The editor around it. Its value is the pod's own spelling of the name."""

    def __init__(
        self,
        theme: Theme,
        choices: Sequence[Any],
        value: Any = None,
        *,
        folder: str = "",
        infos: ModelInfos = no_info,
        thumbnails: Thumbnails | None = None,
        favourites: "Favourites | None" = None,
        parent: QWidget | None = None,
    ) -> None:
        self._folder, self._infos, self._thumbnails = folder, infos, thumbnails
        self._favourites = favourites
        super().__init__(theme, choices, value, parent=parent)

    def refresh(self) -> None:
        """More is known of the models."""
        if isinstance(self.combo, ModelCombo):
            self.combo.refresh()

    def _make_combo(self) -> Combo:
        return ModelCombo(self.theme, self._folder, self._infos, self._thumbnails, self._favourites)
