"""The window fits its screen at every scale, and every panel comes back exactly as large as it was left."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, QSize, Qt
from PySide6.QtGui import QMouseEvent, QScreen
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from comfydesk.paths import Paths, resources
from comfydesk.qt.theme import Appearance, Scheme, Theme
from comfydesk.qt.theme.translator import Catalogue, read_words
from comfydesk.qt.window.desk import Desk, furnish
from comfydesk.qt.window.shell import MainWindow


@pytest.fixture
def desk(qtbot: QtBot, theme: Theme, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Desk]:
    size = getattr(request, "param", (1440, 900))
    window = MainWindow(theme, Paths.under(tmp_path))
    window.resize(*size)
    window.show()
    made = furnish(window)
    settle()
    yield made
    window.close()
    made.release()
    window.deleteLater()


def settle() -> None:
    """Layouts ask for each other's sizes in turns; it is over when nothing is posted any more."""
    for _ in range(5):
        QApplication.processEvents()


def scale(desk: Desk, factor: float) -> None:
    desk.theme.apply(Appearance(Scheme.DARK, factor, reduced_motion=True))
    settle()


def least_size(desk: Desk) -> QSize:
    """What the window's parts need together, whatever the window was told."""
    layout = desk.window.layout()
    assert layout is not None
    return layout.totalMinimumSize()


def sizes(desk: Desk) -> dict[str, tuple[int, int]]:
    shown = [dock for dock in desk.window.places.docks() if not dock.isHidden()]
    return {dock.objectName(): (dock.width(), dock.height()) for dock in shown}


@pytest.mark.parametrize("desk", [(1280, 720), (1440, 900)], indirect=True)
@pytest.mark.parametrize("factor", [1.0, 1.25, 1.5, 2.0])
def test_the_window_is_never_larger_than_it_was_because_the_words_are(desk: Desk, factor: float) -> None:
    before = desk.window.size()
    scale(desk, factor)
    assert desk.window.size() == before
    least = least_size(desk)
    assert (least.width() <= before.width(), least.height() <= before.height()) == (True, True), least


def test_a_german_window_fits_too(desk: Desk, qapp: QApplication, qtbot: QtBot, tmp_path: Path) -> None:
    catalogue = Catalogue(read_words(resources() / "i18n" / "de.json"), qapp)
    qapp.installTranslator(catalogue)
    try:
        window = MainWindow(desk.theme, Paths.under(tmp_path / "german"))
        window.resize(1280, 720)
        window.show()
        german = furnish(window)
        for factor in (1.0, 1.5, 2.0):
            scale(german, factor)
            least = least_size(german)
            assert (least.width() <= 1280, least.height() <= 720) == (True, True), (factor, least)
        window.close()
        german.release()
        window.deleteLater()
    finally:
        qapp.removeTranslator(catalogue)


def test_panels_come_back_exactly_after_a_change_of_scale(desk: Desk) -> None:
    before = sizes(desk)
    for factor in (1.25, 1.5, 1.1, 2.0, 1.75, 1.0):
        scale(desk, factor)
    assert (sizes(desk), desk.window.size()) == (before, QSize(1440, 900))


def test_panels_come_back_exactly_from_the_other_workspaces(desk: Desk) -> None:
    drag(desk, 40)
    before = sizes(desk)
    assert before["browser"][0] == 312
    for name in ("compare", "library", "compare", "create"):
        desk.workspaces.show(name)
        settle()
    assert sizes(desk) == before


def test_what_a_hand_made_wider_stays_as_wide_at_every_scale(desk: Desk) -> None:
    drag(desk, 40)
    scale(desk, 1.25)
    assert sizes(desk)["browser"][0] == round(312 * 1.25)
    scale(desk, 1.0)
    assert sizes(desk)["browser"][0] == 312


def test_sizes_are_there_again_at_the_next_start(desk: Desk, qtbot: QtBot, theme: Theme) -> None:
    drag(desk, 24)
    before = sizes(desk)
    desk.window.places.save()
    second = MainWindow(theme, desk.paths)
    second.resize(1440, 900)
    second.show()
    other = furnish(second)
    settle()
    assert sizes(other) == before
    second.close()
    other.release()
    second.deleteLater()


