"""The real window while an enhanced prompt streams in: `python -m tests.bench.enhance_child URL POD DATA_DIR VARIANTS`.

Prints JSON. URL: of an OpenAI-compatible server; POD: of a demo pod. Stalls are those of `window_child.Beat`.
"""

import asyncio
import json
import os
import sys
import time
from pathlib import Path

os.environ["QT_API"] = "pyside6"

from PySide6.QtWidgets import QApplication

from comfydesk.paths import Paths
from comfydesk.qt.app.collector import Collector
from comfydesk.qt.app.faults import Faults
from comfydesk.qt.app.headless import until
from comfydesk.qt.app.life import Life
from comfydesk.qt.theme import Appearance, Scheme, Theme
from comfydesk.qt.widgets.enhance_variant import State
from comfydesk.qt.window.desk import furnish
from comfydesk.qt.window.shell import MainWindow
from comfydesk.settings import ENHANCE, ENHANCE_ENDPOINT, ENHANCE_ENGINE, ENHANCE_VARIANTS, Settings
from comfydesk.workflow.fields import Role
from tests.bench.window_child import SIZE, Beat, connected

PROMPT = "<lora:film:0.7> a lighthouse on a (basalt cliff:1.2) above the sea at night, its beam in the haze, 35 mm film"


async def enhance(life: Life, settings: Settings, urls: tuple[str, str], variants: int) -> dict[str, float]:
    """The first time warms up (imports, fonts), the second is measured."""
    desk = await connected(life, urls[1])
    form = desk.generation.form
    assert await until(lambda: bool(form.texts()), 20)
    settings.set(ENHANCE_ENGINE, "endpoint")
    settings.set(ENHANCE_ENDPOINT, urls[0])
    settings.set(ENHANCE, True)
    settings.set(ENHANCE_VARIANTS, variants)
    form.set_value(form.form().with_role(Role.PROMPT)[0].id, PROMPT)
    desk.actions["enhance"].trigger()
    assert life.wiring is not None
    page = life.wiring.enhance.page
    assert page is not None

    def written() -> bool:
        return all(card.state is State.DONE for card in page.cards)

    assert await until(written, 60)
    await asyncio.sleep(0.5)
    beat = Beat()
    began = time.perf_counter()
    page.again.click()
    assert await until(lambda: bool(page.cards[0].told.text()), 20)  # the first words are there
    beat.start()
    assert await until(written, 60)
    await asyncio.sleep(0.3)
    results = [card.result for card in page.cards if card.result is not None]
    return beat.stop() | {
        "seconds": time.perf_counter() - began,
        "rate": sum(result.tokens_per_second for result in results),
        "complete": len(results) == variants,
    }


def run(urls: tuple[str, str], folder: Path, variants: int) -> int:
    app = QApplication([])
    app.setQuitOnLastWindowClosed(False)
    collector, faults = Collector(), Faults()
    faults.install()
    theme = Theme(Appearance(Scheme.DARK))
    theme.install(app)
    settings = Settings()
    window = MainWindow(theme, Paths.under(folder))
    window.resize(*SIZE)
    window.show()
    desk = furnish(window, settings)

    async def job(life: Life) -> int:
        sys.stdout.write(json.dumps(await enhance(life, settings, urls, variants)) + "\n")
        return 0

    try:
        return Life(desk, faults, window.paths, settings, job=job).run(app)
    finally:
        desk.release()
        collector.stop()
        faults.remove()


if __name__ == "__main__":
    sys.exit(run((sys.argv[1], sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4])))
