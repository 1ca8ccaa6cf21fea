"""/view, uploads and /userdata."""

import io
import os
import random
import uuid
from typing import Any

from PIL import Image
from PIL.PngImagePlugin import PngInfo


def png(size: tuple[int, int] = (20, 10), color: Any = None, mode: str = "RGB", **text: str) -> bytes:
    info = PngInfo()
    for name, value in text.items():
        info.add_text(name, value)
    fill = color or tuple(random.randrange(256) for _ in mode)
    buffer = io.BytesIO()
    Image.new(mode, size, fill).save(buffer, "PNG", pnginfo=info)
    return buffer.getvalue()


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


async def upload(client: Any, name: str, data: bytes, **form: str) -> dict[str, str]:
    answer = await client.http.post("/api/upload/image", files={"image": (name, data)}, data=form)
    assert answer.status_code == 200, answer.text
    saved: dict[str, str] = answer.json()
    return saved


def name(suffix: str = "png") -> str:
    return f"{uuid.uuid4().hex}.{suffix}"


async def test_an_upload_comes_back_unchanged(talk: Any) -> None:
    async with talk() as client:
        data, own = png(), name()
        saved = await upload(client, own, data)
        assert saved == {"name": own, "subfolder": "", "type": "input"}
        answer = await client.http.get("/view", params={"filename": own, "type": "input"})
        assert answer.content == data
        assert answer.headers["content-type"] == "image/png"
        assert answer.headers["content-disposition"] == f'filename="{own}"'
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert {"etag", "last-modified", "content-length", "accept-ranges"} <= set(answer.headers)
        node = (await client.http.get("/object_info/LoadImage")).json()["LoadImage"]
        assert own in node["input"]["required"]["image"][0]


async def test_the_same_bytes_are_kept_once_and_others_get_a_new_name(talk: Any) -> None:
    async with talk() as client:
        data, own = png(), name()
        assert (await upload(client, own, data))["name"] == own
        assert (await upload(client, own, data))["name"] == own
        stem = own.removesuffix(".png")
        assert (await upload(client, own, png()))["name"] == f"{stem} (1).png"
        assert (await upload(client, own, png()))["name"] == f"{stem} (2).png"
        other = png()
        assert (await upload(client, own, other, overwrite="true"))["name"] == own
        answer = await client.http.get("/view", params={"filename": own, "type": "input"})
        assert answer.content == other


async def test_into_a_subfolder_and_used_by_a_graph(talk: Any) -> None:
    async with talk() as client:
        own = name()
        data = png((12, 6))
        saved = await upload(client, own, data, subfolder="contract/sub", type="input")
        assert saved == {"name": own, "subfolder": "contract/sub", "type": "input"}
        graph = {
            "1": {"class_type": "LoadImage", "inputs": {"image": f"contract/sub/{own}"}},
            "2": {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}},
        }
        prompt_id = await client.queue(graph)
        await client.over(prompt_id)
        (shown,) = (await client.history(prompt_id))["outputs"]["2"]["images"]
        image = opened((await client.http.get("/view", params=shown)).content)
        assert image.size == (12, 6)
        assert image.convert("RGB").tobytes() == opened(data).tobytes()


async def test_any_file_may_be_uploaded(talk: Any) -> None:
    async with talk() as client:
        own = name("flac")
        await upload(client, own, b"not really", type="temp")
        answer = await client.http.get("/view", params={"filename": own, "type": "temp"})
        assert answer.content == b"not really"
        assert answer.headers["content-type"].startswith("audio/")


async def test_uploads_stay_inside(talk: Any) -> None:
    async with talk() as client:
        for form in ({"subfolder": "../../etc"}, {"subfolder": "/tmp"}):
            answer = await client.http.post("/upload/image", files={"image": (name(), png())}, data=form)
            assert answer.status_code == 400
        assert (await client.http.post("/upload/image", data={"type": "input"})).status_code == 400


async def test_parts_of_a_file(talk: Any) -> None:
    async with talk() as client:
        data, own = os.urandom(5000), name("bin")
        await upload(client, own, data)
        query = {"filename": own, "type": "input"}
        part = await client.http.get("/view", params=query, headers={"Range": "bytes=1000-1999"})
        assert (part.status_code, part.content) == (206, data[1000:2000])
        assert part.headers["content-range"] == "bytes 1000-1999/5000"
        rest = await client.http.get("/view", params=query, headers={"Range": "bytes=4000-"})
        assert (rest.status_code, rest.content) == (206, data[4000:])
        tail = await client.http.get("/view", params=query, headers={"Range": "bytes=-10"})
        assert tail.content == data[-10:]
        beyond = await client.http.get("/view", params=query, headers={"Range": "bytes=9000-"})
        assert beyond.status_code == 416
        same = await client.http.get(
            "/view", params=query, headers={"Range": "bytes=0-9", "If-Range": part.headers["last-modified"]}
        )
        assert (same.status_code, same.content) == (206, data[:10])
        head = await client.http.head("/view", params=query)
        assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", "5000")
        known = await client.http.get("/view", params=query, headers={"If-None-Match": head.headers["etag"]})
        assert known.status_code == 304


