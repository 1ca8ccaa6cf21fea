"""Makes a Debian package of the build: `python release/deb.py dist/comfydesk` → dist/comfydesk_VERSION_ARCH.deb.

dpkg-deb does the packing. The program goes to /opt/comfydesk, where nothing but root writes; a menu entry, the icon,
the file type, the link scheme and the man page come along.
"""

import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

HERE = Path(__file__).parent
ROOT = HERE.parent
ID = "org.comfydesk.ComfyDesk"
HOME = Path("opt/comfydesk")
LIBRARIES = (
    "libc6",
    "libegl1",
    "libgl1",
    "libfontconfig1",
    "libdbus-1-3",
    "libxkbcommon-x11-0",
    "libxcb-cursor0",
    "libxcb-icccm4",
    "libxcb-image0",
    "libxcb-keysyms1",
    "libxcb-render-util0",
    "libxcb-shape0",
    "libxrandr2",
    "libwayland-cursor0",
)
"""What Qt's platforms and its player need from the system; the rest is in the folder."""


def stage(build: Path, root: Path, version: str, architecture: str) -> None:
    """The tree of the package below `root`."""
    shutil.copytree(build, root / HOME, symlinks=True)
    for source, target in (
        (HERE / f"linux/{ID}.desktop", f"usr/share/applications/{ID}.desktop"),
        (HERE / f"linux/{ID}.metainfo.xml", f"usr/share/metainfo/{ID}.metainfo.xml"),
        (HERE / f"linux/{ID}.mime.xml", f"usr/share/mime/packages/{ID}.xml"),
        (ROOT / "resources/app/comfydesk.svg", f"usr/share/icons/hicolor/scalable/apps/{ID}.svg"),
        (ROOT / "resources/app/comfydesk.png", f"usr/share/icons/hicolor/512x512/apps/{ID}.png"),
        (ROOT / "LICENSE", "usr/share/doc/comfydesk/copyright"),
    ):
        (root / target).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, root / target)
    manual = root / "usr/share/man/man1/comfydesk.1.gz"
    manual.parent.mkdir(parents=True)
    subprocess.run([sys.executable, HERE / "man.py", manual], check=True)
    (root / "usr/bin").mkdir(parents=True)
    (root / "usr/bin/comfydesk").symlink_to(f"/{HOME}/comfydesk")
    size = sum(file.stat().st_size for file in root.rglob("*") if file.is_file() and not file.is_symlink()) // 1024
    control = root / "DEBIAN/control"
    control.parent.mkdir()
    control.write_text(
        f"Package: comfydesk\nVersion: {version}\nArchitecture: {architecture}\nMaintainer: The ComfyDesk team "
        f"<team@comfydesk.example>\nInstalled-Size: {size}\nDepends: {', '.join(LIBRARIES)}\nSection: graphics\n"
        "Priority: optional\nDescription: desktop client for ComfyUI pods\n"
        " Say what you want, fill in a short form, and keep every result on your own computer.\n"
    )


def main(build: Path) -> Path:
    """The package, beside the build."""
    version = subprocess.run(
        [build / "comfydesk", "--version"], check=True, capture_output=True, text=True
    ).stdout.split()[-1]
    architecture = subprocess.run(
        ["dpkg", "--print-architecture"], check=True, capture_output=True, text=True
    ).stdout.strip()
    package = build.parent / f"comfydesk_{version}_{architecture}.deb"
    with TemporaryDirectory() as folder:
        root = Path(folder) / "root"
        root.mkdir(mode=0o755)
        stage(build, root, version, architecture)
        subprocess.run(["dpkg-deb", "--build", "--root-owner-group", "-Zxz", "-z3", root, package], check=True)
    return package


if __name__ == "__main__":
    sys.stdout.write(f"{main(Path(sys.argv[1]))}\n")
