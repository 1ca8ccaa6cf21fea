"""A window on a folder of its own, in a process that is killed: `work` does something, `look` says what is there.

python tests/qt/killed_child.py work|look FOLDER
"""

import asyncio
import json
import os
import sys
from pathlib import Path

os.environ["QT_QPA_PLATFORM"] = "offscreen"
os.environ["QT_API"] = "pyside6"

from PySide6.QtWidgets import QApplication

from comfydesk.paths import Paths
from comfydesk.qt.app.collector import Collector
from comfydesk.qt.app.faults import Faults
from comfydesk.qt.app.headless import until
from comfydesk.qt.app.life import Life
from comfydesk.qt.theme import Appearance, Scheme, Theme
from comfydesk.qt.window.desk import furnish
from comfydesk.qt.window.shell import MainWindow
from comfydesk.settings import FILE_NAME, SCALE, Settings
from comfydesk.wishes import Wish
from comfydesk.workflow.fields import Role


async def work(life: Life) -> int:
    """Type a prompt, hide a panel, change a setting, go to the library, and wait to be killed."""
    desk = life.desk
    assert await until(lambda: desk.generation.workflow is not None and bool(desk.generation.form.form().fields), 20)
    assert life.wiring is not None
    form = desk.generation.form
    prompt = form.form().with_role(Role.PROMPT)[0].id
    part = form.prompt_part()
    assert part is not None
    part.prompt.set_value("a whale above the harbour")
    part.prompt.value_changed.emit("a whale above the harbour")
    desk.window.browser_dock.hide()
    desk.preferences.set(SCALE, 110)
    desk.workspaces.show("library")
    await asyncio.sleep(3.5)
    print(json.dumps({"ready": True, "field": prompt}), flush=True)
    await asyncio.sleep(60)
    return 0


async def look(life: Life) -> int:
    """Say what came back."""
    desk = life.desk
    first = desk.workspaces.current
    desk.workspaces.show("create")
    await until(lambda: desk.generation.workflow is not None and bool(desk.generation.form.form().fields), 20)
    form = desk.generation.form
    prompts = form.form().with_role(Role.PROMPT)
    found = {
        "workspace": first,
        "browser": desk.window.browser_dock.isVisible(),
        "prompt": form.values().get(prompts[0].id) if prompts else "",
        "scale": desk.preferences.get(SCALE),
    }
    print(json.dumps(found), flush=True)
    return 0


def main() -> int:
    app = QApplication([])
    app.setQuitOnLastWindowClosed(False)
    collector, faults = Collector(), Faults()
    theme = Theme(Appearance(Scheme.DARK, reduced_motion=True))
    theme.install(app)
    paths = Paths.under(Path(sys.argv[2]))
    window = MainWindow(theme, paths)
    window.show()
    settings = Settings.load(paths.data / FILE_NAME)
    desk = furnish(window, settings)
    try:
        return Life(desk, faults, paths, settings, Wish(pod="demo"), job={"work": work, "look": look}[sys.argv[1]]).run(
            app
        )
    finally:
        desk.release()
        collector.stop()


if __name__ == "__main__":
    sys.exit(main())
