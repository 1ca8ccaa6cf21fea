"""Collects the licences of everything that a build holds: `python release/licences.py FOLDER`.

FOLDER gets a text per installed package, as the package ships it, and INDEX.txt with a line each. A package without a
licence file is listed with what its metadata says. Python's own licence comes along.
"""

import re
import shutil
import sys
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = "comfydesk"
EXTRAS = frozenset({"llm", "cloud"})
HERE = Path(__file__).parent
_NAMES = re.compile(r"(^|/)(licen[cs]e|copying|notice|authors)[^/]*$", re.IGNORECASE)


def bundled(root: str = ROOT) -> list[metadata.Distribution]:
    """What `root` needs at run time here, its extras included where they are installed; by name."""
    found: dict[str, metadata.Distribution] = {}
    waiting = [(root, EXTRAS)]
    done: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        name, extras = waiting.pop()
        name = canonicalize_name(name)
        if (name, extras) in done:
            continue
        done.add((name, extras))
        try:
            distribution = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue
        found[name] = distribution
        for requirement in map(Requirement, distribution.requires or ()):
            marker = requirement.marker
            if marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras)):
                waiting.append((requirement.name, frozenset(requirement.extras)))
    return [found[name] for name in sorted(found)]


def licence_texts(distribution: metadata.Distribution) -> list[str]:
    """The licence files of a package, whole."""
    texts = []
    for file in distribution.files or ():
        if file.suffix not in (".py", ".pyc") and _NAMES.search(file.as_posix()):
            path = Path(str(distribution.locate_file(file)))
            if path.is_file():
                texts.append(f"--- {file.name} ---\n{path.read_text(encoding='utf-8', errors='replace')}")
    return texts


def said(distribution: metadata.Distribution) -> str:
    """The licence in a word, as the metadata has it."""
    about = distribution.metadata
    classifiers = [line.rsplit(" :: ", 1)[-1] for line in about.get_all("Classifier") or () if "License ::" in line]
    text = next(
        iter([*(about.get_all("License-Expression") or ()), *classifiers, *(about.get_all("License") or ())]), ""
    )
    return text.strip().splitlines()[0][:80] if text.strip() else "see its project page"


def collect(folder: Path) -> int:
    """Write all into `folder`; the number of packages."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = []
    distributions = bundled()
    for distribution in distributions:
        name, version = distribution.metadata["Name"], distribution.version
        texts = licence_texts(distribution)
        if texts:
            (folder / f"{name}.txt").write_text("\n\n".join(texts), encoding="utf-8")
        lines.append(f"{name} {version}: {said(distribution)}{'' if texts else ' (ships no licence file)'}")
    python = Path(sys.base_prefix) / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "LICENSE.txt"
    if python.is_file():
        (folder / "Python.txt").write_bytes(python.read_bytes())
    for text in ("LGPL-3.0.txt", "GPL-3.0.txt"):  # Qt and PySide6; FFmpeg with x264 and x265 inside av
        shutil.copy(HERE / text, folder / text)
    lines.append(f"Python {sys.version.split()[0]}: Python Software Foundation License")
    (folder / "INDEX.txt").write_text("\n".join(sorted(lines, key=str.lower)) + "\n", encoding="utf-8")
    return len(distributions)


if __name__ == "__main__":
    target = Path(sys.argv[1])
    sys.stdout.write(f"licences of {collect(target)} packages in {target}\n")
