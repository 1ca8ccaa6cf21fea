"""The button above a prompt that has it improved, and the menu of how."""

from PySide6.QtCore import Signal
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QHBoxLayout, QWidget

from comfydesk.llm.words.styles import STYLES, Style
from comfydesk.llm.words.values import Length
from comfydesk.qt.models.enhancing import COUNTS, Wish
from comfydesk.qt.models.tips import plain_tip
from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import tr, tr_n
from comfydesk.qt.widgets.buttons import Button, IconButton, Kind, Size
from comfydesk.qt.widgets.menu import Menu


class EnhanceButton(QWidget):
    """`wanted` when it was pressed; `wished` with another Wish, chosen in the menu."""

    wanted = Signal()
    wished = Signal(object)
    menu_wanted = Signal()
    """The menu is about to show: `show_choices` says what is in it."""
    picture_wanted = Signal()
    models_wanted = Signal()

    def __init__(self, theme: Theme, name: str, keys: str = "") -> None:
        super().__init__()
        self._theme = theme
        self.button = Button(theme, tr("Enhance"), kind=Kind.GHOST, icon="enhance", size=Size.COMPACT)
        self.button.setToolTip(plain_tip(f"{tr('Enhance {name}', name=name)} ({keys})" if keys else ""))
        self.button.setAccessibleName(tr("Enhance {name}", name=name))
        self.more = IconButton(theme, "chevron-down", tr("How {name} is enhanced", name=name), size=Size.COMPACT)
        self.menu = Menu(theme, tr("Enhance"), self)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.button)
        row.addWidget(self.more)
        self.button.clicked.connect(self.wanted)
        self.more.clicked.connect(self._open)

    def show_choices(self, wish: Wish, styles: tuple[Style, ...] = STYLES) -> None:
        """Fill the menu."""
        menu = self.menu
        menu.clear()
        group = QActionGroup(menu)
        for style in styles:
            one = menu.add(style.name if style.own else tr(style.name), tip=tr(style.help) if not style.own else "")
            one.setCheckable(True)
            one.setChecked(style.id == wish.style)
            group.addAction(one)
            one.triggered.connect(lambda _=False, id_=style.id: self._wish(wish, style=id_))
        menu.addSeparator()
        lengths = (tr("As long as the model likes it"), tr("Short"), tr("Medium"), tr("Long"))
        group = QActionGroup(menu)
        for length, words in zip(Length, lengths, strict=True):
            one = menu.add(words)
            one.setCheckable(True)
            one.setChecked(length is wish.length)
            group.addAction(one)
            one.triggered.connect(lambda _=False, length=length: self._wish(wish, length=length))
        menu.addSeparator()
        self._add_counts(wish)
        into = menu.add(tr("Into English"))
        into.setCheckable(True)
        into.setChecked(wish.translate)
        into.triggered.connect(lambda on: self._wish(wish, translate=on))
        menu.addSeparator()
        picture = menu.add(tr("Describe a picture\N{HORIZONTAL ELLIPSIS}"), "image")
        picture.triggered.connect(lambda _=False: self.picture_wanted.emit())
        models = menu.add(tr("Language models\N{HORIZONTAL ELLIPSIS}"), "settings")
        models.triggered.connect(lambda _=False: self.models_wanted.emit())

    def _add_counts(self, wish: Wish) -> None:
        variants = Menu(self._theme, tr("Variants"), self.menu)
        for count in COUNTS:
            one = variants.add(tr_n("{n} variant", "{n} variants", count))
            one.setCheckable(True)
            one.setChecked(count == wish.count)
            one.triggered.connect(lambda _=False, count=count: self._wish(wish, count=count))
        self.menu.addMenu(variants)

    def _wish(
        self,
        wish: Wish,
        *,
        style: str | None = None,
        length: Length | None = None,
        count: int | None = None,
        translate: bool | None = None,
    ) -> None:
        self.wished.emit(
            Wish(
                style or wish.style,
                length or wish.length,
                count or wish.count,
                wish.translate if translate is None else translate,
            )
        )

    def _open(self) -> None:
        self.menu_wanted.emit()
        self.menu.popup(self.more.mapToGlobal(self.more.rect().bottomLeft()))
