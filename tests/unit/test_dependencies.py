"""What is installed is what was pinned, by hash; and everything that is shipped may be."""

import re
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
ENTRIES = [line for line in LOCK if line.strip() and not line.lstrip().startswith("#")]
MAY_BE_SHIPPED = re.compile(
    r"(?i)\b(MIT|BSD|ISC|PSF|Python Software Foundation|Apache|MPL|Mozilla|LGPL|EPL|Eclipse|HPND|CNRI|Unlicense|0BSD)\b"
)


def test_every_version_is_pinned_with_its_hashes() -> None:
    assert len(ENTRIES) > 50
    for entry in ENTRIES:
        assert re.match(r"[A-Za-z0-9._-]+==[^ ;]+( ;[^-]+| )", entry), entry
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), entry
        assert not re.search(r"https?://|--hash=(md5|sha1)", entry), entry


def test_what_is_installed_is_what_was_pinned() -> None:
    pinned: dict[str, set[str]] = {}
    for entry in ENTRIES:
        requirement = Requirement(entry.partition(" --hash")[0].strip())
        if requirement.marker is None or requirement.marker.evaluate():
            pinned.setdefault(canonicalize_name(requirement.name), set()).add(str(requirement.specifier)[2:])
    for name, versions in pinned.items():
        assert {metadata.version(name)} == versions, name


def shipped() -> list[str]:
    """What ComfyDesk needs at run time here, and what that needs."""
    found: set[str] = set()
    waiting = ["comfydesk"]
    while waiting:
        for requirement in map(Requirement, metadata.requires(waiting.pop()) or ()):
            name = canonicalize_name(requirement.name)
            if name not in found and (requirement.marker is None or requirement.marker.evaluate({"extra": ""})):
                found.add(name)
                waiting.append(name)
    return sorted(found)


@pytest.mark.parametrize("name", shipped())
def test_its_licence_lets_it_be_shipped(name: str) -> None:
    about = metadata.metadata(name)
    said = " ".join(
        (
            *(about.get_all("License-Expression") or ()),
            *(line for line in about.get_all("Classifier") or () if line.startswith("License ::")),
            *((text or "")[:200] for text in about.get_all("License") or ()),
        )
    )
    assert MAY_BE_SHIPPED.search(said), f"{name} says {said!r}"
