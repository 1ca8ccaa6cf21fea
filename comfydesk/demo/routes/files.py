"""/view, /upload/image and /upload/mask."""

import asyncio
import io
import json
import mimetypes
from collections.abc import Callable
from pathlib import Path

from aiohttp import web
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from comfydesk.demo.folders import Folders, inside, split_tag
from comfydesk.demo.mishaps import ServedFile
from comfydesk.demo.routes import PodParts, doubled

_ACTIVE = (
    *("text/html", "text/html-sandboxed", "text/javascript", "text/css", "message/rfc822"),
    *("application/xhtml+xml", "application/javascript", "application/x-javascript", "application/ecmascript"),
)
"""Content types a browser would run: sent as a download."""


def routes(pod: PodParts) -> list[web.RouteDef]:
    files = FileRoutes(pod)
    return doubled(
        [
            web.get("/view", files.view),
            web.post("/upload/image", files.upload_image),
            web.post("/upload/mask", files.upload_mask),
        ]
    )


class FileRoutes:
    def __init__(self, pod: PodParts) -> None:
        self._folders = pod.shared.folders
        self._disk = pod.shared.script.disk

    async def view(self, request: web.Request) -> web.StreamResponse:
        query = request.query
        if "filename" not in query:
            return web.Response(status=404)
        found = locate(self._folders, query["filename"], query.get("type", "output"), query.get("subfolder", ""))
        if isinstance(found, int):
            return web.Response(status=found)
        found = await asyncio.to_thread(self._folders.provided, found)
        if not found.is_file():
            return web.Response(status=404)
        if "preview" in query or query.get("channel") in ("rgb", "a"):
            channel, preview = query.get("channel", ""), query.get("preview")
            body, type_ = await asyncio.to_thread(_recoded, found, channel, preview)
            headers = {"Content-Disposition": f'filename="{found.name}"'}
            return web.Response(body=body, content_type=type_, headers=headers)
        type_ = mimetypes.guess_type(found.name)[0] or "application/octet-stream"
        quoted = found.name.replace("\\", "\\\\").replace('"', '\\"')
        headers = {"X-Content-Type-Options": "nosniff", "Content-Disposition": f'filename="{quoted}"'}
        if type_ in _ACTIVE or type_.endswith(("/xml", "+xml")):
            type_ = "application/octet-stream"
            headers |= {"Vary": "Sec-Fetch-Dest", "Cache-Control": "no-store"}
            headers["Content-Disposition"] = f'attachment; filename="{quoted}"'
        return ServedFile(found, headers | {"Content-Type": type_})

    async def upload_image(self, request: web.Request) -> web.Response:
        return await self._upload(request, lambda image, _: image)

    async def upload_mask(self, request: web.Request) -> web.Response:
        def compose(mask: bytes, original_ref: str) -> bytes:
            ref = json.loads(original_ref)
            found = locate(self._folders, ref["filename"], ref.get("type", "output"), ref.get("subfolder", ""))
            if isinstance(found, int) or not found.is_file():
                raise web.HTTPBadRequest
            return _masked(found, mask)

        return await self._upload(request, compose)

    async def _upload(self, request: web.Request, compose: Callable[[bytes, str], bytes]) -> web.Response:
        form = await request.post()
        image = form.get("image")
        if not isinstance(image, web.FileField) or not image.filename:
            return web.Response(status=400)
        kind, subfolder = str(form.get("type", "input")), str(form.get("subfolder", ""))
        base = self._folders.of_type(kind)
        if base is None:
            msg = f"no such folder: {kind}"
            raise ValueError(msg)  # the real server answers 500 here, too
        try:
            path = inside(base, base / subfolder / image.filename)
        except ValueError:
            return web.Response(status=400)
        data = compose(await asyncio.to_thread(image.file.read), str(form.get("original_ref", "")))
        self._disk.take(len(data))
        overwrite = form.get("overwrite") in ("true", "1")
        saved = await asyncio.to_thread(_store, path, data, overwrite)
        return web.json_response({"name": saved.name, "subfolder": subfolder, "type": kind})


def locate(folders: Folders, filename: str, kind: str, subfolder: str) -> Path | int:
    """The file that /view names, or the status of the refusal."""
    bare, tagged = split_tag(filename)
    if not bare or bare[0] == "/" or ".." in bare:
        return 400
    base = folders.of_type(tagged or kind)
    if base is None:
        return 400
    try:
        folder = inside(base, base / subfolder) if subfolder and tagged is None else base
    except ValueError:
        return 403
    return folder / Path(bare).name


def _store(path: Path, data: bytes, overwrite: bool) -> Path:
    """Write; another file of that name makes it "x (1).png", the same bytes are kept once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    free, count = path, 0
    while not overwrite and free.exists():
        if free.read_bytes() == data:
            return free
        count += 1
        free = path.with_name(f"{path.stem} ({count}){path.suffix}")
    free.write_bytes(data)
    return free


def _masked(original: Path, mask: bytes) -> bytes:
    """The original with the mask's alpha, its metadata kept."""
    with Image.open(original) as picture, Image.open(io.BytesIO(mask)) as shape:
        info = PngInfo()
        for name, text in getattr(picture, "text", {}).items():
            info.add_text(name, text)
        painted = picture.convert("RGBA")
        painted.putalpha(shape.convert("RGBA").getchannel("A"))
    buffer = io.BytesIO()
    painted.save(buffer, "PNG", compress_level=4, pnginfo=info)
    return buffer.getvalue()


def _recoded(path: Path, channel: str, preview: str | None) -> tuple[bytes, str]:
    """A smaller copy (`preview` "webp;90"), or one channel as PNG."""
    buffer = io.BytesIO()
    with Image.open(path) as opened:
        picture: Image.Image = opened
        if preview is not None:
            format_, *rest = preview.split(";")
            if format_ not in ("webp", "jpeg") or "a" in channel:
                format_ = "webp"
            quality = int(rest[-1]) if rest and rest[-1].isdigit() else 90
            if format_ == "jpeg" or channel == "rgb":
                picture = picture.convert("RGB")
            picture.save(buffer, format_, quality=quality)
            return buffer.getvalue(), f"image/{format_}"
        if channel == "rgb":
            picture = picture.convert("RGB")
        else:
            alpha = picture.getchannel("A") if picture.mode == "RGBA" else Image.new("L", picture.size, 255)
            picture = Image.new("RGBA", picture.size)
            picture.putalpha(alpha)
        picture.save(buffer, "PNG")
    return buffer.getvalue(), "image/png"
