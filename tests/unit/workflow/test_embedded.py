"""Workflows out of media: what a real ComfyUI saved, what custom nodes write, and files made to hurt."""

import io
import json
import struct
import time
import tracemalloc
import zlib
from pathlib import Path
from typing import Any

import av
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from comfydesk.errors import GraphError
from comfydesk.workflow.embedded import MEDIA_SUFFIXES, Embedded, extract, workflow_text

MEDIA = Path(__file__).parents[2] / "data" / "media"
SAMPLES = sorted(path for path in MEDIA.iterdir() if path.suffix not in (".json", ".md"))
PROMPT = {"3": {"class_type": "KSampler", "inputs": {"seed": 2**64 - 1, "cfg": 7.0}}}
WORKFLOW = {"nodes": [{"id": 3, "type": "KSampler", "title": "Größe ✓"}], "links": [], "version": 0.4}
PROMPT_TEXT, WORKFLOW_TEXT = json.dumps(PROMPT), json.dumps(WORKFLOW)
BOTH_TEXT = json.dumps({"prompt": PROMPT_TEXT, "workflow": WORKFLOW})


def parsed(found: Embedded) -> tuple[Any, Any]:
    return json.loads(found.prompt or "null"), json.loads(found.workflow or "null")


def picture(kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), "navy").save(buffer, kind, **options)
    return buffer.getvalue()


def exif(*, comment: bytes | None = None, **tags: str) -> Image.Exif:
    made = Image.Exif()
    numbers = {"description": 0x010E, "make": 0x010F, "model": 0x0110}
    for name, value in tags.items():
        made[numbers[name]] = value
    if comment is not None:
        made.get_ifd(0x8769)[0x9286] = comment
    return made


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(*chunks: bytes) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + chunk(b"IEND", b"")


def box(name: bytes, *body: bytes) -> bytes:
    content = b"".join(body)
    return struct.pack(">I", 8 + len(content)) + name + content


# --- What ComfyUI itself saves ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_what_a_real_comfyui_saved_is_read_back(path: Path) -> None:
    expected = json.loads((MEDIA / "expected.json").read_text())
    assert parsed(extract(path.read_bytes())) == (expected["prompt"], expected["workflow"])


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_an_open_file_will_do_and_its_name_does_not_matter(path: Path) -> None:
    with path.open("rb") as file:
        assert extract(file, "renamed.txt") == extract(path.read_bytes(), path.name)
    assert path.suffix in MEDIA_SUFFIXES


def test_svg_as_comfyui_writes_it() -> None:
    document = json.dumps({"prompt": PROMPT, "workflow": WORKFLOW}, indent=2)
    svg = f'<?xml version="1.0"?>\n<svg width="8">\n  <metadata>\n<![CDATA[\n{document}\n]]>\n</metadata>\n</svg>'
    assert parsed(extract(svg.encode())) == (PROMPT, WORKFLOW)


def test_glb_as_comfyui_writes_it() -> None:
    extras = {"prompt": PROMPT_TEXT, "workflow": WORKFLOW_TEXT}
    body = json.dumps({"asset": {"version": "2.0", "extras": extras}, "meshes": []}).encode()
    body += b" " * (-len(body) % 4)
    glb = struct.pack("<4sII", b"glTF", 2, 20 + len(body)) + struct.pack("<I4s", len(body), b"JSON") + body
    assert parsed(extract(glb)) == (PROMPT, WORKFLOW)


# --- What custom nodes and other programs make of it -----------------------------------------------------------------


@pytest.mark.parametrize("compressed", [False, True], ids=["plain", "compressed"])
@pytest.mark.parametrize("international", [False, True], ids=["tEXt", "iTXt"])
def test_png_texts_of_every_kind(international: bool, compressed: bool) -> None:
    texts = PngImagePlugin.PngInfo()
    for key, value in (("parameters", "a cat\nSteps: 20"), ("prompt", PROMPT_TEXT), ("workflow", WORKFLOW_TEXT)):
        (texts.add_itxt if international else texts.add_text)(key, value, zip=compressed)
    assert parsed(extract(picture("PNG", pnginfo=texts))) == (PROMPT, WORKFLOW)


