"""What pictures, videos, sounds, 3D files and models carry: all readers of workflow.embedded, and heads of media."""

import io
import json
import struct
import zlib

from PIL import Image

from comfydesk.errors import KnownError
from comfydesk.session.gallery import shapes
from comfydesk.workflow.embedded import extract, workflow_text
from comfydesk.workflow.embedded.parameters import read_parameters
from tests.fuzz import material
from tests.fuzz.harness import Harness
from tests.fuzz.mutate import bytes_of, either, tokens

_WORKFLOW = json.dumps({"nodes": [{"id": 3, "type": "KSampler"}], "links": [], "version": 0.4})
_A1111 = "a cat <lora:x:0.8>\nNegative prompt: dog\nSteps: 20, Sampler: Euler a, Seed: 7, Size: 64x64, Model: m"


def take(data: bytes) -> None:
    kind = shapes.kind_of(data[:64])
    shapes.media_of(kind, "video")
    refused: KnownError | None = None
    try:
        shapes.size_of(kind, memoryview(data), data[-12:], len(data))
    except KnownError as error:
        refused = error
    found = extract(data)
    read_parameters(found.notes)
    workflow_text(io.BytesIO(data), "x")
    if refused is not None:
        raise refused


def _picture(kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), "navy").save(buffer, kind, **options)
    return buffer.getvalue()


def _exif() -> Image.Exif:
    made = Image.Exif()
    made[0x010E], made[0x010F], made[0x0110] = "text", f"workflow:{_WORKFLOW}", f"prompt:{json.dumps(material.GRAPH)}"
    made.get_ifd(0x8769)[0x9286] = b"UNICODE\0" + _A1111.encode("utf-16-be")
    return made


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _png() -> bytes:
    header = _chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0))
    texts = [
        _chunk(b"tEXt", b"parameters\0" + _A1111.encode()),
        _chunk(b"zTXt", b"prompt\0\0" + zlib.compress(json.dumps(material.GRAPH).encode())),
        _chunk(b"iTXt", b"workflow\0\1\0\0\0" + zlib.compress(_WORKFLOW.encode())),
        _chunk(b"comf", b"workflow\0" + _WORKFLOW.encode()),
    ]
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(texts) + _chunk(b"IEND", b"")


def _glb() -> bytes:
    text = json.dumps(
        {"asset": {"version": "2.0", "extras": {"prompt": material.GRAPH, "workflow": _WORKFLOW}}}
    ).encode()
    text += b" " * (-len(text) % 4)
    return b"glTF" + struct.pack("<III", 2, 20 + len(text), len(text)) + b"JSON" + text


def seeds() -> list[bytes]:
    real = [path.read_bytes() for path in (material.DATA / "media").iterdir() if path.suffix not in (".json", ".md")]
    svg = f"<svg><metadata><![CDATA[{json.dumps({'prompt': material.GRAPH, 'workflow': _WORKFLOW})}]]></metadata></svg>"
    pictures = [_picture(kind, exif=_exif()) for kind in ("JPEG", "WEBP", "AVIF", "TIFF")]
    ply = b"ply\nformat ascii 1.0\nelement vertex 1\nproperty float x\nend_header\n0\n"
    header = json.dumps({"__metadata__": {"workflow": _WORKFLOW}}).encode()
    other = [_picture("GIF"), _picture("BMP"), ply, svg.encode(), b"\xff\xfb\x90\0" + bytes(64)]
    return [*real, *pictures, _png(), _glb(), struct.pack("<Q", len(header)) + header, *other]


HARNESS = Harness(
    take,
    seeds,
    either(
        bytes_of,
        tokens(
            "tEXt",
            "zTXt",
            "iTXt",
            "comf",
            "IEND",
            "IDAT",
            "eXIf",
            "EXIF",
            "XMP ",
            "VP8X",
            "prompt",
            "workflow",
            "moov",
            "udta",
            "meta",
            "ilst",
            "keys",
            "iloc",
            "iinf",
            "infe",
            "Exif",
            "uuid",
            "mdat",
            "TXXX",
            "COMM",
            "OggS",
            "OpusTags",
            "vorbis",
            "Exif\0\0MM\0*",
            "Exif\0\0II*\0",
            "\0\0\0\1",
            "\0\0\0\0",
            "<metadata>",
            "]]>",
            "glTF",
        ),
    ),
    longest=16 << 10,
)
