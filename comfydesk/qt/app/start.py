"""From nothing to a painted window, and only then to everything else."""

import gc
import os
import sys
from typing import TYPE_CHECKING

from comfydesk.errors import KnownError
from comfydesk.paths import APP, Paths
from comfydesk.wishes import Wish

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

DESKTOP_FILE = "org.comfydesk.ComfyDesk"
"""What the desktop knows us by: the .desktop file's name in release/linux. Without it the icon bears no number."""
BEHIND = ("comfydesk.qt.theme.style", "comfydesk.qt.window.desk", "comfydesk.qt.app.life", "comfydesk.qt.window.wiring")
"""Imported right after the first frame."""
START_MS = 3000
"""By then the pod of last time is joined, as a rule."""
UNUSED = "httpx._main"
"""httpx's command line: brings rich, click and pygments where others have installed them, 80 ms."""
SETTINGS = "settings.toml"
"""`comfydesk.settings.FILE_NAME`, which is imported behind the first frame."""


def has_display() -> bool:
    """Whether a window can be seen here. A platform that was asked for by name counts as one."""
    if sys.platform in ("win32", "darwin") or os.environ.get("QT_QPA_PLATFORM"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def speak(app: "QApplication", choice: str) -> None:
    """Let the application speak the chosen language; what that needs is imported only where it is not English."""
    from PySide6.QtCore import QLocale

    # By its name: the enumeration of all languages takes as long to make as ten widgets.
    if choice == "en" or (choice in ("", "system") and QLocale.system().name().partition("_")[0] in ("C", "en")):
        return
    from comfydesk.paths import resources
    from comfydesk.qt.theme import translator

    translator.install(app, choice, resources() / "i18n")


def run(paths: Paths, wish: Wish | None = None) -> int:
    """Open the window and return when it is closed: 0.

    A window that is open on the same folder takes the wish, and this ends at once. Without a display, the pod "demo"
    makes one picture with the window offscreen (exit code 0 when it is saved); anything else raises KnownError.
    """
    wish = wish or Wish()
    # See Collector; here already, for collections while Qt is imported cost a tenth of the way to the first frame.
    gc.disable()
    # qasync takes the first Qt binding that it finds, and tries PyQt5 first.
    os.environ["QT_API"] = "pyside6"
    headless = not has_display()
    if headless:
        if wish.pod != "demo":
            raise KnownError("There is no display for a window", "", 'Use "comfydesk generate", or set DISPLAY')
        sys.stdout.write("No display here: the window works offscreen, makes one picture on the demo pod and ends.\n")
        sys.stdout.flush()
        from PySide6.QtCore import qInstallMessageHandler

        os.environ["QT_QPA_PLATFORM"] = "offscreen"
        qInstallMessageHandler(lambda *_: None)  # until Faults takes over: it has nothing but complaints to say
    from PySide6.QtWidgets import QApplication

    from comfydesk.qt.app.imports import import_plainly, leave_out

    import_plainly()
    leave_out(UNUSED)
    from comfydesk.qt.app.claim import Claim
    from comfydesk.qt.app.collector import Collector
    from comfydesk.qt.app.frame import import_behind, show_and_paint
    from comfydesk.qt.theme import Theme, glance
    from comfydesk.qt.window.shell import MainWindow

    app = QApplication.instance()
    if not isinstance(app, QApplication):
        app = QApplication([APP])
    app.setApplicationName(APP)
    app.setDesktopFileName(DESKTOP_FILE)
    app.setQuitOnLastWindowClosed(False)
    claim = None if headless else Claim.take(paths.data)
    if claim is None and not headless:
        from comfydesk.qt.app.instance import hand_over

        if hand_over(paths, wish):
            return 0
    collector = Collector(pause_ms=START_MS)
    # The first frame has the user's colours and language already; the settings themselves come behind it.
    seen = glance.read(paths.data / SETTINGS)
    speak(app, seen.get("language", ""))
    theme = Theme(glance.appearance(seen))
    theme.tint(app)
    window = MainWindow(theme, paths)
    show_and_paint(window)

    # The window is there. What follows is heavy, and happens beside it.
    import_behind(BEHIND)
    from comfydesk.qt.app.allocator import keep_small
    from comfydesk.qt.app.faults import Faults
    from comfydesk.qt.app.headless import make_one_picture
    from comfydesk.qt.app.life import Life
    from comfydesk.qt.window.desk import Desk
    from comfydesk.settings import Settings

    keep_small()
    faults = Faults()
    faults.install()
    theme.dress()
    settings = Settings.load(paths.data / SETTINGS)
    desk = Desk(window, settings)
    desk.preferences.take_older(window.places.take_scheme())
    desk.preferences.apply_look()
    for _ in desk.furnish():
        app.processEvents()
    collector.settle()
    try:
        job = make_one_picture if headless else None
        return Life(desk, faults, paths, settings, wish, job=job, claim=claim).run(app)
    finally:
        desk.release()
        if claim is not None:
            claim.release()
        collector.stop()
        faults.remove()
