"""A window in which nothing happens hears of Ctrl+C and of a shutdown."""

import signal
import subprocess
import sys

import pytest

IDLE = """
from PySide6.QtCore import QCoreApplication, QTimer
from comfydesk.qt.app.signals import Signals
app = QCoreApplication([])
signals = Signals(lambda: app.exit(7))
QTimer.singleShot(0, lambda: print("idle", flush=True))
code = app.exec()
signals.close()
raise SystemExit(code)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_loop_that_waits_for_events_hears_a_signal(number: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", IDLE], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "idle\n"
        process.send_signal(number)
        try:
            assert process.wait(20) == 7
        finally:
            process.kill()
