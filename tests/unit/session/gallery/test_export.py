import asyncio
import io
import json
import os
import signal
import subprocess
import sys
import textwrap
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from comfydesk.errors import DiskFullError, MediaError, UsageError
from comfydesk.session.gallery import export as exporting
from comfydesk.session.gallery.export import Exported, ExportPlan, export
from comfydesk.session.gallery.strip import strip
from comfydesk.store.records import Output
from comfydesk.workflow.embedded import extract

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import OutputContainer
    from av.video.stream import VideoStream

Write = Callable[..., Path]
PROMPT = "A lighthouse on a cliff at dusk, long exposure"
WORKFLOW = json.dumps({"nodes": [], "links": [], "last_node_id": 8})
API = json.dumps({"3": {"class_type": "C", "inputs": {"text": PROMPT}}})


def output(path: Path, number: int = 1, **given: Any) -> Output:
    media = {"mp4": "video", "flac": "audio", "mp3": "audio", "webm": "video", "txt": "text"}.get(
        path.suffix[1:], "image"
    )
    return Output(number, str(path), media, path.stat().st_size, "", 1_700_000_000.0 + number, prompt=PROMPT, **given)


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def pixels(path: Path | io.BytesIO) -> bytes:
    with Image.open(path) as picture:
        return picture.convert("RGBA").tobytes()


# --- Files of every kind with metadata in them ----------------------------------------------------------------------


def _png(path: Path, write: Write) -> None:
    write(path)


def _exif() -> bytes:
    exif = Image.Exif()
    exif[0x010F] = f"workflow:{WORKFLOW}"
    exif[0x0110] = f"prompt:{API}"
    return exif.tobytes()


def _jpeg(path: Path, write: Write) -> None:
    picture = Image.effect_mandelbrot((300, 200), (-3, -2.5, 2, 2.5), 50).convert("RGB")
    picture.save(path, "JPEG", exif=_exif(), comment=PROMPT.encode(), progressive=True)


def _webp(path: Path, write: Write) -> None:
    Image.new("RGBA", (20, 10), (1, 2, 3, 99)).save(path, "WEBP", exif=_exif(), xmp=PROMPT.encode(), lossless=True)


def _apng(path: Path, write: Write) -> None:
    from PIL import PngImagePlugin

    texts = PngImagePlugin.PngInfo()
    texts.add_text("prompt", API)
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    frames[0].save(path, save_all=True, append_images=frames[1:], pnginfo=texts, format="PNG")


def _recording(path: Path, write: Write) -> None:
    import av

    options = {"movflags": "use_metadata_tags"} if path.suffix == ".mp4" else {}
    with av.open(str(path), "w", options=options) as file:
        file.metadata["comment"] = API
        file.metadata["workflow"] = WORKFLOW
        file.metadata["title"] = PROMPT
        if path.suffix == ".mp4":
            _video(file, file.add_stream("mpeg4", rate=8))
        elif path.suffix == ".webm":
            _video(file, file.add_stream("libvpx-vp9", rate=8))
        elif path.suffix == ".flac":
            _audio(file, file.add_stream("flac", rate=44100), "s16")
        else:
            _audio(file, file.add_stream("mp3", rate=44100), "s16p")


def _video(file: "OutputContainer", stream: "VideoStream") -> None:
    from av import VideoFrame

    stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
    for _ in range(4):
        file.mux(stream.encode(VideoFrame(32, 32, "yuv420p")))
    file.mux(stream.encode(None))


def _audio(file: "OutputContainer", stream: "AudioStream", samples: str) -> None:
    from av import AudioFrame

    frame = AudioFrame(samples, "stereo", 1152)
    frame.sample_rate = 44100
    for plane in frame.planes:
        plane.update(bytes(plane.buffer_size))
    for number in range(6):
        frame.pts = number * 1152
        file.mux(stream.encode(frame))
    file.mux(stream.encode(None))


KINDS: dict[str, Callable[[Path, Write], None]] = {
    "a.png": _png, "b.png": _apng, "a.jpg": _jpeg, "a.webp": _webp,
    "a.mp4": _recording, "a.webm": _recording, "a.flac": _recording, "a.mp3": _recording,
}  # fmt: skip


def carries(path: Path) -> bool:
    """Whether anything of prompt or workflow stands in a file, packed PNG texts included."""
    data = path.read_bytes()
    inflated = b""
    at = data.find(b"zTXt")
    while at >= 0:
        body = data[at + 4 : at + 4 + int.from_bytes(data[at - 4 : at])]
        inflated += zlib.decompress(body.partition(b"\0")[2][1:])
        at = data.find(b"zTXt", at + 4)
    wanted = (b"lighthouse", b"class_type", b"last_node_id")
    return any(word in data + inflated for word in wanted)


