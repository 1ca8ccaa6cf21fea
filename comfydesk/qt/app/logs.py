"""The log: a rotating file in the logs folder, and warnings on stderr. Secrets never get here: values redact them."""

import logging
import sys
from pathlib import Path

FILE_NAME = "comfydesk.log"
BYTES = 2_000_000
KEPT = 3
FORMAT = "%(asctime)s %(levelname).1s %(name)s: %(message)s"


def start_logging(folder: Path) -> Path | None:
    """Log to a file in `folder` from now on; its path, or None where none can be written."""
    # 10 ms with its sockets and queues; called after the first frame.
    from logging.handlers import RotatingFileHandler

    root = logging.getLogger()
    root.setLevel(logging.INFO)
    # One line per request is the client's business, and would carry addresses.
    for chatty in ("httpx", "httpcore", "websockets", "asyncio", "PIL", "qasync"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    console = logging.StreamHandler(sys.stderr)
    console.setLevel(logging.WARNING)
    console.setFormatter(logging.Formatter("comfydesk: %(message)s"))
    root.addHandler(console)
    path = folder / FILE_NAME
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = RotatingFileHandler(path, maxBytes=BYTES, backupCount=KEPT, encoding="utf-8", delay=False)
    except OSError as error:
        root.warning("no log file: %s", error)
        return None
    file.setFormatter(logging.Formatter(FORMAT))
    root.addHandler(file)
    return path


def stop_logging() -> None:
    """Close the file and stop logging."""
    root = logging.getLogger()
    for handler in root.handlers[:]:
        root.removeHandler(handler)
        handler.close()