def test_without_room_for_two_sides_they_share_one_place_and_part_again(desk: Desk) -> None:
    window = desk.window
    assert window.tabifiedDockWidgets(window.browser_dock) == []
    scale(desk, 2.0)
    assert window.tabifiedDockWidgets(window.browser_dock) == [window.generation_dock]
    assert not window.generation_dock.visibleRegion().isEmpty(), "the form is in front"
    desk.actions["find"].trigger()
    settle()
    assert not window.browser_dock.visibleRegion().isEmpty(), "what was asked for comes to the front"
    desk.actions["prompt"].trigger()
    settle()
    assert not window.generation_dock.visibleRegion().isEmpty()
    scale(desk, 1.0)
    assert window.tabifiedDockWidgets(window.browser_dock) == []


def test_outputs_and_queue_give_way_in_a_low_window_and_take_it_back(desk: Desk) -> None:
    before = sizes(desk)
    desk.window.resize(1440, 640)
    settle()
    assert sizes(desk)["queue"][1] < before["queue"][1]
    desk.window.resize(1440, 900)
    settle()
    assert sizes(desk) == before


def test_a_title_without_room_offers_its_filters_as_a_menu(desk: Desk) -> None:
    panel = desk.gallery
    assert (panel.filters.isHidden(), panel.filter_menu.isHidden()) == (False, True)
    scale(desk, 1.5)
    assert (panel.filters.isHidden(), panel.filter_menu.isHidden()) == (True, False)
    wanted: list[object] = []
    panel.narrowed.connect(wanted.append)
    panel.filter_menu.click()
    panel._menu.actions()[2].trigger()
    panel._menu.close()
    assert panel.filters.current() == 2
    assert len(wanted) == 1


def test_it_begins_no_larger_than_the_screen(theme: Theme, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QScreen, "availableSize", lambda _self: QSize(1280, 720))
    theme.apply(Appearance(Scheme.DARK, 2.0, reduced_motion=True))
    window = MainWindow(theme, Paths.under(tmp_path))
    window.show()
    desk = furnish(window)
    settle()
    assert (window.width() <= 1280, window.height() <= 720) == (True, True), window.size()
    window.close()
    desk.release()
    window.deleteLater()


def drag(desk: Desk, by: int) -> None:
    """The separator beside the browser, with the left button held: QTest's own moves hold none."""
    window, dock = desk.window, desk.window.browser_dock
    spot = QPoint(dock.geometry().right() + 1, dock.geometry().center().y())
    left, none, kind = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton, QEvent.Type
    for what, at, button, held in (
        (kind.MouseButtonPress, spot, left, left),
        (kind.MouseMove, spot + QPoint(by // 2, 0), none, left),
        (kind.MouseMove, spot + QPoint(by, 0), none, left),
        (kind.MouseButtonRelease, spot + QPoint(by, 0), left, none),
    ):
        place, there = QPointF(at), QPointF(window.mapToGlobal(at))
        event = QMouseEvent(what, place, there, button, held, Qt.KeyboardModifier.NoModifier)
        QApplication.sendEvent(window, event)
        settle()


@pytest.mark.parametrize("desk", [(1280, 720), (1440, 900), (800, 600)], indirect=True)
@pytest.mark.parametrize("factor", [1.0, 2.0])
def test_a_window_that_nobody_touches_is_not_laid_out_again(desk: Desk, qtbot: QtBot, factor: float) -> None:
    """Also where the sizes that are wanted cannot be had: asking for them once more would never end."""
    scale(desk, factor)
    qtbot.wait(300)
    asked: list[QEvent.Type] = []

    class Counter(QObject):
        def eventFilter(self, watched: QObject, event: QEvent) -> bool:
            if event.type() == QEvent.Type.LayoutRequest:
                asked.append(event.type())
            return False

    counter = Counter()
    desk.window.installEventFilter(counter)
    qtbot.wait(300)
    desk.window.removeEventFilter(counter)
    assert len(asked) <= 2
