"""What kind of media a socket type or a file name stands for.

Kinds: image, video, audio, 3d, text. Socket types: ComfyUI 0.33.0's catalog; custom nodes reuse them.
"""

IMAGE, VIDEO, AUDIO, MODEL3D, TEXT = "image", "video", "audio", "3d", "text"
KINDS = (VIDEO, MODEL3D, AUDIO, IMAGE, TEXT)

_BY_SOCKET = {
    "IMAGE": IMAGE,
    "MASK": IMAGE,
    "SVG": IMAGE,
    "VIDEO": VIDEO,
    "AUDIO": AUDIO,
    "MESH": MODEL3D,
    "VOXEL": MODEL3D,
    "SPLAT": MODEL3D,
    "STRING": TEXT,
}
_BY_SUFFIX = {
    **dict.fromkeys(("png", "jpg", "jpeg", "webp", "gif", "bmp", "avif", "tif", "tiff", "exr", "svg", "hdr"), IMAGE),
    **dict.fromkeys(("mp4", "webm", "mov", "mkv", "avi", "m4v", "mpg", "mpeg"), VIDEO),
    **dict.fromkeys(("mp3", "wav", "flac", "ogg", "opus", "m4a", "aac", "oga"), AUDIO),
    **dict.fromkeys(("glb", "gltf", "obj", "fbx", "stl", "ply", "usdz", "splat", "ksplat", "spz"), MODEL3D),
}


def of_socket(socket_type: str) -> str | None:
    """The kind of media that flows through a socket ("IMAGE", "MESH,FILE_3D_GLB"), or None for other data."""
    for part in socket_type.split(","):
        kind = _BY_SOCKET.get(part) or (MODEL3D if part.startswith("FILE_3D") else None)
        if kind:
            return kind
    return None


def of_file(name: object) -> str | None:
    """The kind of media that a file of that name holds, or None. Anything may be asked."""
    if not isinstance(name, str) or len(name) > 400:
        return None
    stem, dot, suffix = name.partition(" [")[0].rpartition(".")  # "x.png [output]"
    return _BY_SUFFIX.get(suffix.lower()) if dot and stem else None
