"""The whole window, furnished, with every page and sheet: names, the Tab key, and words at twice their size."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QComboBox,
    QLabel,
    QLineEdit,
    QMenu,
    QPlainTextEdit,
    QScrollBar,
    QTextEdit,
    QWidget,
)
from pytestqt.qtbot import QtBot

from comfydesk.paths import Paths
from comfydesk.qt.dialogs.about import AboutDialog
from comfydesk.qt.dialogs.batch import BatchPage
from comfydesk.qt.dialogs.export import ExportPage
from comfydesk.qt.dialogs.importing import ImportSheet, SkippedSheet
from comfydesk.qt.dialogs.job_error import JobErrorPage
from comfydesk.qt.dialogs.llm_models import LlmModelsPage
from comfydesk.qt.dialogs.mask import MaskPage
from comfydesk.qt.dialogs.missing_models import MissingSheet
from comfydesk.qt.dialogs.name import NameSheet
from comfydesk.qt.dialogs.pod_outputs import PodOutputsPage
from comfydesk.qt.dialogs.pods.connect import ConnectSheet
from comfydesk.qt.dialogs.pods.profiles import ProfilesSheet
from comfydesk.qt.dialogs.pods.system import SystemSheet
from comfydesk.qt.dialogs.pods.welcome import WelcomeSheet
from comfydesk.qt.dialogs.report import ReportDialog
from comfydesk.qt.theme import Appearance, ColorName, Scheme, Theme, contrast
from comfydesk.qt.widgets.page import Page
from comfydesk.qt.window.desk import Desk, furnish
from comfydesk.qt.window.diagnostics import versions
from comfydesk.qt.window.shell import MainWindow
from comfydesk.session.pods.paste import Suggestion
from comfydesk.workflow.needs import MissingModel, Needs
from tests.qt.strays import no_strays

CONTROLS = (
    QAbstractButton, QAbstractItemView, QAbstractSlider, QComboBox, QLineEdit, QPlainTextEdit, QTextEdit,
)  # fmt: skip


def settings(desk: Desk) -> QWidget:
    desk.options.open()
    return desk.window


def keyboard(desk: Desk) -> QWidget:
    desk.options.open_keyboard()
    return desk.window


def cheat_sheet(desk: Desk) -> QWidget:
    desk.options.open_sheet()
    return desk.window


def page(make: Callable[[Theme], Page]) -> Callable[[Desk], QWidget]:
    def opened(desk: Desk) -> QWidget:
        made = make(desk.theme)
        made.hide()
        desk.pages.open(made)
        return desk.window

    return opened


def dialog(make: Callable[[Desk], QWidget]) -> Callable[[Desk], QWidget]:
    def opened(desk: Desk) -> QWidget:
        made = make(desk)
        made.show()
        return made

    return opened


def palette(desk: Desk) -> QWidget:
    desk.palette.open()
    assert desk.palette.popup is not None
    return desk.palette.popup


def workspace(name: str) -> Callable[[Desk], QWidget]:
    def opened(desk: Desk) -> QWidget:
        desk.workspaces.show(name)
        return desk.window

    return opened


def missing(theme: Theme) -> Page:
    sheet = MissingSheet(theme)
    model = MissingModel("flux1-dev.safetensors", "diffusion_models", suggestion="flux1-schnell.safetensors")
    needs = Needs(ready=False, missing_models=(model,), missing_nodes=("VHS_VideoCombine",))
    sheet.show_needs("Text to image", "studio", needs)
    return sheet


def models(desk: Desk) -> QWidget:
    desk.browser.tabs.button(1).click()
    return desk.window


SCREENS: dict[str, Callable[[Desk], QWidget]] = {
    "create": workspace("create"),
    "library": workspace("library"),
    "compare": workspace("compare"),
    "settings": settings,
    "keyboard": keyboard,
    "cheat sheet": cheat_sheet,
    "palette": palette,
    "welcome": page(WelcomeSheet),
    "connect": page(lambda theme: ConnectSheet(theme, lambda words: Suggestion(None, words))),
    "pods": page(ProfilesSheet),
    "system": page(SystemSheet),
    "about": dialog(lambda desk: AboutDialog(desk.theme, versions(), desk.diagnostics, desk.window)),
    "report": dialog(lambda desk: ReportDialog(desk.theme, "Traceback\nError: x", desk.window)),
    "name": dialog(lambda desk: NameSheet(desk.theme, "Save layout", "Name", desk.window)),
}
NEWER: dict[str, Callable[[Desk], QWidget]] = {
    "batch": page(BatchPage),
    "export": page(lambda theme: ExportPage(theme, Path("/pictures"))),
    "mask": page(MaskPage),
    "missing": page(missing),
    "job error": page(JobErrorPage),
    "on the pod": page(PodOutputsPage),
    "language models": page(LlmModelsPage),
    "import": dialog(lambda desk: ImportSheet(desk.theme, Path("/pictures"), Path("/library"), desk.window)),
    "not imported": dialog(lambda desk: SkippedSheet(desk.theme, [("a.png", "It is empty.")], 1, desk.window)),
    "models": models,
}
"""Opened one after the other in one window: making one takes most of the time."""


@pytest.fixture
def desk(qtbot: QtBot, theme: Theme, tmp_path: Path) -> Iterator[Desk]:
    window = MainWindow(theme, Paths.under(tmp_path))
    window.resize(1440, 900)
    window.show()
    made = furnish(window)
    yield made
    window.close()
    made.release()
    window.deleteLater()


def settled(screen: QWidget) -> QWidget:
    for _ in range(3):
        QGuiApplication.processEvents()
    return screen


def controls(screen: QWidget) -> list[QWidget]:
    """What the user can do something with, and sees."""
    found = [widget for widget in screen.findChildren(QWidget) if isinstance(widget, CONTROLS)]
    return [
        widget for widget in found if widget.isVisible() and not isinstance(widget, QScrollBar) and not _inner(widget)
    ]


def _inner(widget: QWidget) -> bool:
    """A part of Qt's own that no one meets by itself."""
    return isinstance(widget.parentWidget(), QComboBox | QMenu) or widget.objectName().startswith("qt_")


