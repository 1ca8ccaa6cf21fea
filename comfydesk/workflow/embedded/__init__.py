"""The workflow that a picture, video, sound or 3D file carries.

ComfyUI writes two JSON texts into what it saves: `prompt`, the API graph it ran, and `workflow`, the UI graph it was
made from. Where each format keeps them was measured on what ComfyUI 0.33.0 saves; custom nodes add EXIF and comments of
their own. The readers here walk containers by their headers and never decode a pixel or a sample.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO

from comfydesk.errors import GraphError
from comfydesk.workflow.embedded import audio, documents, images, video
from comfydesk.workflow.embedded.source import Broken, Found, Source
from comfydesk.workflow.limits import MAX_BYTES

__all__ = ["MEDIA_SUFFIXES", "Embedded", "extract", "workflow_text"]

MEDIA_SUFFIXES = frozenset(
    {".png", ".apng", ".webp", ".jpg", ".jpeg", ".avif", ".exr", ".svg", ".glb", ".latent", ".safetensors"}
    | {".mp4", ".m4v", ".mov", ".webm", ".mkv", ".flac", ".ogg", ".oga", ".opus", ".mp3"}
)
"""File names that may carry a workflow, lower case. A hint for file dialogs only: content decides."""


@dataclass(frozen=True, slots=True)
class Embedded:
    """What a file carries: JSON texts as they stand in it, not yet parsed. None: not there."""

    prompt: str | None = None
    workflow: str | None = None
    notes: Mapping[str, str] = field(default_factory=dict)
    """Texts in which other programs tell their values, by name in lower case: see parameters.read_parameters."""


def extract(data: bytes | bytearray | memoryview | BinaryIO, file_name: str = "") -> Embedded:
    """What `data` (the bytes, or a seekable binary file, of which only headers are read) carries.

    A file without either text gives an empty Embedded. Raises GraphError for a file that is damaged before anything
    was found, or of a format that carries no workflows.
    """
    source = Source(data)
    head = source.peek(0, 64)
    found = Found()
    for matches, read in _READERS:
        if matches(head):
            try:
                read(source, found)
            except Broken as fault:
                # What stood before the damage is good.
                if not found.any and not found.notes:
                    what = f"{file_name or 'The file'} cannot be read"
                    why = str(fault)
                    raise GraphError(
                        what, why[:1].upper() + why[1:], "The file seems to be damaged or cut off"
                    ) from None
            return Embedded(found.prompt, found.workflow, found.notes)
    what = f"{file_name or 'The file'} is no workflow and carries none"
    why = "It is empty" if not head else "Its content is of no known format"
    raise GraphError(what, why, "Choose a JSON workflow, or a picture, video or sound that ComfyUI saved")


def workflow_text(data: bytes | bytearray | memoryview | BinaryIO, file_name: str = "") -> bytes | str:
    """The JSON text to parse for any file a person may open: the file itself if it is JSON, else what it carries.

    The UI graph is preferred, since it also holds titles and the author's choices. Raises GraphError when there is
    none. Of a JSON file one byte more is read than the parser takes: it tells.
    """
    source = Source(data)
    head = source.peek(0, 256)
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text[:1] in (b"{", b"[") or head[:2] in (b"\xff\xfe", b"\xfe\xff") or file_name.lower().endswith(".json"):
        return source.peek(0, MAX_BYTES + 1)
    embedded = extract(data, file_name)
    if embedded.workflow is not None and (embedded.prompt is None or '"nodes"' in embedded.workflow):
        return embedded.workflow
    if embedded.prompt is not None:
        return embedded.prompt
    what = f"{file_name or 'The file'} carries no workflow"
    raise GraphError(what, "It was saved without one, or something removed it", "Open the workflow's JSON file instead")


_Reader = Callable[[Source, Found], None]
_READERS: tuple[tuple[Callable[[bytes], bool], _Reader], ...] = (
    (lambda head: head.startswith(b"\x89PNG\r\n\x1a\n"), images.read_png),
    (lambda head: head[:4] == b"RIFF" and head[8:12] == b"WEBP", images.read_webp),
    (lambda head: head.startswith(b"\xff\xd8\xff"), images.read_jpeg),
    (lambda head: head.startswith(b"\x76\x2f\x31\x01"), images.read_exr),
    (lambda head: head[4:8] in (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide"), video.read_isobmff),
    (lambda head: head.startswith(b"\x1a\x45\xdf\xa3"), video.read_matroska),
    (lambda head: head.startswith(b"fLaC"), audio.read_flac),
    (lambda head: head.startswith(b"OggS"), audio.read_ogg),
    (lambda head: head.startswith(b"ID3"), audio.read_id3),
    (
        lambda head: len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0 and head[1] & 0x06 != 0,
        audio.read_bare,
    ),
    (lambda head: head.startswith(b"glTF"), documents.read_glb),
    (documents.looks_like_safetensors, documents.read_safetensors),
    (lambda head: head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<", documents.read_svg),
)