@pytest.mark.parametrize("name", KINDS)
async def test_nothing_of_prompt_or_workflow_is_left_and_nothing_else_is_lost(
    name: str, tmp_path: Path, write: Write
) -> None:
    source = tmp_path / name
    KINDS[name](source, write)
    assert carries(source)
    done = await export([output(source)], ExportPlan(tmp_path / "out", metadata=False), {})
    (copy,) = done.files
    assert not carries(copy)
    found = extract(copy.read_bytes(), name)
    assert (found.prompt, found.workflow) == (None, None)
    if name.endswith((".png", ".jpg", ".webp")):
        with Image.open(source) as before, Image.open(copy) as after:
            assert getattr(before, "n_frames", 1) == getattr(after, "n_frames", 1)
            assert after.info.get("exif") is None
        assert pixels(copy) == pixels(source)
    else:
        assert _packets(copy) == _packets(source)


def _packets(path: Path) -> list[bytes]:
    import av

    with av.open(str(path)) as file:
        return [bytes(packet) for packet in file.demux() if packet.size]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("cut.png", b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR"),
        ("cut.jpg", b"\xff\xd8\xff\xe0\x00\x10JFIF"),
        ("odd.jpg", b"\xff\xd8abcdefghijk"),
        ("cut.mp4", b"\x00\x00\x00\x18ftypmp42 and nothing"),
        ("a.glb", b"glTF\x02\x00\x00\x00"),
        ("empty.png", b""),
    ],
)
def test_what_cannot_be_stripped_is_refused(name: str, data: bytes, tmp_path: Path) -> None:
    source = tmp_path / name
    source.write_bytes(data)
    with pytest.raises(MediaError, match="without its metadata"):
        strip(source, tmp_path / "copy")


@pytest.mark.parametrize("size", [1, 1 << 20, (1 << 20) - 1])
def test_a_jpegs_scan_may_end_anywhere_in_a_block(size: int, tmp_path: Path) -> None:
    head = b"\xff\xd8\xff\xda\x00\x02"
    scan = (b"\x11" * max(0, size - 2)) + b"\xff\x00" + b"\xff\xd0" + b"\x22"
    source, copy = tmp_path / "a.jpg", tmp_path / "copy"
    source.write_bytes(head + scan + b"\xff\xfe\x00\x04no" + b"\xff\xd9 and a tail")
    strip(source, copy)
    assert copy.read_bytes() == head + scan + b"\xff\xd9"


# --- Names, formats, zips -------------------------------------------------------------------------------------------


async def test_names_come_from_the_template_and_nothing_is_overwritten(tmp_path: Path, write: Write) -> None:
    one = output(write(tmp_path / "x" / "a.png"), 1, seed=2**64 - 1)
    two = output(write(tmp_path / "y" / "a.png", "blue"), 2, seed=2**64 - 1)
    out = tmp_path / "out"
    plan = ExportPlan(out, template="{workflow}/{seed}")
    for _ in range(2):
        await export([one, two], plan, {})
        assert names(out) == [f"{2**64 - 1} (2).png", f"{2**64 - 1}.png"]
    assert pixels(out / f"{2**64 - 1}.png") == pixels(Path(one.path))
    (out / f"{2**64 - 1}.png").write_bytes(b"mine")
    await export([one], plan, {})
    assert (out / f"{2**64 - 1}.png").read_bytes() == b"mine"


async def test_names_stay_inside_whatever_the_prompt_says(tmp_path: Path, write: Write) -> None:
    hostile = Output(1, str(write(tmp_path / "a.png")), "image", 1, "", 0.0, prompt="../../etc/\x1b[31m\u202epwned\n/x")
    out = tmp_path / "out"
    done = await export([hostile], ExportPlan(out, template="{prompt}/{name}"), {})
    (path,) = done.files
    assert path.is_relative_to(out)
    assert str(path).isprintable()


@pytest.mark.parametrize("kind", ["webp", "jpg", "png"])
@pytest.mark.parametrize("metadata", [True, False])
async def test_other_kinds_of_pictures_with_the_workflow_or_without(
    kind: str, metadata: bool, tmp_path: Path, write: Write
) -> None:
    source = tmp_path / "a.webp"
    _webp(source, write)
    if kind == "webp":
        source = write(tmp_path / "a.png")
    plan = ExportPlan(tmp_path / "out", metadata=metadata, picture_format=kind)
    (copy,) = (await export([output(source)], plan, {})).files
    assert copy.suffix == f".{kind}"
    with Image.open(copy) as picture:
        assert picture.format == {"jpg": "JPEG"}.get(kind, kind.upper())
    found = extract(copy.read_bytes(), copy.name)
    assert (found.workflow is not None) is metadata
    assert (found.prompt is not None) is metadata
    if not metadata:
        assert not carries(copy)


