"""Qt's own furniture in our look: menus, tool tips, scroll bars, separators. Fusion does the rest.

A style and no style sheet: with a sheet of 25 rules on the application, Qt needs 2.7 s to switch the theme of a window
with 2,600 widgets, and a third longer to make them; this needs 30 ms. Our widgets paint themselves anyway.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPen
from PySide6.QtWidgets import (
    QAbstractScrollArea,
    QProxyStyle,
    QStyle,
    QStyleOption,
    QStyleOptionComplex,
    QStyleOptionMenuItem,
    QStyleOptionSlider,
    QStyleOptionTab,
    QWidget,
)

from comfydesk.qt.theme.tokens import ColorName

if TYPE_CHECKING:
    from comfydesk.qt.theme.theme import Theme

_Metric = QStyle.PixelMetric
_Primitive = QStyle.PrimitiveElement
_Control = QStyle.ControlElement
_Sub = QStyle.SubControl
_State = QStyle.StateFlag
_Draw = Callable[[QStyleOption, QPainter], None]


def _nothing(_option: QStyleOption, _painter: QPainter) -> None:
    """Not drawn at all."""


class Style(QProxyStyle):
    """Asks the theme for every colour and measure; `measure` after each switch."""

    def __init__(self, theme: "Theme") -> None:
        super().__init__("Fusion")
        self._theme = theme
        self._metrics: dict[QStyle.PixelMetric, int] = {}
        self._primitives: dict[QStyle.PrimitiveElement, _Draw] = {
            _Primitive.PE_PanelMenu: self._menu_panel,
            _Primitive.PE_FrameMenu: _nothing,
            _Primitive.PE_PanelTipLabel: self._tip,
            _Primitive.PE_IndicatorDockWidgetResizeHandle: self._separator,
            _Primitive.PE_PanelMenuBar: self._window,
            _Primitive.PE_PanelStatusBar: self._status_bar,
            _Primitive.PE_FrameStatusBarItem: _nothing,
            _Primitive.PE_FrameFocusRect: _nothing,
            _Primitive.PE_FrameDockWidget: _nothing,
            _Primitive.PE_FrameTabBarBase: _nothing,
        }
        self._controls: dict[QStyle.ControlElement, _Draw] = {
            _Control.CE_MenuItem: self._menu_item,
            _Control.CE_MenuBarItem: self._menu_bar_item,
            _Control.CE_MenuBarEmptyArea: self._window,
            _Control.CE_MenuEmptyArea: _nothing,
            _Control.CE_Splitter: self._separator,
            _Control.CE_TabBarTabShape: self._tab_shape,
            _Control.CE_TabBarTabLabel: self._tab_label,
        }
        self.measure()

    def measure(self) -> None:
        """The user's scale is new."""
        px = self._theme.px
        self._metrics = {
            _Metric.PM_ScrollBarExtent: px(10),
            _Metric.PM_ScrollBarSliderMin: px(32),
            _Metric.PM_DockWidgetSeparatorExtent: 1,
            _Metric.PM_SplitterWidth: 1,
            _Metric.PM_MenuPanelWidth: 1,
            _Metric.PM_MenuHMargin: px(4),
            _Metric.PM_MenuVMargin: px(4),
            _Metric.PM_SubMenuOverlap: -px(2),
            _Metric.PM_MenuBarPanelWidth: 0,
            _Metric.PM_MenuBarHMargin: px(8),
            _Metric.PM_MenuBarVMargin: px(2),
            _Metric.PM_MenuBarItemSpacing: 0,
            _Metric.PM_ToolTipLabelFrameWidth: px(6),
            _Metric.PM_FocusFrameHMargin: px(4),
            _Metric.PM_FocusFrameVMargin: px(4),
        }

    # --- Measures -------------------------------------------------------------------------------------------------

    def pixelMetric(
        self, metric: QStyle.PixelMetric, option: QStyleOption | None = None, widget: QWidget | None = None
    ) -> int:
        own = self._metrics.get(metric)
        if own is not None:
            return own
        if metric is _Metric.PM_DefaultFrameWidth and isinstance(widget, QAbstractScrollArea):
            return 0
        return super().pixelMetric(metric, option, widget)

    def sizeFromContents(
        self, kind: QStyle.ContentsType, option: QStyleOption, size: QSize, widget: QWidget | None = None
    ) -> QSize:
        px = self._theme.px
        if kind is QStyle.ContentsType.CT_MenuItem and isinstance(option, QStyleOptionMenuItem):
            if option.menuItemType == QStyleOptionMenuItem.MenuItemType.Separator:
                return QSize(px(8), px(9))
            return QSize(size.width() + px(8 + 24 + 24 + 16), self._theme.height(28))
        if kind is QStyle.ContentsType.CT_TabBarTab and isinstance(option, QStyleOptionTab):
            words = self._theme.metrics("label").horizontalAdvance(option.text)
            return QSize(words + 2 * px(12), self._theme.height(28, "label"))
        if kind is QStyle.ContentsType.CT_MenuBarItem:
            return QSize(size.width() + 2 * px(9), self._theme.height(28))
        return super().sizeFromContents(kind, option, size, widget)  # type: ignore[arg-type]  # may be None in Qt

    def subControlRect(
        self,
        control: QStyle.ComplexControl,
        option: QStyleOptionComplex,
        part: QStyle.SubControl,
        widget: QWidget | None = None,
    ) -> QRect:
        if control is QStyle.ComplexControl.CC_ScrollBar and isinstance(option, QStyleOptionSlider):
            return self._scroll_bar_part(option, part)
        return super().subControlRect(control, option, part, widget)  # type: ignore[arg-type]  # may be None in Qt

    def _scroll_bar_part(self, option: QStyleOptionSlider, part: QStyle.SubControl) -> QRect:
        """Without arrows: the groove is all of it."""
        area: QRect = option.rect
        across = option.orientation == Qt.Orientation.Horizontal
        length = area.width() if across else area.height()
        span = max(0, option.maximum - option.minimum)
        handle = length
        if span:
            handle = min(length, max(self._theme.px(32), length * option.pageStep // max(1, span + option.pageStep)))
        start = QStyle.sliderPositionFromValue(
            option.minimum, option.maximum, option.sliderPosition, length - handle, option.upsideDown
        )

        def along(first: int, size: int) -> QRect:
            if across:
                return QRect(area.left() + first, area.top(), size, area.height())
            return QRect(area.left(), area.top() + first, area.width(), size)

        parts = {
            _Sub.SC_ScrollBarSlider: along(start, handle),
            _Sub.SC_ScrollBarSubPage: along(0, start),
            _Sub.SC_ScrollBarAddPage: along(start + handle, length - start - handle),
            _Sub.SC_ScrollBarGroove: QRect(area),
        }
        return parts.get(part, QRect())

    # --- Drawing --------------------------------------------------------------------------------------------------

    def drawPrimitive(
        self,
        element: QStyle.PrimitiveElement,
        option: QStyleOption,
        painter: QPainter,
        widget: QWidget | None = None,
    ) -> None:
        draw = self._primitives.get(element)
        if draw is None:
            super().drawPrimitive(element, option, painter, widget)
        else:
            draw(option, painter)

    def drawControl(
        self, element: QStyle.ControlElement, option: QStyleOption, painter: QPainter, widget: QWidget | None = None
    ) -> None:
        draw = self._controls.get(element)
        if draw is not None:
            draw(option, painter)
        elif element is not _Control.CE_ShapedFrame or not isinstance(widget, QAbstractScrollArea):
            super().drawControl(element, option, painter, widget)

    def drawComplexControl(  # noqa: N802  # Qt's name
        self,
        control: QStyle.ComplexControl,
        option: QStyleOptionComplex,
        painter: QPainter,
        widget: QWidget | None = None,
    ) -> None:
        if control is QStyle.ComplexControl.CC_ScrollBar and isinstance(option, QStyleOptionSlider):
            self._scroll_bar(option, painter)
        else:
            super().drawComplexControl(control, option, painter, widget)

    def _scroll_bar(self, option: QStyleOptionSlider, painter: QPainter) -> None:
        painter.fillRect(option.rect, option.palette.window())
        if option.maximum <= option.minimum:
            return
        held = bool(option.activeSubControls & _Sub.SC_ScrollBarSlider) and bool(
            option.state & (_State.State_MouseOver | _State.State_Sunken)
        )
        inset = self._theme.px(2)
        handle = self._scroll_bar_part(option, _Sub.SC_ScrollBarSlider).adjusted(inset, inset, -inset, -inset)
        radius = min(handle.width(), handle.height()) / 2
        self._box(painter, handle, radius, "disabled" if held else "control")

    def _menu_panel(self, option: QStyleOption, painter: QPainter) -> None:
        self._box(painter, option.rect, self._theme.px(8), "popup", "control")

    def _tip(self, option: QStyleOption, painter: QPainter) -> None:
        painter.fillRect(option.rect, self._color("popup"))
        self._box(painter, option.rect, 0, None, "control")

    def _window(self, option: QStyleOption, painter: QPainter) -> None:
        painter.fillRect(option.rect, self._color("window"))

    def _status_bar(self, option: QStyleOption, painter: QPainter) -> None:
        painter.fillRect(option.rect, self._color("window"))
        painter.fillRect(QRect(option.rect.topLeft(), QSize(option.rect.width(), 1)), self._color("border"))

    def _separator(self, option: QStyleOption, painter: QPainter) -> None:
        over = bool(option.state & _State.State_MouseOver)
        painter.fillRect(option.rect, self._color("accent" if over else "border"))

    def _tab_shape(self, option: QStyleOption, painter: QPainter) -> None:
        """Docks that share a place: flat words, the accent under the one that is shown."""
        shown, over = bool(option.state & _State.State_Selected), bool(option.state & _State.State_MouseOver)
        painter.fillRect(option.rect, self._color("panel" if shown else "hover" if over else "window"))
        if shown:
            high = self._theme.px(2)
            line = QRect(option.rect.left(), option.rect.bottom() + 1 - high, option.rect.width(), high)
            painter.fillRect(line, self._color("accent"))
        if option.state & _State.State_HasFocus:
            self._box(painter, option.rect.adjusted(1, 1, -1, -1), self._theme.px(4), None, "accent")

    def _tab_label(self, option: QStyleOption, painter: QPainter) -> None:
        if isinstance(option, QStyleOptionTab):
            painter.setFont(self._theme.font("label"))
            painter.setPen(self._color("text" if option.state & _State.State_Selected else "text2"))
            painter.drawText(option.rect, int(Qt.AlignmentFlag.AlignCenter), option.text)

    def _menu_bar_item(self, option: QStyleOption, painter: QPainter) -> None:
        if not isinstance(option, QStyleOptionMenuItem):
            return
        painter.fillRect(option.rect, self._color("window"))
        chosen, down = bool(option.state & _State.State_Selected), bool(option.state & _State.State_Sunken)
        if chosen:
            inset = self._theme.px(2)
            surface: ColorName = "pressed" if down else "hover"
            self._box(painter, option.rect.adjusted(0, inset, 0, -inset), self._theme.px(6), surface)
        painter.setFont(self._theme.font("body"))
        painter.setPen(self._color("text" if chosen else "text2"))
        flags = int(Qt.AlignmentFlag.AlignCenter) | int(Qt.TextFlag.TextHideMnemonic)
        painter.drawText(option.rect, flags, option.text)

    def _menu_item(self, option: QStyleOption, painter: QPainter) -> None:
        if not isinstance(option, QStyleOptionMenuItem):
            return
        px, area = self._theme.px, QRect(option.rect)
        if option.menuItemType == QStyleOptionMenuItem.MenuItemType.Separator:
            line = QRect(area.left() + px(8), area.center().y(), area.width() - 2 * px(8), 1)
            painter.fillRect(line, self._color("border"))
            return
        enabled = bool(option.state & _State.State_Enabled)
        if enabled and option.state & _State.State_Selected:
            self._box(painter, area, px(4), "selection")
        self._menu_mark(option, painter, QRect(area.left() + px(8), area.top(), px(16), area.height()), enabled=enabled)
        words, _, keys = option.text.partition("\t")
        room = area.adjusted(px(8 + 24), 0, -px(12), 0)
        flags = int(Qt.AlignmentFlag.AlignVCenter) | int(Qt.TextFlag.TextHideMnemonic)
        painter.setFont(self._theme.font("body"))
        painter.setPen(self._color("text" if enabled else "disabled"))
        painter.drawText(room, flags, words)
        if keys:
            painter.setPen(self._color("text2" if enabled else "disabled"))
            painter.drawText(room, flags | int(Qt.AlignmentFlag.AlignRight), keys)
        if option.menuItemType == QStyleOptionMenuItem.MenuItemType.SubMenu:
            corner = QPoint(area.right() - px(20), area.center().y() - px(8) + 1)
            painter.drawPixmap(corner, self._theme.pixmap("chevron-right", ratio=_ratio(painter)))

    def _menu_mark(self, option: QStyleOptionMenuItem, painter: QPainter, spot: QRect, *, enabled: bool) -> None:
        """The tick of a checked entry, else its icon."""
        corner = QPoint(spot.left(), spot.center().y() - self._theme.px(8) + 1)
        if option.checkType != QStyleOptionMenuItem.CheckType.NotCheckable and option.checked:
            painter.drawPixmap(corner, self._theme.pixmap("check-small", "accent", ratio=_ratio(painter)))
        elif not option.icon.isNull():
            mode = QIcon.Mode.Normal if enabled else QIcon.Mode.Disabled
            size = QSize(self._theme.px(16), self._theme.px(16))
            painter.drawPixmap(corner, option.icon.pixmap(size, _ratio(painter), mode))

    def _box(
        self,
        painter: QPainter,
        rect: QRect,
        radius: float,
        fill: ColorName | None = None,
        outline: ColorName | None = None,
    ) -> None:
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self._color(outline), 1) if outline else Qt.PenStyle.NoPen)
        painter.setBrush(self._color(fill) if fill else Qt.BrushStyle.NoBrush)
        inset = 0.5 if outline else 0.0
        painter.drawRoundedRect(QRectF(rect).adjusted(inset, inset, -inset, -inset), radius, radius)
        painter.restore()

    def _color(self, name: ColorName) -> QColor:
        return self._theme.color(name)


def _ratio(painter: QPainter) -> float:
    return painter.device().devicePixelRatioF()