def told(widget: QWidget) -> str:
    """The widget for the message of a failure."""
    parents: list[str] = []
    above = widget.parentWidget()
    while above is not None and len(parents) < 4:
        parents.append(type(above).__name__)
        above = above.parentWidget()
    words = widget.accessibleName() or (widget.text() if isinstance(widget, QAbstractButton | QLabel) else "")
    return f"{type(widget).__name__} {words!r} in {' < '.join(parents)}"


@pytest.mark.parametrize("name", SCREENS)
def test_every_control_has_a_name(desk: Desk, name: str) -> None:
    with no_strays():
        screen = settled(SCREENS[name](desk))
    assert controls(screen)
    assert nameless(screen) == []


def nameless(screen: QWidget) -> list[str]:
    """Controls that a screen reader could not call anything."""
    return [
        told(widget)
        for widget in controls(screen)
        if not (widget.accessibleName() or (isinstance(widget, QAbstractButton) and widget.text()))
    ]


@pytest.mark.parametrize("name", SCREENS)
def test_every_control_is_reached_with_the_tab_key(desk: Desk, name: str, qtbot: QtBot) -> None:
    screen = settled(SCREENS[name](desk))
    screen.window().activateWindow()
    qtbot.waitUntil(screen.window().isActiveWindow)
    assert missed(screen) == []


def missed(screen: QWidget) -> list[str]:
    """Controls that the Tab key does not come to."""
    top = screen.window()
    reached: list[QWidget] = []
    controls(screen)[0].setFocus()
    start = focus_of(top)
    for _ in range(400):
        focused = focus_of(top)
        if focused is None or (focused in reached and focused is start):
            break
        reached.append(focused)
        QTest.keyClick(focused, Qt.Key.Key_Tab)
    return [
        told(control)
        for control in controls(screen)
        if control.isEnabled() and control not in reached and _alone(control)
    ]


def focus_of(window: QWidget) -> QWidget | None:
    """What has the keyboard there; the stub forgets that nothing may have it."""
    return window.focusWidget()


def _alone(control: QWidget) -> bool:
    """Nothing else does the same by the keyboard: a list that its search line moves in, the steppers of a number,
    one of several segments (arrow keys), a field that hands its focus on."""
    if control.focusPolicy() is Qt.FocusPolicy.NoFocus:
        above = control.parentWidget()
        near = [] if above is None else above.findChildren(QLineEdit)
        return not near
    group = control.group() if isinstance(control, QAbstractButton) else None
    return group is None or not group.exclusive()


