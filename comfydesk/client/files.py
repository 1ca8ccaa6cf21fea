"""Names of files that a pod reports: what they hold, and where on this computer they may go.

A pod is not trusted with paths. Whatever it calls its files, the result lies inside the folder that the user chose, on
every platform's rules at once (a library may move from Linux to Windows).
"""

import os
import re
import unicodedata
from pathlib import Path, PurePosixPath

from comfydesk.errors import UnsafeNameError

MAX_NAME = 180
"""Characters of one path component; ext4 and NTFS take 255, and `.part` and ` (2)` have to fit as well."""
MAX_DEPTH = 8

_KINDS = {
    "image": "png jpg jpeg webp gif bmp tif tiff avif heic jxl apng exr hdr svg ico tga psd",
    "video": "mp4 webm mov mkv avi m4v mpg mpeg ogv ts",
    "audio": "wav mp3 flac ogg opus m4a aac aiff aif wma",
    "text": "txt md json csv srt vtt yaml yml xml html log",
    "model3d": "glb gltf obj fbx stl ply usdz usd splat spz ksplat",
}
_KIND_OF = {extension: kind for kind, extensions in _KINDS.items() for extension in extensions.split()}
_RESERVED = frozenset(
    ["con", "prn", "aux", "nul", "conin$", "conout$"]
    + [f"{device}{digit}" for device in ("com", "lpt") for digit in "0123456789\u00b9\u00b2\u00b3"]
)
_FORBIDDEN = re.compile(r'[<>:"|?*]')
_EXTENSION = re.compile(r"\.[A-Za-z0-9]{1,10}\Z")


def media_kind(filename: str) -> str:
    """image, video, audio, text, model3d or other: by extension.

    The key of a node's output says nothing: ComfyUI lists mp4 and webm under `images`.
    """
    extension = filename.rpartition(".")[2].lower()
    return _KIND_OF.get(extension, "other") if "." in filename else "other"


def safe_name(name: str) -> str:
    """`name` as one path component that every platform takes, its extension kept. Never empty, `.` or `..`.

    Raises UnsafeNameError for what no honest pod sends: an empty name, NUL, a separator, a drive letter.
    """
    if not name or name in (".", "..") or re.search(r"[\x00/\\]", name) or re.match(r"[A-Za-z]:", name):
        raise _hostile(name)
    name = unicodedata.normalize("NFC", name)
    # Surrogates cannot be encoded; format characters (Cf) include the bidi overrides that disguise an extension.
    name = "".join("_" if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") else c for c in name)
    name = _FORBIDDEN.sub("_", name).strip(" ").rstrip(". ")
    if name.startswith("."):
        name = "_" + name[1:]
    if not name:
        return "_"
    if name.partition(".")[0].rstrip(" ").lower() in _RESERVED:
        name = "_" + name
    return _shortened(name)


def safe_relative_path(subfolder: str, filename: str) -> PurePosixPath:
    """Where a pod's file goes below a folder of ours: `subfolder`/`filename` with every component made safe.

    Both separators part a subfolder (a pod on Windows sends backslashes). Raises UnsafeNameError for `..`, absolute
    paths and names that are no names.
    """
    if re.match(r"[/\\]|[A-Za-z]:", subfolder):
        raise _hostile(subfolder)
    parts = [part for part in re.split(r"[/\\]", subfolder) if part not in ("", ".")]
    if len(parts) > MAX_DEPTH:
        raise _hostile(subfolder)
    return PurePosixPath(*(safe_name(part) for part in parts), safe_name(filename))


def inside(folder: Path, relative: PurePosixPath | str) -> Path:
    """`folder`/`relative`, once links are resolved still inside `folder`; else UnsafeNameError. Touches the disk."""
    root = folder.resolve()
    path = (root / relative).resolve()
    if path == root or not path.is_relative_to(root):
        raise _hostile(str(relative))
    return path


def numbered(path: Path, number: int) -> Path:
    """`name (2).png` for number 2; `path` itself for number 1."""
    return path if number <= 1 else path.with_name(f"{path.stem} ({number}){path.suffix}")


def claim(part: Path, path: Path) -> bool:
    """The whole file `part` becomes `path`, at once. False, and nothing is done, where anything has that name.

    On a disk without hard links who is ended in the middle leaves an empty file there. Raises OSError.
    """
    try:
        os.link(part, path)
    except FileExistsError:
        return False
    except OSError:  # exFAT, some network drives: the name is reserved, then replaced by what it is for
        try:
            path.open("xb").close()
        except FileExistsError:
            return False
        try:
            part.replace(path)
        except OSError:
            path.unlink()
            raise
    else:
        part.unlink()
    return True


def claim_free(part: Path, path: Path) -> Path:
    """The whole file `part` becomes `path`, or the first of its `numbered` names that nobody has. Raises OSError."""
    number = 1
    while not claim(part, place := numbered(path, number)):
        number += 1
    return place


def _shortened(name: str) -> str:
    # Names are counted in bytes on Linux, in UTF-16 units on Windows; bytes are the stricter of the two.
    if len(name.encode()) <= MAX_NAME:
        return name
    match = _EXTENSION.search(name)
    extension = match.group() if match else ""
    stem = name[: len(name) - len(extension)].encode()[: MAX_NAME - len(extension)].decode(errors="ignore")
    return stem.rstrip(". ") + extension


def _hostile(name: str) -> UnsafeNameError:
    shown = ascii(name)
    return UnsafeNameError(
        f"The pod named a file {shown if len(shown) <= 80 else shown[:77] + '...'}",
        "that name could write outside the output folder",
        "Fetch it in the browser if you trust the pod",
    )
