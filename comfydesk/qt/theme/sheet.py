"""The small style sheet: what Fusion and a palette cannot say about Qt's own furniture.

Our widgets paint themselves (comfydesk/qt/widgets); this covers menus, tool tips, scroll bars, docks and bars.
"""

from collections.abc import Callable

from comfydesk.qt.theme.tokens import Tokens

_SHEET = """
QToolTip {{ background: {popup}; color: {text}; border: 1px solid {control}; padding: {p4}px {p6}px; }}
QMainWindow::separator {{ background: {border}; width: 1px; height: 1px; }}
QMainWindow::separator:hover {{ background: {accent}; }}
QSplitter::handle {{ background: {border}; }}
QMenuBar {{ background: {window}; color: {text2}; border: 0; padding: {p2}px {p8}px; }}
QMenuBar::item {{ background: transparent; padding: {p4}px {p10}px; border-radius: {p6}px; }}
QMenuBar::item:selected {{ background: {hover}; color: {text}; }}
QMenuBar::item:pressed {{ background: {pressed}; color: {text}; }}
QMenu {{ background: {popup}; color: {text}; border: 1px solid {control}; border-radius: {p8}px; padding: {p4}px; }}
QMenu::item {{ padding: {p5}px {p12}px {p5}px {p8}px; border-radius: {p4}px; }}
QMenu::item:selected {{ background: {selection}; }}
QMenu::item:disabled {{ color: {disabled}; }}
QMenu::separator {{ height: 1px; background: {border}; margin: {p4}px {p8}px; }}
QMenu::icon {{ padding-left: {p8}px; }}
QMenu::right-arrow {{ width: {p12}px; height: {p12}px; }}
QStatusBar {{ background: {window}; color: {text2}; border-top: 1px solid {border}; }}
QStatusBar::item {{ border: 0; }}
QScrollBar:vertical {{ background: transparent; width: {p10}px; margin: 0; border: 0; }}
QScrollBar:horizontal {{ background: transparent; height: {p10}px; margin: 0; border: 0; }}
QScrollBar::handle {{ background: {control}; border-radius: {p3}px; margin: {p2}px; }}
QScrollBar::handle:vertical {{ min-height: {p32}px; }}
QScrollBar::handle:horizontal {{ min-width: {p32}px; }}
QScrollBar::handle:hover, QScrollBar::handle:pressed {{ background: {disabled}; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; border: 0; background: none; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: none; }}
QAbstractScrollArea {{ border: 0; }}
QAbstractItemView {{ border: 0; outline: 0; }}
QHeaderView::section {{ background: {panel}; color: {text2}; border: 0; border-bottom: 1px solid {border};
  padding: {p4}px {p8}px; }}
"""


def style_sheet(tokens: Tokens, px: Callable[[float], int]) -> str:
    """The sheet for these colours; `px` scales a measure to device-independent pixels."""
    colors = {name: tokens.value(name) for name in (
        "popup", "text", "text2", "control", "border", "accent", "window", "panel", "hover", "pressed", "selection",
        "disabled",
    )}  # fmt: skip
    measures = {f"p{n}": px(n) for n in (2, 3, 4, 5, 6, 8, 10, 12, 32)}
    return _SHEET.format(**colors, **measures)