def clipped(screen: QWidget) -> list[str]:
    """Words that have less room than they need."""
    found = []
    for label in screen.findChildren(QLabel):
        if not label.isVisible() or not label.text() or label.width() <= 1:
            continue
        if label.wordWrap():
            if label.height() + 2 < label.heightForWidth(label.width()):
                found.append(told(label))
        elif label.width() + 2 < label.sizeHint().width() or label.height() + 2 < label.sizeHint().height():
            found.append(told(label))
    for button in screen.findChildren(QAbstractButton):
        least = button.minimumSizeHint()
        if not button.isVisible() or not least.isValid():
            continue
        if button.height() + 1 < least.height() or (button.text() and button.width() + 1 < least.width()):
            found.append(told(button))
    return found


@pytest.mark.parametrize("name", SCREENS)
def test_nothing_is_clipped_when_words_are_twice_as_large(desk: Desk, theme: Theme, name: str) -> None:
    theme.apply(Appearance(Scheme.DARK, 1.0, 2.0, reduced_motion=True))
    desk.window.resize(1600, 1000)
    screen = settled(SCREENS[name](desk))
    QTest.qWait(30)
    assert clipped(screen) == []


def test_newer_screens_are_named_reached_and_whole(desk: Desk, theme: Theme, qtbot: QtBot) -> None:
    found: dict[str, list[str]] = {}
    for scale in (1.0, 2.0):
        theme.apply(Appearance(Scheme.DARK, 1.0, scale, reduced_motion=True))
        desk.window.resize(1600, 1000)
        for name, opened in NEWER.items():
            with no_strays():
                screen = settled(opened(desk))
            if scale == 1.0:
                screen.window().activateWindow()
                qtbot.waitUntil(screen.window().isActiveWindow)
                found[name] = nameless(screen) + missed(screen)
            else:
                QTest.qWait(30)
                found[f"{name}, words twice as large"] = clipped(screen)
            if screen.window() is not desk.window:
                screen.close()
            desk.pages.close()
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


@pytest.mark.parametrize("name", ["create", "settings", "cheat sheet", "about"])
def test_nothing_is_clipped_when_everything_is_twice_as_large(desk: Desk, theme: Theme, name: str) -> None:
    theme.apply(Appearance(Scheme.LIGHT, 2.0, reduced_motion=True))
    desk.window.resize(1920, 1200)
    screen = settled(SCREENS[name](desk))
    QTest.qWait(30)
    assert clipped(screen) == []


@pytest.mark.parametrize("scheme", [Scheme.DARK, Scheme.LIGHT])
@pytest.mark.parametrize("increased", [False, True])
def test_words_stand_out_from_what_they_stand_on(theme: Theme, scheme: Scheme, increased: bool) -> None:
    theme.apply(Appearance(scheme, increased_contrast=increased, reduced_motion=True))
    surfaces: tuple[ColorName, ...] = ("canvas", "window", "panel", "raised", "hover", "field", "popup", "selection")
    inks: tuple[ColorName, ...] = ("text", "text2", "accent", "success", "warning", "danger")
    for surface in surfaces:
        for ink in inks:
            ratio = contrast(theme.tokens.value(ink), theme.tokens.value(surface))
            assert ratio >= 4.5, f"{ink} on {surface}: {ratio:.2f}"


@pytest.mark.parametrize("scheme", [Scheme.DARK, Scheme.LIGHT])
def test_outlines_stand_out_too_where_more_contrast_is_wanted(theme: Theme, scheme: Scheme) -> None:
    theme.apply(Appearance(scheme, increased_contrast=True, reduced_motion=True))
    surfaces: tuple[ColorName, ...] = ("window", "panel", "raised", "field", "popup")
    for surface in surfaces:
        assert contrast(theme.tokens.value("control"), theme.tokens.value(surface)) >= 3.0, surface


def test_the_keyboards_place_is_seen(desk: Desk, qtbot: QtBot) -> None:
    desk.window.activateWindow()
    qtbot.waitUntil(desk.window.isActiveWindow)
    commands, _ = desk.window.top.corner._parts[-1]
    around = commands.geometry().adjusted(-6, -2, 6, 2).translated(desk.window.top.corner.pos())
    before = desk.window.grab(around).toImage()
    commands.setFocus(Qt.FocusReason.TabFocusReason)
    settled(desk.window)
    assert desk.window.grab(around).toImage() != before


def test_with_reduced_motion_nothing_takes_time(desk: Desk, theme: Theme) -> None:
    theme.apply(Appearance(Scheme.DARK, reduced_motion=True))
    desk.options.open()
    assert desk.pages._glide is None
    toast = desk.toasts.tell("Saved")
    assert toast.graphicsEffect() is None