async def test_previews_and_channels(talk: Any) -> None:
    async with talk() as client:
        own = name()
        await upload(client, own, png((30, 20), (10, 200, 30, 128), "RGBA", prompt="{}"))
        query = {"filename": own, "type": "input"}
        webp = await client.http.get("/view", params=query | {"preview": "webp;80"})
        assert (webp.headers["content-type"], opened(webp.content).format) == ("image/webp", "WEBP")
        assert "etag" not in webp.headers
        jpeg = await client.http.get("/view", params=query | {"preview": "jpeg;90"})
        assert opened(jpeg.content).format == "JPEG"
        odd = await client.http.get("/view", params=query | {"preview": "tiff"})
        assert opened(odd.content).format == "WEBP"
        rgb = opened((await client.http.get("/view", params=query | {"channel": "rgb"})).content)
        assert (rgb.mode, rgb.getpixel((0, 0)), getattr(rgb, "text", {})) == ("RGB", (10, 200, 30), {})
        alpha = opened((await client.http.get("/view", params=query | {"channel": "a"})).content)
        assert (alpha.mode, alpha.getpixel((0, 0))) == ("RGBA", (0, 0, 0, 128))


async def test_what_view_refuses(talk: Any) -> None:
    async with talk() as client:
        for query, status in (
            ({"filename": "../x.png"}, 400),
            ({"filename": "/etc/passwd"}, 400),
            ({"filename": ""}, 400),
            ({"filename": "none-such.png"}, 404),
            ({"filename": "x.png", "type": "elsewhere"}, 400),
            ({"filename": "x.png", "subfolder": "../.."}, 403),
            ({"type": "input"}, 404),
        ):
            answer = await client.http.get("/view", params=query)
            assert answer.status_code == status, query


async def test_active_content_is_a_download(talk: Any) -> None:
    async with talk() as client:
        own = name("html")
        await upload(client, own, b"<script>1</script>")
        answer = await client.http.get("/view", params={"filename": own, "type": "input"})
        assert answer.headers["content-type"] == "application/octet-stream"
        assert answer.headers["content-disposition"] == f'attachment; filename="{own}"'


async def test_a_mask_is_laid_over_the_original(talk: Any) -> None:
    async with talk() as client:
        own, masked = name(), name()
        await upload(client, own, png((8, 8), (9, 8, 7), prompt='{"kept": 1}'))
        reference = f'{{"filename": "{own}", "subfolder": "", "type": "input"}}'
        answer = await client.http.post(
            "/upload/mask",
            files={"image": (masked, png((8, 8), (0, 0, 0, 77), "RGBA"))},
            data={"type": "input", "original_ref": reference},
        )
        assert answer.json() == {"name": masked, "subfolder": "", "type": "input"}
        image = opened((await client.http.get("/view", params={"filename": masked, "type": "input"})).content)
        assert (image.mode, image.getpixel((3, 3))) == ("RGBA", (9, 8, 7, 77))
        assert getattr(image, "text", {})["prompt"] == '{"kept": 1}'


async def test_other_sites_pages_are_refused(talk: Any) -> None:
    async with talk() as client:
        for headers in ({"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
            assert (await client.http.get("/queue", headers=headers)).status_code == 403


# --- User data


async def test_a_workflow_is_saved_listed_read_moved_and_deleted(talk: Any) -> None:
    async with talk() as client:
        folder = f"contract-{uuid.uuid4().hex}"
        missing = await client.http.get("/userdata", params={"dir": folder})
        assert missing.status_code == 404
        path = f"/userdata/{folder}%2Fsub%2Fa%20b.json"
        saved = await client.http.post(path, content=b'{"a": 1}', params={"full_info": "true"})
        assert saved.json()["path"] == f"{folder}/sub/a b.json"
        assert set(saved.json()) == {"path", "size", "modified", "created"}
        assert saved.json()["size"] == 8
        again = await client.http.post(path, content=b"{}", params={"overwrite": "false"})
        assert again.status_code == 409
        assert (await client.http.post(path, content=b'{"b": 2}')).json() == f"{folder}/sub/a b.json"
        read = await client.http.get(path)
        assert (read.content, read.headers["content-disposition"]) == (b'{"b": 2}', "attachment")
        assert read.headers["content-type"] == "application/json"
        listing = await client.http.get("/api/userdata", params={"dir": folder, "recurse": "true", "full_info": "true"})
        assert [entry["path"] for entry in listing.json()] == ["sub/a b.json"]
        flat = await client.http.get("/userdata", params={"dir": folder})
        assert flat.json() == []
        split = await client.http.get("/userdata", params={"dir": folder, "recurse": "true", "split": "true"})
        assert split.json() == [["sub/a b.json", "sub", "a b.json"]]
        moved = await client.http.post(f"{path}/move/{folder}%2Fc.json")
        assert moved.json() == f"{folder}/c.json"
        assert (await client.http.get(path)).status_code == 404
        gone = await client.http.delete(f"/userdata/{folder}%2Fc.json")
        assert (gone.status_code, gone.content) == (204, b"")
        assert (await client.http.delete(f"/userdata/{folder}%2Fc.json")).status_code == 404


async def test_what_userdata_refuses(talk: Any) -> None:
    async with talk() as client:
        assert (await client.http.get("/userdata")).status_code == 400
        assert (await client.http.get("/userdata", params={"dir": "../.."})).status_code == 403
        # 400: from a reverse proxy in front of it, which has an opinion of its own about such paths.
        assert (await client.http.get("/userdata/..%2F..%2Fx.json")).status_code in (400, 403)
        assert (await client.http.get("/userdata/none.json")).status_code == 404