def test_a_prompt_that_is_a_sentence_is_no_graph() -> None:
    texts = PngImagePlugin.PngInfo()
    texts.add_text("prompt", "a cat in a hat")
    assert extract(picture("PNG", pnginfo=texts)) == Embedded()


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "AVIF", "PNG"])
def test_exif_names_in_front_of_the_json(kind: str) -> None:
    tags = exif(make=f"workflow:{WORKFLOW_TEXT}", model=f"Prompt: {PROMPT_TEXT}")
    assert parsed(extract(picture(kind, exif=tags))) == (PROMPT, WORKFLOW)


@pytest.mark.parametrize(
    "comment",
    [
        b"ASCII\0\0\0" + BOTH_TEXT.encode(),
        b"UNICODE\0" + BOTH_TEXT.encode("utf-16-be"),
        b"UNICODE\0" + BOTH_TEXT.encode("utf-16-le"),
        b"\0" * 8 + BOTH_TEXT.encode(),
        BOTH_TEXT.encode(),
    ],
    ids=["ascii", "utf-16-be", "utf-16-le", "unnamed", "bare"],
)
def test_a_jpeg_with_an_exif_user_comment(comment: bytes) -> None:
    assert parsed(extract(picture("JPEG", exif=exif(comment=comment)))) == (PROMPT, WORKFLOW)


def test_a_jpeg_with_a_comment_segment() -> None:
    assert parsed(extract(picture("JPEG", comment=BOTH_TEXT.encode()))) == (PROMPT, WORKFLOW)
    assert parsed(extract(picture("JPEG", comment=b"workflow:" + WORKFLOW_TEXT.encode()))) == (None, WORKFLOW)


def test_a_photo_with_ordinary_exif_carries_nothing() -> None:
    assert extract(picture("JPEG", exif=exif(make="Canon", model="EOS"), comment=b"holiday")) == Embedded()


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv", "webm"])
def test_videos_whose_comment_holds_both_as_videohelpersuite_writes_it(suffix: str) -> None:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="matroska" if suffix == "mkv" else suffix) as container:
        stream = container.add_stream("libvpx-vp9" if suffix in ("webm", "mkv") else "mpeg4", rate=6)
        stream.width = stream.height = 32
        stream.pix_fmt = "yuv420p"
        container.metadata["comment"] = BOTH_TEXT
        for _ in range(2):
            container.mux(stream.encode(av.VideoFrame(32, 32, "yuv420p")))
        container.mux(stream.encode())
    assert parsed(extract(buffer.getvalue())) == (PROMPT, WORKFLOW)


def test_a_live_webm_with_clusters_of_unknown_length() -> None:
    sample = (MEDIA / "webm.webm").read_bytes()
    start = sample.rindex(bytes.fromhex("1254c367"))  # the first is in the table of contents
    tags_size = 4 + 2 + (int.from_bytes(sample[start + 4 : start + 6], "big") & 0x3FFF)
    tags = sample[start : start + tags_size]
    cluster = bytes.fromhex("1f43b675 01ffffffffffffff e7 81 00 a3 85 81 0000 80 00")
    live = bytes.fromhex("1a45dfa3 80 18538067 01ffffffffffffff") + cluster + tags
    assert extract(live) == extract(sample)


@pytest.mark.parametrize("codec", ["libopus", "flac"])
def test_comments_in_ogg_that_span_pages(codec: str) -> None:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="ogg") as container:
        stream = container.add_stream(codec, rate=48000, layout="mono")
        assert isinstance(stream, av.AudioStream)
        container.metadata.update(prompt=PROMPT_TEXT, workflow=WORKFLOW_TEXT + " " * 70_000)
        for start in range(0, 46080, 4608):
            frame = av.AudioFrame(format="s16", layout="mono", samples=4608)
            frame.sample_rate, frame.pts = 48000, start
            container.mux(stream.encode(frame))
    assert parsed(extract(buffer.getvalue())) == (PROMPT, WORKFLOW)


def id3(version: int, *frames: bytes) -> bytes:
    size = sum(map(len, frames))
    return (
        b"ID3"
        + bytes([version, 0, 0, size >> 21 & 127, size >> 14 & 127, size >> 7 & 127, size & 127])
        + b"".join(frames)
    )


