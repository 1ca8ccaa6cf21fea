"""Buttons: primary, secondary, ghost and link, each also in danger; icon buttons; the split button."""

from enum import Enum, StrEnum

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QEnterEvent, QFocusEvent, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QMenu, QPushButton, QSizePolicy, QWidget

from comfydesk.qt.models.tips import plain_tip
from comfydesk.qt.theme import ColorName, FontName, Theme
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets import availability, paint
from comfydesk.qt.widgets.focus_ring import ring_off, ring_on_focus
from comfydesk.qt.widgets.spinner import SpinnerDriver, draw_spinner


class Kind(StrEnum):
    PRIMARY = "primary"
    """Filled with accent: one per panel or sheet."""
    SECONDARY = "secondary"
    GHOST = "ghost"
    """Neither fill nor outline until the pointer is there."""
    LINK = "link"
    """Accent words, for the action of a banner or a toast."""


class Size(Enum):
    """Heights of the design."""

    COMPACT = 24
    CONTROL = 28
    MAIN = 36


class Corners(Enum):
    """Which ends are round: the halves of a split button share a side."""

    ALL = "all"
    LEFT = "left"
    RIGHT = "right"


class Button(QPushButton):
    """A push button drawn from the theme. Checkable ones turn to the selection colour when on."""

    def __init__(
        self,
        theme: Theme,
        words: str = "",
        *,
        kind: Kind = Kind.SECONDARY,
        danger: bool = False,
        icon: str = "",
        size: Size = Size.CONTROL,
        keys: str = "",
        menu: bool = False,
        checkable: bool = False,
        tooltip: str = "",
        corners: Corners = Corners.ALL,
        parent: QWidget | None = None,
    ) -> None:
        """`keys` is a boxed hint that gives way when space is short; `menu` adds a chevron."""
        super().__init__(words, parent)
        self.theme = theme
        self._kind, self._danger, self._icon_name, self._size = kind, danger, icon, size
        self._keys, self._has_menu, self._corners = keys, menu, corners
        self._hovered = False
        self._spinner: SpinnerDriver | None = None
        self._rest_words = words
        self.setCheckable(checkable)
        self.setToolTip(plain_tip(tooltip))
        self.setCursor(Qt.CursorShape.PointingHandCursor if kind is Kind.LINK else Qt.CursorShape.ArrowCursor)
        self.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self._restyle)

    # --- State ----------------------------------------------------------------------------------------------------

    def set_blocked(self, reason: str) -> None:
        """Disable with a reason for the tool tip; "" enables."""
        availability.block(self, reason)

    def set_busy(self, words: str) -> None:
        """Show a spinner and what is going on ("Saving"); "" ends it. A busy button takes no clicks."""
        if words:
            self._spinner = self._spinner or SpinnerDriver(self.theme, self)
            self.setText(words)
        elif self._spinner is not None:
            self._spinner.stop()
            self._spinner = None
            self.setText(self._rest_words)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents, bool(words))
        self.updateGeometry()
        self.update()

    @property
    def busy(self) -> bool:
        return self._spinner is not None

    def set_keys(self, keys: str) -> None:
        """Another hint of keys, "" for none."""
        self._keys = keys
        self.updateGeometry()
        self.update()

    def set_icon(self, name: str) -> None:
        """Another icon of the theme, "" for none."""
        self._icon_name = name
        self.updateGeometry()
        self.update()

    def set_kind(self, kind: Kind) -> None:
        self._kind = kind
        self.update()

    # --- Measures -------------------------------------------------------------------------------------------------

    def sizeHint(self) -> QSize:
        width = self._content_width(with_keys=True)
        return QSize(width, self._height())

    def minimumSizeHint(self) -> QSize:
        return QSize(self._content_width(with_keys=False), self._height())

    def _height(self) -> int:
        return self.theme.height(self._size.value, self._font_name())

    def _font_name(self) -> FontName:
        if self._size is Size.COMPACT:
            return "small_strong"
        return "heading" if self._kind is Kind.PRIMARY else "label"

    def _padding(self) -> int:
        if self._kind is Kind.LINK:
            return 0
        return self.theme.px(8 if self._size is Size.COMPACT or not self.text() else 12)

    def _content_width(self, *, with_keys: bool) -> int:
        px = self.theme.px
        parts: list[int] = []
        if self._icon_name or self._spinner is not None:
            parts.append(px(16))
        if self.text():
            parts.append(self.theme.metrics(self._font_name()).horizontalAdvance(self._shown_text()) + 1)
        if self._has_menu:
            parts.append(px(16))
        if with_keys and self._keys:
            parts.append(paint.key_hint_size(self.theme, self._keys)[0])
        return sum(parts) + px(8) * max(0, len(parts) - 1) + self._padding() * 2

    def _shown_text(self) -> str:
        return self.text().replace("&&", "\0").replace("&", "").replace("\0", "&")

    # --- Painting -------------------------------------------------------------------------------------------------

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        self._paint_surface(painter)
        self._paint_content(painter)

    def _paint_surface(self, painter: QPainter) -> None:
        fill, outline = self.surface_colors()
        area, radius = self.rect(), self.theme.px(6)
        if self._corners is not Corners.ALL:
            painter.setClipRect(area)
            area = area.adjusted(0, 0, radius, 0) if self._corners is Corners.LEFT else area.adjusted(-radius, 0, 0, 0)
        paint.box(
            painter,
            area,
            radius,
            fill=self.theme.color(fill) if fill else None,
            outline=self.theme.color(outline) if outline else None,
        )
        if self._corners is Corners.RIGHT:
            self._paint_seam(painter)

    def _paint_seam(self, painter: QPainter) -> None:
        filled = self._kind is Kind.PRIMARY and self.isEnabled()
        painter.setOpacity(0.45 if filled else 1.0)
        painter.fillRect(QRect(0, 0, 1, self.height()), self.theme.color("on_accent" if filled else "control"))
        painter.setOpacity(1.0)

    def surface_colors(self) -> tuple[ColorName | None, ColorName | None]:
        """(fill, outline) for the state the button is in."""
        hovered, pressed = self._hovered and self.isEnabled(), self.isDown() and self.isEnabled()
        if not self.isEnabled():
            return None, "border" if self._kind in (Kind.PRIMARY, Kind.SECONDARY) else None
        if self._kind is Kind.PRIMARY:
            return "accent_pressed" if pressed else "accent_hover" if hovered else "accent", None
        if self.isChecked():
            return "selection", "accent" if self._kind is Kind.SECONDARY else None
        if self._kind is Kind.SECONDARY:
            return "pressed" if pressed else "hover" if hovered else "raised", "control"
        if self._kind is Kind.LINK:
            return None, None
        return "pressed" if pressed else "hover" if hovered else None, None

    def ink(self) -> ColorName:
        """Colour of the words."""
        if not self.isEnabled():
            return "disabled"
        if self._kind is Kind.PRIMARY:
            return "on_accent"
        if self._danger:
            return "danger"
        return "accent" if self._kind is Kind.LINK else "text"

    def icon_ink(self) -> ColorName:
        """Colour of the icon: quieter than the words, until the pointer is there."""
        ink = self.ink()
        if ink != "text":
            return ink
        if self.isChecked():
            return "accent"
        return "text" if self._hovered else "text2"

    def _paint_content(self, painter: QPainter) -> None:
        px, rect = self.theme.px, self.rect()
        with_keys = bool(self._keys) and self.width() >= self._content_width(with_keys=True)
        wanted = self._content_width(with_keys=with_keys) - self._padding() * 2
        x = rect.left() + max(self._padding(), (rect.width() - wanted) // 2)
        right = rect.right() + 1 - self._padding()
        if self._icon_name or self._spinner is not None:
            spot = QRect(x, 0, px(16), rect.height())
            if self._spinner is not None:
                draw_spinner(painter, self.theme, paint.centred(spot, px(16), px(16)), self._spinner.angle, self.ink())
            else:
                paint.icon_in(painter, self.theme, spot, self._icon_name, self.icon_ink())
            x += px(16) + px(8)
        if self.text():
            tail = (px(24) if self._has_menu else 0) + (
                paint.key_hint_size(self.theme, self._keys)[0] + px(8) if with_keys else 0
            )
            area = QRect(x, 0, max(0, right - tail - x), rect.height())
            x += px(8) + paint.text(
                painter,
                area,
                self._shown_text(),
                self.theme.font(self._font_name()),
                self.theme.color(self.ink()),
                elide=Qt.TextElideMode.ElideMiddle,
                metrics=self.theme.metrics(self._font_name()),
            )
        if with_keys:
            width, height = paint.key_hint_size(self.theme, self._keys)
            self._paint_keys(painter, QRect(x, (rect.height() - height) // 2, width, height))
            x += width + px(8)
        if self._has_menu:
            ink = self.ink() if self._kind is Kind.PRIMARY else self.icon_ink()
            paint.icon_in(painter, self.theme, QRect(x, 0, px(16), rect.height()), "chevron-down", ink)

    def _paint_keys(self, painter: QPainter, rect: QRect) -> None:
        if self._kind is Kind.PRIMARY:
            paint.key_hint(painter, self.theme, rect, self._keys, color=self.ink(), fill=None, outline=None)
        else:
            color: ColorName = "text2" if self.isEnabled() else "disabled"
            paint.key_hint(painter, self.theme, rect, self._keys, color=color, fill=None)

    def _restyle(self) -> None:
        self.updateGeometry()
        self.update()

    # --- Events ---------------------------------------------------------------------------------------------------

    def enterEvent(self, event: QEnterEvent) -> None:
        self._hovered = True
        self.update()
        super().enterEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        self._hovered = False
        self.update()
        super().leaveEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        ring_on_focus(self.theme, self, event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        ring_off(self)


class IconButton(Button):
    """A square with an icon; `name` is its tool tip and accessible name."""

    def __init__(
        self,
        theme: Theme,
        icon: str,
        name: str,
        *,
        kind: Kind = Kind.GHOST,
        danger: bool = False,
        size: Size = Size.CONTROL,
        checkable: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(
            theme, kind=kind, danger=danger, icon=icon, size=size, checkable=checkable, tooltip=name, parent=parent
        )
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def set_name(self, name: str) -> None:
        """Another tool tip and accessible name (the button now does something else)."""
        self.setToolTip(plain_tip(name))
        self.setAccessibleName(name)

    def sizeHint(self) -> QSize:
        side = self.theme.height(self._size.value, "caption")
        return QSize(side, side)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def _padding(self) -> int:
        return 0


class SplitButton(QWidget):
    """The main action and, behind the chevron, its siblings: Generate ▾."""

    clicked = Signal()

    def __init__(
        self,
        theme: Theme,
        words: str,
        *,
        kind: Kind = Kind.PRIMARY,
        size: Size = Size.MAIN,
        keys: str = "",
        menu_name: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.main = Button(theme, words, kind=kind, size=size, keys=keys, corners=Corners.LEFT, parent=self)
        self.more = Button(theme, kind=kind, icon="chevron-down", size=size, corners=Corners.RIGHT, parent=self)
        menu_name = menu_name or tr("More ways")
        self.more.setToolTip(plain_tip(menu_name))
        self.more.setAccessibleName(menu_name)
        self.main.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusProxy(self.main)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.main, 1)
        row.addWidget(self.more)
        self._menu: QMenu | None = None
        self.main.clicked.connect(self.clicked)
        self.more.clicked.connect(self._open)
        for half in (self.main, self.more):
            half.installEventFilter(self)

    def set_menu(self, menu: QMenu) -> None:
        """What the chevron opens."""
        self._menu = menu

    def set_text(self, words: str) -> None:
        self.main.setText(words)

    def set_kind(self, kind: Kind) -> None:
        """Primary with a pod; secondary ("Add to queue") without."""
        self.main.set_kind(kind)
        self.more.set_kind(kind)

    def set_blocked(self, reason: str) -> None:
        """Disable both halves with a reason; "" enables them."""
        self.main.set_blocked(reason)
        self.more.set_blocked(reason)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        # Buttons take the arrow keys for themselves, to walk to their neighbours.
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Down:
            self._open()
            return True
        return super().eventFilter(watched, event)

    def _open(self) -> None:
        if self._menu is None or self._menu.isEmpty():
            return
        size, gap = self._menu.sizeHint(), 4
        corner = self.mapToGlobal(QPoint(self.width() - size.width(), self.height() + gap))
        if corner.y() + size.height() > self.screen().availableGeometry().bottom():
            # At the foot of a window: above the button, not over it.
            corner = self.mapToGlobal(QPoint(self.width() - size.width(), -gap - size.height()))
        self._menu.popup(corner)
        self._menu.setActiveAction(self._menu.actions()[0])
