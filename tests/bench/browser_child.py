"""A window with 5,000 workflow cards, driven by real keys and wheel turns: what test_browser_speed measures.

python browser_child.py DATA_FOLDER      prints one JSON object: milliseconds of the GUI thread
"""

import gc
import json
import os
import sys
import time
from pathlib import Path

os.environ["QT_API"] = "pyside6"

from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, Qt
from PySide6.QtGui import QImage, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from comfydesk.intent.match import understand
from comfydesk.paths import Paths
from comfydesk.qt.docks.browser import BrowserPanel
from comfydesk.qt.models.offers import Suggesting
from comfydesk.qt.theme import Appearance, Scheme, Theme
from comfydesk.qt.widgets.search_field import SearchField
from comfydesk.qt.window.desk import furnish
from comfydesk.qt.window.shell import MainWindow
from comfydesk.session.values import WorkflowEntry
from comfydesk.store.workflow_marks import Made
from comfydesk.workflow.card import RequiredModel, WorkflowCard
from comfydesk.workflow.needs import Needs

CARDS = 5000
KINDS = (("t2i", ("text",), "image"), ("i2v", ("image", "text"), "video"), ("audio", ("text",), "audio"))
WORDS = (
    "portrait",
    "landscape",
    "film",
    "anime",
    "product",
    "studio",
    "upscale",
    "relight",
    "depth",
    "pose",
    "style",
    "fast",
    "detailed",
    "long",
    "short",
)


def entries() -> tuple[WorkflowEntry, ...]:
    """As different as the official templates are: long descriptions, dozens of node types."""
    made = []
    for number in range(CARDS):
        kind, inputs, output = KINDS[number % len(KINDS)]
        name = f"{WORDS[number % 15]} {WORDS[number // 15 % 15]} {number}"
        card = WorkflowCard(
            f"card-{number}",
            name,
            " ".join(WORDS[(number + step) % 15] for step in range(40)),
            type=kind,
            input_types=inputs,
            output_types=(output,),
            required_models=(RequiredModel(f"flux-{number % 97}.safetensors", "checkpoints"),),
            node_types=tuple(f"Node{(number * 7 + step) % 300}" for step in range(25)),
        )
        made.append(WorkflowEntry(f"mine/{number}.json", name, "mine", card, Path(f"/{number}.json"), f"{number}.json"))
    return tuple(made)


clock = time.thread_time
"""Of the GUI thread alone: what else the machine does is not counted, what is painted is (Qt draws with this CPU)."""


class Paints(QObject):
    """When the list was painted last."""

    def __init__(self, watched: QObject) -> None:
        super().__init__()
        self.at = 0.0
        watched.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        done = super().eventFilter(watched, event)
        if event.type() == QEvent.Type.Paint:
            self.at = clock()
        return done


def main(folder: Path) -> dict[str, float]:
    """All of it, in one window."""
    app = QApplication([])
    theme = Theme(Appearance(Scheme.DARK, reduced_motion=True))
    theme.install(app)
    window = MainWindow(theme, Paths.under(folder))
    window.resize(1440, 900)
    window.show()
    desk = furnish(window)
    app.processEvents()
    gc.collect()
    gc.freeze()
    gc.disable()  # as in the window, where a timer collects
    browser, model, viewport = desk.browser, desk.workflows, desk.browser.list.viewport()
    paints = Paints(viewport)
    listed = entries()
    picture = folder / "made.png"
    QImage(384, 384, QImage.Format.Format_RGB32).save(str(picture))
    begun = clock()
    model.set_entries(listed)
    while paints.at < begun:
        app.processEvents()
    first = clock() - begun
    model.set_made({entry.id: Made(0, str(picture), "image", 1.0) for entry in listed})
    model.set_needs({entry.id: Needs(ready=True) for entry in listed}, "atlas")
    settle(app, 0.6)
    keys = typed(app, browser.search, browser, paints)
    settle(app, 0.3)
    frames = scrolled(app, viewport)
    browser.set_grid(True)
    settle(app, 0.5)
    tiles = scrolled(app, viewport)
    suggesting = Suggesting(model)
    suggesting.of("warm up the words")
    suggesting.of("turn this photo of a valley into a video")
    asked = [timed(lambda: suggesting.of("turn this photo of a valley into a film video")) for _ in range(50)]
    matched = [timed(lambda: understand("turn this photo of a valley into a video")) for _ in range(200)]
    found = {
        "first": first,
        "key_worst": max(keys),
        "key_middle": sorted(keys)[len(keys) // 2],
        "frame_p99": p99(frames),
        "frame_middle": sorted(frames)[len(frames) // 2],
        "tile_p99": p99(tiles),
        "suggest_worst": max(asked),
        "match_middle": sorted(matched)[100],
    }
    desk.release()
    window.close()
    return {name: round(seconds * 1000, 3) for name, seconds in found.items()}


def typed(app: QApplication, field: SearchField, listed: BrowserPanel, paints: Paints) -> list[float]:
    """Seconds of work for each key: the field, the search, the list painted anew. Of three rounds the middle one.

    The pause that typing is given to settle is cut short: nothing is done in it.
    """
    rounds = []
    for _ in range(3):
        taken = []
        for word in ("portrait", "flux-12", "node25 film", "zzz"):
            for letter in word:
                begun = clock()
                QTest.keyClicks(field.edit, letter)
                field._pause.stop()
                field._search()
                app.processEvents()
                while listed.list.isVisible() and paints.at < begun and clock() - begun < 1:
                    app.processEvents()
                taken.append(clock() - begun)
            field.clear()
            settle(app, 0.1)
        rounds.append(taken)
    return [sorted(three)[1] for three in zip(*rounds, strict=True)]


def scrolled(app: QApplication, viewport: QObject) -> list[float]:
    """Seconds for each turn of the wheel until it is painted, two screens in a second and the long way down."""
    from PySide6.QtWidgets import QWidget

    assert isinstance(viewport, QWidget)
    taken = []
    spot = QPointF(viewport.rect().center())
    for step in range(400):
        turn = -120 if step < 300 else 120
        event = QWheelEvent(
            spot, viewport.mapToGlobal(spot), QPoint(0, turn // 2), QPoint(0, turn), Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
        )  # fmt: skip
        begun = clock()
        QApplication.sendEvent(viewport, event)
        viewport.repaint()
        taken.append(clock() - begun)
        app.processEvents()
    return taken


def timed(work: object) -> float:
    assert callable(work)
    begun = clock()
    work()
    return clock() - begun


def settle(app: QApplication, seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        app.processEvents()
        time.sleep(0.002)


def p99(taken: list[float]) -> float:
    return sorted(taken)[int(len(taken) * 0.99) - 1]


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(Path(sys.argv[1]))) + "\n")