def test_id3_of_older_versions_and_in_utf16() -> None:
    old = [
        b"TXX" + (1 + len(text)).to_bytes(3, "big") + b"\0" + text
        for text in (b"prompt\0" + PROMPT_TEXT.encode(), b"workflow\0" + WORKFLOW_TEXT.encode())
    ]
    assert parsed(extract(id3(2, *old))) == (PROMPT, WORKFLOW)
    wide = b"\x01" + f"workflow\0\ufeff{json.dumps(WORKFLOW, ensure_ascii=False)}".encode("utf-16")
    assert parsed(extract(id3(3, b"TXXX" + struct.pack(">IH", len(wide), 0) + wide))) == (None, WORKFLOW)


def test_an_mp3_without_a_tag_carries_nothing() -> None:
    assert extract(b"\xff\xfb\x90\x00" + bytes(400)) == Embedded()


def test_quicktime_metadata_without_a_version_in_front() -> None:
    keys = box(b"keys", bytes(4), struct.pack(">I", 1), box(b"mdta", b"com.apple.quicktime.workflow"))
    value = box(b"data", struct.pack(">II", 1, 0), WORKFLOW_TEXT.encode())
    hdlr = box(b"hdlr", bytes(20))
    meta = box(b"meta", hdlr, keys, box(b"ilst", box(b"\0\0\0\x01", value)))
    movie = box(b"ftyp", b"qt  ") + box(b"mdat", bytes(100)) + box(b"moov", box(b"mvhd", bytes(100)), meta)
    assert parsed(extract(movie)) == (None, WORKFLOW)


# --- The text to open ------------------------------------------------------------------------------------------------


def test_json_is_returned_as_it_is_and_media_give_their_ui_graph() -> None:
    assert workflow_text(b'\xef\xbb\xbf {"nodes": []}') == b'\xef\xbb\xbf {"nodes": []}'
    assert workflow_text(b"junk", "a.json") == b"junk"
    texts = PngImagePlugin.PngInfo()
    texts.add_text("prompt", PROMPT_TEXT)
    texts.add_text("workflow", WORKFLOW_TEXT)
    assert json.loads(workflow_text(picture("PNG", pnginfo=texts))) == WORKFLOW


def test_the_api_graph_is_taken_when_the_ui_graph_is_missing_or_empty() -> None:
    for workflow in (None, "{}"):
        texts = PngImagePlugin.PngInfo()
        texts.add_text("prompt", PROMPT_TEXT)
        if workflow:
            texts.add_text("workflow", workflow)
        assert json.loads(workflow_text(picture("PNG", pnginfo=texts))) == PROMPT


def test_a_picture_without_a_workflow_says_so() -> None:
    with pytest.raises(GraphError, match=r"holiday\.png carries no workflow"):
        workflow_text(picture("PNG"), "holiday.png")


# --- Files made to hurt ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("junk", [b"", b"\0", b"PK\x03\x04zip", b"%PDF-1.7", b"MZ" + bytes(80)])
def test_a_file_of_another_kind_is_refused_in_one_line(junk: bytes) -> None:
    with pytest.raises(GraphError, match=r"report\.bin is no workflow and carries none") as caught:
        extract(junk, "report.bin")
    assert "\n" not in str(caught.value)


def test_a_png_bomb_is_not_inflated() -> None:
    pixels = zlib.compress(bytes(64 << 20), 9)
    bomb = png(chunk(b"IDAT", pixels), chunk(b"tEXt", b"prompt\0" + PROMPT_TEXT.encode()))
    tracemalloc.start()
    try:
        assert parsed(extract(bomb)) == (PROMPT, None)
        assert tracemalloc.get_traced_memory()[1] < 2 << 20
    finally:
        tracemalloc.stop()