async def test_a_zip_holds_them_all_or_is_not_there(tmp_path: Path, write: Write) -> None:
    one, two = output(write(tmp_path / "x" / "a.png"), 1), output(write(tmp_path / "y" / "a.png", "blue"), 2)
    missing = Output(3, str(tmp_path / "gone.png"), "image", 1, "", 0.0)
    done = await export([one, missing, two], ExportPlan(tmp_path / "all.zip", metadata=False, zipped=True), {})
    assert [skipped.id for skipped, _ in done.skipped] == [3]
    with zipfile.ZipFile(done.files[0]) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["a.png", "a (2).png"]
        assert pixels(io.BytesIO(archive.read("a (2).png"))) == pixels(Path(two.path))
    assert names(tmp_path) == ["all.zip", "x/a.png", "y/a.png"]


@pytest.mark.parametrize("given", [{"template": "{sed}"}, {"picture_format": "bmp"}])
async def test_a_plan_that_cannot_be_meant_is_refused_before_anything_is_done(
    given: dict[str, Any], tmp_path: Path
) -> None:
    with pytest.raises(UsageError):
        await export([], ExportPlan(tmp_path / "out", **given), {})
    assert not (tmp_path / "out").exists()


# --- Interrupted ----------------------------------------------------------------------------------------------------


async def test_progress_is_told_and_a_cancelled_export_leaves_whole_files_only(
    tmp_path: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    def patiently(run: Any, folder: Path, one: Output, parts: list[Path]) -> Any:
        if one.id >= 10:  # however late the loop comes to the cancel, the workers have not done them all
            assert run.stop.wait(30)
        return prepared(run, folder, one, parts)

    prepared = exporting._prepared
    monkeypatch.setattr(exporting, "_prepared", patiently)
    found = [output(write(tmp_path / "in" / f"{n}.png", size=(600, 600)), n) for n in range(40)]
    out = tmp_path / "out"
    seen: list[int] = []
    task: asyncio.Task[Exported]

    def told(progress: Any) -> None:
        seen.append(progress.done)
        if progress.done == 3:
            task.cancel()

    task = asyncio.create_task(export(found, ExportPlan(out, picture_format="webp", quality=100), {}, told))
    with pytest.raises(asyncio.CancelledError):
        await task
    # Some more may have been told before the loop came to the cancel.
    assert seen == list(range(1, len(seen) + 1))
    assert 3 <= len(seen) <= 10
    assert 3 <= len(names(out)) <= 10
    for name in names(out):
        assert pixels(out / name)


@pytest.mark.parametrize("zipped", [True, False])
async def test_a_full_disk_is_said_and_leaves_nothing_half_written(
    zipped: bool, tmp_path: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: object, target: Path) -> None:
        target.write_bytes(bytes(10))
        raise OSError(28, "No space left on device", str(target))

    source = output(write(tmp_path / "in" / "a.png"))
    monkeypatch.setattr("shutil.copyfile", full)
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(DiskFullError, match="no room"):
        await export([source] * 5, ExportPlan(out / "a.zip" if zipped else out, zipped=zipped), {})
    assert names(out) == []


KILLED = """
import asyncio, sys
from pathlib import Path
from comfydesk.session.gallery.export import ExportPlan, export
from comfydesk.store.records import Output
folder, out = Path(sys.argv[1]), Path(sys.argv[2])
found = [Output(n, str(path), "image", 0, "", 0.0) for n, path in enumerate(sorted(folder.iterdir()))]
asyncio.run(export(found, ExportPlan(out, metadata=False, picture_format="webp", quality=100), {},
                   lambda progress: print(progress.done, flush=True)))
"""


@pytest.fixture
def killed(tmp_path: Path, write: Write) -> Path:
    """The folder of an export that was ended by kill -9 in the middle."""
    for number in range(40):
        write(tmp_path / "in" / f"{number}.png", size=(500, 500))
    out = tmp_path / "out"
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(KILLED), str(tmp_path / "in"), str(out)], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if int(line) == 5:
                os.kill(process.pid, signal.SIGKILL)
                break
        process.stdout.read()
    return out


def test_after_a_kill_every_file_that_has_its_name_is_whole_and_the_rest_goes_away(killed: Path, write: Write) -> None:
    whole = [name for name in names(killed) if not name.startswith(".")]
    assert 5 <= len(whole) < 40
    for name in whole:
        assert pixels(killed / name)
    for path in killed.glob(".*"):
        os.utime(path, (0, 0))  # long ago
    asyncio.run(export([], ExportPlan(killed), {}))
    assert names(killed) == whole
