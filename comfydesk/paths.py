"""Where things live: data, cache, logs, pictures, and the bundled resources.

`Paths` is made once at the top (window or command line) and passed down.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

APP = "ComfyDesk"


@dataclass(frozen=True, slots=True)
class Paths:
    """The folders of one user. Nothing is created until somebody writes."""

    data: Path
    """The library, the queue, profiles and settings."""
    cache: Path
    """What can be made again: thumbnails, catalogs."""
    logs: Path
    outputs: Path
    """Pictures, videos and sounds that the user made."""

    @classmethod
    def of_user(cls) -> "Paths":
        """The platform's own places."""
        # Imported here: with 40 ms it is no part of `import comfydesk.paths`.
        import platformdirs

        return cls(
            data=Path(platformdirs.user_data_dir(APP, appauthor=False)),
            cache=Path(platformdirs.user_cache_dir(APP, appauthor=False)),
            logs=Path(platformdirs.user_log_dir(APP, appauthor=False)),
            outputs=Path(platformdirs.user_pictures_dir()) / APP,
        )

    @classmethod
    def under(cls, folder: Path) -> "Paths":
        """All state in one folder: `--data-dir`, tests, portable use."""
        folder = folder.expanduser().absolute()
        return cls(data=folder, cache=folder / "cache", logs=folder / "logs", outputs=folder / "outputs")


def resources() -> Path:
    """The folder of bundled workflows and icons: beside the package in a checkout, inside it in a wheel or a bundle."""
    package = Path(__file__).resolve().parent
    bundle = getattr(sys, "_MEIPASS", None)
    candidates = [package / "resources", package.parent / "resources"]
    if bundle:
        candidates.insert(0, Path(bundle) / "resources")
    for folder in candidates:
        if folder.is_dir():
            return folder
    msg = f"the bundled resources are missing beside {package}"
    raise FileNotFoundError(msg)