def test_a_text_bomb_ends_in_an_error_with_bounded_memory() -> None:
    shot = zlib.compressobj(9)
    text = b"".join(shot.compress(bytes(1 << 20)) for _ in range(66)) + shot.flush()
    tracemalloc.start()
    try:
        with pytest.raises(GraphError, match="grows past 64 MB"):
            extract(png(chunk(b"zTXt", b"prompt\0\0" + text)))
        assert tracemalloc.get_traced_memory()[1] < 150 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 2**31) + b"tEXtprompt", "claims 2,147,483,648 bytes"),
        (b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 5000) + b"IDAT", "in the middle of the picture"),
        (b"\x89PNG\r\n\x1a\n" + chunk(b"vpAg", b"") * 100_001, "more than 100,000 parts"),
        (box(b"ftyp", b"isom") + struct.pack(">I4sQ", 1, b"moov", 2**63), "A box of it claims"),
        (box(b"ftyp", b"isom") + struct.pack(">I4s", 3, b"moov"), "A box of it claims"),
        (b"\x1a\x45\xdf\xa3\x80" + b"\x12\x54\xc3\x67\x08" + bytes(20), "An element of it"),
        (b"\x1a\x45\xdf\xa3\x80" + b"\0" * 20, "does not begin where it should"),
        (b"fLaC\x04\xff\xff\xff", "ends at byte"),
        (b"OggS" + bytes(22) + b"\xff", "ends at byte"),
        (b"ID3\x04\0\0\x7f\x7f\x7f\x7f", "claims 268,435,455 bytes"),
        (b"glTF" + bytes(8) + struct.pack("<I4s", 4, b"JSON") + b"{{{{", "no valid JSON"),
        (b"glTF" + bytes(8) + struct.pack("<I4s", 200_000, b"JSON") + b"[" * 200_000, "no valid JSON"),
        (struct.pack("<Q", 100) + b"{}", "ends at byte"),
        (b"<html><body>login</body></html>", "no SVG"),
        (b"\x76\x2f\x31\x01\x02\0\0\0" + b"x" * 300, "EXR header is cut off"),
        (b"\xff\xd8\xff\xfe\0\x04hithere", "does not begin where it should"),
    ],
)
def test_damage_is_named(data: bytes, why: str) -> None:
    with pytest.raises(GraphError, match=why):
        extract(data, "x")


def test_what_stood_before_the_damage_is_kept() -> None:
    cut = png(chunk(b"tEXt", b"workflow\0" + WORKFLOW_TEXT.encode()), chunk(b"IDAT", bytes(1000)))[:-800]
    assert parsed(extract(cut)) == (None, WORKFLOW)


def test_markup_with_a_million_open_tags_takes_no_square_time() -> None:
    assert extract(b"<svg>" + b"<metadata>" * 500_000) == Embedded()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_file_never_raises_anything_but_a_graph_error(data: st.DataObject) -> None:
    blob = bytearray(data.draw(st.sampled_from([path.read_bytes() for path in SAMPLES]), label="file"))
    for place, byte in data.draw(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=6)):
        blob[place % len(blob)] = byte
    del blob[data.draw(st.integers(0, len(blob))) :]
    try:
        found = extract(bytes(blob))
    except GraphError as error:
        assert "\n" not in str(error)  # noqa: PT017 - either end is right
    else:
        assert isinstance(found, Embedded)


def avif_with_extents(extents: int, length: int, filler: int) -> bytes:
    """An EXIF item of `extents` pieces that are all the same bytes of the file."""
    entry = box(b"infe", struct.pack(">BxxxHH4s", 2, 1, 0, b"Exif") + b"\0")
    kinds = box(b"iinf", struct.pack(">IH", 0, 1) + entry)
    places = struct.pack(">IHHHHH", 0, 0x4400, 1, 1, 0, extents) + struct.pack(">II", 0, length) * extents
    meta = box(b"meta", bytes(4) + kinds + box(b"iloc", places))
    return box(b"ftyp", b"avif" + bytes(4) + b"avifmif1") + meta + box(b"mdat", bytes(filler))


@pytest.mark.parametrize("extents", [65, 4000, 65_535])
def test_an_exif_item_in_countless_overlapping_pieces_takes_no_time(extents: int) -> None:
    data = avif_with_extents(extents, 60_000, 1 << 20)
    start = time.perf_counter()
    with pytest.raises(GraphError, match="pieces"):
        extract(data)
    assert time.perf_counter() - start < 1


def test_few_pieces_are_read() -> None:
    with pytest.raises(GraphError, match="does not begin as a TIFF"):
        extract(avif_with_extents(4, 1 << 20, 1 << 20))
