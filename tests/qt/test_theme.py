"""The theme switches while the window runs; measures, fonts and icons follow."""

import ast
import re
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QColor, QFont, QPalette
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

import comfydesk.qt
from comfydesk.qt.theme import DARK, LIGHT, Appearance, Scheme, Theme
from comfydesk.qt.widgets.labels import Label


def test_a_switch_repaints_what_is_open(theme: Theme, qtbot: QtBot, qapp: QApplication) -> None:
    label = Label(theme, "Prompt")
    qtbot.addWidget(label)
    assert label.palette().color(QPalette.ColorRole.WindowText) == QColor(DARK.text)
    with qtbot.waitSignal(theme.changed):
        theme.apply(Appearance(Scheme.LIGHT))
    assert label.palette().color(QPalette.ColorRole.WindowText) == QColor(LIGHT.text)
    assert qapp.palette().color(QPalette.ColorRole.Window) == QColor(LIGHT.window)


def test_the_palette_is_the_designs(theme: Theme) -> None:
    palette, role = theme.palette(), QPalette.ColorRole
    for part, expected in (
        (role.Window, DARK.window), (role.Base, DARK.field), (role.AlternateBase, DARK.raised),
        (role.Button, DARK.raised), (role.Text, DARK.text), (role.PlaceholderText, DARK.text2),
        (role.Highlight, DARK.selection), (role.HighlightedText, DARK.text), (role.Accent, DARK.accent),
        (role.Link, DARK.accent), (role.ToolTipBase, DARK.popup), (role.Light, DARK.hover), (role.Mid, DARK.border),
        (role.Dark, DARK.control), (role.Shadow, DARK.canvas), (role.BrightText, DARK.danger),
    ):  # fmt: skip
        assert palette.color(QPalette.ColorGroup.Active, part) == QColor(expected), part
        assert palette.color(QPalette.ColorGroup.Inactive, part) == QColor(expected), part
    assert palette.color(QPalette.ColorGroup.Disabled, role.Text) == QColor(DARK.disabled)
    assert palette.color(QPalette.ColorGroup.Disabled, role.Base) == QColor(DARK.window)


def test_a_dock_stands_on_the_panel_colour(theme: Theme, qtbot: QtBot) -> None:
    dock = QWidget()
    qtbot.addWidget(dock)
    theme.surface(dock, "panel")
    assert dock.palette().color(QPalette.ColorRole.Window) == QColor(DARK.panel)
    theme.apply(Appearance(Scheme.LIGHT))
    assert dock.palette().color(QPalette.ColorRole.Window) == QColor(LIGHT.panel)


def test_system_follows_the_desktop(theme: Theme) -> None:
    theme.apply(Appearance(Scheme.SYSTEM))
    theme._system_changed(Qt.ColorScheme.Light)
    assert not theme.dark
    theme._system_changed(Qt.ColorScheme.Dark)
    assert theme.dark


def test_a_desktop_that_wants_contrast_gets_it(theme: Theme) -> None:
    theme._contrast_changed(Qt.ContrastPreference.HighContrast)
    assert theme.tokens.control == DARK.increased_contrast().control
    theme._contrast_changed(Qt.ContrastPreference.NoPreference)
    assert theme.tokens.control == DARK.control


def test_a_chosen_scheme_stays_whatever_the_desktop_does(theme: Theme) -> None:
    theme._system_changed(Qt.ColorScheme.Light)
    assert theme.dark


@pytest.mark.parametrize(("scale", "font_scale"), [(1.0, 1.0), (1.0, 2.0), (2.0, 1.0), (1.25, 1.5)])
def test_whatever_holds_text_is_high_enough(theme: Theme, scale: float, font_scale: float) -> None:
    theme.apply(Appearance(Scheme.DARK, scale, font_scale))
    for token in (24, 28, 36, 40):
        assert theme.height(token) >= theme.px(token)
        assert theme.height(token) >= theme.metrics("body").height() + 8
    assert theme.px(8) == round(8 * scale)


def test_scales_are_clamped_to_one_and_two(theme: Theme) -> None:
    theme.apply(Appearance(Scheme.DARK, 0.1, 9))
    assert theme.px(10) == 10
    assert theme.text_scale == 2.0


def test_labels_go_above_from_150_percent(theme: Theme) -> None:
    assert not theme.labels_above
    theme.apply(Appearance(Scheme.DARK, font_scale=1.5))
    assert theme.labels_above


def test_figures_have_one_width_and_ligatures_are_off(theme: Theme) -> None:
    metrics = theme.metrics("body")
    assert len({metrics.horizontalAdvance(figure * 10) for figure in "0123456789"}) == 1
    assert theme.font("body").featureValue(QFont.Tag("liga")) == 0


def test_an_icon_is_drawn_once_and_sharp(theme: Theme) -> None:
    one = theme.pixmap("dice", "text2", 16, 2.0)
    assert one.width() == 32
    assert one.devicePixelRatio() == 2.0
    assert theme.pixmap("dice", "text2", 16, 2.0).cacheKey() == one.cacheKey()


def test_an_icon_takes_its_colour_from_the_theme(theme: Theme) -> None:
    def ink() -> set[str]:
        image = theme.pixmap("stop", "danger", 16, 1.0).toImage()
        solid = (image.pixelColor(x, y) for x in range(16) for y in range(16))
        return {color.name() for color in solid if color.alpha() == 255}

    assert ink() == {DARK.danger}
    theme.apply(Appearance(Scheme.LIGHT))
    assert ink() == {LIGHT.danger}


def test_a_bound_icon_is_coloured_anew(theme: Theme, qapp: QApplication) -> None:
    action = QAction("New seed", qapp)
    theme.bind_icon(action, "dice")
    before = action.icon().cacheKey()
    theme.apply(Appearance(Scheme.LIGHT))
    assert action.icon().cacheKey() != before
    action.deleteLater()


def test_every_icon_can_be_drawn(theme: Theme) -> None:
    names = theme.icons.names()
    assert len(names) > 60
    for name in names:
        image = theme.pixmap(name, "text", 16, 1.0).toImage()
        drawn = sum(image.pixelColor(x, y).alpha() > 100 for x in range(16) for y in range(16))
        assert drawn >= 6, name


def test_an_unknown_icon_is_a_mistake(theme: Theme) -> None:
    with pytest.raises(KeyError):
        theme.pixmap("no-such-icon")


def test_reduced_motion_takes_no_time(theme: Theme) -> None:
    assert theme.duration(160) == 0
    theme.apply(Appearance(Scheme.DARK))
    assert theme.duration(160) == 160


def test_only_methods_listen_to_the_theme_and_the_application() -> None:
    """They outlive every window: a lambda would keep its widget for ever, and call it when Qt has deleted it."""
    folder = Path(comfydesk.qt.__file__).parent
    found = []
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call) or not ast.unparse(node.func).endswith(".connect"):
                continue
            sender = ast.unparse(node.func).removesuffix(".connect")
            lasting = sender.endswith("theme.changed") or re.match(r"(app|application|qApp|focus)\.", sender)
            if lasting and not isinstance(node.args[0], ast.Attribute):
                found.append(f"{path.relative_to(folder)}:{node.lineno}")
    assert not found
