"""Sound and video files through PyAV, without NumPy."""

import os
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from pathlib import Path

import av
from PIL import Image

from comfydesk.demo.values import Audio, Images, Video

MAX_FRAMES = 900
"""More of a loaded video is left out: its frames lie in memory."""
MAX_SECONDS = 600
_CHUNK = 1024
_CODECS = {"flac": "flac", "mp3": "libmp3lame", "opus": "libopus"}


def save_audio(path: Path, audio: Audio, kind: str, quality: str, metadata: Mapping[str, str]) -> None:
    """Write flac, mp3 or opus; `quality` is "V0" or a bit rate such as "128k". Metadata as tags (TXXX in MP3)."""
    with av.open(str(path), "w", format=kind) as file:
        file.metadata.update(metadata)
        rate = 48000 if kind == "opus" else audio.rate
        stream = file.add_stream(_CODECS[kind], rate=rate, layout=_layout(audio.channels))
        assert isinstance(stream, av.AudioStream)
        if quality.endswith("k") and kind != "flac":
            stream.bit_rate = int(quality[:-1]) * 1000
        _encode_audio(file, stream, audio)


def save_video(path: Path, video: Video, container: str, codec: str, metadata: Mapping[str, str]) -> None:
    """Write mp4 or mkv (H.264 or AV1) or webm (AV1), with the sound if there is one."""
    webm = container == "webm"
    options = {} if webm else {"movflags": "use_metadata_tags"}
    with av.open(str(path), "w", format={"mkv": "matroska"}.get(container, container), options=options) as file:
        file.metadata.update(metadata)
        av1 = webm or codec == "av1"
        os.environ.setdefault("SVT_LOG", "1")  # the AV1 encoder writes to stderr by itself: errors only
        stream = file.add_stream("libsvtav1" if av1 else "h264", rate=Fraction(video.fps).limit_denominator(1001))
        assert isinstance(stream, av.VideoStream)
        # Chroma is stored at half size: odd sides lose their last line.
        stream.width, stream.height = (max(2, side // 2 * 2) for side in video.frames[0].size)
        stream.pix_fmt = "yuv420p"
        stream.options = {"preset": "10"} if av1 else {"preset": "veryfast", "crf": "20"}
        sound = file.add_stream("libopus" if webm else "aac", rate=48000, layout="stereo") if video.audio else None
        for frame in video.frames:
            file.mux(stream.encode(_frame_of(frame)))
        file.mux(stream.encode(None))
        if video.audio is not None and isinstance(sound, av.AudioStream):
            _encode_audio(file, sound, video.audio)


def load_audio(path: Path) -> Audio:
    """The first sound track of any file. Raises ValueError if there is none."""
    with av.open(str(path)) as file:
        if not file.streams.audio:
            msg = f"no sound in {path.name}"
            raise ValueError(msg)
        stream = file.streams.audio[0]
        rate = stream.rate or 44100
        resampler = av.AudioResampler("s16", "stereo", rate)
        parts = []
        length = 0
        for frame in _resampled(file.decode(stream), resampler):
            parts.append(bytes(frame.planes[0])[: frame.samples * 4])
            length += frame.samples
            if length > MAX_SECONDS * rate:
                break
    return Audio(b"".join(parts), rate, 2)


def load_video(path: Path) -> Video:
    """Frames (up to MAX_FRAMES), rate and sound. Raises ValueError if there is no picture."""
    with av.open(str(path)) as file:
        if not file.streams.video:
            msg = f"no picture in {path.name}"
            raise ValueError(msg)
        stream = file.streams.video[0]
        fps = float(stream.average_rate or 24)
        frames: list[Image.Image] = []
        for frame in file.decode(stream):
            frames.append(_picture_of(frame))
            if len(frames) == MAX_FRAMES:
                break
        has_sound = bool(file.streams.audio)
    pictures: Images = tuple(frames)
    return Video(pictures, fps, load_audio(path) if has_sound else None)


def _frame_of(picture: Image.Image) -> av.VideoFrame:
    frame = av.VideoFrame(*picture.size, "rgb24")
    plane = frame.planes[0]
    data = picture.convert("RGB").tobytes()
    row = picture.width * 3
    if plane.line_size != row:  # lines are padded in memory
        lines = (data[start : start + row] for start in range(0, len(data), row))
        data = b"".join(line.ljust(plane.line_size, b"\0") for line in lines)
    plane.update(data.ljust(plane.buffer_size, b"\0"))
    return frame


def _picture_of(frame: av.VideoFrame) -> Image.Image:
    plain = frame.reformat(format="rgb24")
    plane = plain.planes[0]
    return Image.frombytes("RGB", (plain.width, plain.height), bytes(plane), "raw", "RGB", plane.line_size)


def _encode_audio(file: "av.container.OutputContainer", stream: av.AudioStream, audio: Audio) -> None:
    resampler = av.AudioResampler(stream.format.name, stream.layout, stream.rate, frame_size=_frame_size(stream))
    for frame in _resampled(_frames(audio), resampler):
        file.mux(stream.encode(frame))
    file.mux(stream.encode(None))


def _frame_size(stream: av.AudioStream) -> int | None:
    stream.codec_context.open(strict=False)
    return stream.codec_context.frame_size or None


def _frames(audio: Audio) -> Iterator[av.AudioFrame]:
    width = 2 * audio.channels
    for start in range(0, len(audio.pcm), _CHUNK * width):
        chunk = audio.pcm[start : start + _CHUNK * width]
        frame = av.AudioFrame("s16", _layout(audio.channels), len(chunk) // width)
        frame.sample_rate = audio.rate
        frame.pts = start // width
        plane = frame.planes[0]
        plane.update(chunk.ljust(plane.buffer_size, b"\0"))
        yield frame


def _resampled(frames: Iterable[av.AudioFrame], resampler: av.AudioResampler) -> Iterator[av.AudioFrame]:
    for frame in frames:
        yield from resampler.resample(frame)
    yield from resampler.resample(None)


def _layout(channels: int) -> str:
    return "mono" if channels == 1 else "stereo"
